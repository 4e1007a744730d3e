import { AppError } from '#base/errors.ts';
import { cloneJson, getString, isObject, type JsonObject } from '#base/json.ts';
import { parseYamlDocuments } from '#base/yaml.ts';
import type { KubeObject } from '#kube/port.ts';
import { type LuaResult, runLua } from '#lua/script.ts';
import { LuaError, LuaLimitError } from '#lua/value.ts';
import { luaScript } from '../lua-health.ts';
import type { ActionInput, ActionParameter, ActionResult, OfferedAction } from './action.ts';

/** A kind's entry in `resource.customizations.actions`. */
export interface LuaActions {
  discovery: string;
  definitions: ReadonlyMap<string, string>;
  mergeBuiltIns: boolean;
}

const parsed = new Map<string, LuaActions>();
const maxParsed = 512;

function read(text: string, what: string): LuaActions {
  const [document] = parseYamlDocuments(text, what);
  const definitions = new Map<string, string>();
  const list = isObject(document) ? document['definitions'] : undefined;
  for (const entry of Array.isArray(list) ? list : []) {
    const name = getString(entry, 'name');
    if (name !== undefined) definitions.set(name, getString(entry, 'action.lua') ?? '');
  }
  return {
    discovery: getString(document, 'discovery.lua') ?? '',
    definitions,
    mergeBuiltIns: isObject(document) && document['mergeBuiltinActions'] === true,
  };
}

/** Reads an entry once for each text. Throws AppError bad-input. */
export function luaActions(text: string, groupKind: string): LuaActions {
  let found = parsed.get(text);
  if (found === undefined) {
    found = read(text, `resource.customizations.actions of ${groupKind}`);
    if (parsed.size >= maxParsed) parsed.clear();
    parsed.set(text, found);
  }
  return found;
}

function run(source: string, object: KubeObject, input: ActionInput): LuaResult {
  try {
    const { parameters, nowMs } = input;
    return runLua(luaScript(source), {
      globals: { obj: object, actionParams: parameters },
      openLibraries: false,
      nowMs,
    });
  } catch (error) {
    throw failed(error);
  }
}

function failed(error: unknown): unknown {
  if (!(error instanceof LuaError || error instanceof LuaLimitError)) return error;
  return new AppError('bad-input', error.message, { cause: error });
}

function outputOf(result: LuaResult): unknown {
  if (result.type !== 'table')
    throw new AppError('bad-input', `expect table output from Lua script, not ${result.type}`);
  try {
    return result.json();
  } catch (error) {
    throw failed(error);
  }
}

function parametersOf(value: unknown): ActionParameter[] {
  return (Array.isArray(value) ? value : []).filter(isObject).map((entry) => {
    const parameter: ActionParameter = { name: getString(entry, 'name') ?? '' };
    for (const key of ['value', 'type', 'default'] as const) {
      const text = getString(entry, key);
      if (text !== undefined) parameter[key] = text;
    }
    return parameter;
  });
}

function offered(name: string, value: unknown): OfferedAction {
  if (!isObject(value)) {
    if (Array.isArray(value)) return { name };
    throw new AppError('bad-input', `error unmarshaling resource action: ${name} is no table`);
  }
  const action: OfferedAction = { name: getString(value, 'name') ?? name };
  if (value['disabled'] === true) action.disabled = true;
  for (const key of ['displayName', 'iconClass'] as const) {
    const text = getString(value, key);
    if (text !== undefined) action[key] = text;
  }
  const params = parametersOf(value['params']);
  if (params.length > 0) action.params = params;
  return action;
}

/** The actions that a discovery script offers for an object. Throws AppError bad-input with the script's own words. */
export function discover(source: string, object: KubeObject, nowMs: number): OfferedAction[] {
  const output = outputOf(run(source, object, { parameters: {}, nowMs }));
  // An empty table is an empty list.
  if (Array.isArray(output) && output.length === 0) return [];
  if (!isObject(output)) throw new AppError('bad-input', 'error unmarshaling action table: it is a list');
  return Object.entries(output).map(([name, value]) => offered(name, value));
}

/** Lua cannot tell an empty object from an empty list: what was an object before stays one. */
function restored(value: unknown, before: unknown): unknown {
  if (Array.isArray(value)) {
    if (isObject(before)) return value.length === 0 ? {} : value;
    return Array.isArray(before)
      ? value.map((item, at) => (at < before.length ? restored(item, before[at]) : item))
      : value;
  }
  if (!isObject(value) || !isObject(before)) return value;
  const out: JsonObject = {};
  for (const [key, item] of Object.entries(value)) out[key] = key in before ? restored(item, before[key]) : item;
  return out;
}

function objectOf(value: unknown): KubeObject {
  const apiVersion = getString(value, 'apiVersion');
  const kind = getString(value, 'kind');
  const name = getString(value, 'metadata', 'name');
  if (!isObject(value) || apiVersion === undefined || kind === undefined || !isObject(value['metadata']))
    throw new AppError('bad-input', "Object 'Kind' is missing in what the action returned");
  return { ...value, apiVersion, kind, metadata: { ...value['metadata'], name: name ?? '' } };
}

function resultOf(entry: unknown, before: KubeObject): ActionResult {
  const operation = getString(entry, 'operation');
  const resource = isObject(entry) ? entry['resource'] : undefined;
  if (operation !== 'create' && operation !== 'patch')
    throw new AppError('bad-input', `unsupported operation: ${JSON.stringify(operation ?? null)}`);
  return { operation, object: objectOf(operation === 'patch' ? restored(resource, before) : resource) };
}

/** Runs an action's script: the object that it changed, or its list of operations. */
export function runLuaAction(source: string, object: KubeObject, input: ActionInput): ActionResult[] {
  const output = outputOf(run(source, object, input));
  if (Array.isArray(output)) return output.map((entry) => resultOf(entry, object));
  return [{ operation: 'patch', object: objectOf(restored(cloneJson(output), object)) }];
}
