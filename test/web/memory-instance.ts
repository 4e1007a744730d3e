import type { ApplicationResources, InstanceKind, InstanceSight, InstanceStore } from '#apps/port.ts';
import { AppError } from '#base/errors.ts';
import { getObject, type JsonObject } from '#base/json.ts';
import { mergePatch } from '#base/merge-patch.ts';
import type { KubeObject, ObjectRef } from '#kube/port.ts';

const nothing = Object.freeze({});

function absent(): never {
  throw new AppError('not-found', 'there is no cluster behind this test');
}

/** The objects of an instance, for tests of the faces: as an API server keeps them, without one. */
export class MemoryInstance implements InstanceStore {
  readonly namespace = 'argocd';
  readonly #objects = new Map<string, KubeObject>();
  readonly #data = new WeakMap<KubeObject, Record<string, string>>();
  #version = 0;

  /** Adds or replaces without asking. */
  put(object: KubeObject): KubeObject {
    this.#version += 1;
    const metadata = { namespace: this.namespace, ...object.metadata, resourceVersion: String(this.#version) };
    const kept = { ...object, metadata };
    this.#objects.set(this.#key(kept.kind, metadata), kept);
    return kept;
  }

  putConfig(name: string, data: Record<string, string>): void {
    this.put({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data });
  }

  putSecret(name: string, values: Record<string, string>, labels: Record<string, string> = {}): void {
    const data = Object.fromEntries(
      Object.entries(values).map(([key, text]) => [key, Buffer.from(text).toString('base64')]),
    );
    this.put({ apiVersion: 'v1', kind: 'Secret', metadata: { name, labels }, data });
  }

  putProject(name: string, spec: JsonObject): void {
    this.put({ apiVersion: 'argoproj.io/v1alpha1', kind: 'AppProject', metadata: { name }, spec });
  }

  config(name: string): Readonly<Record<string, string>> {
    return this.#read('ConfigMap', name, (text) => text);
  }

  secret(name: string): Readonly<Record<string, string>> {
    return this.#read('Secret', name, (text) => Buffer.from(text, 'base64').toString('utf8'));
  }

  projects(): readonly KubeObject[] {
    return [...this.#objects.values()].filter(({ kind }) => kind === 'AppProject');
  }

  async get(kind: InstanceKind, ref: ObjectRef): Promise<KubeObject | undefined> {
    return this.#objects.get(this.#key(kind, ref));
  }

  async list(
    kind: InstanceKind,
    { namespace, labelSelector }: { namespace?: string | undefined; labelSelector?: string },
  ): Promise<KubeObject[]> {
    const [label = '', value] = (labelSelector ?? '').split('=');
    return [...this.#objects.values()].filter(
      (object) =>
        object.kind === kind &&
        (namespace === undefined || object.metadata.namespace === namespace) &&
        (label === '' || object.metadata.labels?.[label] === value),
    );
  }

  async create(object: KubeObject): Promise<KubeObject> {
    const { kind, metadata } = object;
    if (this.#objects.has(this.#key(kind, metadata)))
      throw new AppError('conflict', `${kind} "${metadata.name}" already exists`);
    return this.put(object);
  }

  async replace(object: KubeObject): Promise<KubeObject> {
    const current = this.#objects.get(this.#key(object.kind, object.metadata));
    if (!current) throw new AppError('not-found', `${object.kind} "${object.metadata.name}" not found`);
    const { resourceVersion } = object.metadata;
    if (resourceVersion !== undefined && resourceVersion !== current.metadata.resourceVersion)
      throw new AppError('conflict', 'the object has been modified; please apply your changes to the latest version');
    return this.put(object);
  }

  async patch(kind: InstanceKind, ref: ObjectRef, body: JsonObject): Promise<KubeObject> {
    const current = await this.get(kind, ref);
    if (!current) throw new AppError('not-found', `${kind} "${ref.name}" not found`);
    return this.put(mergePatch(current, body) as KubeObject);
  }

  async delete(kind: InstanceKind, ref: ObjectRef): Promise<boolean> {
    return this.#objects.delete(this.#key(kind, ref));
  }

  #key(kind: string, { name, namespace }: ObjectRef): string {
    return `${kind} ${namespace ?? this.namespace}/${name}`;
  }

  #read(kind: string, name: string, decode: (text: string) => string): Readonly<Record<string, string>> {
    const object = this.#objects.get(this.#key(kind, { name }));
    if (!object) return nothing;
    const known = this.#data.get(object);
    if (known) return known;
    const data = Object.fromEntries(
      Object.entries(getObject(object, 'data')).map(([key, text]) => [key, decode(String(text))]),
    );
    this.#data.set(object, data);
    return data;
  }
}

/** No cluster, no objects. */
export const noResources: ApplicationResources = {
  get: async () => absent(),
  patch: async () => absent(),
  delete: async () => absent(),
  events: async () => [],
  logs: async () => absent(),
  actions: async () => [],
  runAction: async () => absent(),
  why: async () => [{ code: 'manual', problem: 'it differs and nobody asked', next: 'sync it' }],
  orphans: async () => [],
};

/** Everything is permitted, and nothing is far away. */
export const clearSight: InstanceSight = {
  windows: () => ({ active: [], assigned: [], canSync: true }),
  activeWindows: () => [],
  globalProjects: () => [],
  brokenBy: () => [],
  validate: async () => [],
  clusters: () => [],
  forgetCluster: () => {},
  resolve: async (_application, { revision }) => revision,
  revision: async () => absent(),
  chart: async () => absent(),
  follows: () => true,
  generate: async () => [],
  discover: async () => [],
  charts: async () => [],
  tags: async () => [],
  details: async () => ({}),
  refs: async () => ({ branches: [], tags: [] }),
  connection: async () => ({ status: 'Successful', message: '', attemptedAt: undefined }),
  reach: async () => {},
  reachCluster: async () => 'v1.33.0',
};
