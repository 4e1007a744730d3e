import { setTimeout as delay } from 'node:timers/promises';
import { AppError, messageOf } from '#base/errors.ts';

export interface WaitOptions<T> {
  what: string;
  timeoutMs: number;
  signal: AbortSignal;
  /** Looks once; undefined means not yet. What it throws counts as not yet, and is shown when time is up. */
  look: () => Promise<T | undefined>;
  everyMs?: number;
}

/** Looks from outside until something is so; throws AppError timeout naming what never came. */
export async function waitFor<T>(options: WaitOptions<T>): Promise<T> {
  const deadline = Date.now() + options.timeoutMs;
  let last: unknown;
  for (;;) {
    options.signal.throwIfAborted();
    try {
      const found = await options.look();
      if (found !== undefined) return found;
      last = undefined;
    } catch (error) {
      last = error;
    }
    if (Date.now() > deadline) {
      const why = last === undefined ? '' : ` (last: ${messageOf(last)})`;
      throw new AppError('timeout', `${options.what} did not happen within ${options.timeoutMs / 1000} s${why}`);
    }
    await delay(options.everyMs ?? 25, undefined, { signal: options.signal });
  }
}
