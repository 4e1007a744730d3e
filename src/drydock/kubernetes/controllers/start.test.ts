import assert from 'node:assert/strict';
import { test } from 'node:test';
import { controllerNames, selectControllers } from './start.ts';

const rows: { words: string[]; want: readonly string[] }[] = [
  { words: ['*'], want: controllerNames },
  { words: [], want: [] },
  { words: ['job', 'namespace'], want: ['job', 'namespace'] },
  {
    words: ['*', '-scheduler', '-endpoint'],
    want: controllerNames.filter((n) => n !== 'scheduler' && n !== 'endpoint'),
  },
  { words: ['-*', 'job'], want: ['job'] },
];

for (const { words, want } of rows)
  test(`controllers ${words.join(',') || '(none)'}`, () => {
    assert.deepEqual([...selectControllers(words)], want);
  });

test('a controller that there is not is refused by name', () => {
  assert.throws(() => selectControllers(['*', '-schedular']), { code: 'bad-input', message: /"schedular"/ });
});
