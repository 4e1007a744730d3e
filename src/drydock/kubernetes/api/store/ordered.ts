import type { StoredObject } from './stored.ts';

/** Objects by key, and in the order of their keys. */
export class OrderedObjects {
  readonly #byKey = new Map<string, StoredObject>();
  /** Undefined until the order is first asked for: loading many at once sorts once. */
  #ordered: StoredObject[] | undefined;

  get size(): number {
    return this.#byKey.size;
  }

  get(key: string): StoredObject | undefined {
    return this.#byKey.get(key);
  }

  set(stored: StoredObject): void {
    const known = this.#byKey.has(stored.key);
    this.#byKey.set(stored.key, stored);
    if (!this.#ordered) return;
    const at = lowerBound(this.#ordered, stored.key);
    if (known) this.#ordered[at] = stored;
    else this.#ordered.splice(at, 0, stored);
  }

  delete(key: string): void {
    if (!this.#byKey.delete(key)) return;
    this.#ordered?.splice(lowerBound(this.#ordered, key), 1);
  }

  /** A copy of all from `start` on whose key begins with `prefix`, in order. */
  range(prefix: string, start: string): StoredObject[] {
    this.#ordered ??= [...this.#byKey.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
    const from = lowerBound(this.#ordered, start > prefix ? start : prefix);
    return this.#ordered.slice(from, prefix === '' ? undefined : lowerBound(this.#ordered, after(prefix)));
  }
}

/** Sorted `objects` with some replaced, added, or (undefined) taken away. */
export function overlaid(objects: StoredObject[], changes: Map<string, StoredObject | undefined>): StoredObject[] {
  if (changes.size === 0) return objects;
  const result: StoredObject[] = [];
  let next = 0;
  for (const key of [...changes.keys()].sort()) {
    const at = lowerBound(objects, key);
    for (const stored of objects.slice(next, at)) result.push(stored);
    next = objects[at]?.key === key ? at + 1 : at;
    const put = changes.get(key);
    if (put) result.push(put);
  }
  return result.concat(objects.slice(next));
}

/** The first key that does not begin with `prefix` and comes after all that do. */
function after(prefix: string): string {
  return prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1);
}

function lowerBound(objects: StoredObject[], wanted: string): number {
  let low = 0;
  let high = objects.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const key = objects[middle]?.key;
    if (key !== undefined && key < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}
