import type { JsonObject } from '#base/json.ts';
import { isObject } from '#base/json.ts';
import type { ApiObject, CustomResourceVersion, FieldError, Gvk, KindType } from '../../api/port.ts';
import { ApiError } from '../../api/port.ts';
import { builtinSchema } from '../builtin-schema.ts';
import { decodeStruct } from '../decode.ts';
import { registerSchema } from '../kind-schema.ts';
import { sameContent } from '../same-content.ts';
import { validateMetadata } from '../validate/metadata.ts';
import { applySchemaDefaults } from './default.ts';
import { pruneUnknown } from './prune.ts';
import { customNode } from './schema-node.ts';
import { checkStructural } from './structural.ts';
import { validateValue } from './validate.ts';

/** One version of a custom resource. Throws ApiError 422 when its schema is not structural or needs what is not supported. */
export function customKind(version: CustomResourceVersion): KindType {
  const { gvk, preserveUnknownFields } = version;
  const schema = preserveUnknownFields ? undefined : version.openAPIV3Schema;
  refuseSchema(gvk, schema);
  const node = customNode(schema, preserveUnknownFields);
  const root: JsonObject = schema ?? {};
  const kind: KindType = {
    gvk,
    decode: (raw) => decodeCustom(gvk, node, raw),
    applyDefaults: (object) => applySchemaDefaults(withoutMetadata(root), object),
    validateCreate: (object) => validateCustom(root, object, undefined),
    validateUpdate: (object, old) => validateCustom(root, object, old),
    strategicMerge: undefined,
    sameContent,
  };
  registerSchema(kind, {
    node,
    hasStatus: version.statusSubresource === true,
    custom: true,
    empty: () => ({ apiVersion: apiVersionOf(gvk), kind: gvk.kind, metadata: { name: '' } }),
  });
  return kind;
}

function refuseSchema(gvk: Gvk, schema: JsonObject | undefined): void {
  if (schema === undefined) return;
  const errors = checkStructural(schema, 'spec.validation.openAPIV3Schema');
  if (errors.length === 0) return;
  const list = errors.map(({ field, message }) => `${field}: ${message}`).join(', ');
  const causes = errors.map(({ field, reason, message }) => ({ reason, message, field }));
  const what = `CustomResourceDefinition.apiextensions.k8s.io of ${gvk.kind}.${gvk.group}`;
  throw new ApiError(422, 'Invalid', `${what} is invalid: ${errors.length === 1 ? list : `[${list}]`}`, {
    group: 'apiextensions.k8s.io',
    kind: 'CustomResourceDefinition',
    causes,
  });
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
      `${gvk.kind} in version ${JSON.stringify(gvk.version)} cannot be handled as a ${gvk.kind}: metadata must be an object`,
    );
  }
  const meta = decodeStruct(builtinSchema().struct('meta/v1.ObjectMeta'), isObject(metadata) ? metadata : {}, gvk);
  if (meta.object['creationTimestamp'] === null) delete meta.object['creationTimestamp'];
  const managers = isObject(metadata) ? metadata['managedFields'] : undefined;
  if (Array.isArray(managers) && managers.length === 0) meta.object['managedFields'] = [];
  const unknownFields = [...meta.unknownFields.map((name) => `metadata.${name}`), ...found.unknown];
  const object: ApiObject = {
    apiVersion: apiVersionOf(gvk),
    kind: gvk.kind,
    metadata: meta.object as ApiObject['metadata'],
    ...(isObject(pruned) ? pruned : {}),
  };
  return { object, unknownFields };
}

function validateCustom(schema: JsonObject, object: ApiObject, old: ApiObject | undefined): FieldError[] {
  const errors: FieldError[] = validateMetadata(object, old, 'subdomain');
  const { metadata: _metadata, apiVersion: _apiVersion, kind: _kind, ...value } = object;
  const before = old === undefined ? undefined : { ...old };
  validateValue(withoutMetadata(schema), value, { path: '', old: before, errors });
  return errors;
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
