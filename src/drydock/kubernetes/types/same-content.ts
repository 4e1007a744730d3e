import { isObject, jsonEqual } from '#base/json.ts';
import type { ApiObject } from '../api/port.ts';

/** Equal but for the times in managedFields and the resourceVersion: such a write is a no-op. */
export function sameContent(a: ApiObject, b: ApiObject): boolean {
  if (a === b) return true;
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  for (const key of keys) if (key !== 'metadata' && !jsonEqual(a[key], b[key])) return false;
  const members = new Set([...Object.keys(a.metadata), ...Object.keys(b.metadata)]);
  for (const name of members) {
    if (name === 'resourceVersion') continue;
    const same = name === 'managedFields' ? sameManagers : jsonEqual;
    if (!same(a.metadata[name], b.metadata[name])) return false;
  }
  return true;
}

/** No entries and an absent list are the same. */
function sameManagers(a: unknown, b: unknown): boolean {
  const left = Array.isArray(a) ? a : [];
  const right = Array.isArray(b) ? b : [];
  return (
    left.length === right.length && left.every((entry, index) => jsonEqual(timeless(entry), timeless(right[index])))
  );
}

function timeless(entry: unknown): unknown {
  if (!isObject(entry)) return entry;
  const { time: _, ...rest } = entry;
  return rest;
}
