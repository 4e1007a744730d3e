import { type Arguments, library } from './arguments.ts';
import { LuaTable, type LuaValue } from './value.ts';

const days = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const months = 'January February March April May June July August September October November December'.split(' ');

const two = (value: number) => String(value).padStart(2, '0');
const short = (names: readonly string[], at: number) => (names[at] ?? '').slice(0, 3);

/** What a letter after `%` stands for, in UTC; undefined for letters that stay as they are. */
function part(letter: string, at: Date): string | undefined {
  const hour = at.getUTCHours();
  const clock = () => `${two(hour)}:${two(at.getUTCMinutes())}`;
  switch (letter) {
    case 'a':
      return short(days, at.getUTCDay()).toLowerCase();
    case 'A':
      return days[at.getUTCDay()];
    case 'b':
      return short(months, at.getUTCMonth());
    case 'B':
      return months[at.getUTCMonth()];
    case 'c':
      return `${two(at.getUTCDate())} ${short(months, at.getUTCMonth())} ${two(at.getUTCFullYear() % 100)} ${clock()} UTC`;
    case 'd':
      return two(at.getUTCDate());
    case 'F':
      return at.toISOString().slice(0, 10);
    case 'H':
      return two(hour);
    case 'I':
      return two(hour % 12 === 0 ? 12 : hour % 12);
    case 'm':
      return two(at.getUTCMonth() + 1);
    case 'M':
      return two(at.getUTCMinutes());
    case 'p':
      return hour < 12 ? 'AM' : 'PM';
    case 'P':
      return hour < 12 ? 'am' : 'pm';
    case 'S':
      return two(at.getUTCSeconds());
    case 'x':
      return `${two(at.getUTCHours())}/${two(at.getUTCMinutes())}/${two(at.getUTCSeconds())}`;
    case 'X':
      return `${clock()}:${two(at.getUTCSeconds())}`;
    case 'y':
      return two(at.getUTCFullYear() % 100);
    case 'Y':
      return String(at.getUTCFullYear());
    case 'z':
      return '+0000';
    case 'Z':
      return 'UTC';
    case 'w':
      return String(at.getUTCDay());
    default:
      return undefined;
  }
}

function fields(at: Date): LuaTable {
  const table = new LuaTable();
  const entries: [string, LuaValue][] = [
    ['year', at.getUTCFullYear()],
    ['month', at.getUTCMonth() + 1],
    ['day', at.getUTCDate()],
    ['hour', at.getUTCHours()],
    ['min', at.getUTCMinutes()],
    ['sec', at.getUTCSeconds()],
    ['wday', at.getUTCDay() + 1],
    ['yday', 0],
    ['isdst', false],
  ];
  for (const [name, value] of entries) table.set(name, value);
  return table;
}

function field(table: LuaTable, name: string, fallback: number): number {
  const value = table.get(name);
  return typeof value === 'number' ? Math.trunc(value) : fallback;
}

function date(args: Arguments, nowMs: number): LuaValue[] {
  const at = new Date(args.all[1] === undefined ? nowMs : args.integer(1) * 1000);
  const format = args.all[0] === undefined ? '%c' : args.text(0).replace(/^!+/, '');
  if (Number.isNaN(at.getTime())) throw args.bad(1, 'time out of range');
  if (format.startsWith('*t')) return [fields(at)];
  return [
    format.replace(/%([\s\S])/g, (whole, letter: string) => (letter === '%' ? '%' : (part(letter, at) ?? whole))),
  ];
}

function time(args: Arguments, nowMs: number): LuaValue[] {
  if (args.all.length === 0) return [Math.floor(nowMs / 1000)];
  const table = args.table(0);
  const ms = Date.UTC(
    field(table, 'year', -1),
    field(table, 'month', -1) - 1,
    field(table, 'day', -1),
    field(table, 'hour', 12),
    field(table, 'min', 0),
    field(table, 'sec', 0),
  );
  return [Math.floor(ms / 1000)];
}

/** `os` without files, processes and the environment: the time, in UTC everywhere. */
export const osLibrary = library({
  date: (args) => date(args, args.machine.nowMs),
  difftime: (args) => [args.number(0) - args.number(1, 0)],
  time: (args) => time(args, args.machine.nowMs),
});
