import assert from 'node:assert/strict';
import { test } from 'node:test';
import { globMatch } from './glob.ts';

/** As gobwas/glob 0.2.3 answers, but where it loses matches between wildcards and braces. */
const rows: [string, string, boolean][] = [
  ['*', 'a/b', true],
  ['*.yaml', 'deep/a.yaml', true],
  ['{a,b}.yaml', 'b.yaml', true],
  ['{x,y/z}*', 'y/z1', true],
  ['?', '/', true],
  ['[a-c]x', 'bx', true],
  ['[!a]x', 'ax', false],
  ['a.c', 'abc', false],
  ['\\*', '*', true],
  ['\\*', 'a', false],
  ['a\\?', 'a?', true],
  ['a\\?', 'ab', false],
  ['\\{a\\}', '{a}', true],
  ['**/a', 'x/y/a', true],
  ['', '', true],
];
for (const [pattern, text, want] of rows)
  test(`${pattern} and ${text}`, () => {
    assert.equal(globMatch(pattern, text), want);
  });

test('with a separator only ** crosses it', () => {
  const crosses = (pattern: string) => globMatch(pattern, 'a/b', '/');
  assert.deepEqual(['*', '**', '?/?', 'a?b', '*/*'].map(crosses), [false, true, true, false, true]);
});
