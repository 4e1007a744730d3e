import { isChartSource } from '#apps/chart-watch.ts';
import type { Clusters } from '#apps/clusters.ts';
import { matchesNamespace } from '#apps/namespaces.ts';
import type {
  ChartDetails,
  ClusterState,
  InstanceSight,
  RepositoryConnection,
  RevisionMetadata,
  SourceRevision,
  SyncWindowState,
} from '#apps/port.ts';
import { isDestinationPermitted, isSourcePermitted } from '#apps/project.ts';
import { openPatiently, type RepositoryRef, type RepositoryWatch } from '#apps/repository-watch.ts';
import { openWindows, windowsOf } from '#apps/sync-windows.ts';
import { repositoryOf, sourcesOf } from '#apps/target.ts';
import { type Clock, timestamp } from '#base/clock.ts';
import { AppError, isAppError, messageOf } from '#base/errors.ts';
import type { JsonObject } from '#base/json.ts';
import type { GitMirror } from '#git/port.ts';
import type { KubeObject } from '#kube/port.ts';
import { type AppProject, parseAppProject, type SyncWindow } from '#model/argocd/app-project.ts';
import type { Application, ApplicationSource } from '#model/argocd/application.ts';
import type { RepositoryAccess } from '#model/argocd/repository-access.ts';
import type { ArgoSettings } from '#model/argocd/settings.ts';
import type { ChartLibrary } from '#render/charts/port.ts';
import { gitTree } from '#render/tree.ts';
import { chartDetails, discoverFolders, sourceDetails } from './source-details.ts';

export interface SightDeps {
  clusters: Clusters;
  repositories: RepositoryWatch;
  applications: () => Application[];
  projects: () => readonly KubeObject[];
  problemsOf: (application: Application) => string[];
  projectOf: (application: Application) => AppProject | string[];
  globalProjectsOf: (project: string) => KubeObject[];
  settings: () => ArgoSettings;
  /** The instance's own namespace. */
  namespace: string;
  library: ChartLibrary;
  generate: (applicationSet: KubeObject, signal: AbortSignal) => Promise<Application[]>;
  /** How a repository is reached as it is declared now. */
  accessTo: (url: string, project: string | undefined, signal: AbortSignal) => Promise<RepositoryAccess>;
  /** Asks a cluster that is declared by these values for its version. */
  probeCluster: (data: Readonly<Record<string, string>>, signal: AbortSignal) => Promise<string>;
  /** Asks a repository with this access whether it is there. */
  probeRepository: (access: RepositoryAccess, signal: AbortSignal) => Promise<void>;
  clock: Clock;
}

function placeOf(repoURL: string, project: string | undefined): { repoURL: string; project: string } {
  return { repoURL, project: project ?? 'default' };
}

/** The members of a window that Argo CD's answer has. */
function windowShape({ kind, schedule, duration, manualSync }: SyncWindow): JsonObject {
  return { kind, schedule, duration, manualSync };
}

const connectionKeptMs = 3 * 60_000;
const connectionsMax = 1000;
const lookMs = 15_000;

/** How the instance sees clusters, repositories and revisions. */
export class FaceSight implements InstanceSight {
  readonly #deps: SightDeps;
  readonly #connections = new Map<string, { at: number; state: Promise<RepositoryConnection> }>();

  constructor(deps: SightDeps) {
    this.#deps = deps;
  }

