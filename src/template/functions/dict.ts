import { cloneJson, type JsonObject } from '#base/json.ts';
import { CallError } from '../call-error.ts';
import { toText } from '../cast.ts';
import { type FunctionMap, fn, variadic } from '../function.ts';
import { mergeInto } from '../merge-maps.ts';
import { elementType, isMap, newMap, ofType, sortedKeys, typeName } from '../value.ts';

function filtered(map: JsonObject, keeps: (key: string) => boolean): JsonObject {
  const out = newMap();
  for (const key of Object.keys(map)) if (keeps(key)) out[key] = map[key];
  return out;
}

function dict(values: readonly unknown[]): JsonObject {
  const map = newMap();
  for (let at = 0; at < values.length; at += 2) map[toText(values[at])] = at + 1 < values.length ? values[at + 1] : '';
  return map;
}

/** Sees through nothing but maps and slices: the other values do not change. */
export function deepCopy(value: unknown): unknown {
  if (Array.isArray(value)) return ofType(value.map(deepCopy), elementType(value));
  if (!isMap(value)) return value;
  const copy = newMap();
  for (const key of Object.keys(value)) copy[key] = deepCopy(value[key]);
  return ofType(copy, elementType(value));
}

function dig(params: readonly unknown[]): unknown {
  if (params.length < 3) throw new CallError('dig needs at least three arguments');
  let at: unknown = params.at(-1);
  for (const name of params.slice(0, -2)) {
    if (!isMap(at) || elementType(at) !== 'interface {}')
      throw new CallError(
        `interface conversion: interface {} is ${typeName(at).replace('<nil>', 'nil')}, not map[string]interface {}`,
      );
    if (typeof name !== 'string')
      throw new CallError(`interface conversion: interface {} is ${typeName(name)}, not string`);
    if (!Object.hasOwn(at, name)) return params.at(-2);
    at = at[name];
  }
  return at;
}

function merge(override: boolean) {
  return variadic(['dict'], 'dict', ([into], sources, context) => {
    for (const source of sources) {
      context.spend(Object.keys(source).length);
      mergeInto(into, source, override);
    }
    return into;
  });
}

/** Counts what it copies. */
const countedCopy = fn(['any'], (value, context) => {
  const count = (item: unknown): void => {
    context.spend(1);
    if (Array.isArray(item)) item.forEach(count);
    else if (isMap(item)) Object.values(item).forEach(count);
  };
  count(value);
  return deepCopy(value);
});

export const dictFunctions: FunctionMap = {
  dict: variadic([], 'any', (_none, values) => dict(values)),
  get: fn(['dict', 'string'], (map, key) => (Object.hasOwn(map, key) ? map[key] : '')),
  set: fn(['dict', 'string', 'any'], (map, key, value) => {
    Object.defineProperty(map, key, { value, writable: true, enumerable: true, configurable: true });
    return map;
  }),
  unset: fn(['dict', 'string'], (map, key) => {
    delete map[key];
    return map;
  }),
  hasKey: fn(['dict', 'string'], (map, key) => Object.hasOwn(map, key)),
  pluck: variadic(['string'], 'dict', ([key], maps) =>
    maps.filter((map) => Object.hasOwn(map, key)).map((map) => map[key]),
  ),
  keys: variadic([], 'dict', (_none, maps) => ofType(maps.flatMap(sortedKeys), 'string')),
  values: fn(['dict'], (map) => sortedKeys(map).map((key) => map[key])),
  pick: variadic(['dict'], 'string', ([map], keys) => filtered(map, (key) => keys.includes(key))),
  omit: variadic(['dict'], 'string', ([map], keys) => filtered(map, (key) => !keys.includes(key))),
  merge: merge(false),
  mustMerge: merge(false),
  mergeOverwrite: merge(true),
  mustMergeOverwrite: merge(true),
  deepCopy: countedCopy,
  mustDeepCopy: countedCopy,
  dig: variadic([], 'any', (_none, params) => dig(params)),
};

/** Data that a template may change without the caller's noticing. */
export function ownData(data: unknown): unknown {
  return isMap(data) || Array.isArray(data) ? deepCopy(data) : cloneJson(data);
}
