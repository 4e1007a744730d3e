import type { ApiObject, GroupResource } from '../port.ts';

export interface StoredObject {
  storage: GroupResource;
  /** `namespace/name`, or `name` for cluster-wide kinds. */
  key: string;
  revision: number;
  /** Deeply frozen. */
  object: ApiObject;
  /** Its JSON without `kind` and `apiVersion`, made on first use. */
  body: string | undefined;
}

export interface StoredChange {
  type: 'ADDED' | 'MODIFIED' | 'DELETED';
  storage: GroupResource;
  key: string;
  revision: number;
  object: StoredObject;
  old: StoredObject | undefined;
}

const keepAtMost = 4096;
const keepAfterTrim = 3072;
/** Large objects: history is cut before it weighs more than this. */
const keepBytes = 64 * 1024 * 1024;

/** The recent changes of one kind, for watches that resume or lag and lists that continue. At least 1,000 unless they are large. */
export class EventHistory {
  #changes: StoredChange[] = [];
  /** How much had been added up to and with each change, in characters of JSON. */
  #weights: number[] = [];
  #weight = 0;
  #start: number;

  constructor(start: number) {
    this.#start = start;
  }

  /** Changes after this version are all here. */
  get start(): number {
    return this.#start;
  }

  add(change: StoredChange): void {
    this.#weight += bodyOf(change.object).length;
    this.#changes.push(change);
    this.#weights.push(this.#weight);
    if (this.#changes.length > keepAtMost) this.#forget(this.#changes.length - keepAfterTrim);
    else if (this.#weight - (this.#weights[0] ?? 0) > keepBytes) this.#forget(Math.ceil(this.#changes.length / 4));
  }

  /** At most `limit` changes after `revision`, oldest first; undefined when some are forgotten. */
  since(revision: number, limit?: number): StoredChange[] | undefined {
    if (revision < this.#start) return undefined;
    const from = this.#after(revision);
    return this.#changes.slice(from, limit === undefined ? undefined : from + limit);
  }

  /** How much JSON came after `revision`. */
  weightSince(revision: number): number {
    const from = this.#after(revision);
    return this.#weight - (from === 0 ? 0 : (this.#weights[from - 1] ?? this.#weight));
  }

  #forget(count: number): void {
    this.#start = this.#changes[count - 1]?.revision ?? this.#start;
    this.#changes = this.#changes.slice(count);
    this.#weights = this.#weights.slice(count);
  }

  #after(revision: number): number {
    let low = 0;
    let high = this.#changes.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#changes[middle]?.revision ?? 0) <= revision) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Its JSON without the leading `kind` and `apiVersion`, so that one text serves every version, every list and the disk. */
export function bodyOf(stored: StoredObject): string {
  if (stored.body === undefined) {
    const { kind: _kind, apiVersion: _apiVersion, ...rest } = stored.object;
    stored.body = JSON.stringify(rest);
  }
  return stored.body;
}
