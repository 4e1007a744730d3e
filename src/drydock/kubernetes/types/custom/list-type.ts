import type { JsonObject } from '#base/json.ts';
import { isObject } from '#base/json.ts';
import type { FieldError } from '../../api/port.ts';
import { goText } from './go-text.ts';
import { mapKeys } from './validate-array.ts';

/** Sets hold each item once, and map lists each key. */
export function checkListTypes(schema: JsonObject, value: unknown, path = ''): FieldError[] {
  const errors: FieldError[] = [];
  if (Array.isArray(value)) {
    const { items } = schema;
    if (isObject(items))
      for (const [index, item] of value.entries()) errors.push(...checkListTypes(items, item, `${path}[${index}]`));
    errors.push(...duplicates(schema, value, path));
    return errors;
  }
  if (!isObject(value)) return errors;
  const properties = isObject(schema['properties']) ? schema['properties'] : {};
  const others = schema['additionalProperties'];
  for (const [name, item] of Object.entries(value)) {
    const own = properties[name];
    if (isObject(own)) errors.push(...checkListTypes(own, item, path === '' ? name : `${path}.${name}`));
    else if (isObject(others)) errors.push(...checkListTypes(others, item, `${path}[${name}]`));
  }
  return errors;
}

function duplicates(schema: JsonObject, value: unknown[], path: string): FieldError[] {
  const keys = mapKeys(schema);
  if (keys === undefined && schema['x-kubernetes-list-type'] !== 'set') return [];
  const seen = new Map<string, number>();
  const errors: FieldError[] = [];
  for (const [index, item] of value.entries()) {
    const shown = keys === undefined ? goText(item) : keyText(item, keys);
    const count = (seen.get(shown) ?? 0) + 1;
    seen.set(shown, count);
    // A value is reported once, at its second place.
    if (count === 2)
      errors.push({ field: `${path}[${index}]`, reason: 'FieldValueDuplicate', message: `Duplicate value: ${shown}` });
  }
  return errors;
}

function keyText(item: unknown, keys: string[]): string {
  const found: JsonObject = {};
  for (const key of [...keys].sort()) if (isObject(item) && item[key] !== undefined) found[key] = item[key];
  return goText(found);
}
