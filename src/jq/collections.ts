import type { Json } from '#base/json.ts';
import { add } from './arithmetic.ts';
import type { ValueFunction } from './builtins.ts';
import { positionsOf } from './paths.ts';
import { compare, isJqObject, JqError, shown, sortedKeys, toText, typeOf } from './value.ts';

function arrayOf(value: Json, name: string): Json[] {
  if (!Array.isArray(value)) throw new JqError(`${name} cannot be applied to: ${shown(value)}`);
  return value;
}

function lengthOf(value: Json): number {
  if (value === null) return 0;
  if (typeof value === 'number') return Math.abs(value);
  if (typeof value === 'string') return Array.from(value).length;
  if (Array.isArray(value)) return value.length;
  if (isJqObject(value)) return Object.keys(value).length;
  throw new JqError(`length cannot be applied to: ${shown(value)}`);
}

function keysOf(value: Json, name: string): Json[] {
  if (Array.isArray(value)) return value.map((_, index) => index);
  if (isJqObject(value)) return sortedKeys(value);
  throw new JqError(`${name} cannot be applied to: ${shown(value)}`);
}

function has(value: Json, key: Json): boolean {
  if (Array.isArray(value) && typeof key === 'number') return key >= 0 && key < value.length;
  if (isJqObject(value) && typeof key === 'string') return Object.hasOwn(value, key);
  if (value === null) return false;
  throw new JqError(`has(${shown(key)}) cannot be applied to: ${shown(value)}`);
}

function contains(a: Json, b: Json): boolean {
  if (isJqObject(a) && isJqObject(b))
    return Object.entries(b).every(([key, value]) => Object.hasOwn(a, key) && contains(a[key] ?? null, value));
  if (Array.isArray(a) && Array.isArray(b))
    return b.every((item) => a.some((own) => typeOf(own) === typeOf(item) && contains(own, item)));
  if (typeof a === 'string' && typeof b === 'string') return a.includes(b);
  if (typeOf(a) === typeOf(b)) return compare(a, b) === 0;
  throw new JqError(`contains(${shown(b)}) cannot be applied to: ${shown(a)}`);
}

function flatten(list: Json[], depth: number): Json[] {
  return list.flatMap((item) => (Array.isArray(item) && depth > 0 ? flatten(item, depth - 1) : [item]));
}

function flat(input: Json, depth: Json): Json {
  if (!Array.isArray(input) && !isJqObject(input)) throw new JqError(`flatten cannot be applied to: ${shown(input)}`);
  const list = Array.isArray(input) ? input : sortedKeys(input).map((key) => input[key] ?? null);
  if (typeof depth !== 'number') throw new JqError(`flatten cannot be applied to: ${shown(depth)}`);
  if (depth < 0) throw new JqError(`flatten depth should not be negative: ${depth}`);
  return flatten(list, depth);
}

interface Keyed {
  item: Json;
  key: Json;
}

/** The items of a list with what they are ordered by, in that order; equal ones stay as they were. */
function ordered(input: Json, keys: Json, name: string): Keyed[] {
  const list = arrayOf(input, name);
  const by = arrayOf(keys, name);
  return list.map((item, at) => ({ item, key: by[at] ?? null })).sort((a, b) => compare(a.key, b.key));
}

function groups(sorted: readonly Keyed[]): Keyed[][] {
  const out: Keyed[][] = [];
  for (const entry of sorted) {
    const last = out.at(-1);
    if (last?.[0] && compare(last[0].key, entry.key) === 0) last.push(entry);
    else out.push([entry]);
  }
  return out;
}

function extreme(input: Json, keys: Json, wanted: 1 | -1): Json {
  const list = arrayOf(input, wanted < 0 ? 'min' : 'max');
  const by = arrayOf(keys, 'min_by');
  let best = 0;
  for (let at = 1; at < list.length; at += 1) {
    const order = compare(by[at] ?? null, by[best] ?? null);
    if (wanted < 0 ? order < 0 : order >= 0) best = at;
  }
  return list[best] ?? null;
}

const items = (keyed: readonly Keyed[]): Json[] => keyed.map(({ item }) => item);

function transpose(input: Json): Json {
  const rows = arrayOf(input, 'transpose').map((row) => arrayOf(row, 'transpose'));
  const width = Math.max(0, ...rows.map((row) => row.length));
  return Array.from({ length: width }, (_, at) => rows.map((row) => row[at] ?? null));
}

