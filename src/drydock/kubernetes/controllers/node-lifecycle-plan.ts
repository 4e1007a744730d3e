import { timestamp } from '#base/clock.ts';
import { getArray, getNumber, getPath, getString } from '#base/json.ts';
import type { ApiObject } from '../api/port.ts';
import { type Condition, findCondition, parseConditions, parseTime } from './condition.ts';
import { readTaints, type Taint, tolerates } from './node-view.ts';

const prefix = 'node.kubernetes.io/';
const notReady = `${prefix}not-ready`;
const unreachable = `${prefix}unreachable`;
const pressures: Record<string, string> = {
  MemoryPressure: `${prefix}memory-pressure`,
  DiskPressure: `${prefix}disk-pressure`,
  PIDPressure: `${prefix}pid-pressure`,
  NetworkUnavailable: `${prefix}network-unavailable`,
};
const cordoned = `${prefix}unschedulable`;
const ours = new Set([notReady, unreachable, cordoned, ...Object.values(pressures)]);

/** The conditions of a node whose kubelet has gone silent; the same array when they say so already. */
export function silentConditions(node: ApiObject, now: number): Condition[] {
  const before = parseConditions(node['status']);
  const types = ['MemoryPressure', 'DiskPressure', 'PIDPressure', 'Ready'];
  let changed = false;
  const after = types.map((type) => {
    const known = findCondition(before, type);
    if (known?.status === 'Unknown') return known;
    changed = true;
    const never = known === undefined;
    return {
      ...known,
      type,
      status: 'Unknown' as const,
      reason: never ? 'NodeStatusNeverUpdated' : 'NodeStatusUnknown',
      message: never ? 'Kubelet never posted node status.' : 'Kubelet stopped posting node status.',
      lastTransitionTime: timestamp(now),
    };
  });
  return changed ? [...before.filter(({ type }) => !types.includes(type)), ...after] : before;
}

/** The taints that a node's conditions and its cordon ask for, beside those that others put there. */
export function wantedTaints(node: ApiObject, now: number): Taint[] {
  const conditions = parseConditions(node['status']);
  const before = readTaints(node);
  const wanted: [key: string, effect: string][] = [];
  const ready = findCondition(conditions, 'Ready');
  // A node that has said nothing yet keeps the taint that it came with.
  if (!ready && before.some(({ key }) => key === notReady)) wanted.push([notReady, 'NoSchedule']);
  if (ready?.status === 'False') wanted.push([notReady, 'NoSchedule'], [notReady, 'NoExecute']);
  if (ready?.status === 'Unknown') wanted.push([unreachable, 'NoSchedule'], [unreachable, 'NoExecute']);
  for (const [type, key] of Object.entries(pressures))
    if (findCondition(conditions, type)?.status === 'True') wanted.push([key, 'NoSchedule']);
  if (getPath(node, 'spec', 'unschedulable') === true) wanted.push([cordoned, 'NoSchedule']);
  const kept = before.filter(({ key, effect }) => !ours.has(key) || wanted.some(([k, e]) => k === key && e === effect));
  const added = wanted
    .filter(([key, effect]) => !kept.some((taint) => taint.key === key && taint.effect === effect))
    .map(([key, effect]) => ({ key, value: '', effect, timeAdded: timestamp(now) }));
  return [...kept, ...added];
}

/**
 * What is left of the taints where no node is ready at all: then the fault is more likely ours than theirs, and nobody is
 * driven out, as upstream has it.
 */
export function sparingTaints(taints: readonly Taint[]): Taint[] {
  return taints.filter(({ key, effect }) => effect !== 'NoExecute' || (key !== notReady && key !== unreachable));
}

export function isNodeReady(node: ApiObject): boolean {
  return findCondition(parseConditions(node['status']), 'Ready')?.status === 'True';
}

/** When a pod must leave a node with these taints; undefined when it may stay. In epoch milliseconds. */
export function evictionAt(pod: ApiObject, taints: readonly Taint[], now: number): number | undefined {
  const tolerations = getArray(pod, 'spec', 'tolerations');
  let at: number | undefined;
  for (const taint of taints) {
    if (taint.effect !== 'NoExecute') continue;
    const matching = tolerations.filter((toleration) => tolerates(toleration, taint));
    if (matching.length === 0) return now;
    const limits = matching.map((toleration) => getNumber(toleration, 'tolerationSeconds'));
    const limited = limits.filter((seconds) => seconds !== undefined);
    if (limited.length === 0) continue;
    const since = parseTime(taint.timeAdded) ?? now;
    const due = since + Math.max(0, Math.min(...limited)) * 1000;
    at = Math.min(at ?? due, due);
  }
  return at;
}

/** What changes whenever the kubelet reports: its Lease, or a heartbeat in the node's conditions. */
export function heartbeatOf(node: ApiObject, lease: ApiObject | undefined): string {
  const beats = getArray(node, 'status', 'conditions').map((condition) => getString(condition, 'lastHeartbeatTime'));
  return [getString(lease, 'spec', 'renewTime'), ...beats].join(' ');
}
