import { getArray, getString, jsonEqual } from '#base/json.ts';
import type { Outcome } from '#base/outcome.ts';
import type { ApiObject } from '../api/port.ts';
import { parseConditions, parseTime, withCondition } from './condition.ts';
import { keyOf, splitKey } from './key.ts';
import type { Controller, ControllerDeps } from './loop.ts';
import { needsPlacement, planPlacement } from './scheduler-plan.ts';

const manager = 'default-scheduler';
/** A new pod's claims and the first node may be a moment behind it: no reason to warn yet. */
const patienceMs = 3000;

/** Binds pods to nodes. What fits nowhere stays Pending and is looked at again when a node or claim changes. */
export function schedulerController(deps: ControllerDeps): Controller {
  const waiting = (namespace?: string): string[] =>
    deps.api
      .list('pods', namespace === undefined ? {} : { namespace })
      .filter(needsPlacement)
      .map(keyOf);
  const watched = new Map<string, string>();
  return {
    name: 'scheduler',
    watches: [
      { resource: 'pods', names: (pod) => (needsPlacement(pod) ? [keyOf(pod)] : []) },
      {
        resource: 'nodes',
        names: (node) => {
          // Heartbeats change nothing that placement reads.
          const seen = JSON.stringify([node['spec'], node.metadata.labels, readiness(node)]);
          if (watched.get(node.metadata.name) === seen) return [];
          watched.set(node.metadata.name, seen);
          return waiting();
        },
      },
      { resource: 'persistentvolumeclaims', names: (claim) => waiting(claim.metadata.namespace) },
    ],
    tick: (name) => tick(deps, name),
  };
}

function readiness(node: ApiObject): string | undefined {
  const ready = getArray(node, 'status', 'conditions').find((condition) => getString(condition, 'type') === 'Ready');
  return getString(ready, 'status');
}

async function tick(deps: ControllerDeps, key: string): Promise<Outcome> {
  const { api, clock, events } = deps;
  const { namespace, name } = splitKey(key);
  const pod = api.get('pods', namespace, name);
  if (!pod || !needsPlacement(pod)) return { kind: 'done' };
  const placement = planPlacement(pod, api.list('nodes'), (claim) =>
    api.get('persistentvolumeclaims', namespace, claim),
  );
  if (placement.kind === 'bind') {
    const patch = { target: { apiVersion: 'v1', kind: 'Node', name: placement.node } };
    await api.mergePatch('pods', namespace, name, patch, { manager, subresource: 'binding' });
    const message = `Successfully assigned ${namespace}/${name} to ${placement.node}`;
    events.record(manager, pod, { type: 'Normal', reason: 'Scheduled', message });
    return { kind: 'done' };
  }
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
  return { kind: 'done' };
}
