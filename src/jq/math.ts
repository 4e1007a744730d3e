import type { Json } from '#base/json.ts';
import type { ValueFunction } from './builtins.ts';
import { JqError, shown } from './value.ts';

function numberOf(value: Json, name: string): number {
  if (typeof value !== 'number') throw new JqError(`${name} cannot be applied to: ${shown(value)}`);
  return value;
}

/** Half away from zero; to even for `rint`. */
function round(value: number): number {
  return value < 0 ? -Math.floor(-value + 0.5) : Math.floor(value + 0.5);
}

function toEven(value: number): number {
  const floor = Math.floor(value);
  if (value - floor !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}

const one: Record<string, (value: number) => number> = {
  abs: Math.abs,
  ...{ floor: Math.floor, ceil: Math.ceil, trunc: Math.trunc, sqrt: Math.sqrt, cbrt: Math.cbrt, fabs: Math.abs },
  ...{ sin: Math.sin, cos: Math.cos, tan: Math.tan, asin: Math.asin, acos: Math.acos, atan: Math.atan },
  ...{ sinh: Math.sinh, cosh: Math.cosh, tanh: Math.tanh, asinh: Math.asinh, acosh: Math.acosh, atanh: Math.atanh },
  ...{ exp: Math.exp, expm1: Math.expm1, log: Math.log, log10: Math.log10, log1p: Math.log1p, log2: Math.log2 },
  round,
  rint: toEven,
  nearbyint: toEven,
  exp2: (value) => 2 ** value,
  exp10: (value) => 10 ** value,
};

const two: Record<string, (a: number, b: number) => number> = {
  pow: Math.pow,
  atan2: Math.atan2,
  hypot: Math.hypot,
  fmin: Math.min,
  fmax: Math.max,
  fmod: (a, b) => a % b,
};

const isNormal = (value: number) => Number.isFinite(value) && Math.abs(value) >= 2.2250738585072014e-308;

export const math: Record<string, ValueFunction> = {
  'infinite/0': () => Number.POSITIVE_INFINITY,
  'nan/0': () => Number.NaN,
  'isinfinite/0': (input) => Math.abs(numberOf(input, 'isinfinite')) === Number.POSITIVE_INFINITY,
  'isfinite/0': (input) => Math.abs(numberOf(input, 'isfinite')) !== Number.POSITIVE_INFINITY,
  'isnan/0': (input) => Number.isNaN(numberOf(input, 'isnan')),
  'isnormal/0': (input) => isNormal(numberOf(input, 'isnormal')),
  ...Object.fromEntries(
    Object.entries(one).map(([name, run]) => [`${name}/0`, (input: Json) => run(numberOf(input, name))]),
  ),
  ...Object.fromEntries(
    Object.entries(two).map(([name, run]) => [
      `${name}/2`,
      (_input: Json, [a = null, b = null]: Json[]) => run(numberOf(a, name), numberOf(b, name)),
    ]),
  ),
};