function bsearch(input: Json, wanted: Json): Json {
  const list = arrayOf(input, 'bsearch');
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (compare(list[middle] ?? null, wanted) < 0) low = middle + 1;
    else high = middle;
  }
  return low < list.length && compare(list[low] ?? null, wanted) === 0 ? low : -low - 1;
}

function textPositions(text: string, wanted: string): number[] {
  const points = Array.from(text);
  const size = Array.from(wanted).length;
  if (size === 0) return [];
  return points.flatMap((_, at) => (points.slice(at, at + size).join('') === wanted ? [at] : []));
}

/** Where something stands in a text or list; null when there is nothing to look in. */
function positions(input: Json, wanted: Json): number[] | null {
  if (input === null) return null;
  if (typeof input === 'string' && typeof wanted === 'string') return textPositions(input, wanted);
  if (!Array.isArray(input)) throw new JqError(`indices(${shown(wanted)}) cannot be applied to: ${shown(input)}`);
  return positionsOf(input, Array.isArray(wanted) ? wanted : [wanted]).filter((at) => typeof at === 'number');
}

function tonumber(input: Json): Json {
  if (typeof input === 'number') return input;
  if (typeof input !== 'string') throw new JqError(`tonumber cannot be applied to: ${shown(input)}`);
  if (!/^-?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/.test(input))
    throw new JqError(`tonumber cannot be applied to: ${shown(input)}`);
  return Number(input);
}

function toboolean(input: Json): Json {
  if (typeof input === 'boolean') return input;
  if (input === 'true') return true;
  if (input === 'false') return false;
  throw new JqError(`toboolean cannot be applied to: ${shown(input)}`);
}

function addAll(input: Json): Json {
  if (isJqObject(input)) return sortedKeys(input).reduce<Json>((sum, key) => add(sum, input[key] ?? null), null);
  if (!Array.isArray(input)) throw new JqError(`add cannot be applied to: ${shown(input)}`);
  if (input.every((item) => typeof item === 'string')) return input.length === 0 ? null : input.join('');
  return input.reduce<Json>((sum, item) => add(sum, item), null);
}

export const collections: Record<string, ValueFunction> = {
  'type/0': typeOf,
  'length/0': lengthOf,
  'keys/0': (input) => keysOf(input, 'keys'),
  'keys_unsorted/0': (input) => keysOf(input, 'keys_unsorted'),
  'has/1': (input, [key = null]) => has(input, key),
  'contains/1': (input, [other = null]) => contains(input, other),
  'inside/1': (input, [other = null]) => contains(other, input),
  'add/0': addAll,
  'reverse/0': (input) => arrayOf(input, 'reverse').toReversed(),
  'flatten/0': (input) => flat(input, Number.POSITIVE_INFINITY),
  'flatten/1': (input, [depth = null]) => flat(input, depth),
  'sort/0': (input) => items(ordered(input, input, 'sort')),
  '_sort_by/1': (input, [keys = null]) => items(ordered(input, keys, 'sort_by')),
  '_group_by/1': (input, [keys = null]) => groups(ordered(input, keys, 'group_by')).map(items),
  'unique/0': (input) => groups(ordered(input, input, 'unique')).map(([entry]) => entry?.item ?? null),
  '_unique_by/1': (input, [keys = null]) =>
    groups(ordered(input, keys, 'unique_by')).map(([entry]) => entry?.item ?? null),
  'min/0': (input) => extreme(input, input, -1),
  'max/0': (input) => extreme(input, input, 1),
  '_min_by/1': (input, [keys = null]) => extreme(input, keys, -1),
  '_max_by/1': (input, [keys = null]) => extreme(input, keys, 1),
  'transpose/0': transpose,
  'bsearch/1': (input, [wanted = null]) => bsearch(input, wanted),
  'indices/1': (input, [wanted = null]) => positions(input, wanted),
  'index/1': (input, [wanted = null]) => positions(input, wanted)?.[0] ?? null,
  'rindex/1': (input, [wanted = null]) => positions(input, wanted)?.at(-1) ?? null,
  'tonumber/0': tonumber,
  'toboolean/0': toboolean,
  'tostring/0': toText,
};
