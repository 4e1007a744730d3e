import { join } from 'node:path';
import type { Clock, Entropy } from '#base/clock.ts';
import { messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import { assessor } from '#health/assess.ts';
import { createKubeClient } from '#kube/client.ts';
import { clusterTarget } from '#kube/cluster-config.ts';
import { createInformerSet } from '#kube/informer.ts';
import type { InformerSet, KubeClient } from '#kube/port.ts';
import type { KubeTarget } from '#kube/target.ts';
import { inClusterName, inClusterServer } from '#model/argocd/names.ts';
import type { ArgoSettings } from '#model/argocd/settings.ts';
import { Comparer } from '#sync/comparer.ts';
import { AcceptedShapes } from '#sync/dry-run.ts';
import { isIgnoredUpdate } from '#sync/ignore-updates.ts';
import type { TypeKnowledge } from '#sync/type-knowledge.ts';
import { VerdictStore } from '#sync/verdicts.ts';
import { type ClusterDeclaration, connectionId, ownCluster, parseClusterSecret } from './cluster-declaration.ts';
import { ClusterReach, type ClusterState } from './cluster-reach.ts';
import { type ClusterVersionSource, clusterVersions } from './cluster-versions.ts';
import { type Instance, secretsOfType } from './instance.ts';
import { type LiveChange, LiveState } from './live-state.ts';
import { isExcluded } from './resource-filter.ts';

/** One cluster that applications go to, with what is known of it. */
export interface Cluster {
  readonly declaration: ClusterDeclaration;
  readonly kube: KubeClient;
  readonly informers: InformerSet;
  readonly live: LiveState;
  readonly comparer: Comparer;
  /** What its schemas are known to accept. */
  readonly accepted: AcceptedShapes;
  readonly types: TypeKnowledge | undefined;
  readonly versions: ClusterVersionSource;
  readonly state: ClusterState;
  /** Resolves while the cluster can be used; throws why not. */
  require(signal: AbortSignal): Promise<void>;
  /** A request failed: whether the cluster is there is asked at once. */
  suspect(): void;
  /** Forgets which kinds the cluster serves. */
  kindsChanged(): void;
}

export interface ClustersDeps {
  /** The cluster of the instance itself. */
  home: { kube: KubeClient; informers: InformerSet };
  instance: Instance;
  settings: () => ArgoSettings;
  clock: Clock;
  entropy: Entropy;
  logger: Logger;
  /** Comparisons are kept below it. */
  cacheDir: string;
  types?: TypeKnowledge | undefined;
  /** Makes the client of a declared cluster; by default as its Secret says. */
  connect?: (declaration: ClusterDeclaration) => Promise<KubeClient>;
}

interface Entry {
  id: string;
  cluster: Cluster;
  [Symbol.asyncDispose](): Promise<void>;
}

export interface ClusterChange {
  /** Servers and names of clusters that came, went or changed how they are reached. */
  names: string[];
}

const homeKey = '';

/**
 * The clusters that applications may go to: the instance's own, and those that Secrets declare. A Secret that is added,
 * changed or deleted takes effect at once; a cluster that cannot be reached holds up only those who need it.
 */
export class Clusters {
  readonly #deps: ClustersDeps;
  readonly #entries = new Map<string, Entry>();
  /** Declarations that cannot be used, by Secret. */
  readonly #broken = new Map<string, { id: string; declaration: ClusterDeclaration; message: string }>();
  readonly #listeners = new Set<(change: ClusterChange) => void>();
  readonly #liveListeners = new Set<(change: LiveChange, cluster: Cluster) => void>();
  readonly #unsubscribe: () => void;
  /** Labels and projects change without a new connection. */
  readonly #declarations = new Map<string, ClusterDeclaration>();
  #updating: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(deps: ClustersDeps) {
    this.#deps = deps;
    this.#unsubscribe = deps.instance.secrets.subscribe(() => this.#updateSoon());
  }

  /** Opens the own cluster and those declared; does not wait until these answer. */
  async start(): Promise<void> {
    const { kube, informers } = this.#deps.home;
    this.#entries.set(homeKey, await this.#open(homeKey, ownCluster, { kube, informers, owned: false }));
    this.#updateSoon();
    await this.#updating;
  }

  /** The instance's own. */
  get home(): Cluster {
    const entry = this.#entries.get(homeKey);
    if (!entry) throw new Error('the clusters were not started');
    return entry.cluster;
  }

  /** The own one first, the others in the order of their Secrets' names. */
  list(): Cluster[] {
    const sorted = [...this.#entries].sort(([a], [b]) => (a < b ? -1 : 1));
    const all = sorted.map(([, { cluster }]) => cluster);
    return this.#deps.settings().inClusterEnabled ? all : all.filter((cluster) => cluster !== this.home);
  }

  /** Those whose Secret names a project. */
  ofProject(project: string): ClusterDeclaration[] {
    const all = this.list().map(({ declaration }) => declaration);
    return all.filter((declaration) => declaration.project === project);
  }

  /** Clusters whose declaration cannot be used, with the reason. */
  unusable(): { declaration: ClusterDeclaration; message: string }[] {
    return [...this.#broken.values()].map(({ declaration, message }) => ({ declaration, message }));
  }

  /** The cluster that a destination names, else what is wrong, in Argo CD's words. */
  resolve(destination: { server?: string | undefined; name?: string | undefined }): Cluster | { problem: string } {
    const { server, name } = destination;
    if (server && name)
      return { problem: `application destination can't have both name and server defined: ${name} ${server}` };
    if (server) return this.#byServer(server.replace(/\/+$/, ''));
    if (name) return this.#byName(name);
    return { problem: 'Destination server missing from app spec: set spec.destination.server or name' };
  }

  subscribe(listener: (change: ClusterChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Of every cluster, those to come too. */
  subscribeLive(listener: (change: LiveChange, cluster: Cluster) => void): () => void {
    this.#liveListeners.add(listener);
    return () => this.#liveListeners.delete(listener);
  }

  /** What objects are whose is read from them in another way now. */
  settingsChanged(): void {
    for (const { cluster } of this.#entries.values()) cluster.live.settingsChanged();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.#unsubscribe();
    await this.#updating;
    this.#listeners.clear();
    this.#liveListeners.clear();
    await Promise.all([...this.#entries.values()].map((entry) => entry[Symbol.asyncDispose]()));
  }

  #byServer(server: string): Cluster | { problem: string } {
    const isHome = server === inClusterServer;
    if (isHome && !this.#deps.settings().inClusterEnabled) return { problem: `cluster "${server}" is disabled` };
    if (isHome) return this.home;
    const found = this.list().find(({ declaration }) => declaration.server === server);
    if (found) return found;
    if (server === this.home.kube.server.replace(/\/+$/, '') && this.#deps.settings().inClusterEnabled)
      return this.home;
    return this.#unknown(
      ({ declaration }) => declaration.server === server,
      `error getting cluster by server "${server}": cluster "${server}" not found`,
    );
  }

  #byName(name: string): Cluster | { problem: string } {
    const found = this.list().filter(({ declaration }) => declaration.name === name);
    const [first] = found;
    if (first && found.length === 1) return first;
    if (first)
      return {
        problem: `there are ${found.length} clusters with the same name: [${found.map(({ declaration }) => declaration.server).join(' ')}]`,
      };
    // Its usual name stays good when a Secret gives it another.
    if (name === inClusterName && this.#deps.settings().inClusterEnabled) return this.home;
    return this.#unknown(
      ({ declaration }) => declaration.name === name,
      `there are no clusters with this name: ${name}`,
    );
  }

  #unknown(matches: (broken: { declaration: ClusterDeclaration }) => boolean, problem: string): { problem: string } {
    const broken = this.unusable().find(matches);
    if (broken) return { problem: `cluster "${broken.declaration.name}" cannot be used: ${broken.message}` };
    const known = this.list().map(({ declaration: { name, server } }) => `${name} (${server})`);
    return { problem: known.length > 0 ? `${problem}; known are: ${known.join(', ')}` : problem };
  }

  #updateSoon(): void {
    if (this.#entries.size === 0) return;
    this.#updating = this.#updating
      .then(() => this.#update())
      .catch((error: unknown) => {
        this.#deps.logger.error({}, `the declared clusters could not be read: ${messageOf(error)}`);
      });
  }

  async #update(): Promise<void> {
    if (this.#closed) return;
    const declared = new Map(
      secretsOfType(this.#deps.instance, 'cluster').map((secret) => [secret.metadata.name, parseClusterSecret(secret)]),
    );
    const changed: ClusterDeclaration[] = [];
    const own = [...declared.values()].find(({ server }) => server === inClusterServer);
    if (own) declared.delete(own.secret ?? '');
    const home = own ? { ...own, name: own.name === inClusterServer ? inClusterName : own.name } : ownCluster;
    const before = this.home.declaration;
    if (connectionId(home) !== connectionId(before)) {
      changed.push(home, before);
      if (home.namespaces.length > 0)
        this.#deps.logger.warn({ secret: home.secret }, "namespaces of the instance's own cluster have no effect");
    }
    this.#declarations.set(homeKey, home);
    for (const [key, entry] of [...this.#entries]) {
      if (key === homeKey) continue;
      const declaration = declared.get(key);
      if (declaration && connectionId(declaration) === entry.id) continue;
      changed.push(entry.cluster.declaration);
      this.#entries.delete(key);
      await entry[Symbol.asyncDispose]();
    }
    for (const [key, { declaration }] of [...this.#broken]) {
      if (declared.has(key)) continue;
      changed.push(declaration);
      this.#broken.delete(key);
    }
    for (const [key, declaration] of declared) {
      if (this.#entries.has(key)) {
        this.#declarations.set(key, declaration);
        continue;
      }
      if (this.#broken.get(key)?.id === connectionId(declaration)) continue;
      changed.push(declaration);
      await this.#add(key, declaration);
    }
    if (changed.length > 0) this.#tell(changed);
  }

  async #add(key: string, declaration: ClusterDeclaration): Promise<void> {
    const { clock, entropy, logger, connect } = this.#deps;
    try {
      const kube = connect ? await connect(declaration) : await this.#client(declaration);
      const { namespaces, clusterResources } = declaration;
      const scope = namespaces.length > 0 ? { namespaces, clusterResources } : undefined;
      const informers = createInformerSet({ client: kube, clock, entropy, logger, scope });
      this.#broken.delete(key);
      this.#entries.set(key, await this.#open(key, declaration, { kube, informers, owned: true }));
    } catch (error) {
      const message = messageOf(error);
      this.#broken.set(key, { id: connectionId(declaration), declaration, message });
      logger.error({ secret: key }, `the cluster "${declaration.name}" cannot be used: ${message}`);
    }
  }

  async #client(declaration: ClusterDeclaration): Promise<KubeClient> {
    const { clock, logger } = this.#deps;
    const target: KubeTarget = await clusterTarget(declaration);
    return createKubeClient({ target, clock, logger });
  }

  async #open(
    key: string,
    declaration: ClusterDeclaration,
    parts: { kube: KubeClient; informers: InformerSet; owned: boolean },
  ): Promise<Entry> {
    const { clock, logger, settings, cacheDir } = this.#deps;
    const { kube, informers, owned } = parts;
    const id = connectionId(declaration);
    this.#declarations.set(key, declaration);
    const file = key === homeKey ? 'comparisons.json' : `comparisons-${id.slice(0, 16)}.json`;
    const verdicts = new VerdictStore(join(cacheDir, file), logger);
    await verdicts.load();
    const now = () => this.#declarations.get(key) ?? declaration;
    const assess = assessor(settings, clock);
    const live = new LiveState({
      informers,
      discovery: kube.discovery,
      clock,
      tracking: () => settings().tracking,
      excluded: (kind) => isExcluded(settings(), kind, now().server),
      ignoresUpdate: (before, after) => isIgnoredUpdate(before, after, { settings: settings(), assess }),
    });
    const comparer = new Comparer({ kube, verdicts, settings, types: this.#deps.types });
    const accepted = new AcceptedShapes();
    const versions = clusterVersions(kube, clock);
    const changed = () => {
      if (key !== homeKey) this.#tell([declaration]);
    };
    const reach = new ClusterReach({ kube, name: declaration.name, clock, changed });
    const cluster: Cluster = {
      get declaration() {
        return now();
      },
      kube,
      informers,
      live,
      comparer,
      accepted,
      types: this.#deps.types,
      versions,
      get state() {
        return reach.state;
      },
      // What goes wrong in the own cluster is told by what was attempted there.
      require: (signal) => (key === homeKey ? Promise.resolve() : reach.require(signal)),
      suspect: () => reach.suspect(),
      kindsChanged() {
        kube.discovery.invalidate();
        versions.forget();
        accepted.clear();
      },
    };
    const unsubscribe = live.subscribe((change) => {
      for (const listener of this.#liveListeners) listener(change, cluster);
    });
    return {
      id,
      cluster,
      async [Symbol.asyncDispose]() {
        unsubscribe();
        live[Symbol.dispose]();
        await reach[Symbol.asyncDispose]();
        if (owned) {
          await informers[Symbol.asyncDispose]();
          await kube[Symbol.asyncDispose]();
        }
        await verdicts[Symbol.asyncDispose]().catch((error: unknown) => logger.warn({}, messageOf(error)));
      },
    };
  }

  #tell(changed: readonly ClusterDeclaration[]): void {
    if (this.#closed) return;
    const names = changed.flatMap(({ server, name }) => [server, name]);
    for (const listener of [...this.#listeners]) listener({ names });
  }
}
