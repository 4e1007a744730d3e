import { abortable } from '#base/abortable.ts';
import type { Clock, Entropy } from '#base/clock.ts';
import { AppError, isAppError, messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import type { ApiResource, Informer, InformerEvent, InformerSet, KubeClient, KubeObject, ObjectRef } from './port.ts';

export interface InformerDeps {
  client: Pick<KubeClient, 'list' | 'watch'>;
  clock: Clock;
  entropy: Entropy;
  logger: Logger;
  /** Takes out, in place, what decisions do not read. managedFields are gone already. */
  strip?: (object: KubeObject, resource: ApiResource) => void;
  /** Only objects of these namespaces, and without a namespace when `clusterResources`; undefined is all there are. */
  scope?: { namespaces: readonly string[]; clusterResources: boolean } | undefined;
}

const firstBackoffMs = 100;
const maxBackoffMs = 30_000;
const tellAfterFailures = 3;
/** A watch that lasted this long without an event was a quiet one, not a broken one. */
const goodWatchMs = 5_000;

/** Informers of one cluster, one per kind and version. Disposing ends them all. */
export function createInformerSet(deps: InformerDeps): InformerSet {
  const informers = new Map<string, OwnedInformer>();
  const abort = new AbortController();
  return {
    informer(resource) {
      const key = `${resource.group}/${resource.version}/${resource.plural}`;
      let found = informers.get(key);
      if (!found) {
        found = start(deps, resource, abort.signal);
        informers.set(key, found);
      }
      return found;
    },
    active: () => [...informers.values()],
    async [Symbol.asyncDispose]() {
      abort.abort();
      await Promise.all([...informers.values()].map((informer) => informer.ended));
    },
  };
}

interface OwnedInformer extends Informer {
  /** Settles when the loop has ended. */
  readonly ended: Promise<void>;
}

function start(deps: InformerDeps, resource: ApiResource, signal: AbortSignal): OwnedInformer {
  const { scope } = deps;
  if (!scope) return new Reflector(deps, resource, { signal });
  const namespaces = resource.namespaced ? scope.namespaces : scope.clusterResources ? [undefined] : [];
  return new Union(
    resource,
    namespaces.map((namespace) => new Reflector(deps, resource, { signal, namespace })),
  );
}

/** One kind in several namespaces. */
class Union implements OwnedInformer {
  readonly resource: ApiResource;
  readonly ended: Promise<void>;
  readonly #parts: readonly Reflector[];

  constructor(resource: ApiResource, parts: readonly Reflector[]) {
    this.resource = resource;
    this.#parts = parts;
    this.ended = Promise.all(parts.map((part) => part.ended)).then(() => undefined);
  }

  get synced(): boolean {
    return this.#parts.every((part) => part.synced);
  }

  async whenSynced(signal: AbortSignal): Promise<void> {
    await Promise.all(this.#parts.map((part) => part.whenSynced(signal)));
  }

  get(ref: ObjectRef): KubeObject | undefined {
    for (const part of this.#parts) {
      const found = part.get(ref);
      if (found) return found;
    }
    return undefined;
  }

  list(namespace?: string): KubeObject[] {
    return this.#parts.flatMap((part) => part.list(namespace));
  }

  subscribe(listener: (event: InformerEvent) => void): () => void {
    const ends = this.#parts.map((part) => part.subscribe(listener));
    return () => {
      for (const end of ends) end();
    };
  }
}

/** Lists and watches one kind for as long as its signal allows. */
class Reflector implements OwnedInformer {
  readonly resource: ApiResource;
  readonly ended: Promise<void>;
  readonly #namespace: string | undefined;
  readonly #deps: InformerDeps;
  readonly #objects = new Map<string, KubeObject>();
  readonly #listeners = new Set<(event: InformerEvent) => void>();
  readonly #waiting = new Set<PromiseWithResolvers<void>>();
  #synced = false;
  #resourceVersion: string | undefined;

  constructor(
    deps: InformerDeps,
    resource: ApiResource,
    options: { signal: AbortSignal; namespace?: string | undefined },
  ) {
    this.#deps = deps;
    this.resource = resource;
    this.#namespace = options.namespace;
    this.ended = this.#run(options.signal);
  }

  get synced(): boolean {
    return this.#synced;
  }

  /** Rejects when the cluster refuses the list, or failed it a few times: who waits shall know why. It goes on trying. */
  async whenSynced(signal: AbortSignal): Promise<void> {
    if (this.#synced) return;
    const waiter = Promise.withResolvers<void>();
    this.#waiting.add(waiter);
    try {
      await abortable(waiter.promise, signal);
    } finally {
      this.#waiting.delete(waiter);
    }
  }

  get(ref: ObjectRef): KubeObject | undefined {
    return this.#objects.get(keyOf(ref));
  }

  list(namespace?: string): KubeObject[] {
    const all = [...this.#objects.values()];
    return namespace === undefined ? all : all.filter((object) => object.metadata.namespace === namespace);
  }

  subscribe(listener: (event: InformerEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async #run(signal: AbortSignal): Promise<void> {
    let failures = 0;
    while (!signal.aborted) {
      try {
        if (this.#resourceVersion === undefined) await this.#relist(signal);
        const startedAt = this.#deps.clock.now();
        const sawEvents = await this.#watch(signal);
        const wasGood = sawEvents || this.#deps.clock.now() - startedAt > goodWatchMs;
        failures = wasGood ? 0 : failures + 1;
        if (wasGood) continue;
      } catch (error) {
        if (signal.aborted) break;
        failures += 1;
        this.#failed(error, failures);
        if (isAppError(error, 'conflict') && failures === 1) continue;
      }
      await this.#pause(failures, signal);
    }
    for (const waiter of [...this.#waiting]) waiter.reject(new AppError('canceled', 'the informers were closed'));
  }

  async #relist(signal: AbortSignal): Promise<void> {
    const { items, resourceVersion } = await this.#deps.client.list(
      this.resource,
      { namespace: this.#namespace },
      signal,
    );
    const gone = new Map(this.#objects);
    for (const object of items) {
      gone.delete(keyOf(object.metadata));
      this.#upsert(object);
    }
    for (const object of gone.values()) this.#remove(object);
    this.#resourceVersion = resourceVersion;
    this.#synced = true;
    for (const waiter of [...this.#waiting]) waiter.resolve();
  }

  /** True when at least one event came: the connection was good. */
  async #watch(signal: AbortSignal): Promise<boolean> {
    const resourceVersion = this.#resourceVersion ?? '';
    let sawEvents = false;
    const options = { namespace: this.#namespace, resourceVersion };
    for await (const event of this.#deps.client.watch(this.resource, options, signal)) {
      sawEvents = true;
      if (event.type === 'BOOKMARK') {
        if (event.resourceVersion !== '') this.#resourceVersion = event.resourceVersion;
        continue;
      }
      if (event.type === 'DELETED') this.#remove(event.object);
      else this.#upsert(event.object);
      this.#resourceVersion = event.object.metadata.resourceVersion ?? this.#resourceVersion;
    }
    return sawEvents;
  }

  #failed(error: unknown, failures: number): void {
    const fields = { kind: this.resource.kind, group: this.resource.group, failures };
    if (isAppError(error, 'conflict')) {
      this.#resourceVersion = undefined;
      this.#deps.logger.info(fields, `listing again: ${messageOf(error)}`);
      return;
    }
    // The kind is not served any more, so its objects are gone with it; it may come back.
    if (isAppError(error, 'not-found')) {
      this.#resourceVersion = undefined;
      for (const object of [...this.#objects.values()]) this.#remove(object);
    }
    // The server was away: one that came back with older or other data would never say so to a resumed watch.
    if (failures > 1) this.#resourceVersion = undefined;
    if (isLasting(error) || failures >= tellAfterFailures)
      for (const waiter of [...this.#waiting]) waiter.reject(error);
    this.#deps.logger.warn(fields, messageOf(error));
  }

  async #pause(failures: number, signal: AbortSignal): Promise<void> {
    const ceiling = Math.min(maxBackoffMs, firstBackoffMs * 2 ** Math.min(failures, 16));
    const delayMs = ceiling / 2 + (ceiling / 2) * this.#deps.entropy.fraction();
    try {
      await this.#deps.clock.sleep(delayMs, signal);
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  #upsert(object: KubeObject): void {
    const key = keyOf(object.metadata);
    const known = this.#objects.get(key);
    if (known && sameVersion(known, object)) return;
    // Deleted and made again while nobody watched: two events, as if it had been seen.
    const reborn = known !== undefined && known.metadata.uid !== object.metadata.uid;
    if (reborn) this.#remove(known);
    const previous = reborn ? undefined : known;
    delete object.metadata.managedFields;
    this.#deps.strip?.(object, this.resource);
    this.#objects.set(key, object);
    this.#emit({ type: 'upsert', object, previous });
  }

  #remove(object: KubeObject): void {
    const known = this.#objects.get(keyOf(object.metadata));
    if (!known) return;
    this.#objects.delete(keyOf(object.metadata));
    this.#emit({ type: 'delete', object: known });
  }

  #emit(event: InformerEvent): void {
    for (const listener of [...this.#listeners]) {
      try {
        listener(event);
      } catch (error) {
        this.#deps.logger.error({ kind: this.resource.kind }, `a listener failed: ${messageOf(error)}`);
      }
    }
  }
}

function isLasting(error: unknown): boolean {
  return isAppError(error, 'unauthorized') || isAppError(error, 'forbidden') || isAppError(error, 'not-found');
}

function sameVersion(a: KubeObject, b: KubeObject): boolean {
  return a.metadata.uid === b.metadata.uid && a.metadata.resourceVersion === b.metadata.resourceVersion;
}

function keyOf(ref: ObjectRef): string {
  return `${ref.namespace ?? ''}/${ref.name}`;
}
