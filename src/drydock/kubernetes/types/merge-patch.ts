import type { JsonObject } from '#base/json.ts';
import { isObject } from '#base/json.ts';
import { ApiError } from '../api/port.ts';

/** RFC 7386. The target is not changed; untouched parts are shared with the result. */
export function mergePatch(target: JsonObject, patch: unknown): JsonObject {
  if (!isObject(patch)) {
    const kind = Array.isArray(patch) ? 'array' : patch === null ? 'null' : typeof patch;
    throw new ApiError(
      400,
      'BadRequest',
      `error decoding patch: json: cannot unmarshal ${kind} into Go value of type map[string]interface {}`,
    );
  }
  return mergeObject(target, patch);
}

function mergeObject(target: unknown, patch: JsonObject): JsonObject {
  const out: JsonObject = isObject(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null || value === undefined) delete out[key];
    else out[key] = isObject(value) ? mergeObject(out[key], value) : value;
  }
  return out;
}
