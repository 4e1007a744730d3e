import type { Cluster } from '#apps/clusters.ts';
import type {
  ApplicationEngine,
  ApplicationResources,
  LogLine,
  LogQuery,
  ResourceAction,
  ResourceName,
  ResourceNode,
} from '#apps/port.ts';
import { AppError } from '#base/errors.ts';
import type { ApiResource, DeleteOptions, KubeClient, KubeObject, PatchType } from '#kube/port.ts';
import type { Application } from '#model/argocd/application.ts';
import type { ArgoSettings } from '#model/argocd/settings.ts';
import { maskSecrets } from '#sync/mask.ts';
import { mergeLogs, podLines } from './pod-logs.ts';

export interface ResourcesDeps {
  engine: ApplicationEngine;
  /** Where the Application objects are. */
  home: KubeClient;
  clusterOf: (application: Application, signal: AbortSignal) => Promise<Cluster>;
  settings: () => ArgoSettings;
  orphans: (application: Application, signal: AbortSignal) => Promise<ResourceNode[]>;
}

const fieldManager = 'argocd-server';
const podsMaxDefault = 10;

function isNode(node: ResourceNode, of: Partial<ResourceName>): boolean {
  return (
    (of.group === undefined || of.group === '' || node.group === of.group) &&
    (of.kind === undefined || of.kind === '' || node.kind === of.kind) &&
    (of.namespace === undefined || (node.namespace ?? '') === of.namespace) &&
    (of.name === undefined || of.name === '' || node.name === of.name)
  );
}

/** The pods of a tree that a query selects: those that are it, or stand somewhere below it. */
export function selectPods(nodes: readonly ResourceNode[], of: Partial<ResourceName>): ResourceNode[] {
  const byUid = new Map(nodes.map((node) => [node.uid, node]));
  const isBelow = (node: ResourceNode | undefined): boolean =>
    node !== undefined && (isNode(node, of) || (node.parentUid !== undefined && isBelow(byUid.get(node.parentUid))));
  return nodes.filter((node) => node.kind === 'Pod' && node.group === '' && isBelow(node));
}

/** Objects of applications, in their destination clusters. */
export class FaceResources implements ApplicationResources {
  readonly #deps: ResourcesDeps;

  constructor(deps: ResourcesDeps) {
    this.#deps = deps;
  }

