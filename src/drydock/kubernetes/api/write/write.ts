import type { Clock, Entropy } from '#base/clock.ts';
import { timestamp } from '#base/clock.ts';
import { cloneJson, getObject, getPath } from '#base/json.ts';
import type { Authorizer } from '../../access/authorizer.ts';
import type { RoleIndex } from '../../access/role-index.ts';
import type { User } from '../../access/user.ts';
import { guardWrite } from '../../access/write-guard.ts';
import type { ApiObject, TypeRegistry } from '../port.ts';
import { alreadyExists, conflict, invalid, notFound } from '../protocol/status-error.ts';
import { ephemeralContainerErrors, withEphemeralContainers } from '../requests/ephemeral-containers.ts';
import type { Subresource } from '../resources.ts';
import { hasSubresource, objectKey, type ServedResource, type ServedResources } from '../served.ts';
import { type Store, WriteRace } from '../store/store.ts';
import type { StoredObject } from '../store/stored.ts';
import { admitCreate, admitUpdate, completeObject, type PodAdmission } from './admission.ts';
import { fromStorage, toStorage } from './conversion.ts';
import {
  advanceGeneration,
  carrySystemMetadata,
  generatedName,
  inUsualOrder,
  refuseNewFinalizers,
  requireUid,
} from './metadata.ts';
import { requireOpenNamespace } from './namespaces.ts';
import type { ServiceAddresses } from './service-addresses.ts';

export interface WriteDeps {
  clock: Clock;
  entropy: Entropy;
  types: TypeRegistry;
  store: Store;
  served: ServedResources;
  addresses: ServiceAddresses;
  podAdmission: PodAdmission;
  authorizer: Authorizer;
  roles: RoleIndex;
}

export interface WriteTarget {
  resource: ServedResource;
  namespace: string | undefined;
}

export interface WriteOptions {
  manager: string;
  dryRun: boolean;
  /** Who asks, for what depends on it; the server itself and its controllers when it is left out. */
  user?: User;
}

export interface CreateInput extends WriteTarget {
  /** Canonical; the function takes it over. */
  object: ApiObject;
  options: WriteOptions;
  /** Server-side apply has recorded its managedFields already. */
  managed?: boolean;
}

const raceTries = 8;

/** Creates, through namespace check, admission, defaults, validation and field ownership. Resolves when durable. */
export async function createObject(deps: WriteDeps, input: CreateInput): Promise<ApiObject> {
  const { resource, namespace, object, options } = input;
  const prefix = object.metadata.generateName ?? '';
  const generated = (object.metadata.name ?? '') === '' && prefix !== '';
  requireOpenNamespace(deps.store, resource, namespace, object.metadata.name ?? '');
  for (let tries = 1; ; tries += 1) {
    const candidate = cloneJson(object);
    if (generated) candidate.metadata.name = generatedName(prefix, deps.entropy.bytes(5));
    const name = candidate.metadata.name ?? '';
    const key = objectKey(resource, namespace, name);
    const taken = (): boolean => deps.store.get(resource.storage, key) !== undefined;
    if (generated && taken() && tries < raceTries) continue;
    const ready = await prepareCreate(deps, { ...input, object: candidate });
    try {
      if (taken()) throw alreadyExists(resource, name);
      requireOpenNamespace(deps.store, resource, namespace, name);
      if (options.dryRun) return withoutVersion(ready.object);
      const stored = deps.store.put({ storage: resource.storage, key }, toStorage(resource, ready.object), undefined);
      return fromStorage(resource, (await stored).object);
    } finally {
      ready.release();
    }
  }
}

