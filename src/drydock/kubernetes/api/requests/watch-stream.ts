import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Clock, Entropy } from '#base/clock.ts';
import type { Exchange } from '../protocol/exchange.ts';
import { asksStream } from '../protocol/negotiation.ts';
import { isTrue, queryInteger } from '../protocol/query-flag.ts';
import { expired, invalidOptions, statusOf } from '../protocol/status-error.ts';
import type { ServedResource } from '../served.ts';
import type { Store } from '../store/store.ts';
import type { StoredChange, StoredObject } from '../store/stored.ts';
import type { Watcher, WatchSink, WatchView } from '../store/watch-hub.ts';
import { WatchText } from '../store/watch-text.ts';
import { forbiddenField, matches, type ObjectFilter, parseRevision } from './list.ts';

export interface WatchDeps {
  clock: Clock;
  entropy: Entropy;
  store: Store;
}

export interface WatchInput {
  resource: ServedResource;
  filter: ObjectFilter;
  /** Shows one object. */
  render: (stored: StoredObject) => string;
  /** Of what `filter` and `render` make of a change: watches that say the same share it. */
  view: string;
  /** What stands for `"columnDefinitions":null` in the first event, for tables. */
  columns: string | undefined;
  /** Shows a bookmark at a revision. */
  bookmark: (revision: number, initialEventsEnd: boolean) => string;
}

const bookmarkEveryMs = 60_000;
/** The last bookmark comes this long before the end, but for watches that are too short for one. */
const bookmarkBeforeEndMs = 2_000;
const shortMs = 10_000;
const pieceSize = 64 * 1024;

/** Streams changes until the client goes, the timeout ends, or the client is too slow. Headers go out at once. */
export async function streamWatch(deps: WatchDeps, exchange: Exchange, input: WatchInput): Promise<void> {
  const { store, clock } = deps;
  const { storage } = input.resource;
  const options = parseWatchOptions(deps, exchange.query);
  const deadline = clock.now() + options.timeoutMs;
  const { response, signal } = exchange;
  const streams = asksStream(exchange.header('accept'));
  response.setHeader('Content-Type', streams ? 'application/json;stream=watch' : 'application/json');
  response.setHeader('Cache-Control', 'no-cache, private');
  response.writeHead(200);
  response.flushHeaders();
  const sink = new ResponseSink(exchange, input.columns);
  const revision = options.initial ? await sendInitial(deps, input, { sink, options, signal }) : options.revision;
  if (signal.aborted) return;
  if (!store.changesSince(storage, revision)) {
    const why = expired(`too old resource version: ${revision} (${store.oldestRevision(storage)})`);
    response.end(line('ERROR', JSON.stringify(statusOf(why))));
    return;
  }
  const watcher = store.watches.follow(viewOf(input), revision, sink);
  sink.onDrain(() => watcher.unblock());
  const bookmark = (): void => {
    const at = bookmarkRevision(store, watcher);
    if (at !== undefined) sink.writeBookmark(line('BOOKMARK', input.bookmark(at, false)));
  };
  try {
    await lastUntil(clock, { deadline, bookmark: options.bookmarks ? bookmark : undefined, signal, options });
  } finally {
    watcher.stop();
    response.end();
  }
}

function line(type: string, object: string): string {
  return `{"type":"${type}","object":${object}}\n`;
}

function viewOf({ resource, filter, render, view }: WatchInput): WatchView {
  return {
    name: view,
    storage: resource.storage,
    line(change) {
      const event = seenThrough(filter, change);
      return event && line(event.type, render(event.object));
    },
  };
}

/** Sends an ADDED for every object, in pieces as the client takes them; returns the version that they are of. */
async function sendInitial(
  { store }: WatchDeps,
  { resource, filter, render, bookmark }: WatchInput,
  { sink, options, signal }: { sink: ResponseSink; options: WatchOptions; signal: AbortSignal },
): Promise<number> {
  const revision = store.publishedRevision;
  const prefix = filter.namespace === undefined ? '' : `${filter.namespace}/`;
  let text = '';
  for (const stored of store.snapshot(resource.storage, { prefix, revision }) ?? []) {
    if (matches(filter, stored.object)) text += line('ADDED', render(stored));
    if (store.turns.spent) await store.turns.enter();
    if (text.length < pieceSize) continue;
    if (!sink.write(new WatchText(text))) await sink.drained(signal);
    text = '';
    if (signal.aborted) return revision;
  }
  if (text !== '') sink.write(new WatchText(text));
  if (options.markEndOfInitial) sink.writeBookmark(line('BOOKMARK', bookmark(revision, true)));
  return revision;
}

/** A bookmark may only name a version all of whose changes were sent; undefined when there is nothing to say. */
function bookmarkRevision(store: Store, watcher: Watcher): number | undefined {
  const { revision, storage, blocked } = watcher;
  if (blocked || revision > store.publishedRevision) return undefined;
  return store.changesSince(storage, revision, 1)?.length === 0 ? store.publishedRevision : revision;
}

