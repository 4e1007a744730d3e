import { timestamp } from '#base/clock.ts';
import { cloneJson, getNumber, getString, isObject, type JsonObject } from '#base/json.ts';
import { cleanupFinalizer } from '../definition/crd-names.ts';
import { markedForDeletion } from '../definition/crd-status.ts';
import type { ApiDeleteOptions, ApiObject } from '../port.ts';
import { isDryRun } from '../protocol/dry-run.ts';
import { conflict, forbidden, invalidOptions, notFound, preconditionFailed } from '../protocol/status-error.ts';
import { objectKey, type ServedResource } from '../served.ts';
import { WriteRace } from '../store/store.ts';
import type { StoredObject } from '../store/stored.ts';
import { fromStorage } from './conversion.ts';
import { inUsualOrder } from './metadata.ts';
import { undeletableNamespaces } from './namespaces.ts';
import { namespaceIsFinalized, type WriteDeps, type WriteTarget } from './write.ts';

export interface DeleteInput extends WriteTarget {
  name: string;
  options: ApiDeleteOptions;
  dryRun: boolean;
}

export interface DeleteResult {
  object: ApiObject;
  /** False: it waits for a grace period or finalizers. */
  gone: boolean;
  warnings: string[];
}

const raceTries = 8;

/** Deletes, or marks as being deleted when grace or finalizers ask for it. Deleting twice is no error. */
export async function deleteObject(deps: WriteDeps, input: DeleteInput): Promise<DeleteResult> {
  const { resource, namespace, name } = input;
  for (let tries = 1; ; tries += 1) {
    const stored = deps.store.get(resource.storage, objectKey(resource, namespace, name));
    if (!stored) throw notFound(resource, name);
    try {
      return await tryDelete(deps, input, stored);
    } catch (error) {
      if (!(error instanceof WriteRace)) throw error;
      if (tries >= raceTries) throw conflict(resource, name);
    }
  }
}

async function tryDelete(deps: WriteDeps, input: DeleteInput, stored: StoredObject): Promise<DeleteResult> {
  const { resource, name, options, dryRun } = input;
  const live = stored.object;
  checkPreconditions(resource, live, options);
  if (resource.groupResource === 'namespaces' && undeletableNamespaces.has(name))
    throw forbidden(resource, name, 'this namespace may not be deleted');
  const warnings = orphansByDefault(resource, options)
    ? [
        'child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set propagationPolicy=Foreground to remove them after their dependents are removed',
      ]
    : [];
  const wanted = marked(deps, input, live);
  const finish = (object: ApiObject, gone: boolean): DeleteResult => ({
    object: fromStorage(resource, object),
    gone,
    warnings,
  });
  if (!waits(resource, wanted)) {
    if (dryRun) return finish(live, true);
    return finish((await deps.store.remove(stored)).object, true);
  }
  if (wanted === live || dryRun) return finish(wanted, false);
  return finish((await deps.store.put(stored, inUsualOrder(wanted), stored)).object, false);
}

function checkPreconditions(resource: ServedResource, live: ApiObject, { preconditions }: ApiDeleteOptions): void {
  const { uid, resourceVersion } = preconditions ?? {};
  const { name } = live.metadata;
  if (uid !== undefined && uid !== live.metadata.uid)
    throw preconditionFailed(
      resource,
      name,
      `the UID in the precondition (${uid}) does not match the UID in record (${live.metadata.uid}). The object might have been deleted and then recreated`,
    );
  if (resourceVersion !== undefined && resourceVersion !== live.metadata.resourceVersion)
    throw preconditionFailed(
      resource,
      name,
      `the ResourceVersion in the precondition (${resourceVersion}) does not match the ResourceVersion in record (${live.metadata.resourceVersion}). The object might have been modified`,
    );
}

function waits(resource: ServedResource, object: ApiObject): boolean {
  const { finalizers = [], deletionGracePeriodSeconds = 0 } = object.metadata;
  if (finalizers.length > 0 || deletionGracePeriodSeconds > 0) return true;
  return resource.groupResource === 'namespaces' && !namespaceIsFinalized(object);
}

