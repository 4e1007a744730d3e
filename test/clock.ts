import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Clock, Entropy } from '#base/clock.ts';

/** The real clock and real randomness, for tests of shells. */
export const testClock: Clock = {
  now: () => Date.now(),
  sleep: (ms, signal) => delay(ms, undefined, signal ? { signal } : {}),
};

export const testEntropy: Entropy = {
  bytes: (size) => randomBytes(size),
  uuid: () => randomUUID(),
  fraction: () => Math.random(),
};

/** A clock that runs `speed` times faster than the world, from now on. */
export function fasterClock(speed: number): Clock {
  const start = Date.now();
  const from = performance.now();
  return {
    now: () => Math.floor(start + (performance.now() - from) * speed),
    sleep: (ms, signal) => delay(ms / speed, undefined, signal ? { signal } : {}),
  };
}

/** A clock that stands still until it is moved; sleepers wake when their time comes. */
export class ManualClock implements Clock {
  #now: number;
  #sleepers: { at: number; wake: () => void }[] = [];

  constructor(now = Date.UTC(2026, 0, 1)) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
      this.#sleepers.push({ at: this.#now + ms, wake: resolve });
    });
  }

  advance(ms: number): void {
    this.#now += ms;
    const due = this.#sleepers.filter((sleeper) => sleeper.at <= this.#now);
    this.#sleepers = this.#sleepers.filter((sleeper) => sleeper.at > this.#now);
    for (const sleeper of due) sleeper.wake();
  }
}
