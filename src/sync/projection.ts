import { canonicalJson, sha256Hex } from '#base/digest.ts';
import { isObject, type JsonObject } from '#base/json.ts';

/**
 * The part of `live` that `desired` speaks about: objects are followed member by member, lists and scalars are taken
 * whole. While this part stays the same for the same desired state, a comparison made once stays true.
 */
export function projectOn(desired: unknown, live: unknown): unknown {
  if (!isObject(desired) || !isObject(live)) return live ?? null;
  const out: JsonObject = {};
  for (const key of Object.keys(desired)) out[key] = projectOn(desired[key], live[key]);
  return out;
}

export function contentDigest(value: unknown): string {
  return sha256Hex(canonicalJson(value)).slice(0, 32);
}
