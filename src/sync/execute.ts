import { unreachable } from '#base/assert.ts';
import type { Clock } from '#base/clock.ts';
import { isAppError, messageOf } from '#base/errors.ts';
import { isTransient } from '#base/retry.ts';
import type { KubeClient, KubeObject } from '#kube/port.ts';
import type { ResourceResult } from '#model/argocd/application.ts';
import { annotations, finalizers } from '#model/argocd/names.ts';
import { imagesOf } from './images.ts';
import { appliedResult, type SyncAction } from './plan.ts';
import { resultOf, type SyncTask } from './task.ts';
import type { TypeKnowledge } from './type-knowledge.ts';
import {
  applyObject,
  nothingToApply,
  recreate,
  releaseHook,
  removeObject,
  replaceOrCreate,
  writtenName,
} from './write-object.ts';

export interface ExecuteDeps {
  kube: KubeClient;
  clock: Clock;
  types: TypeKnowledge | undefined;
  /** Told of what the server answered, before any watch tells it. */
  written: (task: SyncTask, object: KubeObject) => void;
  /** Told of an object whose deletion was asked for. */
  deleted: (live: KubeObject) => void;
  /** Runs between a group and the next, e.g. to wait until new kinds are served. */
  between: (done: readonly SyncAction[]) => Promise<void>;
}

export interface ExecuteOptions {
  operationId: string;
  dryRun: boolean;
  migrateFrom?: string | undefined;
}

/** How many requests of one group run at once. */
const concurrency = 16;
/** How long a step goes on trying what failed for a reason that passes: a broken connection, a conflict, a busy server. */
const patienceMs = 8_000;
const firstRetryMs = 25;
const longestRetryMs = 1_000;

/** The object as it is sent: a hook carries the operation that made it, and stays until it was seen to be complete. */
function outgoing(task: SyncTask, target: KubeObject, operationId: string): KubeObject {
  if (!task.hook) return target;
  const notes = { ...target.metadata.annotations, [annotations.operation]: operationId };
  const held = [...new Set([...(target.metadata.finalizers ?? []), finalizers.hook])];
  return { ...target, metadata: { ...target.metadata, annotations: notes, finalizers: held } };
}

async function write(
  deps: ExecuteDeps,
  action: Extract<SyncAction, { kind: 'apply' | 'replace' | 'recreate' }>,
  options: ExecuteOptions,
  signal: AbortSignal,
): Promise<KubeObject> {
  const { task } = action;
  if (!task.target) throw nothingToApply(task);
  const object = outgoing(task, task.target, options.operationId);
  switch (action.kind) {
    case 'apply':
      return await applyObject(deps, task, object, options, signal);
    case 'replace':
      return await replaceOrCreate(deps, object, options, signal);
    case 'recreate':
      return task.live
        ? await recreate(deps, task.live, object, options, signal)
        : await replaceOrCreate(deps, object, options, signal);
    default:
      return unreachable(action);
  }
}

function verbOf(action: SyncAction, result: KubeObject): string {
  const { live } = action.task;
  if (!live) return 'created';
  if (result.metadata.resourceVersion === live.metadata.resourceVersion) return 'unchanged';
  return action.kind === 'apply' ? 'configured' : 'replaced';
}

function shown(task: SyncTask, message: string, options: ExecuteOptions): ResourceResult {
  const applied = appliedResult(task, message, imagesOf(task.target));
  return options.dryRun ? { ...applied, hookPhase: 'Succeeded' } : applied;
}

async function perform(
  deps: ExecuteDeps,
  action: SyncAction,
  options: ExecuteOptions,
  signal: AbortSignal,
): Promise<ResourceResult | undefined> {
  const { task } = action;
  const suffix = options.dryRun ? ' (dry run)' : '';
  switch (action.kind) {
    case 'skip-prune':
      return resultOf(task, { status: 'PruneSkipped', message: action.message, hookPhase: 'Succeeded' });
    case 'prune':
      if (!options.dryRun) await removeObject(deps, task, signal);
      if (task.live && !options.dryRun) deps.deleted(task.live);
      return resultOf(task, { status: 'Pruned', message: `pruned${suffix}`, hookPhase: 'Succeeded' });
    case 'release-hook':
      if (task.live && !options.dryRun) await releaseHook(deps, task.live, signal);
      return undefined;
    case 'delete-hook':
      if (!options.dryRun) await removeObject(deps, task, signal);
      return undefined;
    case 'apply':
    case 'replace':
    case 'recreate': {
      if (action.kind === 'apply' && task.agrees)
        return shown(task, `${writtenName(task)} unchanged${suffix}`, options);
      const result = await write(deps, action, options, signal);
      if (!options.dryRun) deps.written(task, result);
      return shown(task, `${writtenName(task)} ${verbOf(action, result)}${suffix}`, options);
    }
    default:
      return unreachable(action);
  }
}

function failure(action: SyncAction, error: unknown): ResourceResult {
  const hint = isAppError(error) && error.hint !== undefined ? ` (${error.hint})` : '';
  const message = `${messageOf(error)}${hint}`;
  if (action.kind === 'delete-hook' || action.kind === 'release-hook')
    return resultOf(action.task, { status: 'Synced', message, hookPhase: 'Error' });
  return resultOf(action.task, { status: 'SyncFailed', message, hookPhase: 'Failed' });
}

async function performAll(
  deps: ExecuteDeps,
  actions: readonly SyncAction[],
  options: ExecuteOptions & { until: number },
  signal: AbortSignal,
): Promise<ResourceResult[]> {
  const results = new Map<SyncAction, ResourceResult>();
  const attempt = async (action: SyncAction): Promise<void> => {
    for (let waitMs = firstRetryMs; ; waitMs = Math.min(longestRetryMs, waitMs * 2)) {
      try {
        const result = await perform(deps, action, options, signal);
        if (result) results.set(action, result);
        return;
      } catch (error) {
        if (signal.aborted) throw error;
        if (!isTransient(error) || deps.clock.now() >= options.until) {
          results.set(action, failure(action, error));
          return;
        }
        await deps.clock.sleep(waitMs, signal);
      }
    }
  };
  const queue = actions.slice();
  const worker = async (): Promise<void> => {
    for (let action = queue.shift(); action; action = queue.shift()) await attempt(action);
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, actions.length) }, worker));
  // In the order of the plan, whichever answered first: what is recorded is the same for the same sync.
  return actions.flatMap((action) => results.get(action) ?? []);
}

/**
 * Carries out the actions of one step, group after group. A failed prune or removal of a hook stops before anything is
 * applied; a failed apply lets the other groups go on. What fails for a passing reason is tried again for a while. Every
 * action is safe to repeat.
 */
export async function executeStep(
  deps: ExecuteDeps,
  groups: readonly SyncAction[][],
  options: ExecuteOptions,
  signal: AbortSignal,
): Promise<ResourceResult[]> {
  const results: ResourceResult[] = [];
  const until = deps.clock.now() + patienceMs;
  for (const group of groups) {
    const done = await performAll(deps, group, { ...options, until }, signal);
    results.push(...done);
    const applies = group.some(({ kind }) => kind === 'apply' || kind === 'replace' || kind === 'recreate');
    const failed = done.some(({ hookPhase }) => hookPhase === 'Failed' || hookPhase === 'Error');
    if (!applies && failed) break;
    await deps.between(group);
  }
  return results;
}
