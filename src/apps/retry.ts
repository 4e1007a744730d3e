import type { RetryStrategy } from '#model/argocd/application.ts';
import { parseGoDuration } from '#model/argocd/duration.ts';

/** Milliseconds to wait before retry `n` (from 0): duration * factor^n, at most maxDuration (0 is no limit). */
export function retryDelayMs(strategy: RetryStrategy, n: number): number {
  const { duration, factor, maxDuration } = strategy.backoff ?? {};
  const first = duration ? parseGoDuration(duration) : 5000;
  const most = maxDuration ? parseGoDuration(maxDuration) : maxDuration === undefined ? 180_000 : 0;
  const delay = first * (factor && factor > 0 ? factor : 2) ** n;
  return most > 0 ? Math.min(most, delay) : delay;
}

/** True while the strategy allows another try after `done` retries. A negative limit never ends. */
export function mayRetry(strategy: RetryStrategy | undefined, done: number): boolean {
  const limit = strategy?.limit ?? 0;
  return limit < 0 || done < limit;
}
