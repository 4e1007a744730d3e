import { CallError } from './call-error.ts';
import { GoTime } from './value.ts';

interface Parts {
  year: number;
  month: number;
  day: number;
  weekday: number;
  hour: number;
  minute: number;
  second: number;
  ms: number;
  offsetSeconds: number;
  abbreviation: string;
}

const months = 'January February March April May June July August September October November December'.split(' ');
const days = 'Sunday Monday Tuesday Wednesday Thursday Friday Saturday'.split(' ');

/** The parts of Go's layouts, longer ones before their beginnings. */
const layoutPart =
  /January|Jan|Monday|Mon|MST|2006|-07:00:00|-070000|-07:00|-0700|-07|Z07:00:00|Z070000|Z07:00|Z0700|Z07|002|[.,]0+(?!\d)|[.,]9+(?!\d)|01|02|03|04|05|06|15|__2|_2006|_2|PM|pm|1|2|3|4|5/g;

const formatters = new Map<string, Intl.DateTimeFormat | undefined>();

function formatterOf(zone: string): Intl.DateTimeFormat | undefined {
  if (!formatters.has(zone)) formatters.set(zone, makeFormatter(zone));
  return formatters.get(zone);
}

function makeFormatter(zone: string): Intl.DateTimeFormat | undefined {
  const field = 'numeric' as const;
  const parts = { year: field, month: field, day: field, hour: field, minute: field, second: field } as const;
  try {
    return new Intl.DateTimeFormat('en-US', { timeZone: zone, hourCycle: 'h23', era: 'short', ...parts });
  } catch {
    return undefined;
  }
}

export function isZone(zone: string): boolean {
  return zone === '' || zone === 'Local' || formatterOf(zone) !== undefined;
}

function offsetOf(ms: number, zone: string): number {
  const formatter = zone === 'UTC' || zone === 'Local' || zone === '' ? undefined : formatterOf(zone);
  if (!formatter) return 0;
  const part = new Map(formatter.formatToParts(ms).map(({ type, value }) => [type, value]));
  const read = (type: 'year' | 'month' | 'day' | 'hour' | 'minute' | 'second') => Number(part.get(type));
  const year = part.get('era')?.startsWith('B') ? 1 - read('year') : read('year');
  const wall = Date.UTC(2000, read('month') - 1, read('day'), read('hour'), read('minute'), read('second'));
  const shifted = new Date(wall).setUTCFullYear(year, read('month') - 1, read('day'));
  return Math.round((shifted - Math.floor(ms / 1000) * 1000) / 1000);
}

/** Abbreviations that English locales of the time zone data lack. */
const abbreviations: Record<string, [string, string]> = {
  'Europe/Berlin': ['CET', 'CEST'],
  'Europe/Paris': ['CET', 'CEST'],
  'Europe/Madrid': ['CET', 'CEST'],
  'Europe/Rome': ['CET', 'CEST'],
  'Europe/Amsterdam': ['CET', 'CEST'],
  'Europe/Vienna': ['CET', 'CEST'],
  'Europe/Zurich': ['CET', 'CEST'],
  'Europe/Warsaw': ['CET', 'CEST'],
  'Europe/Stockholm': ['CET', 'CEST'],
  'Europe/London': ['GMT', 'BST'],
  'Asia/Tokyo': ['JST', 'JDT'],
  'Asia/Kolkata': ['IST', 'IST'],
  'Asia/Shanghai': ['CST', 'CDT'],
  'Australia/Sydney': ['AEST', 'AEDT'],
};

function abbreviationOf(ms: number, zone: string, offsetSeconds: number): string {
  if (zone === 'UTC' || zone === 'Local' || zone === '') return 'UTC';
  const year = new Date(ms).getUTCFullYear();
  const standard = Math.min(offsetOf(Date.UTC(year, 0, 1), zone), offsetOf(Date.UTC(year, 6, 1), zone));
  const known = abbreviations[zone];
  if (known) return known[offsetSeconds > standard ? 1 : 0];
  const format = new Intl.DateTimeFormat('en-US', { timeZone: zone, timeZoneName: 'short' });
  const name = format.formatToParts(ms).find(({ type }) => type === 'timeZoneName')?.value ?? '';
  return /^[A-Z]{3,5}$/.test(name) && name !== 'GMT'
    ? name
    : offsetText(offsetSeconds, false, false).replace(/00$/, '');
}

function partsOf(time: GoTime): Parts {
  const offsetSeconds = offsetOf(time.ms, time.zone);
  const wall = new Date(time.ms + offsetSeconds * 1000);
  return {
    year: wall.getUTCFullYear(),
    month: wall.getUTCMonth(),
    day: wall.getUTCDate(),
    weekday: wall.getUTCDay(),
    hour: wall.getUTCHours(),
    minute: wall.getUTCMinutes(),
    second: wall.getUTCSeconds(),
    ms: wall.getUTCMilliseconds(),
    offsetSeconds,
    abbreviation: abbreviationOf(time.ms, time.zone, offsetSeconds),
  };
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}

