import { isObject } from '#base/json.ts';
import type { Journal, JournalWrite } from './journal.ts';
import { ApiError, type ApiObject, type GroupResource } from './port.ts';
import { EventHistory, type StoredChange, type StoredObject } from './stored.ts';

interface Table {
  objects: Map<string, StoredObject>;
  /** Keys in order; undefined after the set of keys changed. */
  sorted: string[] | undefined;
  history: EventHistory;
}

interface Pending {
  change: StoredChange;
  previous: StoredObject | undefined;
  resolve: () => void;
  reject: (error: unknown) => void;
}

type Listener = (change: StoredChange) => void;

/**
 * Every object at its newest version. Memory is the truth for reads; writes of one turn of the event loop are made
 * durable together and only then resolve and reach listeners, in order. A batch that cannot be made durable is undone.
 */
export class Store {
  readonly #tables = new Map<GroupResource, Table>();
  readonly #owned = new Map<string, Set<StoredObject>>();
  readonly #listeners = new Map<GroupResource | '*', Set<Listener>>();
  readonly #journal: Journal | undefined;
  #pending: Pending[] = [];
  #flushing: NodeJS.Immediate | undefined;
  #revision: number;
  /** History begins here, for every kind: what happened in earlier runs is forgotten. */
  readonly #firstRevision: number;
  #closed = false;

  constructor(journal: Journal | undefined) {
    this.#journal = journal;
    this.#revision = Math.max(1, journal?.revision ?? 1);
    this.#firstRevision = this.#revision;
    for (const row of journal?.load() ?? []) {
      const stored = storedObject(row.storage, row.key, row.object, row.revision);
      this.#table(row.storage).objects.set(row.key, stored);
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

  /** All whose key starts with `prefix`, ordered by key. */
  scan(storage: GroupResource, prefix = ''): StoredObject[] {
    const table = this.#tables.get(storage);
    if (!table) return [];
    table.sorted ??= [...table.objects.keys()].sort();
    const found: StoredObject[] = [];
    for (let at = lowerBound(table.sorted, prefix); at < table.sorted.length; at += 1) {
      const key = table.sorted[at] ?? '';
      if (!key.startsWith(prefix)) break;
      const stored = table.objects.get(key);
      if (stored) found.push(stored);
    }
    return found;
  }

  /** As `scan` was at `revision`; undefined when history does not reach back that far. */
  scanAt(storage: GroupResource, prefix: string, revision: number): StoredObject[] | undefined {
    const undo = this.changesSince(storage, revision);
    if (!undo) return undefined;
    const unpublished = this.#pending.map((pending) => pending.change).filter((change) => change.storage === storage);
    const state = new Map(this.scan(storage, prefix).map((stored) => [stored.key, stored]));
    for (const change of [...undo, ...unpublished].reverse()) {
      if (!change.key.startsWith(prefix) || change.revision <= revision) continue;
      if (change.old) state.set(change.key, change.old);
      else state.delete(change.key);
    }
    return [...state.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
  }

  /** Published changes after `revision`, oldest first; undefined when some are forgotten. */
  changesSince(storage: GroupResource, revision: number): StoredChange[] | undefined {
    return this.#table(storage).history.since(revision);
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
  }

  #table(storage: GroupResource): Table {
    let table = this.#tables.get(storage);
    if (!table) {
      table = { objects: new Map(), sorted: undefined, history: new EventHistory(this.#firstRevision) };
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
    return new Promise((resolve, reject) => {
      this.#pending.push({ change, previous: change.old, resolve, reject });
      this.#flushing ??= setImmediate(() => this.#flush());
    });
  }

  #place(storage: GroupResource, key: string, stored: StoredObject | undefined): void {
    const table = this.#table(storage);
    const before = table.objects.get(key);
    if (before) this.#indexOwners(before, false);
    if (stored) {
      table.objects.set(key, stored);
      this.#indexOwners(stored, true);
    } else {
      table.objects.delete(key);
    }
    if ((before === undefined) !== (stored === undefined)) table.sorted = undefined;
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

  #flush(): void {
    this.#flushing = undefined;
    const batch = this.#pending;
    if (batch.length === 0) return;
    try {
      this.#journal?.write(batch.map(({ change }) => journalWrite(change)));
    } catch (error) {
      for (const { change, previous } of batch.toReversed()) this.#place(change.storage, change.key, previous);
      this.#pending = [];
      for (const { reject } of batch) reject(error);
      return;
    }
    this.#pending = [];
    for (const { change, resolve } of batch) {
      this.#table(change.storage).history.add(change);
      resolve();
      for (const listener of this.#listeners.get(change.storage) ?? []) listener(change);
      for (const listener of this.#listeners.get('*') ?? []) listener(change);
    }
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
    : { storage, key, revision, object: change.object.object };
}

function deepFreeze(value: unknown): void {
  if (Array.isArray(value)) for (const item of value) deepFreeze(item);
  else if (isObject(value)) for (const member of Object.values(value)) deepFreeze(member);
  else return;
  Object.freeze(value);
}

function lowerBound(keys: string[], wanted: string): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((keys[middle] ?? '') < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}
