import { CallError } from '../call-error.ts';
import { toInt64 } from '../cast.ts';
import { type CallContext, type FunctionMap, fn, variadic } from '../function.ts';
import { deepEqual, isTrue, kindName, ofType } from '../value.ts';

function items(list: unknown, complaint: string): unknown[] {
  if (Array.isArray(list)) return list;
  if (list === null || list === undefined)
    throw new CallError('runtime error: invalid memory address or nil pointer dereference');
  throw new CallError(`${complaint} ${kindName(list)}`);
}

function append(list: unknown, value: unknown, context: CallContext): unknown[] {
  const old = items(list, 'Cannot push on type');
  context.spend(Math.ceil(old.length / 16));
  return [...old, value];
}

function prepend(list: unknown, value: unknown, context: CallContext): unknown[] {
  const old = items(list, 'Cannot prepend on type');
  context.spend(Math.ceil(old.length / 16));
  return [value, ...old];
}

function chunk(size: number, list: unknown): unknown[] {
  const all = items(list, 'Cannot chunk type');
  if (size <= 0) throw new CallError('runtime error: makeslice: len out of range');
  const out: unknown[][] = [];
  for (let at = 0; at < all.length; at += size) out.push(all.slice(at, at + size));
  return ofType(out, '[]interface {}');
}

/** Counts every comparison: a long list against itself is much work. */
function unique(list: unknown, context: CallContext): unknown[] {
  const out: unknown[] = [];
  for (const item of items(list, 'Cannot find uniq on type')) {
    context.spend(1 + Math.ceil(out.length / 16));
    if (!out.some((other) => deepEqual(item, other))) out.push(item);
  }
  return out;
}

function slice(list: unknown, indexes: readonly unknown[]): unknown {
  const all = items(list, 'list should be type of slice or array but');
  if (all.length === 0) return null;
  const start = indexes.length > 0 ? Number(toInt64(indexes[0])) : 0;
  const end = indexes.length > 1 ? Number(toInt64(indexes[1])) : all.length;
  if (start < 0 || end > all.length || start > end)
    throw new CallError('reflect.Value.Slice: slice index out of bounds');
  return all.slice(start, end);
}

function has(needle: unknown, list: unknown): boolean {
  if (list === null || list === undefined) return false;
  return items(list, 'Cannot find has on type').some((item) => deepEqual(needle, item));
}

function concat(lists: readonly unknown[], context: CallContext): unknown[] {
  return lists.flatMap((list) => {
    if (!Array.isArray(list)) throw new CallError(`Cannot concat type ${kindName(list)} as list`);
    context.spend(Math.ceil(list.length / 16));
    return list;
  });
}

const pair = {
  append: fn(['any', 'any'], append),
  prepend: fn(['any', 'any'], prepend),
  chunk: fn(['int', 'any'], chunk),
  first: fn(['any'], (list) => items(list, 'Cannot find first on type')[0] ?? null),
  last: fn(['any'], (list) => items(list, 'Cannot find last on type').at(-1) ?? null),
  rest: fn(['any'], (list) => items(list, 'Cannot find rest on type').slice(1)),
  initial: fn(['any'], (list) => items(list, 'Cannot find initial on type').slice(0, -1)),
  reverse: fn(['any'], (list) => items(list, 'Cannot find reverse on type').toReversed()),
  compact: fn(['any'], (list) => items(list, 'Cannot compact on type').filter(isTrue)),
  uniq: fn(['any'], unique),
  without: variadic(['any'], 'any', ([list], omitted) =>
    items(list, 'Cannot find without on type').filter((item) => !omitted.some((other) => deepEqual(item, other))),
  ),
  has: fn(['any', 'any'], has),
  slice: variadic(['any'], 'any', ([list], indexes) => slice(list, indexes)),
};

const list = variadic([], 'any', (_none, values) => values);

export const listFunctions: FunctionMap = {
  list,
  tuple: list,
  ...pair,
  push: pair.append,
  mustPush: pair.append,
  ...Object.fromEntries(
    Object.entries(pair).map(([name, called]) => [`must${name[0]?.toUpperCase()}${name.slice(1)}`, called]),
  ),
  concat: variadic([], 'any', (_none, lists, context) => concat(lists, context)),
};
