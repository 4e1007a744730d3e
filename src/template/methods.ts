import { fn, type GoFunction } from './function.ts';
import { formatTime } from './time.ts';
import { GoTime, goInt, goInt64 } from './value.ts';

function part(layout: string): (time: GoTime) => GoFunction {
  return (time) => fn([], () => goInt(Number(formatTime(time, layout))));
}

/** What templates may ask a moment for. */
const ofTime: Record<string, (time: GoTime) => GoFunction> = {
  Format: (time) => fn(['string'], (layout) => formatTime(time, layout)),
  String: (time) => fn([], () => formatTime(time, '2006-01-02 15:04:05.999999999 -0700 MST')),
  Unix: (time) => fn([], () => goInt64(Math.floor(time.ms / 1000))),
  UnixMilli: (time) => fn([], () => goInt64(time.ms)),
  UTC: (time) => fn([], () => new GoTime(time.ms, 'UTC')),
  Year: part('2006'),
  Day: part('2'),
  Hour: part('15'),
  Minute: part('4'),
  Second: part('5'),
  YearDay: part('002'),
  Month: (time) => fn([], () => formatTime(time, 'January')),
  Weekday: (time) => fn([], () => formatTime(time, 'Monday')),
};

export function methodOf(value: unknown, name: string): GoFunction | undefined {
  return value instanceof GoTime && Object.hasOwn(ofTime, name) ? ofTime[name]?.(value) : undefined;
}
