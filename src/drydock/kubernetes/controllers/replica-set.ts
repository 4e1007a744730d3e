import { messageOf } from '#base/errors.ts';
import { getNumber, getObject, getPath, jsonEqual } from '#base/json.ts';
import type { Outcome } from '#base/outcome.ts';
import type { ApiObject, GroupResource } from '../api/port.ts';
import { keyOf, splitKey } from './key.ts';
import { type Controller, type ControllerDeps, deleteIfPresent, isConflict } from './loop.ts';
import { executeClaim, ownerOrAdopterKeys, planClaim } from './ownership.ts';
import { nameSuffix, podFromTemplate } from './pod-template.ts';
import { planReplicas, type ReplicaSetPlan, replicaSetStatus } from './replica-set-plan.ts';
import { type LabelSelector, parseLabelSelector } from './selector.ts';
import { slowStart } from './slow-start.ts';

interface Failure {
  reason: 'FailedCreate' | 'FailedDelete';
  message: string;
  error: unknown;
}

/** A kind that keeps a number of pods of one template. */
interface Replicating {
  name: string;
  kind: string;
  resource: GroupResource;
  manager: string;
  selectorOf: (set: ApiObject) => LabelSelector | undefined;
}

const replicaSets: Replicating = {
  name: 'replicaset',
  kind: 'ReplicaSet',
  resource: 'replicasets.apps',
  manager: 'replicaset-controller',
  selectorOf: (set) => parseLabelSelector(getPath(set, 'spec', 'selector')),
};

const replicationControllers: Replicating = {
  name: 'replication-controller',
  kind: 'ReplicationController',
  resource: 'replicationcontrollers',
  manager: 'replication-controller',
  selectorOf: (set) => parseLabelSelector({ matchLabels: getObject(set, 'spec', 'selector') }),
};

/** Keeps as many pods as a ReplicaSet asks for. */
export function replicaSetController(deps: ControllerDeps): Controller {
  return replicating(deps, replicaSets);
}

/** The same for a ReplicationController, whose selector is a plain map. */
export function replicationController(deps: ControllerDeps): Controller {
  return replicating(deps, replicationControllers);
}

function replicating(deps: ControllerDeps, sets: Replicating): Controller {
  return {
    name: sets.name,
    watches: [
      { resource: sets.resource, names: (object) => [keyOf(object)] },
      { resource: 'pods', names: (pod) => ownerOrAdopterKeys(deps.api, pod, sets) },
    ],
    tick: (name) => tick(deps, sets, name),
  };
}

async function tick(deps: ControllerDeps, sets: Replicating, key: string): Promise<Outcome> {
  const { api, clock } = deps;
  const { namespace, name } = splitKey(key);
  const { manager, resource } = sets;
  const set = api.get(resource, namespace, name);
  if (!set) return { kind: 'done' };
  const selector = sets.selectorOf(set);
  const pods = namespace === undefined ? [] : api.list('pods', { namespace });
  const claim = planClaim(set, selector, pods);
  const owned = await executeClaim(api, set, { plan: claim, resource: 'pods', manager });
  const deleting = set.metadata.deletionTimestamp !== undefined;
  const plan = deleting ? { create: 0, remove: [] } : planReplicas(getNumber(set, 'spec', 'replicas') ?? 1, owned);
  const failure = await execute(deps, { set, plan, manager });
  const latest = api.get(resource, namespace, name);
  if (!latest || latest.metadata.uid !== set.metadata.uid) return { kind: 'done' };
  const { status, recheckAfterMs } = replicaSetStatus({
    // What was looked at above is what the status may claim to have observed.
    set: { ...latest, metadata: { ...latest.metadata, generation: set.metadata.generation ?? 0 } },
    pods: api.ownedBy(set.metadata.uid ?? '').filter((object) => object.kind === 'Pod'),
    failure: failure && { reason: failure.reason, message: failure.message },
    now: clock.now(),
  });
  if (!jsonEqual(latest['status'] ?? {}, status)) await api.updateStatus({ ...latest, status }, manager);
  if (failure) throw failure.error;
  return recheckAfterMs === undefined ? { kind: 'done' } : { kind: 'done', recheckAfterMs };
}

async function execute(
  deps: ControllerDeps,
  { set, plan, manager }: { set: ApiObject; plan: ReplicaSetPlan; manager: string },
): Promise<Failure | undefined> {
  const { api, entropy, events } = deps;
  const base = `${set.metadata.name}-`;
  const template = getObject(set, 'spec', 'template');
  const createError = await slowStart(plan.create, async () => {
    const pod = podFromTemplate(set, template, { name: `${base}${nameSuffix(entropy)}`, generateName: base });
    await api.create(pod, manager);
    const message = `Created pod: ${pod.metadata.name}`;
    events.record(manager, set, { type: 'Normal', reason: 'SuccessfulCreate', message });
  });
  if (createError !== undefined && !isConflict(createError)) {
    const message = messageOf(createError);
    events.record(manager, set, { type: 'Warning', reason: 'FailedCreate', message: `Error creating: ${message}` });
    return { reason: 'FailedCreate', message, error: createError };
  }
  const results = await Promise.allSettled(
    plan.remove.map(async (pod) => {
      await deleteIfPresent(api, 'pods', pod);
      const message = `Deleted pod: ${pod.metadata.name}`;
      events.record(manager, set, { type: 'Normal', reason: 'SuccessfulDelete', message });
    }),
  );
  const failed = results.find((result) => result.status === 'rejected');
  if (!failed) return undefined;
  const message = messageOf(failed.reason);
  events.record(manager, set, { type: 'Warning', reason: 'FailedDelete', message: `Error deleting: ${message}` });
  return { reason: 'FailedDelete', message, error: failed.reason };
}
