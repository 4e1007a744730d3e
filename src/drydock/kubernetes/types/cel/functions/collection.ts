import { compare, equal } from '../equality.ts';
import { define, list, map, method, type Overload, optional } from '../overload.ts';
import {
  type CelValue,
  EvaluationError,
  isTagged,
  listValue,
  type MapValue,
  mapValue,
  none,
  noSuchOverload,
  optionalValue,
  plainText,
} from '../value.ts';
import { checkedInt, checkedUint, durationOf } from './operator.ts';

const sizes = ['bytes -> int', 'list(A) -> int', 'map(A, B) -> int', 'string -> int'];
const comparable = ['int', 'uint', 'double', 'bool', 'string', 'bytes', 'timestamp', 'duration'];
const summable = ['int', 'uint', 'double', 'duration'];

/** Functions of lists, maps, sets and optional values. */
export const collectionFunctions: Overload[] = [
  ...define('size', sizes, ([value = null]) => size(value)),
  ...method('size', sizes, ([value = null]) => size(value)),
  ...method(
    'isSorted',
    comparable.map((type) => `list(${type}) -> bool`),
    ([value]) => {
      const { items } = list(value);
      return items.every((item, index) => index === 0 || compare(items[index - 1] ?? null, item) <= 0);
    },
  ),
  ...summable.flatMap((type) =>
    method('sum', `list(${type}) -> ${type}`, ([value]) => list(value).items.reduce(add, zeroOf(type))),
  ),
  ...method(
    'max',
    comparable.map((type) => `list(${type}) -> ${type}`),
    ([value]) => extreme(list(value).items, 'max', 1),
  ),
  ...method(
    'min',
    comparable.map((type) => `list(${type}) -> ${type}`),
    ([value]) => extreme(list(value).items, 'min', -1),
  ),
  ...method('indexOf', 'list(A), A -> int', ([value, item = null]) =>
    BigInt(list(value).items.findIndex((each) => equal(each, item))),
  ),
  ...method('lastIndexOf', 'list(A), A -> int', ([value, item = null]) =>
    BigInt(list(value).items.findLastIndex((each) => equal(each, item))),
  ),
  ...define('sets.contains', 'list(A), list(A) -> bool', ([a, b]) => holdsAll(a, b)),
  ...define('sets.equivalent', 'list(A), list(A) -> bool', ([a, b]) => holdsAll(a, b) && holdsAll(b, a)),
  ...define('sets.intersects', 'list(A), list(A) -> bool', ([a, b]) =>
    list(a).items.some((item) => list(b).items.some((each) => equal(item, each))),
  ),
  ...define('optional.of', 'A -> optional(A)', ([value = null]) => optionalValue(value)),
  ...define('optional.ofNonZeroValue', 'A -> optional(A)', ([value = null]) =>
    isZero(value) ? none : optionalValue(value),
  ),
  ...define('optional.none', '-> optional(A)', () => none),
  ...method('value', 'optional(A) -> A', ([value]) => {
    const found = optional(value).value;
    if (found === undefined) throw new EvaluationError('optional.none() dereference');
    return found;
  }),
  ...method('hasValue', 'optional(A) -> bool', ([value]) => optional(value).value !== undefined),
  ...method('or', 'optional(A), optional(A) -> optional(A)', ([a, b]) =>
    optional(a).value === undefined ? optional(b) : optional(a),
  ),
  ...method('orValue', 'optional(A), A -> A', ([a, b = null]) => optional(a).value ?? b),
  ...method('first', 'list(A) -> optional(A)', ([value]) => at(list(value).items.at(0))),
  ...method('last', 'list(A) -> optional(A)', ([value]) => at(list(value).items.at(-1))),
  ...define('optional.unwrap', 'list(optional(A)) -> list(A)', ([value]) => unwrapped(list(value).items)),
  ...method('unwrapOpt', 'list(optional(A)) -> list(A)', ([value]) => unwrapped(list(value).items)),
  ...define('cel.@mapInsert', 'map(A, B), A, B -> map(A, B)', ([into, key = null, value = null]) =>
    inserted(map(into), [[key, value]]),
  ),
  ...define('cel.@mapInsert', 'map(A, B), map(A, B) -> map(A, B)', ([into, more]) =>
    inserted(map(into), entriesOf(map(more))),
  ),
];

function size(value: CelValue): bigint {
  if (typeof value === 'string') return BigInt([...value].length);
  if (value instanceof Uint8Array) return BigInt(value.length);
  if (isTagged(value, 'list')) return BigInt(value.items.length);
  return BigInt(map(value).size);
}

function zeroOf(type: string): CelValue {
  if (type === 'int') return 0n;
  if (type === 'double') return 0;
  return type === 'uint' ? checkedUint(0n) : durationOf(0n);
}

function add(a: CelValue, b: CelValue): CelValue {
  if (typeof a === 'bigint' && typeof b === 'bigint') return checkedInt(a + b);
  if (typeof a === 'number' && typeof b === 'number') return a + b;
  if (isTagged(a, 'uint') && isTagged(b, 'uint')) return checkedUint(a.value + b.value);
  if (isTagged(a, 'duration') && isTagged(b, 'duration')) return durationOf(a.nanos + b.nanos);
  throw noSuchOverload();
}

function extreme(items: readonly CelValue[], name: string, sign: number): CelValue {
  const [first, ...rest] = items;
  if (first === undefined) throw new EvaluationError(`${name} called on empty list`);
  return rest.reduce<CelValue>((best, item) => (compare(item, best) * sign > 0 ? item : best), first);
}

function holdsAll(whole: CelValue | undefined, part: CelValue | undefined): boolean {
  const { items } = list(whole);
  return list(part).items.every((item) => items.some((each) => equal(each, item)));
}

function isZero(value: CelValue): boolean {
  if (value === null || value === false || value === '' || value === 0n || value === 0) return true;
  if (typeof value !== 'object') return false;
  if (value instanceof Uint8Array) return value.length === 0;
  switch (value.kind) {
    case 'list':
      return value.items.length === 0;
    case 'map':
      return value.size === 0;
    case 'uint':
      return value.value === 0n;
    case 'duration':
      return value.nanos === 0n;
    case 'optional':
      return value.value === undefined;
    default:
      return false;
  }
}

function at(value: CelValue | undefined): CelValue {
  return value === undefined ? none : optionalValue(value);
}

function unwrapped(items: readonly CelValue[]): CelValue {
  return listValue(items.map((item) => optional(item).value).filter((value) => value !== undefined));
}

function entriesOf(value: MapValue): [CelValue, CelValue][] {
  return [...value.keys()].map((key) => [key, value.get(key) ?? null]);
}

function inserted(into: MapValue, more: [CelValue, CelValue][]): CelValue {
  for (const [key] of more)
    if (into.get(key) !== undefined) throw new EvaluationError(`insert failed: key ${plainText(key)} already exists`);
  return mapValue([...entriesOf(into), ...more]);
}
