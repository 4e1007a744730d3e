import { type ChartWatch, isChartSource } from '#apps/chart-watch.ts';
import type { Cluster, Clusters } from '#apps/clusters.ts';
import { type Comparison, compareApplication } from '#apps/comparison.ts';
import type { Instance } from '#apps/instance.ts';
import type { LiveState } from '#apps/live-state.ts';
import { managedResourceOf, manifestTexts } from '#apps/managed-resources.ts';
import { kindsOf, type ObservationDeps, targetOf } from '#apps/observation.ts';
import { isInProgress } from '#apps/operation-state.ts';
import type {
  ApplicationEngine,
  ApplicationEvent,
  ManagedResource,
  ResourceNode,
  RollbackResult,
  SyncRequest,
} from '#apps/port.ts';
import { repositoryKey } from '#apps/repository-key.ts';
import { usersOf } from '#apps/repository-users.ts';
import type { RepositoryWatch } from '#apps/repository-watch.ts';
import { rollBack } from '#apps/rollback.ts';
import { repositoryOf, sourcesOf, type Target } from '#apps/target.ts';
import { buildTree, ownedKinds } from '#apps/tree.ts';
import type { Clock } from '#base/clock.ts';
import { AppError, isAppError } from '#base/errors.ts';
import { getObject, type JsonObject } from '#base/json.ts';
import { retry } from '#base/retry.ts';
import type { Informer, KubeClient, KubeObject } from '#kube/port.ts';
import type { Application, Operation } from '#model/argocd/application.ts';
import { parseApplication } from '#model/argocd/application-schema.ts';
import { annotations, parseQualifiedName, qualifiedName, statusManager } from '#model/argocd/names.ts';
import type { RepositoryAccessSource } from '#model/argocd/repository-access.ts';
import type { ArgoSettings } from '#model/argocd/settings.ts';
import type { Actor, AuditLog } from '#trace/event.ts';
import type { ApplicationController } from '../application-controller.ts';

export interface EngineFaceDeps {
  home: { kube: KubeClient; live: LiveState };
  clusters: Clusters;
  observation: (cluster: Cluster) => ObservationDeps;
  controller: ApplicationController;
  applications: Informer;
  settings: () => ArgoSettings;
  instance: Instance;
  access: RepositoryAccessSource;
  repositories: RepositoryWatch;
  charts: ChartWatch;
  audit: AuditLog;
  namespace: string;
  clock: Clock;
}

/** Another writer was first; our own refusals are conflicts too, but final. */
function isLostRace(error: unknown): boolean {
  return isAppError(error, 'conflict') && /object has been modified/.test(error.message);
}

function syncOperation(application: Application, request: SyncRequest, actor: Actor): Operation {
  const { syncOptions, retry: retryStrategy } = application.spec.syncPolicy ?? {};
  return {
    sync: {
      ...(request.revision === undefined ? {} : { revision: request.revision }),
      prune: request.prune ?? false,
      ...(request.dryRun ? { dryRun: true } : {}),
      ...(request.resources
        ? {
            resources: request.resources.map(({ namespace, ...key }) =>
              namespace === undefined ? key : { ...key, namespace },
            ),
          }
        : {}),
      ...(syncOptions ? { syncOptions } : {}),
    },
    initiatedBy: { username: actor.name },
    ...(retryStrategy ? { retry: retryStrategy } : {}),
  };
}

/** What the server, the command line and the page ask of the engine. */
export class EngineFace implements ApplicationEngine {
  readonly #deps: EngineFaceDeps;

  constructor(deps: EngineFaceDeps) {
    this.#deps = deps;
  }

