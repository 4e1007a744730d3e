import type { JsonObject } from '#base/json.ts';
import { isObject } from '#base/json.ts';
import type { FieldError } from '../../api/port.ts';
import { invalid, required } from '../validate/finding.ts';
import { validateLabels } from '../validate/metadata.ts';
import { nameErrors } from '../validate/names.ts';
import { isEmbedded } from './rule-type.ts';

/** Embedded objects need a version and a kind, and metadata that could be an object's. */
export function checkEmbedded(schema: JsonObject, value: unknown, path = ''): FieldError[] {
  if (Array.isArray(value)) {
    const { items } = schema;
    return isObject(items) ? value.flatMap((item, index) => checkEmbedded(items, item, `${path}[${index}]`)) : [];
  }
  if (!isObject(value)) return [];
  const errors = isEmbedded(schema) ? checkObject(value, path) : [];
  const properties = isObject(schema['properties']) ? schema['properties'] : {};
  const others = schema['additionalProperties'];
  for (const [name, item] of Object.entries(value)) {
    const own = properties[name];
    if (isObject(own)) errors.push(...checkEmbedded(own, item, path === '' ? name : `${path}.${name}`));
    else if (isObject(others)) errors.push(...checkEmbedded(others, item, `${path}[${name}]`));
  }
  return errors;
}

function checkObject(value: JsonObject, path: string): FieldError[] {
  const errors: FieldError[] = [];
  for (const name of ['apiVersion', 'kind'])
    if (value[name] === undefined) errors.push(required(`${path}.${name}`, 'must not be empty'));
  const { apiVersion, kind, metadata } = value;
  if (apiVersion !== undefined) errors.push(...checkText(`${path}.apiVersion`, apiVersion));
  if (typeof apiVersion === 'string' && apiVersion.split('/').length > 2)
    errors.push(invalid(`${path}.apiVersion`, apiVersion, `unexpected GroupVersion string: ${apiVersion}`));
  if (kind !== undefined) errors.push(...checkText(`${path}.kind`, kind));
  if (typeof kind === 'string' && kind !== '') {
    const why = nameErrors(kind.toLowerCase(), 'label1035');
    if (why.length > 0) {
      const text = `may have mixed case, but should otherwise match: ${why.join(',')}`;
      errors.push(invalid(`${path}.kind`, kind, text));
    }
  }
  if (isObject(metadata)) errors.push(...checkMetadata(metadata, `${path}.metadata`));
  return errors;
}

function checkText(field: string, value: unknown): FieldError[] {
  if (typeof value !== 'string') return [invalid(field, value, 'must be a string')];
  return value === '' ? [invalid(field, value, 'must not be empty')] : [];
}

function checkMetadata(metadata: JsonObject, path: string): FieldError[] {
  const { name, namespace, labels } = metadata;
  const errors: FieldError[] = [];
  if (typeof name === 'string' && name !== '')
    for (const why of nameErrors(name, 'path')) errors.push(invalid(`${path}.name`, name, why));
  if (typeof namespace === 'string' && namespace !== '')
    for (const why of nameErrors(namespace, 'label')) errors.push(invalid(`${path}.namespace`, namespace, why));
  errors.push(...validateLabels(labels, `${path}.labels`));
  return errors;
}
