import { type Arguments, library } from './arguments.ts';
import { formatText } from './format.ts';
import { call, failure, index } from './machine.ts';
import { matchPattern, PatternError, type PatternMatch } from './pattern.ts';
import { bytesOf, isFunction, LuaTable, type LuaValue, textOf, toText, truthy, typeName } from './value.ts';

function find(args: Arguments, pattern: string, from: number): PatternMatch | undefined {
  try {
    return matchPattern(args.text(0), pattern, { from, budget: args.machine.budget });
  } catch (error) {
    if (error instanceof PatternError) throw failure(args.machine, error.message);
    throw error;
  }
}

/** A position counted from the start (1) or, when negative, from the end, as an offset. */
function offset(position: number, length: number): number {
  if (position > 0) return position - 1;
  return position === 0 ? 0 : Math.max(0, length + position);
}

function range(args: Arguments, defaults: { start: number; end: number }): [number, number] {
  const { length } = args.text(0);
  const end = args.integer(2, defaults.end);
  return [offset(args.integer(1, defaults.start), length), Math.min(length, end < 0 ? length + end + 1 : end)];
}

function captured(subject: string, match: PatternMatch): LuaValue[] {
  return match.captures.length > 0 ? match.captures : [subject.slice(match.start, match.end)];
}

function expand(args: Arguments, template: string, match: PatternMatch): string {
  const subject = args.text(0);
  return template.replace(/%([\s\S])/g, (_, char: string) => {
    if (char === '0') return subject.slice(match.start, match.end);
    if (!/[1-9]/.test(char)) return char;
    const value = captured(subject, match)[Number(char) - 1];
    if (value === undefined) throw failure(args.machine, 'invalid capture index');
    return toText(value);
  });
}

function replacement(args: Arguments, match: PatternMatch): string {
  const subject = args.text(0);
  const whole = subject.slice(match.start, match.end);
  const given = args.all[2];
  if (typeof given === 'string' || typeof given === 'number') return expand(args, toText(given), match);
  const captures = captured(subject, match);
  const value =
    given instanceof LuaTable ? index(args.machine, given, captures[0]) : call(args.machine, given, captures)[0];
  if (!truthy(value)) return whole;
  if (typeof value !== 'string' && typeof value !== 'number')
    throw failure(args.machine, `invalid replacement value (a ${typeName(value)})`);
  return toText(value);
}

function substitute(args: Arguments): LuaValue[] {
  const subject = args.text(0);
  const pattern = args.text(1);
  const given = args.all[2];
  if (!(typeof given === 'string' || typeof given === 'number' || given instanceof LuaTable || isFunction(given)))
    throw args.bad(2, `string or function or table expected, got ${typeName(given)}`);
  const most = args.integer(3, -1);
  let result = '';
  let at = 0;
  let count = 0;
  while (at <= subject.length && (most < 0 || count < most)) {
    const match = find(args, pattern, at);
    if (match === undefined) break;
    count += 1;
    result += subject.slice(at, match.start) + replacement(args, match);
    args.machine.budget.allocate(result.length);
    if (match.end > match.start) at = match.end;
    else {
      result += subject[match.end] ?? '';
      at = match.end + 1;
    }
    if (pattern.startsWith('^')) break;
  }
  return [result + subject.slice(at), count];
}

function matches(args: Arguments): LuaValue[] {
  const subject = args.text(0);
  const pattern = args.text(1);
  let at = 0;
  return [
    {
      call: () => {
        const match = at <= subject.length ? find(args, pattern, at) : undefined;
        if (match === undefined) return [undefined];
        at = match.end > match.start ? match.end : match.end + 1;
        return captured(subject, match);
      },
    },
  ];
}

function search(args: Arguments): LuaValue[] {
  const subject = args.text(0);
  const pattern = args.text(1);
  const from = offset(args.integer(2, 1), subject.length);
  if (truthy(args.all[3])) {
    const start = subject.indexOf(pattern, from);
    return start < 0 ? [undefined] : [start + 1, start + pattern.length];
  }
  const match = find(args, pattern, from);
  return match === undefined ? [undefined] : [match.start + 1, match.end, ...match.captures];
}

/** Lua's `string` library on bytes, without `dump`. */
export const stringLibrary = library({
  byte: (args) => {
    const start = args.integer(1, 1);
    const [from, to] = range(args, { start: 1, end: start });
    return [...args.text(0).slice(from, Math.max(from, to))].map((char) => char.charCodeAt(0));
  },
  char: (args) => [args.all.map((_, at) => String.fromCharCode(args.integer(at) & 255)).join('')],
  find: search,
  format: (args) => {
    const text = formatText(args.text(0), args.all.slice(1));
    args.machine.budget.allocate(text.length);
    return [text];
  },
  gmatch: matches,
  gfind: matches,
  gsub: substitute,
  len: (args) => [args.text(0).length],
  lower: (args) => [bytesOf(textOf(args.text(0)).toLowerCase())],
  match: (args) => {
    const subject = args.text(0);
    const match = find(args, args.text(1), offset(args.integer(2, 1), subject.length));
    return match === undefined ? [undefined] : captured(subject, match);
  },
  rep: (args) => {
    const count = Math.max(0, args.integer(1));
    args.machine.budget.allocate(args.text(0).length * count);
    return [args.text(0).repeat(count)];
  },
  reverse: (args) => [[...args.text(0)].reverse().join('')],
  sub: (args) => {
    const [from, to] = range(args, { start: 1, end: -1 });
    return [args.text(0).slice(from, Math.max(from, to))];
  },
  upper: (args) => [bytesOf(textOf(args.text(0)).toUpperCase())],
});
