import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ApiObject } from '../port.ts';
import type { Journal } from './journal.ts';
import { Store, WriteRace } from './store.ts';

const at = (key: string) => ({ storage: 'configmaps', key });
const object = (name: string, more: Partial<ApiObject['metadata']> = {}): ApiObject => ({
  kind: 'ConfigMap',
  apiVersion: 'v1',
  metadata: { name, namespace: 'n', ...more },
});
const keys = (found: { key: string }[] | undefined): string[] | undefined => found?.map(({ key }) => key);

test('every write takes the next version; a write over another version than the stored one is a race', async () => {
  await using store = new Store(undefined);
  const first = await store.put(at('n/a'), object('a'), undefined);
  const second = await store.put(at('n/a'), object('a'), first);
  assert.deepEqual([first.revision, second.revision, store.revision], [2, 3, 3]);
  assert.equal(second.object.metadata.resourceVersion, '3');
  assert.throws(() => store.put(at('n/a'), object('a'), first), WriteRace);
  assert.throws(() => store.put(at('n/a'), object('a'), undefined), WriteRace);
  const gone = await store.remove(second);
  assert.equal(gone.object.metadata.resourceVersion, '4');
  assert.throws(() => store.remove(second), WriteRace);
});

test('stored objects cannot be changed from outside', async () => {
  await using store = new Store(undefined);
  const { object: stored } = await store.put(at('n/a'), object('a', { labels: { x: '1' } }), undefined);
  assert.throws(() => Object.assign(stored.metadata.labels ?? {}, { x: '2' }), TypeError);
});

test('listeners hear of changes after they are durable, in order', async () => {
  const log: string[] = [];
  const journal = fakeJournal((count) => log.push(`written ${count}`));
  await using store = new Store(journal);
  store.subscribe('configmaps', ({ type, key }) => log.push(`${type} ${key}`));
  const writes = [store.put(at('n/a'), object('a'), undefined), store.put(at('n/b'), object('b'), undefined)];
  assert.deepEqual(log, []);
  assert.equal(store.publishedRevision, 1);
  await Promise.all(writes);
  assert.deepEqual(log, ['written 2', 'ADDED n/a', 'ADDED n/b']);
  assert.equal(store.publishedRevision, 3);
});

test('a batch that cannot be made durable is undone as a whole', async () => {
  let broken = false;
  const journal = fakeJournal(() => {
    if (broken) throw new Error('disk full');
  });
  await using store = new Store(journal);
  const kept = await store.put(at('n/a'), object('a', { uid: '1' }), undefined);
  broken = true;
  const writes = [
    store.put(at('n/a'), object('a', { uid: '2' }), kept),
    store.put(at('n/b'), object('b'), undefined),
    store.remove(await store.put(at('n/c'), object('c'), undefined).catch(() => kept)),
  ];
  const outcomes = await Promise.allSettled(writes);
  assert.deepEqual(
    outcomes.map(({ status }) => status),
    ['rejected', 'rejected', 'rejected'],
  );
  broken = false;
  assert.deepEqual(keys(store.scan('configmaps')), ['n/a']);
  assert.equal(store.get('configmaps', 'n/a')?.object.metadata.uid, '1');
  assert.equal((await store.put(at('n/b'), object('b'), undefined)).revision > kept.revision, true);
});

test('the past is seen as far as history reaches, and no further', async () => {
  await using store = new Store(undefined);
  let last = await store.put(at('n/a'), object('a'), undefined);
  const early = last.revision;
  await store.put(at('n/b'), object('b'), undefined);
  assert.deepEqual(keys(store.snapshot('configmaps', { prefix: 'n/', revision: early })), ['n/a']);
  assert.deepEqual(keys(store.snapshot('configmaps', { prefix: '', revision: 1 })), []);
  for (let n = 0; n < 4200; n += 1) last = await store.put(at('n/a'), object('a'), last);
  assert.equal(store.snapshot('configmaps', { prefix: '', revision: early }), undefined);
  assert.equal(store.changesSince('configmaps', early), undefined);
  assert.equal(store.changesSince('configmaps', last.revision - 1000)?.length, 1000);
});

test('scans are ordered and of one namespace', async () => {
  await using store = new Store(undefined);
  for (const key of ['b/x', 'a/z', 'a/y', 'ab/q']) await store.put(at(key), object(key), undefined);
  assert.deepEqual(keys(store.scan('configmaps')), ['a/y', 'a/z', 'ab/q', 'b/x']);
  assert.deepEqual(keys(store.scan('configmaps', 'a/')), ['a/y', 'a/z']);
  assert.deepEqual(store.scan('nothing'), []);
});

test('dependents are found by the uid of their owner', async () => {
  await using store = new Store(undefined);
  const owner = { apiVersion: 'v1', kind: 'ConfigMap', name: 'o', uid: 'u' };
  const child = await store.put(at('n/a'), object('a', { ownerReferences: [owner] }), undefined);
  assert.deepEqual(keys(store.ownedBy('u')), ['n/a']);
  const orphan = await store.put(at('n/a'), object('a'), child);
  assert.deepEqual(store.ownedBy('u'), []);
  await store.remove(orphan);
});

function fakeJournal(write: (count: number) => void): Journal {
  const journal: Pick<Journal, 'revision' | 'load' | 'write' | 'close'> = {
    revision: 1,
    load: () => [],
    write: async (writes) => write(writes.length),
    close: async () => {},
  };
  return journal as Journal;
}
