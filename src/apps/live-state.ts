import type { Clock } from '#base/clock.ts';
import type {
  ApiResource,
  GroupVersionKind,
  Informer,
  InformerEvent,
  InformerSet,
  KubeDiscovery,
  KubeObject,
  ObjectRef,
} from '#kube/port.ts';
import { kindOf } from '#kube/port.ts';
import { qualifiedOfInstanceName } from '#model/argocd/names.ts';
import type { Tracking } from '#model/argocd/settings.ts';
import { objectKeyText, trackingApplication } from '#sync/identity.ts';

export interface LiveChange {
  key: string;
  object: KubeObject | undefined;
  /** Applications that track, tracked or claim the object, by qualified name. */
  applications: string[];
}

export interface LiveStateDeps {
  informers: InformerSet;
  discovery: KubeDiscovery;
  clock: Clock;
  tracking: () => Tracking;
  /** Kinds that are left alone: no application has live objects of them. */
  excluded: (kind: { group: string; kind: string }) => boolean;
  /** Changes that no application needs to look at. */
  ignoresUpdate?: (before: KubeObject, after: KubeObject) => boolean;
}

const trustWrittenMs = 30_000;
const maxGone = 10_000;

function versioned(kind: GroupVersionKind, ref: ObjectRef): string {
  return `${kind.group}/${kind.version}/${kind.kind} ${ref.namespace ?? ''}/${ref.name}`;
}

/** False only when both versions are numbers, as every API server writes them, and `a` is the smaller. */
function atLeast(a: string | undefined, b: string | undefined): boolean {
  if (a === undefined || b === undefined || !/^\d+$/.test(a) || !/^\d+$/.test(b)) return true;
  return BigInt(a) >= BigInt(b);
}

/**
 * What is live in the cluster of the kinds that applications manage, by shared watches. Objects that were just written are
 * visible at once, as the server answered them, until the watch has caught up.
 */
export class LiveState {
  readonly #deps: LiveStateDeps;
  readonly #watched = new Map<Informer, () => void>();
  readonly #written = new Map<string, { object: KubeObject; at: number; by: string | undefined }>();
  readonly #tracked = new Map<string, Map<string, KubeObject>>();
  readonly #claims = new Map<string, Set<string>>();
  readonly #claimedBy = new Map<string, string[]>();
  readonly #changedAt = new Map<string, number>();
  /** Applications by the namespace that they follow. */
  readonly #followers = new Map<string, Set<string>>();
  /** Uids of objects that the watch told the end of lately, the oldest first: an answer about one may still be under way. */
  readonly #gone = new Map<string, number>();
  readonly #listeners = new Set<(change: LiveChange) => void>();

  constructor(deps: LiveStateDeps) {
    this.#deps = deps;
  }

