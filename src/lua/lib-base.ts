import { type Arguments, library } from './arguments.ts';
import { call, display, failure, metamethod, rawSet } from './machine.ts';
import { LuaError, LuaTable, type LuaValue, toNumber, truthy, typeName } from './value.ts';

function next(args: Arguments): LuaValue[] {
  args.machine.budget.step();
  return args.table(0).next(args.all[1]) ?? [undefined];
}

function nextIndex(args: Arguments): LuaValue[] {
  args.machine.budget.step();
  const at = args.integer(1) + 1;
  const value = args.table(0).get(at);
  return value === undefined ? [undefined] : [at, value];
}

const iterators = library({ next, 'ipairs iterator': nextIndex });

/** An error's text begins with the line that raised it, unless `level` is 0 or what was raised is no text. */
function raise(args: Arguments): LuaValue[] {
  const value = args.any(0);
  if (typeof value === 'string' && args.integer(1, 1) > 0) throw failure(args.machine, value);
  throw new LuaError(value);
}

function attempt(args: Arguments, run: () => LuaValue[], handle: (value: LuaValue) => LuaValue[]): LuaValue[] {
  const { budget } = args.machine;
  const { depth } = budget;
  try {
    return [true, ...run()];
  } catch (error) {
    if (!(error instanceof LuaError)) throw error;
    // To raise and to catch costs far more than a call.
    budget.step(300);
    budget.unwind(depth);
    return [false, ...handle(error.value)];
  }
}

function select(args: Arguments): LuaValue[] {
  const rest = args.all.slice(1);
  if (args.all[0] === '#') return [rest.length];
  const at = args.integer(0);
  if (at === 0 || -at > rest.length) throw args.bad(0, 'index out of range');
  return rest.slice(at > 0 ? at - 1 : at);
}

const digits = '0123456789abcdefghijklmnopqrstuvwxyz';

function parseNumber(args: Arguments): LuaValue[] {
  const base = args.integer(1, 10);
  if (base === 10) {
    const value = args.any(0);
    // Of texts, gopher-lua reads an exponent only behind a fraction.
    if (typeof value === 'string' && /^[^.xX]*[eE]/.test(value)) return [undefined];
    return [toNumber(value)];
  }
  if (base < 2 || base > 36) throw args.bad(1, 'base out of range');
  const text = args.text(0).trim().toLowerCase();
  const plain = base === 16 ? text.replace(/^0x/, '') : text;
  const valid = plain !== '' && [...plain].every((char) => digits.slice(0, base).includes(char));
  return [valid ? Number.parseInt(plain, base) : undefined];
}

/** Lua 5.1's base library without what loads code or reads files. */
export const baseLibrary = library({
  assert: (args) => {
    if (truthy(args.any(0))) return args.all;
    throw failure(args.machine, args.all[1] === undefined ? 'assertion failed!' : args.text(1));
  },
  error: raise,
  getmetatable: (args) => {
    const table = args.all[0];
    if (!(table instanceof LuaTable)) return [undefined];
    return [metamethod(table, '__metatable') ?? table.metatable];
  },
  ipairs: (args) => [iterators.get('ipairs iterator'), args.table(0), 0],
  next,
  pairs: (args) => [iterators.get('next'), args.table(0), undefined],
  pcall: (args) =>
    attempt(
      args,
      () => call(args.machine, args.any(0), args.all.slice(1)),
      (value) => [value],
    ),
  print: () => [],
  rawequal: (args) => [args.any(0) === args.any(1)],
  rawget: (args) => [args.table(0).get(args.any(1))],
  rawset: (args) => {
    rawSet(args.machine, args.table(0), args.any(1), args.any(2));
    return [args.all[0]];
  },
  select,
  setmetatable: (args) => {
    const table = args.table(0);
    const metatable = args.all[1];
    if (metatable !== undefined && !(metatable instanceof LuaTable)) throw args.bad(1, 'nil or table expected');
    if (metamethod(table, '__metatable') !== undefined)
      throw failure(args.machine, 'cannot change a protected metatable');
    table.metatable = metatable;
    return [table];
  },
  tonumber: parseNumber,
  tostring: (args) => [display(args.machine, args.any(0))],
  type: (args) => [typeName(args.any(0))],
  xpcall: (args) =>
    attempt(
      args,
      () => call(args.machine, args.any(0), []),
      (value) => call(args.machine, args.any(1), [value]),
    ),
});
