import type { JsonObject } from '#base/json.ts';
import { getPath } from '#base/json.ts';
import { ApiError, type ApiObject, type Gvk, type KindType } from '../api/port.ts';
import { builtinSchema } from './builtin-schema.ts';
import { decodeStruct, zeroStruct } from './decode.ts';
import { defaulters } from './defaults/table.ts';
import { goValue } from './go-format.ts';
import { registerSchema } from './kind-schema.ts';
import { sameContent } from './same-content.ts';
import type { SchemaNode, StructType } from './schema-node.ts';
import { strategicMerge } from './strategic-merge.ts';
import { restoreProblem } from './strategic-restore.ts';
import { validateKind } from './validate/table.ts';

/** One built-in kind; undefined when it is not served. */
export function builtinKind(gvk: Gvk): KindType | undefined {
  const schema = builtinSchema();
  const name = schema.typeName(gvk);
  if (name === undefined) return undefined;
  const type = schema.struct(name);
  const node: SchemaNode = { kind: 'struct', type, atomic: false };
  const defaulter = defaulters[name];
  const kind: KindType = {
    gvk,
    decode(raw) {
      const { object, unknownFields } = decodeStruct(type, raw, gvk);
      return { object: asApiObject(object, gvk, forgetsManagers(raw)), unknownFields };
    },
    applyDefaults(object, old) {
      restoreZeroStatus(type, object);
      defaulter?.(object, old);
    },
    validateCreate: (object) => validateKind(name, object, undefined),
    validateUpdate: (object, old) => validateKind(name, object, old),
    strategicMerge(live, patch) {
      const merged = strategicMerge(node, live, patch);
      const problem = restoreProblem(node, merged);
      if (problem !== undefined) throw unfitPatch(patch, problem);
      return merged;
    },
    sameContent,
  };
  registerSchema(kind, {
    node,
    hasStatus: type.byName.has('status'),
    custom: false,
    empty: () => asApiObject(zeroStruct(type), gvk),
  });
  return kind;
}

function unfitPatch(patch: JsonObject, problem: string): ApiError {
  const message = `Invalid value: ${JSON.stringify(goValue(patch))}: ${problem}`;
  return new ApiError(422, 'Invalid', ` "" is invalid: patch: ${message}`, {
    causes: [{ reason: 'FieldValueInvalid', message, field: 'patch' }],
  });
}

/** The root's own fields: kind and version as served, and no `creationTimestamp: null`. */
function asApiObject(raw: JsonObject, gvk: Gvk, forgetsManagers = false): ApiObject {
  const { kind: _kind, apiVersion: _apiVersion, metadata, ...rest } = raw;
  const meta: JsonObject = { ...(metadata as JsonObject | undefined) };
  if (meta['creationTimestamp'] === null) delete meta['creationTimestamp'];
  if (forgetsManagers) meta['managedFields'] = [];
  const apiVersion = gvk.group === '' ? gvk.version : `${gvk.group}/${gvk.version}`;
  return { kind: gvk.kind, apiVersion, metadata: meta as ApiObject['metadata'], ...rest };
}

/** The server drops a status that is not the writer's; Go then prints the empty one. */
function restoreZeroStatus(type: StructType, object: ApiObject): void {
  const field = type.byName.get('status');
  if (field === undefined || field.pointer || object['status'] !== undefined) return;
  if (field.node.kind === 'struct') object['status'] = zeroStruct(field.node.type);
}

/** An empty list of owners is a request to forget them, so it must outlive decoding. */
function forgetsManagers(raw: JsonObject): boolean {
  const given = getPath(raw, 'metadata', 'managedFields');
  return Array.isArray(given) && given.length === 0;
}
