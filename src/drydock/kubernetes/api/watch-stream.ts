import type { Clock, Entropy } from '#base/clock.ts';
import type { Exchange } from './exchange.ts';
import { forbiddenField, matches, type ObjectFilter, parseRevision } from './list.ts';
import { asksStream } from './negotiation.ts';
import type { ServedResource } from './served.ts';
import { expired, invalidOptions, statusOf } from './status-error.ts';
import type { Store } from './store.ts';
import type { StoredChange, StoredObject } from './stored.ts';

export interface WatchDeps {
  clock: Clock;
  entropy: Entropy;
  store: Store;
}

export interface WatchInput {
  resource: ServedResource;
  filter: ObjectFilter;
  /** Shows one object; called once more than once per object only with the same result. */
  render: (stored: StoredObject) => string;
  /** Shows a bookmark at a revision. */
  bookmark: (revision: number, initialEventsEnd: boolean) => string;
}

/** A watcher that has this much unsent is closed; it lists again. */
const backlogLimit = 8 * 1024 * 1024;
const bookmarkEveryMs = 60_000;

/** Streams changes until the client goes, the timeout ends, or the client is too slow. Headers go out at once. */
export async function streamWatch(deps: WatchDeps, exchange: Exchange, input: WatchInput): Promise<void> {
  const { store } = deps;
  const { resource, filter } = input;
  const options = parseWatchOptions(deps, exchange.query);
  const { response } = exchange;
  response.setHeader(
    'Content-Type',
    asksStream(exchange.header('accept')) ? 'application/json;stream=watch' : 'application/json',
  );
  response.setHeader('Cache-Control', 'no-cache, private');
  response.writeHead(200);
  response.flushHeaders();
  const send = (type: string, object: string): void => {
    response.write(`{"type":"${type}","object":${object}}\n`);
    if (response.writableLength > backlogLimit) response.destroy();
  };
  let last = options.revision;
  const deliver = (change: StoredChange): void => {
    if (change.revision <= last) return;
    last = change.revision;
    const event = seenThrough(filter, change);
    if (event) send(event.type, input.render(event.object));
  };
  if (options.initial) {
    last = store.revision;
    for (const stored of store.scan(
      resource.groupResource,
      filter.namespace === undefined ? '' : `${filter.namespace}/`,
    ))
      if (matches(filter, stored.object)) send('ADDED', input.render(stored));
    if (options.markEndOfInitial) send('BOOKMARK', input.bookmark(last, true));
  } else {
    const missed = store.changesSince(resource.storage, options.revision);
    if (!missed) {
      const oldest = store.oldestRevision(resource.storage);
      send('ERROR', JSON.stringify(statusOf(expired(`too old resource version: ${options.revision} (${oldest})`))));
      response.end();
      return;
    }
    for (const change of missed) deliver(change);
  }
  const stop = store.subscribe(resource.storage, deliver);
  // A bookmark may only name a version all of whose changes were delivered.
  const bookmark = (): void => {
    if (options.bookmarks) send('BOOKMARK', input.bookmark(Math.max(last, store.publishedRevision), false));
  };
  const ticking = setInterval(bookmark, bookmarkEveryMs);
  try {
    await ended(exchange.signal, options.timeoutMs);
    if (options.timeoutMs > bookmarkEveryMs) bookmark();
  } finally {
    clearInterval(ticking);
    stop();
    response.end();
  }
}

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
  const seconds = Number(query.get('timeoutSeconds') ?? 0);
  return {
    // Without initial events and without a version, the watch starts now.
    revision: !wantsInitial && revision === 0 ? deps.store.revision : revision,
    initial: wantsInitial,
    markEndOfInitial: sendInitial !== null && wantsInitial && isTrue(query.get('allowWatchBookmarks')),
    bookmarks: isTrue(query.get('allowWatchBookmarks')),
    timeoutMs: seconds > 0 ? seconds * 1000 : Math.round((1800 + deps.entropy.fraction() * 1800) * 1000),
  };
}

export function isTrue(text: string | null): boolean {
  return text === 'true' || text === '1' || text === 'True' || text === 'TRUE' || text === 't' || text === 'T';
}

function ended(signal: AbortSignal, timeoutMs: number): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const timer = setTimeout(done, Math.min(timeoutMs, 2_147_000_000));
    signal.addEventListener('abort', done, { once: true });
    function done(): void {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    }
  });
}
