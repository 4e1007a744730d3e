import { bytesOf, LuaError, LuaTable, type LuaValue, textOf } from './value.ts';

/** A JSON value as a script sees it; null is nil, in lists too. */
export function luaFromJson(value: unknown): LuaValue {
  switch (typeof value) {
    case 'string':
      return bytesOf(value);
    case 'number':
    case 'boolean':
      return value;
    case 'object': {
      if (value === null) return undefined;
      const table = new LuaTable();
      if (Array.isArray(value)) {
        value.forEach((item, at) => {
          table.set(at + 1, luaFromJson(item));
        });
      } else for (const [key, item] of Object.entries(value)) table.set(bytesOf(key), luaFromJson(item));
      return table;
    }
    default:
      return undefined;
  }
}

const maxDepth = 200;

/**
 * What a script returned as JSON. An empty table is an empty list. Throws LuaError for what JSON has no form for: functions,
 * lists with holes, tables with keys of both kinds or that contain themselves.
 */
export function jsonFromLua(value: LuaValue, depth = 0): unknown {
  if (value === undefined) return null;
  if (typeof value === 'string') return textOf(value);
  if (typeof value !== 'object') return value;
  if (!(value instanceof LuaTable)) throw new LuaError('cannot encode function to JSON');
  if (depth > maxDepth) throw new LuaError('cannot encode recursively nested tables to JSON');
  const first = value.next(undefined);
  if (first === undefined) return [];
  if (typeof first[0] === 'number') return list(value, depth);
  const object: Record<string, unknown> = {};
  for (let pair = value.next(undefined); pair !== undefined; pair = value.next(pair[0])) {
    if (typeof pair[0] !== 'string') throw new LuaError('cannot encode mixed or invalid key types');
    object[textOf(pair[0])] = jsonFromLua(pair[1], depth + 1);
  }
  return object;
}

function list(table: LuaTable, depth: number): unknown[] {
  const items: unknown[] = [];
  for (let pair = table.next(undefined); pair !== undefined; pair = table.next(pair[0])) {
    if (typeof pair[0] !== 'number') throw new LuaError('cannot encode mixed or invalid key types');
    if (pair[0] !== items.length + 1) throw new LuaError('cannot encode sparse array');
    items.push(jsonFromLua(pair[1], depth + 1));
  }
  return items;
}
