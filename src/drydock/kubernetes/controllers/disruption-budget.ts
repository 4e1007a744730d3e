import { getNumber, getPath, type JsonObject, jsonEqual } from '#base/json.ts';
import type { Outcome } from '#base/outcome.ts';
import type { ApiObject } from '../api/port.ts';
import { parseConditions, withCondition } from './condition.ts';
import { resolveCount } from './int-or-percent.ts';
import { keyOf, splitKey } from './key.ts';
import type { Controller, ControllerDeps } from './loop.ts';
import { controllerOf } from './ownership.ts';
import { isPodActive, isPodReady } from './pod-state.ts';
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
      const status = budgetStatus(budget, pods, { expected: expectedPods(deps, pods), now: deps.clock.now() });
      if (!jsonEqual(budget['status'] ?? {}, status)) await deps.api.updateStatus({ ...budget, status }, manager);
      return { kind: 'done' };
    },
  };
}

function selects(budget: ApiObject, pod: ApiObject): boolean {
  return matchesSelector(parseLabelSelector(getPath(budget, 'spec', 'selector')), pod.metadata.labels);
}

/** What the controllers of these pods ask for in all; pods without one count for themselves. */
function expectedPods(deps: ControllerDeps, pods: readonly ApiObject[]): number {
  const counted = new Set<string>();
  let expected = 0;
  for (const pod of pods) {
    const owner = controllerOf(pod);
    if (!owner) expected += 1;
    else if (!counted.has(owner.uid)) {
      counted.add(owner.uid);
      const scaled = { ReplicaSet: 'replicasets.apps', StatefulSet: 'statefulsets.apps' }[owner.kind];
      const found = scaled === undefined ? undefined : deps.api.get(scaled, pod.metadata.namespace, owner.name);
      expected +=
        getNumber(found, 'spec', 'replicas') ?? pods.filter((one) => controllerOf(one)?.uid === owner.uid).length;
    }
  }
  return expected;
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
  const currentHealthy = pods.filter(isPodReady).length;
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
    conditions,
  };
}
