import type { JsonObject } from '#base/json.ts';
import { getArray, getString, isObject } from '#base/json.ts';
import type { FieldError } from '../../api/port.ts';
import { schemaAt } from '../custom/rule-path.ts';
import { child, children } from '../defaults/fill.ts';
import { duplicate, invalid, required } from './finding.ts';

const columnTypes = ['boolean', 'date', 'integer', 'number', 'string'];
const columnFormats = ['byte', 'date', 'date-time', 'double', 'float', 'int32', 'int64', 'password'];
const mostSelectable = 8;

/** Members of a schema's root that the real server names by their Go names; `status` allows no others. */
const rootMembers: [string, string][] = [
  ['Description', 'description'],
  ['Type', 'type'],
  ['Format', 'format'],
  ['Title', 'title'],
  ['Maximum', 'maximum'],
  ['ExclusiveMaximum', 'exclusiveMaximum'],
  ['Minimum', 'minimum'],
  ['ExclusiveMinimum', 'exclusiveMinimum'],
  ['MaxLength', 'maxLength'],
  ['MinLength', 'minLength'],
  ['Pattern', 'pattern'],
  ['MaxItems', 'maxItems'],
  ['MinItems', 'minItems'],
  ['UniqueItems', 'uniqueItems'],
  ['MultipleOf', 'multipleOf'],
  ['Required', 'required'],
  ['Items', 'items'],
  ['Properties', 'properties'],
  ['ExternalDocs', 'externalDocs'],
  ['Example', 'example'],
  ['XPreserveUnknownFields', 'x-kubernetes-preserve-unknown-fields'],
  ['XValidations', 'x-kubernetes-validations'],
];

/** With a status subresource the root may say little, since its two halves are written apart. */
export function checkRootMembers(version: JsonObject, schema: JsonObject, path: string): FieldError[] {
  if (child(child(version, 'subresources'), 'status') === undefined) return [];
  const ending = 'at the root of the schema if the status subresource is enabled';
  if (typeof schema['type'] === 'string' && schema['type'] !== 'object')
    return [invalid(`${path}.type`, schema['type'], `only "object" is allowed as the type ${ending}`)];
  const allowed = new Set(rootMembers.map(([, name]) => name));
  const isSet = (value: unknown): boolean => value !== undefined && value !== false && value !== '';
  if (Object.entries(schema).every(([name, value]) => allowed.has(name) || !isSet(value))) return [];
  const list = rootMembers.map(([name]) => name).join(' ');
  return [invalid(path, schema, `only [${list}] fields are allowed ${ending}`)];
}

export function checkDeprecation(version: JsonObject, path: string): FieldError[] {
  const { deprecated, deprecationWarning: warning } = version;
  if (typeof warning !== 'string') return [];
  const wrong = (why: string): FieldError => invalid(`${path}.deprecationWarning`, warning, why);
  if (deprecated !== true) return [wrong('can only be set for deprecated versions')];
  const errors: FieldError[] = [];
  if (Buffer.byteLength(warning) > 256) errors.push(wrong('must be <= 256 characters long'));
  if (warning === '') errors.push(wrong('must not be an empty string'));
  const at = /[^\P{C}]|[^\S ]/u.exec(warning)?.index;
  if (at !== undefined) {
    const index = Buffer.byteLength(warning.slice(0, at));
    const why = 'must only contain printable UTF-8 characters; non-printable character found at index';
    errors.push(wrong(`${why} ${index}`));
  }
  return errors;
}

export function checkSubresources(version: JsonObject, path: string): FieldError[] {
  const scale = child(child(version, 'subresources'), 'scale');
  if (scale === undefined) return [];
  const errors: FieldError[] = [];
  for (const [name, start] of [
    ['specReplicasPath', '.spec'],
    ['statusReplicasPath', '.status'],
  ] as const) {
    const at = `${path}.scale.${name}`;
    const value = getString(scale, name) ?? '';
    if (value === '') errors.push(required(at));
    else if (!value.startsWith('.')) errors.push(invalid(at, value, 'must be a simple json path starting with .'));
    else if (!value.startsWith(`${start}.`)) errors.push(invalid(at, value, `should be a json path under ${start}`));
  }
  const selector = getString(scale, 'labelSelectorPath') ?? '';
  const at = `${path}.scale.labelSelectorPath`;
  if (selector !== '' && !selector.startsWith('.'))
    errors.push(invalid(at, selector, 'must be a simple json path starting with .'));
  else if (selector !== '' && !/^\.(?:spec|status)\./.test(selector))
    errors.push(invalid(at, selector, 'should be a json path under either .spec or .status'));
  return errors;
}

export function checkColumns(version: JsonObject, path: string): FieldError[] {
  const errors: FieldError[] = [];
  for (const [index, column] of children(version, 'additionalPrinterColumns').entries()) {
    const at = `${path}[${index}]`;
    const read = (name: string): string => getString(column, name) ?? '';
    if (read('name') === '') errors.push(required(`${at}.name`));
    const types = `must be one of ${columnTypes.join(',')}`;
    if (read('type') === '') errors.push(required(`${at}.type`, types));
    else if (!columnTypes.includes(read('type'))) errors.push(invalid(`${at}.type`, read('type'), types));
    if (read('format') !== '' && !columnFormats.includes(read('format')))
      errors.push(invalid(`${at}.format`, read('format'), `must be one of ${columnFormats.join(',')}`));
    const jsonPath = read('jsonPath');
    if (jsonPath === '') errors.push(required(`${at}.JSONPath`));
    else if (!jsonPath.startsWith('.'))
      errors.push(invalid(`${at}.JSONPath`, jsonPath, 'must be a simple json path starting with .'));
  }
  return errors;
}

const selectableTypes: unknown[] = ['string', 'boolean', 'integer'];

export function checkSelectableFields(version: JsonObject, path: string): FieldError[] {
  const fields = getArray(version, 'selectableFields').filter(isObject);
  if (fields.length === 0) return [];
  const schema = child(child(version, 'schema'), 'openAPIV3Schema');
  if (schema === undefined)
    return [invalid(path, '', 'selectableFields may only be set when validations.schema is included')];
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  for (const [index, field] of fields.entries()) {
    const at = `${path}[${index}].jsonPath`;
    const jsonPath = getString(field, 'jsonPath') ?? '';
    if (jsonPath === '') {
      errors.push(required(at));
      continue;
    }
    const found = schemaAt(schema, jsonPath, { brackets: false });
    if (typeof found === 'string') {
      errors.push(invalid(at, jsonPath, `is an invalid path: ${found}`));
      continue;
    }
    if (jsonPath.startsWith('.metadata.') || jsonPath === '.metadata')
      errors.push(invalid(at, jsonPath, 'must not point to fields in metadata'));
    if (!selectableTypes.includes(found['type'])) {
      const why =
        'must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.';
      errors.push(invalid(at, jsonPath, why));
    }
    if (seen.has(jsonPath)) errors.push(duplicate(at, jsonPath));
    seen.add(jsonPath);
  }
  if (seen.size > mostSelectable)
    errors.push({
      field: path,
      reason: 'FieldValueTooMany',
      message: `Too many: ${seen.size}: must have at most ${mostSelectable} items`,
    });
  return errors;
}
