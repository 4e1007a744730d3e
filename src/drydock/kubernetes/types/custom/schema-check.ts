import type { JsonObject } from '#base/json.ts';
import { isObject } from '#base/json.ts';
import type { FieldError } from '../../api/port.ts';
import { forbidden, invalid, invalidGo, notSupported, required } from '../validate/finding.ts';
import { goText } from './go-text.ts';
import { entriesOf } from './structural.ts';

const types = ['array', 'boolean', 'integer', 'number', 'object', 'string'];
const objectMembers = ['metadata', 'kind', 'apiVersion'];

interface Site {
  path: string;
  isRoot: boolean;
  /** Why defaults are not allowed here. */
  noDefaults: string | undefined;
  insideMetadata: boolean;
}

/** What JSON Schema has and custom resources do not, and list and map types that contradict themselves. */
export function checkSchema(schema: JsonObject, path: string): FieldError[] {
  return checkNode(schema, { path, isRoot: true, noDefaults: undefined, insideMetadata: false });
}

function checkNode(schema: JsonObject, site: Site): FieldError[] {
  const { path } = site;
  const errors = checkMembers(schema, site);
  const { properties, additionalProperties, items } = schema;
  const below = { ...site, isRoot: false };
  if (additionalProperties !== undefined) {
    const limits = additionalProperties === false || isObject(additionalProperties);
    if (isObject(properties) && Object.keys(properties).length > 0 && limits)
      errors.push(
        forbidden(`${path}.additionalProperties`, 'additionalProperties and properties are mutual exclusive'),
      );
    const noDefaults = site.insideMetadata
      ? 'inside additionalProperties applying to object metadata'
      : site.noDefaults;
    if (isObject(additionalProperties))
      errors.push(...checkNode(additionalProperties, { ...below, path: `${path}.additionalProperties`, noDefaults }));
  }
  const isObjectLike = site.isRoot || schema['x-kubernetes-embedded-resource'] === true;
  for (const [name, property] of entriesOf(properties)) {
    const isOwn = isObjectLike && objectMembers.includes(name);
    errors.push(
      ...checkNode(property, {
        path: `${path}.properties[${name}]`,
        isRoot: false,
        noDefaults: isOwn && site.isRoot ? `in top-level ${name}` : site.noDefaults,
        insideMetadata: site.insideMetadata || isOwn,
      }),
    );
  }
  if (isObject(schema['not'])) errors.push(...checkNode(schema['not'], { ...below, path: `${path}.not` }));
  for (const name of ['allOf', 'oneOf', 'anyOf']) {
    const parts = schema[name];
    for (const [index, each] of (Array.isArray(parts) ? parts.filter(isObject) : []).entries())
      errors.push(...checkNode(each, { ...below, path: `${path}.${name}[${index}]` }));
  }
  if (isObject(items)) errors.push(...checkNode(items, { ...below, path: `${path}.items` }));
  return [...errors, ...checkListAndMapTypes(schema, path)];
}

const unsupported: [string, string][] = [
  ['id', 'id is not supported'],
  ['additionalItems', 'additionalItems is not supported'],
  ['patternProperties', 'patternProperties is not supported'],
  ['definitions', 'definitions is not supported'],
  ['dependencies', 'dependencies is not supported'],
  ['$ref', '$ref is not supported'],
];

function checkMembers(schema: JsonObject, { path, noDefaults, insideMetadata }: Site): FieldError[] {
  const { type, items } = schema;
  const errors: FieldError[] = [];
  if (typeof type === 'string' && type !== '' && !types.includes(type))
    errors.push(notSupported(`${path}.type`, type, types));
  if (schema['default'] !== undefined && noDefaults !== undefined)
    errors.push(forbidden(`${path}.default`, `must not be set ${noDefaults}`));
  for (const [name, why] of unsupported)
    if (schema[name] !== undefined && schema[name] !== '') errors.push(forbidden(`${path}.${name}`, why));
  if (type === 'null')
    errors.push(forbidden(`${path}.type`, 'type cannot be set to null, use nullable as an alternative'));
  if (Array.isArray(items) && items.length > 0)
    errors.push(forbidden(`${path}.items`, 'items must be a schema object and not an array'));
  if (insideMetadata && schema['x-kubernetes-embedded-resource'] === true)
    errors.push(forbidden(`${path}.x-kubernetes-embedded-resource`, 'must not be used inside of resource meta'));
  if (schema['uniqueItems'] === true) {
    const why = 'uniqueItems cannot be set to true since the runtime complexity becomes quadratic';
    errors.push(forbidden(`${path}.uniqueItems`, why));
  }
  return errors;
}

function checkListAndMapTypes(schema: JsonObject, path: string): FieldError[] {
  const mapType = schema['x-kubernetes-map-type'];
  const errors: FieldError[] = [];
  if (schema['x-kubernetes-preserve-unknown-fields'] === false)
    errors.push(invalid(`${path}.x-kubernetes-preserve-unknown-fields`, false, 'must be true or undefined'));
  if (mapType !== undefined) errors.push(...mustBeOfType(schema, 'object', { path, name: 'x-kubernetes-map-type' }));
  if (mapType !== undefined && mapType !== 'atomic' && mapType !== 'granular')
    errors.push(notSupported(`${path}.x-kubernetes-map-type`, mapType, ['atomic', 'granular']));
  return [
    ...errors,
    ...checkListType(schema, path),
    ...checkMapKeys(schema, path),
    ...checkKeyProperties(schema, path),
  ];
}