async function prepareCreate(deps: WriteDeps, input: CreateInput): Promise<{ object: ApiObject; release: () => void }> {
  const { resource, namespace, object, options } = input;
  const now = timestamp(deps.clock.now());
  const { metadata } = object;
  if ((metadata.name ?? '') === '')
    throw invalid(resource, '', [
      {
        field: 'metadata.name',
        reason: 'FieldValueRequired',
        message: 'Required value: name or generateName is required',
      },
    ]);
  metadata.uid = deps.entropy.uuid();
  metadata.creationTimestamp = now;
  if (resource.namespaced && namespace !== undefined) metadata.namespace = namespace;
  else delete metadata.namespace;
  for (const name of ['resourceVersion', 'deletionTimestamp', 'deletionGracePeriodSeconds', 'selfLink'])
    delete metadata[name];
  if (resource.hasGeneration) metadata.generation = 1;
  else delete metadata.generation;
  if (hasSubresource(resource, 'status') && !statusIsWritable.has(resource.groupResource)) delete object['status'];
  resource.type.applyDefaults(object);
  completeObject(resource, object, undefined);
  guardWrite(deps, { user: options.user, resource, namespace, object, live: undefined, subresource: undefined, now });
  const owned =
    input.managed === true
      ? object
      : deps.types.fields.recordUpdate({
          type: resource.type,
          old: undefined,
          updated: object,
          manager: options.manager,
          now,
        });
  const release = await admitCreate(deps, { resource, object: owned, dryRun: options.dryRun });
  try {
    const errors = resource.type.validateCreate(owned);
    if (errors.length > 0) throw invalid(resource, metadata.name, errors);
    return { object: inUsualOrder(owned), release };
  } catch (error) {
    release();
    throw error;
  }
}

/** Kinds that keep a status given at creation. */
const statusIsWritable = new Set(['nodes']);

export interface UpdateInput extends WriteTarget {
  name: string;
  options: WriteOptions;
  subresource?: Subresource | undefined;
  /** Of the whole object that was sent: one of another uid is not its. */
  uid?: string | undefined;
  /** Builds the wanted object from the live one, or returns that when nothing changes; asked again when another write came between. May not keep its input. */
  produce: (live: ApiObject) => { object: ApiObject; managed: boolean };
}

export interface UpdateResult {
  object: ApiObject;
  /** This write took the last finalizer away. */
  deleted: boolean;
}

/** Changes an object: conflicts, admission, defaults, validation, ownership, generation; equal content is a no-op. */
export async function updateObject(deps: WriteDeps, input: UpdateInput): Promise<UpdateResult> {
  const { resource, namespace, name } = input;
  for (let tries = 1; ; tries += 1) {
    const stored = deps.store.get(resource.storage, objectKey(resource, namespace, name));
    if (!stored) throw notFound(resource, name);
    try {
      return await tryUpdate(deps, input, stored);
    } catch (error) {
      if (!(error instanceof WriteRace)) throw error;
      if (tries >= raceTries) throw conflict(resource, name);
    }
  }
}

async function tryUpdate(deps: WriteDeps, input: UpdateInput, stored: StoredObject): Promise<UpdateResult> {
  const { resource, namespace, name, options, subresource } = input;
  const now = timestamp(deps.clock.now());
  const live = fromStorage(resource, stored.object);
  requireUid(resource, input.uid, live);
  const produced = input.produce(live);
  const version = produced.object.metadata.resourceVersion;
  if (version !== undefined && version !== '' && version !== '0' && version !== live.metadata.resourceVersion)
    throw conflict(resource, name);
  if (produced.object === live && !endsDeletion(resource, live)) {
    await deps.store.settled(stored);
    return { object: live, deleted: false };
  }
  const wanted = partWritten(resource, cloneJson(produced.object), { live, subresource });
  carrySystemMetadata(resource, wanted, live);
  refuseNewFinalizers(resource, wanted, live);
  resource.type.applyDefaults(wanted, live);
  completeObject(resource, wanted, live);
  guardWrite(deps, { user: options.user, resource, namespace, object: wanted, live, subresource, now });
  const owned = produced.managed
    ? wanted
    : deps.types.fields.recordUpdate({
        type: resource.type,
        old: live,
        updated: wanted,
        manager: options.manager,
        subresource,
        now,
      });
  const release = await admitUpdate(deps, { resource, object: owned, live, dryRun: options.dryRun });
  try {
    // Nothing written through the status endpoint counts, not even an annotation of a Deployment.
    if (subresource !== 'status') advanceGeneration(resource, owned, live);
    // A binding sets the node of a pod, which nothing else may change.
    const errors = subresource === 'binding' ? [] : resource.type.validateUpdate(owned, live);
    if (subresource === 'ephemeralcontainers') errors.push(...ephemeralContainerErrors(owned, live));
    if (errors.length > 0) throw invalid(resource, name, errors);
    const ready = inUsualOrder({
      ...owned,
      metadata: { ...owned.metadata, resourceVersion: live.metadata.resourceVersion ?? '' },
    });
    const deleted = endsDeletion(resource, ready);
    if (!deleted && resource.type.sameContent(live, ready)) {
      await deps.store.settled(stored);
      return { object: live, deleted: false };
    }
    if (options.dryRun) return { object: ready, deleted };
    const inStorage = toStorage(resource, ready);
    const written = deleted
      ? await deps.store.remove(stored, inStorage)
      : await deps.store.put(stored, inStorage, stored);
    return { object: fromStorage(resource, written.object), deleted };
  } finally {
    release();
  }
}

