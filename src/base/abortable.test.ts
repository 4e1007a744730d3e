import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { test } from 'node:test';
import { abortable, withTimeout } from './abortable.ts';
import { isAppError } from './errors.ts';

test('abortable gives the result and leaves no listener', async () => {
  const { signal } = new AbortController();
  assert.equal(await abortable(Promise.resolve(7), signal), 7);
  assert.equal(getEventListeners(signal, 'abort').length, 0);
});

test('abortable ends the wait when the signal aborts, and not the work', async () => {
  const controller = new AbortController();
  const work = Promise.withResolvers<number>();
  const wait = abortable(work.promise, controller.signal);
  controller.abort();
  await assert.rejects(wait, (error) => isAppError(error, 'canceled'));
  work.resolve(1);
  assert.equal(await work.promise, 1);
});

test('withTimeout aborts its work with a timeout error', async () => {
  const options = { signal: new AbortController().signal, timeoutMs: 5, what: 'counting' };
  const run = (signal: AbortSignal) =>
    new Promise<never>((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
  await assert.rejects(withTimeout(options, run), (error) => isAppError(error, 'timeout'));
  assert.equal(getEventListeners(options.signal, 'abort').length, 0);
});

test('withTimeout hands on the abort of its caller', async () => {
  const controller = new AbortController();
  const options = { signal: controller.signal, timeoutMs: 60_000, what: 'counting' };
  const wait = withTimeout(options, async (signal) => {
    controller.abort('enough');
    return signal.reason;
  });
  assert.equal(await wait, 'enough');
});
