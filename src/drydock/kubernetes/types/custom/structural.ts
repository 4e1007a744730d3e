import type { JsonObject } from '#base/json.ts';
import { isObject } from '#base/json.ts';
import type { FieldError } from '../../api/port.ts';
import { validateValue } from './validate.ts';

/** What a structural schema must not lack, and what this server cannot do of it; paths start at `path`. */
export function checkStructural(schema: JsonObject, path: string): FieldError[] {
  const errors: FieldError[] = [];
  if (schema['type'] !== 'object' && schema['x-kubernetes-preserve-unknown-fields'] !== true) {
    errors.push(
      isString(schema['type'])
        ? {
            field: `${path}.type`,
            reason: 'FieldValueInvalid',
            message: `Invalid value: ${JSON.stringify(schema['type'])}: must be object at the root`,
          }
        : {
            field: `${path}.type`,
            reason: 'FieldValueRequired',
            message: 'Required value: must not be empty at the root',
          },
    );
  }
  checkNode(schema, path, errors);
  return errors;
}

function checkNode(schema: JsonObject, path: string, errors: FieldError[]): void {
  if (schema['x-kubernetes-validations'] !== undefined) {
    errors.push({
      field: `${path}.x-kubernetes-validations`,
      reason: 'FieldValueForbidden',
      message: 'Forbidden: CEL validation rules are not supported by this server; remove them to use this definition',
    });
  }
  if (schema['$ref'] !== undefined) forbidden(`${path}.$ref`, '$ref is not supported', errors);
  if (schema['uniqueItems'] === true)
    forbidden(
      `${path}.uniqueItems`,
      'uniqueItems cannot be set to true since the runtime complexity becomes quadratic',
      errors,
    );
  const { properties, additionalProperties, items } = schema;
  if (isObject(properties) && Object.keys(properties).length > 0 && additionalProperties !== undefined) {
    forbidden(`${path}.additionalProperties`, 'must not be used if properties is set', errors);
  }
  if (schema['type'] === 'array' && !isObject(items)) required(`${path}.items`, 'must be specified', errors);
  checkListType(schema, path, errors);
  checkDefault(schema, path, errors);
  if (isObject(items)) {
    requireType(items, `${path}.items`, 'array items', errors);
    checkNode(items, `${path}.items`, errors);
  }
  for (const [name, property] of isObject(properties) ? Object.entries(properties) : []) {
    if (!isObject(property)) continue;
    const at = `${path}.properties[${name}]`;
    checkNode(property, at, errors);
    requireType(property, at, 'object fields', errors);
  }
  if (isObject(additionalProperties)) {
    requireType(additionalProperties, `${path}.additionalProperties`, 'object fields', errors);
    checkNode(additionalProperties, `${path}.additionalProperties`, errors);
  }
}

/** A default must itself be valid. */
function checkDefault(schema: JsonObject, path: string, errors: FieldError[]): void {
  if (schema['default'] === undefined) return;
  const found: FieldError[] = [];
  validateValue(schema, schema['default'], { path: '', old: undefined, errors: found });
  for (const { field, reason, message } of found) {
    errors.push({ field: `${path}.default${field === '' ? '' : `.${field}`}`, reason, message });
  }
}

function requireType(schema: JsonObject, path: string, what: string, errors: FieldError[]): void {
  if (isString(schema['type']) || schema['x-kubernetes-int-or-string'] === true) return;
  if (schema['x-kubernetes-preserve-unknown-fields'] === true) return;
  required(`${path}.type`, `must not be empty for specified ${what}`, errors);
}

function checkListType(schema: JsonObject, path: string, errors: FieldError[]): void {
  const listType = schema['x-kubernetes-list-type'];
  const keys = schema['x-kubernetes-list-map-keys'];
  const hasKeys = Array.isArray(keys) && keys.length > 0;
  if (listType === undefined) {
    if (hasKeys)
      required(`${path}.x-kubernetes-list-type`, 'must be map if x-kubernetes-list-map-keys is non-empty', errors);
    return;
  }
  if (!['atomic', 'set', 'map'].includes(String(listType))) {
    errors.push({
      field: `${path}.x-kubernetes-list-type`,
      reason: 'FieldValueNotSupported',
      message: `Unsupported value: ${JSON.stringify(listType)}: supported values: "atomic", "set", "map"`,
    });
  }
  if (listType === 'map' && !hasKeys) {
    required(`${path}.x-kubernetes-list-map-keys`, 'must not be empty if x-kubernetes-list-type is map', errors);
  }
}

function required(field: string, why: string, errors: FieldError[]): void {
  errors.push({ field, reason: 'FieldValueRequired', message: `Required value: ${why}` });
}

function forbidden(field: string, why: string, errors: FieldError[]): void {
  errors.push({ field, reason: 'FieldValueForbidden', message: `Forbidden: ${why}` });
}

function isString(value: unknown): boolean {
  return typeof value === 'string' && value !== '';
}
