import { isObject, type JsonObject } from '#base/json.ts';
import type { KubeObject } from '#kube/port.ts';
import { annotations } from '#model/argocd/names.ts';

/** Drops null members of objects at any depth; elements of lists stay. */
export function dropNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(dropNulls);
  if (!isObject(value)) return value;
  const out: JsonObject = {};
  for (const [key, member] of Object.entries(value)) if (member !== null) out[key] = dropNulls(member);
  return out;
}

function moveStringData(object: JsonObject): void {
  const stringData = object['stringData'];
  if (!isObject(stringData)) return;
  const data: JsonObject = isObject(object['data']) ? { ...object['data'] } : {};
  for (const [key, value] of Object.entries(stringData)) data[key] = Buffer.from(String(value)).toString('base64');
  object['data'] = data;
  delete object['stringData'];
}

/**
 * A rendered manifest as it is applied: no nulls, no status, nothing that only a server writes, empty label and annotation
 * maps left out, a Secret's `stringData` as `data`.
 */
export function normalizeDesired(manifest: KubeObject): KubeObject {
  const object = dropNulls(manifest) as KubeObject;
  delete object['status'];
  const metadata = { ...object.metadata };
  for (const field of ['creationTimestamp', 'managedFields', 'resourceVersion', 'uid', 'generation', 'selfLink'])
    delete metadata[field];
  for (const field of ['labels', 'annotations'] as const)
    if (metadata[field] && Object.keys(metadata[field]).length === 0) delete metadata[field];
  object.metadata = metadata;
  if (object.apiVersion === 'v1' && object.kind === 'Secret') moveStringData(object);
  return object;
}

const serverFields = [
  'creationTimestamp',
  'deletionGracePeriodSeconds',
  'deletionTimestamp',
  'generation',
  'managedFields',
  'resourceVersion',
  'selfLink',
  'uid',
];

/** What is compared of a live or predicted object: everything but its status and what the server keeps for itself. */
export function contentOf(object: KubeObject): KubeObject {
  const { status: _status, ...rest } = object;
  const metadata: JsonObject = { ...rest.metadata };
  for (const field of serverFields) delete metadata[field];
  const notes = rest.metadata.annotations;
  if (notes) {
    const { [annotations.lastApplied]: _lastApplied, ...kept } = notes;
    if (Object.keys(kept).length === 0) delete metadata['annotations'];
    else metadata['annotations'] = kept;
  }
  return { ...rest, metadata } as KubeObject;
}
