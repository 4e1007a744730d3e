import type { Budget } from './budget.ts';
import { isFunction, LuaError, LuaTable, type LuaValue, toNumber, toText, truthy, typeName } from './value.ts';

/** One run: its globals, what texts answer to, and its budget. */
export interface Machine {
  readonly budget: Budget;
  readonly globals: LuaTable;
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
  /** The library that `("x"):upper()` finds; undefined while it is not open. */
  texts: LuaValue;
  /** What `require` gives. */
  readonly modules: LuaTable;
}

export type Arithmetic = 'add' | 'sub' | 'mul' | 'div' | 'mod' | 'pow';

/** An error at the line that is being run, as scripts see it. */
export function failure(machine: Machine, message: string): LuaError {
  return new LuaError(`<string>:${machine.budget.line}: ${message}`);
}

export function metamethod(value: LuaValue, event: string): LuaValue {
  return value instanceof LuaTable ? value.metatable?.get(event) : undefined;
}

export function call(machine: Machine, callee: LuaValue, args: readonly LuaValue[]): LuaValue[] {
  if (isFunction(callee)) {
    machine.budget.enter();
    const results = callee.call(machine, args);
    machine.budget.leave();
    return results;
  }
  const handler = metamethod(callee, '__call');
  if (!isFunction(handler)) throw failure(machine, 'attempt to call a non-function object');
  return call(machine, handler, [callee, ...args]);
}

export function index(machine: Machine, value: LuaValue, key: LuaValue): LuaValue {
  let at = value;
  for (let hops = 0; hops < 100; hops += 1) {
    let handler: LuaValue;
    if (at instanceof LuaTable) {
      const found = at.get(key);
      if (found !== undefined) return found;
      handler = at.metatable?.get('__index');
      if (handler === undefined) return undefined;
    } else {
      handler = typeof at === 'string' ? machine.texts : undefined;
      if (handler === undefined)
        throw failure(machine, `attempt to index a non-table object(${typeName(at)}) with key '${toText(key)}'`);
    }
    if (isFunction(handler)) return call(machine, handler, [at, key])[0];
    at = handler;
  }
  throw failure(machine, 'too many recursions in gettable');
}

/** A write without metamethods, with its key checked and its memory counted. */
export function rawSet(machine: Machine, table: LuaTable, key: LuaValue, value: LuaValue): void {
  if (key === undefined) throw failure(machine, 'table index is nil');
  if (typeof key === 'number' && Number.isNaN(key)) throw failure(machine, 'table index is NaN');
  const growth = table.growth(key);
  if (growth > 0) machine.budget.allocate(growth * 16);
  table.set(key, value);
}

export function setIndex(machine: Machine, options: { target: LuaValue; key: LuaValue; value: LuaValue }): void {
  const { key, value } = options;
  let at = options.target;
  for (let hops = 0; hops < 100; hops += 1) {
    if (!(at instanceof LuaTable))
      throw failure(machine, `attempt to index a non-table object(${typeName(at)}) with key '${toText(key)}'`);
    const handler = at.metatable?.get('__newindex');
    if (handler === undefined || at.get(key) !== undefined) {
      rawSet(machine, at, key, value);
      return;
    }
    if (isFunction(handler)) {
      call(machine, handler, [at, key, value]);
      return;
    }
    at = handler;
  }
  throw failure(machine, 'too many recursions in settable');
}

function compute(operation: Arithmetic, a: number, b: number): number {
  switch (operation) {
    case 'add':
      return a + b;
    case 'sub':
      return a - b;
    case 'mul':
      return a * b;
    case 'div':
      return a / b;
    case 'pow':
      return a ** b;
    case 'mod': {
      const rest = a % b;
      return (b > 0 && rest < 0) || (b < 0 && rest > 0) ? rest + b : rest;
    }
  }
}

export function arithmetic(machine: Machine, operation: Arithmetic, operands: readonly [LuaValue, LuaValue]): LuaValue {
  const [a, b] = operands;
  if (typeof a === 'number' && typeof b === 'number') return compute(operation, a, b);
  const handler = metamethod(a, `__${operation}`) ?? metamethod(b, `__${operation}`);
  if (handler !== undefined) return call(machine, handler, [a, b])[0];
  const left = toNumber(a);
  const right = toNumber(b);
  if (left !== undefined && right !== undefined) return compute(operation, left, right);
  throw failure(machine, `cannot perform ${operation} operation between ${typeName(a)} and ${typeName(b)}`);
}

export function concatenate(machine: Machine, a: LuaValue, b: LuaValue): LuaValue {
  const texts = (typeof a === 'string' || typeof a === 'number') && (typeof b === 'string' || typeof b === 'number');
  if (texts) {
    const joined = toText(a) + toText(b);
    machine.budget.allocate(joined.length);
    return joined;
  }
  const handler = metamethod(a, '__concat') ?? metamethod(b, '__concat');
  if (handler !== undefined) return call(machine, handler, [a, b])[0];
  throw failure(machine, `cannot perform concat operation between ${typeName(a)} and ${typeName(b)}`);
}

export function equal(machine: Machine, a: LuaValue, b: LuaValue): boolean {
  if (a === b) return true;
  if (!(a instanceof LuaTable && b instanceof LuaTable)) return false;
  const handler = metamethod(a, '__eq');
  if (handler === undefined || handler !== metamethod(b, '__eq')) return false;
  return truthy(call(machine, handler, [a, b])[0]);
}

export function less(machine: Machine, a: LuaValue, b: LuaValue): boolean {
  if (typeof a === 'number' && typeof b === 'number') return a < b;
  if (typeof a === 'string' && typeof b === 'string') return a < b;
  const handler = metamethod(a, '__lt');
  if (handler !== undefined && handler === metamethod(b, '__lt')) return truthy(call(machine, handler, [a, b])[0]);
  throw failure(machine, `attempt to compare ${typeName(a)} with ${typeName(b)}`);
}

export function lessOrEqual(machine: Machine, a: LuaValue, b: LuaValue): boolean {
  if (typeof a === 'number' && typeof b === 'number') return a <= b;
  if (typeof a === 'string' && typeof b === 'string') return a <= b;
  const handler = metamethod(a, '__le');
  if (handler !== undefined && handler === metamethod(b, '__le')) return truthy(call(machine, handler, [a, b])[0]);
  if (metamethod(a, '__lt') === undefined)
    throw failure(machine, `attempt to compare ${typeName(a)} with ${typeName(b)}`);
  return !less(machine, b, a);
}

export function lengthOf(machine: Machine, value: LuaValue): LuaValue {
  if (typeof value === 'string') return value.length;
  const handler = metamethod(value, '__len');
  if (handler !== undefined) return call(machine, handler, [value])[0];
  if (value instanceof LuaTable) return value.length;
  throw failure(machine, '__len undefined');
}

export function negate(machine: Machine, value: LuaValue): LuaValue {
  const number = toNumber(value);
  if (number !== undefined) return -number;
  const handler = metamethod(value, '__unm');
  if (handler !== undefined) return call(machine, handler, [value])[0];
  throw failure(machine, '__unm undefined');
}

/** `tostring`: the metatable's way first. */
export function display(machine: Machine, value: LuaValue): LuaValue {
  const handler = metamethod(value, '__tostring');
  return handler === undefined ? toText(value) : call(machine, handler, [value])[0];
}