  /** Watches these kinds and resolves when their first lists are in. Kinds that the cluster does not serve are left out. */
  async watch(kinds: readonly GroupVersionKind[], signal: AbortSignal): Promise<void> {
    const distinct = new Map(kinds.map((kind) => [`${kind.group}/${kind.version}/${kind.kind}`, kind]));
    await Promise.all(
      [...distinct.values()].map(async (kind) => {
        if (this.#deps.excluded(kind)) return;
        const resource = await this.#deps.discovery.find(kind, signal);
        if (!resource?.verbs.includes('watch')) return;
        const informer = this.#start(resource);
        await informer.whenSynced(signal);
      }),
    );
  }

  get(kind: GroupVersionKind, ref: ObjectRef): KubeObject | undefined {
    const written = this.#writtenAt(versioned(kind, ref));
    if (written) return written;
    for (const informer of this.#watched.keys()) if (isKind(informer.resource, kind)) return informer.get(ref);
    return undefined;
  }

  /** Live objects that say they are the application's (by its qualified name), whatever its spec says now. */
  trackedBy(application: string): KubeObject[] {
    const byUid = new Map<string, KubeObject>();
    for (const object of this.#tracked.get(application)?.values() ?? [])
      byUid.set(object.metadata.uid ?? objectKeyText(object), object);
    return [...byUid.values()];
  }

  /** All live objects of kinds that are watched. */
  *all(kinds: readonly GroupVersionKind[]): Iterable<KubeObject> {
    for (const informer of this.#watched.keys())
      if (kinds.some((kind) => isKind(informer.resource, kind))) yield* informer.list();
  }

  /** The objects that an application wants, so that it hears of their changes even while they do not carry its mark. */
  claim(application: string, keys: Iterable<string>): void {
    for (const key of this.#claims.get(application) ?? []) {
      const others = (this.#claimedBy.get(key) ?? []).filter((name) => name !== application);
      if (others.length > 0) this.#claimedBy.set(key, others);
      else this.#claimedBy.delete(key);
    }
    const claimed = new Set(keys);
    if (claimed.size > 0) this.#claims.set(application, claimed);
    else this.#claims.delete(application);
    for (const key of claimed) this.#claimedBy.set(key, [...(this.#claimedBy.get(key) ?? []), application]);
  }

  /** An application that wants to hear of what comes to a namespace and goes, and of no other any more. */
  followNamespace(application: string, namespace: string | undefined): void {
    for (const [name, followers] of this.#followers)
      if (name !== namespace && followers.delete(application) && followers.size === 0) this.#followers.delete(name);
    if (namespace === undefined) return;
    this.#followers.set(namespace, (this.#followers.get(namespace) ?? new Set()).add(application));
  }

  /** When the watch last told of a change of this object, in milliseconds. */
  changedAt(key: string): number | undefined {
    return this.#changedAt.get(key);
  }

  /** `by` is the application whose sync wrote it, and which need not be told of the echo; everybody else is. */
  noteWritten(object: KubeObject, by?: string): void {
    if (this.#isGone(object)) return;
    const { managedFields: _fields, ...metadata } = object.metadata;
    const kept: KubeObject = { ...object, metadata };
    const kind = kindOf(object);
    const known = this.get(kind, metadata);
    if (
      known &&
      known.metadata.uid === metadata.uid &&
      atLeast(known.metadata.resourceVersion, metadata.resourceVersion)
    )
      return;
    this.#written.set(versioned(kind, metadata), { object: kept, at: this.#deps.clock.now(), by });
    this.#index(known, kept);
  }

  /** What objects are whose is read from them in another way now. */
  settingsChanged(): void {
    this.#tracked.clear();
    for (const informer of this.#watched.keys()) for (const object of informer.list()) this.#index(undefined, object);
    for (const { object } of this.#written.values()) this.#index(undefined, object);
  }

  /** Runs after the state has changed, for each change that some application may care about. */
  subscribe(listener: (change: LiveChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  [Symbol.dispose](): void {
    for (const unsubscribe of this.#watched.values()) unsubscribe();
    this.#watched.clear();
    this.#listeners.clear();
  }

  /** Deleted, and with the last finalizer taken away by what was written; or the watch told of its end before the answer came. */
  #isGone({ metadata }: KubeObject): boolean {
    const { deletionTimestamp, finalizers = [], deletionGracePeriodSeconds: graceSeconds } = metadata;
    const ends = deletionTimestamp !== undefined && finalizers.length === 0;
    // A pod with time left to stop is still there.
    const lingers = typeof graceSeconds === 'number' && graceSeconds > 0;
    return (ends && !lingers) || this.#gone.has(metadata.uid ?? '');
  }

  #noteGone(uid: string | undefined): void {
    if (uid === undefined) return;
    const now = this.#deps.clock.now();
    this.#gone.delete(uid);
    this.#gone.set(uid, now);
    for (const [old, at] of this.#gone) {
      if (now - at < trustWrittenMs && this.#gone.size <= maxGone) break;
      this.#gone.delete(old);
    }
  }

  /** What was written, unless a watch should have told of it long ago: then it is gone, and the watch is right. */
  #writtenAt(id: string): KubeObject | undefined {
    const written = this.#written.get(id);
    if (!written || this.#deps.clock.now() - written.at < trustWrittenMs) return written?.object;
    this.#written.delete(id);
    this.#index(written.object, undefined);
    const kind = kindOf(written.object);
    for (const informer of this.#watched.keys())
      if (isKind(informer.resource, kind)) this.#index(undefined, informer.get(written.object.metadata));
    return undefined;
  }

  #start(resource: ApiResource): Informer {
    const informer = this.#deps.informers.informer(resource);
    if (this.#watched.has(informer)) return informer;
    const unsubscribe = informer.subscribe((event) => this.#onEvent(event));
    this.#watched.set(informer, unsubscribe);
    for (const object of informer.list()) this.#index(undefined, object);
    return informer;
  }

  #onEvent(event: InformerEvent): void {
    const { object } = event;
    if (event.type === 'delete') this.#noteGone(object.metadata.uid);
    const id = versioned(kindOf(object), object.metadata);
    const { object: written, by } = this.#written.get(id) ?? {};
    const own =
      written?.metadata.resourceVersion === object.metadata.resourceVersion &&
      written?.metadata.uid === object.metadata.uid;
    if (written) {
      const caughtUp =
        event.type === 'delete'
          ? written.metadata.uid === object.metadata.uid
          : atLeast(object.metadata.resourceVersion, written.metadata.resourceVersion);
      if (!caughtUp) return;
      this.#written.delete(id);
    }
    const before = written ?? (event.type === 'upsert' ? event.previous : object);
    const after = event.type === 'upsert' ? object : undefined;
    const applications = new Set(this.#claimedBy.get(objectKeyText(object)));
    for (const name of this.#index(before, after)) applications.add(name);
    for (const name of this.#followersOf(before, after)) applications.add(name);
    if (own && event.type === 'upsert' && by !== undefined) applications.delete(by);
    if (applications.size === 0 || (before && after && this.#deps.ignoresUpdate?.(before, after))) return;
    const key = objectKeyText(object);
    this.#changedAt.set(key, this.#deps.clock.now());
    if (event.type === 'delete' && !this.#claimedBy.has(key)) this.#changedAt.delete(key);
    const change: LiveChange = { key, object: after, applications: [...applications] };
    for (const listener of this.#listeners) listener(change);
  }

  /** Gives the applications that tracked the object before or track it now. */
  #index(before: KubeObject | undefined, after: KubeObject | undefined): string[] {
    const object = after ?? before;
    if (!object) return [];
    const id = versioned(kindOf(object), object.metadata);
    const was = before && this.#ownerOf(before);
    const is = after && this.#ownerOf(after);
    if (was !== undefined && was !== is) {
      const objects = this.#tracked.get(was);
      objects?.delete(id);
      if (objects?.size === 0) this.#tracked.delete(was);
    }
    if (is !== undefined && after) {
      const objects = this.#tracked.get(is) ?? new Map<string, KubeObject>();
      this.#tracked.set(is, objects.set(id, after));
    }
    return [was, is].filter((name): name is string => name !== undefined);
  }

  /** Those to whom it matters that an object of its own came or went. */
  #followersOf(before: KubeObject | undefined, after: KubeObject | undefined): Iterable<string> {
    const object = after ?? before;
    if (!object || (before && after) || (object.metadata.ownerReferences ?? []).length > 0) return [];
    return this.#followers.get(object.metadata.namespace ?? '') ?? [];
  }

  #ownerOf(object: KubeObject): string | undefined {
    if (this.#deps.excluded(kindOf(object))) return undefined;
    const name = trackingApplication(object, this.#deps.tracking());
    return name === undefined ? undefined : qualifiedOfInstanceName(name);
  }
}

function isKind(resource: ApiResource, kind: GroupVersionKind): boolean {
  return resource.kind === kind.kind && resource.group === kind.group && resource.version === kind.version;
}
