import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isAppError } from '#base/errors.ts';
import { Slots } from './slots.ts';

test('at most the limit runs at once, in order, and failures give their slot back', async () => {
  const slots = new Slots(2);
  const { signal } = new AbortController();
  let running = 0;
  let most = 0;
  const began: number[] = [];
  const work = Array.from({ length: 9 }, (_, index) =>
    slots.run(signal, async () => {
      began.push(index);
      running += 1;
      most = Math.max(most, running);
      await new Promise((resolve) => setImmediate(resolve));
      running -= 1;
      if (index % 3 === 0) throw new Error('failed');
    }),
  );
  const results = await Promise.allSettled(work);
  assert.equal(most, 2);
  assert.deepEqual(began, [0, 1, 2, 3, 4, 5, 6, 7, 8]);
  assert.equal(results.filter((result) => result.status === 'rejected').length, 3);
});

test('what is aborted while it waits is not begun', async () => {
  const slots = new Slots(1);
  const first = Promise.withResolvers<void>();
  const running = slots.run(new AbortController().signal, () => first.promise);
  const controller = new AbortController();
  let begun = false;
  const waiting = slots.run(controller.signal, async () => {
    begun = true;
  });
  controller.abort();
  first.resolve();
  await running;
  await assert.rejects(waiting, (error) => isAppError(error, 'canceled'));
  assert.equal(begun, false);
});
