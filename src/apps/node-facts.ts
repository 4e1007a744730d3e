import { getArray, getNumber, getObject, getString, isObject, type JsonObject } from '#base/json.ts';
import { type KubeObject, parseApiVersion } from '#kube/port.ts';
import { externalUrlsOf } from './external-urls.ts';
import type { NodeNetworking } from './port.ts';

export interface NodeFact {
  name: string;
  value: string;
}

function conditionOf(object: KubeObject, type: string): JsonObject | undefined {
  return getArray(object, 'status', 'conditions')
    .filter(isObject)
    .find((condition) => condition['type'] === type);
}

/** Why a container is not simply running, in kubectl's words. */
function stateReason(status: unknown): string | undefined {
  const waiting = getString(status, 'state', 'waiting', 'reason');
  if (waiting) return waiting;
  const ended = getObject(status, 'state')['terminated'];
  if (!isObject(ended)) return undefined;
  const signal = getNumber(ended, 'signal') ?? 0;
  return (
    getString(ended, 'reason') || (signal !== 0 ? `Signal:${signal}` : `ExitCode:${getNumber(ended, 'exitCode') ?? 0}`)
  );
}

interface PodState {
  reason: string;
  ready: number;
  total: number;
  restarts: number;
}

function initState(pod: KubeObject, state: PodState): boolean {
  const specs = getArray(pod, 'spec', 'initContainers');
  const stays = (name: string | undefined) =>
    specs.some((spec) => getString(spec, 'name') === name && getString(spec, 'restartPolicy') === 'Always');
  state.total += specs.filter((spec) => getString(spec, 'restartPolicy') === 'Always').length;
  for (const [index, status] of getArray(pod, 'status', 'initContainerStatuses').entries()) {
    state.restarts += getNumber(status, 'restartCount') ?? 0;
    const ended = getObject(status, 'state')['terminated'];
    if (isObject(ended) && getNumber(ended, 'exitCode') === 0) continue;
    if (stays(getString(status, 'name')) && isObject(status) && status['started'] === true) {
      if (status['ready'] === true) state.ready += 1;
      continue;
    }
    const reason = stateReason(status);
    state.reason = `Init:${reason === undefined || reason === 'PodInitializing' ? `${index}/${specs.length}` : reason}`;
    return true;
  }
  return false;
}

function containerState(pod: KubeObject, state: PodState): void {
  let running = false;
  for (const status of getArray(pod, 'status', 'containerStatuses').toReversed()) {
    state.restarts += getNumber(status, 'restartCount') ?? 0;
    const reason = stateReason(status);
    if (reason !== undefined) state.reason = reason;
    else if (isObject(status) && status['ready'] === true && isObject(getObject(status, 'state')['running'])) {
      running = true;
      state.ready += 1;
    }
  }
  if (state.reason === 'Completed' && running) state.reason = 'Running';
}

function podFacts(pod: KubeObject): NodeFact[] {
  const phase = getString(pod, 'status', 'phase') ?? '';
  const total = getArray(pod, 'spec', 'containers').length;
  const state: PodState = { reason: getString(pod, 'status', 'reason') || phase, ready: 0, total, restarts: 0 };
  if (conditionOf(pod, 'PodScheduled')?.['reason'] === 'SchedulingGated') state.reason = 'SchedulingGated';
  const initializing = initState(pod, state);
  if (!initializing || conditionOf(pod, 'Initialized')?.['status'] === 'True') containerState(pod, state);
  if (pod.metadata.deletionTimestamp !== undefined)
    if (getString(pod, 'status', 'reason') === 'NodeLost') state.reason = 'Unknown';
    else if (phase !== 'Succeeded' && phase !== 'Failed') state.reason = 'Terminating';
  return [
    ...(state.reason === '' ? [] : [{ name: 'Status Reason', value: state.reason }]),
    { name: 'Node', value: getString(pod, 'spec', 'nodeName') ?? '' },
    { name: 'Containers', value: `${state.ready}/${state.total}` },
    ...(state.restarts > 0 ? [{ name: 'Restart Count', value: String(state.restarts) }] : []),
  ];
}

function applicationFacts(object: KubeObject): NodeFact[] {
  const sync = getString(object, 'status', 'sync', 'status');
  return [
    ...(sync === undefined ? [] : [{ name: 'Sync Status', value: sync }]),
    ...(object.metadata.deletionTimestamp === undefined ? [] : [{ name: 'Status', value: 'Deleting' }]),
  ];
}

