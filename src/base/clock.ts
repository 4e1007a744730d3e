/**
 * Time as a value. Only `src/main` builds a real one; everything else is handed one, so tests can move it.
 */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number;
  /** Resolves after `ms`, or rejects with the signal's reason when it aborts first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** Randomness as a value, for names, tokens and jitter. */
export interface Entropy {
  bytes(size: number): Buffer;
  uuid(): string;
  /** Uniform in [0, 1). */
  fraction(): number;
}

/** RFC 3339 in UTC with whole seconds, as Kubernetes writes times. */
export function timestamp(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}
