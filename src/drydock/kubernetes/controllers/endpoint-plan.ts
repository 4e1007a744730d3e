import { canonicalJson } from '#base/digest.ts';
import { getArray, getNumber, getPath, getString, isObject, type JsonObject, jsonEqual } from '#base/json.ts';
import type { ApiObject } from '../api/port.ts';
import { ownerReferenceTo, stringMap } from './ownership.ts';
import { isDeleting, isPodReady, podPhase } from './pod-state.ts';
import { matchesSelector } from './selector.ts';

export const sliceManager = 'endpointslice-controller.k8s.io';
export const serviceNameLabel = 'kubernetes.io/service-name';
export const managedByLabel = 'endpointslice.kubernetes.io/managed-by';
const sliceLimit = 100;

export interface ResolvedPort {
  name: string;
  protocol: string;
  port: number;
  appProtocol?: string;
}

export interface Endpoint {
  pod: ApiObject;
  address: string;
  ready: boolean;
  serving: boolean;
  terminating: boolean;
  ports: ResolvedPort[];
}

/** The pods behind a service that have an address, in the order of their names. */
export function endpointsOf(service: ApiObject, pods: readonly ApiObject[]): Endpoint[] {
  const selector = serviceSelector(service);
  if (!selector) return [];
  const publishAll = getPath(service, 'spec', 'publishNotReadyAddresses') === true;
  const found: Endpoint[] = [];
  for (const pod of [...pods].sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))) {
    const address = getString(pod, 'status', 'podIP');
    const phase = podPhase(pod);
    if (!address || phase === 'Succeeded' || phase === 'Failed') continue;
    if (!matchesSelector({ matchLabels: selector, matchExpressions: [] }, pod.metadata.labels)) continue;
    const serving = publishAll || isPodReady(pod);
    const terminating = isDeleting(pod);
    found.push({
      pod,
      address,
      ready: publishAll || (serving && !terminating),
      serving,
      terminating,
      ports: resolvePorts(service, pod),
    });
  }
  return found;
}

/** Undefined for services whose endpoints are somebody else's business. */
export function serviceSelector(service: ApiObject): Record<string, string> | undefined {
  const selector = stringMap(getPath(service, 'spec', 'selector'));
  if (Object.keys(selector).length === 0 || getString(service, 'spec', 'type') === 'ExternalName') return undefined;
  return selector;
}

function resolvePorts(service: ApiObject, pod: ApiObject): ResolvedPort[] {
  const found: ResolvedPort[] = [];
  for (const entry of getArray(service, 'spec', 'ports')) {
    const protocol = getString(entry, 'protocol') ?? 'TCP';
    const target = getPath(entry, 'targetPort') ?? getNumber(entry, 'port');
    const port = typeof target === 'number' ? target : namedPort(pod, String(target), protocol);
    if (port === undefined) continue;
    const appProtocol = getString(entry, 'appProtocol');
    const name = getString(entry, 'name') ?? '';
    found.push({ name, protocol, port, ...(appProtocol === undefined ? {} : { appProtocol }) });
  }
  return found;
}

function namedPort(pod: ApiObject, name: string, protocol: string): number | undefined {
  for (const container of getArray(pod, 'spec', 'containers'))
    for (const port of getArray(container, 'ports'))
      if (getString(port, 'name') === name && (getString(port, 'protocol') ?? 'TCP') === protocol)
        return getNumber(port, 'containerPort');
  return undefined;
}

export interface SlicePlan {
  create: ApiObject[];
  update: ApiObject[];
  remove: ApiObject[];
}

