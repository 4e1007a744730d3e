import { isObject } from '#base/json.ts';
import type { KubeObject } from '#kube/port.ts';
import { compileLua, type LuaScript, runLua } from '#lua/script.ts';
import { LuaError, LuaLimitError } from '#lua/value.ts';
import { type Health, health, severity } from './health.ts';

export interface LuaCheck {
  source: string;
  openLibraries: boolean;
}

const compiled = new Map<string, LuaScript | LuaError>();
const maxCompiled = 1024;

/** A script read once for each text; one that is no Lua fails in the same way each time. */
export function luaScript(source: string): LuaScript {
  let found = compiled.get(source);
  if (found === undefined) {
    try {
      found = compileLua(source);
    } catch (error) {
      if (!(error instanceof LuaError)) throw error;
      found = error;
    }
    if (compiled.size >= maxCompiled) compiled.clear();
    compiled.set(source, found);
  }
  if (found instanceof LuaError) throw found;
  return found;
}

/** Field names as Go's JSON reads them: exact first, else in any case. */
function member(object: Record<string, unknown>, name: string): unknown {
  if (name in object) return object[name];
  const key = Object.keys(object).find((candidate) => candidate.toLowerCase() === name);
  return key === undefined ? undefined : object[key];
}

function verdict(value: unknown): Health | undefined {
  if (!isObject(value)) return undefined;
  const status = member(value, 'status') ?? '';
  const message = member(value, 'message') ?? '';
  // What is no text has no say, as in Argo CD.
  if (typeof status !== 'string' || typeof message !== 'string') return undefined;
  const known = severity.find((candidate) => candidate === status);
  return known === undefined ? health('Unknown', 'Lua returned an invalid health status') : health(known, message);
}

/** A team's own check: undefined when it returns nothing, Unknown with the reason when it fails. */
export function luaHealth(check: LuaCheck, object: KubeObject, nowMs: number): Health | undefined {
  try {
    const result = runLua(luaScript(check.source), {
      globals: { obj: object, actionParams: {} },
      openLibraries: check.openLibraries,
      nowMs,
    });
    if (result.type === 'nil') return undefined;
    if (result.type !== 'table') return health('Unknown', `expect table output from Lua script, not ${result.type}`);
    return verdict(result.json());
  } catch (error) {
    if (error instanceof LuaError || error instanceof LuaLimitError) return health('Unknown', error.message);
    throw error;
  }
}
