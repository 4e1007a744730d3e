import { slice } from './access.ts';
import { builtin, call, type Library } from './builtin.ts';
import { JsonnetError } from './error.ts';
import { arrayOf, booleanOf, compare, equal, finite, functionOf, integerOf, numberOf, textOf } from './operators.ts';
import {
  charactersOf,
  JsonnetArray,
  type JsonnetFunction,
  JsonnetObject,
  Thunk,
  typeOf,
  type Value,
} from './values.ts';

const longest = 10_000_000;

/** The items of an array, or the characters of a string. */
function itemsOf(value: Value, what: string): readonly Thunk[] {
  if (typeof value === 'string') return charactersOf(value).map(Thunk.of);
  return arrayOf(value, what).items;
}

function lazily(target: JsonnetFunction, ...args: Thunk[]): Thunk {
  return Thunk.later(() => target.call(args));
}

const isTrue = (value: Value, what: string) => booleanOf(value, what);
const keyOf = (key: Value | undefined) => (item: Thunk) =>
  key === undefined ? item.force() : functionOf(key, 'keyF').call([item]);

/** Stable; undefined `key` is the item itself. */
export function sorted(items: readonly Thunk[], key: Value | undefined): Thunk[] {
  const keyed = items.map((item) => ({ item, key: keyOf(key)(item) }));
  keyed.sort((a, b) => compare(a.key, b.key));
  return keyed.map(({ item }) => item);
}

/** Neighbours that are equal become one. */
export function unique(items: readonly Thunk[], key: Value | undefined): Thunk[] {
  const out: Thunk[] = [];
  let last: Value | undefined;
  for (const item of items) {
    const own = keyOf(key)(item);
    if (last === undefined || !equal(last, own)) out.push(item);
    last = own;
  }
  return out;
}

function concat(items: readonly Thunk[], what: string): Thunk[] {
  return items.flatMap((item) => arrayOf(item.force(), what).items);
}

function flattenDeep(value: Value): Thunk[] {
  if (!(value instanceof JsonnetArray)) return [Thunk.of(value)];
  return value.items.flatMap((item) => flattenDeep(item.force()));
}

function deepJoin(value: Value): string {
  if (typeof value === 'string') return value;
  if (value instanceof JsonnetArray) return value.items.map((item) => deepJoin(item.force())).join('');
  throw new JsonnetError(`expected string or array, got ${typeOf(value)}`);
}

function join(separator: Value, list: Value): Value {
  const items = arrayOf(list, 'the array of std.join')
    .values()
    .filter((item) => item !== null);
  if (typeof separator === 'string') return items.map((item) => textOf(item, 'an item of std.join')).join(separator);
  const between = arrayOf(separator, 'the separator of std.join').items;
  return new JsonnetArray(
    items.flatMap((item, index) => [...(index > 0 ? between : []), ...arrayOf(item, 'an item of std.join').items]),
  );
}

function flatMap(func: Value, list: Value): Value {
  const each = functionOf(func, 'func');
  if (typeof list === 'string')
    return charactersOf(list)
      .map((character) => call(each, character))
      .map((value) => (value === null ? '' : textOf(value, 'the result of func')))
      .join('');
  return new JsonnetArray(
    arrayOf(list, 'arr').items.flatMap((item) => {
      const value = each.call([item]);
      return value === null ? [] : arrayOf(value, 'the result of func').items;
    }),
  );
}

function extreme(list: Value, key: Value | undefined, options: { sign: number; onEmpty: Value | undefined }): Value {
  const { items } = arrayOf(list, 'arr');
  if (items.length === 0) {
    if (options.onEmpty !== undefined) return options.onEmpty;
    throw new JsonnetError('expected at least one element in the array');
  }
  let best: { item: Thunk; key: Value } | undefined;
  for (const item of items) {
    const own = keyOf(key)(item);
    if (!best || compare(own, best.key) * options.sign > 0) best = { item, key: own };
  }
  return best?.item.force() ?? null;
}

function sum(list: Value): number {
  return arrayOf(list, 'arr')
    .values()
    .reduce<number>((total, item) => finite(total + numberOf(item, 'an item')), 0);
}

function repeat(what: Value, count: Value): Value {
  const times = integerOf(count, 'count');
  if (times < 0) throw new JsonnetError('std.repeat takes a count that is not negative');
  const length = typeof what === 'string' ? what.length : arrayOf(what, 'what').items.length;
  if (length * times > longest) throw new JsonnetError(`std.repeat makes more than ${longest} items`);
  if (typeof what === 'string') return what.repeat(times);
  const { items } = arrayOf(what, 'what');
  return new JsonnetArray(Array.from({ length: times }, () => items).flat());
}

function range(from: number, length: number): Value {
  if (length > longest) throw new JsonnetError(`an array of more than ${longest} items`);
  return JsonnetArray.of(Array.from({ length: Math.max(0, length) }, (_, index) => from + index));
}

function member(list: Value, wanted: Value): boolean {
  if (typeof list === 'string') return list.includes(textOf(wanted, 'x'));
  return arrayOf(list, 'arr').items.some((item) => equal(item.force(), wanted));
}

function withoutAt(items: readonly Thunk[], at: number): JsonnetArray {
  return new JsonnetArray(items.filter((_, index) => index !== at));
}

