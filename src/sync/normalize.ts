import { isObject, type JsonObject } from '#base/json.ts';
import type { KubeObject } from '#kube/port.ts';
import { annotations } from '#model/argocd/names.ts';
import type { CompareSettings, Tracking } from '#model/argocd/settings.ts';

/** Drops null members of objects at any depth; elements of lists stay. */
export function dropNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(dropNulls);
  if (!isObject(value)) return value;
  const out: JsonObject = {};
  for (const [key, member] of Object.entries(value)) if (member !== null) out[key] = dropNulls(member);
  return out;
}

/** Writes a Secret's `stringData` into its `data`, in place; its own maps are not changed. */
export function moveStringData(object: JsonObject): void {
  const stringData = object['stringData'];
  if (!isObject(stringData)) return;
  const data: JsonObject = isObject(object['data']) ? { ...object['data'] } : {};
  // What is no text stays as it is, for the server to refuse.
  for (const [key, value] of Object.entries(stringData))
    data[key] = typeof value === 'string' ? Buffer.from(value).toString('base64') : value;
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

function isRole(object: KubeObject): boolean {
  return object.apiVersion.startsWith('rbac.authorization.k8s.io/') && /^(?:Cluster)?Role$/.test(object.kind);
}

/**
 * One form of a comparison without what says nothing: its time of creation, a Secret's `stringData` as `data`, empty rules
 * of roles, the rules that a controller fills in where the settings say so.
 */
export function normalizeForm(
  object: KubeObject,
  settings: { compare: Pick<CompareSettings, 'ignoreAggregatedRoles'> },
): KubeObject {
  const { creationTimestamp: _created, ...metadata } = object.metadata;
  const out: KubeObject = { ...object, metadata };
  if (out.apiVersion === 'v1' && out.kind === 'Secret') {
    moveStringData(out);
    const { data } = out;
    if (isObject(data))
      out['data'] = Object.fromEntries(Object.entries(data).map(([key, value]) => [key, value ?? '']));
  }
  if (isRole(out)) {
    const { rules } = out;
    const aggregated = settings.compare.ignoreAggregatedRoles && isObject(out['aggregationRule']);
    if (aggregated || rules === null || (Array.isArray(rules) && rules.length === 0)) delete out['rules'];
  }
  return out;
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

/**
 * Two forms of one object as annotation tracking sees them: an object that an earlier label claims needs no annotation yet,
 * and the label itself is nobody's business.
 */
export function alignTracking(
  live: KubeObject,
  predicted: KubeObject,
  context: { desired: KubeObject; tracking: Tracking },
): [KubeObject, KubeObject] {
  const { desired, tracking } = context;
  const { labelKey } = tracking;
  if (tracking.method === 'label' || !live.metadata.labels?.[labelKey]) return [live, predicted];
  const id = predicted.metadata.annotations?.[annotations.trackingId];
  const marked = withAnnotation(live, annotations.trackingId, id);
  if (desired.metadata.labels?.[labelKey] !== undefined) return [marked, predicted];
  return [withoutLabel(marked, labelKey), withoutLabel(predicted, labelKey)];
}

function withAnnotation(object: KubeObject, key: string, value: string | undefined): KubeObject {
  const { [key]: _old, ...rest } = object.metadata.annotations ?? {};
  const notes = value === undefined ? rest : { ...rest, [key]: value };
  return { ...object, metadata: { ...object.metadata, annotations: notes } };
}

export function withoutLabel(object: KubeObject, key: string): KubeObject {
  if (object.metadata.labels?.[key] === undefined) return object;
  const { [key]: _label, ...labels } = object.metadata.labels;
  const { labels: _all, ...metadata } = object.metadata;
  return { ...object, metadata: Object.keys(labels).length === 0 ? metadata : { ...metadata, labels } };
}
