import { timestamp } from '#base/clock.ts';
import { getObject, getString, jsonEqual } from '#base/json.ts';
import type { Outcome } from '#base/outcome.ts';
import type { ApiObject } from '../api/port.ts';
import { findCondition, parseConditions, withCondition } from './condition.ts';
import { type Controller, type ControllerDeps, deleteIfPresent } from './loop.ts';
import {
  evictionAt,
  heartbeatOf,
  isNodeReady,
  silentConditions,
  sparingTaints,
  wantedTaints,
} from './node-lifecycle-plan.ts';
import { readTaints } from './node-view.ts';
import { isDeleting, isPodReady } from './pod-state.ts';

export interface NodeLifecycleTiming {
  /** How long a node may be silent. */
  graceMs: number;
  /** The same for one that has never reported. */
  startupGraceMs: number;
  /** How long pods of a node that is gone are left alone. */
  orphanMs: number;
}

export const usualNodeLifecycle: NodeLifecycleTiming = { graceMs: 50_000, startupGraceMs: 60_000, orphanMs: 40_000 };

const manager = 'node-controller';
const leaseNamespace = 'kube-node-lease';
/** A timer that comes this much late has slept with the machine. */
const sleptMs = 5_000;

interface Watched {
  heartbeat: string;
  /** When it changed, by our own clock. */
  seenAt: number;
  recheckAt: number;
}

/**
 * Notices nodes that went silent, taints nodes as their conditions and cordons say, takes readiness from their pods, and
 * evicts pods that do not tolerate it; removes pods of nodes that are gone.
 */
export function nodeLifecycleController(
  deps: ControllerDeps,
  timing: NodeLifecycleTiming = usualNodeLifecycle,
): Controller {
  const watched = new Map<string, Watched>();
  const missingSince = new Map<string, number>();
  let someReady: boolean | undefined;
  const { api } = deps;
  return {
    name: 'node-lifecycle',
    watches: [
      {
        resource: 'nodes',
        names: (node) => {
          // Whether any node is ready decides about the pods of all others.
          const some = api.list('nodes').some(isNodeReady);
          if (some === someReady) return [node.metadata.name];
          someReady = some;
          return api.list('nodes').map((one) => one.metadata.name);
        },
      },
      {
        resource: 'leases.coordination.k8s.io',
        names: ({ metadata }) => (metadata.namespace === leaseNamespace ? [metadata.name] : []),
      },
      {
        resource: 'pods',
        names: (pod) => {
          const node = getString(pod, 'spec', 'nodeName');
          // Its own changes matter only where pods may have to leave.
          return node !== undefined && node !== '' && needsPods(api.get('nodes', undefined, node)) ? [node] : [];
        },
      },
    ],
    async tick(name) {
      const node = api.get('nodes', undefined, name);
      if (!node) {
        watched.delete(name);
        return collectOrphans(deps, name, { missingSince, orphanMs: timing.orphanMs });
      }
      missingSince.delete(name);
      return lookAfter(deps, node, { watched, timing });
    },
  };
}

function needsPods(node: ApiObject | undefined): boolean {
  return !node || readTaints(node).some(({ effect }) => effect === 'NoExecute');
}

async function lookAfter(
  deps: ControllerDeps,
  node: ApiObject,
  { watched, timing }: { watched: Map<string, Watched>; timing: NodeLifecycleTiming },
): Promise<Outcome> {
  const { api, clock } = deps;
  const { name } = node.metadata;
  const now = clock.now();
  const heartbeat = heartbeatOf(node, api.get('leases.coordination.k8s.io', leaseNamespace, name));
  const before = watched.get(name);
  const slept = before !== undefined && now > before.recheckAt + sleptMs;
  const seenAt = !before || before.heartbeat !== heartbeat || slept ? now : before.seenAt;
  const reported = findCondition(parseConditions(node['status']), 'Ready') !== undefined;
  const silentAt = seenAt + (reported ? timing.graceMs : timing.startupGraceMs);
  let current = node;
  if (now >= silentAt) {
    const conditions = silentConditions(node, now);
    if (!jsonEqual(conditions, parseConditions(node['status'])))
      current = await api.updateStatus({ ...node, status: { ...getObject(node, 'status'), conditions } }, manager);
  }
  current = await taintNode(deps, current, now);
  const podsDue = await lookAfterPods(deps, current);
  const due = [now >= silentAt ? undefined : silentAt, podsDue].filter((time) => time !== undefined);
  const recheckAt = due.length > 0 ? Math.min(...due) : Number.POSITIVE_INFINITY;
  watched.set(name, { heartbeat, seenAt, recheckAt });
  return due.length > 0 ? { kind: 'done', recheckAfterMs: Math.max(1, recheckAt - clock.now()) } : { kind: 'done' };
}

