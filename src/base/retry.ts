import type { Clock } from './clock.ts';
import { isAppError, throwIfAborted } from './errors.ts';

export interface RetryOptions {
  clock: Clock;
  signal: AbortSignal;
  attempts: number;
  /** Wait before try n (from 1): `firstDelayMs * factor^(n-1)`, at most `maxDelayMs`. */
  firstDelayMs: number;
  factor?: number;
  maxDelayMs?: number;
  retryIf?: (error: unknown) => boolean;
}

export function isTransient(error: unknown): boolean {
  return isAppError(error, 'unavailable') || isAppError(error, 'timeout') || isAppError(error, 'conflict');
}

/** Runs `attempt` until it succeeds, the tries are used up, or its error is not worth a retry; then throws the last error. */
export async function retry<T>(options: RetryOptions, attempt: (tryNumber: number) => Promise<T>): Promise<T> {
  const { clock, signal, attempts, firstDelayMs, factor = 2, maxDelayMs = 30_000, retryIf = isTransient } = options;
  for (let n = 1; ; n += 1) {
    throwIfAborted(signal);
    try {
      return await attempt(n);
    } catch (error) {
      if (n >= attempts || !retryIf(error)) throw error;
      await clock.sleep(Math.min(maxDelayMs, firstDelayMs * factor ** (n - 1)), signal);
    }
  }
}
