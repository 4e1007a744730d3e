import { getNumber, getPath, jsonEqual } from '#base/json.ts';
import type { Outcome } from '#base/outcome.ts';
import type { ApiObject } from '../api/port.ts';
import { planDeployment, type ReplicaSetWrite } from './deployment-plan.ts';
import { readDeployment, readReplicaSet, revisionAnnotation } from './deployment-view.ts';
import { keyOf, splitKey } from './key.ts';
import { type Controller, type ControllerDeps, deleteIfPresent } from './loop.ts';
import { controllerKeys, executeClaim, ownerOrAdopterKeys, planClaim } from './ownership.ts';
import { parseLabelSelector } from './selector.ts';

const manager = 'deployment-controller';

/** Rolls pod templates out by sizing ReplicaSets. */
export function deploymentController(deps: ControllerDeps): Controller {
  const selectorOf = (object: ApiObject) => parseLabelSelector(getPath(object, 'spec', 'selector'));
  return {
    name: 'deployment',
    watches: [
      { resource: 'deployments.apps', names: (object) => [keyOf(object)] },
      {
        resource: 'replicasets.apps',
        names: (object) =>
          ownerOrAdopterKeys(deps.api, object, { kind: 'Deployment', resource: 'deployments.apps', selectorOf }),
      },
      // Recreate waits for the last old pod to be gone.
      { resource: 'pods', names: (pod) => deploymentOfPod(deps, pod) },
    ],
    tick: (name) => tick(deps, name),
  };
}

function deploymentOfPod(deps: ControllerDeps, pod: ApiObject): string[] {
  const [key] = controllerKeys(pod, 'ReplicaSet');
  if (key === undefined) return [];
  const { namespace, name } = splitKey(key);
  const set = deps.api.get('replicasets.apps', namespace, name);
  const keys = set ? controllerKeys(set, 'Deployment') : [];
  return keys.filter((candidate) => {
    const at = splitKey(candidate);
    const owner = deps.api.get('deployments.apps', at.namespace, at.name);
    return owner !== undefined && readDeployment(owner).strategy === 'Recreate';
  });
}

async function tick(deps: ControllerDeps, key: string): Promise<Outcome> {
  const { api, clock } = deps;
  const { namespace, name } = splitKey(key);
  const object = api.get('deployments.apps', namespace, name);
  if (!object) return { kind: 'done' };
  const deployment = readDeployment(object);
  const candidates = api.list('replicasets.apps', namespace === undefined ? {} : { namespace });
  const claim = planClaim(object, deployment.selector, candidates);
  const owned = await executeClaim(api, object, { plan: claim, resource: 'replicasets.apps', manager });
  const ownedNames = new Set(owned.map((set) => set.metadata.name));
  const plan = planDeployment({
    deployment,
    replicaSets: owned.map(readReplicaSet),
    pods: deployment.strategy === 'Recreate' ? owned.flatMap((set) => api.ownedBy(set.metadata.uid ?? '')) : [],
    takenNames: new Set(candidates.map((set) => set.metadata.name).filter((taken) => !ownedNames.has(taken))),
    now: clock.now(),
  });
  for (const write of plan.writes) await execute(deps, object, write);
  if (plan.revision !== undefined || !jsonEqual(object['status'] ?? {}, plan.status)) {
    // The revision goes with the status: through the main endpoint an annotation would raise the generation.
    const revision = plan.revision === undefined ? {} : { [revisionAnnotation]: plan.revision };
    const annotations = { ...object.metadata.annotations, ...revision };
    await api.updateStatus({ ...object, metadata: { ...object.metadata, annotations }, status: plan.status }, manager);
  }
  return plan.recheckAfterMs === undefined
    ? { kind: 'done' }
    : { kind: 'done', recheckAfterMs: Math.max(100, plan.recheckAfterMs) };
}

async function execute(deps: ControllerDeps, deployment: ApiObject, write: ReplicaSetWrite): Promise<void> {
  const { api, events } = deps;
  const name = write.object.metadata.name;
  switch (write.kind) {
    case 'create': {
      await api.create(write.object, manager);
      const to = getNumber(write.object, 'spec', 'replicas') ?? 0;
      if (to > 0) recordScaling(deps, deployment, { name, from: 0, to });
      return;
    }
    case 'update':
      await api.update(write.object, manager);
      if (write.from !== write.to) recordScaling(deps, deployment, { name, from: write.from, to: write.to });
      return;
    case 'delete':
      await deleteIfPresent(api, 'replicasets.apps', write.object, { propagationPolicy: 'Background' });
      events.record(manager, deployment, {
        type: 'Normal',
        reason: 'ReplicaSetDeleted',
        message: `Deleted old replica set ${name}`,
      });
  }
}

function recordScaling(
  deps: ControllerDeps,
  deployment: ApiObject,
  change: { name: string; from: number; to: number },
): void {
  const direction = change.to > change.from ? 'up' : 'down';
  deps.events.record(manager, deployment, {
    type: 'Normal',
    reason: 'ScalingReplicaSet',
    message: `Scaled ${direction} replica set ${change.name} from ${change.from} to ${change.to}`,
  });
}
