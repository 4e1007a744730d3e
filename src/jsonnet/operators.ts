import { JsonnetError } from './error.ts';
import { compareText, JsonnetArray, JsonnetFunction, JsonnetObject, typeOf, type Value } from './values.ts';

export function numberOf(value: Value, what: string): number {
  if (typeof value !== 'number') throw new JsonnetError(`${what} must be a number, got ${typeOf(value)}`);
  return value;
}

export function textOf(value: Value, what: string): string {
  if (typeof value !== 'string') throw new JsonnetError(`${what} must be a string, got ${typeOf(value)}`);
  return value;
}

export function booleanOf(value: Value, what: string): boolean {
  if (typeof value !== 'boolean') throw new JsonnetError(`${what} must be a boolean, got ${typeOf(value)}`);
  return value;
}

export function arrayOf(value: Value, what: string): JsonnetArray {
  if (!(value instanceof JsonnetArray)) throw new JsonnetError(`${what} must be an array, got ${typeOf(value)}`);
  return value;
}

export function objectOf(value: Value, what: string): JsonnetObject {
  if (!(value instanceof JsonnetObject)) throw new JsonnetError(`${what} must be an object, got ${typeOf(value)}`);
  return value;
}

export function functionOf(value: Value, what: string): JsonnetFunction {
  if (!(value instanceof JsonnetFunction)) throw new JsonnetError(`${what} must be a function, got ${typeOf(value)}`);
  return value;
}

export function integerOf(value: Value, what: string): number {
  const number = numberOf(value, what);
  if (!Number.isInteger(number)) throw new JsonnetError(`${what} must be an integer, got ${number}`);
  return number;
}

/** Numbers of a program are finite. */
export function finite(number: number): number {
  if (Number.isNaN(number)) throw new JsonnetError('not a number');
  if (!Number.isFinite(number)) throw new JsonnetError('overflow');
  return number;
}

export function equal(a: Value, b: Value): boolean {
  if (a === b) {
    if (a instanceof JsonnetFunction) throw new JsonnetError('cannot test equality of functions');
    return true;
  }
  if (a instanceof JsonnetArray && b instanceof JsonnetArray) {
    if (a.items.length !== b.items.length) return false;
    return a.items.every((item, index) => {
      const other = b.items[index];
      return other !== undefined && equal(item.force(), other.force());
    });
  }
  if (a instanceof JsonnetObject && b instanceof JsonnetObject) {
    a.check();
    b.check();
    const names = a.fields(false);
    const others = b.fields(false);
    if (names.length !== others.length || names.some((name, index) => name !== others[index])) return false;
    return names.every((name) => equal(a.get(name) ?? null, b.get(name) ?? null));
  }
  if (a instanceof JsonnetFunction && b instanceof JsonnetFunction)
    throw new JsonnetError('cannot test equality of functions');
  return false;
}

/** Negative, zero or positive; numbers, strings, and arrays of them. */
export function compare(a: Value, b: Value): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  if (typeof a === 'string' && typeof b === 'string') return compareText(a, b);
  if (a instanceof JsonnetArray && b instanceof JsonnetArray) {
    const length = Math.min(a.items.length, b.items.length);
    for (let at = 0; at < length; at += 1) {
      const order = compare(a.items[at]?.force() ?? null, b.items[at]?.force() ?? null);
      if (order !== 0) return order;
    }
    return a.items.length - b.items.length;
  }
  throw new JsonnetError(`${typeOf(a)} and ${typeOf(b)} cannot be compared`);
}

/** Numbers as the language writes them: whole ones in full, others with 17 digits. */
export function numberText(number: number): string {
  if (Object.is(number, -0)) return '-0';
  if (Number.isInteger(number)) return BigInt(number).toString();
  const [mantissa = '', exponent = ''] = number.toExponential(16).split('e');
  const power = Number(exponent);
  if (power < -4 || power >= 17) {
    const digits = mantissa.replace(/\.?0+$/, '');
    return `${digits}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`;
  }
  return number.toFixed(16 - power).replace(/\.?0+$/, '');
}

/** Numbers in written JSON and YAML: the fewest digits that mean the same, never with an exponent. */
export function shortNumberText(number: number): string {
  if (Object.is(number, -0)) return '-0';
  const [digits = '', exponent] = String(number).split('e');
  if (exponent === undefined) return digits;
  const sign = digits.startsWith('-') ? '-' : '';
  const [whole = '', fraction = ''] = digits.replace('-', '').split('.');
  const power = Number(exponent);
  if (power < 0) return `${sign}0.${'0'.repeat(-power - 1)}${whole}${fraction}`;
  return `${sign}${whole}${fraction}${'0'.repeat(power - fraction.length)}`;
}

const bitLimit = 2 ** 53;

function bits(value: Value): bigint {
  const number = Math.trunc(numberOf(value, 'the operand of a bit operation'));
  if (Math.abs(number) >= bitLimit)
    throw new JsonnetError(`numeric value outside safe integer range for bitwise operation: ${number}`);
  return BigInt.asIntN(64, BigInt(number));
}

export function complement(value: Value): number {
  return Number(~bits(value));
}

/** `&`, `|`, `^`, `<<` and `>>`, on 64 bits. */
export function bitOperation(operator: '&' | '|' | '^' | '<<' | '>>', left: Value, right: Value): number {
  const a = bits(left);
  const b = bits(right);
  switch (operator) {
    case '&':
      return Number(a & b);
    case '|':
      return Number(a | b);
    case '^':
      return Number(a ^ b);
    default:
      if (b < 0n) throw new JsonnetError('shift by negative exponent');
      return Number(operator === '<<' ? BigInt.asIntN(64, a << (b % 64n)) : a >> (b % 64n));
  }
}
