import { isObject, jsonEqual, parseJson } from '#base/json.ts';
import type { KubeObject } from '#kube/port.ts';
import { annotations } from '#model/argocd/names.ts';

function itemKey(item: unknown): string | undefined {
  return isObject(item) && typeof item['name'] === 'string' ? item['name'] : undefined;
}

function byName(list: unknown[]): Map<string, unknown> | undefined {
  const out = new Map<string, unknown>();
  for (const item of list) {
    const key = itemKey(item);
    if (key === undefined || out.has(key)) return undefined;
    out.set(key, item);
  }
  return out;
}

/** True when something of `original` that is still live is no longer desired. */
function drops(original: unknown, desired: unknown, live: unknown): boolean {
  if (original === null || original === undefined || live === undefined || live === null) return false;
  if (desired === undefined || desired === null) return !isObject(original) || Object.keys(original).length > 0;
  if (isObject(original) && isObject(desired) && isObject(live))
    return Object.keys(original).some((key) => drops(original[key], desired[key], live[key]));
  if (Array.isArray(original) && Array.isArray(desired) && Array.isArray(live)) {
    const [was, wanted, is] = [byName(original), byName(desired), byName(live)];
    if (!was || !wanted || !is) return !jsonEqual(original, desired) && jsonEqual(original, live);
    return [...was].some(([name, item]) => is.has(name) && drops(item, wanted.get(name), is.get(name)));
  }
  return false;
}

/**
 * True when an object once written by client-side apply still has fields from that time which the desired state dropped.
 * Server-side apply alone would leave them, since another manager owns them. `clean` takes away what is not compared.
 */
export function dropsLastApplied(
  desired: KubeObject,
  live: KubeObject,
  clean: (object: KubeObject) => KubeObject = (object) => object,
): boolean {
  const text = live.metadata.annotations?.[annotations.lastApplied];
  if (text === undefined) return false;
  const original = parseJson(text, `last-applied annotation of ${live.kind} ${live.metadata.name}`);
  if (!isObject(original)) return false;
  const { status: _status, ...rest } = original;
  const { namespace: _namespace, ...metadata } = isObject(rest['metadata']) ? rest['metadata'] : {};
  return drops(clean({ ...rest, metadata } as KubeObject), desired, clean(live));
}
