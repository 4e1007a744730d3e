import type { Clusters } from '#apps/clusters.ts';
import type { Instance } from '#apps/instance.ts';
import type { LiveState } from '#apps/live-state.ts';
import { matchesNamespace } from '#apps/namespaces.ts';
import { repositoryKey } from '#apps/repository-key.ts';
import type { RepositoryWatch } from '#apps/repository-watch.ts';
import { projectOf } from '#appsets/generate.ts';
import { ListingMemory } from '#appsets/listing-memory.ts';
import { RenderMemory } from '#appsets/render-memory.ts';
import type { Clock, Entropy } from '#base/clock.ts';
import { isAppError, messageOf } from '#base/errors.ts';
import { getNumber, isObject } from '#base/json.ts';
import type { Logger } from '#base/log.ts';
import { mergePatchBetween } from '#base/merge-patch.ts';
import type { Outcome } from '#base/outcome.ts';
import { WorkQueue } from '#base/work-queue.ts';
import type { Informer, InformerEvent, KubeClient, KubeObject } from '#kube/port.ts';
import { type ApplicationSet, parseApplicationSet } from '#model/argocd/application-set.ts';
import { parseQualifiedName, qualifiedName } from '#model/argocd/names.ts';
import type { ArgoSettings } from '#model/argocd/settings.ts';
import { generatorSources } from './application-set-sources.ts';
import { concernsSet, refreshAnnotation, SetTick } from './application-set-tick.ts';

export interface ApplicationSetControllerDeps {
  home: { kube: KubeClient; live: LiveState };
  clusters: Clusters;
  instance: Instance;
  repositories: RepositoryWatch;
  settings: () => ArgoSettings;
  clock: Clock;
  entropy: Entropy;
  logger: Logger;
  namespace: string;
  sets: Informer;
  applications: Informer;
  projects: Informer;
}

/** What makes the next look at a set short. */
interface SetMemory {
  renders: RenderMemory;
  listings: ListingMemory;
}

/** Changes of state alone are told in the status a moment later, all together; a long status is written less often. */
const stateDelay = { leastMs: 500, perApplicationMs: 3 } as const;
const rolloutDelayMs = 200;

/** Makes the Applications that ApplicationSets generate, one set at a time, whenever something they depend on moved. */
export class ApplicationSetController {
  readonly #deps: ApplicationSetControllerDeps;
  readonly #queue: WorkQueue;
  /** Keys of the repositories that each set's generators read at the last look. */
  readonly #repositories = new Map<string, Set<string>>();
  readonly #memories = new Map<string, SetMemory>();
  readonly #unsubscribe: (() => void)[] = [];
  #looks = 0;

