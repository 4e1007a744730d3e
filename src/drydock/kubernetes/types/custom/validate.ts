import type { JsonObject } from '#base/json.ts';
import { isObject, jsonEqual } from '#base/json.ts';
import type { FieldError } from '../../api/port.ts';
import { checkArray } from './validate-array.ts';
import { checkNumber, checkString } from './validate-scalar.ts';

export interface Place {
  /** `spec.items[0].name` */
  path: string;
  /** The stored value at the same place: what did not change is not checked again. */
  old: unknown;
  errors: FieldError[];
}

/** Checks a value by its schema, in the words of the real server. */
export function validateValue(schema: JsonObject, value: unknown, place: Place): void {
  if (place.old !== undefined && jsonEqual(value, place.old)) return;
  if (value === null && schema['nullable'] === true) return;
  if (!checkType(schema, value, place)) return;
  checkEnum(schema, value, place);
  if (typeof value === 'string') checkString(schema, value, place);
  else if (typeof value === 'number') checkNumber(schema, value, place);
  else if (Array.isArray(value)) checkArray(schema, value, place);
  else if (isObject(value)) checkObject(schema, value, place);
  checkCombinations(schema, value, place);
}

export function invalid(place: Place, value: unknown, why: string): void {
  const shown =
    typeof value === 'object' ? JSON.stringify(Array.isArray(value) ? 'array' : 'object') : JSON.stringify(value);
  place.errors.push({
    field: place.path,
    reason: 'FieldValueInvalid',
    message: `Invalid value: ${shown}: ${bodyName(place)} ${why}`,
  });
}

export function bodyName(place: Place): string {
  return `${place.path} in body`;
}

function checkType(schema: JsonObject, value: unknown, place: Place): boolean {
  const types = allowedTypes(schema);
  const actual = typeName(value);
  if (types.length === 0 || types.includes(actual)) return true;
  if (actual === 'integer' && types.includes('number')) return true;
  place.errors.push({
    field: place.path,
    reason: 'FieldValueTypeInvalid',
    message: `Invalid value: ${JSON.stringify(actual)}: ${bodyName(place)} must be of type ${types.join(',')}: ${JSON.stringify(actual)}`,
  });
  return false;
}

function allowedTypes(schema: JsonObject): string[] {
  if (schema['x-kubernetes-int-or-string'] === true) return ['integer', 'string'];
  return typeof schema['type'] === 'string' && schema['type'] !== '' ? [schema['type']] : [];
}

function typeName(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  return typeof value;
}

function checkEnum(schema: JsonObject, value: unknown, place: Place): void {
  const values = schema['enum'];
  if (!Array.isArray(values) || values.some((each: unknown) => jsonEqual(each, value))) return;
  place.errors.push({
    field: place.path,
    reason: 'FieldValueNotSupported',
    message: `Unsupported value: ${JSON.stringify(value)}: supported values: ${values.map((each: unknown) => JSON.stringify(each)).join(', ')}`,
  });
}

function checkObject(schema: JsonObject, value: JsonObject, place: Place): void {
  const size = Object.keys(value).length;
  const { minProperties, maxProperties, required } = schema;
  if (typeof minProperties === 'number' && size < minProperties) {
    place.errors.push({
      field: place.path,
      reason: 'FieldValueInvalid',
      message: `Invalid value: ${size}: ${bodyName(place)} should have at least ${minProperties} properties`,
    });
  }
  if (typeof maxProperties === 'number' && size > maxProperties) {
    place.errors.push({
      field: place.path,
      reason: 'FieldValueTooMany',
      message: `Too many: ${size}: must have at most ${maxProperties} items`,
    });
  }
  for (const name of Array.isArray(required) ? required : []) {
    if (typeof name !== 'string' || value[name] !== undefined) continue;
    place.errors.push({ field: join(place.path, name), reason: 'FieldValueRequired', message: 'Required value' });
  }
  const properties = isObject(schema['properties']) ? schema['properties'] : {};
  const others = schema['additionalProperties'];
  const old = isObject(place.old) ? place.old : {};
  for (const [name, item] of Object.entries(value)) {
    const inner = properties[name] ?? others;
    if (isObject(inner))
      validateValue(inner, item, { path: join(place.path, name), old: old[name], errors: place.errors });
  }
}

export function join(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}

function checkCombinations(schema: JsonObject, value: unknown, place: Place): void {
  const fits = (inner: unknown): boolean => {
    const errors: FieldError[] = [];
    if (isObject(inner)) validateValue(inner, value, { path: place.path, old: undefined, errors });
    return errors.length === 0;
  };
  const name = JSON.stringify(place.path);
  const fail = (why: string): void => {
    place.errors.push({
      field: place.path,
      reason: 'FieldValueInvalid',
      message: `Invalid value: ${shownValue(value)}: ${name} ${why}`,
    });
  };
  const { allOf, anyOf, oneOf, not } = schema;
  if (Array.isArray(anyOf) && !anyOf.some(fits)) fail('must validate at least one schema (anyOf)');
  if (Array.isArray(oneOf)) {
    const valid = oneOf.filter(fits).length;
    if (valid !== 1)
      fail(
        `must validate one and only one schema (oneOf). Found ${valid === 0 ? 'none valid' : `${valid} valid alternatives`}`,
      );
  }
  if (Array.isArray(allOf) && !allOf.every(fits)) {
    for (const inner of allOf) if (isObject(inner)) validateValue(inner, value, { ...place, old: undefined });
    fail('must validate all the schemas (allOf)');
  }
  if (isObject(not) && fits(not)) fail('must not validate the schema (not)');
}

function shownValue(value: unknown): string {
  return typeof value === 'object' ? '""' : JSON.stringify(value);
}
