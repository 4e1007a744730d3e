import type { SelfHealBackoff } from '#apps/auto-sync.ts';
import type { ChartWatch } from '#apps/chart-watch.ts';
import type { Cluster, ClusterChange, Clusters } from '#apps/clusters.ts';
import type { LiveState } from '#apps/live-state.ts';
import { matchesNamespace } from '#apps/namespaces.ts';
import type { ObservationDeps } from '#apps/observation.ts';
import { specProblems } from '#apps/project.ts';
import { projectOf } from '#apps/projects.ts';
import { type ChangedPaths, isUntouched, usersOf } from '#apps/repository-users.ts';
import type { RepositoryWatch } from '#apps/repository-watch.ts';
import type { Clock } from '#base/clock.ts';
import { messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import type { Outcome } from '#base/outcome.ts';
import { WorkQueue } from '#base/work-queue.ts';
import type { ApiResource, Informer, KubeClient, KubeObject } from '#kube/port.ts';
import type { AppProject } from '#model/argocd/app-project.ts';
import type { Application } from '#model/argocd/application.ts';
import { parseApplication } from '#model/argocd/application-schema.ts';
import { annotations, parseQualifiedName, qualifiedName } from '#model/argocd/names.ts';
import type { ArgoSettings } from '#model/argocd/settings.ts';
import type { AuditTrail } from './audit-trail.ts';
import { finalize } from './finalize.ts';
import { reconcile, reportSpecProblems } from './reconcile.ts';
import { newRuntime, type Runtime } from './runtime.ts';

export interface ApplicationControllerDeps {
  home: { kube: KubeClient; live: LiveState };
  clusters: Clusters;
  observation: (cluster: Cluster) => ObservationDeps;
  repositories: RepositoryWatch;
  charts: ChartWatch;
  settings: () => ArgoSettings;
  trail: AuditTrail;
  clock: Clock;
  logger: Logger;
  namespace: string;
  applications: Informer;
  projects: Informer;
  selfHeal: () => SelfHealBackoff;
  reconcileMs: () => number;
}

/** Brings each Application to what Git says, one name at a time, whenever something it depends on moved. */
export class ApplicationController {
  readonly #deps: ApplicationControllerDeps;
  readonly #queue: WorkQueue;
  readonly #runtimes = new Map<string, Runtime>();
  readonly #unsubscribe: (() => void)[] = [];
  readonly #life = new AbortController();
  readonly #ticked = new Set<(name: string) => void>();
  readonly #seen = new Set<string>();
  #reconciles = 0;

  constructor(deps: ApplicationControllerDeps) {
    this.#deps = deps;
    this.#queue = new WorkQueue({
      name: 'applications',
      clock: deps.clock,
      logger: deps.logger,
      concurrency: 8,
      firstBackoffMs: 100,
      maxBackoffMs: 30_000,
      tick: (name, signal) => this.#tick(name, signal),
    });
  }

  /** Starts to follow Applications and what they manage. */
  start(): void {
    const { applications, projects, clusters } = this.#deps;
    this.#unsubscribe.push(
      applications.subscribe((event) => {
        const name = this.#nameOf(event.object);
        if (!this.isFollowed(event.object) && !this.#runtimes.has(name)) return;
        const { resourceVersion } = event.object.metadata;
        const echo =
          event.type === 'upsert' && this.#runtimes.get(name)?.lastWritten?.resourceVersion === resourceVersion;
        if (!echo) this.#queue.add(name);
      }),
      clusters.subscribeLive((change) => {
        for (const name of change.applications) this.#queue.add(name);
      }),
      clusters.subscribe((change) => this.#clustersChanged(change)),
    );
    this.#unsubscribe.push(projects.subscribe(() => this.addAll()));
    this.addAll();
  }

  get resource(): ApiResource {
    return this.#deps.applications.resource;
  }

  /** Looks that ended. */
  get reconciles(): number {
    return this.#reconciles;
  }

  /** Applications that this process has not looked at to the end yet. */
  get unseen(): number {
    return this.list().filter((object) => !this.#seen.has(this.#nameOf(object))).length;
  }

  add(name: string): void {
    this.#queue.add(name);
  }

  /** A repository moved: those that read what changed are looked at, and those about which that is not known. */
  async repositoryMoved(key: string): Promise<void> {
    const { repositories, logger } = this.#deps;
    const changes: ChangedPaths = new Map();
    for (const user of usersOf(this.list(), key)) {
      const name = this.#nameOf(user);
      const memory = this.#runtimes.get(name)?.memory;
      const object = this.find(name);
      try {
        const application = object && parseApplication(object).application;
        if (
          application &&
          memory &&
          (await isUntouched({ repositories }, { application, memory, changes }, this.#life.signal))
        )
          continue;
      } catch (error) {
        logger.debug({ application: name }, `looked at because: ${messageOf(error)}`);
      }
      this.#queue.add(name);
    }
  }

  /** Looks at all that are followed, and lets go of those that are not any more. */
  addAll(): void {
    for (const object of this.list()) this.#queue.add(this.#nameOf(object));
    for (const name of this.#runtimes.keys()) this.#queue.add(name);
  }

  /** The Applications that are followed: those in the instance's namespace, and in those that the settings name. */
  list(): KubeObject[] {
    return this.#deps.applications.list().filter((object) => this.isFollowed(object));
  }

  isFollowed(object: KubeObject): boolean {
    const { namespace, settings } = this.#deps;
    const own = object.metadata.namespace ?? '';
    return own === namespace || matchesNamespace(settings().applicationNamespaces, own);
  }

  /** The object of a qualified name as it was last written by us or seen; undefined when it is not followed. */
  find(name: string): KubeObject | undefined {
    const { group, version, kind } = this.resource;
    const ref = parseQualifiedName(name, this.#deps.namespace);
    const { home, applications } = this.#deps;
    const found = home.live.get({ group, version, kind }, ref) ?? applications.get(ref);
    return found && this.isFollowed(found) ? found : undefined;
  }

  /** Calls back after each tick of any application. */
  onTick(listener: (name: string) => void): () => void {
    this.#ticked.add(listener);
    return () => this.#ticked.delete(listener);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#life.abort();
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    await this.#queue[Symbol.asyncDispose]();
  }

  async #tick(name: string, signal: AbortSignal): Promise<Outcome> {
    const outcome = await this.#look(name, signal);
    this.#reconciles += 1;
    if (this.find(name)) this.#seen.add(name);
    for (const listener of [...this.#ticked]) listener(name);
    return outcome;
  }

  async #look(name: string, signal: AbortSignal): Promise<Outcome> {
    const object = this.find(name);
    if (!object) return await this.#forget(name);
    const { application, problems } = parseApplication(object);
    if (application.metadata.annotations?.[annotations.skipReconcile] === 'true') return { kind: 'done' };
    const runtime = this.#runtimes.get(name) ?? newRuntime();
    this.#runtimes.set(name, runtime);
    if (
      !runtime.known &&
      application.status?.sync === undefined &&
      application.metadata.deletionTimestamp === undefined
    )
      await this.#deps.trail.created(application);
    runtime.known = true;
    if (application.metadata.deletionTimestamp !== undefined) return await this.#delete(object, runtime, signal);
    const input = { application, runtime, resource: this.resource };
    const found = this.#check(application, problems);
    this.#letGo(name, Array.isArray(found) ? undefined : found.cluster);
    if (Array.isArray(found)) return await reportSpecProblems(this.#deps, { ...input, problems: found }, signal);
    return await reconcile(this.#deps, { ...input, ...found }, signal);
  }

  async #forget(name: string): Promise<Outcome> {
    this.#letGo(name, undefined);
    this.#seen.delete(name);
    if (this.#runtimes.delete(name)) await this.#deps.trail.deleted(name);
    this.#queue.forget(name);
    return { kind: 'done' };
  }

  /** In clusters that an application does not go to any more, its objects concern it no more. */
  #letGo(name: string, kept: Cluster | undefined): void {
    for (const cluster of this.#deps.clusters.list()) if (cluster !== kept) cluster.live.claim(name, []);
  }

  /** What keeps an application of this specification from being compared, one sentence each. */
  problemsOf(application: Application): string[] {
    const found = this.#check(application, []);
    return Array.isArray(found) ? found : [];
  }

  /** What is wrong with the spec, or where it leads. */
  #check(application: Application, problems: string[]): string[] | { project: AppProject; cluster: Cluster } {
    if (problems.length > 0) return problems;
    const project = this.projectOf(application);
    if (Array.isArray(project)) return project;
    const { name, namespace = '' } = application.metadata;
    if (namespace !== this.#deps.namespace && !matchesNamespace(project.sourceNamespaces, namespace))
      return [
        `application '${name}' in namespace '${namespace}' is not permitted to use project '${project.name}': its sourceNamespaces do not name that namespace`,
      ];
    const cluster = this.#deps.clusters.resolve(application.spec.destination);
    if ('problem' in cluster) return [cluster.problem];
    const ofProject = (owner: string) => this.#deps.clusters.ofProject(owner);
    const found = specProblems(application, project, { ...cluster.declaration, ofProject });
    return found.length > 0 ? found : { project, cluster };
  }

  /** A cluster came, went, or began or ceased to answer: those that go there are looked at. */
  #clustersChanged({ names }: ClusterChange): void {
    for (const object of this.list()) {
      const { destination } = parseApplication(object).application.spec;
      const named = [destination.name, destination.server?.replace(/\/+$/, '')];
      if (named.some((name) => name !== undefined && names.includes(name))) this.#queue.add(this.#nameOf(object));
    }
  }

  #nameOf(object: KubeObject): string {
    return qualifiedName(object.metadata, this.#deps.namespace);
  }

  /** The project of an application with what global projects add, or what is wrong. */
  projectOf(application: Application): AppProject | string[] {
    const { projects, namespace, settings } = this.#deps;
    const find = (name: string) => projects.get({ name, namespace });
    return projectOf({ find, settings, namespace }, application.spec.project || 'default');
  }

  async #delete(object: KubeObject, runtime: Runtime, signal: AbortSignal): Promise<Outcome> {
    const { application } = parseApplication(object);
    const { clusters } = this.#deps;
    const { server, name } = application.spec.destination;
    const found = clusters.resolve({ server, name });
    const isBroken = clusters
      .unusable()
      .some(({ declaration }) => declaration.server === server?.replace(/\/+$/, '') || declaration.name === name);
    const cluster = 'problem' in found ? (isBroken ? found.problem : undefined) : found;
    const project = this.projectOf(application);
    return await finalize(this.#deps, { application, runtime, resource: this.resource, cluster, project }, signal);
  }
}