export const arrayLibrary: Library = new Map<string, Value>([
  [
    'makeArray',
    builtin('sz, func', (size, func) => {
      const length = integerOf(size, 'sz');
      if (length < 0 || length > longest) throw new JsonnetError(`std.makeArray takes a size from 0 to ${longest}`);
      const make = functionOf(func, 'func');
      return new JsonnetArray(Array.from({ length }, (_, index) => lazily(make, Thunk.of(index))));
    }),
  ],
  [
    'map',
    builtin('func, arr', (func, list) => {
      const each = functionOf(func, 'func');
      return new JsonnetArray(itemsOf(list, 'arr').map((item) => lazily(each, item)));
    }),
  ],
  [
    'mapWithIndex',
    builtin('func, arr', (func, list) => {
      const each = functionOf(func, 'func');
      return new JsonnetArray(itemsOf(list, 'arr').map((item, index) => lazily(each, Thunk.of(index), item)));
    }),
  ],
  [
    'filter',
    builtin('func, arr', (func, list) => {
      const test = functionOf(func, 'func');
      return new JsonnetArray(itemsOf(list, 'arr').filter((item) => isTrue(test.call([item]), 'the result of func')));
    }),
  ],
  [
    'filterMap',
    builtin('filter_func, map_func, arr', (filter, map, list) => {
      const test = functionOf(filter, 'filter_func');
      const each = functionOf(map, 'map_func');
      const kept = itemsOf(list, 'arr').filter((item) => isTrue(test.call([item]), 'the result of filter_func'));
      return new JsonnetArray(kept.map((item) => lazily(each, item)));
    }),
  ],
  ['flatMap', builtin('func, arr', flatMap)],
  ['flattenArrays', builtin('arrs', (list) => new JsonnetArray(concat(arrayOf(list, 'arrs').items, 'an item')))],
  ['flattenDeepArray', builtin('value', (value) => new JsonnetArray(flattenDeep(value)))],
  [
    'foldl',
    builtin('func, arr, init', (func, list, init) => {
      const each = functionOf(func, 'func');
      let value = Thunk.of(init);
      for (const item of itemsOf(list, 'arr')) value = Thunk.of(each.call([value, item]));
      return value.force();
    }),
  ],
  [
    'foldr',
    builtin('func, arr, init', (func, list, init) => {
      const each = functionOf(func, 'func');
      let value = Thunk.of(init);
      for (const item of itemsOf(list, 'arr').slice().reverse()) value = Thunk.of(each.call([item, value]));
      return value.force();
    }),
  ],
  ['join', builtin('sep, arr', join)],
  ['deepJoin', builtin('arr', deepJoin)],
  [
    'lines',
    builtin('arr', (list) => {
      const texts = arrayOf(list, 'arr')
        .values()
        .filter((item) => item !== null);
      return texts.map((item) => `${textOf(item, 'an item of std.lines')}\n`).join('');
    }),
  ],
  [
    'range',
    builtin('from, to', (from, to) => {
      const first = integerOf(from, 'from');
      return range(first, integerOf(to, 'to') - first + 1);
    }),
  ],
  ['repeat', builtin('what, count', repeat)],
  ['reverse', builtin('arr', (list) => new JsonnetArray(arrayOf(list, 'arr').items.slice().reverse()))],
  [
    'slice',
    builtin('indexable, index, end, step', (target, from, to, step) => {
      const part = (value: Value) => (value === null ? undefined : integerOf(value, 'the bound of a slice'));
      return slice(target, { from: part(from), to: part(to), step: part(step) });
    }),
  ],
  ['sort', builtin('arr, keyF=', (list, key) => new JsonnetArray(sorted(itemsOf(list, 'arr'), key)))],
  ['uniq', builtin('arr, keyF=', (list, key) => new JsonnetArray(unique(arrayOf(list, 'arr').items, key)))],
  ['member', builtin('arr, x', member)],
  ['contains', builtin('arr, elem', member)],
  [
    'count',
    builtin(
      'arr, x',
      (list, wanted) => arrayOf(list, 'arr').items.filter((item) => equal(item.force(), wanted)).length,
    ),
  ],
  [
    'find',
    builtin('value, arr', (wanted, list) =>
      JsonnetArray.of(
        [...arrayOf(list, 'arr').items.entries()].flatMap(([at, item]) => (equal(item.force(), wanted) ? [at] : [])),
      ),
    ),
  ],
  [
    'remove',
    builtin('arr, elem', (list, wanted) => {
      const { items } = arrayOf(list, 'arr');
      return withoutAt(
        items,
        items.findIndex((item) => equal(item.force(), wanted)),
      );
    }),
  ],
  ['removeAt', builtin('arr, at', (list, at) => withoutAt(arrayOf(list, 'arr').items, integerOf(at, 'at')))],
  [
    'all',
    builtin('arr', (list) => arrayOf(list, 'arr').items.every((item) => isTrue(item.force(), 'an item of std.all'))),
  ],
  [
    'any',
    builtin('arr', (list) => arrayOf(list, 'arr').items.some((item) => isTrue(item.force(), 'an item of std.any'))),
  ],
  ['sum', builtin('arr', sum)],
  [
    'avg',
    builtin('arr', (list) => {
      const { length } = arrayOf(list, 'arr').items;
      if (length === 0) throw new JsonnetError('cannot calculate average of an empty array');
      return sum(list) / length;
    }),
  ],
  ['minArray', builtin('arr, keyF=, onEmpty=', (list, key, onEmpty) => extreme(list, key, { sign: -1, onEmpty }))],
  ['maxArray', builtin('arr, keyF=, onEmpty=', (list, key, onEmpty) => extreme(list, key, { sign: 1, onEmpty }))],
  [
    'length',
    builtin('x', (value) => {
      if (typeof value === 'string') return charactersOf(value).length;
      if (value instanceof JsonnetArray) return value.items.length;
      if (value instanceof JsonnetObject) return value.fields(false).length;
      return functionOf(value, 'what std.length takes: an array, object, string or function;').parameters.length;
    }),
  ],
]);
