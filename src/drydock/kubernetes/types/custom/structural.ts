import type { JsonObject } from '#base/json.ts';
import { isObject, jsonEqual } from '#base/json.ts';
import type { FieldError } from '../../api/port.ts';
import { patternMistake } from '../cel/functions/pattern.ts';
import { forbidden, invalid, required } from '../validate/finding.ts';

type Level = 'root' | 'item' | 'field';

/** What a schema lacks to be structural: every value's type told once, outside of `allOf`, `anyOf`, `oneOf` and `not`. */
export function checkStructural(schema: JsonObject, path: string): FieldError[] {
  const errors = [...checkNode(schema, 'root', path), ...checkComplete(schema, schema, { at: path, from: path })];
  const text = ({ field, message }: FieldError): string => `${field}: ${message}`;
  return errors.sort((a, b) => (text(a) < text(b) ? -1 : text(a) > text(b) ? 1 : 0));
}

export function entriesOf(value: unknown): [string, JsonObject][] {
  if (!isObject(value)) return [];
  return Object.entries(value).filter((entry): entry is [string, JsonObject] => isObject(entry[1]));
}

function listOf(value: unknown): JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

function isTrue(schema: JsonObject, name: string): boolean {
  return schema[`x-kubernetes-${name}`] === true;
}

function typeOf(schema: JsonObject): string {
  return typeof schema['type'] === 'string' ? schema['type'] : '';
}

function checkNode(schema: JsonObject, level: Level, path: string): FieldError[] {
  const { items, properties, additionalProperties } = schema;
  const errors: FieldError[] = [];
  if (typeOf(schema) === 'array' && !isObject(items)) errors.push(required(`${path}.items`, 'must be specified'));
  if (isObject(items)) errors.push(...checkNode(items, 'item', `${path}.items`));
  for (const [name, property] of entriesOf(properties))
    errors.push(...checkNode(property, 'field', `${path}.properties[${name}]`));
  if (additionalProperties !== undefined && level === 'root')
    errors.push(forbidden(`${path}.additionalProperties`, 'must not be used at the root'));
  if (isObject(additionalProperties))
    errors.push(...checkNode(additionalProperties, 'field', `${path}.additionalProperties`));
  errors.push(...checkExtensions(schema, path));
  errors.push(...checkValueRules(schema, path, intOrStringPattern(schema)));
  errors.push(...checkType(schema, level, path));
  errors.push(...checkObjectMembers(schema, level, path));
  return errors;
}

function checkExtensions(schema: JsonObject, path: string): FieldError[] {
  if (!isTrue(schema, 'int-or-string')) return [];
  const why = 'must be false if x-kubernetes-int-or-string is true';
  return ['preserve-unknown-fields', 'embedded-resource']
    .filter((name) => isTrue(schema, name))
    .map((name) => invalid(`${path}.x-kubernetes-${name}`, true, why));
}

const emptyType: Record<Level, string> = {
  root: 'must not be empty at the root',
  item: 'must not be empty for specified array items',
  field: 'must not be empty for specified object fields',
};

function checkType(schema: JsonObject, level: Level, path: string): FieldError[] {
  const type = typeOf(schema);
  const embedded = isTrue(schema, 'embedded-resource');
  const errors: FieldError[] = [];
  const mustBeObject = 'must be object if x-kubernetes-embedded-resource is true';
  if (embedded && type !== 'object')
    errors.push(type === '' ? required(`${path}.type`, mustBeObject) : invalid(`${path}.type`, type, mustBeObject));
  else if (type === '' && !isTrue(schema, 'int-or-string') && !isTrue(schema, 'preserve-unknown-fields'))
    errors.push(required(`${path}.type`, emptyType[level]));
  if (embedded && schema['additionalProperties'] !== undefined) {
    const why = 'must not be used if x-kubernetes-embedded-resource is set';
    errors.push(forbidden(`${path}.additionalProperties`, why));
  }
  if (level === 'root' && type !== '' && type !== 'object')
    errors.push(invalid(`${path}.type`, type, 'must be object at the root'));
  return errors;
}

/** Members that all objects have: an embedded one's as well as the whole's. */
function checkObjectMembers(schema: JsonObject, level: Level, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const properties: JsonObject = isObject(schema['properties']) ? schema['properties'] : {};
  const embedded = isTrue(schema, 'embedded-resource');
  const isObjectLike = level === 'root' || embedded;
  for (const name of isObjectLike ? ['kind', 'apiVersion'] : []) {
    const own = properties[name];
    if (isObject(own) && own['type'] !== 'string')
      errors.push(invalid(`${path}.properties[${name}].type`, typeOf(own), 'must be string'));
  }
  const metadata = properties['metadata'];
  if (isObject(metadata)) {
    const at = `${path}.properties[metadata]`;
    if (isObjectLike && metadata['type'] !== 'object')
      errors.push(invalid(`${at}.type`, typeOf(metadata), 'must be object'));
    if (level === 'root' && saysMore(metadata)) {
      const why = 'must not specify anything other than name and generateName, but metadata is implicitly specified';
      errors.push(forbidden(at, why));
    }
  }
  if (embedded && !isTrue(schema, 'preserve-unknown-fields') && Object.keys(properties).length === 0) {
    const why =
      'must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields';
    errors.push(required(`${path}.properties`, why));
  }
  return errors;
}

/** The whole object's metadata may only say something about its names. */
function saysMore(metadata: JsonObject): boolean {
  const { type: _type, default: _default, properties, ...rest } = metadata;
  const names = Object.keys(isObject(properties) ? properties : {});
  return Object.keys(rest).length > 0 || names.some((name) => name !== 'name' && name !== 'generateName');
}

