import { type Clock, timestamp } from '#base/clock.ts';
import { messageOf } from '#base/errors.ts';
import { cloneJson, getString, type JsonObject, jsonEqual } from '#base/json.ts';
import type { Logger } from '#base/log.ts';
import type { ApiObject } from '../port.ts';
import type { ServedResource } from '../served.ts';
import { deleteObject } from '../write/delete.ts';
import { updateObject, type WriteDeps } from '../write/write.ts';
import { approvalConditions } from './crd-approval.ts';
import { cleanupFinalizer } from './crd-names.ts';
import { acceptNames, isEstablished, settledStatus } from './crd-status.ts';
import { servedVersions, storedVersion } from './crd-version.ts';

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
      const { names, conflict } = acceptNames(definition, served.all());
      const isServed = conflict === undefined || isEstablished(definition);
      const resources = isServed ? servedVersions(this.#deps.types, definition, names) : [];
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
    const accepted = acceptNames(definition, this.#deps.served.all());
    const others = approvalConditions(definition);
    const status = settledStatus(definition, { accepted, others, now: timestamp(clock.now()) });
    if (!jsonEqual(status, definition['status'])) await this.#writeStatus(name, status);
    if (!deleting || !(definition.metadata.finalizers ?? []).includes(cleanupFinalizer)) return;
    const resource = storedVersion(this.#deps.types, definition);
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

function sameServing(before: ServedResource[], after: ServedResource[]): boolean {
  const facts = (resources: ServedResource[]): unknown =>
    resources.map(({ type: _type, ...rest }) => rest).sort((a, b) => (a.version < b.version ? -1 : 1));
  return jsonEqual(facts(before), facts(after));
}
