import type { JsonObject } from '#base/json.ts';
import { isObject } from '#base/json.ts';
import { child, children, fill } from './fill.ts';

/** Defaults of a pod's spec, alone or in a template. */
export function defaultPodSpec(spec: JsonObject): void {
  fill(spec, {
    restartPolicy: 'Always',
    terminationGracePeriodSeconds: 30,
    dnsPolicy: 'ClusterFirst',
    securityContext: {},
    schedulerName: 'default-scheduler',
  });
  for (const list of ['initContainers', 'containers', 'ephemeralContainers']) {
    for (const container of children(spec, list)) defaultContainer(container);
  }
  for (const volume of children(spec, 'volumes')) defaultVolume(volume);
  for (const constraint of children(spec, 'topologySpreadConstraints')) {
    fill(constraint, {});
  }
  mirrorServiceAccount(spec);
}

/** What a Pod object gets beyond its template: limits become requests, ports of the host's network, service links. */
export function defaultPod(pod: JsonObject): void {
  const spec = child(pod, 'spec');
  if (spec === undefined) return;
  for (const list of ['initContainers', 'containers']) {
    for (const container of children(spec, list)) requestsFromLimits(container);
  }
  fill(spec, { enableServiceLinks: true });
  if (spec['hostNetwork'] === true) defaultHostPorts(spec);
  defaultPodSpec(spec);
}

/** The old name `serviceAccount` always equals the new one. */
function mirrorServiceAccount(spec: JsonObject): void {
  const name = spec['serviceAccountName'] ?? spec['serviceAccount'];
  if (typeof name !== 'string' || name === '') return;
  spec['serviceAccountName'] = name;
  spec['serviceAccount'] = name;
}

function defaultHostPorts(spec: JsonObject): void {
  for (const list of ['initContainers', 'containers']) {
    for (const container of children(spec, list)) {
      for (const port of children(container, 'ports')) fill(port, { hostPort: port['containerPort'] });
    }
  }
}

function requestsFromLimits(container: JsonObject): void {
  const resources = child(container, 'resources');
  const limits = child(resources, 'limits');
  if (resources === undefined || limits === undefined) return;
  const requests = child(resources, 'requests') ?? {};
  const missing = Object.keys(limits).some((name) => requests[name] === undefined);
  if (!missing) return;
  const all = { ...limits, ...requests };
  resources['requests'] = Object.fromEntries(Object.entries(all).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function defaultContainer(container: JsonObject): void {
  fill(container, {
    resources: {},
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'File',
    imagePullPolicy: pullPolicy(container['image']),
  });
  for (const port of children(container, 'ports')) fill(port, { protocol: 'TCP' });
  for (const variable of children(container, 'env')) defaultSource(child(variable, 'valueFrom'));
  for (const name of ['livenessProbe', 'readinessProbe', 'startupProbe']) defaultProbe(child(container, name));
  const lifecycle = child(container, 'lifecycle');
  for (const name of ['postStart', 'preStop']) defaultHandler(child(lifecycle, name));
  const security = child(container, 'securityContext');
  if (security?.['capabilities'] === null) delete security['capabilities'];
}

/** Always for `latest` or no tag and no digest, else IfNotPresent. */
function pullPolicy(image: unknown): string {
  if (typeof image !== 'string' || image === '') return 'IfNotPresent';
  const [name = '', digest] = image.split('@');
  const last = name.slice(name.lastIndexOf('/') + 1);
  const colon = last.indexOf(':');
  const tag = colon < 0 ? undefined : last.slice(colon + 1);
  if (tag === undefined) return digest === undefined ? 'Always' : 'IfNotPresent';
  return tag === 'latest' ? 'Always' : 'IfNotPresent';
}

function defaultProbe(probe: JsonObject | undefined): void {
  if (probe === undefined) return;
  fill(probe, { timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 });
  defaultHandler(probe);
  const grpc = child(probe, 'grpc');
  if (grpc !== undefined) fill(grpc, { service: '' });
}

function defaultHandler(handler: JsonObject | undefined): void {
  const http = child(handler, 'httpGet');
  if (http !== undefined) fill(http, { path: '/', scheme: 'HTTP' });
}

function defaultSource(source: JsonObject | undefined): void {
  const field = child(source, 'fieldRef');
  if (field !== undefined) fill(field, { apiVersion: 'v1' });
}

function defaultVolume(volume: JsonObject): void {
  const sources = Object.keys(volume).filter((key) => key !== 'name' && isObject(volume[key]));
  if (sources.length === 0) volume['emptyDir'] = {};
  for (const name of ['secret', 'configMap', 'projected', 'downwardAPI']) {
    const source = child(volume, name);
    if (source !== undefined) fill(source, { defaultMode: 420 });
    for (const item of children(source, 'items')) defaultSource(item);
  }
  for (const source of children(child(volume, 'projected'), 'sources')) {
    for (const item of children(child(source, 'downwardAPI'), 'items')) defaultSource(item);
    const token = child(source, 'serviceAccountToken');
    if (token !== undefined) fill(token, { expirationSeconds: 3600 });
  }
  const hostPath = child(volume, 'hostPath');
  if (hostPath !== undefined) fill(hostPath, { type: '' });
  const iscsi = child(volume, 'iscsi');
  if (iscsi !== undefined) fill(iscsi, { iscsiInterface: 'default' });
  const rbd = child(volume, 'rbd');
  if (rbd !== undefined) fill(rbd, { pool: 'rbd', user: 'admin', keyring: '/etc/ceph/keyring' });
  const image = child(volume, 'image');
  if (image !== undefined) fill(image, { pullPolicy: pullPolicy(image['reference']) });
  const claim = child(child(volume, 'ephemeral'), 'volumeClaimTemplate');
  const claimSpec = child(claim, 'spec');
  if (claimSpec !== undefined) fill(claimSpec, { volumeMode: 'Filesystem' });
}
