import { type Arguments, library } from './arguments.ts';
import type { LuaValue } from './value.ts';

const one =
  (compute: (value: number) => number) =>
  (args: Arguments): LuaValue[] => [compute(args.number(0))];

function extreme(args: Arguments, compute: (...values: number[]) => number): LuaValue[] {
  const [first, ...rest] = args.all.map((_, at) => args.number(at));
  return [compute(first ?? args.number(0), ...rest)];
}

function remainder(args: Arguments): LuaValue[] {
  return [args.number(0) % args.number(1)];
}

function split(args: Arguments): LuaValue[] {
  const value = args.number(0);
  return [Math.trunc(value), value - Math.trunc(value)];
}

/** Lua's `math` library without chance: a check that throws dice is none. */
export const mathLibrary = library({
  abs: one(Math.abs),
  acos: one(Math.acos),
  asin: one(Math.asin),
  atan: one(Math.atan),
  atan2: (args) => [Math.atan2(args.number(0), args.number(1))],
  ceil: one(Math.ceil),
  cos: one(Math.cos),
  cosh: one(Math.cosh),
  deg: one((value) => (value * 180) / Math.PI),
  exp: one(Math.exp),
  floor: one(Math.floor),
  fmod: remainder,
  ldexp: (args) => [args.number(0) * 2 ** args.integer(1)],
  log: one(Math.log),
  log10: one(Math.log10),
  max: (args) => extreme(args, Math.max),
  min: (args) => extreme(args, Math.min),
  mod: remainder,
  modf: split,
  pow: (args) => [args.number(0) ** args.number(1)],
  rad: one((value) => (value * Math.PI) / 180),
  sin: one(Math.sin),
  sinh: one(Math.sinh),
  sqrt: one(Math.sqrt),
  tan: one(Math.tan),
  tanh: one(Math.tanh),
});

export const mathConstants: readonly (readonly [string, number])[] = [
  ['huge', Number.MAX_VALUE],
  ['pi', Math.PI],
];
