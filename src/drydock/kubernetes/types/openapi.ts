import { readFileSync } from 'node:fs';
import type { JsonObject } from '#base/json.ts';
import { builtinSchema, gvkOfType } from './builtin-schema.ts';
import type { ListNode, ScalarNode, SchemaNode, StructField } from './schema-node.ts';

const prefixes: Record<string, string> = {
  meta: 'io.k8s.apimachinery.pkg.apis.meta.',
  apiextensions: 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.',
};
const quantity = 'io.k8s.apimachinery.pkg.api.resource.Quantity';
const intOrString = 'io.k8s.apimachinery.pkg.util.intstr.IntOrString';
const time = 'io.k8s.apimachinery.pkg.apis.meta.v1.Time';
const microTime = 'io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime';

/** Scalars that are components of their own. */
const scalarComponents: Record<string, JsonObject> = {
  [quantity]: {
    description: 'A fixed-point number with an optional suffix, such as 500m, 2 or 1Gi.',
    oneOf: [{ type: 'string' }, { type: 'number' }],
  },
  [intOrString]: {
    description: 'A number or a string.',
    format: 'int-or-string',
    oneOf: [{ type: 'integer' }, { type: 'string' }],
  },
  [time]: { description: 'A time as RFC 3339, to the second.', format: 'date-time', type: 'string' },
  [microTime]: { description: 'A time as RFC 3339, to the microsecond.', format: 'date-time', type: 'string' },
};

const everywhere = ['meta/v1.Status', 'meta/v1.DeleteOptions'];
const textOfKind = 'The REST resource this object represents, in CamelCase.';
const textOfVersion = 'The versioned schema of this representation of an object.';

const built = new Map<string, JsonObject>();
let docs: Record<string, string[]> | undefined;

/** `components.schemas` of a built-in group-version: its kinds and all they refer to. Built once; do not change it. */
export function openApiSchemas(group: string, version: string): JsonObject {
  const key = `${group}/${version}`;
  let schemas = built.get(key);
  if (schemas === undefined) {
    schemas = collect([...builtinSchema().kinds(group, version), ...everywhere]);
    built.set(key, schemas);
  }
  return schemas;
}

/** `apps/v1.Deployment` to `io.k8s.api.apps.v1.Deployment`. */
export function openApiName(type: string): string {
  const [pkg = '', rest = ''] = type.split('/');
  return `${prefixes[pkg] ?? `io.k8s.api.${pkg}.`}${rest}`;
}

function collect(types: string[]): JsonObject {
  const pending = [...types];
  const out: JsonObject = {};
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    const key = openApiName(name);
    if (out[key] !== undefined) continue;
    out[key] = structSchema(name, (type) => pending.push(type), out);
  }
  return Object.fromEntries(Object.entries(out).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function descriptions(type: string): string[] {
  if (docs === undefined) {
    const read: Record<string, string[]> = JSON.parse(
      readFileSync(new URL('./data/descriptions.generated.json', import.meta.url), 'utf8'),
    );
    docs = read;
  }
  return docs[type] ?? [];
}

function structSchema(name: string, refer: (type: string) => void, out: JsonObject): JsonObject {
  const { fields } = builtinSchema().struct(name);
  const [text = '', ...texts] = descriptions(name);
  const own = fields.slice(fields.length - texts.length);
  const isKind = own.length < fields.length;
  const properties: JsonObject = isKind
    ? {
        apiVersion: { description: textOfVersion, type: 'string' },
        kind: { description: textOfKind, type: 'string' },
      }
    : {};
  for (const [index, field] of own.entries()) {
    properties[field.name] = fieldSchema(field, texts[index] ?? '', { refer, out });
  }
  const required = own.filter((field) => field.required).map((field) => field.name);
  return {
    ...(text === '' ? {} : { description: text }),
    type: 'object',
    ...(required.length === 0 ? {} : { required }),
    properties,
    ...(isKind ? { 'x-kubernetes-group-version-kind': [gvkFor(name)] } : {}),
  };
}

/** Options and Status are served without a group. */
function gvkFor(name: string): JsonObject {
  const gvk = gvkOfType(name);
  return name.startsWith('meta/') ? { ...gvk, group: '' } : { ...gvk };
}

interface Build {
  refer: (type: string) => void;
  out: JsonObject;
}

function fieldSchema(field: StructField, description: string, build: Build): JsonObject {
  const schema = nodeSchema(field.node, build);
  const wrapped: JsonObject = schema['$ref'] === undefined ? schema : { allOf: [schema] };
  if (description !== '') wrapped['description'] = description;
  if (field.default !== undefined) wrapped['default'] = field.default;
  if (field.patchStrategies.length > 0) wrapped['x-kubernetes-patch-strategy'] = field.patchStrategies.join(',');
  if (field.patchMergeKey !== undefined) wrapped['x-kubernetes-patch-merge-key'] = field.patchMergeKey;
  return wrapped;
}

function nodeSchema(node: SchemaNode, build: Build): JsonObject {
  switch (node.kind) {
    case 'struct':
      build.refer(node.type.name);
      return node.atomic
        ? { allOf: [reference(node.type.name)], 'x-kubernetes-map-type': 'atomic' }
        : reference(node.type.name);
    case 'list':
      return listSchema(node, build);
    case 'map': {
      const atomic = node.atomic ? { 'x-kubernetes-map-type': 'atomic' } : {};
      return { type: 'object', additionalProperties: nodeSchema(node.element, build), ...atomic };
    }
    case 'any':
      // Not empty: kubectl explain takes an empty schema for none.
      return node.deduced ? { type: 'object' } : { description: 'Any JSON value.' };
    default:
      return scalarSchema(node, build);
  }
}

function listSchema(node: ListNode, build: Build): JsonObject {
  const schema: JsonObject = { type: 'array', items: nodeSchema(node.element, build) };
  schema['x-kubernetes-list-type'] = node.listType;
  if (node.listType === 'map') schema['x-kubernetes-list-map-keys'] = [...node.keys];
  return schema;
}

function scalarSchema(node: ScalarNode, build: Build): JsonObject {
  switch (node.scalar) {
    case 'bool':
      return { type: 'boolean' };
    case 'int32':
    case 'int64':
      return { type: 'integer', format: node.scalar };
    case 'float64':
      return { type: 'number', format: 'double' };
    case 'bytes':
      return { type: 'string', format: 'byte' };
    case 'Quantity':
      return component(quantity, build);
    case 'IntOrString':
      return component(intOrString, build);
    case 'Time':
      return component(time, build);
    case 'MicroTime':
      return component(microTime, build);
    default:
      return node.enum.length === 0 ? { type: 'string' } : { type: 'string', enum: [...node.enum] };
  }
}

function component(name: string, { out }: Build): JsonObject {
  out[name] ??= scalarComponents[name];
  return { $ref: `#/components/schemas/${name}` };
}

function reference(type: string): JsonObject {
  return { $ref: `#/components/schemas/${openApiName(type)}` };
}
