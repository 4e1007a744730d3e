import type { ApiObject, GroupResource } from './port.ts';

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

/** The recent changes of one kind, for watches that resume and lists that continue. */
export class EventHistory {
  #changes: StoredChange[] = [];
  #start: number;

  constructor(start: number) {
    this.#start = start;
  }

  /** Changes after this version are all here. */
  get start(): number {
    return this.#start;
  }

  add(change: StoredChange): void {
    this.#changes.push(change);
    if (this.#changes.length <= keepAtMost) return;
    const dropped = this.#changes.length - keepAfterTrim;
    this.#start = this.#changes[dropped - 1]?.revision ?? this.#start;
    this.#changes = this.#changes.slice(dropped);
  }

  since(revision: number): StoredChange[] | undefined {
    if (revision < this.#start) return undefined;
    let from = this.#changes.length;
    while (from > 0 && (this.#changes[from - 1]?.revision ?? 0) > revision) from -= 1;
    return this.#changes.slice(from);
  }
}

/** Its JSON without the leading `kind` and `apiVersion`, so that one text serves every version and every list. */
export function bodyOf(stored: StoredObject): string {
  if (stored.body === undefined) {
    const { kind: _kind, apiVersion: _apiVersion, ...rest } = stored.object;
    stored.body = JSON.stringify(rest);
  }
  return stored.body;
}
