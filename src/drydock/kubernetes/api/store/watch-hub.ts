import type { GroupResource } from '../port.ts';
import type { Store } from './store.ts';
import type { StoredChange } from './stored.ts';
import { WatchText } from './watch-text.ts';

/** Where a watcher's events go. */
export interface WatchSink {
  /** False when the client should be left alone until it has read, which `unblock` then says. */
  write(text: WatchText): boolean;
  /** The watcher will get nothing more: it lagged too far behind. */
  drop(): void;
}

/** How changes look to some watchers; those with the same `name` see the same and share one text per event. */
export interface WatchView {
  name: string;
  storage: GroupResource;
  /** The event of a change as a line, or undefined when they do not see it. */
  line(change: StoredChange): string | undefined;
}

/** A client that reads nothing may lag by this much JSON. */
const lagLimit = 8 * 1024 * 1024;
/** One write to a client: about so much text of at most so many changes. */
const batchSize = 64 * 1024;
const batchChanges = 256;
/** Of a turn, for bringing changes to watchers. */
const sliceMs = 2;

interface Batch {
  /** Exclusive and inclusive. */
  from: number;
  to: number;
  text: WatchText | undefined;
}

/**
 * Brings published changes to all watchers. A watcher is a place in the history of its kind, not a queue: what it has
 * not read costs nothing, and who falls out of history, or lags too far, is dropped. Works in slices of a turn, so that
 * any number of watchers does not hold up a write.
 */
export class WatchHub {
  readonly #store: Store;
  readonly #views = new Map<string, ViewWatchers>();
  readonly #ofKind = new Map<GroupResource, Set<ViewWatchers>>();
  /** Views whose kind changed, and watchers that are behind: each does a piece of its work when its turn comes. */
  readonly #work = new Set<{ step(): boolean }>();
  #scheduled = false;

  constructor(store: Store) {
    this.#store = store;
  }

  /** Of every kind. */
  get size(): number {
    return [...this.#views.values()].reduce((sum, view) => sum + view.watchers.size, 0);
  }

  /** Follows the changes after `revision`. */
  follow(view: WatchView, revision: number, sink: WatchSink): Watcher {
    let watching = this.#views.get(view.name);
    if (!watching) {
      watching = new ViewWatchers(this, this.#store, view);
      this.#views.set(view.name, watching);
      const some = this.#ofKind.get(view.storage) ?? new Set();
      this.#ofKind.set(view.storage, some);
      some.add(watching);
    }
    const watcher = new Watcher(watching, revision, sink);
    watching.watchers.add(watcher);
    this.plan(watcher);
    return watcher;
  }

  /** Something of this kind was published. */
  advance(storage: GroupResource): void {
    for (const view of this.#ofKind.get(storage) ?? []) this.plan(view);
  }

  /** Brings what there is at once, as far as a slice goes: a change mostly reaches watchers before its writer hears of it. */
  bring(): void {
    if (this.#work.size > 0) this.#run();
  }

  plan(work: { step(): boolean }): void {
    this.#work.add(work);
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#run();
    });
  }

  forget(watcher: Watcher, watching: ViewWatchers): void {
    this.#work.delete(watcher);
    if (!watching.watchers.delete(watcher) || watching.watchers.size > 0) return;
    this.#work.delete(watching);
    this.#views.delete(watching.view.name);
    const some = this.#ofKind.get(watching.view.storage);
    some?.delete(watching);
    if (some?.size === 0) this.#ofKind.delete(watching.view.storage);
  }

  #run(): void {
    const end = performance.now() + sliceMs;
    for (const work of this.#work) {
      this.#work.delete(work);
      if (work.step()) this.plan(work);
      if (performance.now() >= end) break;
    }
    const [rest] = this.#work;
    if (rest) this.plan(rest);
  }
}

/** All who watch the same. Most of them have seen everything: they move on together when nothing concerns them. */
class ViewWatchers {
  readonly hub: WatchHub;
  readonly view: WatchView;
  readonly watchers = new Set<Watcher>();
  readonly #store: Store;
  readonly #upToDate = new Set<Watcher>();
  /** The newest batches: most watchers stand at the same version. */
  readonly #batches: Batch[] = [];
  #head: number;

