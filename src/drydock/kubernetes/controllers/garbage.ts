import { jsonEqual } from '#base/json.ts';
import type { Outcome } from '#base/outcome.ts';
import { WorkQueue } from '#base/work-queue.ts';
import type { ApiChange, ApiObject, ApiOwnerReference, ApiServer, GroupResource } from '../api/port.ts';
import {
  foregroundFinalizer,
  type GarbageAction,
  type OwnerState,
  orphanFinalizer,
  planGarbage,
} from './garbage-plan.ts';
import { type ControllerDeps, deleteIfPresent, isConflict, isNotFound } from './loop.ts';

const manager = 'garbage-collector-controller';

type Served = ReturnType<ApiServer['resources']>[number];

/** Names look like `deployments.apps|namespace|name`. */
function parseName(key: string): { resource: GroupResource; namespace: string | undefined; name: string } {
  const [resource = '', namespace = '', name = ''] = key.split('|');
  return { resource, namespace: namespace === '' ? undefined : namespace, name };
}

/** Collects dependents of absent owners and carries out foreground and orphaning deletion, until disposed. */
export function startGarbageCollector(deps: ControllerDeps): AsyncDisposable {
  const { api, clock, logger } = deps;
  const kinds = new ServedKinds(api);
  const queue = new WorkQueue({
    name: 'garbage',
    clock,
    logger,
    concurrency: 8,
    tick: async (key) => {
      try {
        return await tick(deps, kinds, key);
      } catch (error) {
        if (isConflict(error)) return { kind: 'waiting', reason: 'Conflict', message: '', retryAfterMs: 5 };
        if (isNotFound(error)) return { kind: 'done' };
        throw error;
      }
    },
  });
  const add = (object: ApiObject): void => {
    const served = kinds.of(object);
    if (served) queue.add(`${served.resource}|${object.metadata.namespace ?? ''}|${object.metadata.name}`);
  };
  const look = (object: ApiObject): void => {
    if (concerns(object)) add(object);
  };
  const stop = api.onChange('*', (change: ApiChange) => {
    const { object } = change;
    if (change.type === 'MODIFIED' && change.old && sameTies(object, change.old)) return;
    look(object);
    // Dependents follow an owner that went or waits; a waiting owner follows a dependent that went.
    if (change.type === 'DELETED' || object.metadata.deletionTimestamp !== undefined)
      for (const dependent of api.ownedBy(object.metadata.uid ?? '')) add(dependent);
    for (const owner of [...(change.old?.metadata.ownerReferences ?? []), ...(object.metadata.ownerReferences ?? [])]) {
      const found = findOwner(api, kinds, object, owner);
      if (typeof found === 'object') look(found);
    }
  });
  for (const served of api.resources()) for (const object of api.list(served.resource)) look(object);
  return {
    async [Symbol.asyncDispose]() {
      stop();
      await queue[Symbol.asyncDispose]();
    },
  };
}

/** Nothing changed that collection reads: by far the most changes are to specs and statuses. */
function sameTies(object: ApiObject, old: ApiObject): boolean {
  const ties = ({ metadata }: ApiObject): unknown[] => [
    metadata.ownerReferences ?? [],
    metadata.finalizers ?? [],
    metadata.deletionTimestamp,
  ];
  return jsonEqual(ties(object), ties(old));
}

function concerns(object: ApiObject): boolean {
  const { ownerReferences, finalizers, deletionTimestamp } = object.metadata;
  if (deletionTimestamp === undefined) return (ownerReferences?.length ?? 0) > 0;
  return finalizers?.some((finalizer) => finalizer === foregroundFinalizer || finalizer === orphanFinalizer) ?? false;
}

/** Kinds to resources, read again when a kind is new. */
class ServedKinds {
  readonly #api: ApiServer;
  #byKind = new Map<string, Served>();

  constructor(api: ApiServer) {
    this.#api = api;
  }

