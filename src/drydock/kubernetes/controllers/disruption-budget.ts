import { getNumber, getObject, getPath, type JsonObject, jsonEqual } from '#base/json.ts';
import type { Outcome } from '#base/outcome.ts';
import type { ApiObject } from '../api/port.ts';
import { parseConditions, parseTime, withCondition } from './condition.ts';
import { resolveCount } from './int-or-percent.ts';
import { keyOf, splitKey } from './key.ts';
import type { Controller, ControllerDeps } from './loop.ts';
import { controllerOf } from './ownership.ts';
import { isDeleting, isPodActive, isPodReady } from './pod-state.ts';
import { matchesSelector, parseLabelSelector } from './selector.ts';

const manager = 'disruption-controller';
const resource = 'poddisruptionbudgets.policy';

/** Keeps the status of PodDisruptionBudgets. */
export function disruptionBudgetController(deps: ControllerDeps): Controller {
  return {
    name: 'disruption-budget',
    watches: [
      { resource, names: (budget) => [keyOf(budget)] },
      {
        resource: 'pods',
        names: (pod) =>
          deps.api
            .list(resource, pod.metadata.namespace === undefined ? {} : { namespace: pod.metadata.namespace })
            .filter((budget) => selects(budget, pod))
            .map(keyOf),
      },
    ],
    tick: async (name): Promise<Outcome> => {
      const at = splitKey(name);
      const budget = deps.api.get(resource, at.namespace, at.name);
      if (!budget || at.namespace === undefined) return { kind: 'done' };
      const pods = deps.api
        .list('pods', { namespace: at.namespace })
        .filter((pod) => selects(budget, pod) && isPodActive(pod));
      const expected = isCounted(budget) ? pods.length : expectedPods(deps, pods);
      const status = budgetStatus(budget, pods, { expected, now: deps.clock.now() });
      if (!jsonEqual(budget['status'] ?? {}, status)) await deps.api.updateStatus({ ...budget, status }, manager);
      return status['disruptedPods'] === undefined
        ? { kind: 'done' }
        : { kind: 'done', recheckAfterMs: evictionTimeoutMs };
    },
  };
}

function selects(budget: ApiObject, pod: ApiObject): boolean {
  return matchesSelector(parseLabelSelector(getPath(budget, 'spec', 'selector')), pod.metadata.labels);
}

/** A budget that names a number of pods is about the pods there are; a share needs to know how many there should be. */
function isCounted(budget: ApiObject): boolean {
  return typeof getPath(budget, 'spec', 'minAvailable') === 'number';
}

/** What the controllers of these pods ask for in all; pods without one count for themselves. */
function expectedPods(deps: ControllerDeps, pods: readonly ApiObject[]): number {
  const counted = new Set<string>();
  let expected = 0;
  for (const pod of pods) {
    const owner = controllerOf(pod);
    const found = owner && scaledBy(deps, pod.metadata.namespace, owner);
    const uid = found?.metadata.uid ?? owner?.uid ?? pod.metadata.uid ?? '';
    if (counted.has(uid)) continue;
    counted.add(uid);
    if (!owner) expected += 1;
    else
      expected +=
        getNumber(found, 'spec', 'replicas') ?? pods.filter((one) => controllerOf(one)?.uid === owner.uid).length;
  }
  return expected;
}

const scaledKinds: Record<string, string> = {
  ReplicaSet: 'replicasets.apps',
  ReplicationController: 'replicationcontrollers',
  StatefulSet: 'statefulsets.apps',
};

/** Who says how many pods there are to be: of a Deployment's ReplicaSet the Deployment. */
function scaledBy(
  deps: ControllerDeps,
  namespace: string | undefined,
  owner: { kind: string; name: string },
): ApiObject | undefined {
  const kind = scaledKinds[owner.kind];
  const found = kind === undefined ? undefined : deps.api.get(kind, namespace, owner.name);
  const above = found && controllerOf(found);
  const deployment = above?.kind === 'Deployment' ? deps.api.get('deployments.apps', namespace, above.name) : undefined;
  return deployment ?? found;
}

export function budgetStatus(
  budget: ApiObject,
  pods: readonly ApiObject[],
  options: { expected: number; now: number },
): JsonObject {
  const { expected, now } = options;
  const least = getPath(budget, 'spec', 'minAvailable');
  const most = getPath(budget, 'spec', 'maxUnavailable');
  const desiredHealthy =
    least !== undefined
      ? resolveCount(least, expected, 'up')
      : Math.max(0, expected - resolveCount(most ?? 0, expected, 'up'));
  const disruptedPods = stillLeaving(budget, pods, now);
  const currentHealthy = pods.filter((pod) => isPodReady(pod) && !(pod.metadata.name in disruptedPods)).length;
  const disruptionsAllowed = expected > 0 ? Math.max(0, currentHealthy - desiredHealthy) : 0;
  const allowed = disruptionsAllowed > 0;
  const conditions = withCondition(
    parseConditions(budget['status']),
    {
      type: 'DisruptionAllowed',
      status: allowed ? 'True' : 'False',
      reason: allowed ? 'SufficientPods' : 'InsufficientPods',
      message: '',
    },
    { now },
  ).map((condition) => ({ ...condition, observedGeneration: budget.metadata.generation ?? 0 }));
  return {
    observedGeneration: budget.metadata.generation ?? 0,
    disruptionsAllowed,
    currentHealthy,
    desiredHealthy,
    expectedPods: expected,
    ...(Object.keys(disruptedPods).length > 0 ? { disruptedPods } : {}),
    conditions,
  };
}

/** An evicted pod that was not deleted after this time counts again. */
const evictionTimeoutMs = 120_000;

/** Pods that were evicted, whose deletion has not been seen yet: they count as gone already. */
function stillLeaving(budget: ApiObject, pods: readonly ApiObject[], now: number): Record<string, unknown> {
  const evicted = Object.entries(getObject(budget, 'status', 'disruptedPods'));
  return Object.fromEntries(
    evicted.filter(([name, at]) => {
      const age = now - (parseTime(typeof at === 'string' ? at : undefined) ?? 0);
      return age < evictionTimeoutMs && pods.some((pod) => pod.metadata.name === name && !isDeleting(pod));
    }),
  );
}
