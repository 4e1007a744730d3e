import { assert } from '#base/assert.ts';
import type { JsonObject } from '#base/json.ts';
import type { ApiObject, KindType } from '../api/port.ts';
import type { SchemaNode } from './schema-node.ts';

/** What server-side apply knows of a kind beyond the port. */
export interface KindSchema {
  node: SchemaNode;
  /** The main endpoint does not write `status`. */
  hasStatus: boolean;
  custom: boolean;
  /** What an apply came to, where it is not decoded once more: nulls stay for the validation to find. */
  fromMerged?: (raw: JsonObject) => ApiObject;
  /** The object that a create is compared with. */
  empty(): ApiObject;
}

const schemas = new WeakMap<KindType, KindSchema>();

export function registerSchema(kind: KindType, schema: KindSchema): void {
  schemas.set(kind, schema);
}

export function schemaOf(kind: KindType): KindSchema {
  const schema = schemas.get(kind);
  assert(schema !== undefined, `${kind.gvk.kind} was not made by this registry`);
  return schema;
}
