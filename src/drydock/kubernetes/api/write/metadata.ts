import { isObject, jsonEqual } from '#base/json.ts';
import type { ApiObject, ApiObjectMeta } from '../port.ts';
import { conflict, invalid } from '../protocol/status-error.ts';
import { hasSubresource, type ServedResource } from '../served.ts';

const order = [
  'name',
  'generateName',
  'namespace',
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'labels',
  'annotations',
  'ownerReferences',
  'finalizers',
  'managedFields',
] as const;

/** `kind` and `apiVersion` first, metadata in the usual order, members that are undefined or empty dropped, a version put in. */
export function inUsualOrder(object: ApiObject): ApiObject {
  const { kind, apiVersion, metadata, status, ...rest } = object;
  const ordered: Record<string, unknown> = {};
  for (const name of order) {
    const value = name === 'resourceVersion' ? (metadata.resourceVersion ?? '0') : metadata[name];
    if (value === undefined || value === null || value === '' || isEmpty(value)) continue;
    ordered[name] = value;
  }
  const shown = { kind, apiVersion, metadata: ordered as ApiObjectMeta, ...rest };
  return status === undefined ? shown : { ...shown, status };
}

function isEmpty(value: unknown): boolean {
  return Array.isArray(value) ? value.length === 0 : isObject(value) && Object.keys(value).length === 0;
}

/** Throws 409 when a whole object was sent that is of another uid. */
export function requireUid(resource: ServedResource, uid: string | undefined, live: ApiObject): void {
  if (uid === undefined || uid === '' || uid === live.metadata.uid) return;
  const { namespace, name } = live.metadata;
  // Custom resources are kept under their group, what is built in is not.
  const parts = [...(resource.custom ? [resource.group] : []), resource.plural, namespace, name];
  const key = `/registry/${parts.filter((part) => part !== undefined).join('/')}`;
  throw conflict(
    resource,
    name,
    `StorageError: invalid object, Code: 4, Key: ${key}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: ${uid}, UID in object meta: ${live.metadata.uid}`,
  );
}

/** What the server owns in metadata is taken from the stored object, whatever the request says. Refuses another uid. */
export function carrySystemMetadata(resource: ServedResource, wanted: ApiObject, live: ApiObject): void {
  const { metadata } = wanted;
  const uid = metadata.uid;
  if (uid !== undefined && uid !== '' && uid !== live.metadata.uid) {
    const message = `Invalid value: ${JSON.stringify(uid)}: field is immutable`;
    throw invalid(resource, live.metadata.name, [{ field: 'metadata.uid', reason: 'FieldValueInvalid', message }]);
  }
  const system = [
    'name',
    'namespace',
    'generateName',
    'uid',
    'generation',
    'creationTimestamp',
    'deletionTimestamp',
    'deletionGracePeriodSeconds',
  ] as const;
  for (const name of system) {
    const value = live.metadata[name];
    if (value === undefined) delete metadata[name];
    else Object.assign(metadata, { [name]: value });
  }
  delete metadata['selfLink'];
}

/** Throws 422 when a finalizer is added to an object that is being deleted. */
export function refuseNewFinalizers(resource: ServedResource, wanted: ApiObject, live: ApiObject): void {
  if (live.metadata.deletionTimestamp === undefined) return;
  const before = new Set(live.metadata.finalizers ?? []);
  const added = (wanted.metadata.finalizers ?? []).filter((name) => !before.has(name));
  if (added.length === 0) return;
  const list = added.map((name) => JSON.stringify(name)).join(', ');
  throw invalid(resource, live.metadata.name, [
    {
      field: 'metadata.finalizers',
      reason: 'FieldValueForbidden',
      message: `Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{${list}}`,
    },
  ]);
}

/** Raises `generation` when what counts as the spec of this kind changed. */
export function advanceGeneration(resource: ServedResource, wanted: ApiObject, live: ApiObject): void {
  if (!resource.hasGeneration) return;
  const statusCounts = resource.custom !== undefined && !hasSubresource(resource, 'status');
  const changed =
    !jsonEqual(specOf(wanted, statusCounts), specOf(live, statusCounts)) ||
    // Upstream quirk: for Deployments alone a changed annotation counts too.
    (resource.groupResource === 'deployments.apps' &&
      !jsonEqual(wanted.metadata.annotations ?? {}, live.metadata.annotations ?? {}));
  if (changed) wanted.metadata.generation = (live.metadata.generation ?? 0) + 1;
}

function specOf(object: ApiObject, withStatus: boolean): Record<string, unknown> {
  const { kind: _kind, apiVersion: _apiVersion, metadata: _metadata, ...rest } = object;
  if (!withStatus) delete rest['status'];
  return rest;
}

const suffixAlphabet = 'bcdfghjklmnpqrstvwxz2456789';

/** `prefix` and five random characters, within 63. */
export function generatedName(prefix: string, random: Buffer): string {
  let suffix = '';
  for (const byte of random.subarray(0, 5)) suffix += suffixAlphabet[byte % suffixAlphabet.length];
  return prefix.slice(0, 58) + suffix;
}

/** The object as another served version of its kind: only `apiVersion` differs (conversion strategy None). */
export function asVersion(object: ApiObject, apiVersion: string): ApiObject {
  return object.apiVersion === apiVersion ? object : { ...object, apiVersion };
}
