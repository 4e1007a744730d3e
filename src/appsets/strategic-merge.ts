import { isObject, type JsonObject } from '#base/json.ts';

/** Lists of an Application that a strategic merge joins; all others it replaces. */
const joined = new Set(['metadata.finalizers']);

function directive(key: string): { name: string; field: string } | undefined {
  const match = /^\$(patch|retainKeys|setElementOrder|deleteFromPrimitiveList)(?:\/(.*))?$/.exec(key);
  return match ? { name: match[1] ?? '', field: match[2] ?? '' } : undefined;
}

function withoutDirectives(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutDirectives);
  if (!isObject(value)) return value;
  const kept = Object.entries(value).filter(([key, member]) => !directive(key) && member !== null);
  return Object.fromEntries(kept.map(([key, member]) => [key, withoutDirectives(member)]));
}

/**
 * Kubernetes' strategic merge patch on an Application: objects deeply, null removes, lists are replaced but for
 * finalizers; `$patch: replace|delete`, `$retainKeys` and `$deleteFromPrimitiveList` are obeyed.
 */
export function strategicMerge(target: JsonObject, patch: JsonObject, path = ''): JsonObject {
  if (patch['$patch'] === 'delete') return {};
  if (patch['$patch'] === 'replace') return { ...(withoutDirectives(patch) as JsonObject) };
  const out: JsonObject = { ...target };
  const { $retainKeys: retained } = patch;
  if (Array.isArray(retained)) for (const key of Object.keys(out)) if (!retained.includes(key)) delete out[key];
  for (const [key, value] of Object.entries(patch)) {
    const known = directive(key);
    const at = path === '' ? key : `${path}.${key}`;
    if (known) {
      const list = out[known.field];
      if (known.name === 'deleteFromPrimitiveList' && Array.isArray(list) && Array.isArray(value))
        out[known.field] = list.filter((item) => !value.includes(item));
    } else if (value === null) delete out[key];
    else if (isObject(value)) {
      const before = out[key];
      out[key] = isObject(before) ? strategicMerge(before, value, at) : withoutDirectives(value);
    } else if (Array.isArray(value) && joined.has(at)) {
      const before = Array.isArray(out[key]) ? out[key] : [];
      out[key] = [...before, ...value.filter((item) => !before.includes(item))];
    } else out[key] = value;
  }
  return out;
}
