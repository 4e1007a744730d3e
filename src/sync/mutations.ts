import { isObject, type JsonObject, jsonEqual } from '#base/json.ts';
import type { KubeObject } from '#kube/port.ts';
import { fieldsOwnedBy } from './fields-v1.ts';

/**
 * The answer of a dry run without what others put into it (a mutating webhook, a default of a newer server): what the manager
 * does not own is as it is live. What the apply takes away stays away. An answer that tells no owners comes back as it is.
 */
export function withoutMutations(predicted: KubeObject, live: KubeObject, manager: string): KubeObject {
  const owned = fieldsOwnedBy(predicted, [manager]);
  if (Object.keys(owned).length === 0) return predicted;
  // What names the object is owned by nobody.
  const { apiVersion, kind } = predicted;
  const { name, namespace } = predicted.metadata;
  const out = ownedMembers(predicted, live, owned) as KubeObject;
  const metadata = { ...out.metadata, name, ...(namespace === undefined ? {} : { namespace }) };
  return { ...out, apiVersion, kind, metadata };
}

function ownedMembers(predicted: JsonObject, live: JsonObject, owned: JsonObject): JsonObject {
  const out: JsonObject = {};
  for (const [key, value] of Object.entries(predicted)) {
    const below = owned[`f:${key}`];
    if (below === undefined) {
      const was = live[key];
      // What the answer lost of others' fields is lost.
      if (was !== undefined) out[key] = isObject(was) && isObject(value) ? ownedMembers(value, was, {}) : was;
    } else {
      const kept = ownedValue(value, live[key], below);
      if (kept !== undefined) out[key] = kept;
    }
  }
  return out;
}

function ownedValue(predicted: unknown, live: unknown, owned: unknown): unknown {
  const children = isObject(owned) ? Object.keys(owned).filter((key) => key !== '.') : [];
  const container = isObject(predicted) || Array.isArray(predicted);
  // A leaf, or a container that is owned as one.
  if (!isObject(owned) || (children.length === 0 && (owned['.'] === undefined || !container))) return predicted;
  if (isObject(predicted)) return ownedMembers(predicted, isObject(live) ? live : {}, owned);
  if (Array.isArray(predicted)) return ownedItems(predicted, Array.isArray(live) ? live : [], owned);
  return predicted;
}

interface ItemKey {
  fields: JsonObject;
  below: unknown;
}

function itemKeys(owned: JsonObject): ItemKey[] {
  return Object.entries(owned).flatMap(([key, below]) => {
    if (!key.startsWith('k:')) return [];
    const fields: unknown = JSON.parse(key.slice(2));
    return isObject(fields) ? [{ fields, below }] : [];
  });
}

function fits(item: unknown, fields: JsonObject): item is JsonObject {
  return isObject(item) && Object.entries(fields).every(([name, value]) => jsonEqual(item[name], value));
}

function ownedItems(predicted: unknown[], live: unknown[], owned: JsonObject): unknown[] {
  const keys = itemKeys(owned);
  const values = Object.keys(owned).flatMap((key) =>
    key.startsWith('v:') ? [JSON.parse(key.slice(2)) as unknown] : [],
  );
  const names = new Set(keys.flatMap(({ fields }) => Object.keys(fields)));
  return predicted.flatMap((item): unknown[] => {
    const key = keys.find(({ fields }) => fits(item, fields));
    if (key && isObject(item)) {
      const twin = live.find((other) => fits(other, key.fields));
      const kept = ownedValue(item, twin, key.below);
      return [isObject(kept) ? { ...kept, ...key.fields } : kept];
    }
    if (values.some((value) => jsonEqual(value, item))) return [item];
    const twin = live.find((other) => sameItem(other, item, names));
    return twin === undefined ? [] : [twin];
  });
}

function sameItem(a: unknown, b: unknown, names: ReadonlySet<string>): boolean {
  if (!isObject(a) || !isObject(b) || names.size === 0) return jsonEqual(a, b);
  return [...names].every((name) => jsonEqual(a[name], b[name]));
}
