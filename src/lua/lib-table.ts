import { type Arguments, library } from './arguments.ts';
import { call, failure, less } from './machine.ts';
import { LuaError, type LuaTable, type LuaValue, toText, truthy, typeName } from './value.ts';

function insert(args: Arguments): LuaValue[] {
  const table = args.table(0);
  const { budget } = args.machine;
  budget.step();
  budget.allocate(16);
  if (args.all.length <= 1) throw args.bad(1, 'value expected');
  if (args.all.length === 2) {
    table.set(table.length + 1, args.all[1]);
    return [];
  }
  const position = args.integer(1);
  budget.step(table.length >> 4);
  if (position < 1 || position > table.length) table.set(position, args.all[2]);
  else table.insert(position, args.all[2]);
  return [];
}

function join(args: Arguments): LuaValue[] {
  const table = args.table(0);
  const separator = args.all[1] === undefined ? '' : args.text(1);
  const from = args.integer(2, 1);
  const to = args.integer(3, table.length);
  const parts: string[] = [];
  for (let at = from; at <= to; at += 1) {
    const value = table.get(at);
    if (typeof value !== 'string' && typeof value !== 'number')
      throw failure(args.machine, `invalid value (${typeName(value)}) at index ${at} in table for concat`);
    parts.push(toText(value));
    args.machine.budget.step();
    args.machine.budget.allocate(separator.length + toText(value).length);
  }
  return [parts.join(separator)];
}

function sort(args: Arguments): LuaValue[] {
  const { machine } = args;
  const by = args.all[1];
  args.table(0).sort((a, b) => {
    machine.budget.step();
    const before = (x: LuaValue, y: LuaValue) =>
      by === undefined ? less(machine, x, y) : truthy(call(machine, by, [x, y])[0]);
    if (before(a, b)) return -1;
    return before(b, a) ? 1 : 0;
  });
  return [];
}

function greatestIndex(table: LuaTable): number {
  let greatest = 0;
  for (let pair = table.next(undefined); pair !== undefined; pair = table.next(pair[0])) {
    if (typeof pair[0] === 'number') greatest = Math.max(greatest, pair[0]);
  }
  return greatest;
}

function unpack(args: Arguments): LuaValue[] {
  const table = args.table(0);
  const from = args.integer(1, 1);
  const to = args.integer(2, table.length);
  if (to - from > 100_000) throw new LuaError('too many results to unpack');
  const results: LuaValue[] = [];
  for (let at = from; at <= to; at += 1) results.push(table.get(at));
  args.machine.budget.step(results.length);
  return results;
}

/** Lua 5.1's `table` library; `unpack` is a function of the base library. */
export const tableLibrary = library({
  concat: join,
  getn: (args) => [args.table(0).length],
  insert,
  maxn: (args) => [greatestIndex(args.table(0))],
  remove: (args) => {
    const table = args.table(0);
    args.machine.budget.step(table.length >> 4);
    return [table.remove(args.integer(1, table.length))];
  },
  sort,
});

export const unpackLibrary = library({ unpack });
