import { failure, type Machine } from './machine.ts';
import { type LuaFunction, LuaTable, type LuaValue, toNumber, toText, typeName } from './value.ts';

/** What a built-in function was called with, read with Lua's rules and complaints. */
export class Arguments {
  readonly machine: Machine;
  readonly all: readonly LuaValue[];
  readonly #name: string;

  constructor(machine: Machine, name: string, all: readonly LuaValue[]) {
    this.machine = machine;
    this.#name = name;
    this.all = all;
  }

  bad(at: number, what: string): Error {
    return failure(this.machine, `bad argument #${at + 1} to ${this.#name} (${what})`);
  }

  #expected(at: number, type: string): Error {
    return this.bad(at, `${type} expected, got ${typeName(this.all[at])}`);
  }

  any(at: number): LuaValue {
    if (at >= this.all.length) throw this.bad(at, 'value expected');
    return this.all[at];
  }

  text(at: number): string {
    const value = this.all[at];
    if (typeof value === 'string') {
      // Reading a long text costs time.
      this.machine.budget.step(value.length >> 5);
      return value;
    }
    if (typeof value === 'number') return toText(value);
    throw this.#expected(at, 'string');
  }

  number(at: number, fallback?: number): number {
    const value = this.all[at];
    if (value === undefined && fallback !== undefined) return fallback;
    const number = toNumber(value);
    if (number === undefined) throw this.#expected(at, 'number');
    return number;
  }

  integer(at: number, fallback?: number): number {
    const number = Math.trunc(this.number(at, fallback));
    return Number.isNaN(number) ? 0 : number;
  }

  table(at: number): LuaTable {
    const value = this.all[at];
    if (value instanceof LuaTable) return value;
    throw this.#expected(at, 'table');
  }
}

export type Builtin = (args: Arguments) => readonly LuaValue[];

/** A library's functions by name. */
export type Library = ReadonlyMap<string, LuaFunction>;

export function library(functions: Readonly<Record<string, Builtin>>): Library {
  const made = Object.entries(functions).map(([name, run]): [string, LuaFunction] => [
    name,
    { call: (machine, all) => [...run(new Arguments(machine, name, all))] },
  ]);
  return new Map(made);
}

export function tableOf(functions: Library): LuaTable {
  const table = new LuaTable();
  for (const [name, value] of functions) table.set(name, value);
  return table;
}
