import type { JsonObject } from '#base/json.ts';
import { GoTime, isMap, isTrue } from './value.ts';

function isEmpty(value: unknown): boolean {
  return !(value instanceof GoTime) && !isTrue(value);
}

/**
 * Merges `from` into `into`, in place and deeply, as Go's mergo does for maps: without `override` only what is absent or
 * empty is filled; with it everything but inner maps is replaced, by empty values too.
 */
export function mergeInto(into: JsonObject, from: JsonObject, override: boolean): JsonObject {
  for (const [key, value] of Object.entries(from)) {
    const old = Object.hasOwn(into, key) ? into[key] : undefined;
    if (value === null || value === undefined) {
      if (override) into[key] = null;
      continue;
    }
    if (isMap(value) && isMap(old)) {
      mergeInto(old, value, override);
      if (!isEmpty(old)) continue;
    }
    if (override || isEmpty(old)) into[key] = value;
  }
  return into;
}
