import type { JsonObject } from '#base/json.ts';
import { isObject } from '#base/json.ts';
import type { ApiObject, CustomResourceVersion, FieldError, Gvk, KindType } from '../../api/port.ts';
import { ApiError } from '../../api/port.ts';
import { builtinSchema } from '../builtin-schema.ts';
import { decodeStruct } from '../decode.ts';
import { goJsonKind } from '../go-format.ts';
import { registerSchema } from '../kind-schema.ts';
import { sameContent } from '../same-content.ts';
import { validateMetadata } from '../validate/metadata.ts';
import { applySchemaDefaults, dropWrongNulls } from './default.ts';
import { checkEmbedded } from './embedded.ts';
import { checkListTypes } from './list-type.ts';
import { pruneUnknown } from './prune.ts';
import { checkRules, type RuleTree, ruleTree } from './rule-run.ts';
import { checkScale } from './scale.ts';
import { customNode } from './schema-node.ts';
import { validateValue } from './validate.ts';

/** One version of a custom resource, whose schema its definition was accepted with. */
export function customKind(version: CustomResourceVersion): KindType {
  const { gvk, preserveUnknownFields } = version;
  const schema = preserveUnknownFields ? undefined : version.openAPIV3Schema;
  const node = customNode(schema, preserveUnknownFields);
  const root: JsonObject = schema ?? {};
  const shape = shapeOf(root, version.scale);
  const kind: KindType = {
    gvk,
    decode(raw) {
      const decoded = decodeCustom(gvk, node, raw);
      dropWrongNulls(withoutMetadata(root), decoded.object);
      return decoded;
    },
    applyDefaults: (object) => applySchemaDefaults(withoutMetadata(root), object),
    validateCreate: (object) => validateCustom(shape, object, undefined),
    validateUpdate: (object, old) => validateCustom(shape, object, old),
    strategicMerge: undefined,
    sameContent,
  };
  registerSchema(kind, {
    node,
    hasStatus: version.statusSubresource === true,
    custom: true,
    fromMerged: (raw) => decodeCustom(gvk, node, raw).object,
    empty: () => ({ apiVersion: apiVersionOf(gvk), kind: gvk.kind, metadata: { name: '' } }),
  });
  return kind;
}

function decodeCustom(
  gvk: Gvk,
  node: ReturnType<typeof customNode>,
  raw: JsonObject,
): { object: ApiObject; unknownFields: string[] } {
  const { metadata, apiVersion: _apiVersion, kind: _kind, ...rest } = raw;
  const found = { path: '', unknown: [] as string[] };
  const pruned = pruneUnknown(node, rest, found);
  if (metadata !== undefined && metadata !== null && !isObject(metadata)) {
    throw new ApiError(
      400,
      'BadRequest',
      `${gvk.kind} in version ${JSON.stringify(gvk.version)} cannot be handled as a ${gvk.kind}: json: cannot unmarshal ${goJsonKind(metadata)} into Go value of type v1.ObjectMeta`,
    );
  }
  const meta = decodeStruct(builtinSchema().struct('meta/v1.ObjectMeta'), isObject(metadata) ? metadata : {}, gvk);
  if (meta.object['creationTimestamp'] === null) delete meta.object['creationTimestamp'];
  const managers = isObject(metadata) ? metadata['managedFields'] : undefined;
  if (Array.isArray(managers) && managers.length === 0) meta.object['managedFields'] = [];
  const unknownFields = [...meta.unknownFields.map((name) => `metadata.${name}`), ...found.unknown.sort()];
  const object: ApiObject = {
    apiVersion: apiVersionOf(gvk),
    kind: gvk.kind,
    metadata: meta.object as ApiObject['metadata'],
    ...(isObject(pruned) ? pruned : {}),
  };
  return { object, unknownFields };
}

/** Errors after which rules are not run: they would fail on values of a wrong shape. */
const blocking = new Set<FieldError['reason']>([
  'FieldValueNotSupported',
  'FieldValueRequired',
  'FieldValueTooLong',
  'FieldValueTooMany',
  'FieldValueTypeInvalid',
]);
const notChecked: FieldError = {
  field: '<nil>',
  reason: 'FieldValueInvalid',
  message:
    'Invalid value: "null": some validation rules were not checked because the object was invalid; correct the existing errors to complete validation',
};

/** Schema first, then list types, then rules: each with what an update did not change tolerated. */
function validateCustom(shape: Shape, object: ApiObject, old: ApiObject | undefined): FieldError[] {
  const schema = withoutMetadata(shape.schema);
  const errors: FieldError[] = validateMetadata(object, old, 'subdomain');
  const { metadata: _metadata, apiVersion: _apiVersion, kind: _kind, ...value } = object;
  validateValue(schema, value, { path: '', old: old === undefined ? undefined : { ...old }, errors });
  if (shape.scale !== undefined) errors.push(...checkScale(shape.scale, object));
  errors.push(...checkEmbedded(schema, value));
  if (old === undefined || checkListTypes(schema, old).length === 0) errors.push(...checkListTypes(schema, value));
  const rules = shape.rules();
  if (rules === undefined) return errors;
  if (errors.some(({ reason }) => blocking.has(reason))) return [...errors, notChecked];
  return [...errors, ...checkRules(rules, object, old)];
}

interface Shape {
  schema: JsonObject;
  scale: CustomResourceVersion['scale'];
  /** Compiled at first use. */
  rules(): RuleTree | undefined;
}

function shapeOf(schema: JsonObject, scale: CustomResourceVersion['scale']): Shape {
  let known: { tree: RuleTree | undefined } | undefined;
  return {
    schema,
    scale,
    rules() {
      known ??= { tree: ruleTree(schema, true) };
      return known.tree;
    },
  };
}

const checked = new WeakMap<JsonObject, JsonObject>();

/** The root's metadata, kind and version are checked by rules of their own. */
function withoutMetadata(schema: JsonObject): JsonObject {
  let own = checked.get(schema);
  if (own === undefined) {
    const properties = isObject(schema['properties']) ? schema['properties'] : {};
    const { metadata: _metadata, apiVersion: _apiVersion, kind: _kind, ...rest } = properties;
    const required = Array.isArray(schema['required']) ? schema['required'] : [];
    const system = ['metadata', 'apiVersion', 'kind'];
    own = { ...schema, properties: rest, required: required.filter((name) => !system.includes(String(name))) };
    checked.set(schema, own);
  }
  return own;
}

function apiVersionOf(gvk: Gvk): string {
  return gvk.group === '' ? gvk.version : `${gvk.group}/${gvk.version}`;
}
