import { getArray, getObject, getString, jsonEqual } from '#base/json.ts';
import type { Outcome } from '#base/outcome.ts';
import type { ApiObject } from '../api/port.ts';
import { parseConditions, parseTime, withCondition } from './condition.ts';
import { keyOf, splitKey } from './key.ts';
import type { Controller, ControllerDeps } from './loop.ts';
import { NodeLoads } from './node-load.ts';
import { viewNode } from './node-view.ts';
import { podPhase } from './pod-state.ts';
import { needsPlacement, planPlacement } from './scheduler-plan.ts';

const manager = 'default-scheduler';
/** A new pod's claims and the first node may be a moment behind it: no reason to warn yet. */
const patienceMs = 3000;
const peerRecheckMs = 2000;

/** Binds pods to nodes. What fits nowhere stays Pending and is looked at again when a node, a claim or a place changes. */
export function schedulerController(deps: ControllerDeps): Controller {
  const state: SchedulerState = { loads: new NodeLoads(deps.api), unplaced: new Set() };
  const { loads, unplaced } = state;
  const watched = new Map<string, string>();
  return {
    name: 'scheduler',
    watches: [
      {
        resource: 'pods',
        names: (pod) => {
          const key = keyOf(pod);
          if (needsPlacement(pod)) return [key];
          loads.touch(key);
          // A copy: the queue works on names while they are added.
          return makesRoom(deps, pod) ? [...unplaced] : [];
        },
      },
      {
        resource: 'nodes',
        names: (node) => {
          const { name, ...view } = viewNode(node);
          // Heartbeats change nothing that placement reads.
          const seen = JSON.stringify([view, [...view.allocatable]]);
          if (watched.get(name) === seen) return [];
          watched.set(name, seen);
          return [...unplaced];
        },
      },
      { resource: 'persistentvolumeclaims', names: () => [...unplaced] },
    ],
    // Bindings wait for the store, decisions do not.
    concurrency: 32,
    tick: (name) => tick(deps, state, name),
  };
}

interface SchedulerState {
  loads: NodeLoads;
  /** Keys of pods that found no node. */
  unplaced: Set<string>;
}

/** A placed pod that takes nothing of its node any more. */
function makesRoom({ api }: ControllerDeps, pod: ApiObject): boolean {
  if (!getString(pod, 'spec', 'nodeName')) return false;
  const phase = podPhase(pod);
  if (phase === 'Succeeded' || phase === 'Failed') return true;
  return api.get('pods', pod.metadata.namespace, pod.metadata.name)?.metadata.uid !== pod.metadata.uid;
}

async function tick(deps: ControllerDeps, { loads, unplaced }: SchedulerState, key: string): Promise<Outcome> {
  const { api, clock, events } = deps;
  const { namespace, name } = splitKey(key);
  const pod = api.get('pods', namespace, name);
  unplaced.delete(key);
  if (!pod || !needsPlacement(pod)) return { kind: 'done' };
  const placement = planPlacement(pod, api.list('nodes'), {
    claimOf: (claim) => api.get('persistentvolumeclaims', namespace, claim),
    loadOf: (node) => loads.of(node),
    placed: () => loads.placed(),
    guarded: () => loads.guarded(),
    namespaceLabels: (at) => api.get('namespaces', undefined, at)?.metadata.labels ?? {},
  });
  if (placement.kind === 'bind') {
    const patch = { target: { apiVersion: 'v1', kind: 'Node', name: placement.node } };
    loads.assume(key, pod, placement.node);
    try {
      await api.mergePatch('pods', namespace, name, patch, { manager, subresource: 'binding' });
    } finally {
      loads.touch(key);
    }
    const message = `Successfully assigned ${namespace}/${name} to ${placement.node}`;
    events.record(manager, pod, { type: 'Normal', reason: 'Scheduled', message });
    return { kind: 'done' };
  }
  unplaced.add(key);
  const ageMs = clock.now() - (parseTime(pod.metadata.creationTimestamp) ?? 0);
  if (placement.soon && ageMs < patienceMs) return { kind: 'done', recheckAfterMs: patienceMs - ageMs };
  const before = parseConditions(pod['status']);
  const next = { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: placement.message } as const;
  const conditions = withCondition(before, next, { now: clock.now() });
  if (!jsonEqual(before, conditions)) {
    const status = { ...(typeof pod['status'] === 'object' ? pod['status'] : {}), conditions };
    await api.updateStatus({ ...pod, status }, manager);
    events.record(manager, pod, { type: 'Warning', reason: 'FailedScheduling', message: placement.message });
  }
  // What it waits for may be another pod that finds its place.
  return waitsForPods(pod) ? { kind: 'done', recheckAfterMs: peerRecheckMs } : { kind: 'done' };
}

function waitsForPods(pod: ApiObject): boolean {
  const affinity = getObject(pod, 'spec', 'affinity');
  return 'podAffinity' in affinity || getArray(pod, 'spec', 'topologySpreadConstraints').length > 0;
}