  constructor(deps: ApplicationSetControllerDeps) {
    this.#deps = deps;
    this.#queue = new WorkQueue({
      name: 'application sets',
      clock: deps.clock,
      logger: deps.logger,
      concurrency: 4,
      firstBackoffMs: 500,
      maxBackoffMs: 60_000,
      tick: (name, signal) => this.#tick(name, signal),
    });
  }

  start(): void {
    const { sets, applications, projects, clusters } = this.#deps;
    this.#unsubscribe.push(
      sets.subscribe((event) => this.#setChanged(event)),
      applications.subscribe((event) => this.#applicationChanged(event)),
      projects.subscribe(() => this.addAll()),
      clusters.subscribe(() => this.addAll()),
      this.#deps.instance.secrets.subscribe(({ object }) => {
        if (object.metadata.labels?.['argocd.argoproj.io/secret-type'] === 'cluster') this.addAll();
      }),
    );
    this.addAll();
  }

  /** Looks that ended. */
  get looks(): number {
    return this.#looks;
  }

  list(): KubeObject[] {
    return this.#deps.sets.list().filter((object) => this.#isFollowed(object));
  }

  addAll(): void {
    for (const object of this.list()) this.#queue.add(this.#nameOf(object));
  }

  /** A repository moved: the sets whose generators read it are looked at. */
  repositoryMoved(key: string): void {
    for (const [name, keys] of this.#repositories) if (keys.has(key)) this.#queue.add(name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    await this.#queue[Symbol.asyncDispose]();
  }

  #nameOf(object: KubeObject): string {
    return qualifiedName(object.metadata, this.#deps.namespace);
  }

  #isFollowed(object: KubeObject): boolean {
    const { namespace = '' } = object.metadata;
    return (
      namespace === this.#deps.namespace ||
      matchesNamespace(this.#deps.settings().applicationSets.namespaces, namespace)
    );
  }

  #setChanged(event: InformerEvent): void {
    const { object } = event;
    if (!this.#isFollowed(object)) return;
    if (event.type === 'delete') {
      this.#queue.add(this.#nameOf(object));
      return;
    }
    const shape = ({ metadata, spec }: KubeObject) => ({
      spec,
      labels: metadata.labels ?? {},
      annotations: metadata.annotations ?? {},
      finalizers: metadata.finalizers ?? [],
      deleted: metadata.deletionTimestamp ?? '',
      uid: metadata.uid ?? '',
    });
    const { previous } = event;
    if (!previous || mergePatchBetween(shape(previous), shape(object)) !== undefined) {
      const asked = (one: KubeObject | undefined) => one?.metadata.annotations?.[refreshAnnotation] !== undefined;
      const onlyAnswered =
        previous &&
        asked(previous) &&
        !asked(object) &&
        mergePatchBetween(previous['spec'], object['spec']) === undefined;
      if (!onlyAnswered) this.#queue.add(this.#nameOf(object));
      return;
    }
    const phases = (one: KubeObject) => (isObject(one['status']) ? one['status']['applicationStatus'] : undefined);
    if (mergePatchBetween({ at: phases(previous) }, { at: phases(object) }) !== undefined)
      this.#queue.add(this.#nameOf(object));
  }

  #applicationChanged(event: InformerEvent): void {
    const { object } = event;
    const owner = object.metadata.ownerReferences?.find(({ controller }) => controller === true);
    if (owner?.kind !== 'ApplicationSet') return;
    const name = qualifiedName({ name: owner.name, namespace: object.metadata.namespace }, this.#deps.namespace);
    if (event.type === 'delete') {
      this.#queue.add(name);
      return;
    }
    const concern = concernsSet(object, event.previous);
    const { progressiveSyncs } = this.#deps.settings().applicationSets;
    if (concern === 'at once') this.#queue.add(name);
    if (concern === 'soon') this.#queue.addAfter(name, progressiveSyncs ? rolloutDelayMs : this.#stateDelayMs(name));
  }

  #stateDelayMs(name: string): number {
    const { sets, namespace } = this.#deps;
    const count = getNumber(sets.get(parseQualifiedName(name, namespace)), 'status', 'resourcesCount') ?? 0;
    return Math.max(stateDelay.leastMs, count * stateDelay.perApplicationMs);
  }

  /** Each as it was last written by us or seen. */
  #applications(namespace: string, names: ReadonlySet<string>): KubeObject[] {
    const { applications, home } = this.#deps;
    const { group, version, kind } = applications.resource;
    const known = new Set(applications.list(namespace).map(({ metadata }) => metadata.name));
    return [...known, ...[...names].filter((name) => name !== '' && !known.has(name))]
      .map((name) => home.live.get({ group, version, kind }, { name, namespace }))
      .filter((object) => object !== undefined);
  }

  async #tick(name: string, signal: AbortSignal): Promise<Outcome> {
    const { sets, namespace, home, settings, clock, logger, clusters, projects, applications } = this.#deps;
    const object = sets.get(parseQualifiedName(name, namespace));
    if (!object || !this.#isFollowed(object)) {
      this.#repositories.delete(name);
      this.#memories.delete(name);
      this.#queue.forget(name);
      return { kind: 'done' };
    }
    const { set, problems } = parseApplicationSet(object);
    const used = new Set<string>();
    const memory = this.#memories.get(name) ?? { renders: new RenderMemory(), listings: new ListingMemory() };
    this.#memories.set(name, memory);
    const sources = generatorSources({ ...this.#deps, kube: home.kube }, used, memory.listings);
    if (set.metadata.annotations?.[refreshAnnotation] !== undefined) await this.#refetch(set, signal);
    const problemOf = (destination: unknown) => {
      const found = clusters.resolve(isObject(destination) ? destination : {});
      return 'problem' in found ? found.problem : undefined;
    };
    const tick = new SetTick(
      {
        kube: home.kube,
        setResource: sets.resource,
        applicationResource: applications.resource,
        sources,
        settings,
        clock,
        logger,
        applications: (where, generated) => this.#applications(where, generated),
        projectExists: (project) => projects.get({ name: project, namespace }) !== undefined,
        destinationProblem: problemOf,
        noteWritten: (written) => home.live.noteWritten(written),
        memory: memory.renders,
      },
      set,
      signal,
    );
    try {
      return await tick.run(problems);
    } catch (error) {
      // Somebody else wrote the set meanwhile: its event brings the next look.
      if (isAppError(error, 'conflict') || isAppError(error, 'not-found')) return { kind: 'done', recheckAfterMs: 200 };
      throw error;
    } finally {
      this.#looks += 1;
      this.#repositories.set(name, used);
    }
  }

  /** A person or a webhook asked: what Git has now counts. */
  async #refetch(set: ApplicationSet, signal: AbortSignal): Promise<void> {
    const project = projectOf(set);
    for (const url of repositoriesIn(set.spec.generators)) {
      try {
        await this.#deps.repositories.refresh({ url, project }, signal);
      } catch (error) {
        // What is known serves; the generator says what is wrong when nothing is.
        this.#deps.logger.info({ repository: repositoryKey(url) }, messageOf(error));
      }
    }
  }
}

/** The addresses in git generators, nested ones too, that are not templates. */
function repositoriesIn(value: unknown): Set<string> {
  const found = new Set<string>();
  const visit = (item: unknown) => {
    if (Array.isArray(item)) item.forEach(visit);
    if (!isObject(item)) return;
    const url = isObject(item['git']) ? item['git']['repoURL'] : undefined;
    if (typeof url === 'string' && !url.includes('{{')) found.add(url);
    Object.values(item).forEach(visit);
  };
  visit(value);
  return found;
}

/** Follows ApplicationSets from now on. Resolves when all are known. */
export async function startApplicationSets(
  deps: ApplicationSetControllerDeps,
  signal: AbortSignal,
): Promise<ApplicationSetController> {
  await deps.sets.whenSynced(signal);
  const controller = new ApplicationSetController(deps);
  controller.start();
  return controller;
}
