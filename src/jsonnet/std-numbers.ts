import { remainder } from './access.ts';
import { builtin, type Library } from './builtin.ts';
import { JsonnetError } from './error.ts';
import { booleanOf, compare, finite, numberOf } from './operators.ts';
import { typeOf, type Value } from './values.ts';

const one = (run: (x: number) => number) => builtin('x', (x) => finite(run(numberOf(x, 'x'))));

function fraction(x: number): { mantissa: number; exponent: number } {
  if (x === 0) return { mantissa: 0, exponent: 0 };
  let exponent = Math.max(-1023, Math.floor(Math.log2(Math.abs(x))) + 1);
  let mantissa = x * 2 ** -exponent;
  while (Math.abs(mantissa) < 0.5) {
    mantissa *= 2;
    exponent -= 1;
  }
  while (Math.abs(mantissa) >= 1) {
    mantissa /= 2;
    exponent += 1;
  }
  return { mantissa, exponent };
}

const is = (type: string) => builtin('v', (value) => typeOf(value) === type);
const parity = (rest: number) => builtin('x', (x) => Math.abs(Math.trunc(numberOf(x, 'x')) % 2) === rest);

function roundAway(x: number): number {
  return Math.sign(x) * Math.floor(Math.abs(x) + 0.5);
}

export const numberLibrary: Library = new Map<string, Value>([
  ['pi', Math.PI],
  ['abs', one(Math.abs)],
  ['sign', one((x) => (x > 0 ? 1 : x < 0 ? -1 : 0))],
  ['floor', one(Math.floor)],
  ['ceil', one(Math.ceil)],
  ['round', one(roundAway)],
  ['sqrt', one(Math.sqrt)],
  ['sin', one(Math.sin)],
  ['cos', one(Math.cos)],
  ['tan', one(Math.tan)],
  ['asin', one(Math.asin)],
  ['acos', one(Math.acos)],
  ['atan', one(Math.atan)],
  ['log', one(Math.log)],
  ['log2', one(Math.log2)],
  ['log10', one(Math.log10)],
  ['exp', one(Math.exp)],
  ['mantissa', one((x) => fraction(x).mantissa)],
  ['exponent', one((x) => fraction(x).exponent)],
  ['deg2rad', one((x) => (x * Math.PI) / 180)],
  ['rad2deg', one((x) => (x * 180) / Math.PI)],
  ['atan2', builtin('y, x', (y, x) => Math.atan2(numberOf(y, 'y'), numberOf(x, 'x')))],
  ['hypot', builtin('a, b', (a, b) => finite(Math.hypot(numberOf(a, 'a'), numberOf(b, 'b'))))],
  ['pow', builtin('x, n', (x, n) => finite(numberOf(x, 'x') ** numberOf(n, 'n')))],
  ['max', builtin('a, b', (a, b) => Math.max(numberOf(a, 'a'), numberOf(b, 'b')))],
  ['min', builtin('a, b', (a, b) => Math.min(numberOf(a, 'a'), numberOf(b, 'b')))],
  [
    'clamp',
    builtin('x, minVal, maxVal', (x, low, high) => (compare(x, low) < 0 ? low : compare(x, high) > 0 ? high : x)),
  ],
  ['mod', builtin('a, b', remainder)],
  [
    'modulo',
    builtin('x, y', (x, y) => {
      const divisor = numberOf(y, 'y');
      if (divisor === 0) throw new JsonnetError('division by zero');
      return numberOf(x, 'x') % divisor;
    }),
  ],
  ['isEven', parity(0)],
  ['isOdd', parity(1)],
  ['isInteger', builtin('x', (x) => Number.isInteger(numberOf(x, 'x')))],
  ['isDecimal', builtin('x', (x) => !Number.isInteger(numberOf(x, 'x')))],
  ['xor', builtin('x, y', (x, y) => booleanOf(x, 'x') !== booleanOf(y, 'y'))],
  ['xnor', builtin('x, y', (x, y) => booleanOf(x, 'x') === booleanOf(y, 'y'))],
  ['type', builtin('x', typeOf)],
  ['isString', is('string')],
  ['isNumber', is('number')],
  ['isBoolean', is('boolean')],
  ['isObject', is('object')],
  ['isArray', is('array')],
  ['isFunction', is('function')],
  ['isNull', is('null')],
]);