async function taintNode({ api }: ControllerDeps, node: ApiObject, now: number): Promise<ApiObject> {
  const all = wantedTaints(node, now);
  const wanted = api.list('nodes').some(isNodeReady) ? all : sparingTaints(all);
  const before = readTaints(node);
  if (jsonEqual(wanted, before)) return node;
  const { name, resourceVersion } = node.metadata;
  const taints = wanted.map(({ key, value, effect, timeAdded }) => ({
    key,
    ...(value === '' ? {} : { value }),
    effect,
    ...(timeAdded === undefined ? {} : { timeAdded }),
  }));
  const patch = { metadata: { resourceVersion }, spec: { taints: taints.length > 0 ? taints : null } };
  return api.mergePatch('nodes', undefined, name, patch, { manager });
}

/** Returns when the next pod has to leave. */
async function lookAfterPods(deps: ControllerDeps, node: ApiObject): Promise<number | undefined> {
  if (!needsPods(node)) return undefined;
  const now = deps.clock.now();
  const taints = readTaints(node);
  const ready = findCondition(parseConditions(node['status']), 'Ready')?.status === 'True';
  let due: number | undefined;
  for (const pod of podsOn(deps, node.metadata.name)) {
    if (!ready && isPodReady(pod)) await markNotReady(deps, pod);
    const at = isDeleting(pod) ? undefined : evictionAt(pod, taints, now);
    if (at === undefined) continue;
    if (at <= now) await evict(deps, pod);
    else due = Math.min(due ?? at, at);
  }
  return due;
}

function podsOn({ api }: ControllerDeps, node: string): ApiObject[] {
  return api.list('pods').filter((pod) => getString(pod, 'spec', 'nodeName') === node);
}

async function markNotReady({ api, clock, events }: ControllerDeps, pod: ApiObject): Promise<void> {
  const status = getObject(pod, 'status');
  const conditions = parseConditions(status).map((condition) =>
    condition.type === 'Ready'
      ? { ...condition, status: 'False' as const, lastTransitionTime: timestamp(clock.now()) }
      : condition,
  );
  await api.updateStatus({ ...pod, status: { ...status, conditions } }, manager);
  events.record(manager, pod, { type: 'Warning', reason: 'NodeNotReady', message: 'Node is not ready' });
}

async function evict(deps: ControllerDeps, pod: ApiObject): Promise<void> {
  const { api, clock, events } = deps;
  const { namespace, name } = pod.metadata;
  const message = `Marking for deletion Pod ${namespace}/${name}`;
  events.record('taint-eviction-controller', pod, { type: 'Normal', reason: 'TaintManagerEviction', message });
  const before = parseConditions(pod['status']);
  const why = {
    type: 'DisruptionTarget',
    status: 'True',
    reason: 'DeletionByTaintManager',
    message: 'Taint manager: deleting due to NoExecute taint',
  } as const;
  const conditions = withCondition(before, why, { now: clock.now() });
  if (!jsonEqual(before, conditions)) {
    const status = { ...getObject(pod, 'status'), conditions };
    await api.updateStatus({ ...pod, status }, 'taint-eviction-controller');
  }
  await deleteIfPresent(api, 'pods', pod);
}

async function collectOrphans(
  deps: ControllerDeps,
  node: string,
  { missingSince, orphanMs }: { missingSince: Map<string, number>; orphanMs: number },
): Promise<Outcome> {
  const now = deps.clock.now();
  const orphans = podsOn(deps, node);
  if (orphans.length === 0) {
    missingSince.delete(node);
    return { kind: 'done' };
  }
  const since = missingSince.get(node) ?? now;
  missingSince.set(node, since);
  if (now < since + orphanMs) return { kind: 'done', recheckAfterMs: since + orphanMs - now };
  for (const pod of orphans) await deleteIfPresent(deps.api, 'pods', pod, { gracePeriodSeconds: 0 });
  return { kind: 'done' };
}
