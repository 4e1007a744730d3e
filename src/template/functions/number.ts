import { CallError } from '../call-error.ts';
import { toFloat64, toInt64 } from '../cast.ts';
import {
  addDecimals,
  type Decimal,
  decimalOf,
  divideDecimals,
  multiplyDecimals,
  subtractDecimals,
  toNumber,
} from '../decimal.ts';
import { formatValue } from '../format.ts';
import { type CallContext, type FunctionMap, fn, variadic } from '../function.ts';
import { goInt, goInt64, ofType } from '../value.ts';

function steps(start: number, stop: number, step: number, context: CallContext): number[] {
  const out: number[] = [];
  if (stop < start ? step >= 0 : step <= 0) return out;
  for (let value = start; stop < start ? value > stop : value < stop; value += step) {
    context.spend(1);
    out.push(value);
  }
  return out;
}

function integers(values: readonly number[]): object {
  return ofType(
    values.map((value) => goInt(value)),
    'int',
  );
}

function sequence(params: readonly number[], context: CallContext): string {
  const [one = 0, two = 0, three = 0] = params;
  const text = (values: number[]) => values.join(' ');
  if (params.length === 1) return text(steps(1, one < 1 ? one - 1 : one + 1, one < 1 ? -1 : 1, context));
  if (params.length === 2) return text(steps(one, two < one ? two - 1 : two + 1, two < one ? -1 : 1, context));
  if (params.length !== 3) return '';
  if (three < one) return two > 0 ? '' : text(steps(one, three - 1, two, context));
  return text(steps(one, three + 1, two, context));
}

function divisor(value: unknown): bigint {
  const number = toInt64(value);
  if (number === 0n) throw new CallError('runtime error: integer divide by zero');
  return number;
}

function fold(first: unknown, rest: readonly unknown[], operate: (a: Decimal, b: Decimal) => Decimal): number {
  const start = decimalOf(toFloat64(first));
  return toNumber(rest.reduce<Decimal>((sum, value) => operate(sum, decimalOf(toFloat64(value))), start));
}

function round(value: number, places: number, roundOn: number): number {
  const power = 10 ** places;
  const digit = power * value;
  const part = digit - Math.trunc(digit);
  return (part >= roundOn ? Math.ceil(digit) : Math.floor(digit)) / power;
}

function most(values: readonly unknown[], larger: (a: bigint, b: bigint) => boolean): bigint {
  return values.map(toInt64).reduce((best, value) => (larger(value, best) ? value : best));
}

const max = variadic(['any'], 'any', ([first], rest) => goInt64(most([first, ...rest], (a, b) => a > b)));

export const numberFunctions: FunctionMap = {
  add: variadic([], 'any', (_none, values) => goInt64(values.reduce<bigint>((sum, value) => sum + toInt64(value), 0n))),
  add1: fn(['any'], (value) => goInt64(toInt64(value) + 1n)),
  sub: fn(['any', 'any'], (a, b) => goInt64(toInt64(a) - toInt64(b))),
  mul: variadic(['any'], 'any', ([first], rest) =>
    goInt64(rest.reduce<bigint>((product, value) => BigInt.asIntN(64, product * toInt64(value)), toInt64(first))),
  ),
  div: fn(['any', 'any'], (a, b) => goInt64(toInt64(a) / divisor(b))),
  mod: fn(['any', 'any'], (a, b) => goInt64(toInt64(a) % divisor(b))),
  addf: variadic([], 'any', (_none, values) => fold(0, values, addDecimals)),
  add1f: fn(['any'], (value) => fold(value, [1], addDecimals)),
  subf: variadic(['any'], 'any', ([first], rest) => fold(first, rest, subtractDecimals)),
  mulf: variadic(['any'], 'any', ([first], rest) => fold(first, rest, multiplyDecimals)),
  divf: variadic(['any'], 'any', ([first], rest) => fold(first, rest, divideDecimals)),
  biggest: max,
  max,
  min: variadic(['any'], 'any', ([first], rest) => goInt64(most([first, ...rest], (a, b) => a < b))),
  maxf: variadic(['any'], 'any', ([first], rest) => Math.max(...[first, ...rest].map(toFloat64))),
  minf: variadic(['any'], 'any', ([first], rest) => Math.min(...[first, ...rest].map(toFloat64))),
  ceil: fn(['any'], (value) => Math.ceil(toFloat64(value))),
  floor: fn(['any'], (value) => Math.floor(toFloat64(value))),
  round: variadic(['any', 'int'], 'float64', ([value, places], [on = 0.5]) => round(toFloat64(value), places, on)),
  int: fn(['any'], (value) => goInt(toInt64(value))),
  int64: fn(['any'], (value) => goInt64(toInt64(value))),
  float64: fn(['any'], toFloat64),
  atoi: fn(['string'], (text) => {
    const value = /^[-+]?\d+$/.test(text) ? BigInt(text.replace('+', '')) : 0n;
    const limit = 2n ** 63n;
    return goInt(value >= limit ? limit - 1n : value < -limit ? -limit : value);
  }),
  toDecimal: fn(['any'], (value) => {
    const text = formatValue(value);
    return goInt64(/^[-+]?[0-7]+$/.test(text) ? Number.parseInt(text, 8) : 0);
  }),
  until: fn(['int'], (count, context) => integers(steps(0, count, count < 0 ? -1 : 1, context))),
  untilStep: fn(['int', 'int', 'int'], (start, stop, step, context) => integers(steps(start, stop, step, context))),
  seq: variadic([], 'int', (_none, params, context) => sequence(params, context)),
  randInt: fn(['int', 'int'], (low, high, context) => {
    if (high <= low) throw new CallError('invalid argument to Intn');
    return goInt(low + Math.floor(context.entropy.fraction() * (high - low)));
  }),
};
