import type { JsonObject } from '#base/json.ts';
import { isObject } from '#base/json.ts';
import { cloneJson } from '../clone.ts';

/** Fills the schema's defaults in place. A null that may not be null is dropped, and defaulted if there is a default. */
export function applySchemaDefaults(schema: JsonObject, value: unknown): void {
  if (isObject(value)) {
    const properties = isObject(schema['properties']) ? schema['properties'] : {};
    for (const [name, property] of Object.entries(properties))
      if (isObject(property)) defaultMember(value, name, property);
    const values = schema['additionalProperties'];
    if (isObject(values)) {
      for (const [name, item] of Object.entries(value)) {
        if (item === null && (values['default'] ?? null) !== null && values['nullable'] !== true) {
          value[name] = cloneJson(values['default']);
        }
        applySchemaDefaults(values, value[name]);
      }
    }
  } else if (Array.isArray(value) && isObject(schema['items'])) {
    for (const item of value) applySchemaDefaults(schema['items'], item);
  }
}

function defaultMember(value: JsonObject, name: string, property: JsonObject): void {
  if (value[name] === null && property['nullable'] !== true) delete value[name];
  if (value[name] === undefined && (property['default'] ?? null) !== null) value[name] = cloneJson(property['default']);
  if (value[name] !== undefined) applySchemaDefaults(property, value[name]);
}
