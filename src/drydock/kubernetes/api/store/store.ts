import { isObject } from '#base/json.ts';
import { ApiError, type ApiObject, type GroupResource } from '../port.ts';
import type { Journal, JournalWrite } from './journal.ts';
import { OrderedObjects, overlaid } from './ordered.ts';
import { EventHistory, type StoredChange, type StoredObject } from './stored.ts';
import { Turns } from './turn.ts';
import { WatchHub } from './watch-hub.ts';

interface Table {
  objects: OrderedObjects;
  history: EventHistory;
}

interface Pending {
  change: StoredChange;
  done: Promise<void>;
  resolve: () => void;
  reject: (error: unknown) => void;
}

type Listener = (change: StoredChange) => void;

/**
 * Every object at its newest version. Memory is the truth for reads; writes that come while others are made durable
 * are made durable together, and only then are published: they resolve, and reach listeners and watches, in order. When
 * writes cannot be made durable, they and all that wait are undone. `get` and `scan` show writes that wait, for those who write on top of them; what
 * clients are shown comes from `getPublished` and `snapshot`, so that nobody sees what a crash could take back.
 */
export class Store {
  readonly turns = new Turns();
  readonly watches: WatchHub;
  readonly #tables = new Map<GroupResource, Table>();
  readonly #owned = new Map<string, Set<StoredObject>>();
  readonly #listeners = new Map<GroupResource | '*', Set<Listener>>();
  readonly #journal: Journal | undefined;
  /** Placed in memory and not durable yet, oldest first. */
  readonly #pending: Pending[] = [];
  #writing: Promise<void> | undefined;
  #flushing: NodeJS.Immediate | undefined;
  #revision: number;
  /** History begins here, for every kind: what happened in earlier runs is forgotten. */
  readonly #firstRevision: number;
  #closed = false;

  constructor(journal: Journal | undefined) {
    this.#journal = journal;
    this.watches = new WatchHub(this);
    this.#revision = Math.max(1, journal?.revision ?? 1);
    this.#firstRevision = this.#revision;
    for (const row of journal?.load() ?? []) {
      const stored = storedObject(row.storage, row.key, row.object, row.revision);
      this.#table(row.storage).objects.set(stored);
      this.#indexOwners(stored, true);
    }
  }

  /** The version of the newest write. */
  get revision(): number {
    return this.#revision;
  }

  /** All changes up to this version have reached the listeners. */
  get publishedRevision(): number {
    const next = this.#pending[0];
    return next ? next.change.revision - 1 : this.#revision;
  }

  get(storage: GroupResource, key: string): StoredObject | undefined {
    return this.#tables.get(storage)?.objects.get(key);
  }

