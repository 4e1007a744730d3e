import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testClock } from '../../test/clock.ts';
import { AppError } from './errors.ts';
import { silentLogger } from './log.ts';
import type { Outcome } from './outcome.ts';
import { WorkQueue } from './work-queue.ts';

function gate(): { promise: Promise<void>; open: () => void } {
  let open = () => {};
  const promise = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { promise, open };
}

function queueOf(tick: (name: string, signal: AbortSignal) => Promise<Outcome>, concurrency = 2): WorkQueue {
  return new WorkQueue({ name: 'test', clock: testClock, logger: silentLogger, concurrency, tick, firstBackoffMs: 1 });
}

async function until(condition: () => boolean): Promise<void> {
  for (let n = 0; n < 500; n += 1) {
    if (condition()) return;
    await testClock.sleep(2);
  }
  assert.fail('the condition never became true');
}

test('a name is worked on once at a time; adding it meanwhile runs it once more, however often', async () => {
  const first = gate();
  let running = 0;
  let most = 0;
  let ticks = 0;
  await using queue = queueOf(async () => {
    ticks += 1;
    running += 1;
    most = Math.max(most, running);
    if (ticks === 1) await first.promise;
    running -= 1;
    return { kind: 'done' };
  });
  queue.add('a');
  await until(() => ticks === 1);
  for (let n = 0; n < 5; n += 1) queue.add('a');
  first.open();
  await until(() => ticks === 2 && queue.depth === 0);
  assert.deepEqual({ ticks, most }, { ticks: 2, most: 1 });
});

test('different names run together, up to the concurrency', async () => {
  const hold = gate();
  const started: string[] = [];
  await using queue = queueOf(async (name) => {
    started.push(name);
    await hold.promise;
    return { kind: 'done' };
  });
  for (const name of ['a', 'b', 'c']) queue.add(name);
  await until(() => started.length === 2);
  assert.deepEqual([started, queue.depth], [['a', 'b'], 3]);
  hold.open();
  await until(() => started.length === 3);
});

test('a tick that throws is tried again; one that waits comes back when it said; done does not', async () => {
  const seen = { fails: 0, waits: 0, done: 0, stalled: 0 };
  await using queue = queueOf(async (name) => {
    if (name in seen) seen[name as keyof typeof seen] += 1;
    if (name === 'fails' && seen.fails < 3) throw new AppError('unavailable', 'not yet');
    if (name === 'waits' && seen.waits < 2) {
      return { kind: 'waiting', reason: 'Later', message: 'later', retryAfterMs: 1 };
    }
    if (name === 'stalled') {
      return { kind: 'stalled', reason: 'Broken', message: 'needs a person' };
    }
    return { kind: 'done' };
  });
  for (const name of Object.keys(seen)) queue.add(name);
  await until(() => seen.fails === 3 && seen.waits === 2 && queue.depth === 0);
  await testClock.sleep(20);
  assert.deepEqual(seen, { fails: 3, waits: 2, done: 1, stalled: 1 });
});

test('an earlier due time wins, and a name that is ready is not run twice', async () => {
  let ticks = 0;
  await using queue = queueOf(async () => {
    ticks += 1;
    return { kind: 'done' };
  });
  queue.addAfter('a', 60_000);
  queue.addAfter('a', 1);
  queue.addAfter('a', 60_000);
  await until(() => ticks === 1);
  assert.equal(ticks, 1);
});

test('a forgotten name is not run; closing aborts what runs and waits for it', async () => {
  const ended: string[] = [];
  const queue = queueOf(async (name, signal) => {
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
    ended.push(name);
    return { kind: 'done' };
  }, 1);
  queue.add('runs');
  queue.add('forgotten');
  queue.forget('forgotten');
  await queue[Symbol.asyncDispose]();
  assert.deepEqual(ended, ['runs']);
  queue.add('late');
  assert.equal(queue.depth, 0);
});

test('nothing is kept about names that are done', async () => {
  let ticks = 0;
  await using queue = queueOf(async (name) => {
    ticks += 1;
    if (name === 'fails' && ticks < 5) throw new AppError('unavailable', 'not yet');
    if (name === 'again' && ticks < 20) return { kind: 'waiting', reason: 'x', message: '', retryAfterMs: 0 };
    return name === 'later' ? { kind: 'done', recheckAfterMs: 60_000 } : { kind: 'done' };
  });
  for (const name of ['once', 'fails', 'again', 'later']) queue.add(name);
  await until(() => queue.depth === 0 && ticks >= 20);
  await until(() => queue.known === 1);
});
