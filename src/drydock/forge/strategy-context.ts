import type { Value } from '../actions/expression.ts';

/** The `strategy` context of one cell of a matrix; empty before a job has one. */
export function strategyContext(
  cell: { index: number; total: number; failFast: boolean; maxParallel: number } | undefined,
): { [key: string]: Value } {
  if (!cell) return {};
  return {
    'job-index': cell.index,
    'job-total': cell.total,
    'fail-fast': cell.failFast,
    'max-parallel': cell.maxParallel,
  };
}