  windows(application: Application): SyncWindowState {
    const project = this.#deps.projectOf(application);
    if (Array.isArray(project)) {
      const { spec } = application;
      const named = spec.project || 'default';
      throw new AppError('bad-input', `app is not allowed in project "${named}", or the project does not exist`, {
        hint: project.join('; '),
      });
    }
    const { active, assigned, canSync, problem } = windowsOf(project.syncWindows, application, this.#deps.clock.now());
    return { active: active.map(windowShape), assigned: assigned.map(windowShape), canSync, problem };
  }

  activeWindows(object: KubeObject): JsonObject[] {
    const project = parseAppProject(object);
    if (Array.isArray(project)) return [];
    return openWindows(project.syncWindows, this.#deps.clock.now()).map((window) => ({ ...window }));
  }

  globalProjects(project: string): KubeObject[] {
    return this.#deps.globalProjectsOf(project);
  }

  brokenBy(object: KubeObject): string[] {
    const before = this.#deps.projects().find(({ metadata }) => metadata.name === object.metadata.name);
    const [old, now] = [before, object].map((project) => (project ? parseAppProject(project) : undefined));
    if (!old || !now || Array.isArray(old) || Array.isArray(now)) return [];
    let sources = 0;
    let destinations = 0;
    for (const application of this.#deps.applications()) {
      if ((application.spec.project || 'default') !== object.metadata.name) continue;
      const permits = (project: AppProject) =>
        sourcesOf(application).every(({ repoURL }) => isSourcePermitted(project, repoURL));
      if (permits(old) && !permits(now)) sources += 1;
      const cluster = this.#deps.clusters.resolve(application.spec.destination);
      if ('problem' in cluster) continue;
      const namespace = application.spec.destination.namespace ?? '';
      const reaches = (project: AppProject) => isDestinationPermitted(project, cluster.declaration, namespace);
      if (reaches(old) && !reaches(now)) destinations += 1;
    }
    return [
      ...(sources > 0 ? [`${sources} applications source became invalid`] : []),
      ...(destinations > 0 ? [`${destinations} applications destination became invalid`] : []),
    ];
  }

  async validate(application: Application, options: { sources: boolean }, signal: AbortSignal): Promise<string[]> {
    const problems = this.#deps.problemsOf(application);
    if (problems.length > 0 || !options.sources) return problems;
    for (const source of sourcesOf(application)) {
      try {
        if (isChartSource(source)) {
          await this.resolve(application, { source, revision: source.targetRevision ?? '' }, signal);
          continue;
        }
        const { mirror } = await openPatiently(this.#deps.repositories, repositoryOf(application, source), signal);
        const commit = await mirror.resolve(source.targetRevision || 'HEAD', signal);
        if (source.path && (await mirror.objectId(commit, source.path.replace(/\/+$/, ''), signal)) === undefined)
          problems.push(`${source.path}: app path does not exist`);
      } catch (error) {
        if (!isAppError(error)) throw error;
        problems.push(`Unable to read ${source.repoURL}: ${error.message}`);
      }
    }
    return problems;
  }

  clusters(): ClusterState[] {
    const now = this.#deps.clock.now();
    const usable = this.#deps.clusters.list().map(({ declaration, state, informers, kube }): ClusterState => {
      const home = state.status === 'Unknown' && kube === this.#deps.clusters.home.kube;
      const active = informers.active();
      return {
        server: declaration.server,
        name: declaration.name,
        status: home ? 'Successful' : state.status,
        message: state.message,
        attemptedAt: timestamp(state.attemptedAt ?? now),
        serverVersion: state.serverVersion,
        resources: active.reduce((sum, informer) => sum + informer.list().length, 0),
        kinds: active.length,
        apiVersions: [
          ...new Set(
            active.map(({ resource: { group, version } }) => (group === '' ? version : `${group}/${version}`)),
          ),
        ],
      };
    });
    const unusable = this.#deps.clusters.unusable().map(
      ({ declaration, message }): ClusterState => ({
        server: declaration.server,
        name: declaration.name,
        status: 'Failed',
        message,
        attemptedAt: undefined,
        serverVersion: undefined,
        resources: 0,
        kinds: 0,
        apiVersions: [],
      }),
    );
    return [...usable, ...unusable];
  }

