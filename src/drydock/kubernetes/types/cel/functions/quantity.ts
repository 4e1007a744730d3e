import { compareQuantities, formatQuantity, parseQuantity, type Quantity, quantityPattern } from '../../quantity.ts';
import { define, integer, method, type Overload, opaqueOf, text } from '../overload.ts';
import { libraryTypes } from '../type.ts';
import { type CelValue, EvaluationError, type OpaqueValue } from '../value.ts';

const type = libraryTypes.Quantity;

/** Kubernetes quantities: `quantity('1Gi').isLessThan(quantity('2Gi'))`. */
export const quantityFunctions: Overload[] = [
  ...define('quantity', 'string -> Quantity', ([value]) => {
    const parsed = parseQuantity(text(value));
    if (parsed === undefined)
      throw new EvaluationError(`quantities must match the regular expression '${quantityPattern}'`);
    return quantityValue(parsed);
  }),
  ...define('isQuantity', 'string -> bool', ([value]) => parseQuantity(text(value)) !== undefined),
  ...define('sign', 'Quantity -> int', ([value]) => BigInt(compareQuantities(read(value), whole(0n)))),
  ...method('isGreaterThan', 'Quantity, Quantity -> bool', ([a, b]) => compareQuantities(read(a), read(b)) > 0),
  ...method('isLessThan', 'Quantity, Quantity -> bool', ([a, b]) => compareQuantities(read(a), read(b)) < 0),
  ...method('compareTo', 'Quantity, Quantity -> int', ([a, b]) => BigInt(compareQuantities(read(a), read(b)))),
  ...method('asApproximateFloat', 'Quantity -> double', ([value]) => {
    const { unscaled, scale } = read(value);
    return Number(`${unscaled}e${scale}`);
  }),
  ...method('asInteger', 'Quantity -> int', ([value]) => {
    const found = integerOf(read(value));
    if (found === undefined) throw new EvaluationError('cannot convert value to integer');
    return found;
  }),
  ...method('isInteger', 'Quantity -> bool', ([value]) => integerOf(read(value)) !== undefined),
  ...method('add', 'Quantity, Quantity -> Quantity', ([a, b]) => quantityValue(sum(read(a), read(b), 1n))),
  ...method('add', 'Quantity, int -> Quantity', ([a, b]) => quantityValue(sum(read(a), whole(integer(b)), 1n))),
  ...method('sub', 'Quantity, Quantity -> Quantity', ([a, b]) => quantityValue(sum(read(a), read(b), -1n))),
  ...method('sub', 'Quantity, int -> Quantity', ([a, b]) => quantityValue(sum(read(a), whole(integer(b)), -1n))),
];

function whole(value: bigint): Quantity {
  return { unscaled: value, scale: 0, format: 'DecimalSI' };
}

function sum(a: Quantity, b: Quantity, sign: bigint): Quantity {
  const scale = Math.min(a.scale, b.scale);
  const left = a.unscaled * 10n ** BigInt(a.scale - scale);
  const right = b.unscaled * 10n ** BigInt(b.scale - scale);
  return { unscaled: left + sign * right, scale, format: a.format };
}

/** Undefined when it has a fraction or is too large. */
function integerOf({ unscaled, scale }: Quantity): bigint | undefined {
  const divisor = scale < 0 ? 10n ** BigInt(-scale) : 1n;
  if (unscaled % divisor !== 0n) return undefined;
  const value = scale < 0 ? unscaled / divisor : unscaled * 10n ** BigInt(scale);
  return value >= -(2n ** 63n) && value < 2n ** 63n ? value : undefined;
}

function read(value: CelValue | undefined): Quantity {
  return data.get(opaqueOf(value, type)) ?? whole(0n);
}

const data = new WeakMap<OpaqueValue, Quantity>();

function quantityValue(quantity: Quantity): OpaqueValue {
  const value: OpaqueValue = {
    kind: 'opaque',
    type,
    size: 1,
    data: formatQuantity(quantity),
    equals: (other) => compareQuantities(quantity, data.get(other) ?? whole(0n)) === 0,
  };
  data.set(value, quantity);
  return value;
}
