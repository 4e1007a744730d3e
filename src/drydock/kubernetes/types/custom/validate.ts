import type { JsonObject } from '#base/json.ts';
import { isObject, jsonEqual } from '#base/json.ts';
import type { FieldError } from '../../api/port.ts';
import { isKnownFormat } from '../string-format.ts';
import { checkArray } from './validate-array.ts';
import { checkCombinations } from './validate-combination.ts';
import { checkNumber, checkString } from './validate-scalar.ts';

export interface Place {
  /** `spec.items[0].name` */
  path: string;
  /** The stored value at the same place: what did not change is not checked again. */
  old: unknown;
  errors: FieldError[];
}

/**
 * Checks a value by its schema, in the words of the real server. Returns how much was looked at: of alternatives that all
 * fail, the one that got furthest is reported.
 */
export function validateValue(schema: JsonObject, value: unknown, place: Place): number {
  if (place.old !== undefined && jsonEqual(value, place.old)) return 0;
  if (value === null) {
    checkType(schema, value, place);
    if (schema['nullable'] !== true) checkEnum(schema, value, place);
    return 1;
  }
  let looked = 3 + checkType(schema, value, place) + checkCombinations(schema, value, place);
  if (typeof value === 'string') checkString(schema, value, place);
  else if (typeof value === 'number') checkNumber(schema, value, place);
  else if (Array.isArray(value)) looked += checkArray(schema, value, place);
  checkEnum(schema, value, place);
  if (isObject(value)) looked += checkObject(schema, value, place);
  return looked;
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

function checkType(schema: JsonObject, value: unknown, place: Place): number {
  const types = allowedTypes(schema);
  const actual = typeName(value);
  const { format } = schema;
  const hasFormat = typeof format === 'string' && isKnownFormat(format);
  if (types.length === 0 && !hasFormat) return 0;
  if (value === null && (schema['nullable'] === true || types.length === 0)) return 1;
  const fits = types.includes(actual) || (actual === 'integer' && types.includes('number'));
  // A text of a format is checked by the format alone, and upstream lets lists pass here.
  const byFormat = hasFormat && !types.includes('number') && !types.includes('integer');
  if (fits || (byFormat && (typeof value === 'string' || Array.isArray(value)))) return 2;
  const wanted = hasFormat && value !== null ? format : types.join(',');
  const found = hasFormat && value !== null ? numberFormat(actual) : actual;
  place.errors.push({
    field: place.path,
    reason: 'FieldValueTypeInvalid',
    message: `Invalid value: ${JSON.stringify(found)}: ${bodyName(place)} must be of type ${wanted}: ${JSON.stringify(found)}`,
  });
  return 1;
}

/** Upstream names the format of the value where the schema has one. */
function numberFormat(actual: string): string {
  if (actual === 'integer') return 'int64';
  return actual === 'number' ? 'double' : '';
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
  if (!Array.isArray(values) || values.length === 0) return;
  if (values.some((each: unknown) => jsonEqual(each, value))) return;
  const shown = values.map((each: unknown) => JSON.stringify(typeof each === 'string' ? each : JSON.stringify(each)));
  const own = typeof value === 'object' && value !== null ? JSON.stringify(value) : JSON.stringify(value);
  place.errors.push({
    field: place.path,
    reason: 'FieldValueNotSupported',
    message: `Unsupported value: ${own}: supported values: ${shown.join(', ')}`,
  });
}

function checkObject(schema: JsonObject, value: JsonObject, place: Place): number {
  const size = Object.keys(value).length;
  const { minProperties, maxProperties, required } = schema;
  if (typeof minProperties === 'number' && size < minProperties)
    invalid(place, size, `should have at least ${minProperties} properties`);
  if (typeof maxProperties === 'number' && size > maxProperties) {
    place.errors.push({
      field: place.path,
      reason: 'FieldValueTooMany',
      message: `Too many: ${size}: must have at most ${maxProperties} items`,
    });
  }
  const properties = isObject(schema['properties']) ? schema['properties'] : {};
  const others = schema['additionalProperties'];
  const old = isObject(place.old) ? place.old : {};
  let looked = 1;
  for (const [name, item] of Object.entries(value)) {
    const inner = Object.hasOwn(properties, name) ? properties[name] : others;
    if (isObject(inner))
      looked += validateValue(inner, item, { path: join(place.path, name), old: old[name], errors: place.errors });
  }
  for (const name of Array.isArray(required) ? required : []) {
    if (typeof name !== 'string' || value[name] !== undefined) continue;
    place.errors.push({ field: join(place.path, name), reason: 'FieldValueRequired', message: 'Required value' });
  }
  return looked;
}

export function join(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}
