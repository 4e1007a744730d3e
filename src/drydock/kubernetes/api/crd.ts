import { type Clock, timestamp } from '#base/clock.ts';
import { messageOf } from '#base/errors.ts';
import { getArray, getObject, getString, isObject, type JsonObject, jsonEqual } from '#base/json.ts';
import type { Logger } from '#base/log.ts';
import { cleanupFinalizer } from './crd-names.ts';
import { deleteObject } from './delete.ts';
import { cloneJson } from './metadata.ts';
import type { ApiObject } from './port.ts';
import type { Subresource } from './resources.ts';
import { groupResource, type PrinterColumn, type ServedResource } from './served.ts';
import { updateObject, type WriteDeps } from './write.ts';

const definitions = 'customresourcedefinitions.apiextensions.k8s.io';
const manager = 'kube-apiserver';

export interface CustomResourcesDeps extends WriteDeps {
  clock: Clock;
  logger: Logger;
}

/**
 * Serves the kinds of CustomResourceDefinitions: from the moment a definition is durable, until it is deleted, when its
 * objects go first.
 */
export class CustomResources {
  readonly #deps: CustomResourcesDeps;
  readonly #stop: () => void;
  #work: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(deps: CustomResourcesDeps) {
    this.#deps = deps;
    for (const { object } of deps.store.scan(definitions)) this.#serve(object);
    this.#stop = deps.store.subscribe(definitions, ({ type, object }) => {
      if (type === 'DELETED') deps.served.setCustom(object.object.metadata.name, []);
      else this.#serve(object.object);
    });
    // Objects of custom kinds whose deletion waited for the last run of this process.
    this.#stopChildren = deps.store.subscribe('*', ({ type, storage }) => {
      if (type === 'DELETED' && storage !== definitions) this.#recheck(storage);
    });
  }

  readonly #stopChildren: () => void;

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true;
    this.#stop();
    this.#stopChildren();
    await this.#work;
  }

  #serve(definition: ApiObject): void {
    const { served, types } = this.#deps;
    try {
      const resources = servedVersions(this.#deps, definition);
      const before = served.all().filter(({ groupResource: name }) => name === resources[0]?.groupResource);
      if (!sameServing(before, resources)) served.setCustom(definition.metadata.name, resources);
    } catch (error) {
      this.#deps.logger.error(
        { definition: definition.metadata.name, types: types !== undefined },
        `cannot serve the custom resource: ${messageOf(error)}`,
      );
      return;
    }
    this.#enqueue(definition.metadata.name);
  }

  #recheck(storage: string): void {
    const definition = this.#deps.store.get(definitions, storage)?.object;
    if (definition?.metadata.deletionTimestamp !== undefined) this.#enqueue(definition.metadata.name);
  }

  #enqueue(name: string): void {
    this.#work = this.#work
      .then(() => (this.#stopped ? undefined : this.#settle(name)))
      .catch((error: unknown) => {
        this.#deps.logger.warn({ definition: name }, `custom resource definition: ${messageOf(error)}`);
      });
  }

  /** Brings status up to date; for a definition being deleted, deletes its objects and then its finalizer. */
  async #settle(name: string): Promise<void> {
    const { store, clock } = this.#deps;
    const definition = store.get(definitions, name)?.object;
    if (!definition) return;
    const deleting = definition.metadata.deletionTimestamp !== undefined;
    const status = settledStatus(definition, timestamp(clock.now()));
    if (!jsonEqual(status, definition['status'])) await this.#writeStatus(name, status);
    if (!deleting || !(definition.metadata.finalizers ?? []).includes(cleanupFinalizer)) return;
    const resource = this.#deps.served.ofGroupResource(name);
    for (const { object } of resource ? store.scan(name) : []) {
      if (!resource || object.metadata.deletionTimestamp !== undefined) continue;
      const { namespace, name: objectName } = object.metadata;
      await deleteObject(this.#deps, { resource, namespace, name: objectName, options: {}, dryRun: false });
    }
    if (store.count(name) > 0) return;
    await this.#update(name, undefined, (wanted) => {
      wanted.metadata.finalizers = (wanted.metadata.finalizers ?? []).filter((item) => item !== cleanupFinalizer);
    });
  }

  #writeStatus(name: string, status: JsonObject): Promise<void> {
    return this.#update(name, 'status', (wanted) => {
      wanted['status'] = status;
    });
  }

  async #update(name: string, subresource: 'status' | undefined, change: (wanted: ApiObject) => void): Promise<void> {
    const resource = this.#deps.served.ofGroupResource(definitions);
    if (!resource) return;
    await updateObject(this.#deps, {
      resource,
      namespace: undefined,
      name,
      options: { manager, dryRun: false },
      subresource,
      produce: (live) => {
        const wanted = cloneJson(live);
        change(wanted);
        return { object: wanted, managed: false };
      },
    });
  }
}

