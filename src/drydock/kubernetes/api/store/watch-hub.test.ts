import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { Store } from './store.ts';
import type { StoredObject } from './stored.ts';
import type { WatchSink, WatchView } from './watch-hub.ts';

class Sink implements WatchSink {
  lines: string[] = [];
  writes = 0;
  dropped = false;
  /** Reads nothing. */
  stuck = false;

  write({ text }: { text: string }): boolean {
    this.writes += 1;
    this.lines.push(...text.split('\n').slice(0, -1));
    return !this.stuck;
  }

  drop(): void {
    this.dropped = true;
  }
}

/** Sees the objects whose name begins with `prefix`, and counts how often it is asked. */
function viewOf(prefix: string): WatchView & { asked: number } {
  const view = {
    name: prefix,
    storage: 'configmaps',
    asked: 0,
    line({ type, object }: { type: string; object: StoredObject }) {
      view.asked += 1;
      return object.key.startsWith(prefix) ? `${type} ${object.key} ${object.revision}\n` : undefined;
    },
  };
  return view;
}

function put(store: Store, name: string, data = ''): Promise<StoredObject> {
  const object = { kind: 'ConfigMap', apiVersion: 'v1', metadata: { name }, data };
  return store.put({ storage: 'configmaps', key: name }, object, store.get('configmaps', name));
}

async function settle(): Promise<void> {
  for (let n = 0; n < 50; n += 1) await turn();
}

test('all watchers of a view get each change once, in order, made once', async () => {
  await using store = new Store(undefined);
  const view = viewOf('a');
  const sinks = Array.from({ length: 100 }, () => new Sink());
  for (const sink of sinks) store.watches.follow(view, store.revision, sink);
  await settle();
  for (const name of ['a1', 'b1', 'a2']) await put(store, name);
  await Promise.all([put(store, 'a1'), put(store, 'b1'), put(store, 'a2')]);
  await settle();
  for (const sink of sinks)
    assert.deepEqual(sink.lines, ['ADDED a1 2', 'ADDED a2 4', 'MODIFIED a1 5', 'MODIFIED a2 7']);
  assert.equal(view.asked, 6);
});

test('changes of no concern are looked at once, and cost a watcher neither its place nor a write', async () => {
  await using store = new Store(undefined);
  const view = viewOf('a');
  const sink = new Sink();
  const watcher = store.watches.follow(view, store.revision, sink);
  await settle();
  for (let n = 0; n < 5000; n += 1) await put(store, 'b');
  await settle();
  assert.equal(watcher.revision, store.revision);
  await put(store, 'a');
  await settle();
  assert.deepEqual([sink.lines, sink.writes, sink.dropped], [[`ADDED a ${store.revision}`], 1, false]);
});

test('a watch that resumes gets what it missed; one from the future nothing before its version', async () => {
  await using store = new Store(undefined);
  await put(store, 'a1');
  await put(store, 'a2');
  const [late, early] = [new Sink(), new Sink()];
  store.watches.follow(viewOf('a'), 2, late);
  store.watches.follow(viewOf('a'), 5, early);
  await settle();
  for (let n = 0; n < 4; n += 1) await put(store, 'a1');
  await settle();
  assert.deepEqual(
    late.lines.map((line) => line.split(' ')[2]),
    ['3', '4', '5', '6', '7'],
  );
  assert.deepEqual(
    early.lines.map((line) => line.split(' ')[2]),
    ['6', '7'],
  );
});

test('a client that does not read gets one write at a time; it is dropped when it lags by 8 MiB', async () => {
  await using store = new Store(undefined);
  const [stuck, fine] = [new Sink(), new Sink()];
  stuck.stuck = true;
  const watcher = store.watches.follow(viewOf('a'), store.revision, stuck);
  store.watches.follow(viewOf('a'), store.revision, fine);
  await settle();
  await put(store, 'a');
  await settle();
  for (let n = 0; n < 7; n += 1) await put(store, 'a', 'x'.repeat(1024 * 1024));
  await settle();
  assert.deepEqual([stuck.writes, stuck.dropped, fine.lines.length], [1, false, 8]);
  stuck.stuck = false;
  watcher.unblock();
  await settle();
  assert.deepEqual(stuck.lines, fine.lines);
  stuck.stuck = true;
  for (let n = 0; n < 10; n += 1) await put(store, 'a', 'y'.repeat(1024 * 1024));
  await settle();
  assert.deepEqual([stuck.dropped, fine.dropped, store.watches.size], [true, false, 1]);
});

test('history is bounded by weight too', async () => {
  await using store = new Store(undefined);
  for (let n = 0; n < 100; n += 1) await put(store, 'a', 'x'.repeat(1024 * 1024));
  const kept = store.changesSince('configmaps', store.oldestRevision('configmaps'))?.length ?? 0;
  assert.ok(kept >= 40 && kept <= 65, `${kept} changes of 1 MiB`);
});

test('whoever stops is forgotten with its view', async () => {
  await using store = new Store(undefined);
  const sink = new Sink();
  const watcher = store.watches.follow(viewOf('a'), store.revision, sink);
  watcher.stop();
  await put(store, 'a');
  await settle();
  assert.deepEqual([sink.lines, store.watches.size], [[], 0]);
});