  constructor(hub: WatchHub, store: Store, view: WatchView) {
    this.hub = hub;
    this.#store = store;
    this.view = view;
    this.#head = store.publishedRevision;
  }

  /** Those who are up to date have seen all until here. */
  get head(): number {
    return this.#head;
  }

  join(watcher: Watcher): void {
    this.#upToDate.add(watcher);
  }

  leave(watcher: Watcher): void {
    this.#upToDate.delete(watcher);
  }

  isUpToDate(watcher: Watcher): boolean {
    return this.#upToDate.has(watcher);
  }

  /** Looks at the next changes; wakes those whom they concern. */
  step(): boolean {
    const batch = this.batchAfter(this.#head);
    const from = this.#head;
    if (batch) this.#head = batch.to;
    if (!batch || batch.text) {
      for (const watcher of this.#upToDate) {
        watcher.startFrom(from);
        this.hub.plan(watcher);
      }
      this.#upToDate.clear();
    }
    for (const watcher of this.watchers) if (!this.#upToDate.has(watcher)) this.#remind(watcher);
    return batch !== undefined && this.#head > from;
  }

  /** The changes after `revision` as text; undefined when history does not reach back that far. */
  batchAfter(revision: number): Batch | undefined {
    const known = this.#batches.find(({ from }) => from === revision);
    if (known) return known;
    const changes = this.#store.changesSince(this.view.storage, revision, batchChanges);
    if (!changes) return undefined;
    let text = '';
    // Versions between are of other kinds: without a change to see, a watcher is where the others are.
    let to = changes.length === 0 ? Math.max(revision, this.#head) : revision;
    for (const change of changes) {
      text += this.view.line(change) ?? '';
      to = change.revision;
      if (text.length >= batchSize) break;
    }
    const batch: Batch = { from: revision, to, text: text === '' ? undefined : new WatchText(text) };
    if (batch.text && this.watchers.size > 1) this.#batches.unshift(batch);
    if (this.#batches.length > 4) this.#batches.pop();
    return batch;
  }

  #remind(watcher: Watcher): void {
    if (!watcher.blocked) this.hub.plan(watcher);
    else if (this.#store.weightSince(this.view.storage, watcher.revision) > lagLimit) watcher.drop();
  }
}

/** One client's place in the history of a kind. */
export class Watcher {
  readonly #watching: ViewWatchers;
  readonly #sink: WatchSink;
  #revision: number;
  #blocked = false;

  constructor(watching: ViewWatchers, revision: number, sink: WatchSink) {
    this.#watching = watching;
    this.#revision = revision;
    this.#sink = sink;
  }

  get storage(): GroupResource {
    return this.#watching.view.storage;
  }

  /** All changes up to this version were written to the client. */
  get revision(): number {
    return this.#watching.isUpToDate(this) ? this.#watching.head : this.#revision;
  }

  /** The client reads too slowly just now. */
  get blocked(): boolean {
    return this.#blocked;
  }

  startFrom(revision: number): void {
    this.#revision = revision;
  }

  /** The client has read what it was sent. */
  unblock(): void {
    this.#blocked = false;
    if (this.#watching.watchers.has(this)) this.#watching.hub.plan(this);
  }

  /** Writes some of what is new; true when there may be more. */
  step(): boolean {
    const batch = this.#watching.batchAfter(this.#revision);
    if (!batch) {
      this.drop();
      return false;
    }
    this.#revision = batch.to;
    if (batch.text) this.#blocked = !this.#sink.write(batch.text);
    if (this.#blocked) return false;
    if (this.#revision === this.#watching.head) this.#watching.join(this);
    return this.#revision < this.#watching.head;
  }

  drop(): void {
    this.stop();
    this.#sink.drop();
  }

  stop(): void {
    this.#watching.leave(this);
    this.#watching.hub.forget(this, this.#watching);
  }
}
