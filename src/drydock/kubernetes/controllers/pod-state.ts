import { getArray, getNumber, getString } from '#base/json.ts';
import type { ApiObject } from '../api/port.ts';
import { findCondition, parseConditions, parseTime } from './condition.ts';

export function podPhase(pod: ApiObject): string {
  return getString(pod, 'status', 'phase') ?? 'Pending';
}

export function isDeleting(object: ApiObject): boolean {
  return object.metadata.deletionTimestamp !== undefined;
}

/** Neither finished nor being deleted. */
export function isPodActive(pod: ApiObject): boolean {
  const phase = podPhase(pod);
  return phase !== 'Succeeded' && phase !== 'Failed' && !isDeleting(pod);
}

export function isPodReady(pod: ApiObject): boolean {
  return findCondition(parseConditions(pod['status']), 'Ready')?.status === 'True';
}

/** Milliseconds until a ready pod counts as available: 0 when it does, undefined when it is not ready. */
export function availableInMs(pod: ApiObject, minReadySeconds: number, now: number): number | undefined {
  const ready = findCondition(parseConditions(pod['status']), 'Ready');
  if (ready?.status !== 'True') return undefined;
  if (minReadySeconds === 0) return 0;
  const since = parseTime(ready.lastTransitionTime) ?? now;
  return Math.max(0, since + minReadySeconds * 1000 - now);
}

export function isPodAvailable(pod: ApiObject, minReadySeconds: number, now: number): boolean {
  return availableInMs(pod, minReadySeconds, now) === 0;
}

export function restartsOf(pod: ApiObject): number {
  return getArray(pod, 'status', 'containerStatuses').reduce<number>(
    (sum, status) => sum + (getNumber(status, 'restartCount') ?? 0),
    0,
  );
}

/** Pods to delete first come first: the order in which a ReplicaSet gives pods up. */
export function deletionOrder(pods: readonly ApiObject[]): ApiObject[] {
  const ranks = new Map(pods.map((pod) => [pod, rankOf(pod)]));
  return [...pods].sort((a, b) => {
    const left = ranks.get(a) ?? [];
    const right = ranks.get(b) ?? [];
    for (const [index, value] of left.entries()) {
      const other = right[index] ?? 0;
      if (value !== other) return value - other;
    }
    return a.metadata.name < b.metadata.name ? -1 : 1;
  });
}

function rankOf(pod: ApiObject): number[] {
  const phase = podPhase(pod);
  const ready = findCondition(parseConditions(pod['status']), 'Ready');
  const cost = Number(pod.metadata.annotations?.['controller.kubernetes.io/pod-deletion-cost'] ?? '0');
  const readySince = ready?.status === 'True' ? (parseTime(ready.lastTransitionTime) ?? 0) : 0;
  return [
    getString(pod, 'spec', 'nodeName') ? 1 : 0,
    phase === 'Pending' ? 0 : phase === 'Unknown' ? 1 : 2,
    ready?.status === 'True' ? 1 : 0,
    Number.isInteger(cost) ? cost : 0,
    -readySince,
    -restartsOf(pod),
    -(parseTime(pod.metadata.creationTimestamp) ?? 0),
  ];
}
