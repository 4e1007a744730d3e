import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Clock } from './clock.ts';
import { AppError, isAppError } from './errors.ts';
import { retry } from './retry.ts';

function recordingClock(): Clock & { slept: number[] } {
  const slept: number[] = [];
  return { slept, now: () => 0, sleep: async (ms) => void slept.push(ms) };
}

test('a transient failure is tried again with growing, capped waits', async () => {
  const clock = recordingClock();
  const options = { clock, signal: new AbortController().signal, attempts: 5, firstDelayMs: 10, maxDelayMs: 30 };
  const value = await retry(options, async (n) => {
    if (n < 5) throw new AppError('unavailable', 'away');
    return n;
  });
  assert.deepEqual([value, clock.slept], [5, [10, 20, 30, 30]]);
});

const given = { attempts: 3, firstDelayMs: 1 };

test('what a retry cannot mend is thrown at once', async () => {
  const clock = recordingClock();
  let tries = 0;
  const attempt = async () => {
    tries += 1;
    throw new AppError('bad-input', 'wrong');
  };
  await assert.rejects(retry({ ...given, clock, signal: new AbortController().signal }, attempt), /wrong/);
  assert.deepEqual([tries, clock.slept], [1, []]);
});

test('the last error is thrown when the tries are used up, and nothing starts after an abort', async () => {
  let tries = 0;
  const attempt = async () => {
    tries += 1;
    throw new AppError('timeout', `try ${tries}`);
  };
  const clock = recordingClock();
  await assert.rejects(retry({ ...given, clock, signal: new AbortController().signal }, attempt), /try 3/);
  await assert.rejects(retry({ ...given, clock, signal: AbortSignal.abort() }, attempt), (error) =>
    isAppError(error, 'canceled'),
  );
  assert.equal(tries, 3);
});
