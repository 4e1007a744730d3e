import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatIndexes, parseIndexes } from './job-view.ts';

for (const [text, indexes] of [
  ['', []],
  ['0', [0]],
  ['0,1', [0, 1]],
  ['0-2,5,7-9', [0, 1, 2, 5, 7, 8, 9]],
] as const)
  test(`completed indexes "${text}"`, () => {
    assert.deepEqual([...parseIndexes(text)], indexes);
    assert.equal(formatIndexes(new Set(indexes)), text);
  });
