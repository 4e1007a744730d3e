import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Serial } from './serial.ts';

const turn = () => new Promise((resolve) => setImmediate(resolve));

test('work runs alone and in order, also behind a failure', async () => {
  const serial = new Serial();
  const log: string[] = [];
  const work = ['a', 'b', 'c'].map((name) =>
    serial.run(async () => {
      log.push(`${name} begins`);
      await turn();
      log.push(`${name} ends`);
      if (name === 'a') throw new Error('failed');
    }),
  );
  await Promise.allSettled(work);
  assert.deepEqual(log, ['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends']);
});

test('work that asks from inside does not wait for itself, and others still wait', async () => {
  const serial = new Serial();
  const log: string[] = [];
  const outer = serial.run(async () => {
    await turn();
    await serial.run(async () => {
      await turn();
      log.push('inner');
    });
    log.push('outer');
  });
  const other = serial.run(async () => {
    log.push('other');
  });
  await Promise.all([outer, other, serial.idle()]);
  assert.deepEqual(log, ['inner', 'outer', 'other']);
});