/** NamesAccepted and Established as soon as it exists: a definition's name is its plural and group, so names cannot clash twice. */
function settledStatus(definition: ApiObject, now: string): JsonObject {
  const before = getArray(definition, 'status', 'conditions').filter(isObject);
  const condition = (type: string, reason: string, message: string): JsonObject =>
    before.find((item) => item['type'] === type && item['status'] === 'True') ?? {
      type,
      status: 'True',
      lastTransitionTime: now,
      reason,
      message,
    };
  const conditions = [
    condition('NamesAccepted', 'NoConflicts', 'no conflicts found'),
    condition('Established', 'InitialNamesAccepted', 'the initial names have been accepted'),
  ];
  if (definition.metadata.deletionTimestamp !== undefined)
    conditions.push(condition('Terminating', 'InstanceDeletionInProgress', 'CustomResource deletion is in progress'));
  return {
    conditions,
    acceptedNames: getObject(definition, 'spec', 'names'),
    storedVersions: storedVersions(definition),
  };
}

function storedVersions(definition: ApiObject): unknown[] {
  const known = getArray(definition, 'status', 'storedVersions');
  const storage = storageVersion(definition);
  return known.includes(storage) ? known : [...known, storage];
}

function storageVersion(definition: ApiObject): string {
  const version = getArray(definition, 'spec', 'versions').find((item) => isObject(item) && item['storage'] === true);
  return getString(version, 'name') ?? '';
}

function servedVersions(deps: WriteDeps, definition: ApiObject): ServedResource[] {
  return getArray(definition, 'spec', 'versions')
    .filter(isObject)
    .filter((version) => version['served'] === true)
    .map((version) => servedVersion(deps, definition, version));
}

function servedVersion(deps: WriteDeps, definition: ApiObject, version: JsonObject): ServedResource {
  const spec = getObject(definition, 'spec');
  const names = getObject(spec, 'names');
  const group = getString(spec, 'group') ?? '';
  const plural = getString(names, 'plural') ?? '';
  const kind = getString(names, 'kind') ?? '';
  const name = getString(version, 'name') ?? '';
  const schema = version['schema'];
  const openAPIV3Schema =
    isObject(schema) && isObject(schema['openAPIV3Schema']) ? schema['openAPIV3Schema'] : undefined;
  const scale = getObject(version, 'subresources', 'scale');
  const subresources: Subresource[] = [];
  if (isObject(getObject(version, 'subresources')['status'])) subresources.push('status');
  if (Object.keys(scale).length > 0) subresources.push('scale');
  return {
    group,
    version: name,
    plural,
    singular: getString(names, 'singular') ?? kind.toLowerCase(),
    kind,
    listKind: getString(names, 'listKind') ?? `${kind}List`,
    namespaced: spec['scope'] === 'Namespaced',
    shortNames: getArray(names, 'shortNames').filter((item) => typeof item === 'string'),
    categories: getArray(names, 'categories').filter((item) => typeof item === 'string'),
    subresources,
    hasGeneration: true,
    groupResource: groupResource(group, plural),
    storage: groupResource(group, plural),
    conversion: undefined,
    type: deps.types.custom({
      gvk: { group, version: name, kind },
      openAPIV3Schema,
      preserveUnknownFields: spec['preserveUnknownFields'] === true,
    }),
    custom: {
      storageVersion: storageVersion(definition),
      schema: openAPIV3Schema,
      printerColumns: printerColumns(version),
      selectableFields: getArray(version, 'selectableFields').map((field) => getString(field, 'jsonPath') ?? ''),
      scale:
        Object.keys(scale).length === 0
          ? undefined
          : {
              specReplicasPath: getString(scale, 'specReplicasPath') ?? '',
              statusReplicasPath: getString(scale, 'statusReplicasPath') ?? '',
              labelSelectorPath: getString(scale, 'labelSelectorPath'),
            },
    },
  };
}

function printerColumns(version: JsonObject): PrinterColumn[] {
  const columns = getArray(version, 'additionalPrinterColumns').filter(isObject);
  if (columns.length === 0)
    return [
      {
        name: 'Age',
        type: 'date',
        format: '',
        description: 'CreationTimestamp is a timestamp representing the server time when this object was created.',
        priority: 0,
        jsonPath: '.metadata.creationTimestamp',
      },
    ];
  return columns.map((column) => ({
    name: getString(column, 'name') ?? '',
    type: getString(column, 'type') ?? 'string',
    format: getString(column, 'format') ?? '',
    description: getString(column, 'description') ?? '',
    priority: typeof column['priority'] === 'number' ? column['priority'] : 0,
    jsonPath: getString(column, 'jsonPath') ?? '',
  }));
}

function sameServing(before: ServedResource[], after: ServedResource[]): boolean {
  const facts = (resources: ServedResource[]): unknown =>
    resources.map(({ type: _type, ...rest }) => rest).sort((a, b) => (a.version < b.version ? -1 : 1));
  return jsonEqual(facts(before), facts(after));
}