/** Slices of at most 100 endpoints, one group per set of port numbers; slices that fit already are kept. */
export function planSlices(
  service: ApiObject,
  endpoints: readonly Endpoint[],
  existing: readonly ApiObject[],
): SlicePlan {
  const groups = new Map<string, { ports: ResolvedPort[]; endpoints: Endpoint[] }>();
  for (const endpoint of endpoints) {
    const key = canonicalJson(endpoint.ports);
    const group = groups.get(key) ?? { ports: endpoint.ports, endpoints: [] };
    group.endpoints.push(endpoint);
    groups.set(key, group);
  }
  const plan: SlicePlan = { create: [], update: [], remove: [] };
  const free = [...existing];
  const wanted = [...groups.values()].flatMap((group) =>
    chunk(group.endpoints).map((part) => ({ ...group, endpoints: part })),
  );
  if (wanted.length === 0) wanted.push({ ports: [], endpoints: [] });
  for (const group of wanted) {
    const samePorts = free.findIndex((slice) => jsonEqual(slice['ports'] ?? [], group.ports));
    const at = samePorts >= 0 ? samePorts : free.length > 0 && group === wanted.at(-1) ? 0 : -1;
    const [slice] = at >= 0 ? free.splice(at, 1) : [];
    const body: JsonObject = {
      addressType: 'IPv4',
      endpoints: group.endpoints.map((endpoint) => endpointObject(endpoint)),
      ports: group.ports.map((port) => ({ ...port })),
    };
    if (!slice) plan.create.push(newSlice(service, body));
    else if (!sameSlice(slice, body)) plan.update.push({ ...slice, ...body });
  }
  plan.remove.push(...free);
  return plan;
}

function chunk(endpoints: readonly Endpoint[]): Endpoint[][] {
  const parts: Endpoint[][] = [];
  for (let at = 0; at < endpoints.length; at += sliceLimit) parts.push(endpoints.slice(at, at + sliceLimit));
  return parts;
}

function sameSlice(slice: ApiObject, body: JsonObject): boolean {
  return jsonEqual(slice['endpoints'] ?? [], body['endpoints']) && jsonEqual(slice['ports'] ?? [], body['ports']);
}

function endpointObject(endpoint: Endpoint): JsonObject {
  const { pod, address, ready, serving, terminating } = endpoint;
  const nodeName = getString(pod, 'spec', 'nodeName');
  return {
    addresses: [address],
    conditions: { ready, serving, terminating },
    ...(nodeName === undefined ? {} : { nodeName }),
    targetRef: targetRef(pod),
  };
}

function targetRef(pod: ApiObject): JsonObject {
  return { kind: 'Pod', namespace: pod.metadata.namespace, name: pod.metadata.name, uid: pod.metadata.uid };
}

function newSlice(service: ApiObject, body: JsonObject): ApiObject {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      name: '',
      generateName: `${service.metadata.name}-`,
      ...(service.metadata.namespace === undefined ? {} : { namespace: service.metadata.namespace }),
      labels: {
        ...service.metadata.labels,
        [managedByLabel]: sliceManager,
        [serviceNameLabel]: service.metadata.name,
        ...(getString(service, 'spec', 'clusterIP') === 'None' ? { 'service.kubernetes.io/headless': '' } : {}),
      },
      ownerReferences: [ownerReferenceTo(service)],
    },
    ...body,
  };
}

/** The subsets of the older Endpoints object: ready and not ready addresses grouped by ports. */
export function endpointSubsets(endpoints: readonly Endpoint[]): JsonObject[] {
  const groups = new Map<string, { ports: ResolvedPort[]; ready: JsonObject[]; notReady: JsonObject[] }>();
  for (const endpoint of endpoints) {
    if (endpoint.terminating && !endpoint.ready) continue;
    const key = canonicalJson(endpoint.ports);
    const group = groups.get(key) ?? { ports: endpoint.ports, ready: [], notReady: [] };
    const nodeName = getString(endpoint.pod, 'spec', 'nodeName');
    const address = {
      ip: endpoint.address,
      ...(nodeName === undefined ? {} : { nodeName }),
      targetRef: targetRef(endpoint.pod),
    };
    (endpoint.ready ? group.ready : group.notReady).push(address);
    groups.set(key, group);
  }
  return [...groups.values()].map((group) => ({
    ...(group.ready.length > 0 ? { addresses: group.ready } : {}),
    ...(group.notReady.length > 0 ? { notReadyAddresses: group.notReady } : {}),
    ports: group.ports.map(({ name, ...port }) => ({ ...(name === '' ? {} : { name }), ...port })),
  }));
}

export function isManagedSlice(slice: ApiObject): boolean {
  return isObject(slice.metadata.labels) && slice.metadata.labels[managedByLabel] === sliceManager;
}
