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
import type { Reason } from '#apps/why/reason.ts';
import type { Clock } from '#base/clock.ts';
import { AppError } from '#base/errors.ts';
import { cloneJson, type JsonObject } from '#base/json.ts';
import { actionPatches, actionsFor, runAction } from '#health/actions/actions.ts';
import type { HealthContext } from '#health/assess.ts';
import {
  type ApiResource,
  type DeleteOptions,
  type KubeClient,
  type KubeObject,
  kindOf,
  type PatchType,
} from '#kube/port.ts';
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
  why: (application: string, signal: AbortSignal) => Promise<Reason[]>;
  orphans: (application: string, signal: AbortSignal) => Promise<ResourceNode[]>;
  /** Throws `forbidden` for an object that the application's project does not permit. */
  assertPermitted: (application: Application, object: KubeObject) => void;
  clock: Clock;
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
    return masked(await this.#live(application, of, signal), this.#deps.settings());
  }

  async patch(
    application: string,
    of: ResourceName,
    patch: { type: PatchType; body: unknown },
    signal: AbortSignal,
  ): Promise<KubeObject> {
    const { kube, resource, ref } = await this.#locate(application, of, signal);
    try {
      return masked(await kube.patch(resource, ref, patch, { fieldManager }, signal), this.#deps.settings());
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

  async actions(application: string, of: ResourceName, signal: AbortSignal): Promise<ResourceAction[]> {
    return actionsFor(await this.#subject(application, of, signal), this.#context());
  }

  async runAction(
    name: string,
    of: ResourceName,
    action: { name: string; parameters: Record<string, string> },
    signal: AbortSignal,
  ): Promise<void> {
    const application = this.#deps.engine.get(name);
    const live = await this.#subject(name, of, signal);
    const results = runAction(live, action, this.#context());
    const { kube } = isItself(application, of)
      ? { kube: this.#deps.home }
      : await this.#deps.clusterOf(application, signal);
    for (const { object } of results) this.#deps.assertPermitted(application, object);
    // Objects that cannot be made are known before the first write.
    for (const { operation, object } of results)
      if (operation === 'create') await kube.create(object, { fieldManager, dryRun: true }, signal);
    for (const { operation, object } of results)
      if (operation === 'create') await kube.create(object, { fieldManager }, signal);
      else await patchTo(kube, { live, wanted: object }, signal);
  }

  async why(name: string, signal: AbortSignal): Promise<Reason[]> {
    return await this.#deps.why(name, signal);
  }

  async orphans(name: string, signal: AbortSignal): Promise<ResourceNode[]> {
    return await this.#deps.orphans(name, signal);
  }

  #context(): HealthContext {
    return { settings: this.#deps.settings(), nowMs: this.#deps.clock.now() };
  }

  /** What an action is for: an object of the application, or the Application itself. */
  async #subject(name: string, of: ResourceName, signal: AbortSignal): Promise<KubeObject> {
    const application = this.#deps.engine.get(name);
    return isItself(application, of)
      ? (cloneJson(application) as unknown as KubeObject)
      : await this.#live(name, of, signal);
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
    const isIt = (candidate: ResourceNode) =>
      candidate.group === of.group &&
      candidate.kind === of.kind &&
      candidate.name === of.name &&
      (candidate.namespace ?? '') === (of.namespace ?? '');
    const nodes = await this.#deps.engine.tree(name, signal);
    // What its project shows beside it may be looked at and cleared away from here, too.
    const node = nodes.find(isIt) ?? (await this.#deps.orphans(name, signal)).find(isIt);
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

function isItself(application: Application, of: ResourceName): boolean {
  return of.group === 'argoproj.io' && of.kind === 'Application' && of.name === application.metadata.name;
}

/** Writes what an action changed; the status by its own path where the kind has one. */
async function patchTo(
  kube: KubeClient,
  { live, wanted }: { live: KubeObject; wanted: KubeObject },
  signal: AbortSignal,
): Promise<void> {
  const resource = await kube.discovery.find(kindOf(live), signal);
  if (!resource) throw new AppError('not-found', `${kube.server} does not serve ${live.kind} of ${live.apiVersion}`);
  const { rest, status } = actionPatches(live, wanted);
  const ref = { name: live.metadata.name, namespace: live.metadata.namespace };
  const write = async (body: JsonObject | undefined, subresource?: string) => {
    if (body === undefined) return;
    const options = subresource === undefined ? { fieldManager } : { fieldManager, subresource };
    await kube.patch(resource, ref, { type: 'merge', body }, options, signal);
  };
  const separate = resource.subresources.includes('status');
  await write(separate ? rest : rest || status ? { ...rest, ...status } : undefined);
  if (separate) await write(status, 'status');
}

function notPart(of: Partial<ResourceName>, application: string): AppError {
  const what = [of.kind, of.group, of.name].filter((part) => part).join(' ');
  return new AppError('bad-input', `${what} not found as part of application ${application}`);
}

function masked(object: KubeObject, settings: ArgoSettings): KubeObject {
  return maskSecrets([object], settings.compare.sensitiveAnnotations)[0] ?? object;
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
