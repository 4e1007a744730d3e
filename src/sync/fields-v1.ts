import { isObject, type JsonObject, jsonEqual, parseJson } from '#base/json.ts';
import type { KubeObject } from '#kube/port.ts';

/** The union of two field sets as `metadata.managedFields` writes them. */
export function uniteFields(a: unknown, b: unknown): JsonObject {
  const out: JsonObject = isObject(a) ? { ...a } : {};
  if (!isObject(b)) return out;
  for (const [key, member] of Object.entries(b)) out[key] = uniteFields(out[key], member);
  return out;
}

function removeFromList(list: unknown[], fields: JsonObject): unknown[] {
  let out = list.slice();
  for (const [key, below] of Object.entries(fields)) {
    if (key.startsWith('v:')) {
      const value = parseJson(key.slice(2), `value ${key} in managedFields`);
      out = out.filter((item) => !jsonEqual(item, value));
    }
    if (!key.startsWith('k:')) continue;
    const wanted = parseJson(key.slice(2), `key ${key} in managedFields`);
    const at = out.findIndex(
      (item) => isObject(item) && isObject(wanted) && Object.keys(wanted).every((k) => jsonEqual(item[k], wanted[k])),
    );
    if (at >= 0) out[at] = removeFields(out[at], below);
  }
  return out;
}

/** A copy of `value` without the fields of the set. The keys of list items stay, so that items can still be matched. */
export function removeFields(value: unknown, fields: unknown): unknown {
  if (!isObject(fields)) return value;
  if (Array.isArray(value)) return removeFromList(value, fields);
  if (!isObject(value)) return value;
  const out: JsonObject = { ...value };
  for (const [key, below] of Object.entries(fields)) {
    if (!key.startsWith('f:')) continue;
    const name = key.slice(2);
    if (!(name in out)) continue;
    const deeper = isObject(below) && Object.keys(below).some((k) => k !== '.');
    if (deeper) out[name] = removeFields(out[name], below);
    else delete out[name];
  }
  return out;
}

/** The fields that the named managers own in an object that still carries `managedFields`. */
export function fieldsOwnedBy(object: KubeObject, managers: readonly string[]): JsonObject {
  let owned: JsonObject = {};
  for (const entry of object.metadata.managedFields ?? [])
    if (managers.includes(String(entry['manager']))) owned = uniteFields(owned, entry['fieldsV1']);
  return owned;
}
