/** When a window begins: five fields, as the Go library reads them that Argo CD uses. */
export interface CronSchedule {
  minutes: ReadonlySet<number>;
  hours: ReadonlySet<number>;
  days: ReadonlySet<number>;
  months: ReadonlySet<number>;
  weekdays: ReadonlySet<number>;
  /** One of the two fields of days is `*`: then both have to match, else one of them. */
  bothDays: boolean;
}

interface Field {
  min: number;
  max: number;
  names?: readonly string[];
}

const fields = {
  minutes: { min: 0, max: 59 },
  hours: { min: 0, max: 23 },
  days: { min: 1, max: 31 },
  months: {
    min: 1,
    max: 12,
    names: ['', 'jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'],
  },
  weekdays: { min: 0, max: 6, names: ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] },
} satisfies Record<string, Field>;

function numberOf(text: string, field: Field): number {
  const named = text === '' ? -1 : (field.names ?? []).indexOf(text.toLowerCase());
  if (named >= 0) return named;
  if (!/^\d+$/.test(text)) throw new Error(`${JSON.stringify(text)} is not a number`);
  return Number(text);
}

function stepOf(text: string | undefined): number {
  if (text === undefined) return 1;
  if (!/^\d+$/.test(text) || Number(text) === 0) throw new Error(`${JSON.stringify(text)} is not a step`);
  return Number(text);
}

/** One part between commas; `star` when it is any value, without a step. */
function parsePart(text: string, field: Field, into: Set<number>): boolean {
  const [range = '', stepText, tooMuch] = text.split('/');
  const [low = '', high, more] = range.split('-');
  if (tooMuch !== undefined || more !== undefined) throw new Error(`${JSON.stringify(text)} is not a range`);
  const step = stepOf(stepText);
  const any = low === '*' || low === '?';
  const from = any ? field.min : numberOf(low, field);
  let to = any ? field.max : from;
  if (!any && high !== undefined) to = numberOf(high, field);
  else if (!any && stepText !== undefined) to = field.max;
  if (from < field.min || to > field.max || from > to) throw new Error(`${JSON.stringify(text)} is out of range`);
  for (let value = from; value <= to; value += step) into.add(value);
  return any && step === 1;
}

function parseField(text: string, field: Field): { values: Set<number>; star: boolean } {
  const values = new Set<number>();
  let star = false;
  for (const part of text.split(',').filter((each) => each !== '')) star = parsePart(part, field, values) || star;
  if (values.size === 0) throw new Error(`${JSON.stringify(text)} is empty`);
  return { values, star };
}

/** Throws Error for what that library refuses. */
export function parseCron(text: string): CronSchedule {
  const parts = text.trim().split(/\s+/);
  const [minute = '', hour = '', day = '', month = '', weekday = ''] = parts;
  if (parts.length !== 5) throw new Error(`expected exactly 5 fields, found ${text.trim() === '' ? 0 : parts.length}`);
  const days = parseField(day, fields.days);
  const weekdays = parseField(weekday, fields.weekdays);
  return {
    minutes: parseField(minute, fields.minutes).values,
    hours: parseField(hour, fields.hours).values,
    days: days.values,
    months: parseField(month, fields.months).values,
    weekdays: weekdays.values,
    bothDays: days.star || weekdays.star,
  };
}

const dayMs = 86_400_000;
const minuteMs = 60_000;
const yearsAhead = 5;

function isDay(schedule: CronSchedule, date: Date): boolean {
  if (!schedule.months.has(date.getUTCMonth() + 1)) return false;
  const day = schedule.days.has(date.getUTCDate());
  const weekday = schedule.weekdays.has(date.getUTCDay());
  return schedule.bothDays ? day && weekday : day || weekday;
}

/** The first begin after a moment, both in milliseconds and read as UTC; undefined when there is none within five years. */
export function nextCron(schedule: CronSchedule, afterMs: number): number | undefined {
  const first = (Math.floor(afterMs / minuteMs) + 1) * minuteMs;
  const lastYear = new Date(first).getUTCFullYear() + yearsAhead;
  let midnight = Math.floor(first / dayMs) * dayMs;
  for (; ; midnight += dayMs) {
    const date = new Date(midnight);
    if (date.getUTCFullYear() > lastYear) return undefined;
    if (!isDay(schedule, date)) continue;
    for (const hour of [...schedule.hours].sort((a, b) => a - b))
      for (const minute of [...schedule.minutes].sort((a, b) => a - b)) {
        const at = midnight + (hour * 60 + minute) * minuteMs;
        if (at >= first) return at;
      }
  }
}
