import { isObject, jsonEqual } from '#base/json.ts';
import { displayName, keyText } from '#sync/identity.ts';
import { contentOf } from '#sync/normalize.ts';
import type { ComparedResource } from './comparison.ts';

export interface Drift {
  key: string;
  name: string;
  /** `missing`, or the fields that differ. */
  fields: string[];
  /** When the watch told of it, in milliseconds. */
  at: number;
}

const maxFields = 10;

/** Paths at which two values differ, at most ten. */
export function differingFields(a: unknown, b: unknown, path = ''): string[] {
  if (jsonEqual(a, b)) return [];
  if (isObject(a) && isObject(b)) {
    const keys = [...new Set([...Object.keys(a), ...Object.keys(b)])].sort();
    return keys
      .flatMap((key) => differingFields(a[key], b[key], path === '' ? key : `${path}.${key}`))
      .slice(0, maxFields);
  }
  if (Array.isArray(a) && Array.isArray(b) && a.length === b.length)
    return a.flatMap((item, index) => differingFields(item, b[index], `${path}[${index}]`)).slice(0, maxFields);
  return [path === '' ? 'object' : path];
}

/**
 * Follows which objects were in sync with what is wanted, so that a later difference under the same wish is drift: the
 * cluster moved, not Git.
 */
export class DriftTracker {
  /** Key to the digest of the desired object it agreed with. */
  readonly #agreed = new Map<string, string>();
  readonly #open = new Map<string, Drift>();

  get open(): Drift[] {
    return [...this.#open.values()];
  }

  /** Takes in a comparison; gives what drifted and what came back since the last one. */
  update(
    resources: readonly ComparedResource[],
    changedAt: (key: string) => number | undefined,
    now: number,
  ): { found: Drift[]; settled: Drift[] } {
    const found: Drift[] = [];
    const settled: Drift[] = [];
    for (const resource of resources) {
      if (!resource.desired) continue;
      const key = keyText(resource.key);
      const open = this.#open.get(key);
      if (resource.status === 'Synced') {
        this.#agreed.set(key, resource.desired.digest);
        if (open) settled.push(open);
        this.#open.delete(key);
        continue;
      }
      if (open || this.#agreed.get(key) !== resource.desired.digest) continue;
      const { live, difference } = resource;
      const fields = !live
        ? ['missing']
        : difference?.predicted
          ? differingFields(contentOf(live), contentOf(difference.predicted))
          : [];
      const drift = { key, name: displayName(resource.key), fields, at: changedAt(key) ?? now };
      this.#open.set(key, drift);
      found.push(drift);
    }
    return { found, settled };
  }
}
