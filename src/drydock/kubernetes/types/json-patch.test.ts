import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '#base/json.ts';
import { jsonPatch } from './json-patch.ts';
import { mergePatch } from './merge-patch.ts';

const applied: { name: string; target: JsonObject; patch: JsonObject[]; want: JsonObject }[] = [
  { name: 'add', target: { a: 1 }, patch: [{ op: 'add', path: '/b', value: 2 }], want: { a: 1, b: 2 } },
  { name: 'add replaces', target: { a: 1 }, patch: [{ op: 'add', path: '/a', value: 2 }], want: { a: 2 } },
  {
    name: 'add into a list',
    target: { l: [1, 3] },
    patch: [{ op: 'add', path: '/l/1', value: 2 }],
    want: { l: [1, 2, 3] },
  },
  { name: 'append', target: { l: [1] }, patch: [{ op: 'add', path: '/l/-', value: 2 }], want: { l: [1, 2] } },
  {
    name: 'remove',
    target: { l: [1, 2], a: 1 },
    patch: [
      { op: 'remove', path: '/l/0' },
      { op: 'remove', path: '/a' },
    ],
    want: { l: [2] },
  },
  {
    name: 'replace',
    target: { a: { b: 1 } },
    patch: [{ op: 'replace', path: '/a/b', value: null }],
    want: { a: { b: null } },
  },
  { name: 'move', target: { a: 1 }, patch: [{ op: 'move', from: '/a', path: '/b' }], want: { b: 1 } },
  {
    name: 'copy',
    target: { a: [1] },
    patch: [
      { op: 'copy', from: '/a', path: '/b' },
      { op: 'add', path: '/b/-', value: 2 },
    ],
    want: { a: [1], b: [1, 2] },
  },
  {
    name: 'escaped names',
    target: { 'x/y': 1, 'a~b': 2 },
    patch: [
      { op: 'test', path: '/x~1y', value: 1 },
      { op: 'remove', path: '/a~0b' },
    ],
    want: { 'x/y': 1 },
  },
  { name: 'test of an absent member for null', target: {}, patch: [{ op: 'test', path: '/a', value: null }], want: {} },
];

for (const { name, target, patch, want } of applied) {
  test(`json patch: ${name}`, () => {
    const before = structuredClone(target);
    assert.deepEqual(jsonPatch(target, patch), want);
    assert.deepEqual(target, before, 'the target is not changed');
  });
}

const failing: [string, JsonObject][] = [
  ['a test that fails', { op: 'test', path: '/a', value: 2 }],
  ['remove of nothing', { op: 'remove', path: '/b' }],
  ['replace of nothing', { op: 'replace', path: '/b', value: 1 }],
  ['add below nothing', { op: 'add', path: '/b/c', value: 1 }],
  ['an unknown operation', { op: 'swap', path: '/a' }],
  ['a pointer without slash', { op: 'add', path: 'a', value: 1 }],
];

for (const [name, operation] of failing) {
  test(`json patch refuses ${name}`, () => {
    const message = 'the server rejected our request due to an error in our request';
    assert.throws(() => jsonPatch({ a: 1 }, [operation]), { code: 422, reason: 'Invalid', message });
  });
}

test('json patch must be a list', () => {
  assert.throws(() => jsonPatch({}, {}), { code: 400 });
});

test('merge patch', () => {
  const target = { a: { b: 1, c: 2 }, l: [1, 2] };
  assert.deepEqual(mergePatch(target, { a: { b: null, d: { e: null, f: 1 } }, l: [3] }), {
    a: { c: 2, d: { f: 1 } },
    l: [3],
  });
  assert.deepEqual(target, { a: { b: 1, c: 2 }, l: [1, 2] });
  assert.throws(() => mergePatch({}, []), {
    code: 400,
    message: 'error decoding patch: json: cannot unmarshal array into Go value of type map[string]interface {}',
  });
});
