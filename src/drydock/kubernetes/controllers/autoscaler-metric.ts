import { getArray, getNumber, getPath, getString } from '#base/json.ts';
import type { ApiObject, UsageReport } from '../api/port.ts';
import { findCondition, parseConditions, parseTime } from './condition.ts';
import { isDeleting, podPhase } from './pod-state.ts';

/** One metric of a HorizontalPodAutoscaler that can be read here: the usage of a resource by pods or one container of theirs. */
export interface ResourceMetric {
  type: 'Resource' | 'ContainerResource';
  resource: string;
  container: string | undefined;
  target: { kind: 'utilization'; percent: number } | { kind: 'value'; milli: number };
}

export interface MetricInput {
  metric: ResourceMetric;
  pods: readonly ApiObject[];
  usage: UsageReport;
  currentReplicas: number;
  now: number;
}

export interface MetricResult {
  replicas: number;
  /** In thousandths of the resource's unit, for each pod. */
  averageMilli: number;
  percent: number | undefined;
}

/** Why no number of replicas can be computed. */
export class MetricFailure extends Error {}

/** A ratio this near to 1 changes nothing. */
const tolerance = 0.1;
/** A pod younger than this counts by its metric only when that was measured after it became ready. */
const cpuInitializationMs = 300_000;
/** A pod that was never ready for longer than this has not started yet. */
const initialReadinessMs = 30_000;

/** How many replicas bring the usage to the target, as the horizontal pod autoscaler upstream counts. Throws MetricFailure. */
export function replicasForMetric(input: MetricInput): MetricResult {
  const { metric, currentReplicas } = input;
  const groups = groupPods(input);
  if (groups.ready.size === 0)
    throw new MetricFailure('did not receive metrics for targeted pods (pods might be unready)');
  const requests = metric.target.kind === 'utilization' ? requestsOf(metric, input.pods) : undefined;
  const goal = metric.target.kind === 'utilization' ? metric.target.percent / 100 : metric.target.milli;
  const ratioOf = (values: ReadonlyMap<string, number>): number => {
    const names = [...values.keys()];
    const used = sum(names.map((name) => values.get(name) ?? 0));
    const base = requests ? sum(names.map((name) => requests.get(name) ?? 0)) : names.length;
    return base === 0 ? 0 : used / base / goal;
  };
  const measured = ratioOf(groups.ready);
  const averageMilli = Math.round(sum([...groups.ready.values()]) / groups.ready.size);
  const percent = requests ? Math.trunc(measured * goal * 100) : undefined;
  const replicas = scaled({ groups, ratioOf, measured, requests, input, currentReplicas });
  return { replicas, averageMilli, percent };
}

function scaled(at: {
  groups: PodGroups;
  ratioOf: (values: ReadonlyMap<string, number>) => number;
  measured: number;
  requests: ReadonlyMap<string, number> | undefined;
  input: MetricInput;
  currentReplicas: number;
}): number {
  const { groups, ratioOf, measured, requests, input, currentReplicas } = at;
  const waitsForUnready = groups.unready.size > 0 && measured > 1;
  if (!waitsForUnready && groups.missing.size === 0)
    return Math.abs(1 - measured) <= tolerance ? currentReplicas : ceil(measured * groups.ready.size);
  // What is not known is taken as what speaks against a change.
  const assumed = new Map(groups.ready);
  const { target } = input.metric;
  for (const name of groups.missing) {
    const full =
      target.kind === 'value' ? target.milli : (requests?.get(name) ?? 0) * Math.max(1, target.percent / 100);
    assumed.set(name, measured < 1 ? full : 0);
  }
  if (waitsForUnready) for (const name of groups.unready) assumed.set(name, 0);
  const ratio = ratioOf(assumed);
  if (Math.abs(1 - ratio) <= tolerance || (measured < 1 && ratio > 1) || (measured > 1 && ratio < 1))
    return currentReplicas;
  const replicas = ceil(ratio * assumed.size);
  if ((ratio < 1 && replicas > currentReplicas) || (ratio > 1 && replicas < currentReplicas)) return currentReplicas;
  return replicas;
}

interface PodGroups {
  /** Usage in thousandths by pod name. */
  ready: Map<string, number>;
  unready: Set<string>;
  missing: Set<string>;
}

