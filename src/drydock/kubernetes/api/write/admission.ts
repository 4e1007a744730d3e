import { isObject, jsonEqual } from '#base/json.ts';
import { completeDefinition, keepStoredVersions, newDefinitionStatus } from '../definition/crd-names.ts';
import type { ApiObject } from '../port.ts';
import type { ServedResource } from '../served.ts';
import type { Store } from '../store/store.ts';
import { assignIngressClass } from './default-ingress-class.ts';
import type { ServiceAddresses } from './service-addresses.ts';

/** Which of the usual admissions change pods; each is on unless it is switched off. */
export interface PodAdmission {
  serviceAccount: boolean;
  defaultTolerationSeconds: boolean;
}

export interface AdmissionInput {
  resource: ServedResource;
  /** Changed in place. */
  object: ApiObject;
  dryRun: boolean;
}

/** What the server fills in like a default, so that the writer owns it. In place. */
export function completeObject(resource: ServedResource, object: ApiObject, live: ApiObject | undefined): void {
  switch (resource.groupResource) {
    case 'namespaces':
      labelNamespace(object);
      return;
    case 'customresourcedefinitions.apiextensions.k8s.io':
      completeDefinition(object);
      if (live) keepStoredVersions(object);
      else object['status'] = newDefinitionStatus(object);
      return;
    default:
      return;
  }
}

/**
 * What the server itself adds to new objects of some kinds, which nobody owns. In place. Returns how to give back what
 * was reserved for the write.
 */
export async function admitCreate(
  deps: { addresses: ServiceAddresses; podAdmission: PodAdmission; store: Pick<Store, 'scan'> },
  { resource, object, dryRun }: AdmissionInput,
): Promise<() => void> {
  switch (resource.groupResource) {
    case 'services':
      return deps.addresses.assign(object, { old: undefined, dryRun });
    case 'namespaces':
      object['spec'] = { finalizers: ['kubernetes'] };
      object['status'] = { phase: 'Active' };
      return nothing;
    case 'pods':
      fillPod(object, deps.podAdmission);
      return nothing;
    case 'nodes':
      taintNode(object);
      return nothing;
    case 'ingresses.networking.k8s.io':
      assignIngressClass(deps.store, object);
      return nothing;
    case 'jobs.batch':
      selectOwnPods(object);
      return nothing;
    case 'persistentvolumeclaims':
      protect(object, 'kubernetes.io/pvc-protection');
      return nothing;
    case 'persistentvolumes':
      protect(object, 'kubernetes.io/pv-protection');
      object['status'] = { phase: 'Pending', lastPhaseTransitionTime: object.metadata.creationTimestamp };
      return nothing;
    default:
      return nothing;
  }
}

export async function admitUpdate(
  deps: { addresses: ServiceAddresses; podAdmission: PodAdmission },
  { resource, object, live, dryRun }: AdmissionInput & { live: ApiObject },
): Promise<() => void> {
  switch (resource.groupResource) {
    case 'services':
      return deps.addresses.assign(object, { old: live, dryRun });
    case 'daemonsets.apps':
      countTemplates(object, live);
      return nothing;
    case 'pods':
      keepPriority(object, live);
      // A list of tolerations is one value: an apply of a shorter one has to get them back.
      if (deps.podAdmission.defaultTolerationSeconds && isObject(object['spec'])) tolerateNodeTrouble(object['spec']);
      return nothing;
    default:
      return nothing;
  }
}

function nothing(): void {}

/** In use until the volume controller says otherwise. */
function protect(object: ApiObject, finalizer: string): void {
  const { finalizers = [] } = object.metadata;
  if (!finalizers.includes(finalizer)) object.metadata.finalizers = [...finalizers, finalizer];
}

/** A Job's pods carry its uid, which is what it selects them by, unless it was made with a selector of its own. */
function selectOwnPods(job: ApiObject): void {
  const spec = isObject(job['spec']) ? job['spec'] : {};
  const template = isObject(spec['template']) ? spec['template'] : undefined;
  if (spec['manualSelector'] === true || template === undefined) return;
  const { uid = '', name, labels: own = {} } = job.metadata;
  const metadata = isObject(template['metadata']) ? template['metadata'] : {};
  const given = isObject(metadata['labels']) ? metadata['labels'] : {};
  const generated = {
    'batch.kubernetes.io/controller-uid': uid,
    'batch.kubernetes.io/job-name': name,
    'controller-uid': uid,
    'job-name': name,
  };
  const labels = { ...generated, ...given };
  template['metadata'] = { ...metadata, labels };
  const inherited = Object.keys(own).length === 0 || jsonEqual(own, given);
  if (inherited) job.metadata.labels = stringsOf(labels);
  const selector = isObject(spec['selector']) ? spec['selector'] : {};
  const matchLabels = isObject(selector['matchLabels']) ? selector['matchLabels'] : {};
  spec['selector'] = { ...selector, matchLabels: { 'batch.kubernetes.io/controller-uid': uid, ...matchLabels } };
}

