import { getNumber, getObject, type JsonObject } from '#base/json.ts';
import type { ApiObject } from '../api/port.ts';
import { parseConditions, withCondition, withoutCondition } from './condition.ts';
import { availableInMs, deletionOrder, isPodActive, isPodReady } from './pod-state.ts';
import { matchesSelector } from './selector.ts';

const burstLimit = 500;

export interface ReplicaSetPlan {
  create: number;
  remove: ApiObject[];
}

/** How many pods to add, or which to give up. */
export function planReplicas(replicas: number, pods: readonly ApiObject[]): ReplicaSetPlan {
  const active = pods.filter(isPodActive);
  const missing = replicas - active.length;
  if (missing >= 0) return { create: Math.min(missing, burstLimit), remove: [] };
  return { create: 0, remove: deletionOrder(active).slice(0, Math.min(-missing, burstLimit)) };
}

/** The whole status; `recheckAfterMs` is when the next ready pod becomes available. */
export function replicaSetStatus(input: {
  set: ApiObject;
  pods: readonly ApiObject[];
  failure: { reason: 'FailedCreate' | 'FailedDelete'; message: string } | undefined;
  now: number;
}): { status: JsonObject; recheckAfterMs: number | undefined } {
  const { set, pods, failure, now } = input;
  const active = pods.filter(isPodActive);
  const minReadySeconds = getNumber(set, 'spec', 'minReadySeconds') ?? 0;
  const labels = getObject(set, 'spec', 'template', 'metadata', 'labels');
  const templateLabels = {
    matchLabels: Object.fromEntries(Object.entries(labels).map(([key, value]) => [key, String(value)])),
    matchExpressions: [],
  };
  const fully = active.filter((pod) => matchesSelector(templateLabels, pod.metadata.labels)).length;
  const ready = active.filter(isPodReady).length;
  const waits = active.map((pod) => availableInMs(pod, minReadySeconds, now));
  const available = waits.filter((wait) => wait === 0).length;
  const pending = waits.filter((wait) => wait !== undefined && wait > 0);
  const before = parseConditions(set['status']);
  const conditions = failure
    ? withCondition(before, { type: 'ReplicaFailure', status: 'True', ...failure }, { now })
    : withoutCondition(before, 'ReplicaFailure');
  return {
    status: {
      replicas: active.length,
      ...(fully > 0 ? { fullyLabeledReplicas: fully } : {}),
      ...(ready > 0 ? { readyReplicas: ready } : {}),
      ...(available > 0 ? { availableReplicas: available } : {}),
      observedGeneration: set.metadata.generation ?? 0,
      ...(conditions.length > 0 ? { conditions } : {}),
    },
    recheckAfterMs: pending.length > 0 ? Math.min(...pending.map((wait) => wait ?? 0)) : undefined,
  };
}
