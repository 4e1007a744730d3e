import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isAppError } from '#base/errors.ts';
import { splitLines } from './lines.ts';

async function split(chunks: string[], limit = 100): Promise<string[]> {
  async function* source() {
    for (const chunk of chunks) yield Buffer.from(chunk, 'latin1');
  }
  return Array.fromAsync(splitLines(source(), limit));
}

test('splitLines', async (t) => {
  const cases = [
    { name: 'one chunk, two lines', chunks: ['a\nb\n'], want: ['a', 'b'] },
    { name: 'a line over three chunks', chunks: ['a', 'b', 'c\nd\n'], want: ['abc', 'd'] },
    { name: 'the end of a line alone', chunks: ['ab', '\n', 'c\n'], want: ['ab', 'c'] },
    { name: 'empty lines', chunks: ['\n\na\n\n'], want: ['a'] },
    { name: 'an unfinished line is dropped', chunks: ['a\nb'], want: ['a'] },
    { name: 'a character cut in two', chunks: ['\xc3', '\xa4\n'], want: ['ä'] },
    { name: 'nothing', chunks: [], want: [] },
    { name: 'a line as long as the limit', chunks: ['x'.repeat(60), `${'x'.repeat(40)}\n`], want: ['x'.repeat(100)] },
  ];
  for (const { name, chunks, want } of cases)
    await t.test(name, async () => assert.deepEqual(await split(chunks), want));
  await t.test('a line over the limit', async () => {
    await assert.rejects(split(['x'.repeat(60), 'x'.repeat(41)]), (error) => isAppError(error, 'limit'));
  });
});