/** Resolves at the deadline or when the client went; calls `bookmark` about every minute and shortly before the end. */
async function lastUntil(
  clock: Clock,
  {
    deadline,
    bookmark,
    signal,
    options: { timeoutMs },
  }: { deadline: number; bookmark: (() => void) | undefined; signal: AbortSignal; options: WatchOptions },
): Promise<void> {
  const nextBookmark = (now: number): number => {
    if (!bookmark) return Number.POSITIVE_INFINITY;
    const last = deadline - bookmarkBeforeEndMs;
    return timeoutMs > shortMs && last > now ? Math.min(last, now + bookmarkEveryMs) : now + bookmarkEveryMs;
  };
  let due = nextBookmark(clock.now());
  for (let now = clock.now(); now < deadline && !signal.aborted; now = clock.now()) {
    if (now >= due) {
      bookmark?.();
      due = nextBookmark(now);
    }
    const wait = Math.min(deadline, due, now + longestSleepMs) - now;
    await clock.sleep(wait, signal).catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
  }
}

const longestSleepMs = 2_147_000_000;

/**
 * Writes to a response. Chunks go to the socket as they are: one buffer serves all watchers, and the time it takes is
 * taken at once, so that whoever brings them sees when its slice is over. (A response would frame each anew, later.)
 */
class ResponseSink implements WatchSink {
  readonly #response: ServerResponse;
  readonly #socket: Socket | undefined;
  #columns: string | undefined;

  constructor({ request, response }: Exchange, columns: string | undefined) {
    this.#response = response;
    const isChunked = request.httpVersion === '1.1' && request.method !== 'HEAD';
    this.#socket = isChunked ? (response.socket ?? undefined) : undefined;
    this.#columns = columns;
  }

  write(text: WatchText): boolean {
    if (this.#columns === undefined) return this.#send(text);
    const columns = `"columnDefinitions":${this.#columns}`;
    this.#columns = undefined;
    return this.#send(new WatchText(text.text.replace(noColumns, () => columns)));
  }

  writeBookmark(text: string): void {
    this.#send(new WatchText(text));
  }

  drop(): void {
    this.#response.destroy();
  }

  onDrain(listener: () => void): void {
    const stream = this.#socket ?? this.#response;
    stream.on('drain', listener);
    this.#response.once('close', () => stream.off('drain', listener));
  }

  /** Resolves when the client has read all, or went. */
  drained(signal: AbortSignal): Promise<void> {
    const stream = this.#socket ?? this.#response;
    return new Promise((resolve) => {
      const done = (): void => {
        signal.removeEventListener('abort', done);
        stream.off('drain', done);
        resolve();
      };
      if (signal.aborted) return resolve();
      signal.addEventListener('abort', done);
      stream.on('drain', done);
    });
  }

  #send(text: WatchText): boolean {
    if (!this.#socket) return this.#response.write(text.text);
    return !this.#response.writableEnded && !this.#socket.destroyed && this.#socket.write(text.chunk);
  }
}

const noColumns = '"columnDefinitions":null';

/** What a watcher with this filter sees of a change: entering is ADDED, leaving is DELETED. */
function seenThrough(
  filter: ObjectFilter,
  change: StoredChange,
): { type: StoredChange['type']; object: StoredObject } | undefined {
  const before = change.old !== undefined && matches(filter, change.old.object);
  const now = change.type !== 'DELETED' && matches(filter, change.object.object);
  if (now) return { type: before ? 'MODIFIED' : 'ADDED', object: change.object };
  if (!before || !change.old) return undefined;
  if (change.type === 'DELETED') return { type: 'DELETED', object: change.object };
  // The old object, which the watcher knows, at the version of the change.
  const { old } = change;
  const metadata = { ...old.object.metadata, resourceVersion: String(change.revision) };
  const left: StoredObject = {
    ...old,
    revision: change.revision,
    object: { ...old.object, metadata },
    body: undefined,
  };
  return { type: 'DELETED', object: left };
}

interface WatchOptions {
  revision: number;
  /** Begin with an ADDED for every object there is. */
  initial: boolean;
  markEndOfInitial: boolean;
  bookmarks: boolean;
  timeoutMs: number;
}

function parseWatchOptions(deps: WatchDeps, query: URLSearchParams): WatchOptions {
  const version = query.get('resourceVersion') ?? '';
  const match = query.get('resourceVersionMatch') ?? '';
  const sendInitial = query.get('sendInitialEvents');
  const refuse = (field: string, why: string): Error => invalidOptions('ListOptions', forbiddenField(field, why));
  if (sendInitial !== null && match === '')
    throw refuse('resourceVersionMatch', 'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan');
  if (sendInitial !== null && match !== 'NotOlderThan')
    throw invalidOptions('ListOptions', {
      field: 'resourceVersionMatch',
      reason: 'FieldValueNotSupported',
      message: `Unsupported value: "${match}": supported values: "NotOlderThan"`,
    });
  if (sendInitial === null && match !== '')
    throw refuse(
      'resourceVersionMatch',
      'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided',
    );
  const revision = parseRevision(version);
  const wantsInitial = sendInitial === null ? revision === 0 : isTrue(sendInitial);
  const seconds = queryInteger(query.get('timeoutSeconds')) ?? 0;
  return {
    // Without initial events and without a version, the watch starts now.
    revision: !wantsInitial && revision === 0 ? deps.store.publishedRevision : revision,
    initial: wantsInitial,
    markEndOfInitial: sendInitial !== null && wantsInitial && isTrue(query.get('allowWatchBookmarks')),
    bookmarks: isTrue(query.get('allowWatchBookmarks')),
    timeoutMs: seconds > 0 ? seconds * 1000 : Math.round((1800 + deps.entropy.fraction() * 1800) * 1000),
  };
}
