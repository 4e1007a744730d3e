import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seeded, seeds } from '../seeds-fixture.test.ts';
import { OrderedObjects, overlaid } from './ordered.ts';
import type { StoredObject } from './stored.ts';

function stored(key: string, revision = 1): StoredObject {
  const object = { kind: 'ConfigMap', apiVersion: 'v1', metadata: { name: key } };
  return { storage: 'configmaps', key, revision, object, body: undefined };
}

const keys = (found: StoredObject[]): string[] => found.map(({ key, revision }) => `${key} ${revision}`);

const ranges = [
  { name: 'everything', prefix: '', start: '', want: ['a-b/1', 'a/1', 'a/2', 'ab/1', 'b/1'] },
  { name: 'one namespace', prefix: 'a/', start: '', want: ['a/1', 'a/2'] },
  { name: 'from a key on', prefix: '', start: 'a/2', want: ['a/2', 'ab/1', 'b/1'] },
  { name: 'after a key', prefix: 'a/', start: 'a/1\u0000', want: ['a/2'] },
  { name: 'a namespace without objects', prefix: 'aa/', start: '', want: [] },
];
for (const { name, prefix, start, want } of ranges)
  test(`a range: ${name}`, () => {
    const objects = new OrderedObjects();
    for (const key of ['b/1', 'a/2', 'ab/1', 'a-b/1', 'a/1']) objects.set(stored(key));
    assert.deepEqual(
      objects.range(prefix, start).map(({ key }) => key),
      want,
    );
  });

for (const seed of seeds(5))
  test(`order is kept through random writes, and the past is laid over it; seed ${seed}`, () => {
    const pick = seeded(seed);
    const objects = new OrderedObjects();
    const model = new Map<string, StoredObject>();
    const sorted = (map: Map<string, StoredObject>): string[] =>
      keys([...map.values()].sort((a, b) => (a.key < b.key ? -1 : 1)));
    let before = new Map<string, StoredObject>();
    let undo = new Map<string, StoredObject | undefined>();
    for (let step = 1; step <= 300; step += 1) {
      const key = `${'abc'[pick(3)]}/${pick(20)}`;
      if (!undo.has(key)) undo.set(key, model.get(key));
      if (pick(3) === 0) {
        objects.delete(key);
        model.delete(key);
      } else {
        const put = stored(key, step);
        objects.set(put);
        model.set(key, put);
      }
      if (pick(10) > 0) continue;
      assert.deepEqual(keys(objects.range('', '')), sorted(model));
      assert.deepEqual(keys(overlaid(objects.range('', ''), undo)), sorted(before));
      assert.equal(objects.size, model.size);
      before = new Map(model);
      undo = new Map();
    }
  });
