import type { Clock } from '#base/clock.ts';
import { AppError, isAppError, messageOf } from '#base/errors.ts';
import { type ApiResource, type KubeClient, type KubeObject, kindOf } from '#kube/port.ts';
import { annotations, fieldManager, finalizers } from '#model/argocd/names.ts';
import { clientSideApply, hasDuplicateKeys } from './client-side-apply.ts';
import { displayName } from './identity.ts';
import { migrateFields } from './migrate-fields.ts';
import type { SyncTask } from './task.ts';
import type { TypeKnowledge } from './type-knowledge.ts';
import { dropFields, unknownFields } from './unknown-fields.ts';

export interface WriteDeps {
  kube: KubeClient;
  clock: Clock;
  types?: TypeKnowledge | undefined;
}

export interface WriteOptions {
  dryRun: boolean;
  /** Whose client-side applies are taken over, instead of kubectl's. */
  migrateFrom?: string | undefined;
}

/** How long a deleted object may take to go before it is created anew. */
const goneWithinMs = 30_000;
const pollMs = 50;
const finalizerTries = 5;

export async function resourceFor(kube: KubeClient, object: KubeObject, signal: AbortSignal): Promise<ApiResource> {
  const kind = kindOf(object);
  const resource = await kube.discovery.find(kind, signal);
  if (resource) return resource;
  throw new AppError('not-found', `the cluster does not serve kind ${kind.kind} of ${object.apiVersion}`, {
    hint: `install the CustomResourceDefinition of ${kind.kind}, or correct apiVersion and kind in Git`,
  });
}

/** What `Replace=true` does: the whole object as it is in Git, whoever owned its fields. */
export async function replaceOrCreate(
  deps: WriteDeps,
  object: KubeObject,
  options: WriteOptions,
  signal: AbortSignal,
): Promise<KubeObject> {
  const write = { fieldManager, dryRun: options.dryRun };
  const resource = await resourceFor(deps.kube, object, signal);
  const current = await deps.kube.get(resource, object.metadata, signal);
  if (!current) return await deps.kube.create(object, write, signal);
  const metadata = { ...object.metadata, resourceVersion: current.metadata.resourceVersion ?? '' };
  return await deps.kube.replace({ ...object, metadata }, write, signal);
}

async function untilGone(deps: WriteDeps, resource: ApiResource, live: KubeObject, signal: AbortSignal): Promise<void> {
  const deadline = deps.clock.now() + goneWithinMs;
  for (;;) {
    const current = await deps.kube.get(resource, live.metadata, signal);
    if (!current || current.metadata.uid !== live.metadata.uid) return;
    if (deps.clock.now() >= deadline) {
      const held = current.metadata.finalizers ?? [];
      const by = held.length > 0 ? `: finalizers ${held.join(', ')} hold it` : '';
      throw new AppError('limit', `${live.kind} ${live.metadata.name} was to be created anew and is still there${by}`);
    }
    await deps.clock.sleep(pollMs, signal);
  }
}

async function deleteLive(
  deps: WriteDeps,
  live: KubeObject,
  propagationPolicy: 'Foreground' | 'Background' | 'Orphan',
  signal: AbortSignal,
): Promise<ApiResource> {
  const resource = await resourceFor(deps.kube, live, signal);
  const { uid } = live.metadata;
  const options = { propagationPolicy, preconditions: uid ? { uid } : {} };
  try {
    await deps.kube.delete(resource, live.metadata, options, signal);
  } catch (error) {
    if (!isAppError(error, 'conflict')) throw error;
    const current = await deps.kube.get(resource, live.metadata, signal);
    // Only where another object of this name took its place, the one we meant is gone.
    if (current?.metadata.uid === uid) throw error;
  }
  return resource;
}

/** Deletes and creates, having waited until the old object is gone. */
export async function recreate(
  deps: WriteDeps,
  live: KubeObject,
  object: KubeObject,
  options: WriteOptions,
  signal: AbortSignal,
): Promise<KubeObject> {
  if (!options.dryRun) {
    const resource = await deleteLive(deps, live, 'Background', signal);
    await untilGone(deps, resource, live, signal);
  }
  return await deps.kube.apply(object, { fieldManager, dryRun: options.dryRun, force: true }, signal);
}

