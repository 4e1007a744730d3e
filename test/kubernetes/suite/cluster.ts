import { getArray, getObject, getString, isObject, type JsonObject } from '#base/json.ts';
import type { Need } from './case.ts';
import type { Answer, Http, Sent, Watch } from './http.ts';
import type { Programs } from './programs.ts';

export interface ClusterOptions {
  http: Http;
  programs: Programs;
  has: ReadonlySet<Need>;
  /** A few letters that no other has who works on the cluster now. */
  run: string;
}

/** The cluster under test as a case sees it: HTTP, the client programs, a namespace of the area, and what it must undo. */
export class Cluster implements AsyncDisposable {
  readonly has: ReadonlySet<Need>;
  readonly http: Http;
  readonly programs: Programs;
  readonly #run: string;
  readonly #undo: (() => Promise<unknown>)[] = [];
  #named = 0;
  #namespace = '';

  constructor({ http, programs, has, run }: ClusterOptions) {
    this.http = http;
    this.programs = programs;
    this.has = has;
    this.#run = run;
  }

  /** The namespace of the area that runs now. */
  get namespace(): string {
    return this.#namespace;
  }

  /** A name that is free in the whole cluster. */
  name(prefix: string): string {
    this.#named += 1;
    return `${prefix}-${this.#run}-${this.#named}`;
  }

  /** Where a kind of the area's namespace is: `configmaps`, or `apps/v1/deployments`. */
  at(resource: string, name?: string, subresource?: string): string {
    return this.everywhere(resource, undefined, `/namespaces/${this.#namespace}`) + rest(name, subresource);
  }

  /** Where a kind of the cluster's is: `namespaces`, or `rbac.authorization.k8s.io/v1/clusterroles`. */
  everywhere(resource: string, name?: string, infix = ''): string {
    const parts = resource.split('/');
    const plural = parts.pop() ?? '';
    const root = parts.length === 0 ? '/api/v1' : `/apis/${parts.join('/')}`;
    return `${root}${infix}/${plural}${rest(name)}`;
  }

  send(method: string, path: string, sent?: Sent): Promise<Answer> {
    return this.http.send(method, path, sent);
  }

  get(path: string, sent?: Sent): Promise<Answer> {
    return this.http.send('GET', path, sent);
  }

  post(path: string, body: unknown, sent: Sent = {}): Promise<Answer> {
    return this.http.send('POST', path, { ...sent, body });
  }

  put(path: string, body: unknown, sent: Sent = {}): Promise<Answer> {
    return this.http.send('PUT', path, { ...sent, body });
  }

  patch(path: string, body: unknown, kind: PatchKind = 'merge', sent: Sent = {}): Promise<Answer> {
    return this.http.send('PATCH', path, { ...sent, body, type: patchTypes[kind] });
  }

  /** Server-side apply as `manager`. */
  apply(path: string, manager: string, body: unknown, query = ''): Promise<Answer> {
    return this.patch(`${path}?fieldManager=${manager}${query}`, body, 'apply');
  }

  delete(path: string, options?: JsonObject): Promise<Answer> {
    return this.http.send('DELETE', path, options === undefined ? {} : { body: options });
  }

  watch(path: string, sent?: Sent): Promise<Watch> {
    return this.http.watch(path, sent);
  }

  /** Creates and gives back the stored object; fails on anything but 201. */
  async create(path: string, body: JsonObject): Promise<JsonObject> {
    const answer = await this.post(path, body);
    if (answer.code !== 201) throw new Error(`POST ${path} answered ${answer.code}: ${answer.text}`);
    return answer.body;
  }

  /** What `look` gives as soon as it gives something; fails with what it threw or gave last. */
  async eventually<T>(what: string, look: () => Promise<T | undefined>, ms = 20_000): Promise<T> {
    const until = Date.now() + ms;
    let last = 'nothing';
    for (let wait = 20; Date.now() < until; wait = Math.min(wait * 1.5, 500)) {
      try {
        const found = await look();
        if (found !== undefined) return found;
      } catch (error) {
        last = error instanceof Error ? error.message : String(error);
      }
      await pause(wait);
    }
    throw new Error(`${what}: not within ${ms} ms; last: ${last}`);
  }

  /** The object when it stopped changing: controllers have had their say. */
  async settled(path: string, quietMs = 300): Promise<JsonObject> {
    let version = '';
    let since = Date.now();
    return this.eventually(`${path} is quiet`, async () => {
      const { body } = await this.get(path);
      const now = getString(body, 'metadata', 'resourceVersion') ?? '';
      if (now !== version) {
        version = now;
        since = Date.now();
      }
      return Date.now() - since >= quietMs ? body : undefined;
    });
  }

  /** Undone after the area, last first, whatever became of the case. */
  later(undo: () => Promise<unknown>): void {
    this.#undo.push(undo);
  }

  /** A fresh namespace, ready for pods; gone after the area. */
  async makeNamespace(prefix: string): Promise<string> {
    const name = this.name(prefix);
    await this.create('/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
    this.later(() => this.#removeNamespace(name));
    const accounts = `/api/v1/namespaces/${name}/serviceaccounts`;
    // Pods need the account `default`, which a controller makes where one runs.
    if (!this.has.has('controllers'))
      await this.post(accounts, { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default' } });
    await this.eventually(`account default in ${name}`, async () =>
      (await this.get(`${accounts}/default`)).code === 200 ? true : undefined,
    );
    return name;
  }

  async enter(): Promise<void> {
    this.#namespace = await this.makeNamespace('suite');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const undo of this.#undo.splice(0).reverse()) await undo();
  }

  async #removeNamespace(name: string): Promise<void> {
    const { body } = await this.delete(`/api/v1/namespaces/${name}`);
    if (this.has.has('controllers') || !isObject(body['metadata'])) return;
    for (const kind of ['pods', 'configmaps', 'secrets', 'services', 'serviceaccounts'])
      await this.delete(`/api/v1/namespaces/${name}/${kind}?gracePeriodSeconds=0`);
    await this.put(`/api/v1/namespaces/${name}/finalize`, { ...body, spec: { finalizers: [] } });
  }
}

export type PatchKind = 'json' | 'merge' | 'strategic' | 'apply';

const patchTypes: Record<PatchKind, string> = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
};

function rest(...parts: (string | undefined)[]): string {
  return parts.map((part) => (part === undefined ? '' : `/${part}`)).join('');
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

export function versionOf(object: JsonObject): string {
  return getString(object, 'metadata', 'resourceVersion') ?? '';
}

export function uidOf(object: JsonObject): string {
  return getString(object, 'metadata', 'uid') ?? '';
}

export function nameOf(object: unknown): string {
  return getString(object, 'metadata', 'name') ?? '';
}

export function itemsOf(list: JsonObject): JsonObject[] {
  return getArray(list, 'items').filter(isObject);
}

/** Without what differs from server to server and run to run. */
export function bare(object: JsonObject): JsonObject {
  const {
    managedFields: _,
    uid: __,
    resourceVersion: ___,
    creationTimestamp: ____,
    ...metadata
  } = getObject(object, 'metadata');
  return { ...object, metadata };
}

/** A condition of an object's status; an empty object when it has none of this type. */
export function condition(object: JsonObject, type: string): JsonObject {
  return (
    getArray(object, 'status', 'conditions')
      .filter(isObject)
      .find((item) => item['type'] === type) ?? {}
  );
}
