import type { OperationPhase, ResourceResult } from '#model/argocd/application.ts';
import { annotations } from '#model/argocd/names.ts';
import { displayName } from './identity.ts';
import { isPrune, resultOf, type SyncResults, type SyncTask, taskId } from './task.ts';

export type SyncAction =
  | { kind: 'apply'; task: SyncTask }
  | { kind: 'replace'; task: SyncTask }
  | { kind: 'recreate'; task: SyncTask }
  | { kind: 'prune'; task: SyncTask }
  | { kind: 'skip-prune'; task: SyncTask; message: string }
  | { kind: 'delete-hook'; task: SyncTask };

/** The next step of a sync: at most one wave. */
export type SyncStep =
  | { kind: 'wait'; message: string }
  /** Groups one after the other, the actions of a group at once. */
  | { kind: 'act'; groups: SyncAction[][]; message: string; finishWhenDone: boolean; cleanup: SyncAction[] }
  | { kind: 'finish'; phase: OperationPhase; message: string; cleanup: SyncAction[] };

export interface SyncPlanInput {
  /** In order (see `orderTasks`). */
  tasks: readonly SyncTask[];
  results: SyncResults;
  /** Identifies the operation on the hooks it creates. */
  operationId: string;
  prune: boolean;
  applyOutOfSyncOnly: boolean;
  /** True once a person approved, after this operation began, what `Prune=confirm` protects. */
  pruneApproved: boolean;
}

export interface SyncPlan {
  results: Map<string, ResourceResult>;
  step: SyncStep;
}

function running(result: ResourceResult | undefined): boolean {
  return result?.hookPhase === 'Running';
}

function unsuccessful(result: ResourceResult | undefined): boolean {
  return result?.status === 'SyncFailed' || result?.hookPhase === 'Failed' || result?.hookPhase === 'Error';
}

/** What the live object says about a task that was applied. */
function observe(task: SyncTask, result: ResourceResult): ResourceResult {
  if (!task.live)
    return {
      ...result,
      hookPhase: 'Error',
      message: `${displayName(task.key)} disappeared while the sync was running`,
    };
  const message = task.health?.message ?? result.message;
  const next = (hookPhase: OperationPhase): ResourceResult =>
    message === undefined ? { ...result, hookPhase } : { ...result, hookPhase, message };
  switch (task.health?.status) {
    case undefined:
      return { ...result, hookPhase: 'Succeeded' };
    case 'Healthy':
      return next('Succeeded');
    case 'Degraded':
      return next('Failed');
    case 'Unknown':
      return next(task.hook ? 'Failed' : 'Running');
    case 'Progressing':
    case 'Suspended':
    case 'Missing':
      return result;
  }
}

function named(tasks: readonly SyncTask[], what: string): string {
  const first = tasks[0];
  const name = first ? displayName(first.key) : '';
  return tasks.length > 1 ? `${name} and ${tasks.length - 1} more ${what}` : name;
}

function waitMessage(tasks: readonly SyncTask[]): string {
  const hooks = tasks.filter((task) => task.hook);
  if (hooks.length > 0) return `waiting for completion of hook ${named(hooks, 'hooks')}`;
  return `waiting for healthy state of ${named(tasks, 'resources')}`;
}

function hookCleanup(
  tasks: readonly SyncTask[],
  results: SyncResults,
  policy: 'HookSucceeded' | 'HookFailed',
): SyncAction[] {
  return tasks
    .filter((task) => task.hook && task.live && task.deletePolicies.includes(policy))
    .filter((task) => results.get(taskId(task))?.hookPhase !== undefined && !running(results.get(taskId(task))))
    .map((task) => ({ kind: 'delete-hook', task }));
}

function applyAction(task: SyncTask): SyncAction {
  if (task.live && task.options.force) return { kind: 'recreate', task };
  return { kind: task.options.replace ? 'replace' : 'apply', task };
}

/** A hook left over from an earlier sync, which has to go before this one creates it again. */
function isStaleHook(task: SyncTask, operationId: string): boolean {
  return (
    task.hook &&
    task.live !== undefined &&
    task.deletePolicies.includes('BeforeHookCreation') &&
    task.live.metadata.annotations?.[annotations.operation] !== operationId
  );
}

function planPrunes(tasks: readonly SyncTask[], input: SyncPlanInput): { actions: SyncAction[]; waitFor: SyncTask[] } {
  const waitFor: SyncTask[] = [];
  const actions = tasks.filter(isPrune).map((task): SyncAction => {
    if (!input.prune) return { kind: 'skip-prune', task, message: 'ignored (requires pruning)' };
    if (task.options.prune === 'false') return { kind: 'skip-prune', task, message: 'ignored (no prune)' };
    if (task.options.prune === 'confirm' && !input.pruneApproved) waitFor.push(task);
    return { kind: 'prune', task };
  });
  return { actions, waitFor };
}

/** Consecutive tasks of one kind go together. */
function kindGroups(tasks: readonly SyncTask[]): SyncAction[][] {
  const groups: SyncAction[][] = [];
  let kind: string | undefined;
  for (const task of tasks) {
    const own = `${task.key.group}/${task.key.kind}`;
    if (own !== kind) groups.push([]);
    groups[groups.length - 1]?.push(applyAction(task));
    kind = own;
  }
  return groups;
}

