import { getNumber, getPath, getString, jsonEqual } from '#base/json.ts';
import type { Outcome } from '#base/outcome.ts';
import type { ApiObject } from '../api/port.ts';
import { claimNames, planClaimOwners } from './claim-retention.ts';
import { ensureRevision, trimRevisions } from './controller-revision.ts';
import { keyOf, splitKey } from './key.ts';
import { type Controller, type ControllerDeps, deleteIfPresent, isAlreadyExists } from './loop.ts';
import { executeClaim, ownerOrAdopterKeys, planClaim } from './ownership.ts';
import { availableInMs } from './pod-state.ts';
import { parseLabelSelector } from './selector.ts';
import { ordinalOf, planStatefulSet, statefulSetStatus } from './stateful-set-plan.ts';

const manager = 'statefulset-controller';

/** Keeps the numbered pods of StatefulSets and their claims. */
export function statefulSetController(deps: ControllerDeps): Controller {
  const selectorOf = (object: ApiObject) => parseLabelSelector(getPath(object, 'spec', 'selector'));
  return {
    name: 'statefulset',
    watches: [
      { resource: 'statefulsets.apps', names: (set) => [keyOf(set)] },
      {
        resource: 'pods',
        names: (pod) =>
          ownerOrAdopterKeys(deps.api, pod, { kind: 'StatefulSet', resource: 'statefulsets.apps', selectorOf }),
      },
    ],
    tick: (name) => tick(deps, name),
  };
}

async function tick(deps: ControllerDeps, key: string): Promise<Outcome> {
  const { api, clock, events } = deps;
  const { namespace, name } = splitKey(key);
  const set = api.get('statefulsets.apps', namespace, name);
  if (!set || namespace === undefined) return { kind: 'done' };
  const selector = parseLabelSelector(getPath(set, 'spec', 'selector'));
  const prefix = `${name}-`;
  const named = api
    .list('pods', { namespace })
    .filter((pod) => pod.metadata.name.startsWith(prefix) && /^\d+$/.test(pod.metadata.name.slice(prefix.length)));
  const claim = planClaim(set, selector, named);
  const pods = await executeClaim(api, set, { plan: claim, resource: 'pods', manager });
  const { current: update, all } = await ensureRevision(deps, set, manager);
  const currentName = getString(set, 'status', 'currentRevision');
  const current = all.find((revision) => revision.name === currentName) ?? update;
  const observed = { set, pods, current, update, now: clock.now() };
  const plan = planStatefulSet(observed);
  for (const wanted of plan.claims) {
    if (api.get('persistentvolumeclaims', namespace, wanted.metadata.name)) continue;
    await api.create(wanted, manager);
    const message = `create Claim ${wanted.metadata.name} Pod in StatefulSet ${name} success`;
    events.record(manager, set, { type: 'Normal', reason: 'SuccessfulCreate', message });
  }
  await keepClaims(deps, set, pods);
  for (const pod of plan.create) {
    try {
      await api.create(pod, manager);
    } catch (error) {
      if (isAlreadyExists(error)) continue;
      throw error;
    }
    const message = `create Pod ${pod.metadata.name} in StatefulSet ${name} successful`;
    events.record(manager, set, { type: 'Normal', reason: 'SuccessfulCreate', message });
  }
  for (const pod of plan.remove) {
    await deleteIfPresent(api, 'pods', pod);
    const message = `delete Pod ${pod.metadata.name} in StatefulSet ${name} successful`;
    events.record(manager, set, { type: 'Normal', reason: 'SuccessfulDelete', message });
  }
  const left = api.ownedBy(set.metadata.uid ?? '').filter((owned) => owned.kind === 'Pod');
  const status = statefulSetStatus({ ...observed, pods: left });
  if (!jsonEqual(set['status'] ?? {}, status)) await api.updateStatus({ ...set, status }, manager);
  const used = new Set([current.name, update.name]);
  await trimRevisions(deps, { all, used, limit: getNumber(set, 'spec', 'revisionHistoryLimit') ?? 10 });
  return recheck(set, left, clock.now());
}

/** Gives the claims to whoever they are to go with, before any pod goes. */
async function keepClaims(deps: ControllerDeps, set: ApiObject, pods: readonly ApiObject[]): Promise<void> {
  const { namespace, name } = set.metadata;
  const start = getNumber(set, 'spec', 'ordinals', 'start') ?? 0;
  const end = start + (getNumber(set, 'spec', 'replicas') ?? 1);
  const condemned = new Map<string, ApiObject>();
  const names = new Set<string>();
  for (let ordinal = start; ordinal < end; ordinal += 1)
    for (const claim of claimNames(set, `${name}-${ordinal}`)) names.add(claim);
  for (const pod of pods) {
    const leaves = ordinalOf(pod) < start || ordinalOf(pod) >= end;
    for (const claim of claimNames(set, pod.metadata.name)) {
      names.add(claim);
      if (leaves) condemned.set(claim, pod);
    }
  }
  const claims = [...names].flatMap((claim) => deps.api.get('persistentvolumeclaims', namespace, claim) ?? []);
  for (const { claim, owners } of planClaimOwners(set, claims, condemned)) {
    const { uid } = claim.metadata;
    const patch = { metadata: { uid, ownerReferences: owners.length > 0 ? owners : null } };
    await deps.api.mergePatch('persistentvolumeclaims', namespace, claim.metadata.name, patch, { manager });
  }
}

function recheck(set: ApiObject, pods: readonly ApiObject[], now: number): Outcome {
  const minReadySeconds = getNumber(set, 'spec', 'minReadySeconds') ?? 0;
  const waits = pods.map((pod) => availableInMs(pod, minReadySeconds, now) ?? 0).filter((wait) => wait > 0);
  return waits.length > 0 ? { kind: 'done', recheckAfterMs: Math.min(...waits) } : { kind: 'done' };
}
