import type { JsonObject } from '#base/json.ts';
import { isObject } from '#base/json.ts';
import { builtinSchema } from '../builtin-schema.ts';
import type { AnyNode, ScalarType, SchemaNode, StructField, StructType } from '../schema-node.ts';

const open: AnyNode = { kind: 'any', deduced: true };

/** The schema of a custom resource's version for pruning and server-side apply; without one everything is kept. */
export function customNode(schema: JsonObject | undefined, preserveUnknown: boolean): SchemaNode {
  const root = schema === undefined || preserveUnknown ? open : schemaNode(schema);
  const own = root.kind === 'struct' ? root.type.fields : [];
  const kept = own.filter((field) => !['apiVersion', 'kind', 'metadata'].includes(field.name));
  const rest = root.kind === 'struct' ? root.type.rest : root.kind === 'any' ? open : undefined;
  return { kind: 'struct', type: struct([...objectFields(), ...kept], rest), atomic: false };
}

/** One schema below the root. */
export function schemaNode(schema: JsonObject): SchemaNode {
  if (schema['x-kubernetes-int-or-string'] === true) return scalar('IntOrString');
  const preserve = schema['x-kubernetes-preserve-unknown-fields'] === true;
  switch (schema['type']) {
    case 'object':
      return compileObject(schema, preserve);
    case 'array':
      return compileArray(schema);
    case 'string':
      return scalar('string');
    case 'integer':
      return scalar('int64');
    case 'number':
      return scalar('float64');
    case 'boolean':
      return scalar('bool');
    default:
      return open;
  }
}

function compileObject(schema: JsonObject, preserve: boolean): SchemaNode {
  const { properties, additionalProperties } = schema;
  const atomic = schema['x-kubernetes-map-type'] === 'atomic';
  if (isObject(additionalProperties)) {
    return { kind: 'map', element: schemaNode(additionalProperties), goType: 'map[string]interface {}', atomic };
  }
  if (additionalProperties === true) {
    return { kind: 'map', element: open, goType: 'map[string]interface {}', atomic };
  }
  const fields = Object.entries(isObject(properties) ? properties : {}).map(([name, property]) =>
    field(name, isObject(property) ? property : {}),
  );
  if (fields.length === 0 && preserve) return atomic ? { kind: 'any', deduced: false } : open;
  const embedded = schema['x-kubernetes-embedded-resource'] === true;
  const all = embedded ? [...objectFields(), ...fields.filter((each) => each.name !== 'metadata')] : fields;
  return { kind: 'struct', type: struct(all, preserve ? open : undefined), atomic };
}

function compileArray(schema: JsonObject): SchemaNode {
  const { items } = schema;
  const listType = schema['x-kubernetes-list-type'];
  const keys = schema['x-kubernetes-list-map-keys'];
  return {
    kind: 'list',
    element: isObject(items) ? schemaNode(items) : open,
    goType: '[]interface {}',
    listType: listType === 'map' || listType === 'set' ? listType : 'atomic',
    keys: Array.isArray(keys) ? keys.filter((key) => typeof key === 'string') : [],
  };
}

function field(name: string, schema: JsonObject): StructField {
  return {
    name,
    node: schemaNode(schema),
    pointer: true,
    omitEmpty: true,
    required: false,
    patchStrategies: [],
    patchMergeKey: undefined,
    default: schema['default'],
  };
}

function objectFields(): StructField[] {
  const metadata: SchemaNode = { kind: 'struct', type: builtinSchema().struct('meta/v1.ObjectMeta'), atomic: false };
  return [
    field('apiVersion', { type: 'string' }),
    field('kind', { type: 'string' }),
    { ...field('metadata', {}), node: metadata },
  ];
}

function struct(fields: StructField[], rest: SchemaNode | undefined): StructType {
  return { name: '', goName: '', fields, byName: new Map(fields.map((each) => [each.name, each])), rest };
}

function scalar(type: ScalarType): SchemaNode {
  return { kind: 'scalar', scalar: type, goType: type, enum: [] };
}
