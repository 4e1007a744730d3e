import { method, type Overload, span, text, time } from '../overload.ts';
import { type CelValue, EvaluationError } from '../value.ts';
import { floorDivide } from './conversion.ts';

const milli = 1_000_000n;

function part(name: string, read: (local: Date) => number): Overload[] {
  return method(name, ['timestamp -> int', 'timestamp, string -> int'], ([value, zone]) =>
    BigInt(read(localTime(time(value).nanos, zone === undefined ? 'UTC' : text(zone)))),
  );
}

function spanPart(name: string, unit: bigint): Overload[] {
  return method(name, 'duration -> int', ([value]) => span(value).nanos / unit);
}

/** Parts of timestamps, in UTC or a zone (a name or `+01:00`), and whole units of durations. */
export const timeFunctions: Overload[] = [
  ...part('getFullYear', (local) => local.getUTCFullYear()),
  ...part('getMonth', (local) => local.getUTCMonth()),
  ...part('getDayOfYear', dayOfYear),
  ...part('getDayOfMonth', (local) => local.getUTCDate() - 1),
  ...part('getDate', (local) => local.getUTCDate()),
  ...part('getDayOfWeek', (local) => local.getUTCDay()),
  ...part('getHours', (local) => local.getUTCHours()),
  ...part('getMinutes', (local) => local.getUTCMinutes()),
  ...part('getSeconds', (local) => local.getUTCSeconds()),
  ...part('getMilliseconds', (local) => local.getUTCMilliseconds()),
  ...spanPart('getHours', 3_600_000n * milli),
  ...spanPart('getMinutes', 60_000n * milli),
  ...spanPart('getSeconds', 1_000n * milli),
  ...method('getMilliseconds', 'duration -> int', ([value]): CelValue => span(value).nanos / milli),
];

function dayOfYear(local: Date): number {
  const start = Date.UTC(local.getUTCFullYear(), 0, 1);
  return Math.floor((local.getTime() - start) / 86_400_000);
}

/** A date whose UTC parts are the local ones. */
function localTime(nanos: bigint, zone: string): Date {
  const utc = new Date(Number(floorDivide(nanos, milli)));
  const offset = /^([+-]?)(\d{2}):(\d{2})$/.exec(zone);
  if (offset !== null) {
    const minutes = Number(offset[2]) * 60 + Number(offset[3]);
    return new Date(utc.getTime() + (offset[1] === '-' ? -minutes : minutes) * 60_000);
  }
  if (zone === 'UTC' || zone === '') return utc;
  return new Date(utc.getTime() + zoneOffset(utc, zone));
}

function zoneOffset(utc: Date, zone: string): number {
  let parts: Intl.DateTimeFormatPart[];
  try {
    const format = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
    parts = format.formatToParts(utc);
  } catch {
    throw new EvaluationError(`unknown time zone ${zone}`);
  }
  const read = (type: string): number => Number(parts.find((each) => each.type === type)?.value ?? 0);
  const local = Date.UTC(read('year'), read('month') - 1, read('day'), read('hour'), read('minute'), read('second'));
  return local - Math.floor(utc.getTime() / 1000) * 1000;
}
