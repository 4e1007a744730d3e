import { AppError } from '#base/errors.ts';

const unitMs: Record<string, number> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/** Milliseconds of a Go duration (`1h30m`, `1.5s`); a bare number is seconds, as Argo CD reads it. Throws AppError bad-input. */
export function parseGoDuration(text: string): number {
  const trimmed = text.trim();
  if (/^\d+$/.test(trimmed)) return Number(trimmed) * 1000;
  const match = /^([+-]?)((?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|ms|s|m|h))+$/.exec(trimmed);
  if (!match) throw new AppError('bad-input', `"${text}" is not a duration`, { hint: 'write it like 5s, 3m or 1h30m' });
  let totalMs = 0;
  for (const part of trimmed.matchAll(/(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)/g))
    totalMs += Number(part[1]) * (unitMs[part[2] ?? ''] ?? 0);
  return match[1] === '-' ? -totalMs : totalMs;
}