  async get(application: string, of: ResourceName, signal: AbortSignal): Promise<KubeObject> {
    return masked(await this.#live(application, of, signal));
  }

  async patch(
    application: string,
    of: ResourceName,
    patch: { type: PatchType; body: unknown },
    signal: AbortSignal,
  ): Promise<KubeObject> {
    const { kube, resource, ref } = await this.#locate(application, of, signal);
    try {
      return masked(await kube.patch(resource, ref, patch, { fieldManager }, signal));
    } catch (error) {
      // The server's own words may hold the values.
      if (resource.kind !== 'Secret' || resource.group !== '') throw error;
      throw new AppError('bad-input', `failed to patch Secret ${ref.namespace ?? ''}/${ref.name}`);
    }
  }

  async delete(application: string, of: ResourceName, options: DeleteOptions, signal: AbortSignal): Promise<void> {
    const { kube, resource, ref } = await this.#locate(application, of, signal);
    await kube.delete(resource, ref, options, signal);
  }

  async events(name: string, of: Partial<ResourceName> & { uid?: string }, signal: AbortSignal): Promise<KubeObject[]> {
    const application = this.#deps.engine.get(name);
    if (!of.name) {
      const { metadata } = application;
      return await this.#eventsOf(this.#deps.home, { ...metadata, kind: 'Application' }, signal);
    }
    const nodes = await this.#deps.engine.tree(name, signal);
    const node = nodes.find((candidate) => (of.uid ? candidate.uid === of.uid : isNode(candidate, of)));
    if (!node) throw notPart(of, name);
    const { kube } = await this.#deps.clusterOf(application, signal);
    return await this.#eventsOf(kube, node, signal);
  }

  async logs(name: string, query: LogQuery, signal: AbortSignal): Promise<AsyncIterable<LogLine>> {
    const application = this.#deps.engine.get(name);
    const { kube } = await this.#deps.clusterOf(application, signal);
    const pods = selectPods(await this.#deps.engine.tree(name, signal), query.of);
    const podsMax = Number(this.#deps.settings().data['server.maxPodLogsToRender']) || podsMaxDefault;
    if (pods.length > podsMax)
      throw new AppError('bad-input', 'max pods to view logs are reached. Please provide more granular query', {
        hint: `the query selects ${pods.length} pods, at most ${podsMax} are shown (server.maxPodLogsToRender)`,
      });
    const sources = await Promise.all(
      pods.map(async (pod) => {
        const ref = { name: pod.name, namespace: pod.namespace };
        const container = query.container ?? (await this.#container(kube, ref, signal));
        return podLines(pod.name, kube.logs(ref, logOptions(query, container), signal), signal);
      }),
    );
    return mergeLogs(sources, { follow: query.follow ?? false });
  }

  async actions(_application: string, _of: ResourceName, _signal: AbortSignal): Promise<ResourceAction[]> {
    throw new AppError('unsupported', 'resource actions are not served yet');
  }

  async runAction(): Promise<void> {
    throw new AppError('unsupported', 'resource actions are not served yet');
  }

  async orphans(name: string, signal: AbortSignal): Promise<ResourceNode[]> {
    return await this.#deps.orphans(this.#deps.engine.get(name), signal);
  }

  /** The container that `kubectl logs` would take. */
  async #container(
    kube: KubeClient,
    ref: { name: string; namespace: string | undefined },
    signal: AbortSignal,
  ): Promise<string | undefined> {
    const resource = await kube.discovery.find({ group: '', version: 'v1', kind: 'Pod' }, signal);
    const pod = resource && (await kube.get(resource, ref, signal));
    const spec = pod?.['spec'] as { containers?: { name: string }[] } | undefined;
    return pod?.metadata.annotations?.['kubectl.kubernetes.io/default-container'] ?? spec?.containers?.[0]?.name;
  }

  async #eventsOf(
    kube: KubeClient,
    of: { uid?: string; namespace?: string | undefined; name: string; kind: string },
    signal: AbortSignal,
  ): Promise<KubeObject[]> {
    const resource = await kube.discovery.find({ group: '', version: 'v1', kind: 'Event' }, signal);
    if (!resource) return [];
    const about = [`involvedObject.name=${of.name}`, `involvedObject.kind=${of.kind}`];
    if (of.uid) about.push(`involvedObject.uid=${of.uid}`);
    const options = { namespace: of.namespace, fieldSelector: about.join(',') };
    return (await kube.list(resource, options, signal)).items;
  }

  async #locate(name: string, of: ResourceName, signal: AbortSignal) {
    const application = this.#deps.engine.get(name);
    const nodes = await this.#deps.engine.tree(name, signal);
    const node = nodes.find(
      (candidate) =>
        candidate.group === of.group &&
        candidate.kind === of.kind &&
        candidate.name === of.name &&
        (candidate.namespace ?? '') === (of.namespace ?? ''),
    );
    if (!node) throw notPart(of, name);
    const { kube } = await this.#deps.clusterOf(application, signal);
    const kind = { group: node.group, version: of.version ?? node.version, kind: node.kind };
    const resource: ApiResource | undefined = await kube.discovery.find(kind, signal);
    if (!resource)
      throw new AppError('not-found', `${kube.server} does not serve ${kind.kind} of ${kind.group}/${kind.version}`);
    return { kube, resource, ref: { name: node.name, namespace: node.namespace } };
  }

  async #live(name: string, of: ResourceName, signal: AbortSignal): Promise<KubeObject> {
    const { kube, resource, ref } = await this.#locate(name, of, signal);
    const object = await kube.get(resource, ref, signal);
    if (object) return object;
    throw new AppError('not-found', `${of.kind} ${of.name} is not there any more`);
  }
}

function notPart(of: Partial<ResourceName>, application: string): AppError {
  const what = [of.kind, of.group, of.name].filter((part) => part).join(' ');
  return new AppError('bad-input', `${what} not found as part of application ${application}`);
}

function masked(object: KubeObject): KubeObject {
  return maskSecrets([object])[0] ?? object;
}

function logOptions(query: LogQuery, container: string | undefined) {
  const { sinceSeconds, sinceTime, tailLines, follow, previous } = query;
  return {
    timestamps: true,
    ...(container === undefined ? {} : { container }),
    ...(sinceSeconds === undefined ? {} : { sinceSeconds }),
    ...(sinceTime === undefined ? {} : { sinceTime }),
    ...(tailLines === undefined ? {} : { tailLines }),
    ...(follow === undefined ? {} : { follow }),
    ...(previous === undefined ? {} : { previous }),
  };
}
