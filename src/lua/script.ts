import { type Library, library, tableOf } from './arguments.ts';
import { Budget, defaultLimits, type LuaLimits } from './budget.ts';
import type { Execute } from './frame.ts';
import { jsonFromLua, luaFromJson } from './json.ts';
import { tokensOf } from './lexer.ts';
import { baseLibrary } from './lib-base.ts';
import { mathConstants, mathLibrary } from './lib-math.ts';
import { osLibrary } from './lib-os.ts';
import { stringLibrary } from './lib-string.ts';
import { tableLibrary, unpackLibrary } from './lib-table.ts';
import { failure, type Machine } from './machine.ts';
import { Reader } from './reader.ts';
import { blockOf } from './statements.ts';
import { LuaError, LuaLimitError, LuaTable, type LuaValue, textOf, typeName } from './value.ts';

/** A chunk that can run any number of times; runs share nothing. */
export interface LuaScript {
  readonly body: Execute;
}

export interface LuaRun {
  /** JSON values that the script finds as globals. */
  globals: Readonly<Record<string, unknown>>;
  /** `string` and `math` too, which are closed unless asked for. */
  openLibraries: boolean;
  /** Milliseconds since the epoch, for `os`. */
  nowMs: number;
  limits?: LuaLimits;
}

/** What a script returned; of the last value its Lua type, and itself as JSON. */
export interface LuaResult {
  values: readonly LuaValue[];
  type: string;
  json: () => unknown;
}

const maxSourceBytes = 256 * 1024;

/** Reads a chunk of Lua 5.1 (with `goto`). Throws LuaError with the line where it is none. */
export function compileLua(source: string): LuaScript {
  if (source.length > maxSourceBytes) throw new LuaError(`the script is longer than ${maxSourceBytes} characters`);
  const reader = new Reader(tokensOf(source));
  const body = blockOf(reader);
  if (!reader.is('end of file')) throw reader.error('syntax error');
  return { body };
}

function openLibraries(machine: Machine, os: Library, all: boolean): void {
  const { globals } = machine;
  const loaded = new Map<string, LuaTable>();
  const open = (name: string, functions: Library): LuaTable => {
    const table = tableOf(functions);
    loaded.set(name, table);
    globals.set(name, table);
    return table;
  };
  for (const functions of [baseLibrary, unpackLibrary]) for (const [name, value] of functions) globals.set(name, value);
  globals.set('_G', globals);
  globals.set('_VERSION', 'Lua 5.1');
  open('table', tableLibrary);
  open('os', os);
  if (all) {
    machine.texts = open('string', stringLibrary);
    const math = open('math', mathLibrary);
    for (const [name, value] of mathConstants) math.set(name, value);
  }
  const modules = library({
    require: (args) => {
      const module = loaded.get(args.text(0));
      if (module === undefined) throw failure(machine, `module ${textOf(args.text(0))} not found`);
      return [module];
    },
  });
  for (const [name, value] of modules) globals.set(name, value);
}

function execute(script: LuaScript, machine: Machine): readonly LuaValue[] {
  try {
    const ending = script.body({ machine, locals: [], captured: [], varargs: [] });
    return ending?.how === 'return' ? ending.values : [];
  } catch (error) {
    // A chain of thousands of operators is as deep as recursion.
    if (error instanceof RangeError) throw new LuaLimitError('<string>: stack overflow', { cause: error });
    throw error;
  }
}

/**
 * Runs a script by itself: no files, processes, network or state of other runs. Throws LuaError for its errors, LuaLimitError
 * when it reaches its limits.
 */
export function runLua(script: LuaScript, run: LuaRun): LuaResult {
  const budget = new Budget(run.limits ?? defaultLimits);
  const machine: Machine = { budget, globals: new LuaTable(), texts: undefined };
  openLibraries(machine, osLibrary(run.nowMs), run.openLibraries);
  for (const [name, value] of Object.entries(run.globals)) machine.globals.set(name, luaFromJson(value));
  const values = execute(script, machine);
  const value = values.at(-1);
  return { values, type: typeName(value), json: () => jsonFromLua(value) };
}
