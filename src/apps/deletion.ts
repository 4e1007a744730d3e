import { type Health, severity } from '#health/health.ts';
import type { KubeObject } from '#kube/port.ts';
import type { Application, HealthStatus } from '#model/argocd/application.ts';
import { annotations, finalizers } from '#model/argocd/names.ts';
import { parseSyncOptions } from '#model/argocd/sync-options.ts';
import { type DeletionHook, deletePoliciesOf, hookRoleOf, waveOf } from '#sync/hooks.ts';
import { displayName, objectKeyText, resourceKeyOf } from '#sync/identity.ts';

export type DeletionStep =
  /** Nothing of ours holds the object back. */
  | { kind: 'none' }
  | { kind: 'create-hooks'; objects: KubeObject[]; message: string }
  | { kind: 'delete'; objects: KubeObject[]; propagation: 'Foreground' | 'Background'; message: string }
  /** `objects` are those that are waited for. */
  | { kind: 'wait'; objects: KubeObject[]; message: string }
  /** Hooks that failed: they go, so that the next try makes them anew, and the deletion waits. */
  | { kind: 'failed-hooks'; objects: KubeObject[]; message: string }
  | { kind: 'release'; finalizers: string[] };

export interface DeletionInput {
  application: Application;
  /** Live objects that say they are the application's; undefined when its cluster is not known any more. */
  tracked: readonly KubeObject[] | undefined;
  /** The hooks of the deletion, as Git has them. */
  hooks: Readonly<Record<DeletionHook, readonly KubeObject[]>>;
  healthOf: (object: KubeObject) => Health | undefined;
}

const cleanup = 'cleanup';
const finalizerOf: Record<DeletionHook, string> = {
  PreDelete: finalizers.preDelete,
  PostDelete: finalizers.postDelete,
};

function isCascade(finalizer: string): boolean {
  return cascadeOf(finalizer) !== undefined;
}

function cascadeOf(finalizer: string): 'Foreground' | 'Background' | undefined {
  const [resources] = finalizers.foreground;
  if (finalizer === finalizers.background || finalizer === `${resources}/background`) return 'Background';
  const foreground = finalizers.foreground.some((name) => finalizer === name || finalizer === `${name}/foreground`);
  return foreground ? 'Foreground' : undefined;
}

function isOurs(finalizer: string): boolean {
  return (
    isCascade(finalizer) ||
    Object.values(finalizerOf).some((name) => finalizer === name || finalizer.startsWith(`${name}/`))
  );
}

/**
 * The finalizers of an application whose manifests do or do not have hooks of the deletion; undefined when it has the
 * right ones.
 */
export function hookFinalizers(application: Application, has: Record<DeletionHook, boolean>): string[] | undefined {
  const now = application.metadata.finalizers ?? [];
  let next = now;
  for (const hook of ['PreDelete', 'PostDelete'] as const) {
    const own = [finalizerOf[hook], `${finalizerOf[hook]}/${cleanup}`];
    if (has[hook]) next = [...next, ...own.filter((name) => !next.includes(name))];
    else next = next.filter((name) => !own.includes(name));
  }
  return next.length === now.length && next.every((name, at) => name === now[at]) ? undefined : next;
}

/** What an application needs its manifests for when it is deleted. */
export function needsHooks(application: Application): boolean {
  const held = application.metadata.finalizers ?? [];
  return Object.values(finalizerOf).some((name) => held.includes(name));
}

export function isDeletionHook(object: KubeObject, hook: DeletionHook): boolean {
  const role = hookRoleOf(object);
  return role.kind === 'hook' && role.types.includes(hook);
}

function approved(application: Application): boolean {
  const at = Date.parse(application.metadata.annotations?.[annotations.deletionApproved] ?? '');
  return !Number.isNaN(at) && at >= Date.parse(application.metadata.deletionTimestamp ?? '');
}

function deleteOption(application: Application, object: KubeObject): 'true' | 'false' | 'confirm' {
  const notes = object.metadata.annotations ?? {};
  return parseSyncOptions(application.spec.syncPolicy?.syncOptions ?? [], notes[annotations.syncOptions]).delete;
}

function isKept(application: Application, object: KubeObject): boolean {
  const { name, namespace } = application.metadata;
  const itself =
    object.kind === 'Application' && object.metadata.name === name && object.metadata.namespace === namespace;
  const policies = (object.metadata.annotations?.[annotations.helmResourcePolicy] ?? '').split(',');
  return (
    itself ||
    object.kind === 'CustomResourceDefinition' ||
    deleteOption(application, object) === 'false' ||
    policies.some((policy) => policy.trim() === 'keep')
  );
}

function named(objects: readonly KubeObject[]): string {
  const [first] = objects;
  if (!first) return '';
  const more = objects.length > 1 ? ` and ${objects.length - 1} more` : '';
  return `${displayName(resourceKeyOf(first))}${more}`;
}

function waitFor(objects: KubeObject[]): DeletionStep {
  return { kind: 'wait', objects, message: `waiting for deletion of ${named(objects)}` };
}

