import type { JsonObject } from '#base/json.ts';
import { cloneJson, isObject } from '#base/json.ts';

/** Fills the schema's defaults in place, also where a null may not be one. */
export function applySchemaDefaults(schema: JsonObject, value: unknown): void {
  if (Array.isArray(value)) {
    const { items } = schema;
    if (!isObject(items)) return;
    for (const [index, item] of value.entries()) {
      if (isWrongNull(item, items) && hasDefault(items)) value[index] = cloneJson(items['default']);
      applySchemaDefaults(items, value[index]);
    }
    return;
  }
  if (!isObject(value)) return;
  const properties = isObject(schema['properties']) ? schema['properties'] : {};
  for (const [name, property] of Object.entries(properties)) {
    if (!isObject(property)) continue;
    if (hasDefault(property) && (value[name] === undefined || isWrongNull(value[name], property)))
      value[name] = cloneJson(property['default']);
    if (value[name] !== undefined) applySchemaDefaults(property, value[name]);
  }
  const values = schema['additionalProperties'];
  if (!isObject(values)) return;
  for (const [name, item] of Object.entries(value)) {
    if (isWrongNull(item, values) && hasDefault(values)) value[name] = cloneJson(values['default']);
    applySchemaDefaults(values, value[name]);
  }
}

/** Drops, in place, members that are null where the schema allows none and has no default instead. Items of lists stay. */
export function dropWrongNulls(schema: JsonObject, value: unknown): void {
  if (Array.isArray(value)) {
    if (isObject(schema['items'])) for (const item of value) dropWrongNulls(schema['items'], item);
    return;
  }
  if (!isObject(value)) return;
  const properties = isObject(schema['properties']) ? schema['properties'] : {};
  for (const [name, item] of Object.entries(value)) {
    const inner = Object.hasOwn(properties, name) ? properties[name] : schema['additionalProperties'];
    if (!isObject(inner)) continue;
    if (isWrongNull(item, inner) && !hasDefault(inner)) delete value[name];
    else dropWrongNulls(inner, item);
  }
}

function isWrongNull(value: unknown, schema: JsonObject): boolean {
  return value === null && schema['nullable'] !== true;
}

/** A default of null is none. */
function hasDefault(schema: JsonObject): boolean {
  return schema['default'] !== undefined && schema['default'] !== null;
}
