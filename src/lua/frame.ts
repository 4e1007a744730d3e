import type { Machine } from './machine.ts';
import type { LuaValue } from './value.ts';

/** A local variable; closures share it. */
export interface Variable {
  value: LuaValue;
}

/** One call of a function. */
export interface Frame {
  readonly machine: Machine;
  readonly locals: Variable[];
  readonly captured: readonly Variable[];
  readonly varargs: readonly LuaValue[];
}

export type Evaluate = (frame: Frame) => LuaValue;
export type EvaluateMany = (frame: Frame) => LuaValue[];

/** How a statement ended: undefined goes on with the next one. */
export type Ending =
  | undefined
  | { readonly how: 'break' }
  | { readonly how: 'goto'; readonly label: string }
  | { readonly how: 'return'; readonly values: LuaValue[] };

export type Execute = (frame: Frame) => Ending;

export function readLocal(frame: Frame, slot: number): LuaValue {
  return frame.locals[slot]?.value;
}