/** Runs the hooks of one end of the deletion; undefined when they are complete. */
function planHooks(input: DeletionInput, tracked: readonly KubeObject[], hook: DeletionHook): DeletionStep | undefined {
  const running = tracked.filter((object) => isDeletionHook(object, hook));
  const known = new Set(running.map(objectKeyText));
  const absent = input.hooks[hook].filter((object) => !known.has(objectKeyText(object)));
  if (absent.length > 0)
    return { kind: 'create-hooks', objects: absent, message: `running ${hook} hook ${named(absent)}` };
  const inState = (...states: HealthStatus[]) =>
    running.filter((object) => states.includes(input.healthOf(object)?.status ?? 'Healthy'));
  const failed = inState('Degraded');
  if (failed.length > 0) {
    const names = failed.map(({ metadata: { namespace = '', name } }) => `${namespace}/${name}`);
    return { kind: 'failed-hooks', objects: failed, message: `${hook} hook(s) failed: ${names.join(', ')}` };
  }
  const busy = inState('Progressing');
  if (busy.length === 0) return undefined;
  return { kind: 'wait', objects: busy, message: `waiting for completion of ${hook} hook ${named(busy)}` };
}

/** Takes away the hooks of one end whose policy asks for it; undefined when none is left to take away. */
function planCleanup(
  input: DeletionInput,
  tracked: readonly KubeObject[],
  hook: DeletionHook,
): DeletionStep | undefined {
  const hooks = tracked.filter((object) => isDeletionHook(object, hook));
  const worst = Math.max(0, ...hooks.map((object) => severity.indexOf(input.healthOf(object)?.status ?? 'Healthy')));
  const policy = { Healthy: 'HookSucceeded', Degraded: 'HookFailed' }[severity[worst] as string];
  const objects = hooks.filter((object) => deletePoliciesOf(object).some((own) => own === policy));
  if (objects.length === 0) return undefined;
  const left = objects.filter((object) => object.metadata.deletionTimestamp === undefined);
  if (left.length === 0) return waitFor(objects);
  return { kind: 'delete', objects: left, propagation: 'Background', message: `deleting ${hook} hook ${named(left)}` };
}

/** Deletes what is managed, the highest wave first; undefined when all is gone. */
function planCascade(
  application: Application,
  tracked: readonly KubeObject[],
  propagation: 'Foreground' | 'Background',
): DeletionStep | undefined {
  const objects = tracked.filter((object) => !isKept(application, object));
  const going = objects.filter((object) => object.metadata.deletionTimestamp !== undefined);
  if (going.length > 0) return waitFor(going);
  const confirm = objects.filter((object) => deleteOption(application, object) === 'confirm');
  if (confirm.length > 0 && !approved(application))
    return {
      kind: 'wait',
      objects: [],
      message: `waiting for confirmation to delete ${named(confirm)}: set ${annotations.deletionApproved} on the application`,
    };
  if (objects.length === 0) return undefined;
  const highest = Math.max(...objects.map(waveOf));
  const wave = objects.filter((object) => waveOf(object) === highest);
  return { kind: 'delete', objects: wave, propagation, message: `deleting ${named(wave)}` };
}

/**
 * The next step of deleting an application: its PreDelete hooks, what it manages from the highest wave down, its
 * PostDelete hooks, what is left of both by their policies, and then the object itself. Each stage has a finalizer.
 */
export function planDeletion(input: DeletionInput): DeletionStep {
  const { application } = input;
  const held = application.metadata.finalizers ?? [];
  if (!held.some(isOurs)) return { kind: 'none' };
  if (!input.tracked) return { kind: 'release', finalizers: held.filter((name) => !isOurs(name)) };
  const tracked = input.tracked.filter((object) => (object.metadata.ownerReferences ?? []).length === 0);
  const without = (gone: (name: string) => boolean): DeletionStep => ({
    kind: 'release',
    finalizers: held.filter((name) => !gone(name)),
  });
  if (held.includes(finalizers.preDelete))
    return planHooks(input, tracked, 'PreDelete') ?? without((name) => name === finalizers.preDelete);
  const cascading = held.find(isCascade);
  if (cascading) return planCascade(application, tracked, cascadeOf(cascading) ?? 'Foreground') ?? without(isCascade);
  if (held.includes(finalizers.postDelete))
    return planHooks(input, tracked, 'PostDelete') ?? without((name) => name === finalizers.postDelete);
  for (const hook of ['PreDelete', 'PostDelete'] as const) {
    const own = `${finalizerOf[hook]}/${cleanup}`;
    if (held.includes(own)) return planCleanup(input, tracked, hook) ?? without((name) => name === own);
  }
  return without(isOurs);
}

/** How long an object may take to go before the application says what holds it. */
const patienceMs = 60_000;

/** What holds up a deletion that takes long, naming the finalizers; undefined while there is hope. */
export function stuckDeletion(objects: readonly KubeObject[], now: number): string | undefined {
  const stuck = objects.filter(({ metadata: { deletionTimestamp } }) => {
    const since = Date.parse(deletionTimestamp ?? '');
    return !Number.isNaN(since) && now - since >= patienceMs;
  });
  if (stuck.length === 0) return undefined;
  const shown = stuck.slice(0, 3).map((object) => {
    const { namespace, finalizers: held = [], deletionTimestamp } = object.metadata;
    const by =
      held.length > 0 ? `held by ${held.join(', ')}` : 'without a finalizer, its node or controller has to end it';
    return `${displayName(resourceKeyOf(object))}${namespace ? ` in ${namespace}` : ''} (since ${deletionTimestamp}, ${by})`;
  });
  const more = stuck.length > 3 ? ` and ${stuck.length - 3} more` : '';
  return `objects of the application do not go away: ${shown.join('; ')}${more}`;
}
