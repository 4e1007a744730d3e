import { library, tableOf } from './arguments.ts';
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
import { LuaError, LuaLimitError, LuaTable, type LuaValue, textOf, toText, typeName } from './value.ts';

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

const math = tableOf(mathLibrary);
for (const [name, value] of mathConstants) math.set(name, value);
const closed: readonly (readonly [string, LuaTable])[] = [
  ['table', tableOf(tableLibrary)],
  ['os', tableOf(osLibrary)],
];
const open: readonly (readonly [string, LuaTable])[] = [
  ['string', tableOf(stringLibrary)],
  ['math', math],
];

const moduleLibrary = library({
  require: ({ machine, all }) => {
    const module = machine.modules.get(all[0]);
    if (module === undefined) throw failure(machine, `module ${textOf(toText(all[0]))} not found`);
    return [module];
  },
});

const base = tableOf(new Map([...baseLibrary, ...unpackLibrary, ...moduleLibrary]));
base.set('_VERSION', 'Lua 5.1');

/** Every run has its own tables, which a script may change. */
function openLibraries(machine: Machine, all: boolean): void {
  const { globals, modules } = machine;
  globals.set('_G', globals);
  for (const [name, template] of all ? [...closed, ...open] : closed) {
    const table = new LuaTable(template);
    modules.set(name, table);
    globals.set(name, table);
  }
  if (all) machine.texts = globals.get('string');
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
  const { nowMs } = run;
  const machine: Machine = { budget, nowMs, globals: new LuaTable(base), modules: new LuaTable(), texts: undefined };
  openLibraries(machine, run.openLibraries);
  for (const [name, value] of Object.entries(run.globals)) machine.globals.set(name, luaFromJson(value));
  const values = execute(script, machine);
  const value = values.at(-1);
  return { values, type: typeName(value), json: () => jsonFromLua(value) };
}
