import type { JsonObject } from '#base/json.ts';
import { isObject, jsonEqual } from '#base/json.ts';
import type { Place } from './validate.ts';
import { bodyName, validateValue } from './validate.ts';

export function checkArray(schema: JsonObject, value: unknown[], place: Place): void {
  const { minItems, maxItems, items } = schema;
  if (typeof minItems === 'number' && value.length < minItems) {
    place.errors.push({
      field: place.path,
      reason: 'FieldValueInvalid',
      message: `Invalid value: ${value.length}: ${bodyName(place)} should have at least ${minItems} items`,
    });
  }
  if (typeof maxItems === 'number' && value.length > maxItems) {
    place.errors.push({
      field: place.path,
      reason: 'FieldValueTooMany',
      message: `Too many: ${value.length}: must have at most ${maxItems} items`,
    });
  }
  const keys = mapKeys(schema);
  if (isObject(items)) {
    for (const [index, item] of value.entries()) {
      const old = oldItem(place.old, item, keys);
      validateValue(items, item, { path: `${place.path}[${index}]`, old, errors: place.errors });
    }
  }
}

/** Only items of a map list can be found again in the stored list. */
function oldItem(old: unknown, item: unknown, keys: string[] | undefined): unknown {
  if (keys === undefined || !Array.isArray(old) || !isObject(item)) return undefined;
  return old.find((each: unknown) => isObject(each) && keys.every((key) => jsonEqual(each[key], item[key])));
}

export function mapKeys(schema: JsonObject): string[] | undefined {
  const keys = schema['x-kubernetes-list-map-keys'];
  if (schema['x-kubernetes-list-type'] !== 'map' || !Array.isArray(keys)) return undefined;
  return keys.filter((key) => typeof key === 'string');
}
