import type { OperationPhase, ResourceResult } from '#model/argocd/application.ts';
import { annotations, finalizers } from '#model/argocd/names.ts';
import { isPrune, resultOf, type SyncResults, type SyncTask, taskId } from './task.ts';
import { confirmationMessage, deletionMessage, missingMessage, waitMessage } from './wait-message.ts';

export type SyncAction =
  | { kind: 'apply'; task: SyncTask }
  | { kind: 'replace'; task: SyncTask }
  /** Deleted first, also when a replacement would do. */
  | { kind: 'recreate'; task: SyncTask }
  | { kind: 'prune'; task: SyncTask }
  | { kind: 'skip-prune'; task: SyncTask; message: string }
  /** Takes away what keeps a hook until it was seen to be complete. */
  | { kind: 'release-hook'; task: SyncTask }
  | { kind: 'delete-hook'; task: SyncTask };

/** The next step of a sync: at most one wave. */
export type SyncStep =
  | { kind: 'wait'; for: 'running' | 'deletion' | 'confirmation'; message: string; tasks: SyncTask[] }
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
  /** Objects (by uid) whose deletion was requested, for the time until the watch tells of it. */
  deleted?: ReadonlySet<string>;
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
  if (!task.live) return { ...result, status: 'SyncFailed', hookPhase: 'Error', message: missingMessage(task) };
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
      return task.hook ? next('Failed') : result;
    case 'Progressing':
    case 'Suspended':
    case 'Missing':
      return task.hook ? next('Running') : result;
  }
}

function isHeld(task: SyncTask): boolean {
  return task.live?.metadata.finalizers?.includes(finalizers.hook) === true;
}

function completedHooks(tasks: readonly SyncTask[], results: SyncResults): SyncTask[] {
  return tasks.filter((task) => {
    const result = results.get(taskId(task));
    return task.hook && task.live !== undefined && result?.hookPhase !== undefined && !running(result);
  });
}

/** What becomes of completed hooks at the end: those with the policy go, the others are let go of. */
function hookCleanup(
  tasks: readonly SyncTask[],
  results: SyncResults,
  policy: 'HookSucceeded' | 'HookFailed',
): SyncAction[] {
  return completedHooks(tasks, results).flatMap((task): SyncAction[] => {
    if (task.deletePolicies.includes(policy)) return [{ kind: 'delete-hook', task }];
    return isHeld(task) ? [{ kind: 'release-hook', task }] : [];
  });
}

function applyAction(task: SyncTask): SyncAction {
  const { replace, force } = task.options;
  if (!replace) return { kind: 'apply', task };
  // Recreating these would take everything in them along.
  const holdsOthers = task.key.kind === 'Namespace' || task.key.kind === 'CustomResourceDefinition';
  return { kind: force && task.live && !holdsOthers ? 'recreate' : 'replace', task };
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
    if (task.key.kind !== kind) groups.push([]);
    groups[groups.length - 1]?.push(applyAction(task));
    kind = task.key.kind;
  }
  return groups;
}

/** The removal of leftovers, or the applies that follow it. */
function planApplies(targets: readonly SyncTask[], before: SyncAction[], operationId: string): SyncStep {
  const stale = targets.filter((task) => isStaleHook(task, operationId));
  const going = stale.filter((task) => task.live?.metadata.deletionTimestamp !== undefined && !isHeld(task));
  if (stale.length > 0 && stale.length === going.length && before.length === 0)
    return { kind: 'wait', for: 'deletion', message: deletionMessage(stale), tasks: stale };
  const act = (groups: SyncAction[][], message: string): SyncStep => ({
    kind: 'act',
    groups: groups.filter((group) => group.length > 0),
    message,
    finishWhenDone: false,
    cleanup: [],
  });
  if (stale.length === 0) return act([before, ...kindGroups(targets)], 'one or more tasks are running');
  const deletions = stale
    .filter((task) => !going.includes(task))
    .map((task): SyncAction => ({ kind: 'delete-hook', task }));
  return act([before, deletions], deletionMessage(stale));
}

function reasonsOf(what: string, failed: readonly ResourceResult[]): string {
  const messages = failed.flatMap((result) => (result.message ? [result.message] : []));
  const distinct = [...new Set(messages)].sort();
  const more = distinct.length > 5 ? ` and ${distinct.length - 5} more` : '';
  return distinct.length === 0 ? what : `${what}, reason: ${distinct.slice(0, 5).join(',')}${more}`;
}

function failureMessage(tasks: readonly SyncTask[], results: SyncResults): string {
  const failed = tasks.flatMap((task) => results.get(taskId(task)) ?? []).filter(unsuccessful);
  const refused = failed.filter((result) => result.status === 'SyncFailed' && result.hookPhase !== 'Error');
  return refused.length > 0
    ? reasonsOf('one or more objects failed to apply', refused)
    : reasonsOf('one or more synchronization tasks completed unsuccessfully', failed);
}