/** The change is one that the object cannot take, such as an immutable field. A conflict passes, and is tried again. */
function needsForce(error: unknown): boolean {
  return isAppError(error, 'bad-input') && messageOf(error).includes(' is invalid: ');
}

async function applyOrDrop(
  deps: WriteDeps,
  task: SyncTask,
  object: KubeObject,
  options: WriteOptions,
  signal: AbortSignal,
): Promise<KubeObject> {
  const apply = { fieldManager, dryRun: options.dryRun, force: true };
  try {
    return await deps.kube.apply(object, apply, signal);
  } catch (error) {
    if (hasDuplicateKeys(messageOf(error))) {
      const resource = await resourceFor(deps.kube, object, signal);
      const input = { resource, object, dryRun: options.dryRun };
      return await clientSideApply({ kube: deps.kube, types: deps.types }, input, signal);
    }
    const unknown = task.options.validate ? [] : unknownFields(messageOf(error));
    if (unknown.length === 0) throw error;
    return await deps.kube.apply(dropFields(object, unknown), apply, signal);
  }
}

/**
 * Server-side apply with everything the task's options ask for: fields of an earlier client-side apply are taken over,
 * unknown fields are dropped with `Validate=false`, and with `Force=true` what cannot be changed is created anew.
 */
export async function applyObject(
  deps: WriteDeps,
  task: SyncTask,
  object: KubeObject,
  options: WriteOptions,
  signal: AbortSignal,
): Promise<KubeObject> {
  const { live } = task;
  const mayHaveOld = live?.metadata.annotations?.[annotations.lastApplied] !== undefined || options.migrateFrom;
  if (live && mayHaveOld && task.options.clientSideApplyMigration && !options.dryRun)
    await migrateFields(deps.kube, { live, manager: options.migrateFrom }, signal);
  try {
    return await applyOrDrop(deps, task, object, options, signal);
  } catch (error) {
    if (!live || !task.options.force || !needsForce(error)) throw error;
    return await recreate(deps, live, object, options, signal);
  }
}

/** Takes the hook finalizer away, whatever else changes the object meanwhile; one that is gone is fine. */
export async function releaseHook(deps: WriteDeps, live: KubeObject, signal: AbortSignal): Promise<void> {
  const resource = await resourceFor(deps.kube, live, signal);
  let current: KubeObject | undefined = live;
  for (let tries = 1; current?.metadata.uid === live.metadata.uid; tries += 1) {
    const held: string[] = current?.metadata.finalizers ?? [];
    if (!current || !held.includes(finalizers.hook)) return;
    const left = held.filter((name) => name !== finalizers.hook);
    const metadata = { resourceVersion: current.metadata.resourceVersion, finalizers: left.length > 0 ? left : null };
    try {
      await deps.kube.patch(resource, live.metadata, { type: 'merge', body: { metadata } }, { fieldManager }, signal);
      return;
    } catch (error) {
      if (isAppError(error, 'not-found')) return;
      if (!isAppError(error, 'conflict') || tries >= finalizerTries) throw error;
      current = await deps.kube.get(resource, live.metadata, signal);
    }
  }
}

/** Deletes what is live of a task, unless it is going already. A hook is let go of first. */
export async function removeObject(deps: WriteDeps, task: SyncTask, signal: AbortSignal): Promise<void> {
  const { live } = task;
  if (!live) return;
  if (task.hook) await releaseHook(deps, live, signal);
  if (live.metadata.deletionTimestamp !== undefined) return;
  await deleteLive(deps, live, task.options.prunePropagationPolicy, signal);
}

/** `deployment.apps/web`, as kubectl names what it wrote. */
export function writtenName(task: SyncTask): string {
  const { group, kind, name } = task.key;
  return `${kind.toLowerCase()}${group === '' ? '' : `.${group}`}/${name}`;
}

export function nothingToApply(task: SyncTask): AppError {
  return new AppError('bad-input', `${displayName(task.key)} has nothing to apply`);
}
