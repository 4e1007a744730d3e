import { type CelValue, EvaluationError, isTagged, type ListValue, type MapValue, noSuchOverload } from './value.ts';

/** `==` at run time: numbers by value whatever their kind, lists of a schema by their list type; other kinds differ. */
export function equal(a: CelValue, b: CelValue): boolean {
  const numbers = compareNumbers(a, b);
  if (numbers !== undefined) return numbers === 0;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return a === b;
  if (a instanceof Uint8Array || b instanceof Uint8Array)
    return a instanceof Uint8Array && b instanceof Uint8Array && Buffer.compare(a, b) === 0;
  switch (a.kind) {
    case 'list':
      return isTagged(b, 'list') && equalLists(a, b);
    case 'map':
      return isTagged(b, 'map') && equalMaps(a, b);
    case 'optional':
      if (!isTagged(b, 'optional')) return false;
      if (a.value === undefined || b.value === undefined) return a.value === b.value;
      return equal(a.value, b.value);
    case 'timestamp':
      return isTagged(b, 'timestamp') && a.nanos === b.nanos;
    case 'duration':
      return isTagged(b, 'duration') && a.nanos === b.nanos;
    case 'type':
      return isTagged(b, 'type') && a.name === b.name;
    case 'opaque':
      return isTagged(b, 'opaque') && a.type.name === b.type.name && a.equals(b);
    case 'uint':
      return false;
  }
}

function equalLists(a: ListValue, b: ListValue): boolean {
  if (a.items.length !== b.items.length) return false;
  if (a.merge === 'set') return b.items.every((item) => a.items.some((each) => equal(each, item)));
  if (a.merge !== undefined) {
    const { keyOf } = a.merge;
    const byKey = new Map(a.items.map((item) => [keyOf(item), item]));
    return b.items.every((item) => {
      const own = byKey.get(keyOf(item));
      return own !== undefined && equal(own, item);
    });
  }
  return a.items.every((item, index) => equal(item, b.items[index] ?? null));
}

function equalMaps(a: MapValue, b: MapValue): boolean {
  if (a.size !== b.size) return false;
  for (const key of a.keys()) {
    const left = a.get(key);
    const right = b.get(key);
    if (left === undefined || right === undefined || !equal(left, right)) return false;
  }
  return true;
}

/** Undefined when one of them is no number; not a number is unequal to all, also in order. */
export function compareNumbers(a: CelValue, b: CelValue): number | undefined {
  const left = numberOf(a);
  const right = numberOf(b);
  if (left === undefined || right === undefined) return undefined;
  if (Number.isNaN(left) || Number.isNaN(right)) return Number.NaN;
  return left < right ? -1 : left > right ? 1 : 0;
}

function numberOf(value: CelValue): bigint | number | undefined {
  if (typeof value === 'bigint' || typeof value === 'number') return value;
  return isTagged(value, 'uint') ? value.value : undefined;
}

/** Negative, zero or positive. Throws for kinds that have no order. */
export function compare(a: CelValue, b: CelValue): number {
  const numbers = compareNumbers(a, b);
  if (numbers !== undefined) {
    if (Number.isNaN(numbers)) throw new EvaluationError('NaN values cannot be ordered');
    return numbers;
  }
  if (typeof a === 'string' && typeof b === 'string') return compareText(a, b);
  if (typeof a === 'boolean' && typeof b === 'boolean') return Number(a) - Number(b);
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b);
  if (isTagged(a, 'timestamp') && isTagged(b, 'timestamp')) return compareNumbers(a.nanos, b.nanos) ?? 0;
  if (isTagged(a, 'duration') && isTagged(b, 'duration')) return compareNumbers(a.nanos, b.nanos) ?? 0;
  throw noSuchOverload();
}

/** By code points, as UTF-8 bytes compare. */
function compareText(a: string, b: string): number {
  return a === b ? 0 : Buffer.compare(Buffer.from(a), Buffer.from(b));
}