function mustBeOfType(schema: JsonObject, type: string, { path, name }: { path: string; name: string }): FieldError[] {
  const own = schema['type'];
  if (own === type) return [];
  const why = `must be ${type} if ${name} is specified`;
  return [own === undefined || own === '' ? required(`${path}.type`, why) : invalid(`${path}.type`, own, why)];
}

function checkListType(schema: JsonObject, path: string): FieldError[] {
  const listType = schema['x-kubernetes-list-type'];
  if (listType === undefined) return [];
  const errors = mustBeOfType(schema, 'array', { path, name: 'x-kubernetes-list-type' });
  const { items } = schema;
  if (errors.length === 0 && listType === 'set' && isObject(items)) {
    const why = 'must be atomic as item of a list with x-kubernetes-list-type=set';
    const itemType = items['x-kubernetes-list-type'];
    if (items['type'] === 'array' && itemType !== undefined && itemType !== 'atomic')
      errors.push(invalid(`${path}.items.x-kubernetes-list-type`, itemType, why));
    if (items['type'] === 'object' && items['x-kubernetes-map-type'] !== 'atomic')
      errors.push(invalidGo(`${path}.items.x-kubernetes-map-type`, '"null"', why));
  }
  if (!['atomic', 'set', 'map'].includes(String(listType)))
    errors.push(notSupported(`${path}.x-kubernetes-list-type`, listType, ['atomic', 'set', 'map']));
  return errors;
}

function mapKeysOf(schema: JsonObject): string[] {
  const keys = schema['x-kubernetes-list-map-keys'];
  return Array.isArray(keys) ? keys.map(String) : [];
}

function checkMapKeys(schema: JsonObject, path: string): FieldError[] {
  const listType = schema['x-kubernetes-list-type'];
  const keys = mapKeysOf(schema);
  const { items } = schema;
  const errors: FieldError[] = [];
  const whyMap = 'must be map if x-kubernetes-list-map-keys is non-empty';
  if (keys.length > 0 && listType === undefined) errors.push(required(`${path}.x-kubernetes-list-type`, whyMap));
  else if (keys.length > 0 && listType !== 'map')
    errors.push(invalid(`${path}.x-kubernetes-list-type`, listType, whyMap));
  if (listType !== 'map') return errors;
  if (keys.length === 0) {
    const why = 'must not be empty if x-kubernetes-list-type is map';
    errors.push(required(`${path}.x-kubernetes-list-map-keys`, why));
  }
  if (items === undefined)
    errors.push(required(`${path}.items`, 'must have a schema if x-kubernetes-list-type is map'));
  if (!isObject(items)) return errors;
  if (items['type'] !== 'object') {
    const why = "must be object if parent array's x-kubernetes-list-type is map";
    return [...errors, invalid(`${path}.items.type`, items['type'] ?? '', why)];
  }
  const properties = isObject(items['properties']) ? items['properties'] : {};
  const wrongKeys = (why: string): FieldError =>
    invalidGo(`${path}.x-kubernetes-list-map-keys`, `[]string{${keys.map(goText).join(', ')}}`, why);
  for (const [index, key] of keys.entries()) {
    const property = properties[key];
    if (!isObject(property)) errors.push(wrongKeys('entries must all be names of item properties'));
    else if (property['type'] === 'array' || property['type'] === 'object') {
      const why = "must be a scalar type if parent array's x-kubernetes-list-type is map";
      errors.push(invalid(`${path}.items.properties[${key}].type`, items['type'], why));
    }
    if (keys.indexOf(key) < index) errors.push(wrongKeys('must not contain duplicate entries'));
  }
  return errors;
}

/** Items are told apart by their keys, so that these are always there. */
function checkKeyProperties(schema: JsonObject, path: string): FieldError[] {
  const listType = schema['x-kubernetes-list-type'];
  const { items } = schema;
  if ((listType !== 'set' && listType !== 'map') || !isObject(items)) return [];
  const errors: FieldError[] = [];
  if (items['nullable'] === true)
    errors.push(forbidden(`${path}.items.nullable`, `cannot be nullable when x-kubernetes-list-type is ${listType}`));
  if (listType === 'set') return errors;
  const needed: unknown[] = Array.isArray(items['required']) ? items['required'] : [];
  const properties = isObject(items['properties']) ? items['properties'] : {};
  const isKey = 'this property is in x-kubernetes-list-map-keys, so it';
  for (const key of mapKeysOf(schema)) {
    const property = properties[key];
    if (!isObject(property)) continue;
    const at = `${path}.items.properties[${key}]`;
    if (!needed.includes(key) && property['default'] === undefined)
      errors.push(required(`${at}.default`, `${isKey} must have a default or be a required property`));
    if (property['nullable'] === true) errors.push(forbidden(`${at}.nullable`, `${isKey} cannot be nullable`));
  }
  return errors;
}