  /** As `get`, without what is not durable yet. */
  getPublished(storage: GroupResource, key: string): StoredObject | undefined {
    if (this.#pending.length === 0) return this.get(storage, key);
    const waiting = this.#pending.find(({ change }) => change.storage === storage && change.key === key);
    return waiting ? waiting.change.old : this.get(storage, key);
  }

  /** All whose key starts with `prefix`, ordered by key. */
  scan(storage: GroupResource, prefix = ''): StoredObject[] {
    return this.#tables.get(storage)?.objects.range(prefix, '') ?? [];
  }

  /** What was published at `revision` under `prefix` from the key `start` on; undefined when history does not reach back that far. */
  snapshot(
    storage: GroupResource,
    { prefix, start = '', revision }: { prefix: string; start?: string; revision: number },
  ): StoredObject[] | undefined {
    const objects = this.#tables.get(storage)?.objects.range(prefix, start) ?? [];
    const later = revision < this.publishedRevision ? this.changesSince(storage, revision) : [];
    if (!later) return undefined;
    const undo = new Map<string, StoredObject | undefined>();
    const undone = ({ storage: where, key, old, revision: at }: StoredChange): void => {
      if (where !== storage || at <= revision || !key.startsWith(prefix) || key < start) return;
      if (!undo.has(key)) undo.set(key, old);
    };
    for (const change of later) undone(change);
    for (const { change } of this.#pending) undone(change);
    return overlaid(objects, undo);
  }

  /** Published changes after `revision`, oldest first; undefined when some are forgotten. */
  changesSince(storage: GroupResource, revision: number, limit?: number): StoredChange[] | undefined {
    return this.#table(storage).history.since(revision, limit);
  }

  /** Characters of JSON in the published changes after `revision`. */
  weightSince(storage: GroupResource, revision: number): number {
    return this.#table(storage).history.weightSince(revision);
  }

  /** Changes before this are forgotten. */
  oldestRevision(storage: GroupResource): number {
    return this.#table(storage).history.start;
  }

  ownedBy(uid: string): StoredObject[] {
    return [...(this.#owned.get(uid) ?? [])];
  }

  count(storage: GroupResource): number {
    return this.#tables.get(storage)?.objects.size ?? 0;
  }

  /** Writes `object` over `expected` (undefined: creates). Throws at once when the stored version is another. */
  put(at: { storage: GroupResource; key: string }, object: ApiObject, expected: StoredObject | undefined) {
    const stored = this.#advance(at, expected, (revision) => storedObject(at.storage, at.key, object, revision));
    return this.#commit({
      type: expected ? 'MODIFIED' : 'ADDED',
      storage: at.storage,
      key: at.key,
      revision: stored.revision,
      object: stored,
      old: expected,
    }).then(() => stored);
  }

  /** Resolves when `stored` is durable; rejects when it is undone. */
  async settled(stored: StoredObject): Promise<void> {
    await this.#pending.find(({ change }) => change.object === stored)?.done;
  }

  /** Removes `expected`; resolves to its last state (`object`), carrying the version of the deletion. */
  remove(expected: StoredObject, object = expected.object): Promise<StoredObject> {
    const { storage, key } = expected;
    const last = this.#advance({ storage, key }, expected, (revision) => storedObject(storage, key, object, revision));
    const change: StoredChange = {
      type: 'DELETED',
      storage,
      key,
      revision: last.revision,
      object: last,
      old: expected,
    };
    return this.#commit(change).then(() => last);
  }

  /** Calls `listener` after each durable change, in order; returns how to stop. */
  subscribe(storage: GroupResource | '*', listener: Listener): () => void {
    const listeners = this.#listeners.get(storage) ?? new Set();
    this.#listeners.set(storage, listeners);
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  /** Writes out what waits. The journal is its opener's to close. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    if (this.#flushing) clearImmediate(this.#flushing);
    this.#flush();
    while (this.#writing) await this.#writing;
  }

  #table(storage: GroupResource): Table {
    let table = this.#tables.get(storage);
    if (!table) {
      table = { objects: new OrderedObjects(), history: new EventHistory(this.#firstRevision) };
      this.#tables.set(storage, table);
    }
    return table;
  }

  #advance(
    at: { storage: GroupResource; key: string },
    expected: StoredObject | undefined,
    build: (revision: number) => StoredObject,
  ): StoredObject {
    if (this.#closed) throw new ApiError(503, 'ServiceUnavailable', 'the server is shutting down');
    if (this.get(at.storage, at.key)?.revision !== expected?.revision) throw new WriteRace(at.key);
    this.#revision += 1;
    return build(this.#revision);
  }

  #commit(change: StoredChange): Promise<void> {
    this.#place(change.storage, change.key, change.type === 'DELETED' ? undefined : change.object);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#pending.push({ change, done: promise, resolve, reject });
    this.#flushing ??= setImmediate(() => this.#flush());
    return promise;
  }

  #place(storage: GroupResource, key: string, stored: StoredObject | undefined): void {
    const table = this.#table(storage);
    const before = table.objects.get(key);
    if (before) this.#indexOwners(before, false);
    if (stored) {
      table.objects.set(stored);
      this.#indexOwners(stored, true);
    } else {
      table.objects.delete(key);
    }
  }

  #indexOwners(stored: StoredObject, present: boolean): void {
    for (const owner of stored.object.metadata.ownerReferences ?? []) {
      const dependents = this.#owned.get(owner.uid) ?? new Set();
      if (present) dependents.add(stored);
      else dependents.delete(stored);
      if (dependents.size > 0) this.#owned.set(owner.uid, dependents);
      else this.#owned.delete(owner.uid);
    }
  }

  /** One batch at a time: what comes meanwhile makes the next. */
  #flush(): void {
    this.#flushing = undefined;
    const count = this.#pending.length;
    if (count === 0 || this.#writing) return;
    if (!this.#journal) {
      this.#publish(count);
      return;
    }
    const writes = this.#pending.map(({ change }) => journalWrite(change));
    this.#writing = this.#journal.write(writes).then(
      () => {
        this.#writing = undefined;
        this.#publish(count);
        this.#flush();
      },
      (error: unknown) => {
        this.#writing = undefined;
        this.#undo(error);
      },
    );
  }

  #publish(count: number): void {
    for (const { change, resolve } of this.#pending.splice(0, count)) {
      this.#table(change.storage).history.add(change);
      resolve();
      for (const listener of this.#listeners.get(change.storage) ?? []) listener(change);
      for (const listener of this.#listeners.get('*') ?? []) listener(change);
      this.watches.advance(change.storage);
    }
    this.watches.bring();
  }

  /** Later writes stand on those that failed: all are taken back. */
  #undo(error: unknown): void {
    const undone = this.#pending.splice(0);
    for (const { change } of undone.toReversed()) this.#place(change.storage, change.key, change.old);
    for (const { reject } of undone) reject(error);
  }
}

/** The stored version changed between reading and writing: the caller reads again. */
export class WriteRace extends Error {
  override name = 'WriteRace';
}

function storedObject(storage: GroupResource, key: string, object: ApiObject, revision: number): StoredObject {
  const versioned = { ...object, metadata: { ...object.metadata, resourceVersion: String(revision) } };
  deepFreeze(versioned);
  return { storage, key, revision, object: versioned, body: undefined };
}

function journalWrite(change: StoredChange): JournalWrite {
  const { storage, key, revision } = change;
  return change.type === 'DELETED'
    ? { storage, key, revision, object: undefined }
    : { storage, key, revision, object: change.object };
}

function deepFreeze(value: unknown): void {
  if (Array.isArray(value)) for (const item of value) deepFreeze(item);
  else if (isObject(value)) for (const member of Object.values(value)) deepFreeze(member);
  else return;
  Object.freeze(value);
}