function planFailure(input: SyncPlanInput, results: SyncResults): SyncStep {
  const rest = input.tasks.filter((task) => task.phase !== 'SyncFail');
  const failHooks = input.tasks.filter((task) => task.phase === 'SyncFail');
  const message = failureMessage(rest, results);
  const pending = failHooks.filter((task) => results.get(taskId(task)) === undefined);
  if (pending.length > 0) {
    const step = planApplies(pending, [], input.operationId);
    return step.kind === 'act' ? { ...step, cleanup: hookCleanup(rest, results, 'HookFailed') } : step;
  }
  const failing = failHooks.filter((task) => running(results.get(taskId(task))));
  if (failing.length > 0) return { kind: 'wait', for: 'running', message: waitMessage(failing), tasks: failing };
  const worse = failHooks.flatMap((task) => results.get(taskId(task)) ?? []).filter(unsuccessful);
  const all = worse.length > 0 ? `${message}\n${reasonsOf('one or more SyncFail hooks failed', worse)}` : message;
  return { kind: 'finish', phase: 'Failed', message: all, cleanup: hookCleanup(input.tasks, results, 'HookFailed') };
}

function planWave(pending: readonly SyncTask[], input: SyncPlanInput, results: SyncResults): SyncStep {
  const first = pending[0];
  const inWave = pending.filter((task) => task.phase === first?.phase && task.wave === first.wave);
  const isLast = inWave.length === pending.length && !inWave.some((task) => task.hook);
  const { actions: prunes, waitFor } = planPrunes(inWave, input);
  if (waitFor.length > 0)
    return { kind: 'wait', for: 'confirmation', message: confirmationMessage(waitFor), tasks: waitFor };
  const targets = inWave.filter((task) => !isPrune(task));
  const step = planApplies(targets, prunes, input.operationId);
  if (step.kind !== 'act' || step.groups.flat().some(({ kind }) => kind === 'delete-hook')) return step;
  return { ...step, finishWhenDone: isLast, cleanup: isLast ? hookCleanup(input.tasks, results, 'HookSucceeded') : [] };
}

function isTerminating(task: SyncTask, input: SyncPlanInput): boolean {
  const { deletionTimestamp, uid } = task.live?.metadata ?? {};
  return deletionTimestamp !== undefined || (uid !== undefined && input.deleted?.has(uid) === true);
}

/** Tasks that wait for their turn; with ApplyOutOfSyncOnly what agrees already is none. */
export function pendingTasks(input: Pick<SyncPlanInput, 'tasks' | 'applyOutOfSyncOnly'>, results: SyncResults) {
  return input.tasks.filter((task) => {
    if (task.phase === 'SyncFail' || results.get(taskId(task)) !== undefined) return false;
    return !(input.applyOutOfSyncOnly && !task.hook && !isPrune(task) && !task.outOfSync);
  });
}

/**
 * Decides the next step of a sync from what was done so far and what is live now. Pure: the same input gives the same
 * step, and a step that was carried out gives another one.
 */
export function planSync(input: SyncPlanInput): SyncPlan {
  const results = new Map(input.results);
  const [first] = input.tasks;
  const multiStep = input.tasks.some((task) => task.phase !== first?.phase || task.wave !== first.wave);
  for (const task of input.tasks) {
    const result = results.get(taskId(task));
    const matters = multiStep || task.hook || task.live !== undefined;
    if (result && matters && running(result)) results.set(taskId(task), observe(task, result));
  }
  const tasks = input.tasks.filter((task) => task.phase !== 'SyncFail');
  const waiting = tasks.filter((task) => (multiStep || task.hook) && running(results.get(taskId(task))));
  if (waiting.length > 0)
    return { results, step: { kind: 'wait', for: 'running', message: waitMessage(waiting), tasks: waiting } };
  const going = tasks.filter(
    (task) => results.get(taskId(task))?.status === 'Pruned' && task.live !== undefined && isTerminating(task, input),
  );
  if (going.length > 0)
    return { results, step: { kind: 'wait', for: 'deletion', message: deletionMessage(going), tasks: going } };
  if (tasks.some((task) => unsuccessful(results.get(taskId(task)))))
    return { results, step: planFailure(input, results) };
  const pending = pendingTasks(input, results);
  if (pending.length === 0) {
    const cleanup = hookCleanup(tasks, results, 'HookSucceeded');
    return {
      results,
      step: { kind: 'finish', phase: 'Succeeded', message: 'successfully synced (no more tasks)', cleanup },
    };
  }
  return { results, step: planWave(pending, input, results) };
}

/**
 * What a termination does with the hooks of an operation: those that run go, those that have ended meanwhile are recorded
 * as they ended, and go or are let go of by their policies.
 */
export function planTermination(
  tasks: readonly SyncTask[],
  before: SyncResults,
): { results: Map<string, ResourceResult>; actions: SyncAction[] } {
  const results = new Map(before);
  const actions = tasks.flatMap((task): SyncAction[] => {
    const id = taskId(task);
    const result = results.get(id);
    if (!task.hook || !result) return [];
    const seen = running(result) && task.live ? observe(task, result) : result;
    const terminated = running(seen);
    results.set(id, terminated ? { ...seen, hookPhase: 'Failed', message: 'Terminated' } : seen);
    if (!task.live) return [];
    const goes = terminated || (running(result) && task.deletePolicies.includes('HookFailed'));
    if (goes) return [{ kind: 'delete-hook', task }];
    return isHeld(task) ? [{ kind: 'release-hook', task }] : [];
  });
  return { results, actions };
}

/** The result of a task that was carried out without an error. */
export function appliedResult(task: SyncTask, message: string, images: string[]): ResourceResult {
  const shown = images.length > 0 ? { images } : {};
  return resultOf(task, { status: 'Synced', message, hookPhase: 'Running', ...shown });
}
