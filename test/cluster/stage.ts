import { setTimeout as delay } from 'node:timers/promises';
import { type ApiResource, type KubeObject, kindOf } from '#kube/port.ts';
import type { Application } from '#model/argocd/application.ts';
import { testClock } from '../clock.ts';
import type { Write } from '../counting-client.ts';
import type { Suite } from './suite.ts';

export const inCluster = 'https://kubernetes.default.svc';
const finalizer = 'resources-finalizer.argocd.argoproj.io';

export const isSynced = (application: Application): boolean =>
  application.status?.sync?.status === 'Synced' &&
  application.operation === undefined &&
  application.status?.operationState?.phase !== 'Running';

/** What one case has of the cluster: names that no other uses, and everything it made taken away at its end. */
export class Stage implements AsyncDisposable {
  readonly suite: Suite;
  /** Names the case's namespace, its repository and its application. */
  readonly name: string;
  readonly #namespaces: string[] = [];
  readonly #applications = new Set<string>();
  readonly #left: KubeObject[] = [];
  readonly #repositories = new Set<string>();

  constructor(suite: Suite, name: string) {
    this.suite = suite;
    this.name = name;
  }

  async createNamespace(name: string): Promise<void> {
    await this.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
    this.#namespaces.push(name);
  }

  /** A push of files (null removes) to the case's repository; objects are written as JSON, which is YAML too. */
  commit(files: Record<string, string | null | object | object[]>, repository = this.name): string {
    const { git } = this.suite;
    if (!this.#repositories.has(repository)) git.create(repository);
    this.#repositories.add(repository);
    const text = (content: string | null | object) =>
      content === null || typeof content === 'string'
        ? content
        : [content]
            .flat()
            .map((document) => JSON.stringify(document))
            .join('\n---\n');
    const entries = Object.entries(files).map(([path, content]) => [path, text(content)] as const);
    const commit = git.commit(repository, Object.fromEntries(entries));
    this.suite.running.engine.repositoryChanged(git.url(repository), 'push');
    return commit;
  }

  url(repository = this.name): string {
    return this.suite.git.url(repository);
  }

  /** Creates or changes an Application of the case's repository; `spec` is laid over the usual one. */
  async application(
    spec: Record<string, unknown> = {},
    options: { name?: string; metadata?: Record<string, unknown>; cascade?: boolean } = {},
  ): Promise<string> {
    const { name = this.name, metadata = {}, cascade = true } = options;
    this.#applications.add(name);
    await this.apply({
      apiVersion: 'argoproj.io/v1alpha1',
      kind: 'Application',
      metadata: { name, namespace: this.suite.instance, ...(cascade ? { finalizers: [finalizer] } : {}), ...metadata },
      spec: {
        project: 'default',
        ...(spec['sources'] === undefined ? { source: { repoURL: this.url(), path: '.' } } : {}),
        destination: { server: inCluster, namespace: this.name },
        ...spec,
      },
    });
    return name;
  }

  /** An Application that the case makes by other means: it is deleted at the end too. */
  adopt(name: string): void {
    this.#applications.add(name);
  }

  /** Asks for a sync as a person would, and gives the application when the operation has ended. */
  async sync(request: Parameters<Suite['running']['engine']['sync']>[1] = {}, name = this.name): Promise<Application> {
    const signal = AbortSignal.timeout(30_000);
    await this.untilApplication((app) => app.status?.sync !== undefined && app.operation === undefined, name);
    const { engine } = this.suite.running;
    await engine.sync(name, request, { kind: 'user', name: 'suite' }, signal);
    return await engine.whenSettled(name, signal);
  }

  async untilApplication(accept: (application: Application) => boolean, name = this.name): Promise<Application> {
    const look = () =>
      this.suite.running.engine.list().find((application) => application.metadata.name === name) ?? null;
    const found = await this.until(`application ${name}`, look, (app) => app !== null && accept(app));
    if (!found) throw new Error('unreachable');
    return found;
  }

  /** The application once it is Synced with nothing under way, and looked at again after that. */
  async untilSynced(name = this.name): Promise<Application> {
    await this.untilApplication(isSynced, name);
    return await this.suite.running.engine.whenSettled(name, AbortSignal.timeout(30_000));
  }

  /** Objects the engine wrote in the case's namespaces, or its applications, since `from`. */
  writesSince(from: number): Write[] {
    return this.suite.writes
      .slice(from)
      .filter(
        ({ namespace, name }) =>
          (namespace !== undefined && this.#namespaces.includes(namespace)) ||
          this.#applications.has(name) ||
          this.#namespaces.includes(name),
      );
  }

  get writeCount(): number {
    return this.suite.writes.length;
  }

  async apply(object: KubeObject): Promise<KubeObject> {
    return await this.suite.kube.apply(object, { fieldManager: 'suite', force: true }, AbortSignal.timeout(20_000));
  }

  /** An object outside the case's namespaces, deleted at its end. */
  async applyForNow(object: KubeObject): Promise<void> {
    this.leave(object);
    await this.apply(object);
  }

  /** Something that the case makes appear outside its namespaces, to be deleted at its end. */
  leave(object: KubeObject): void {
    this.#left.push(object);
  }

  async get(apiVersion: string, kind: string, name: string, namespace = this.name): Promise<KubeObject | undefined> {
    const resource = await this.#resource({ apiVersion, kind });
    const ref = resource?.namespaced ? { name, namespace } : { name };
    return resource && (await this.suite.kube.get(resource, ref, AbortSignal.timeout(20_000)));
  }

  async list(apiVersion: string, kind: string, namespace = this.name): Promise<KubeObject[]> {
    const resource = await this.#resource({ apiVersion, kind });
    if (!resource) return [];
    return (await this.suite.kube.list(resource, { namespace }, AbortSignal.timeout(20_000))).items;
  }

  /** A merge patch by hand, of `status` or another part when it is named. */
  async patch(
    object: { apiVersion: string; kind: string; name: string; namespace?: string },
    body: unknown,
    subresource?: string,
  ): Promise<KubeObject> {
    const resource = await this.#resource(object);
    if (!resource) throw new Error(`the cluster does not serve ${object.kind} of ${object.apiVersion}`);
    const { name, namespace = this.name } = object;
    return await this.suite.kube.patch(
      resource,
      resource.namespaced ? { name, namespace } : { name },
      { type: 'merge', body },
      { fieldManager: 'kubectl-edit', subresource },
      AbortSignal.timeout(20_000),
    );
  }

  async delete(apiVersion: string, kind: string, name: string, namespace = this.name): Promise<void> {
    const resource = await this.#resource({ apiVersion, kind });
    if (!resource) return;
    const ref = resource.namespaced ? { name, namespace } : { name };
    await this.suite.kube.delete(resource, ref, {}, AbortSignal.timeout(20_000));
  }

  /** Looks until it holds; fails with what was seen last. */
  async until<T>(
    what: string,
    look: () => T | Promise<T>,
    accept: (value: T) => boolean,
    patienceMs = 30_000,
  ): Promise<T> {
    const deadline = testClock.now() + patienceMs;
    for (;;) {
      const value = await look();
      if (accept(value)) return value;
      if (testClock.now() > deadline)
        throw new Error(`${what}: not in ${patienceMs} ms; last seen: ${JSON.stringify(value)?.slice(0, 3000)}`);
      await delay(20);
    }
  }

  async gone(apiVersion: string, kind: string, name: string, namespace = this.name): Promise<void> {
    const look = async () => (await this.get(apiVersion, kind, name, namespace)) ?? null;
    await this.until(`${kind} ${name} gone`, look, (object) => object === null);
  }

  async exists(apiVersion: string, kind: string, name: string, namespace = this.name): Promise<KubeObject> {
    const look = async () => (await this.get(apiVersion, kind, name, namespace)) ?? null;
    const found = await this.until(`${kind} ${name}`, look, (object) => object !== null);
    if (!found) throw new Error('unreachable');
    return found;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const name of this.#applications)
      await this.#release('argoproj.io/v1alpha1', 'Application', name, this.suite.instance);
    for (const object of this.#left.toReversed())
      await this.delete(object.apiVersion, object.kind, object.metadata.name, object.metadata.namespace);
    for (const name of this.#namespaces) await this.delete('v1', 'Namespace', name);
  }

  /** Deletes an object whatever it waits for. */
  async #release(apiVersion: string, kind: string, name: string, namespace: string): Promise<void> {
    const live = await this.get(apiVersion, kind, name, namespace);
    if (!live) return;
    if ((live.metadata.finalizers ?? []).length > 0)
      await this.patch({ apiVersion, kind, name, namespace }, { metadata: { finalizers: null } });
    await this.delete(apiVersion, kind, name, namespace);
  }

  async #resource(object: { apiVersion: string; kind: string }): Promise<ApiResource | undefined> {
    const { discovery } = this.suite.kube;
    const signal = AbortSignal.timeout(20_000);
    return (await discovery.find(kindOf(object), signal)) ?? (await this.#resourceAfresh(object, signal));
  }

  async #resourceAfresh(object: { apiVersion: string; kind: string }, signal: AbortSignal) {
    this.suite.kube.discovery.invalidate();
    return await this.suite.kube.discovery.find(kindOf(object), signal);
  }
}
