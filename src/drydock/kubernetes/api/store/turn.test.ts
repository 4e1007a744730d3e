import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Turns } from './turn.ts';

function work(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

test('whoever comes while there is time goes on at once', async () => {
  const turns = new Turns();
  assert.equal(turns.enter(), undefined);
  assert.equal(turns.enter(), undefined);
});

test('many who come at once take several turns, in order, and others are served between them', async () => {
  const turns = new Turns();
  const log: number[] = [];
  let othersTurns = 0;
  let going = true;
  const other = (): void => {
    othersTurns += 1;
    if (going) setImmediate(other);
  };
  setImmediate(other);
  await Promise.all(
    Array.from({ length: 20 }, async (_, n) => {
      const wait = turns.enter();
      if (wait) await wait;
      log.push(n);
      work(2);
    }),
  );
  going = false;
  assert.deepEqual(
    log,
    Array.from({ length: 20 }, (_, n) => n),
  );
  assert.ok(othersTurns >= 7, `${othersTurns} turns for 40 ms of work`);
});

test('a newcomer does not pass those who wait', async () => {
  const turns = new Turns();
  const log: string[] = [];
  const come = async (name: string): Promise<void> => {
    const wait = turns.enter();
    if (wait) await wait;
    log.push(name);
    work(3);
  };
  const all = ['a', 'b', 'c', 'd', 'e', 'f'].map(come);
  setImmediate(() => all.push(come('late')));
  await Promise.all(all);
  await new Promise((resolve) => setImmediate(resolve));
  await Promise.all(all);
  assert.deepEqual(log, ['a', 'b', 'c', 'd', 'e', 'f', 'late']);
});
