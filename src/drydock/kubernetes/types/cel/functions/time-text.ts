import { EvaluationError } from '../value.ts';

const units: Record<string, bigint> = {
  ns: 1n,
  us: 1_000n,
  µs: 1_000n,
  μs: 1_000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
};
const second = 1_000_000_000n;

/** A text that is none of a type's. */
export function notConvertible(type: string): EvaluationError {
  return new EvaluationError(`type conversion error from 'string' to '${type}'`);
}

/** Go's durations, `1h30m` or `-1.5s`, in nanoseconds. */
export function parseDuration(text: string): bigint {
  const refusal = (): EvaluationError => notConvertible('google.protobuf.Duration');
  const [, sign, rest = ''] = /^([+-]?)(.*)$/s.exec(text) ?? [];
  if (rest === '0') return 0n;
  if (!/^(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+$/.test(rest)) throw refusal();
  let nanos = 0n;
  for (const [, whole = '', fraction = '', unit = ''] of rest.matchAll(/(\d*)\.?(\d*)(ns|us|µs|μs|ms|s|m|h)/g)) {
    const size = units[unit] ?? 0n;
    nanos += BigInt(whole || '0') * size;
    if (fraction !== '') nanos += (BigInt(fraction) * size) / 10n ** BigInt(fraction.length);
  }
  if (nanos > 2n ** 63n - (sign === '-' ? 0n : 1n)) throw refusal();
  return sign === '-' ? -nanos : nanos;
}

/** Seconds, as CEL writes durations: `90s`, `1.5s`. */
export function durationText(nanos: bigint): string {
  return `${decimalSeconds(nanos)}s`;
}

function decimalSeconds(nanos: bigint): string {
  const absolute = nanos < 0n ? -nanos : nanos;
  const fraction = String(absolute % second)
    .padStart(9, '0')
    .replace(/0+$/, '');
  const text = `${absolute / second}${fraction === '' ? '' : `.${fraction}`}`;
  return nanos < 0n ? `-${text}` : text;
}

const rfc3339 = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:[.,](\d+))?(Z|[+-]\d{2}:\d{2})$/;

/** RFC 3339 to nanoseconds since 1970. */
export function parseTimestamp(text: string): bigint {
  const found = rfc3339.exec(text);
  const millis = found === null ? Number.NaN : Date.parse(`${text.slice(0, 19)}${found[8] ?? 'Z'}`);
  if (found === null || Number.isNaN(millis) || !isCalendarDay(text)) throw notConvertible('google.protobuf.Timestamp');
  return BigInt(millis) * 1_000_000n + BigInt((found[7] ?? '').slice(0, 9).padEnd(9, '0'));
}

function isCalendarDay(text: string): boolean {
  const [year = 0, month = 0, day = 0] = text.slice(0, 10).split('-').map(Number);
  return month >= 1 && month <= 12 && day >= 1 && day <= new Date(Date.UTC(year, month, 0)).getUTCDate();
}

/** Minutes east of UTC that an RFC 3339 time is written in. */
export function zoneMinutesOf(text: string): number {
  const [, sign, hours, minutes] = /([+-])(\d{2}):(\d{2})$/.exec(text) ?? [];
  if (sign === undefined) return 0;
  const size = Number(hours) * 60 + Number(minutes);
  return sign === '-' ? -size : size;
}

/** RFC 3339 in its own zone with as many digits as there are. */
export function timestampText({ nanos, zoneMinutes }: { nanos: bigint; zoneMinutes: number }): string {
  const millis = nanos / 1_000_000n - (nanos % 1_000_000n < 0n ? 1n : 0n);
  const part = ((nanos % second) + second) % second;
  const fraction = String(part).padStart(9, '0').replace(/0+$/, '');
  const whole = new Date(Number(millis) + zoneMinutes * 60_000).toISOString().slice(0, 19);
  return `${whole}${fraction === '' ? '' : `.${fraction}`}${zoneText(zoneMinutes)}`;
}

function zoneText(minutes: number): string {
  if (minutes === 0) return 'Z';
  const size = Math.abs(minutes);
  const [hours, rest] = [Math.floor(size / 60), size % 60].map((part) => String(part).padStart(2, '0'));
  return `${minutes < 0 ? '-' : '+'}${hours}:${rest}`;
}