function stringsOf(labels: Record<string, unknown>): Record<string, string> {
  return Object.fromEntries(Object.entries(labels).map(([key, value]) => [key, String(value)]));
}

const templateGeneration = 'deprecated.daemonset.template.generation';

/** The annotation in which DaemonSets still count the changes of their template. */
function countTemplates(set: ApiObject, live: ApiObject): void {
  const before = Number(live.metadata.annotations?.[templateGeneration] ?? 0);
  const templateOf = (object: ApiObject): unknown =>
    isObject(object['spec']) ? object['spec']['template'] : undefined;
  const now = jsonEqual(templateOf(set), templateOf(live)) ? before : before + 1;
  set.metadata.annotations = { ...set.metadata.annotations, [templateGeneration]: String(now) };
}

function labelNamespace(object: ApiObject): void {
  object.metadata.labels = { ...object.metadata.labels, 'kubernetes.io/metadata.name': object.metadata.name };
}

/** As the TaintNodesByCondition admission does: a new node takes no pods before it has said that it is ready. */
function taintNode(node: ApiObject): void {
  const spec = isObject(node['spec']) ? node['spec'] : {};
  const taints: unknown[] = Array.isArray(spec['taints']) ? spec['taints'] : [];
  const key = 'node.kubernetes.io/not-ready';
  const there = taints.some((taint) => isObject(taint) && taint['key'] === key && taint['effect'] === 'NoSchedule');
  node['spec'] = { ...spec, taints: there ? taints : [...taints, { key, effect: 'NoSchedule' }] };
}

const tolerated = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable'];

/** As the ServiceAccount, Priority and DefaultTolerationSeconds admissions do, and the initial status. */
function fillPod(pod: ApiObject, admission: PodAdmission): void {
  if (!isObject(pod['spec'])) return;
  const spec = pod['spec'];
  if (admission.serviceAccount) spec['serviceAccountName'] ??= 'default';
  if (spec['serviceAccountName'] !== undefined) spec['serviceAccount'] ??= spec['serviceAccountName'];
  spec['priority'] ??= 0;
  spec['preemptionPolicy'] ??= 'PreemptLowerPriority';
  if (admission.defaultTolerationSeconds) tolerateNodeTrouble(spec);
  pod['status'] = { phase: 'Pending', qosClass: qosClass(spec['containers']) };
}

/** What was filled in at creation stays when a replacement does not name it. */
function keepPriority(pod: ApiObject, live: ApiObject): void {
  const [spec, before] = [pod['spec'], live['spec']];
  if (!isObject(spec) || !isObject(before)) return;
  for (const field of ['priority', 'preemptionPolicy'])
    if (spec[field] === undefined && before[field] !== undefined) spec[field] = before[field];
}

function tolerateNodeTrouble(spec: Record<string, unknown>): void {
  const tolerations: unknown[] = Array.isArray(spec['tolerations']) ? [...spec['tolerations']] : [];
  for (const key of tolerated) {
    if (tolerations.some((toleration) => isObject(toleration) && tolerates(toleration, key))) continue;
    tolerations.push({ key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 });
  }
  spec['tolerations'] = tolerations;
}

function tolerates(toleration: Record<string, unknown>, key: string): boolean {
  const matchesKey = toleration['key'] === key || (toleration['key'] ?? '') === '';
  const effect = toleration['effect'] ?? '';
  return matchesKey && (effect === '' || effect === 'NoExecute');
}

function qosClass(containers: unknown): string {
  const all = Array.isArray(containers) ? containers.filter(isObject) : [];
  const resources = all.map((container) => (isObject(container['resources']) ? container['resources'] : {}));
  const amounts = (resource: Record<string, unknown>, name: string): Record<string, unknown> =>
    isObject(resource[name]) ? resource[name] : {};
  const guaranteed = resources.every((resource) => {
    const limits = amounts(resource, 'limits');
    const requests = amounts(resource, 'requests');
    return ['cpu', 'memory'].every((name) => limits[name] !== undefined && limits[name] === requests[name]);
  });
  if (guaranteed && all.length > 0) return 'Guaranteed';
  const any = resources.some((resource) =>
    ['limits', 'requests'].some((name) => Object.keys(amounts(resource, name)).length > 0),
  );
  return any ? 'Burstable' : 'BestEffort';
}
