import type { JsonObject } from '#base/json.ts';
import { isObject } from '#base/json.ts';
import type { ApiObject } from '../../api/port.ts';
import type { SchemaNode } from '../schema-node.ts';
import { compareTyped } from './compare.ts';
import type { FieldSet } from './field-set.ts';
import { emptySet, subtract } from './field-set.ts';
import { fieldsOf } from './typed.ts';

export const lastAppliedAnnotation = 'kubectl.kubernetes.io/last-applied-configuration';

/** Fields that client-side apply set and that are still so: server-side apply by kubectl may take them without force. */
export function allowedByLastApplied(node: SchemaNode, live: ApiObject): FieldSet {
  const last = readLastApplied(live);
  if (last === undefined || last['apiVersion'] !== live.apiVersion) return emptySet();
  try {
    const change = compareTyped(node, last, live);
    return subtract(subtract(subtract(fieldsOf(node, last), change.modified), change.added), change.removed);
  } catch {
    // An annotation that does not fit the schema allows nothing, as in the real server.
    return emptySet();
  }
}

function readLastApplied(live: ApiObject): JsonObject | undefined {
  const text = live.metadata.annotations?.[lastAppliedAnnotation];
  if (text === undefined || text === '') return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Keeps the annotation, when there is one, equal to what kubectl applied. In place. */
export function syncLastApplied(object: ApiObject, applied: JsonObject): void {
  const annotations = object.metadata.annotations;
  if (annotations?.[lastAppliedAnnotation] === undefined || annotations[lastAppliedAnnotation] === '') return;
  const metadata = isObject(applied['metadata']) ? applied['metadata'] : {};
  const given = isObject(metadata['annotations']) ? { ...metadata['annotations'] } : undefined;
  if (given !== undefined) delete given[lastAppliedAnnotation];
  const copy = { ...applied, metadata: given === undefined ? metadata : { ...metadata, annotations: given } };
  object.metadata.annotations = { ...annotations, [lastAppliedAnnotation]: `${JSON.stringify(copy)}\n` };
}
