import type { JsonObject } from '#base/json.ts';
import { isObject } from '#base/json.ts';
import { escapeName } from '../cel/escape.ts';
import { bool, bytes, type CelType, double, durationType, dyn, int, string, timestampType } from '../cel/type.ts';

/** The largest request; what a schema does not limit is limited by it. */
const requestBytes = 3 * 1024 * 1024;

const objectMeta: JsonObject = {
  type: 'object',
  properties: { name: { type: 'string' }, generateName: { type: 'string' } },
};

/** Whole objects have kind, version and, of their metadata, the names, whatever their schema says. */
export function withObjectMeta(schema: JsonObject): JsonObject {
  const properties = isObject(schema['properties']) ? schema['properties'] : {};
  const own = { kind: { type: 'string' }, apiVersion: { type: 'string' }, metadata: objectMeta };
  return { ...schema, properties: { ...properties, ...own } };
}

export function isEmbedded(schema: JsonObject): boolean {
  return schema['x-kubernetes-embedded-resource'] === true;
}

/** The type that rules see a value of a schema as; undefined for what they cannot see. */
export function ruleType(schema: JsonObject, isWholeObject: boolean, name = 'selfType'): CelType | undefined {
  if (schema['x-kubernetes-int-or-string'] === true) return { ...dyn, maxElements: requestBytes - 2, minSize: 1 };
  switch (schema['type']) {
    case 'array':
      return arrayType(schema, name);
    case 'object':
      return objectType(isWholeObject ? withObjectMeta(schema) : schema, name);
    case 'string':
      return stringType(schema);
    case 'boolean':
      return { ...bool, minSize: 4 };
    case 'number':
      return { ...double, minSize: 1 };
    case 'integer':
      return { ...int, minSize: 1 };
    default:
      return undefined;
  }
}

function limit(value: unknown, otherwise: number): number {
  return typeof value === 'number' ? Math.max(0, value) : otherwise;
}

function arrayType(schema: JsonObject, name: string): CelType | undefined {
  const { items, maxItems } = schema;
  const element = isObject(items) ? ruleType(items, isEmbedded(items), `${name}.@idx`) : undefined;
  if (element === undefined) return undefined;
  const most = Math.floor((requestBytes - 2) / ((element.minSize ?? 0) + 1));
  return { kind: 'list', name: 'list', params: [element], maxElements: limit(maxItems, most), minSize: 2 };
}

function objectType(schema: JsonObject, typeName: string): CelType | undefined {
  const { properties, additionalProperties, maxProperties } = schema;
  if (isObject(additionalProperties)) {
    const value = ruleType(additionalProperties, isEmbedded(additionalProperties), `${typeName}.@elem`);
    if (value === undefined) return undefined;
    const most = Math.floor((requestBytes - 2) / ((value.minSize ?? 0) + 6));
    const key = { ...string, maxElements: 0, minSize: 2 };
    return { kind: 'map', name: 'map', params: [key, value], maxElements: limit(maxProperties, most), minSize: 2 };
  }
  const required: unknown[] = Array.isArray(schema['required']) ? schema['required'] : [];
  const fields = new Map<string, CelType>();
  let minSize = 2;
  for (const [name, property] of Object.entries(isObject(properties) ? properties : {})) {
    const type = isObject(property)
      ? ruleType(property, isEmbedded(property), `${typeName}.${escapeName(name) ?? name}`)
      : undefined;
    if (type === undefined || !isObject(property)) continue;
    const escaped = escapeName(name);
    if (escaped !== undefined) fields.set(escaped, type);
    if (required.includes(name) && property['default'] === undefined)
      minSize += Buffer.byteLength(name) + (type.minSize ?? 0) + 4;
  }
  return { kind: 'object', name: typeName, params: [], fields, maxElements: 0, minSize };
}

function stringType(schema: JsonObject): CelType {
  const { maxLength, format } = schema;
  const values: unknown[] = Array.isArray(schema['enum']) ? schema['enum'] : [];
  switch (format) {
    case 'byte':
      return { ...bytes, maxElements: limit(maxLength, requestBytes - 2), minSize: 2 };
    case 'duration':
      return { ...durationType, maxElements: 32, minSize: 3 };
    case 'date':
      return { ...timestampType, maxElements: 12, minSize: 12 };
    case 'date-time':
      return { ...timestampType, maxElements: 32, minSize: 21 };
    default:
  }
  if (typeof maxLength === 'number') return { ...string, maxElements: Math.max(0, maxLength) * 4, minSize: 2 };
  const longest = values.reduce<number>(
    (most, value) => (typeof value === 'string' ? Math.max(most, Buffer.byteLength(value)) : most),
    0,
  );
  return { ...string, maxElements: values.length > 0 ? longest : requestBytes - 2, minSize: 2 };
}