  list(): Application[] {
    const { controller, namespace } = this.#deps;
    return controller
      .list()
      .map((object) => this.#parse(object))
      .sort((a, b) => (qualifiedName(a.metadata, namespace) < qualifiedName(b.metadata, namespace) ? -1 : 1));
  }

  get(name: string): Application {
    const object = this.#deps.controller.find(name);
    if (object) return this.#parse(object);
    const names = this.list().map(({ metadata }) => qualifiedName(metadata, this.#deps.namespace));
    throw new AppError('not-found', `there is no application ${name}`, {
      hint: names.length > 0 ? `there are: ${names.join(', ')}` : 'there are no applications yet: apply one',
    });
  }

  subscribe(listener: (event: ApplicationEvent) => void): () => void {
    return this.#deps.applications.subscribe((event) => {
      if (!this.#deps.controller.isFollowed(event.object)) return;
      listener({ type: event.type, application: this.#parse(event.object) });
    });
  }

  async managedResources(
    name: string,
    signal: AbortSignal,
    options: { states?: boolean } = {},
  ): Promise<ManagedResource[]> {
    const { comparison } = await this.#compare(name, { withPrediction: true }, signal);
    const { sensitiveAnnotations: sensitive } = this.#deps.settings().compare;
    return comparison.resources.map((resource) => managedResourceOf(resource, { ...options, sensitive }));
  }

  /** What nobody has in the application's namespace, where its project asks for it. */
  async orphans(name: string, signal: AbortSignal): Promise<ResourceNode[]> {
    const project = this.#deps.controller.projectOf(this.get(name));
    if (Array.isArray(project) || project.orphanedResources === undefined) return [];
    const { comparison, assess } = await this.#compare(name, { withPrediction: false }, signal);
    const { orphans = [] } = comparison;
    const roots = orphans.filter(({ metadata }) => (metadata.ownerReferences ?? []).length === 0);
    return buildTree(roots, orphans, assess);
  }

  async #compare(
    name: string,
    options: { withPrediction: boolean },
    signal: AbortSignal,
  ): Promise<{ comparison: Comparison; assess: ObservationDeps['assess'] }> {
    const application = this.get(name);
    const cluster = await this.clusterOf(application, signal);
    const target = await this.#target(application, undefined, signal);
    await cluster.live.watch(kindsOf(application, target), signal);
    const observation = this.#deps.observation(cluster);
    const comparison = await compareApplication(observation, application, target, options, signal);
    return { comparison, assess: observation.assess };
  }

  async tree(name: string, signal: AbortSignal): Promise<ResourceNode[]> {
    const application = this.get(name);
    const cluster = await this.clusterOf(application, signal);
    const { live } = cluster;
    await live.watch([...kindsOf(application, undefined), ...ownedKinds], signal);
    const roots = live.trackedBy(name).filter((object) => (object.metadata.ownerReferences ?? []).length === 0);
    return buildTree(roots, live.all(ownedKinds), this.#deps.observation(cluster).assess);
  }

  async manifests(name: string, revisions: string[] | undefined, signal: AbortSignal): Promise<string[]> {
    const application = this.get(name);
    const target = await this.#target(application, revisions, signal);
    const { sensitiveAnnotations } = this.#deps.settings().compare;
    return manifestTexts([...target.resources.map(({ object }) => object), ...target.hooks], sensitiveAnnotations);
  }

  async sync(name: string, request: SyncRequest, actor: Actor, signal: AbortSignal): Promise<Application> {
    return await this.operate(name, (application) => syncOperation(application, request, actor), signal);
  }

  async operate(
    name: string,
    decide: (application: Application) => Operation,
    signal: AbortSignal,
  ): Promise<Application> {
    return await this.#change(
      name,
      (application) => {
        if (application.operation || isInProgress(application.status?.operationState))
          throw new AppError('conflict', `another operation is already in progress for application ${name}`, {
            hint: 'wait for it to end, or terminate it',
          });
        return { operation: decide(application) };
      },
      signal,
    );
  }

  async whenSettled(name: string, signal: AbortSignal): Promise<Application> {
    this.get(name);
    return await this.#afterTick(name, { idle: true, accept: () => true }, signal);
  }

  async refresh(name: string, level: 'normal' | 'hard', signal: AbortSignal): Promise<Application> {
    const pending = (application: Application) => application.metadata.annotations?.[annotations.refresh] !== undefined;
    await this.#change(name, () => ({ metadata: { annotations: { [annotations.refresh]: level } } }), signal);
    // What is being deleted, or syncs for long, was looked at all the same.
    const accept = (application: Application) =>
      application.metadata.deletionTimestamp !== undefined || !pending(application);
    return await this.#afterTick(name, { idle: false, accept }, signal);
  }

  async terminate(name: string, signal: AbortSignal): Promise<void> {
    await this.#change(
      name,
      (application) => {
        if (isInProgress(application.status?.operationState))
          return { status: { operationState: { phase: 'Terminating' } } };
        throw new AppError('conflict', `application ${name} has no operation to terminate: none is in progress`);
      },
      signal,
    );
  }

  async rollback(
    name: string,
    options: { to?: number | undefined },
    actor: Actor,
    signal: AbortSignal,
  ): Promise<RollbackResult> {
    const { repositories, audit } = this.#deps;
    const application = this.get(name);
    const sources = sourcesOf(application);
    const [source] = sources;
    if (!source || sources.length > 1)
      throw new AppError('unsupported', `application ${name} has ${sources.length} sources; rollback works on one`, {
        hint: 'revert in the repository that holds the change',
      });
    if (isChartSource(source))
      throw new AppError(
        'unsupported',
        `application ${name} is rendered from a chart, and no commit brought its change`,
        {
          hint: 'set spec.source.targetRevision to the earlier version',
        },
      );
    const repository = repositoryOf(application, source);
    await repositories.refresh(repository, signal);
    const target = await this.#target(application, undefined, signal);
    const { mirror } = await repositories.open(repository, signal);
    const request = {
      application,
      mirror,
      targetRevision: source.targetRevision ?? 'HEAD',
      inputs: target.inputs[0] ?? { paths: [], unread: undefined },
      to: options.to,
      actor,
    };
    const result = await rollBack(request, signal);
    await audit.record({
      kind: 'rollback',
      actor,
      cause: 'rollback request',
      application: name,
      environment: application.spec.destination.namespace,
      repository: source.repoURL,
      commit: result.commit,
      message: `${result.message} in Git`,
      detail: { reverted: result.reverted, to: options.to },
    });
    repositories.request(repositoryKey(source.repoURL));
    return result;
  }

  repositoryChanged(url: string, _cause: string): string[] {
    const key = repositoryKey(url);
    this.#deps.repositories.request(key);
    this.#deps.charts.request(key);
    return usersOf(this.#deps.controller.list(), key).map(({ metadata }) =>
      qualifiedName(metadata, this.#deps.namespace),
    );
  }

  /** Patches an application, on condition that it is still what `body` was decided from; decides again when it is not. */
  async #change(
    name: string,
    body: (application: Application) => JsonObject,
    signal: AbortSignal,
  ): Promise<Application> {
    const { home, controller, namespace, clock } = this.#deps;
    const { kube, live } = home;
    const ref = parseQualifiedName(name, namespace);
    let application = this.get(name);
    const written = await retry(
      { clock, signal, attempts: 6, firstDelayMs: 5, retryIf: isLostRace },
      async (tryNumber) => {
        if (tryNumber > 1) {
          const current = await kube.get(controller.resource, ref, signal);
          if (!current) throw new AppError('not-found', `application ${name} was deleted`);
          application = this.#parse(current);
        }
        const wanted = body(application);
        const metadata = { ...getObject(wanted, 'metadata'), resourceVersion: application.metadata.resourceVersion };
        const patch = { type: 'merge' as const, body: { ...wanted, metadata } };
        return await kube.patch(controller.resource, ref, patch, { fieldManager: statusManager }, signal);
      },
    );
    live.noteWritten(written);
    controller.add(name);
    return this.#parse(written);
  }

  #parse(object: KubeObject): Application {
    return parseApplication(object).application;
  }

  async #target(application: Application, revisions: string[] | undefined, signal: AbortSignal): Promise<Target> {
    const observation = this.#deps.observation(await this.clusterOf(application, signal));
    return await targetOf(observation, application, { memory: { targets: new Map() }, revisions }, signal);
  }