function offsetText(seconds: number, colon: boolean, withSeconds: boolean): string {
  const size = Math.abs(seconds);
  const separator = colon ? ':' : '';
  const minutes = Math.floor(size / 60) % 60;
  const hours = `${seconds < 0 ? '-' : '+'}${two(Math.floor(size / 3600))}`;
  return `${hours}${separator}${two(minutes)}${withSeconds ? `${separator}${two(size % 60)}` : ''}`;
}

function fraction(part: string, ms: number): string {
  const digits = `${String(ms).padStart(3, '0')}000000`.slice(0, part.length - 1).padEnd(part.length - 1, '0');
  if (part[1] === '0') return `${part[0]}${digits}`;
  const trimmed = digits.replace(/0+$/, '');
  return trimmed === '' ? '' : `${part[0]}${trimmed}`;
}

function dayOfYear(parts: Parts): number {
  return Math.floor((Date.UTC(parts.year, parts.month, parts.day) - Date.UTC(parts.year, 0, 0)) / 86_400_000);
}

const writers: Record<string, (parts: Parts) => string> = {
  January: ({ month }) => months[month] ?? '',
  Jan: ({ month }) => (months[month] ?? '').slice(0, 3),
  Monday: ({ weekday }) => days[weekday] ?? '',
  Mon: ({ weekday }) => (days[weekday] ?? '').slice(0, 3),
  MST: ({ abbreviation }) => abbreviation,
  '2006': ({ year }) => String(year).padStart(4, '0'),
  _2006: ({ year }) => `_${String(year).padStart(4, '0')}`,
  '01': ({ month }) => two(month + 1),
  '1': ({ month }) => String(month + 1),
  '02': ({ day }) => two(day),
  '2': ({ day }) => String(day),
  _2: ({ day }) => String(day).padStart(2, ' '),
  '002': (parts) => String(dayOfYear(parts)).padStart(3, '0'),
  __2: (parts) => String(dayOfYear(parts)).padStart(3, ' '),
  '03': ({ hour }) => two(hour % 12 || 12),
  '3': ({ hour }) => String(hour % 12 || 12),
  '15': ({ hour }) => two(hour),
  '04': ({ minute }) => two(minute),
  '4': ({ minute }) => String(minute),
  '05': ({ second }) => two(second),
  '5': ({ second }) => String(second),
  '06': ({ year }) => two(year % 100),
  PM: ({ hour }) => (hour < 12 ? 'AM' : 'PM'),
  pm: ({ hour }) => (hour < 12 ? 'am' : 'pm'),
};

function offsetPart(part: string, seconds: number): string {
  if (part.startsWith('Z') && seconds === 0) return 'Z';
  const shape = part.slice(1);
  if (shape === '07') return offsetText(seconds, true, false).slice(0, 3);
  return offsetText(seconds, shape.includes(':'), shape.length >= 6 && shape !== '07:00');
}

/** Go's time.Format. */
export function formatTime(time: GoTime, layout: string): string {
  const parts = partsOf(time);
  return layout.replace(layoutPart, (part, at: number) => {
    // A month's or day's name ends where a lower-case letter follows.
    if ((part === 'Jan' || part === 'Mon') && /^[a-z]/.test(layout.slice(at + 3))) return part;
    const write = writers[part];
    if (write) return write(parts);
    return /^[.,]/.test(part) ? fraction(part, parts.ms) : offsetPart(part, parts.offsetSeconds);
  });
}

const readers: Record<string, string> = {
  January: `(?<monthName>${months.join('|')})`,
  Jan: `(?<monthName>${months.map((name) => name.slice(0, 3)).join('|')})`,
  Monday: `(?:${days.join('|')})`,
  Mon: `(?:${days.map((name) => name.slice(0, 3)).join('|')})`,
  MST: '(?<zone>[A-Z]{3,5}|[-+]\\d\\d)',
  '2006': '(?<year>\\d{4})',
  '06': '(?<shortYear>\\d\\d)',
  '01': '(?<month>\\d\\d)',
  '1': '(?<month>\\d\\d?)',
  '02': '(?<day>\\d\\d)',
  '2': '(?<day>\\d\\d?)',
  _2: ' ?(?<day>\\d\\d?)',
  '15': '(?<hour>\\d\\d)',
  '03': '(?<hour>\\d\\d)',
  '3': '(?<hour>\\d\\d?)',
  '04': '(?<minute>\\d\\d)',
  '4': '(?<minute>\\d\\d?)',
  '05': '(?<second>\\d\\d)(?:[.,](?<fraction>\\d+))?',
  '5': '(?<second>\\d\\d?)(?:[.,](?<fraction>\\d+))?',
  PM: '(?<half>AM|PM)',
  pm: '(?<half>am|pm)',
};

function readerOf(part: string): string {
  const known = readers[part];
  if (known !== undefined) return known;
  if (/^[.,]/.test(part)) return '(?:[.,]\\d+)?';
  const colon = part.includes(':') ? ':' : '';
  const minutes = part.length > 3 ? `${colon}\\d\\d` : '';
  return part.startsWith('Z') ? `(?<offset>Z|[-+]\\d\\d${minutes})` : `(?<offset>[-+]\\d\\d${minutes})`;
}

