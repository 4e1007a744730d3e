import { isObject, type JsonObject } from '#base/json.ts';

/** Values of the team's own, in which empty means something. */
const opaque = new Set([
  'valuesObject',
  'parameters',
  'env',
  'info',
  'extVars',
  'tlas',
  'patches',
  'commonLabels',
  'commonAnnotations',
  'labels',
  'annotations',
]);

/** Without members that Argo CD's types do not write: nothing, empty texts, empty lists. */
function withoutEmpty(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item: unknown) => withoutEmpty(item));
  if (!isObject(value)) return value;
  const out: JsonObject = {};
  for (const [key, member] of Object.entries(value)) {
    if (member === undefined || member === null || member === '') continue;
    if (Array.isArray(member) && member.length === 0) continue;
    out[key] = opaque.has(key) ? member : withoutEmpty(member);
  }
  return out;
}

function isZero(value: unknown): boolean {
  if (value === undefined || value === null || value === '' || value === false || value === 0) return true;
  if (Array.isArray(value)) return value.length === 0;
  if (!isObject(value)) return false;
  return Object.entries(value).every(([key, member]) =>
    opaque.has(key) && isObject(member) ? Object.keys(member).length === 0 : isZero(member),
  );
}

function withoutZero(object: JsonObject, names: readonly string[]): JsonObject {
  const out = { ...object };
  for (const name of names) if (name in out && isZero(out[name])) delete out[name];
  return out;
}

function normalizeSource(source: unknown): unknown {
  return isObject(source) ? withoutZero(source, ['kustomize', 'helm', 'directory']) : source;
}

/** An Application's spec in the one form in which two that mean the same are equal. `automated: {}` keeps its meaning. */
export function normalizeApplicationSpec(spec: unknown): JsonObject {
  const plain = withoutEmpty(isObject(spec) ? spec : {});
  const out = isObject(plain) ? { ...plain } : {};
  out['project'] ??= 'default';
  const { syncPolicy, sources, source } = out;
  if (isObject(syncPolicy)) {
    const policy = withoutZero(syncPolicy, ['retry', 'managedNamespaceMetadata', 'syncOptions']);
    if (Object.keys(policy).length === 0) delete out['syncPolicy'];
    else out['syncPolicy'] = policy;
  }
  if (Array.isArray(sources)) out['sources'] = sources.map(normalizeSource);
  else if (source !== undefined) out['source'] = normalizeSource(source);
  return out;
}