  forgetCluster(server: string): void {
    for (const cluster of this.#deps.clusters.list()) if (cluster.declaration.server === server) cluster.kindsChanged();
  }

  async resolve(application: Application, { source, revision }: SourceRevision, signal: AbortSignal): Promise<string> {
    if (isChartSource(source)) {
      const { repoURL, chart = '' } = source;
      const ask = { repoURL, chart, revision, project: application.spec.project || 'default' };
      return (await this.#deps.library.open(ask, { maxAgeMs: 0 }, signal)).version;
    }
    const { mirror } = await this.#deps.repositories.open(repositoryOf(application, source), signal);
    return await mirror.resolve(revision, signal);
  }

  async revision(application: Application, at: SourceRevision, signal: AbortSignal): Promise<RevisionMetadata> {
    const { mirror } = await this.#deps.repositories.open(repositoryOf(application, at.source), signal);
    const commit = await mirror.resolve(at.revision, signal);
    const { author, committedAt, subject, body } = await mirror.commitInfo(commit, signal);
    const tags = [...mirror.refs].flatMap(([name, sha]) =>
      name.startsWith('refs/tags/') && sha === commit ? [name.slice('refs/tags/'.length)] : [],
    );
    return {
      author: `${author.name} <${author.email}>`,
      date: timestamp(committedAt),
      tags,
      message: body.trim() === '' ? subject : `${subject}\n\n${body.trim()}`,
    };
  }

  async chart(application: Application, at: SourceRevision, signal: AbortSignal): Promise<ChartDetails> {
    const { repoURL, chart = '' } = at.source;
    const ask = { repoURL, chart, revision: at.revision, project: application.spec.project || 'default' };
    const tree = await this.#deps.library.open(ask, { maxAgeMs: connectionKeptMs }, signal);
    return chartDetails((await tree.readFile('Chart.yaml', signal))?.toString('utf8'));
  }

  follows(namespace: string, kind: 'Application' | 'ApplicationSet'): boolean {
    const { settings, namespace: own } = this.#deps;
    const { applicationNamespaces, applicationSets } = settings();
    const patterns = kind === 'Application' ? applicationNamespaces : applicationSets.namespaces;
    return namespace === own || matchesNamespace(patterns, namespace);
  }

  async generate(applicationSet: KubeObject, signal: AbortSignal): Promise<Application[]> {
    return await this.#deps.generate(applicationSet, signal);
  }

  async discover(
    of: { url: string; project: string | undefined; revision: string },
    signal: AbortSignal,
  ): Promise<{ path: string; type: string }[]> {
    const mirror = await this.#mirror({ url: of.url, project: of.project ?? '' }, signal);
    const commit = await mirror.resolve(of.revision, signal);
    return discoverFolders(await mirror.listFiles(commit, '', signal));
  }

  async charts(
    url: string,
    project: string | undefined,
    signal: AbortSignal,
  ): Promise<{ name: string; versions: string[] }[]> {
    return await this.#deps.library.listCharts(placeOf(url, project), { maxAgeMs: connectionKeptMs }, signal);
  }

  async tags(url: string, project: string | undefined, signal: AbortSignal): Promise<string[]> {
    return await this.#deps.library.listTags(placeOf(url, project), signal);
  }

  async details(
    { source, project }: { source: ApplicationSource; project: string | undefined; name: string },
    signal: AbortSignal,
  ): Promise<JsonObject> {
    if (isChartSource(source)) {
      const { repoURL, chart = '', targetRevision: revision = '' } = source;
      const ask = { repoURL, chart, revision, project: project ?? 'default' };
      return await sourceDetails(
        await this.#deps.library.open(ask, { maxAgeMs: connectionKeptMs }, signal),
        source,
        signal,
      );
    }
    const mirror = await this.#mirror({ url: source.repoURL, project: project ?? '' }, signal);
    const commit = await mirror.resolve(source.targetRevision || 'HEAD', signal);
    return await sourceDetails(gitTree(mirror, commit), source, signal);
  }

  async refs(
    url: string,
    project: string | undefined,
    signal: AbortSignal,
  ): Promise<{ branches: string[]; tags: string[] }> {
    const mirror = await this.#mirror({ url, project: project ?? '' }, signal);
    const below = (prefix: string) =>
      [...mirror.refs.keys()].flatMap((name) => (name.startsWith(prefix) ? [name.slice(prefix.length)] : [])).sort();
    return { branches: below('refs/heads/'), tags: below('refs/tags/') };
  }

  async connection(
    url: string,
    options: { project: string | undefined; fresh: boolean },
    signal: AbortSignal,
  ): Promise<RepositoryConnection> {
    const { clock } = this.#deps;
    const key = `${options.project ?? ''} ${url}`;
    const known = this.#connections.get(key);
    if (known && !options.fresh && clock.now() - known.at < connectionKeptMs) return await known.state;
    if (this.#connections.size >= connectionsMax) this.#connections.clear();
    const attemptedAt = timestamp(clock.now());
    const state = this.#look(url, options.project, signal).then(
      (): RepositoryConnection => ({ status: 'Successful', message: '', attemptedAt }),
      (error: unknown): RepositoryConnection => {
        if (signal.aborted) this.#connections.delete(key);
        return { status: 'Failed', message: `Unable to connect to repository: ${messageOf(error)}`, attemptedAt };
      },
    );
    this.#connections.set(key, { at: clock.now(), state });
    return await state;
  }

  async reach(access: RepositoryAccess, signal: AbortSignal): Promise<void> {
    await this.#deps.probeRepository(access, AbortSignal.any([signal, AbortSignal.timeout(lookMs)]));
  }

  async reachCluster(data: Readonly<Record<string, string>>, signal: AbortSignal): Promise<string> {
    return await this.#deps.probeCluster(data, AbortSignal.any([signal, AbortSignal.timeout(lookMs)]));
  }

  async #look(url: string, project: string | undefined, signal: AbortSignal): Promise<void> {
    const access = await this.#deps.accessTo(url, project, signal);
    // A registry is asked by its own client, which knows how to log in there.
    if (access.type !== 'git' && !/^https?:/.test(url)) await this.tags(url, project, signal);
    else if (access.type === 'git' && !/^https?:/.test(url))
      await this.#mirror({ url, project: project ?? '' }, signal);
    else await this.reach(access, signal);
  }

  async #mirror(of: RepositoryRef, signal: AbortSignal): Promise<GitMirror> {
    return (await this.#deps.repositories.open(of, signal)).mirror;
  }
}
