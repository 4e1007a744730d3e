import type { SelfHealBackoff } from '#apps/auto-sync.ts';
import { ChartWatch } from '#apps/chart-watch.ts';
import { type Cluster, Clusters, type ClustersDeps } from '#apps/clusters.ts';
import type { Instance } from '#apps/instance.ts';
import type { ObservationDeps } from '#apps/observation.ts';
import { repositoryAccess } from '#apps/repository-access.ts';
import { RepositoryWatch } from '#apps/repository-watch.ts';
import { SettingsWatch } from '#apps/settings-watch.ts';
import type { Clock, Entropy } from '#base/clock.ts';
import { AppError, messageOf } from '#base/errors.ts';
import { jsonEqual } from '#base/json.ts';
import type { Logger } from '#base/log.ts';
import type { GitMirrors } from '#git/port.ts';
import { assessor } from '#health/assess.ts';
import type { ApiResource, Informer, InformerSet, KubeClient } from '#kube/port.ts';
import type { ArgoSettings } from '#model/argocd/settings.ts';
import { type ChartLibraryDeps, createChartLibrary } from '#render/charts/library.ts';
import type { ChartCounts, ChartLibrary } from '#render/charts/port.ts';
import type { PluginHost } from '#render/plugin.ts';
import { createRenderer } from '#render/renderer.ts';
import type { TypeKnowledge } from '#sync/type-knowledge.ts';
import type { AuditLog } from '#trace/event.ts';
import { ApplicationController } from './application-controller.ts';
import { type ApplicationSetController, startApplicationSets } from './application-set-controller.ts';
import { AuditTrail } from './audit-trail.ts';
import { installCrds } from './crds.ts';
import { type EngineFaces, startFaces } from './face/faces.ts';
import { createDefaultProject, ProjectController } from './project-controller.ts';

export interface EngineOptions {
  kube: KubeClient;
  informers: InformerSet;
  /** Settings and Secrets of the namespace where the Application objects are. */
  instance: Instance;
  git: GitMirrors;
  audit: AuditLog;
  clock: Clock;
  entropy: Entropy;
  logger: Logger;
  /** Renders and comparisons are kept below it; losing them costs only time. */
  cacheDir: string;
  /** Undefined when not installed. */
  helm?: { path: string; version: string } | undefined;
  kubectl?: { path: string; version: string } | undefined;
  /** Config management plugins that may run; none unless told. */
  plugins?: PluginHost | undefined;
  /** The built-in kinds, for comparisons that a server refuses to answer. */
  types?: TypeKnowledge | undefined;
  /** Poll interval of repositories, and the longest time between two looks at an application; else as the settings say. */
  reconcileMs?: number;
  selfHeal?: SelfHealBackoff;
  /** How long a repository may fail before applications say so; else as the settings say. */
  repositoryGraceMs?: number;
  /** Variables that name proxies to the outside. */
  env?: Readonly<Record<string, string>>;
  /** For registries that no Secret is declared for. */
  registryCredentials?: ChartLibraryDeps['registryCredentials'];
  /** Makes the client of a declared cluster; by default as its Secret says. */
  connect?: ClustersDeps['connect'];
}

export interface RunningEngine extends AsyncDisposable, EngineFaces {
  /** What it did so far, for tests and metrics. */
  readonly counts: EngineCounts;
}

export interface EngineCounts {
  renders: number;
  cacheHits: number;
  /** What was asked of chart repositories and brought from them. */
  charts: ChartCounts;
  /** Questions whether applying an object would change it, in all clusters. */
  dryRuns: number;
  /** Looks at applications that ended. */
  reconciles: number;
  /** Looks at sets of applications that ended. */
  setLooks: number;
  /** Applications that this process has not looked at yet. */
  unseen: number;
}

async function requireResource(kube: KubeClient, kind: string, signal: AbortSignal): Promise<ApiResource> {
  const found = await kube.discovery.find({ group: 'argoproj.io', version: 'v1alpha1', kind }, signal);
  if (found) return found;
  throw new AppError('not-found', `${kube.server} does not serve ${kind} of argoproj.io/v1alpha1`, {
    hint: 'apply deploy/crds',
  });
}

/** The informers that everything stands on, with their first lists in. */
async function followApplications(
  { kube, informers }: EngineOptions,
  home: Cluster,
  signal: AbortSignal,
): Promise<{ applications: Informer; projects: Informer }> {
  const applications = informers.informer(await requireResource(kube, 'Application', signal));
  const projects = informers.informer(await requireResource(kube, 'AppProject', signal));
  const kind = { group: 'argoproj.io', version: 'v1alpha1', kind: 'Application' };
  await Promise.all([home.live.watch([kind], signal), applications.whenSynced(signal), projects.whenSynced(signal)]);
  return { applications, projects };
}

/** What the settings say, unless the process was started with something else. */
function timings(options: EngineOptions, settings: () => ArgoSettings) {
  return {
    reconcileMs() {
      const { reconcileMs, jitterMs } = settings().timeouts;
      return options.reconcileMs ?? (reconcileMs === 0 ? neverMs : reconcileMs + jitterMs);
    },
    graceMs: () => options.repositoryGraceMs ?? settings().repositoryGraceMs,
    selfHeal(): SelfHealBackoff {
      const { fixedMs, ...growing } = settings().selfHeal;
      const said = fixedMs > 0 ? { baseMs: fixedMs, factor: 1, capMs: fixedMs } : growing;
      return options.selfHeal ?? said;
    },
  };
}

const neverMs = 24 * 3_600_000;

function openCharts(options: EngineOptions, access: ChartLibraryDeps['access']): ChartLibrary {
  const { cacheDir, clock, logger, env, registryCredentials } = options;
  return createChartLibrary({
    ...{ cacheDir, access, clock, logger },
    ...(env ? { env } : {}),
    ...(registryCredentials ? { registryCredentials } : {}),
  });
}

