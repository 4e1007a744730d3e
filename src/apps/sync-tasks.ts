import { globMatch } from '#base/glob.ts';
import type { Assess } from '#health/assess.ts';
import { type KubeObject, kindOf } from '#kube/port.ts';
import type { Application, Operation, SyncOperation } from '#model/argocd/application.ts';
import { annotations } from '#model/argocd/names.ts';
import { parseSyncOptions } from '#model/argocd/sync-options.ts';
import { deletePoliciesOf, type HookType, hookRoleOf, isSyncPhase, waveOf } from '#sync/hooks.ts';
import { resourceKeyOf } from '#sync/identity.ts';
import { orderTasks, withPruneWaves } from '#sync/order.ts';
import { respectIgnored } from '#sync/respect-ignored.ts';
import type { SyncTask } from '#sync/task.ts';
import type { ComparedResource } from './comparison.ts';
import type { LiveState } from './live-state.ts';

export interface SyncTasksInput {
  application: Application;
  operation: Operation;
  resources: readonly ComparedResource[];
  hooks: readonly KubeObject[];
  live: Pick<LiveState, 'get'>;
  assess: Assess;
  /** The commit that is synced, for the names of hooks with generateName. */
  revision: string;
  startedAtMs: number;
  /** The destination namespace, when this sync has to create or label it. */
  namespace: KubeObject | undefined;
}

/** Whether a selective sync names the object; all are named by none. */
export function isSelected(selection: SyncOperation['resources'], key: ComparedResource['key']): boolean {
  if (!selection || selection.length === 0) return true;
  return selection.some(
    (entry) =>
      globMatch(entry.group ?? '', key.group) &&
      globMatch(entry.kind, key.kind) &&
      globMatch(entry.name, key.name) &&
      (entry.namespace === undefined || entry.namespace === '' || entry.namespace === key.namespace),
  );
}

export function appSyncOptions(application: Application, operation: Operation): string[] {
  return operation.sync?.syncOptions ?? application.spec.syncPolicy?.syncOptions ?? [];
}

/** Hooks run in a complete sync with the default strategy only. */
export function runsHooks(operation: Operation): boolean {
  const { resources, syncStrategy } = operation.sync ?? {};
  return (resources?.length ?? 0) === 0 && (syncStrategy?.apply ?? undefined) === undefined;
}

function optionsFor(input: SyncTasksInput, target: KubeObject | undefined, live: KubeObject | undefined) {
  const app = appSyncOptions(input.application, input.operation);
  const own = parseSyncOptions(app, (target ?? live)?.metadata.annotations?.[annotations.syncOptions]);
  const ofLive = parseSyncOptions([], live?.metadata.annotations?.[annotations.syncOptions]);
  const strategy = input.operation.sync?.syncStrategy;
  const force = own.force || ofLive.force || strategy?.apply?.force === true || strategy?.hook?.force === true;
  return { ...own, force, replace: own.replace || ofLive.replace, pruneLast: own.pruneLast || ofLive.pruneLast };
}

/** The comparison has asked the server about what is there already. */
function foreseenOf({ live, status, difference }: ComparedResource): SyncTask['foreseen'] {
  if (!live) return undefined;
  if (difference?.rejected !== undefined) return { rejected: difference.rejected };
  return status === 'Synced' || difference?.predicted ? { rejected: undefined } : undefined;
}

function resourceTask(input: SyncTasksInput, resource: ComparedResource): SyncTask {
  const { live } = resource;
  const options = optionsFor(input, resource.desired?.object, live);
  let target = resource.desired?.object;
  if (target && live && resource.rules && options.respectIgnoreDifferences)
    target = respectIgnored(target, live, resource.rules, resource.difference?.owned);
  return {
    key: resource.key,
    version: resource.version,
    phase: 'Sync',
    wave: resource.wave,
    hook: false,
    deletePolicies: [],
    target,
    digest: resource.desired?.digest,
    live,
    health: live && input.assess(live),
    outOfSync: resource.status !== 'Synced',
    options,
    foreseen: foreseenOf(resource),
    agrees: agrees(resource) && !options.replace,
  };
}

/** In sync, with nothing in it that the comparison was told to look away from. */
function agrees({ live, desired, status, rules, difference }: ComparedResource): boolean {
  if (!live || !desired || live.metadata.deletionTimestamp !== undefined || status !== 'Synced') return false;
  if (difference?.rejected !== undefined) return false;
  if (!rules) return true;
  // The status of an object is looked away from by default, and manifests seldom have one.
  const pointers = rules.jsonPointers.filter((pointer) => pointer !== '/status' || 'status' in desired.object);
  return pointers.length + rules.jq.length + rules.managers.length === 0;
}

/** A hook under the name that it has in one operation, where it asks for a generated one. */
export function namedHook(
  hook: KubeObject,
  type: HookType,
  run: { revision: string; startedAtMs: number },
): KubeObject {
  if (hook.metadata.name) return hook;
  const revision = run.revision.length >= 8 ? run.revision.slice(0, 7) : run.revision;
  const suffix = `${revision}-${type}-${Math.floor(run.startedAtMs / 1000)}`.toLowerCase();
  const { generateName, ...metadata } = hook.metadata;
  const name = `${String(generateName ?? '')}${suffix}`;
  const notes = { ...metadata.annotations };
  const id = notes[annotations.trackingId];
  if (id !== undefined) notes[annotations.trackingId] = id.replace(/\/[^/]*$/, `/${name}`);
  return { ...hook, metadata: { ...metadata, name, annotations: notes } };
}

function hookTasks(input: SyncTasksInput, hook: KubeObject): SyncTask[] {
  const role = hookRoleOf(hook);
  if (role.kind !== 'hook') return [];
  return role.types.filter(isSyncPhase).flatMap((type): SyncTask[] => {
    const target = namedHook(hook, type, input);
    const live = input.live.get(kindOf(target), target.metadata);
    return [
      {
        key: resourceKeyOf(target),
        version: kindOf(target).version,
        phase: type,
        wave: waveOf(target),
        hook: true,
        deletePolicies: deletePoliciesOf(target),
        target,
        live,
        health: live && input.assess(live),
        outOfSync: true,
        options: optionsFor(input, target, live),
      },
    ];
  });
}

function namespaceTask(input: SyncTasksInput, namespace: KubeObject): SyncTask {
  const live = input.live.get(kindOf(namespace), namespace.metadata);
  return {
    key: resourceKeyOf(namespace),
    version: 'v1',
    phase: 'PreSync',
    wave: waveOf(namespace),
    hook: false,
    deletePolicies: [],
    target: namespace,
    live,
    health: undefined,
    outOfSync: true,
    options: { ...optionsFor(input, namespace, live), replace: false, force: false },
  };
}

/** The tasks of an operation, in the order in which they run. */
export function buildSyncTasks(input: SyncTasksInput): SyncTask[] {
  const { operation, resources } = input;
  const selected = resources.filter(
    ({ hook, desired, requiresPruning, key }) =>
      !hook && (desired !== undefined || requiresPruning) && isSelected(operation.sync?.resources, key),
  );
  const tasks = selected.map((resource) => resourceTask(input, resource));
  if (runsHooks(operation)) for (const hook of input.hooks) tasks.push(...hookTasks(input, hook));
  if (input.namespace) tasks.push(namespaceTask(input, input.namespace));
  const pruneLast = appSyncOptions(input.application, operation).includes('PruneLast=true');
  return orderTasks(withPruneWaves(tasks, pruneLast));
}
