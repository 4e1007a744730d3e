import { getNumber, getPath, jsonEqual } from '#base/json.ts';
import type { Outcome } from '#base/outcome.ts';
import type { ApiObject } from '../api/port.ts';
import { ensureRevision, trimRevisions } from './controller-revision.ts';
import { daemonPod, daemonSetStatus, planDaemonSet } from './daemon-set-plan.ts';
import { keyOf, splitKey } from './key.ts';
import { type Controller, type ControllerDeps, deleteIfPresent } from './loop.ts';
import { viewNode } from './node-view.ts';
import { executeClaim, ownerOrAdopterKeys, planClaim } from './ownership.ts';
import { availableInMs } from './pod-state.ts';
import { nameSuffix } from './pod-template.ts';
import { parseLabelSelector } from './selector.ts';

const manager = 'daemonset-controller';

/** Keeps one pod of each DaemonSet on every node it is for. */
export function daemonSetController(deps: ControllerDeps): Controller {
  const selectorOf = (object: ApiObject) => parseLabelSelector(getPath(object, 'spec', 'selector'));
  const seen = new Map<string, string>();
  return {
    name: 'daemonset',
    watches: [
      { resource: 'daemonsets.apps', names: (set) => [keyOf(set)] },
      {
        resource: 'pods',
        names: (pod) =>
          ownerOrAdopterKeys(deps.api, pod, { kind: 'DaemonSet', resource: 'daemonsets.apps', selectorOf }),
      },
      {
        resource: 'nodes',
        names: (node) => {
          const { name, labels, taints } = viewNode(node);
          const now = JSON.stringify([node.metadata.uid, labels, taints]);
          const gone = deps.api.get('nodes', undefined, name) === undefined;
          if (seen.get(name) === now && !gone) return [];
          seen.set(name, now);
          if (gone) seen.delete(name);
          return deps.api.list('daemonsets.apps').map(keyOf);
        },
      },
    ],
    tick: (name) => tick(deps, name),
  };
}

async function tick(deps: ControllerDeps, key: string): Promise<Outcome> {
  const { api, clock, entropy, events } = deps;
  const { namespace, name } = splitKey(key);
  const set = api.get('daemonsets.apps', namespace, name);
  if (!set || namespace === undefined) return { kind: 'done' };
  const selector = parseLabelSelector(getPath(set, 'spec', 'selector'));
  const claim = planClaim(set, selector, api.list('pods', { namespace }));
  const pods = await executeClaim(api, set, { plan: claim, resource: 'pods', manager });
  const { current: update, all } = await ensureRevision(deps, set, manager);
  const observed = { set, pods, nodes: api.list('nodes'), update, now: clock.now() };
  const plan = planDaemonSet(observed);
  for (const node of plan.create) {
    const pod = daemonPod(set, update, { name: `${name}-${nameSuffix(entropy)}`, node });
    await api.create(pod, manager);
    const message = `Created pod: ${pod.metadata.name}`;
    events.record(manager, set, { type: 'Normal', reason: 'SuccessfulCreate', message });
  }
  for (const pod of plan.remove) {
    await deleteIfPresent(api, 'pods', pod);
    const message = `Deleted pod: ${pod.metadata.name}`;
    events.record(manager, set, { type: 'Normal', reason: 'SuccessfulDelete', message });
  }
  const left = api.ownedBy(set.metadata.uid ?? '').filter((owned) => owned.kind === 'Pod');
  const status = daemonSetStatus({ ...observed, pods: left });
  if (!jsonEqual(set['status'] ?? {}, status)) await api.updateStatus({ ...set, status }, manager);
  const limit = getNumber(set, 'spec', 'revisionHistoryLimit') ?? 10;
  await trimRevisions(deps, { all, used: new Set([update.name]), limit });
  const minReadySeconds = getNumber(set, 'spec', 'minReadySeconds') ?? 0;
  const waits = left.map((pod) => availableInMs(pod, minReadySeconds, clock.now()) ?? 0).filter((wait) => wait > 0);
  return waits.length > 0 ? { kind: 'done', recheckAfterMs: Math.min(...waits) } : { kind: 'done' };
}
