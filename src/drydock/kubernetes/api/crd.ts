import { type Clock, timestamp } from '#base/clock.ts';
import { messageOf } from '#base/errors.ts';
import { getArray, getObject, getString, isObject, type JsonObject, jsonEqual } from '#base/json.ts';
import type { Logger } from '#base/log.ts';
import { cleanupFinalizer } from './crd-names.ts';
import { nameConflict, settledStatus, storageVersion } from './crd-status.ts';
import { deleteObject } from './delete.ts';
import { customDeprecation } from './deprecation.ts';
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
  readonly #stops: (() => void)[];
  #work: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(deps: CustomResourcesDeps) {
    this.#deps = deps;
    for (const { object } of deps.store.scan(definitions)) this.#serve(object);
    this.#stops = [
      deps.store.subscribe(definitions, ({ type, object }) => {
        if (type === 'DELETED') this.#withdraw(object.object);
        else this.#serve(object.object);
      }),
      // A definition that is being deleted waits for its objects.
      deps.store.subscribe('*', ({ type, storage }) => {
        if (type === 'DELETED' && storage !== definitions) this.#recheck(storage);
      }),
    ];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true;
    for (const stop of this.#stops) stop();
    await this.#work;
  }

  #serve(definition: ApiObject): void {
    const { served, logger } = this.#deps;
    const { name } = definition.metadata;
    try {
      const accepted = nameConflict(definition, served.all()) === undefined;
      const resources = accepted ? servedVersions(this.#deps, definition) : [];
      if (!sameServing(served.ofDefinition(name), resources)) served.setCustom(name, resources);
      this.#enqueue(name);
    } catch (error) {
      logger.error({ definition: name }, `cannot serve the custom resource: ${messageOf(error)}`);
    }
  }

  /** Names that become free may be what another definition of the group waits for. */
  #withdraw(definition: ApiObject): void {
    const { served, store } = this.#deps;
    served.setCustom(definition.metadata.name, []);
    const group = getString(definition, 'spec', 'group');
    for (const { object } of store.scan(definitions))
      if (getString(object, 'spec', 'group') === group) this.#serve(object);
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
    const conflict = nameConflict(definition, this.#deps.served.all());
    const status = settledStatus(definition, { conflict, now: timestamp(clock.now()) });
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
      statusSubresource: subresources.includes('status'),
    }),
    custom: {
      storageVersion: storageVersion(definition),
      schema: openAPIV3Schema,
      printerColumns: printerColumns(version),
      selectableFields: getArray(version, 'selectableFields').map((field) => getString(field, 'jsonPath') ?? ''),
      deprecation: customDeprecation(spec, version),
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
