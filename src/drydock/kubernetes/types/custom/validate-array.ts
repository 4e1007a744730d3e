import type { JsonObject } from '#base/json.ts';
import { isObject, jsonEqual } from '#base/json.ts';
import type { Place } from './validate.ts';
import { invalid, validateValue } from './validate.ts';

/** Items, then how many there are. Returns how much was looked at. */
export function checkArray(schema: JsonObject, value: unknown[], place: Place): number {
  const { minItems, maxItems, items } = schema;
  const keys = mapKeys(schema);
  let looked = 2;
  if (isObject(items)) {
    for (const [index, item] of value.entries()) {
      const old = oldItem(place.old, item, keys);
      looked += validateValue(items, item, { path: `${place.path}[${index}]`, old, errors: place.errors });
    }
  }
  if (typeof minItems === 'number' && value.length < minItems)
    invalid(place, value.length, `should have at least ${minItems} items`);
  if (typeof maxItems === 'number' && value.length > maxItems) {
    place.errors.push({
      field: place.path,
      reason: 'FieldValueTooMany',
      message: `Too many: ${value.length}: must have at most ${maxItems} items`,
    });
  }
  return looked;
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
