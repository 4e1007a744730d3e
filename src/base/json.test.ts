import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canonicalJson, digestOf, parseDigest } from './digest.ts';
import { isAppError } from './errors.ts';
import { getArray, getNumber, getObject, getPath, getString, jsonEqual, parseJson } from './json.ts';

test('paths are followed through objects and arrays, and stop quietly where a step is missing', () => {
  const value = { a: [{ b: 'x' }, { n: 3 }], o: { k: null } };
  assert.equal(getString(value, 'a', 0, 'b'), 'x');
  assert.equal(getNumber(value, 'a', 1, 'n'), 3);
  assert.equal(getPath(value, 'a', 'b', 'c'), undefined);
  assert.deepEqual([getArray(value, 'o'), getObject(value, 'a'), getObject(value, 'o')], [[], {}, { k: null }]);
});

const equal: { name: string; a: unknown; b: unknown; want: boolean }[] = [
  { name: 'member order', a: { x: 1, y: [2] }, b: { y: [2], x: 1 }, want: true },
  { name: 'an undefined member is absent', a: { x: undefined }, b: {}, want: true },
  { name: 'null is not absent', a: { x: null }, b: {}, want: false },
  { name: 'array order counts', a: [1, 2], b: [2, 1], want: false },
  { name: 'an array is no object', a: [], b: {}, want: false },
  { name: 'number and string', a: 1, b: '1', want: false },
];
for (const { name, a, b, want } of equal) test(`jsonEqual: ${name}`, () => assert.equal(jsonEqual(a, b), want));

test('canonical JSON, and so its digest, does not depend on member order', () => {
  assert.equal(canonicalJson({ b: 1, a: { d: 1, c: [{ z: 1, y: 2 }] } }), '{"a":{"c":[{"y":2,"z":1}],"d":1},"b":1}');
  const digest = digestOf('x');
  assert.equal(parseDigest(digest), digest);
  assert.equal(parseDigest('sha256:short'), undefined);
});

test('broken JSON is bad input and names its document', () => {
  assert.throws(
    () => parseJson('{', 'ports.json'),
    (error) => isAppError(error, 'bad-input') && error.message.startsWith('ports.json is not valid JSON'),
  );
});