const intOrString = [{ type: 'integer' }, { type: 'string' }];

/** The one place where `anyOf` may tell types. */
function intOrStringPattern(schema: JsonObject): { any: boolean; all: boolean } {
  const [first] = listOf(schema['allOf']);
  return {
    any: jsonEqual(schema['anyOf'], intOrString),
    all: first !== undefined && jsonEqual(first['anyOf'], intOrString),
  };
}

function checkValueRules(
  schema: JsonObject,
  path: string,
  skip: { any: boolean; all: boolean },
  rulesAllowed = false,
): FieldError[] {
  const errors: FieldError[] = [];
  if (!skip.any)
    for (const [index, each] of listOf(schema['anyOf']).entries())
      errors.push(...checkNested(each, `${path}.anyOf[${index}]`));
  for (const [index, each] of listOf(schema['allOf']).entries())
    errors.push(...checkNested(each, `${path}.allOf[${index}]`, { any: skip.all && index === 0, rulesAllowed }));
  for (const [index, each] of listOf(schema['oneOf']).entries())
    errors.push(...checkNested(each, `${path}.oneOf[${index}]`));
  if (isObject(schema['not'])) errors.push(...checkNested(schema['not'], `${path}.not`));
  const { pattern } = schema;
  const mistake = typeof pattern === 'string' ? patternMistake(pattern) : undefined;
  if (mistake !== undefined)
    errors.push(invalid(`${path}.pattern`, pattern, `must be a valid regular expression, but isn't: ${mistake}`));
  return errors;
}

/** What may not stand inside of `allOf`, `anyOf`, `oneOf` and `not`, in the order it is looked for. */
const nestedMembers: [string, (value: unknown) => boolean, string][] = [
  ['type', (value) => typeof value === 'string' && value !== '', 'must be empty to be structural'],
  ['additionalProperties', (value) => value !== undefined, 'must be undefined to be structural'],
  ['default', (value) => value !== undefined, 'must be undefined to be structural'],
  ['title', (value) => typeof value === 'string' && value !== '', 'must be empty to be structural'],
  ['description', (value) => typeof value === 'string' && value !== '', 'must be empty to be structural'],
  ['nullable', (value) => value === true, 'must be false to be structural'],
  ['x-kubernetes-preserve-unknown-fields', (value) => value === true, 'must be false to be structural'],
  ['x-kubernetes-embedded-resource', (value) => value === true, 'must be false to be structural'],
  ['x-kubernetes-int-or-string', (value) => value === true, 'must be false to be structural'],
  ['x-kubernetes-list-map-keys', (value) => Array.isArray(value) && value.length > 0, 'must be empty to be structural'],
  ['x-kubernetes-list-type', (value) => value !== undefined, 'must be undefined to be structural'],
  ['x-kubernetes-map-type', (value) => value !== undefined, 'must be undefined to be structural'],
  ['x-kubernetes-validations', (value) => Array.isArray(value) && value.length > 0, 'must be empty to be structural'],
];

function checkNested(
  schema: JsonObject,
  path: string,
  { any = false, rulesAllowed = false }: { any?: boolean; rulesAllowed?: boolean } = {},
): FieldError[] {
  const errors = checkValueRules(schema, path, { any, all: false }, rulesAllowed);
  const { items, properties } = schema;
  if (isObject(items)) errors.push(...checkNested(items, `${path}.items`));
  for (const [name, property] of entriesOf(properties))
    errors.push(...checkNested(property, `${path}.properties[${name}]`));
  for (const [name, isSet, why] of nestedMembers)
    if (isSet(schema[name])) errors.push(forbidden(`${path}.${name}`, why));
  if (isObject(properties) && properties['metadata'] !== undefined)
    errors.push(forbidden(`${path}.properties[metadata]`, 'must not be specified in a nested context'));
  return errors;
}

interface Places {
  /** Where the type should be told. */
  at: string;
  /** Where the value is spoken of. */
  from: string;
}

/** What `allOf` and the like speak of must be told outside of them too. */
function checkComplete(rules: JsonObject, schema: JsonObject, { at, from }: Places): FieldError[] {
  const nested: [JsonObject, string][] = [];
  if (isObject(rules['not'])) nested.push([rules['not'], `${from}.not`]);
  for (const name of ['allOf', 'anyOf', 'oneOf'])
    for (const [index, each] of listOf(rules[name]).entries()) nested.push([each, `${from}.${name}[${index}]`]);
  return nested.flatMap(([each, path]) => checkNestedComplete(each, schema, { at, from: path }));
}

function checkNestedComplete(rules: JsonObject, schema: JsonObject | undefined, { at, from }: Places): FieldError[] {
  if (schema === undefined) return [required(at, `because it is defined in ${from}`)];
  const errors = checkComplete(rules, schema, { at, from });
  if (isObject(rules['items'])) {
    const items = isObject(schema['items']) ? schema['items'] : undefined;
    errors.push(...checkNestedComplete(rules['items'], items, { at: `${at}.items`, from: `${from}.items` }));
  }
  const properties = isObject(schema['properties']) ? schema['properties'] : {};
  for (const [name, property] of entriesOf(rules['properties'])) {
    const own = properties[name];
    const places = { at: `${at}.properties[${name}]`, from: `${from}.properties[${name}]` };
    errors.push(...checkNestedComplete(property, isObject(own) ? own : undefined, places));
  }
  return errors;
}
