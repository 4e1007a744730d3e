/**
 * Runs `count` tasks in batches of 1, 2, 4, ... and stops after the first batch with a failure, so that a refusal that
 * hits every one (a quota, a broken template) is met once and not `count` times. Returns the first error.
 */
export async function slowStart(count: number, task: () => Promise<void>): Promise<unknown> {
  let left = count;
  for (let size = 1; left > 0; size *= 2) {
    const batch = Math.min(size, left);
    const results = await Promise.allSettled(Array.from({ length: batch }, task));
    const failed = results.find((result) => result.status === 'rejected');
    if (failed) return failed.reason ?? new Error('unknown failure');
    left -= batch;
  }
  return undefined;
}