/** The object as being deleted: time, grace, finalizers by policy. The same object when nothing changes. */
function marked(deps: WriteDeps, { resource, options }: DeleteInput, live: ApiObject): ApiObject {
  const wanted = cloneJson(live);
  const { metadata } = wanted;
  const finalizers = finalizersAfter(resource, live, options);
  if (finalizers.length > 0) metadata.finalizers = finalizers;
  else delete metadata.finalizers;
  const grace = graceSeconds(resource, live, options);
  const first = metadata.deletionTimestamp === undefined;
  if (first || grace < (metadata.deletionGracePeriodSeconds ?? 0)) {
    metadata.deletionTimestamp = timestamp(deps.clock.now() + grace * 1000);
    if (resource.groupResource !== 'namespaces') metadata.deletionGracePeriodSeconds = grace;
  }
  if (first && resource.hasGeneration) metadata.generation = (metadata.generation ?? 0) + 1;
  if (first && resource.groupResource === 'namespaces')
    wanted['status'] = { ...(isObject(wanted['status']) ? wanted['status'] : {}), phase: 'Terminating' };
  if (first && resource.groupResource === 'customresourcedefinitions.apiextensions.k8s.io')
    wanted['status'] = markedForDeletion(live, timestamp(deps.clock.now()));
  const same = JSON.stringify(wanted) === JSON.stringify(live);
  return same ? live : wanted;
}

function finalizersAfter(resource: ServedResource, live: ApiObject, options: ApiDeleteOptions): string[] {
  const policy = options.propagationPolicy ?? (orphansByDefault(resource, options) ? 'Orphan' : undefined);
  let finalizers = live.metadata.finalizers ?? [];
  const isDefinition = resource.groupResource === 'customresourcedefinitions.apiextensions.k8s.io';
  if (isDefinition && live.metadata.deletionTimestamp === undefined && !finalizers.includes(cleanupFinalizer))
    finalizers = [...finalizers, cleanupFinalizer];
  if (policy === undefined) return finalizers;
  const others = finalizers.filter((name) => name !== 'orphan' && name !== 'foregroundDeletion');
  if (policy === 'Background') return others;
  return [...others, policy === 'Orphan' ? 'orphan' : 'foregroundDeletion'];
}

/** Upstream: Jobs alone leave their pods when the request names no policy. */
function orphansByDefault(resource: ServedResource, options: ApiDeleteOptions): boolean {
  return resource.groupResource === 'jobs.batch' && options.propagationPolicy === undefined;
}

function graceSeconds(resource: ServedResource, live: ApiObject, options: ApiDeleteOptions): number {
  if (resource.groupResource !== 'pods') return 0;
  if ((getString(live, 'spec', 'nodeName') ?? '') === '') return 0;
  const phase = getString(live, 'status', 'phase');
  if (phase === 'Succeeded' || phase === 'Failed') return 0;
  if (options.gracePeriodSeconds !== undefined) return Math.max(0, options.gracePeriodSeconds);
  return live.metadata.deletionGracePeriodSeconds ?? getNumber(live, 'spec', 'terminationGracePeriodSeconds') ?? 30;
}

/** Reads a DeleteOptions document; members given in the query string come in already merged. */
export function parseDeleteOptions(raw: JsonObject): { options: ApiDeleteOptions; dryRun: boolean } {
  const options: ApiDeleteOptions = {};
  const policy = raw['propagationPolicy'];
  if (policy === 'Foreground' || policy === 'Background' || policy === 'Orphan') options.propagationPolicy = policy;
  else if (policy !== undefined && policy !== null && policy !== '')
    throw invalidOptions('DeleteOptions', {
      field: 'propagationPolicy',
      reason: 'FieldValueNotSupported',
      message: `Unsupported value: ${JSON.stringify(policy)}: supported values: "Foreground", "Background", "Orphan", "nil"`,
    });
  const orphans = raw['orphanDependents'];
  if (options.propagationPolicy !== undefined && typeof orphans === 'boolean')
    throw invalidOptions('DeleteOptions', {
      field: 'propagationPolicy',
      reason: 'FieldValueInvalid',
      message: `Invalid value: "${options.propagationPolicy}": orphanDependents and deletionPropagation cannot be both set`,
    });
  if (orphans === true) options.propagationPolicy = 'Orphan';
  const grace = raw['gracePeriodSeconds'];
  if (typeof grace === 'number') options.gracePeriodSeconds = grace;
  const preconditions = raw['preconditions'];
  if (isObject(preconditions)) {
    const uid = getString(preconditions, 'uid');
    const resourceVersion = getString(preconditions, 'resourceVersion');
    options.preconditions = {
      ...(uid === undefined ? {} : { uid }),
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
    };
  }
  return { options, dryRun: isDryRun('DeleteOptions', raw['dryRun']) };
}
