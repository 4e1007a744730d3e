import { AppError } from '#base/errors.ts';
import type { Tracer } from '#trace/report.ts';

export function buildTracer(_options: object): Tracer {
  return {
    async trace() {
      throw new AppError('unsupported', 'trace is not wired');
    },
  };
}
