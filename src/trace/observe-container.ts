import type { ApplicationEngine } from '#apps/port.ts';
import { AppError } from '#base/errors.ts';
import { getArray, getObject, getPath, getString } from '#base/json.ts';
import type { KubeClient, KubeObject } from '#kube/port.ts';
import type { Application } from '#model/argocd/application.ts';
import { type ContainerFact, type Known, known, unknown } from './chain.ts';
import { mainImage, parseImageName } from './image-name.ts';
import { placeOf } from './place.ts';
import { subjectOf, type TraceQuery } from './report.ts';

export interface ContainerDeps {
  kube: KubeClient;
  engine: ApplicationEngine;
}

/** Where a trace starts: the application, the container if one runs, and the image in question. */
export interface Start {
  application: Application | undefined;
  container: Known<ContainerFact>;
  image: string | undefined;
}

const ownersMax = 5;

/** Throws `not-found` when the pod or application that was asked for does not exist. */
export async function observeStart(deps: ContainerDeps, query: TraceQuery, signal: AbortSignal): Promise<Start> {
  switch (query.kind) {
    case 'pod': {
      const pod = await findPod(deps, query, signal);
      const application = await applicationOf(deps, pod, signal);
      const container = containerOf(pod, application && placeOf(application).service);
      return { application, container: known(container), image: container.image };
    }
    case 'application': {
      const application = deps.engine.get(query.name);
      const { service } = placeOf(application);
      const image = mainImage(application.status?.summary?.images ?? [], service);
      const container = await runningContainer(deps, application, image, signal);
      return { application, container, image: container.known ? container.value.image : image };
    }
    case 'image': {
      const application = deps.engine
        .list()
        .find(({ status }) => status?.summary?.images?.some((image) => sameImage(image, query.image)));
      const image = application?.status?.summary?.images?.find((running) => sameImage(running, query.image));
      if (!application || image === undefined)
        return { application: undefined, container: unknown('no application runs this image'), image: query.image };
      return { application, container: await runningContainer(deps, application, image, signal), image };
    }
  }
}

/** The same repository, and the same tag or digest where both name one. */
export function sameImage(a: string, b: string): boolean {
  const left = parseImageName(a);
  const right = parseImageName(b);
  const repository = left.repository === right.repository || left.repository.endsWith(`/${right.repository}`);
  if (!repository) return false;
  if (left.digest !== undefined && right.digest !== undefined) return left.digest === right.digest;
  return left.tag !== undefined && left.tag === right.tag;
}

async function findPod(
  { kube, engine }: ContainerDeps,
  query: Extract<TraceQuery, { kind: 'pod' }>,
  signal: AbortSignal,
): Promise<KubeObject> {
  const resource = await kube.discovery.find({ group: '', version: 'v1', kind: 'Pod' }, signal);
  if (!resource) throw new AppError('unavailable', 'the cluster serves no pods');
  const deployedTo = engine.list().flatMap(({ spec }) => spec.destination.namespace ?? []);
  const namespaces = query.namespace === undefined ? [...new Set(deployedTo)] : [query.namespace];
  for (const namespace of namespaces) {
    const pod = await kube.get(resource, { name: query.name, namespace }, signal);
    if (pod) return pod;
  }
  throw new AppError('not-found', `${subjectOf(query)} does not exist in ${namespaces.join(', ') || 'any namespace'}`, {
    hint: query.namespace === undefined ? 'name its namespace with -n' : 'kubectl get pods shows those there are',
  });
}

async function runningContainer(
  { kube, engine }: ContainerDeps,
  application: Application,
  image: string | undefined,
  signal: AbortSignal,
): Promise<Known<ContainerFact>> {
  const nodes = await engine.tree(application.metadata.name, signal);
  const pods = nodes.filter(
    ({ kind, group, images }) => kind === 'Pod' && group === '' && (image === undefined || images.includes(image)),
  );
  const newest = pods.sort((a, b) => ((a.createdAt ?? '') < (b.createdAt ?? '') ? 1 : -1));
  const chosen = newest.find(({ health }) => health?.status === 'Healthy') ?? newest[0];
  if (!chosen) return unknown('no pod of the application is running it');
  const resource = await kube.discovery.find({ group: '', version: 'v1', kind: 'Pod' }, signal);
  const pod = resource && (await kube.get(resource, { name: chosen.name, namespace: chosen.namespace }, signal));
  if (!pod) return unknown(`pod ${chosen.name} is gone`);
  return known(containerOf(pod, placeOf(application).service));
}

/** The container that carries the service: see `mainImage`. */
function containerOf(pod: KubeObject, service: string | undefined): ContainerFact {
  const containers = getArray(pod, 'spec', 'containers');
  const images = containers.map((container) => getString(container, 'image') ?? '');
  const image = mainImage(images, service ?? pod.metadata.name) ?? '';
  const container = getString(containers[images.indexOf(image)], 'name') ?? '';
  const status = getArray(pod, 'status', 'containerStatuses').find((entry) => getString(entry, 'name') === container);
  const startedAt = Date.parse(getString(status, 'state', 'running', 'startedAt') ?? '');
  return {
    pod: pod.metadata.name,
    namespace: pod.metadata.namespace ?? '',
    container,
    image,
    digest: /sha256:[0-9a-f]{64}/.exec(getString(status, 'imageID') ?? '')?.[0],
    startedAt: Number.isNaN(startedAt) ? undefined : startedAt,
    node: getString(pod, 'spec', 'nodeName'),
  };
}

/** The application that manages the pod or one of its owners. */
async function applicationOf(
  { kube, engine }: ContainerDeps,
  pod: KubeObject,
  signal: AbortSignal,
): Promise<Application | undefined> {
  const chain = [pod, ...(await ownersOf(kube, pod, signal))];
  const applications = engine.list();
  for (const object of chain.toReversed()) {
    const tracked = getString(getObject(object.metadata, 'annotations'), 'argocd.argoproj.io/tracking-id');
    const byId = applications.find(({ metadata }) => metadata.name === tracked?.split(':', 1)[0]);
    if (byId) return byId;
    const managing = applications.find(({ status }) =>
      status?.resources?.some(
        ({ kind, namespace, name }) =>
          kind === object.kind && name === object.metadata.name && namespace === object.metadata.namespace,
      ),
    );
    if (managing) return managing;
  }
  return undefined;
}

async function ownersOf(kube: KubeClient, object: KubeObject, signal: AbortSignal): Promise<KubeObject[]> {
  const owners: KubeObject[] = [];
  let at: KubeObject | undefined = object;
  while (at && owners.length < ownersMax) {
    const owner: unknown =
      at.metadata.ownerReferences?.find((reference) => reference.controller) ??
      getPath(at, 'metadata', 'ownerReferences', 0);
    const [apiVersion, kind, name] = ['apiVersion', 'kind', 'name'].map((field) => getString(owner, field));
    if (apiVersion === undefined || kind === undefined || name === undefined) break;
    const [group, version] = apiVersion.includes('/') ? apiVersion.split('/') : ['', apiVersion];
    const resource = await kube.discovery.find({ group: group ?? '', version: version ?? '', kind }, signal);
    at = resource && (await kube.get(resource, { name, namespace: object.metadata.namespace }, signal));
    if (at) owners.push(at);
  }
  return owners;
}