/** The endpoint decides which part of the request counts: the main one not the status, `status` nothing else. */
function partWritten(
  resource: ServedResource,
  wanted: ApiObject,
  { live, subresource }: { live: ApiObject; subresource: Subresource | undefined },
): ApiObject {
  if (subresource === 'status') {
    const { status: _old, ...rest } = cloneJson(live);
    const metadata =
      resource.custom === undefined
        ? { ...wanted.metadata, ...pick(live, 'labels'), ...pick(live, 'ownerReferences') }
        : { ...rest.metadata, ...pick(wanted, 'managedFields') };
    if (live.metadata.labels === undefined) delete metadata.labels;
    if (live.metadata.ownerReferences === undefined) delete metadata.ownerReferences;
    const written = { ...rest, metadata };
    return wanted['status'] === undefined ? written : { ...written, status: wanted['status'] };
  }
  if (subresource === 'approval') return withConditions(wanted, live);
  if (subresource === 'ephemeralcontainers') return withEphemeralContainers(wanted, live);
  // A binding writes the node and the PodScheduled condition at once.
  if (subresource === 'binding') return wanted;
  if (subresource !== 'finalize' && resource.groupResource === 'namespaces') keepSpecFinalizers(wanted, live);
  if (!hasSubresource(resource, 'status')) return wanted;
  const { status: _ignored, ...rest } = wanted;
  return live['status'] === undefined ? rest : { ...rest, status: cloneJson(live['status']) };
}

/** A decision on a certificate request writes the conditions of its status and nothing else. */
function withConditions(wanted: ApiObject, live: ApiObject): ApiObject {
  const object = cloneJson(live);
  const conditions = getPath(wanted, 'status', 'conditions');
  object['status'] = { ...getObject(object, 'status'), ...(conditions === undefined ? {} : { conditions }) };
  return { ...object, metadata: { ...object.metadata, ...pick(wanted, 'managedFields') } };
}

function keepSpecFinalizers(wanted: ApiObject, live: ApiObject): void {
  if (live['spec'] === undefined) delete wanted['spec'];
  else wanted['spec'] = cloneJson(live['spec']);
}

function pick(object: ApiObject, name: 'labels' | 'ownerReferences' | 'managedFields'): Partial<ApiObject['metadata']> {
  const value = object.metadata[name];
  return value === undefined ? {} : { [name]: cloneJson(value) };
}

function endsDeletion(resource: ServedResource, object: ApiObject): boolean {
  const { deletionTimestamp, deletionGracePeriodSeconds = 0, finalizers = [] } = object.metadata;
  if (deletionTimestamp === undefined || finalizers.length > 0 || deletionGracePeriodSeconds > 0) return false;
  return resource.groupResource !== 'namespaces' || namespaceIsFinalized(object);
}

export function namespaceIsFinalized(namespace: ApiObject): boolean {
  const spec = namespace['spec'];
  if (typeof spec !== 'object' || spec === null || !('finalizers' in spec)) return true;
  return !Array.isArray(spec.finalizers) || spec.finalizers.length === 0;
}

function withoutVersion(object: ApiObject): ApiObject {
  const { resourceVersion: _none, ...metadata } = object.metadata;
  return { ...object, metadata };
}
