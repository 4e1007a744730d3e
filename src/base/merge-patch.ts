import { isObject, type JsonObject, jsonEqual } from './json.ts';

/** RFC 7386. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const out: JsonObject = isObject(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete out[key];
    else out[key] = mergePatch(out[key], value);
  }
  return out;
}

/** The merge patch that turns `from` into `to`; undefined when they are equal. */
export function mergePatchBetween(from: unknown, to: unknown): unknown {
  if (!isObject(from) || !isObject(to)) return jsonEqual(from, to) ? undefined : to;
  const out: JsonObject = {};
  for (const key of Object.keys(from)) if (to[key] === undefined && from[key] !== undefined) out[key] = null;
  for (const [key, value] of Object.entries(to)) {
    if (value === undefined) continue;
    const change = mergePatchBetween(from[key], value);
    if (change !== undefined) out[key] = change;
  }
  return Object.keys(out).length === 0 ? undefined : out;
}