function groupPods({ metric, pods, usage, now }: MetricInput): PodGroups {
  const groups: PodGroups = { ready: new Map(), unready: new Set(), missing: new Set() };
  for (const pod of pods) {
    const { name } = pod.metadata;
    const phase = podPhase(pod);
    if (isDeleting(pod) || phase === 'Failed') continue;
    const value = usedBy(metric, pod, usage);
    if (phase === 'Pending') groups.unready.add(name);
    else if (value === undefined) groups.missing.add(name);
    else if (metric.resource === 'cpu' && isStarting(pod, usage, now)) groups.unready.add(name);
    else groups.ready.set(name, value);
  }
  return groups;
}

/** Processor usage of a pod that is starting says nothing about its load. */
function isStarting(pod: ApiObject, usage: UsageReport, now: number): boolean {
  const ready = findCondition(parseConditions(pod['status']), 'Ready');
  const startedAt = parseTime(getString(pod, 'status', 'startTime'));
  if (!ready || startedAt === undefined) return true;
  const changedAt = parseTime(ready.lastTransitionTime) ?? startedAt;
  if (now < startedAt + cpuInitializationMs) return ready.status === 'False' || usage.at < changedAt + usage.windowMs;
  return ready.status === 'False' && changedAt < startedAt + initialReadinessMs;
}

function usedBy({ resource, container }: ResourceMetric, pod: ApiObject, usage: UsageReport): number | undefined {
  const { name, namespace } = pod.metadata;
  const found = usage.pods.find((entry) => entry.name === name && entry.namespace === namespace);
  const counted = found?.containers.filter((entry) => container === undefined || entry.name === container) ?? [];
  if (counted.length === 0) return undefined;
  if (resource === 'cpu') return Math.ceil(sum(counted.map((entry) => entry.cpuNanoCores)) / 1e6);
  return resource === 'memory' ? sum(counted.map((entry) => entry.memoryBytes)) * 1000 : undefined;
}

/** Requests of the pods in thousandths. A container without one makes the percentage meaningless. */
function requestsOf({ resource, container }: ResourceMetric, pods: readonly ApiObject[]): Map<string, number> {
  const requests = new Map<string, number>();
  for (const pod of pods) {
    let total = 0;
    for (const one of getArray(pod, 'spec', 'containers')) {
      const name = getString(one, 'name') ?? '';
      if (container !== undefined && name !== container) continue;
      const milli = milliOf(getPath(one, 'resources', 'requests', resource));
      if (milli === undefined)
        throw new MetricFailure(`missing request for ${resource} in container ${name} of Pod ${pod.metadata.name}`);
      total += milli;
    }
    requests.set(pod.metadata.name, total);
  }
  return requests;
}

const units: Record<string, number> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

/** A stored (canonical) quantity in thousandths, rounded up; undefined when it is none. */
export function milliOf(quantity: unknown): number | undefined {
  if (typeof quantity === 'number') return Math.ceil(quantity * 1000);
  const match = /^([+-]?[\d.]+)(?:([eE][+-]?\d+)|([A-Za-z]*))$/.exec(typeof quantity === 'string' ? quantity : '');
  const unit = units[match?.[3] ?? ''];
  if (!match || unit === undefined) return undefined;
  return Math.ceil(Number(`${match[1]}${match[2] ?? ''}`) * unit * 1000);
}

/** The metrics of an autoscaler in the order of its spec; a string names one that nobody here can measure. */
export function parseMetrics(autoscaler: ApiObject): (ResourceMetric | { type: string; name: string })[] {
  return getArray(autoscaler, 'spec', 'metrics').map((entry) => {
    const type = getString(entry, 'type') ?? '';
    if (type !== 'Resource' && type !== 'ContainerResource') {
      const part = type.slice(0, 1).toLowerCase() + type.slice(1);
      return { type, name: getString(entry, part, 'metric', 'name') ?? '' };
    }
    const part = type === 'Resource' ? 'resource' : 'containerResource';
    const percent = getNumber(entry, part, 'target', 'averageUtilization');
    const target: ResourceMetric['target'] =
      percent === undefined
        ? { kind: 'value', milli: milliOf(getPath(entry, part, 'target', 'averageValue')) ?? 0 }
        : { kind: 'utilization', percent };
    const resource = getString(entry, part, 'name') ?? '';
    return { type, resource, container: type === 'Resource' ? undefined : getString(entry, part, 'container'), target };
  });
}

export function isResourceMetric(metric: ReturnType<typeof parseMetrics>[number]): metric is ResourceMetric {
  return 'resource' in metric;
}

/** Rounding up must not see what floating point adds. */
function ceil(value: number): number {
  return Math.ceil(value - 1e-9);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