function planFailure(all: readonly SyncTask[], results: SyncResults): SyncStep {
  const rest = all.filter((task) => task.phase !== 'SyncFail');
  const failHooks = all.filter((task) => task.phase === 'SyncFail');
  const cleanup = hookCleanup(rest, results, 'HookFailed');
  const failed = [...results.values()].filter(unsuccessful);
  const notApplied = failed.some((result) => result.status === 'SyncFailed');
  const what = notApplied
    ? 'one or more objects failed to apply'
    : 'one or more synchronization tasks completed unsuccessfully';
  const reasons = [...new Set(failed.flatMap((result) => (result.message ? [result.message] : [])))].slice(0, 5);
  const message = reasons.length > 0 ? `${what}, reason: ${reasons.join('; ')}` : what;
  const pending = failHooks.filter((task) => results.get(taskId(task)) === undefined);
  if (pending.length > 0) return { kind: 'act', groups: kindGroups(pending), message, finishWhenDone: false, cleanup };
  if (failHooks.some((task) => running(results.get(taskId(task)))))
    return { kind: 'wait', message: waitMessage(failHooks.filter((task) => running(results.get(taskId(task))))) };
  return {
    kind: 'finish',
    phase: 'Failed',
    message,
    cleanup: [...cleanup, ...hookCleanup(failHooks, results, 'HookFailed')],
  };
}

function planWave(pending: readonly SyncTask[], input: SyncPlanInput, results: SyncResults): SyncStep {
  const first = pending[0];
  const inWave = pending.filter((task) => task.phase === first?.phase && task.wave === first.wave);
  const remaining = pending.filter((task) => !inWave.includes(task) || task.hook);
  const { actions: prunes, waitFor } = planPrunes(inWave, input);
  if (waitFor.length > 0)
    return { kind: 'wait', message: `waiting for pruning confirmation of ${named(waitFor, 'resources')}` };
  const targets = inWave.filter((task) => !isPrune(task));
  const stale = targets.filter((task) => isStaleHook(task, input.operationId));
  if (
    stale.length > 0 &&
    prunes.length === 0 &&
    stale.every((task) => task.live?.metadata.deletionTimestamp !== undefined)
  )
    return { kind: 'wait', message: `waiting for deletion of hook ${named(stale, 'hooks')}` };
  if (stale.length > 0) {
    const deletions = stale.map((task): SyncAction => ({ kind: 'delete-hook', task }));
    const message = `waiting for deletion of hook ${named(stale, 'hooks')}`;
    return {
      kind: 'act',
      groups: [prunes, deletions].filter((group) => group.length > 0),
      message,
      finishWhenDone: false,
      cleanup: [],
    };
  }
  return {
    kind: 'act',
    groups: [prunes, ...kindGroups(targets)].filter((group) => group.length > 0),
    message: 'one or more tasks are running',
    finishWhenDone: remaining.length === 0,
    cleanup: hookCleanup(input.tasks, results, 'HookSucceeded'),
  };
}

/**
 * Decides the next step of a sync from what was done so far and what is live now. Pure: the same input gives the same
 * step, and a step that was carried out gives another one.
 */
export function planSync(input: SyncPlanInput): SyncPlan {
  const results = new Map(input.results);
  for (const task of input.tasks) {
    const result = results.get(taskId(task));
    if (result && running(result)) results.set(taskId(task), observe(task, result));
  }
  const tasks = input.tasks.filter((task) => task.phase !== 'SyncFail');
  const multiStep = new Set(input.tasks.map((task) => `${task.phase} ${task.wave}`)).size > 1;
  const waiting = tasks.filter((task) => (multiStep || task.hook) && running(results.get(taskId(task))));
  if (waiting.length > 0) return { results, step: { kind: 'wait', message: waitMessage(waiting) } };
  const terminating = tasks.filter((task) => results.get(taskId(task))?.status === 'Pruned' && task.live !== undefined);
  if (terminating.length > 0)
    return { results, step: { kind: 'wait', message: `waiting for deletion of ${named(terminating, 'resources')}` } };
  if (tasks.some((task) => unsuccessful(results.get(taskId(task)))))
    return { results, step: planFailure(input.tasks, results) };
  const pending = tasks.filter((task) => {
    if (results.get(taskId(task)) !== undefined) return false;
    return !(input.applyOutOfSyncOnly && !task.hook && !isPrune(task) && !task.outOfSync);
  });
  if (pending.length === 0) {
    const cleanup = hookCleanup(tasks, results, 'HookSucceeded');
    return {
      results,
      step: { kind: 'finish', phase: 'Succeeded', message: 'successfully synced (no more tasks)', cleanup },
    };
  }
  return { results, step: planWave(pending, input, results) };
}

/** The result of a task that was carried out without an error. */
export function appliedResult(task: SyncTask, message: string, images: string[]): ResourceResult {
  const shown = images.length > 0 ? { images } : {};
  return resultOf(task, { status: 'Synced', message, hookPhase: 'Running', ...shown });
}
