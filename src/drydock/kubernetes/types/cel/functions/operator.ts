import { compare, equal } from '../equality.ts';
import { define, list, map, type Overload, span, time } from '../overload.ts';
import { type CelValue, EvaluationError, isTagged, type ListValue, noSuchOverload, uintOf } from '../value.ts';

const smallest = -(2n ** 63n);
const largest = 2n ** 63n - 1n;

export function checkedInt(value: bigint): bigint {
  if (value < smallest || value > largest) throw new EvaluationError('integer overflow');
  return value;
}

export function checkedUint(value: bigint): CelValue {
  if (value < 0n || value >= 2n ** 64n) throw new EvaluationError('unsigned integer overflow');
  return uintOf(value);
}

const firstSecond = -62135596800n * 1_000_000_000n;
const lastSecond = 253402300800n * 1_000_000_000n;

export function timestampOf(nanos: bigint, zoneMinutes = 0): CelValue {
  if (nanos < firstSecond || nanos >= lastSecond) throw new EvaluationError('timestamp overflow');
  return { kind: 'timestamp', nanos, zoneMinutes };
}

export function durationOf(nanos: bigint): CelValue {
  if (nanos < smallest || nanos > largest) throw new EvaluationError('integer overflow');
  return { kind: 'duration', nanos };
}

const numbers = ['int', 'uint', 'double'];
const ordered = ['bool', 'string', 'bytes', 'timestamp', 'duration'];
const comparisons = [
  ...ordered.map((type) => `${type}, ${type} -> bool`),
  ...numbers.flatMap((a) => numbers.map((b) => `${a}, ${b} -> bool`)),
];

function order(name: string, test: (difference: number) => boolean): Overload[] {
  return define(name, comparisons, ([a = null, b = null]) => {
    if (isNotANumber(a) || isNotANumber(b)) return false;
    return test(compare(a, b));
  });
}

function isNotANumber(value: CelValue): boolean {
  return typeof value === 'number' && Number.isNaN(value);
}

interface Arithmetic {
  int: (a: bigint, b: bigint) => bigint;
  double?: (a: number, b: number) => number;
}

function arithmetic(name: string, { int, double }: Arithmetic): Overload[] {
  const types = double === undefined ? ['int', 'uint'] : numbers;
  const signatures = types.map((type) => `${type}, ${type} -> ${type}`);
  return define(name, signatures, ([a = null, b = null]) => {
    if (typeof a === 'bigint' && typeof b === 'bigint') return checkedInt(int(a, b));
    if (double !== undefined && typeof a === 'number' && typeof b === 'number') return double(a, b);
    if (isTagged(a, 'uint') && isTagged(b, 'uint')) return checkedUint(int(a.value, b.value));
    throw noSuchOverload();
  });
}

function divided(a: bigint, b: bigint): bigint {
  if (b === 0n) throw new EvaluationError('division by zero');
  return a / b;
}

function remainder(a: bigint, b: bigint): bigint {
  if (b === 0n) throw new EvaluationError('modulus by zero');
  return a % b;
}

/** Operators. Those that do not always look at all arguments are only declared here. */
export const operators: Overload[] = [
  ...define('_&&_', 'bool, bool -> bool', lazy),
  ...define('_||_', 'bool, bool -> bool', lazy),
  ...define('_?_:_', 'bool, A, A -> A', lazy),
  ...define('@not_strictly_false', 'bool -> bool', lazy),
  ...define('_==_', 'A, A -> bool', ([a = null, b = null]) => equal(a, b)),
  ...define('_!=_', 'A, A -> bool', ([a = null, b = null]) => !equal(a, b)),
  ...define(
    '_[_]',
    [
      'list(A), int -> A',
      'map(A, B), A -> B',
      'optional(list(A)), int -> optional(A)',
      'optional(map(A, B)), A -> optional(B)',
    ],
    lazy,
  ),
  ...define(
    '_[?_]',
    [
      'list(A), int -> optional(A)',
      'optional(list(A)), int -> optional(A)',
      'map(A, B), A -> optional(B)',
      'optional(map(A, B)), A -> optional(B)',
    ],
    lazy,
  ),
  ...define('!_', 'bool -> bool', ([a]) => a === false),
  ...define('-_', ['int -> int', 'double -> double'], ([a = null]) => {
    if (typeof a === 'bigint') return checkedInt(-a);
    if (typeof a === 'number') return -a;
    throw noSuchOverload();
  }),
  ...order('_<_', (difference) => difference < 0),
  ...order('_<=_', (difference) => difference <= 0),
  ...order('_>_', (difference) => difference > 0),
  ...order('_>=_', (difference) => difference >= 0),
  ...define('@in', ['A, list(A) -> bool', 'A, map(A, B) -> bool'], ([item = null, container = null]) =>
    isTagged(container, 'list')
      ? container.items.some((each) => equal(item, each))
      : map(container).get(item) !== undefined,
  ),
  ...arithmetic('_+_', { int: (a, b) => a + b, double: (a, b) => a + b }),
  ...define('_+_', 'string, string -> string', ([a, b]) => {
    if (typeof a !== 'string' || typeof b !== 'string') throw noSuchOverload();
    return a + b;
  }),
  ...define('_+_', 'bytes, bytes -> bytes', ([a, b]) => {
    if (!(a instanceof Uint8Array) || !(b instanceof Uint8Array)) throw noSuchOverload();
    return new Uint8Array(Buffer.concat([a, b]));
  }),
  ...define('_+_', 'list(A), list(A) -> list(A)', ([a, b]) => joined(list(a), list(b))),
  ...define('_+_', 'timestamp, duration -> timestamp', ([a, b]) =>
    timestampOf(time(a).nanos + span(b).nanos, time(a).zoneMinutes),
  ),
  ...define('_+_', 'duration, timestamp -> timestamp', ([a, b]) =>
    timestampOf(span(a).nanos + time(b).nanos, time(b).zoneMinutes),
  ),
  ...define('_+_', 'duration, duration -> duration', ([a, b]) => durationOf(span(a).nanos + span(b).nanos)),
  ...arithmetic('_-_', { int: (a, b) => a - b, double: (a, b) => a - b }),
  ...define('_-_', 'timestamp, timestamp -> duration', ([a, b]) => durationOf(time(a).nanos - time(b).nanos)),
  ...define('_-_', 'timestamp, duration -> timestamp', ([a, b]) =>
    timestampOf(time(a).nanos - span(b).nanos, time(a).zoneMinutes),
  ),
  ...define('_-_', 'duration, duration -> duration', ([a, b]) => durationOf(span(a).nanos - span(b).nanos)),
  ...arithmetic('_*_', { int: (a, b) => a * b, double: (a, b) => a * b }),
  ...arithmetic('_/_', { int: divided, double: (a, b) => a / b }),
  ...arithmetic('_%_', { int: remainder }),
];

function lazy(): CelValue {
  throw noSuchOverload();
}

/** Of a schema's set or map list the other's items take the place of those that are the same. */
function joined(a: ListValue, b: ListValue): ListValue {
  const { merge } = a;
  if (merge === undefined) return { kind: 'list', items: [...a.items, ...b.items] };
  const items = [...a.items];
  for (const item of b.items) {
    const at = items.findIndex((each) =>
      merge === 'set' ? equal(each, item) : merge.keyOf(each) === merge.keyOf(item),
    );
    if (at < 0) items.push(item);
    else if (merge !== 'set') items[at] = item;
  }
  return { kind: 'list', items, merge };
}