/** What a person wants to see of an object beside its name: of pods their state as kubectl words it. */
export function factsOf(object: KubeObject): NodeFact[] {
  const { group } = parseApiVersion(object.apiVersion);
  const revision = object.metadata.annotations?.['deployment.kubernetes.io/revision'];
  const facts = revision === undefined ? [] : [{ name: 'Revision', value: `Rev:${revision}` }];
  if (group === '' && object.kind === 'Pod') return [...facts, ...podFacts(object)];
  if (group === 'argoproj.io' && object.kind === 'Application') return [...facts, ...applicationFacts(object)];
  return facts;
}

function texts(value: unknown): Record<string, string> | undefined {
  if (!isObject(value)) return undefined;
  const entries = Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
  return entries.length > 0 ? Object.fromEntries(entries) : undefined;
}

function addresses(object: KubeObject): { ip?: string; hostname?: string }[] {
  const found: { ip?: string; hostname?: string }[] = [];
  for (const entry of getArray(object, 'status', 'loadBalancer', 'ingress')) {
    const hostname = getString(entry, 'hostname');
    const ip = getString(entry, 'ip');
    if (hostname) found.push({ hostname });
    else if (ip) found.push({ ip });
  }
  return found;
}

function services(names: Iterable<string>, namespace: string | undefined): NonNullable<NodeNetworking['targetRefs']> {
  const place = namespace === undefined ? {} : { namespace };
  return [...new Set(names)].map((name) => ({ kind: 'Service', ...place, name }));
}

function ingressTargets(object: KubeObject): string[] {
  const of = (backend: unknown) => getString(backend, 'service', 'name') ?? getString(backend, 'serviceName') ?? [];
  const paths = getArray(object, 'spec', 'rules').flatMap((rule) => getArray(rule, 'http', 'paths'));
  const spec = getObject(object, 'spec');
  return [spec['defaultBackend'], spec['backend'], ...paths.map((path) => getObject(path)['backend'])].flatMap(of);
}

function routeTargets(object: KubeObject): string[] {
  return getArray(object, 'spec', 'rules')
    .flatMap((rule) => getArray(rule, 'backendRefs'))
    .filter((ref) => (getString(ref, 'kind') ?? 'Service') === 'Service')
    .flatMap((ref) => getString(ref, 'name') ?? []);
}

function virtualServiceTargets(object: KubeObject): NonNullable<NodeNetworking['targetRefs']> {
  const hosts = getArray(object, 'spec', 'http')
    .flatMap((rule) => getArray(rule, 'route'))
    .flatMap((route) => getString(route, 'destination', 'host') ?? []);
  return [...new Set(hosts)].map((host) => {
    const [name = '', namespace = object.metadata.namespace ?? ''] = host.split('.');
    return { kind: 'Service', namespace, name };
  });
}

function trafficOf(object: KubeObject): NodeNetworking | undefined {
  const { group } = parseApiVersion(object.apiVersion);
  const { kind, metadata } = object;
  if (group === '' && kind === 'Service') {
    const targetLabels = texts(getObject(object, 'spec')['selector']);
    const ingress = getString(object, 'spec', 'type') === 'LoadBalancer' ? addresses(object) : [];
    return { ...(targetLabels ? { targetLabels } : {}), ...(ingress.length > 0 ? { ingress } : {}) };
  }
  if (kind === 'Ingress' && (group === 'networking.k8s.io' || group === 'extensions'))
    return { targetRefs: services(ingressTargets(object), metadata.namespace), ingress: addresses(object) };
  if (group === 'gateway.networking.k8s.io' && kind.endsWith('Route'))
    return { targetRefs: services(routeTargets(object), metadata.namespace) };
  if (group === 'networking.istio.io' && kind === 'VirtualService')
    return { targetRefs: virtualServiceTargets(object) };
  if (group === '' && kind === 'Pod') return metadata.labels ? { labels: metadata.labels } : undefined;
  return undefined;
}

/** Where traffic goes that an object takes, and where people reach it; undefined for what takes none. */
export function networkingOf(object: KubeObject): NodeNetworking | undefined {
  const traffic = trafficOf(object);
  const externalURLs = externalUrlsOf(object);
  if (!traffic && externalURLs.length === 0) return undefined;
  return { ...traffic, ...(externalURLs.length > 0 ? { externalURLs } : {}) };
}
