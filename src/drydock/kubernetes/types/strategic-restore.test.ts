import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '#base/json.ts';
import { ApiError } from '../api/port.ts';
import { builtinKind } from './builtin-kind.ts';

const pod = builtinKind({ group: '', version: 'v1', kind: 'Pod' });
const live = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'x', labels: { a: 'b' } },
  spec: { containers: [{ name: 'c', image: 'i' }] },
};

const rows: [patch: JsonObject, want: string | undefined][] = [
  [{ metadata: { labels: 'invalid' } }, 'map[metadata:map[labels:invalid]]": cannot restore map from string'],
  [{ metadata: { labels: { a: 1 } } }, 'map[metadata:map[labels:map[a:1]]]": cannot convert int64 to string'],
  [{ metadata: { labels: { a: true } } }, 'map[metadata:map[labels:map[a:true]]]": unrecognized type: string'],
  [{ spec: 'x' }, 'map[spec:x]": cannot restore struct from: string'],
  [{ spec: { hostNetwork: 'yes' } }, 'map[spec:map[hostNetwork:yes]]": unrecognized type: bool'],
  [{ spec: { priority: 'x' } }, 'map[spec:map[priority:x]]": unrecognized type: int32'],
  [{ spec: { priority: 1.5 } }, 'map[spec:map[priority:1.5]]": cannot convert float64 to int32'],
  [{ spec: { nodeSelector: ['x'] } }, 'map[spec:map[nodeSelector:[x]]]": cannot restore map from slice'],
  [{ spec: { priority: 5, nodeName: null } }, undefined],
];

for (const [patch, want] of rows)
  test(`strategic merge of ${JSON.stringify(patch)}`, () => {
    const merge = (): unknown => pod?.strategicMerge?.(live, patch);
    if (want === undefined) {
      assert.ok(merge());
      return;
    }
    assert.throws(merge, (error) => {
      assert.ok(error instanceof ApiError);
      assert.deepEqual([error.code, error.message], [422, ` "" is invalid: patch: Invalid value: "${want}`]);
      return true;
    });
  });