function patternOf(layout: string): RegExp {
  let source = '';
  let last = 0;
  const seen = new Set<string>();
  for (const match of layout.matchAll(layoutPart)) {
    source += RegExp.escape(layout.slice(last, match.index));
    let reader = readerOf(match[0]);
    const name = /\?<(\w+)>/.exec(reader)?.[1];
    if (name !== undefined && seen.has(name)) reader = reader.replaceAll(/\?<\w+>/g, '?:');
    if (name !== undefined) seen.add(name);
    source += reader;
    last = match.index + match[0].length;
  }
  return new RegExp(`^${source}${RegExp.escape(layout.slice(last))}$`, 'i');
}

function offsetOfText(text: string | undefined): number {
  if (text === undefined || text === 'Z') return 0;
  const digits = text.slice(1).replaceAll(':', '');
  const seconds = Number(digits.slice(0, 2)) * 3600 + Number(digits.slice(2, 4) || 0) * 60;
  return text.startsWith('-') ? -seconds : seconds;
}

/** Go's time.Parse in UTC. Throws CallError with Go's words. */
export function parseTime(layout: string, text: string): GoTime {
  const groups = patternOf(layout).exec(text)?.groups;
  if (!groups) throw new CallError(`parsing time ${JSON.stringify(text)} as ${JSON.stringify(layout)}: cannot parse`);
  const number = (name: string, absent: number) => Number(groups[name] ?? absent);
  const shortYear = groups['shortYear'];
  const short = Number(shortYear ?? 0);
  const year = shortYear === undefined ? number('year', 0) : short + (short >= 69 ? 1900 : 2000);
  const name = groups['monthName'];
  const month = name
    ? months.findIndex((full) => full.slice(0, 3).toLowerCase() === name.slice(0, 3).toLowerCase())
    : -1;
  let hour = number('hour', 0);
  const half = groups['half']?.toUpperCase();
  if (half === 'PM' && hour < 12) hour += 12;
  if (half === 'AM' && hour === 12) hour = 0;
  const day = number('day', 1);
  const date = new Date(0);
  date.setUTCFullYear(year, month >= 0 ? month : number('month', 1) - 1, day);
  if (date.getUTCDate() !== day || hour > 23 || number('minute', 0) > 59 || number('second', 0) > 59)
    throw new CallError(`parsing time ${JSON.stringify(text)}: out of range`);
  date.setUTCHours(hour, number('minute', 0), number('second', 0));
  const milliseconds = Math.floor(Number(`0.${groups['fraction'] ?? 0}`) * 1000);
  return new GoTime(date.getTime() + milliseconds - offsetOfText(groups['offset']) * 1000, 'UTC');
}

/** The zero time of Go: 1 January of the year 1. */
export const zeroTimeMs = -62_135_596_800_000;

const unitNs: Record<string, bigint> = {
  ns: 1n,
  us: 1000n,
  µs: 1000n,
  μs: 1000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
};

/** Go's time.ParseDuration, in nanoseconds; undefined when it is none. */
export function parseGoDuration(text: string): bigint | undefined {
  const match = /^([-+]?)((?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+|0)$/.exec(text);
  if (!match) return undefined;
  let total = 0n;
  for (const part of (match[2] ?? '').matchAll(/(\d*)(?:\.(\d*))?(ns|us|µs|μs|ms|s|m|h)/g)) {
    const unit = unitNs[part[3] ?? ''] ?? 0n;
    const digits = part[2] ?? '';
    total += BigInt(part[1] || '0') * unit;
    if (digits !== '') total += (BigInt(digits) * unit) / 10n ** BigInt(digits.length);
  }
  return match[1] === '-' ? -total : total;
}

/** Go's Duration.String. */
export function formatGoDuration(nanoseconds: bigint): string {
  const size = nanoseconds < 0n ? -nanoseconds : nanoseconds;
  const sign = nanoseconds < 0n ? '-' : '';
  if (size === 0n) return '0s';
  if (size < 1_000_000_000n) {
    const [unit, scale] = size < 1000n ? ['ns', 1n] : size < 1_000_000n ? ['µs', 1000n] : ['ms', 1_000_000n];
    return `${sign}${decimal(size, BigInt(scale ?? 1n))}${unit}`;
  }
  const seconds = size / 1_000_000_000n;
  const rest = decimal(size % 60_000_000_000n, 1_000_000_000n);
  const minutes = (seconds / 60n) % 60n;
  const hours = seconds / 3600n;
  if (seconds < 60n) return `${sign}${rest}s`;
  return `${sign}${hours > 0n ? `${hours}h` : ''}${minutes}m${rest}s`;
}

function decimal(value: bigint, scale: bigint): string {
  const digits = (value % scale)
    .toString()
    .padStart(scale.toString().length - 1, '0')
    .replace(/0+$/, '');
  return digits === '' || scale === 1n ? `${value / scale}` : `${value / scale}.${digits}`;
}