  of(object: { apiVersion: string; kind: string }): Served | undefined {
    const slash = object.apiVersion.indexOf('/');
    const key = `${slash < 0 ? '' : object.apiVersion.slice(0, slash)}/${object.kind}`;
    const known = this.#byKind.get(key);
    if (known) return known;
    this.#byKind = new Map(this.#api.resources().map((served) => [`${served.gvk.group}/${served.gvk.kind}`, served]));
    return this.#byKind.get(key);
  }
}

function findOwner(
  api: ApiServer,
  kinds: ServedKinds,
  dependent: ApiObject,
  reference: ApiOwnerReference,
): ApiObject | 'absent' | 'unknown' {
  const served = kinds.of(reference);
  if (!served) return 'unknown';
  const { namespace } = dependent.metadata;
  // A cluster-scoped object cannot have a namespaced owner: nobody can say which one is meant.
  if (served.namespaced && namespace === undefined) return 'unknown';
  const owner = api.get(served.resource, served.namespaced ? namespace : undefined, reference.name);
  return owner && owner.metadata.uid === reference.uid ? owner : 'absent';
}

async function tick(deps: ControllerDeps, kinds: ServedKinds, key: string): Promise<Outcome> {
  const { api } = deps;
  const { resource, namespace, name } = parseName(key);
  const object = api.get(resource, namespace, name);
  if (!object) return { kind: 'done' };
  const states = (object.metadata.ownerReferences ?? []).map((reference): OwnerState => {
    const owner = findOwner(api, kinds, object, reference);
    if (typeof owner === 'string') return owner;
    const waits = owner.metadata.finalizers?.includes(foregroundFinalizer) ?? false;
    return owner.metadata.deletionTimestamp !== undefined && waits ? 'waiting' : 'solid';
  });
  let current = object;
  for (const action of planGarbage(object, states, api.ownedBy(object.metadata.uid ?? '')))
    current = await execute(deps, kinds, { resource, object: current, action });
  return { kind: 'done' };
}

async function execute(
  deps: ControllerDeps,
  kinds: ServedKinds,
  work: { resource: GroupResource; object: ApiObject; action: GarbageAction },
): Promise<ApiObject> {
  const { api } = deps;
  const { resource, object, action } = work;
  const { namespace, name, uid, resourceVersion } = object.metadata;
  const patchMeta = (metadata: object): Promise<ApiObject> =>
    api.mergePatch(resource, namespace, name, { metadata: { ...metadata, resourceVersion } }, { manager });
  switch (action.kind) {
    case 'delete':
      await deleteIfPresent(api, resource, object, { propagationPolicy: action.propagationPolicy });
      return object;
    case 'keep-owners':
      return patchMeta({ ownerReferences: action.owners });
    case 'delete-dependents':
      for (const dependent of action.dependents) {
        const served = kinds.of(dependent);
        const deeper = api.ownedBy(dependent.metadata.uid ?? '').length > 0;
        const propagationPolicy = deeper ? 'Foreground' : 'Background';
        if (served) await deleteIfPresent(api, served.resource, dependent, { propagationPolicy });
      }
      return object;
    case 'orphan-dependents':
      for (const dependent of action.dependents) {
        const served = kinds.of(dependent);
        const owners = (dependent.metadata.ownerReferences ?? []).filter((owner) => owner.uid !== uid);
        const meta = dependent.metadata;
        const patch = {
          metadata: { resourceVersion: meta.resourceVersion, ownerReferences: owners.length > 0 ? owners : null },
        };
        if (served) await api.mergePatch(served.resource, meta.namespace, meta.name, patch, { manager });
      }
      return object;
    case 'remove-finalizer': {
      const finalizers = (object.metadata.finalizers ?? []).filter((finalizer) => finalizer !== action.finalizer);
      return patchMeta({ finalizers: finalizers.length > 0 ? finalizers : null });
    }
  }
}
