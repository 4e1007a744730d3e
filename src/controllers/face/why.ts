import type { Cluster } from '#apps/clusters.ts';
import { type ComparedResource, compareApplication } from '#apps/comparison.ts';
import { kindsOf, type ObservationDeps, targetOf } from '#apps/observation.ts';
import { canSync, windowsFor } from '#apps/sync-windows.ts';
import { ownedKinds } from '#apps/tree.ts';
import type { Evidence, EvidenceResource } from '#apps/why/evidence.ts';
import { explainWhy } from '#apps/why/explain.ts';
import type { Reason } from '#apps/why/reason.ts';
import type { Clock } from '#base/clock.ts';
import { isAppError } from '#base/errors.ts';
import { getString } from '#base/json.ts';
import type { Assess } from '#health/assess.ts';
import { type KubeObject, kindOf } from '#kube/port.ts';
import type { AppProject, SyncWindow } from '#model/argocd/app-project.ts';
import type { Application } from '#model/argocd/application.ts';
import { hookRoleOf, waveOf } from '#sync/hooks.ts';
import { keyText, resourceKeyOf } from '#sync/identity.ts';

export interface WhyDeps {
  get: (name: string) => Application;
  clusterOf: (application: Application, signal: AbortSignal) => Promise<Cluster>;
  observation: (cluster: Cluster) => ObservationDeps;
  projectOf: (application: Application) => AppProject | string[];
  clock: Clock;
}

/** Warnings that are read of one namespace. */
const eventsMax = 500;
const claims = { group: '', version: 'v1', kind: 'PersistentVolumeClaim' };

function described(windows: readonly SyncWindow[]): string | undefined {
  const texts = windows.map(({ kind, schedule, duration, timeZone }) =>
    `${kind} ${schedule} for ${duration} ${timeZone}`.trim(),
  );
  return texts.length > 0 ? texts.join('; ') : undefined;
}

function evidenceOf(compared: ComparedResource): EvidenceResource {
  const { key, wave, hook, status, health, live, difference, requiresPruning } = compared;
  const rejected = difference?.rejected;
  return { key, wave, hook, sync: status, health, live, rejected, requiresPruning };
}

/** Hooks are not compared: they stand beside, as they are live. */
function hookEvidence(live: KubeObject, assess: Assess): EvidenceResource {
  const rest = { sync: undefined, requiresPruning: false, hook: true };
  return { key: resourceKeyOf(live), wave: waveOf(live), health: assess(live), live, ...rest };
}

/** What the status remembers, with the live objects: all there is when nothing can be compared. */
function remembered(application: Application, live: Cluster['live']): EvidenceResource[] {
  return (application.status?.resources ?? []).map((resource) => {
    const { group = '', kind, name, namespace, version, status, health, syncWave = 0, hook = false } = resource;
    const key = { group, kind, name, ...(namespace ? { namespace } : {}) };
    const rest = { sync: status, health, requiresPruning: resource.requiresPruning ?? false };
    return { key, wave: syncWave, hook, live: live.get({ group, version, kind }, { name, namespace }), ...rest };
  });
}

/** Collects what holds an application back from the clusters, Git and the project, and explains it. */
export class FaceWhy {
  readonly #deps: WhyDeps;

  constructor(deps: WhyDeps) {
    this.#deps = deps;
  }

  /** Looks at it anew: what is wrong is found where it is, not read off conditions. */
  async why(name: string, signal: AbortSignal): Promise<Reason[]> {
    const application = this.#deps.get(name);
    const evidence: Evidence = { ...this.#blank(application, name), ...(await this.#look(application, name, signal)) };
    return explainWhy(evidence);
  }

  #blank(application: Application, name: string): Evidence {
    const rest = { trouble: undefined, resources: [], owned: [], events: [] };
    return { application, name, windows: this.#windows(application), ...rest };
  }

  #windows(application: Application): Evidence['windows'] {
    const project = this.#deps.projectOf(application);
    if (Array.isArray(project)) return { automated: true, manual: true, description: undefined };
    const windows = windowsFor(project.syncWindows, application);
    const now = this.#deps.clock.now();
    const allowed = (manual: boolean) => canSync(windows, { manual, now });
    const { problem } = allowed(true);
    const description = problem ?? described(windows);
    return { automated: allowed(false).allowed, manual: allowed(true).allowed, description };
  }

  async #look(application: Application, name: string, signal: AbortSignal): Promise<Partial<Evidence>> {
    let cluster: Cluster | undefined;
    let found: Partial<Evidence> = {};
    try {
      cluster = await this.#deps.clusterOf(application, signal);
      found = { resources: await this.#compare(application, name, cluster, signal) };
    } catch (error) {
      if (signal.aborted || !isAppError(error)) throw error;
      const { code, message, hint } = error;
      found = {
        trouble: { code, message, hint },
        ...(cluster ? { resources: remembered(application, cluster.live) } : {}),
      };
    }
    if (!cluster) return found;
    await cluster.live.watch([...ownedKinds, claims], signal);
    const owned = [...cluster.live.all([...ownedKinds, claims])];
    const namespaces = (found.resources ?? []).map(({ key }) => key.namespace ?? '');
    return { ...found, owned, events: await this.#events(cluster, new Set(namespaces), signal) };
  }

  async #compare(
    application: Application,
    name: string,
    cluster: Cluster,
    signal: AbortSignal,
  ): Promise<EvidenceResource[]> {
    const observation = this.#deps.observation(cluster);
    const target = await targetOf(observation, application, { memory: { targets: new Map() } }, signal);
    await cluster.live.watch(kindsOf(application, target), signal);
    const { resources } = await compareApplication(observation, application, target, {}, signal);
    const compared = resources.map(evidenceOf);
    const known = new Set(compared.map(({ key }) => keyText(key)));
    const hooks = target.hooks.flatMap((hook) => cluster.live.get(kindOf(hook), hook.metadata) ?? []);
    const marked = cluster.live.trackedBy(name).filter((object) => hookRoleOf(object).kind === 'hook');
    for (const live of [...hooks, ...marked]) {
      const text = keyText(resourceKeyOf(live));
      if (known.has(text)) continue;
      known.add(text);
      compared.push(hookEvidence(live, observation.assess));
    }
    return compared;
  }

  async #events(cluster: Cluster, namespaces: ReadonlySet<string>, signal: AbortSignal): Promise<KubeObject[]> {
    const { kube } = cluster;
    const resource = await kube.discovery.find({ group: '', version: 'v1', kind: 'Event' }, signal);
    if (!resource) return [];
    const lists = await Promise.all(
      [...namespaces]
        .filter((namespace) => namespace !== '')
        .slice(0, 10)
        .map(async (namespace) => {
          const { items } = await kube.list(resource, { namespace, fieldSelector: 'type=Warning' }, signal);
          return items.slice(-eventsMax);
        }),
    );
    const at = (event: KubeObject) => getString(event, 'lastTimestamp') ?? event.metadata.creationTimestamp ?? '';
    return lists.flat().sort((a, b) => at(a).localeCompare(at(b)));
  }
}
