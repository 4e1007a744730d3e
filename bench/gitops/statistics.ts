/** Of samples in milliseconds, rounded to 0.1; undefined when there are none. */
export interface Summary {
  count: number;
  min: number;
  p50: number;
  p90: number;
  p99: number;
  max: number;
}

export function round(value: number): number {
  return Math.round(value * 10) / 10;
}

/** Nearest-rank percentiles. */
export function summarize(samples: readonly number[]): Summary | undefined {
  if (samples.length === 0) return undefined;
  const sorted = samples.toSorted((a, b) => a - b);
  const at = (share: number) => round(sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? 0);
  return { count: sorted.length, min: at(0.000001), p50: at(0.5), p90: at(0.9), p99: at(0.99), max: at(1) };
}

/** `work` for 0 to `count` - 1, at most `lanes` at once. */
export async function inLanes(count: number, lanes: number, work: (index: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let index = next++; index < count; index = next++) await work(index);
  };
  await Promise.all(Array.from({ length: Math.min(lanes, count) }, lane));
}