  /** The cluster that an application goes to. Throws why it cannot be used. */
  async clusterOf(application: Application, signal: AbortSignal): Promise<Cluster> {
    const cluster = this.#deps.clusters.resolve(application.spec.destination);
    if ('problem' in cluster) throw new AppError('bad-input', cluster.problem, { hint: 'correct spec.destination' });
    await cluster.require(signal);
    return cluster;
  }

  /** The application after a tick that began after this call and, where it has to be idle, left no operation behind. */
  async #afterTick(
    name: string,
    { idle, accept }: { idle: boolean; accept: (application: Application) => boolean },
    signal: AbortSignal,
  ): Promise<Application> {
    const { controller } = this.#deps;
    return await new Promise<Application>((resolve, reject) => {
      const done = (finish: () => void) => {
        unsubscribe();
        signal.removeEventListener('abort', onAbort);
        finish();
      };
      const onAbort = () =>
        done(() =>
          reject(new AppError('canceled', `stopped waiting for application ${name}`, { cause: signal.reason })),
        );
      let ticks = 0;
      const unsubscribe = controller.onTick((ticked) => {
        if (ticked !== name) return;
        ticks += 1;
        const object = controller.find(name);
        if (!object) return done(() => reject(new AppError('not-found', `application ${name} was deleted`)));
        const application = this.#parse(object);
        const busy = application.operation !== undefined || isInProgress(application.status?.operationState);
        // The first tick to end may have begun before this call.
        if (ticks >= 2 && !(idle && busy) && accept(application)) return done(() => resolve(application));
        if (!busy || (!idle && ticks < 2)) controller.add(name);
      });
      signal.addEventListener('abort', onAbort, { once: true });
      if (signal.aborted) return onAbort();
      controller.add(name);
    });
  }
}
