import { canonicalJson, sha256Hex } from '#base/digest.ts';
import { isObject, type JsonObject, parseJson } from '#base/json.ts';
import type { KubeObject } from '#kube/port.ts';
import { fieldManager } from '#model/argocd/names.ts';
import { fieldsOwnedBy } from './fields-v1.ts';

/** Where an object holds maps that are one value: `{spec: {selector: {}}}`, an empty one marking the place. */
export type AtomicMaps = { [member: string]: AtomicMaps };

/**
 * The part of `live` that `desired` speaks about: objects are followed member by member; lists, scalars and maps that are one
 * value are taken whole. While this part stays the same for the same desired state, a comparison made once stays true.
 */
export function projectOn(desired: unknown, live: unknown, atomic?: AtomicMaps): unknown {
  if (!isObject(desired) || !isObject(live)) return live ?? null;
  if (atomic && Object.keys(atomic).length === 0) return live;
  const out: JsonObject = {};
  for (const key of Object.keys(desired)) out[key] = projectOn(desired[key], live[key], atomic?.[key]);
  return out;
}

/**
 * The maps of a desired object that server-side apply takes as one value, by what the server answered to an apply of it: our
 * manager owns them as a leaf. Undefined when there are none, or when the answer does not tell owners.
 */
export function atomicMapsOf(desired: KubeObject, answer: KubeObject): string | undefined {
  const found = atomicMembers(desired, fieldsOwnedBy(answer, [fieldManager]));
  return found && canonicalJson(found);
}

function atomicMembers(desired: JsonObject, owned: JsonObject): AtomicMaps | undefined {
  const out: AtomicMaps = {};
  for (const [key, value] of Object.entries(desired)) {
    const below = owned[`f:${key}`];
    if (!isObject(value) || !isObject(below)) continue;
    const found = Object.keys(below).length === 0 ? {} : atomicMembers(value, below);
    if (found) out[key] = found;
  }
  return Object.keys(out).length > 0 ? out : undefined;
}

const parsed = new Map<string, AtomicMaps>();
const maxParsed = 5000;

/** Reads what `atomicMapsOf` gave; most kinds have the same few. */
export function readAtomicMaps(text: string | undefined): AtomicMaps | undefined {
  if (text === undefined) return undefined;
  const known = parsed.get(text);
  if (known) return known;
  const maps = mapsOf(parseJson(text, 'atomic maps of a comparison'));
  if (parsed.size >= maxParsed) parsed.clear();
  parsed.set(text, maps);
  return maps;
}

function mapsOf(value: unknown): AtomicMaps {
  if (!isObject(value)) return {};
  return Object.fromEntries(Object.entries(value).map(([key, below]) => [key, mapsOf(below)]));
}

export function contentDigest(value: unknown): string {
  return sha256Hex(canonicalJson(value)).slice(0, 32);
}