async function openClusters(options: EngineOptions, settings: SettingsWatch): Promise<Clusters> {
  const { kube, informers, instance, clock, entropy, logger, cacheDir, connect, types } = options;
  const common = { instance, settings: () => settings.current, clock, entropy, logger, cacheDir, types };
  const clusters = new Clusters({ home: { kube, informers }, ...common, ...(connect ? { connect } : {}) });
  await clusters.start();
  return clusters;
}

/**
 * Starts the GitOps engine on one cluster: installs the CustomResourceDefinitions where they are absent, then follows
 * Applications, their repositories and what they manage, in this cluster and in those that Secrets declare. Resolves when
 * all Applications are known; disposing stops it and leaves the clusters as they are.
 */
export async function startEngine(options: EngineOptions, signal: AbortSignal): Promise<RunningEngine> {
  const { kube, instance, git, audit, clock, entropy, logger, cacheDir } = options;
  const { namespace } = instance;
  await using stack = new AsyncDisposableStack();
  await installCrds({ kube, clock, logger }, namespace, signal);
  await createDefaultProject({ kube, logger }, namespace, signal);
  await Promise.all([instance.configMaps.whenSynced(signal), instance.secrets.whenSynced(signal)]);
  const watch = stack.use(new SettingsWatch({ instance, logger }));
  const settings = () => watch.current;
  const { reconcileMs, graceMs, selfHeal } = timings(options, settings);
  const clusters = stack.use(await openClusters(options, watch));
  const home = { kube, live: clusters.home.live };
  const { applications, projects } = await followApplications(options, clusters.home, signal);
  const { helm, kubectl, plugins } = options;
  const access = repositoryAccess({ instance, logger });
  const library = stack.use(openCharts(options, access));
  const renderer = createRenderer({ cacheDir, clock, logger, helm, kubectl, plugins, charts: library });
  let controller: ApplicationController | undefined;
  let sets: ApplicationSetController | undefined;
  const changed = (key: string) => {
    sets?.repositoryMoved(key);
    controller?.repositoryMoved(key).catch((error: unknown) => logger.error({}, messageOf(error)));
  };
  const watching = { clock, entropy, logger, pollMs: reconcileMs, graceMs, changed };
  const repositories = stack.use(new RepositoryWatch({ ...watching, git, access }));
  const charts = stack.use(new ChartWatch({ ...watching, charts: library }));
  const assess = assessor(settings, clock);
  const observation = ({ declaration, kube, live, comparer, versions }: Cluster): ObservationDeps => ({
    ...{ repositories, charts, renderer, settings, namespace, live, comparer, versions, assess },
    discovery: kube.discovery,
    cluster: (abort) => versions.get(abort),
    server: declaration.server,
    projectOf(application) {
      const project = controller?.projectOf(application);
      return Array.isArray(project) ? undefined : project;
    },
    isApplication: (name) => controller?.find(name) !== undefined,
    scope: declaration.namespaces.length > 0 && kube !== options.kube ? declaration : undefined,
  });
  const trail = new AuditTrail({ audit, clock, namespace });
  const common = {
    home,
    clusters,
    observation,
    repositories,
    charts,
    library,
    settings,
    clock,
    namespace,
    applications,
  };
  controller = stack.use(new ApplicationController({ ...common, trail, logger, projects, selfHeal, reconcileMs }));
  const faces = startFaces({ ...common, instance, access, controller, audit, projects, logger, entropy });
  stack.use(
    new ProjectController({
      ...{ kube, clock, logger, namespace, projects },
      applications: () => controller.list(),
      onApplication: (listener) => applications.subscribe(listener),
    }),
  );
  followChanges({ watch, clusters, controller, repositories, charts, instance }, stack);
  controller.start();
  const setsInformer = options.informers.informer(await requireResource(kube, 'ApplicationSet', signal));
  const ofSets = { home, clusters, instance, repositories, settings, clock, entropy, logger, namespace };
  sets = stack.use(await startApplicationSets({ ...ofSets, sets: setsInformer, applications, projects }, signal));
  stack.defer(watch.subscribe(() => sets?.addAll()));
  const running = stack.move();
  return {
    ...faces,
    get counts() {
      const dryRuns = clusters.list().reduce((sum, { comparer }) => sum + comparer.dryRuns, 0);
      return {
        ...renderer.counts,
        charts: { ...library.counts },
        dryRuns,
        reconciles: controller.reconciles,
        setLooks: sets?.looks ?? 0,
        unseen: controller.unseen,
      };
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** What is declared anew takes effect at once. */
function followChanges(
  parts: {
    watch: SettingsWatch;
    clusters: Clusters;
    controller: ApplicationController;
    repositories: RepositoryWatch;
    charts: ChartWatch;
    instance: Instance;
  },
  stack: AsyncDisposableStack,
): void {
  const { watch, clusters, controller, repositories, charts, instance } = parts;
  const accessChanged = () => {
    repositories.accessChanged();
    charts.accessChanged();
  };
  const ends = [
    watch.subscribe((now, before) => {
      const what = ({ tracking, exclusions, inclusions }: ArgoSettings) => [tracking, exclusions, inclusions];
      if (!jsonEqual(what(now), what(before))) clusters.settingsChanged();
      controller.addAll();
    }),
    instance.secrets.subscribe(accessChanged),
    instance.configMaps.subscribe(({ object: { metadata } }) => {
      if (/^argocd-(tls-certs|ssh-known-hosts)-cm$/.test(metadata.name)) accessChanged();
    }),
  ];
  stack.defer(() => {
    for (const end of ends) end();
  });
}
