import { builtin, type Library } from './builtin.ts';
import { JsonnetError } from './error.ts';
import { booleanOf, equal, functionOf, objectOf, textOf } from './operators.ts';
import { JsonnetArray, JsonnetObject, Thunk, typeOf, type Value } from './values.ts';

function objectOfEntries(entries: Iterable<readonly [string, Value]>): JsonnetObject {
  return JsonnetObject.of([...entries].map(([name, value]) => [name, Thunk.of(value)] as const));
}

/** RFC 7386. */
function mergePatch(target: Value, patch: Value): Value {
  if (!(patch instanceof JsonnetObject)) return patch;
  const base = target instanceof JsonnetObject ? target : undefined;
  const out = new Map<string, Value>();
  for (const name of base?.fields(false) ?? []) out.set(name, base?.get(name) ?? null);
  for (const name of patch.fields(false)) {
    const value = patch.get(name) ?? null;
    if (value === null) out.delete(name);
    else out.set(name, mergePatch(out.get(name) ?? null, value));
  }
  return objectOfEntries(out);
}

function isEmpty(value: Value): boolean {
  if (value === null) return true;
  if (value instanceof JsonnetArray) return value.items.length === 0;
  return value instanceof JsonnetObject && value.fields(false).length === 0;
}

/** Without nulls, empty arrays and empty objects, at any depth. */
function prune(value: Value): Value {
  if (value instanceof JsonnetArray)
    return JsonnetArray.of(
      value
        .values()
        .map(prune)
        .filter((item) => !isEmpty(item)),
    );
  if (value instanceof JsonnetObject)
    return objectOfEntries(
      value
        .fields(false)
        .map((name) => [name, prune(value.get(name) ?? null)] as const)
        .filter(([, item]) => !isEmpty(item)),
    );
  return value;
}

function fields(value: Value, hiddenToo: boolean): string[] {
  return objectOf(value, 'o').fields(hiddenToo);
}

function values(value: Value, hiddenToo: boolean): Value {
  const object = objectOf(value, 'o');
  return new JsonnetArray(object.fields(hiddenToo).map((name) => object.thunk(name)));
}

function keysValues(value: Value, hiddenToo: boolean): Value {
  const object = objectOf(value, 'o');
  const pair = (name: string) =>
    JsonnetObject.of([
      ['key', Thunk.of(name)],
      ['value', object.thunk(name)],
    ]);
  return JsonnetArray.of(object.fields(hiddenToo).map(pair));
}

function has(value: Value, name: Value, hiddenToo: boolean): boolean {
  return objectOf(value, 'o').has(textOf(name, 'f'), hiddenToo);
}

export const objectLibrary: Library = new Map<string, Value>([
  ['objectFields', builtin('o', (o) => JsonnetArray.of(fields(o, false)))],
  ['objectFieldsAll', builtin('o', (o) => JsonnetArray.of(fields(o, true)))],
  ['objectFieldsEx', builtin('obj, hidden', (o, hidden) => JsonnetArray.of(fields(o, booleanOf(hidden, 'hidden'))))],
  ['objectValues', builtin('o', (o) => values(o, false))],
  ['objectValuesAll', builtin('o', (o) => values(o, true))],
  ['objectKeysValues', builtin('o', (o) => keysValues(o, false))],
  ['objectKeysValuesAll', builtin('o', (o) => keysValues(o, true))],
  ['objectHas', builtin('o, f', (o, f) => has(o, f, false))],
  ['objectHasAll', builtin('o, f', (o, f) => has(o, f, true))],
  ['objectHasEx', builtin('obj, fname, hidden', (o, f, hidden) => has(o, f, booleanOf(hidden, 'hidden')))],
  [
    'objectRemoveKey',
    builtin('obj, key', (o, key) => {
      const object = objectOf(o, 'obj');
      const removed = textOf(key, 'key');
      const kept = object.fields(true).filter((name) => name !== removed);
      const shown = kept.filter((name) => object.has(name, false));
      const hidden = kept.filter((name) => !object.has(name, false));
      const part = (names: string[]) => names.map((name) => [name, object.thunk(name)] as const);
      return JsonnetObject.of(part(shown)).join(JsonnetObject.of(part(hidden), 'hidden'));
    }),
  ],
  [
    'get',
    builtin('o, f, default=, inc_hidden=', (o, f, fallback, hidden) => {
      const name = textOf(f, 'f');
      const object = objectOf(o, 'o');
      if (!object.has(name, hidden === undefined || booleanOf(hidden, 'inc_hidden'))) return fallback ?? null;
      return object.get(name) ?? null;
    }),
  ],
  [
    'mapWithKey',
    builtin('func, obj', (func, o) => {
      const each = functionOf(func, 'func');
      const object = objectOf(o, 'obj');
      const entry = (name: string) =>
        [name, Thunk.later(() => each.call([Thunk.of(name), object.thunk(name)]))] as const;
      return JsonnetObject.of(object.fields(false).map(entry));
    }),
  ],
  ['mergePatch', builtin('target, patch', mergePatch)],
  ['prune', builtin('a', prune)],
  ['equals', builtin('a, b', equal)],
  ['primitiveEquals', builtin('a, b', (a, b) => typeOf(a) === typeOf(b) && equal(a, b))],
  [
    'assertEqual',
    builtin('a, b', (a, b) => {
      if (!equal(a, b)) throw new JsonnetError('assertion failed: the two values are not equal');
      return true;
    }),
  ],
]);
