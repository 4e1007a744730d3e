import { configMapData, type Instance, secretData } from '#apps/instance.ts';
import type { InstanceKind, InstanceStore } from '#apps/port.ts';
import { AppError } from '#base/errors.ts';
import type { JsonObject } from '#base/json.ts';
import type { ApiResource, DeleteOptions, Informer, KubeClient, KubeObject, ObjectRef } from '#kube/port.ts';

export interface InstanceStoreDeps {
  kube: KubeClient;
  instance: Instance;
  projects: Informer;
  applications: Informer;
}

const groups: Record<InstanceKind, { group: string; version: string }> = {
  ConfigMap: { group: '', version: 'v1' },
  Secret: { group: '', version: 'v1' },
  Event: { group: '', version: 'v1' },
  AppProject: { group: 'argoproj.io', version: 'v1alpha1' },
  Application: { group: 'argoproj.io', version: 'v1alpha1' },
  ApplicationSet: { group: 'argoproj.io', version: 'v1alpha1' },
};

/** Argo CD's API server writes under this name, so that fields keep their owner. */
const fieldManager = 'argocd-server';
const seenMs = 2000;
const nothing: Readonly<Record<string, string>> = Object.freeze({});

/** The instance's objects, read from live copies where there is one; what was written is seen there when a call returns. */
export class FaceInstanceStore implements InstanceStore {
  readonly namespace: string;
  readonly #deps: InstanceStoreDeps;
  readonly #data = new WeakMap<KubeObject, Readonly<Record<string, string>>>();
  #projects: { of: KubeObject[]; list: KubeObject[] } | undefined;

  constructor(deps: InstanceStoreDeps) {
    this.#deps = deps;
    this.namespace = deps.instance.namespace;
  }

  config(name: string): Readonly<Record<string, string>> {
    const { instance } = this.#deps;
    return this.#remembered(instance.configMaps, name, () => configMapData(instance, name));
  }

  secret(name: string): Readonly<Record<string, string>> {
    return this.#remembered(this.#deps.instance.secrets, name, secretData);
  }

  projects(): readonly KubeObject[] {
    const now = this.#deps.projects.list(this.namespace);
    const known = this.#projects;
    if (known && known.of.length === now.length && known.of.every((object, at) => object === now[at]))
      return known.list;
    this.#projects = { of: now, list: now };
    return now;
  }

  async get(kind: InstanceKind, ref: ObjectRef, signal: AbortSignal): Promise<KubeObject | undefined> {
    const resource = await this.#resource(kind, signal);
    return resource && (await this.#deps.kube.get(resource, ref, signal));
  }

  async list(
    kind: InstanceKind,
    options: { namespace?: string | undefined; labelSelector?: string; fieldSelector?: string },
    signal: AbortSignal,
  ): Promise<KubeObject[]> {
    const resource = await this.#resource(kind, signal);
    return resource ? (await this.#deps.kube.list(resource, options, signal)).items : [];
  }

  async create(object: KubeObject, signal: AbortSignal): Promise<KubeObject> {
    return await this.#seen(await this.#deps.kube.create(object, { fieldManager }, signal));
  }

  async replace(object: KubeObject, signal: AbortSignal): Promise<KubeObject> {
    return await this.#seen(await this.#deps.kube.replace(object, { fieldManager }, signal));
  }

  async patch(kind: InstanceKind, ref: ObjectRef, body: JsonObject, signal: AbortSignal): Promise<KubeObject> {
    const resource = await this.#required(kind, signal);
    return await this.#seen(
      await this.#deps.kube.patch(resource, ref, { type: 'merge', body }, { fieldManager }, signal),
    );
  }

  async delete(kind: InstanceKind, ref: ObjectRef, options: DeleteOptions, signal: AbortSignal): Promise<boolean> {
    return await this.#deps.kube.delete(await this.#required(kind, signal), ref, options, signal);
  }

  #remembered(
    informer: Informer,
    name: string,
    read: (object: KubeObject) => Record<string, string>,
  ): Readonly<Record<string, string>> {
    const object = informer.get({ name, namespace: this.namespace });
    if (!object) return nothing;
    const known = this.#data.get(object);
    if (known) return known;
    const data = read(object);
    this.#data.set(object, data);
    return data;
  }

  async #resource(kind: InstanceKind, signal: AbortSignal): Promise<ApiResource | undefined> {
    return await this.#deps.kube.discovery.find({ ...groups[kind], kind }, signal);
  }

  async #required(kind: InstanceKind, signal: AbortSignal): Promise<ApiResource> {
    const resource = await this.#resource(kind, signal);
    if (resource) return resource;
    throw new AppError('not-found', `${this.#deps.kube.server} does not serve ${kind}`, { hint: 'apply deploy/crds' });
  }

  /** The written object, once the live copy has it or something newer. */
  async #seen(written: KubeObject): Promise<KubeObject> {
    const { instance, projects, applications } = this.#deps;
    const informers: Record<string, Informer> = {
      ConfigMap: instance.configMaps,
      Secret: instance.secrets,
      AppProject: projects,
      Application: applications,
    };
    const informer = informers[written.kind];
    const version = Number(written.metadata.resourceVersion);
    if (!informer || Number.isNaN(version)) return written;
    const isThere = () => Number(informer.get(written.metadata)?.metadata.resourceVersion ?? -1) >= version;
    if (isThere()) return written;
    await new Promise<void>((resolve) => {
      const done = () => {
        clearTimeout(late);
        unsubscribe();
        resolve();
      };
      const late = setTimeout(done, seenMs);
      const unsubscribe = informer.subscribe(() => isThere() && done());
    });
    return written;
  }
}
