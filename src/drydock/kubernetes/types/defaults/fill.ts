import type { JsonObject } from '#base/json.ts';
import { isObject } from '#base/json.ts';

/** Sets `value` where the member is absent or null. */
export function fill(object: JsonObject, values: JsonObject): void {
  for (const [key, value] of Object.entries(values)) object[key] ??= value;
}

/** The member when it is an object. */
export function child(object: JsonObject | undefined, name: string): JsonObject | undefined {
  const value = object?.[name];
  return isObject(value) ? value : undefined;
}

/** The member, made an empty object when absent. */
export function childOrNew(object: JsonObject, name: string): JsonObject {
  const value = object[name];
  if (isObject(value)) return value;
  const made: JsonObject = {};
  object[name] = made;
  return made;
}

/** The objects in a list member. */
export function children(object: JsonObject | undefined, name: string): JsonObject[] {
  const value = object?.[name];
  return Array.isArray(value) ? value.filter(isObject) : [];
}
