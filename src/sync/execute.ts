import { unreachable } from '#base/assert.ts';
import { AppError, isAppError, messageOf } from '#base/errors.ts';
import { type ApiResource, type KubeClient, type KubeObject, kindOf } from '#kube/port.ts';
import type { ResourceResult } from '#model/argocd/application.ts';
import { annotations, fieldManager } from '#model/argocd/names.ts';
import { displayName } from './identity.ts';
import { imagesOf } from './images.ts';
import { migrateFields } from './migrate-fields.ts';
import { appliedResult, type SyncAction } from './plan.ts';
import { resultOf, type SyncTask } from './task.ts';

export interface ExecuteDeps {
  kube: KubeClient;
  /** Told of what the server answered, before any watch tells it. */
  written: (task: SyncTask, object: KubeObject) => void;
  /** Runs between a group and the next, e.g. to wait until new kinds are served. */
  between: (done: readonly SyncAction[]) => Promise<void>;
}

export interface ExecuteOptions {
  operationId: string;
  dryRun: boolean;
}

/** How many requests of one group run at once. */
const concurrency = 16;

async function resourceFor(kube: KubeClient, object: KubeObject, signal: AbortSignal): Promise<ApiResource> {
  const kind = kindOf(object);
  const resource = await kube.discovery.find(kind, signal);
  if (resource) return resource;
  throw new AppError('not-found', `the cluster does not serve kind ${kind.kind} of ${object.apiVersion}`, {
    hint: `install the CustomResourceDefinition of ${kind.kind}, or correct apiVersion and kind in Git`,
  });
}

/** The object as it is sent: a hook carries the operation that made it. */
function outgoing(task: SyncTask, target: KubeObject, operationId: string): KubeObject {
  if (!task.hook) return target;
  const notes = { ...target.metadata.annotations, [annotations.operation]: operationId };
  return { ...target, metadata: { ...target.metadata, annotations: notes } };
}

async function replaceOrCreate(
  deps: ExecuteDeps,
  object: KubeObject,
  options: ExecuteOptions,
  signal: AbortSignal,
): Promise<KubeObject> {
  const write = { fieldManager, dryRun: options.dryRun };
  const resource = await resourceFor(deps.kube, object, signal);
  const current = await deps.kube.get(resource, object.metadata, signal);
  if (!current) return await deps.kube.create(object, write, signal);
  const metadata = { ...object.metadata, resourceVersion: current.metadata.resourceVersion ?? '' };
  return await deps.kube.replace({ ...object, metadata }, write, signal);
}

async function recreate(
  deps: ExecuteDeps,
  task: SyncTask,
  object: KubeObject,
  options: ExecuteOptions,
  signal: AbortSignal,
): Promise<KubeObject> {
  const resource = await resourceFor(deps.kube, object, signal);
  const uid = task.live?.metadata.uid;
  if (!options.dryRun)
    await deps.kube.delete(
      resource,
      object.metadata,
      { propagationPolicy: 'Background', preconditions: uid ? { uid } : {} },
      signal,
    );
  return await deps.kube.apply(object, { fieldManager, dryRun: options.dryRun, force: true }, signal);
}

async function applyObject(
  deps: ExecuteDeps,
  task: SyncTask,
  object: KubeObject,
  options: ExecuteOptions,
  signal: AbortSignal,
): Promise<KubeObject> {
  const resource = await resourceFor(deps.kube, object, signal);
  if (task.live?.metadata.annotations?.[annotations.lastApplied] !== undefined && !options.dryRun)
    await migrateFields(deps.kube, resource, task.live, signal);
  return await deps.kube.apply(object, { fieldManager, dryRun: options.dryRun, force: true }, signal);
}

async function remove(deps: ExecuteDeps, task: SyncTask, options: ExecuteOptions, signal: AbortSignal): Promise<void> {
  const { live } = task;
  if (!live || options.dryRun) return;
  const resource = await resourceFor(deps.kube, live, signal);
  const uid = live.metadata.uid;
  const propagationPolicy = task.hook ? 'Background' : task.options.prunePropagationPolicy;
  try {
    await deps.kube.delete(resource, live.metadata, { propagationPolicy, preconditions: uid ? { uid } : {} }, signal);
  } catch (error) {
    // Another object of this name took its place: the one we meant is gone.
    if (!isAppError(error, 'conflict')) throw error;
  }
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
      return resultOf(task, { status: 'PruneSkipped', message: action.message });
    case 'prune':
      await remove(deps, task, options, signal);
      return resultOf(task, { status: 'Pruned', message: `pruned${suffix}` });
    case 'delete-hook':
      await remove(deps, task, options, signal);
      return undefined;
    case 'apply':
    case 'replace':
    case 'recreate': {
      if (!task.target) throw new AppError('bad-input', `${displayName(task.key)} has nothing to apply`);
      const object = outgoing(task, task.target, options.operationId);
      const result =
        action.kind === 'apply'
          ? await applyObject(deps, task, object, options, signal)
          : action.kind === 'replace'
            ? await replaceOrCreate(deps, object, options, signal)
            : await recreate(deps, task, object, options, signal);
      if (!options.dryRun) deps.written(task, result);
      const verb = !task.live
        ? 'created'
        : result.metadata.resourceVersion === task.live.metadata.resourceVersion
          ? 'unchanged'
          : 'configured';
      const applied = appliedResult(task, `${displayName(task.key)} ${verb}${suffix}`, imagesOf(task.target));
      return options.dryRun ? { ...applied, hookPhase: 'Succeeded' } : applied;
    }
    default:
      return unreachable(action);
  }
}

async function performAll(
  deps: ExecuteDeps,
  actions: readonly SyncAction[],
  options: ExecuteOptions,
  signal: AbortSignal,
): Promise<ResourceResult[]> {
  const results: ResourceResult[] = [];
  const queue = actions.slice();
  const worker = async (): Promise<void> => {
    for (let action = queue.shift(); action; action = queue.shift()) {
      try {
        const result = await perform(deps, action, options, signal);
        if (result) results.push(result);
      } catch (error) {
        if (signal.aborted) throw error;
        // A connection that broke says nothing about the object: the loop tries the step again.
        if (isAppError(error, 'unavailable') && !messageOf(error).includes('failed to create typed patch object'))
          throw error;
        const hint = isAppError(error) && error.hint !== undefined ? ` (${error.hint})` : '';
        results.push(
          resultOf(action.task, { status: 'SyncFailed', message: `${messageOf(error)}${hint}`, hookPhase: 'Failed' }),
        );
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, actions.length) }, worker));
  return results;
}

/**
 * Carries out the actions of one step, group after group. A failed prune stops before anything is applied; a failed apply
 * lets the other groups go on. Every action is safe to repeat. Throws when the cluster cannot be reached.
 */
export async function executeStep(
  deps: ExecuteDeps,
  groups: readonly SyncAction[][],
  options: ExecuteOptions,
  signal: AbortSignal,
): Promise<ResourceResult[]> {
  const results: ResourceResult[] = [];
  for (const group of groups) {
    const done = await performAll(deps, group, options, signal);
    results.push(...done);
    const pruneFailed =
      group.some((action) => action.kind === 'prune') && done.some((result) => result.status === 'SyncFailed');
    if (pruneFailed) break;
    await deps.between(group);
  }
  return results;
}
