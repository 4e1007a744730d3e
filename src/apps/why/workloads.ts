import { getArray, getString } from '#base/json.ts';
import type { Health } from '#health/health.ts';
import { type KubeObject, parseApiVersion } from '#kube/port.ts';
import type { ResourceKey } from '#model/argocd/application.ts';
import { displayName } from '#sync/identity.ts';
import { podReason } from './containers.ts';
import type { Evidence, EvidenceResource } from './evidence.ts';
import type { Reason } from './reason.ts';
import { classifyRefusal } from './refusals.ts';

/** Everything below an object, nearest first. */
export function below(owned: readonly KubeObject[], uid: string | undefined): KubeObject[] {
  if (uid === undefined) return [];
  const children = owned.filter((object) => (object.metadata.ownerReferences ?? []).some((owner) => owner.uid === uid));
  return [...children, ...children.flatMap((child) => below(owned, child.metadata.uid))];
}

/** A controller that cannot make its pods says so in a condition. */
function creationReason(object: KubeObject): Reason | undefined {
  const failure = getArray(object, 'status', 'conditions').find(
    (entry) => getString(entry, 'type') === 'ReplicaFailure' && getString(entry, 'status') === 'True',
  );
  const message = getString(failure, 'message');
  if (message === undefined) return undefined;
  const { code, next } = classifyRefusal(message) ?? {
    code: 'refused' as const,
    next: 'correct what the message names',
  };
  return { code, problem: `${object.kind} ${object.metadata.name} cannot create its pods: ${message}`, next };
}

/** Pods of one owner fail in the same way: one is named, the others are counted. */
function merge(reasons: readonly Reason[]): Reason[] {
  const first = new Map<string, { reason: Reason; count: number }>();
  for (const reason of reasons) {
    const known = first.get(reason.code);
    if (known) known.count += 1;
    else first.set(reason.code, { reason, count: 1 });
  }
  return [...first.values()].map(({ reason, count }) =>
    count === 1 ? reason : { ...reason, problem: `${reason.problem} (and ${count - 1} more like it)` },
  );
}

function claimReason(object: KubeObject, events: readonly KubeObject[]): Reason | undefined {
  if (object.kind !== 'PersistentVolumeClaim' || getString(object, 'status', 'phase') !== 'Pending') return undefined;
  const event = events.findLast((entry) => getString(entry, 'involvedObject', 'uid') === object.metadata.uid);
  const detail = getString(event, 'message');
  return {
    code: 'volume',
    problem: `PersistentVolumeClaim ${object.metadata.name} has no volume`,
    next: 'name a StorageClass that exists, or create a volume that fits',
    ...(detail ? { detail } : {}),
  };
}

/** What an object's own health says. */
function plainReason(key: ResourceKey, health: Health): Reason {
  const object = displayName(key);
  const words = health.message ? `: ${health.message}` : '';
  if (key.kind === 'Application' && key.group === 'argoproj.io')
    return {
      code: 'child-application',
      problem: `the application ${key.name} below it is ${health.status}${words}`,
      next: `ask further: slipway why ${key.name}`,
      object: key,
    };
  if (key.kind === 'Job' && health.status === 'Degraded')
    return {
      code: 'job-failed',
      problem: `${object} failed${words}`,
      next: `read its log: slipway app logs APP --kind Job --name ${key.name}`,
      object: key,
    };
  if (health.status === 'Unknown' && /^<string>|^Lua returned|output from Lua script/.test(health.message ?? ''))
    return {
      code: 'health-check',
      problem: `the check of health of ${key.kind} in argocd-cm fails for ${object}${words}`,
      next: `correct resource.customizations.health.${key.group ? `${key.group}_` : ''}${key.kind}; try it: slipway health FILE --settings argocd-cm.yaml`,
      object: key,
    };
  if (health.status === 'Suspended')
    return {
      code: 'suspended',
      problem: `${object} is suspended${words}`,
      next: 'resume it when it may go on',
      object: key,
    };
  const progressing = health.status === 'Progressing';
  return {
    code: progressing ? 'progressing' : 'unhealthy',
    problem: `${object} is ${health.status}${words}`,
    next: progressing
      ? 'wait: it is on its way'
      : `look at it: kubectl describe ${key.kind.toLowerCase()} ${key.name}${key.namespace ? ` -n ${key.namespace}` : ''}`,
    object: key,
  };
}

/** Why one object is not healthy: as deep as the reason can be found, else its own words. */
export function unhealthyReasons(resource: EvidenceResource, evidence: Evidence): Reason[] {
  const { key, live, health } = resource;
  if (!health || health.status === 'Healthy') return [];
  const object = displayName(key);
  if (health.status === 'Missing')
    return [
      {
        code: 'missing-resource',
        problem: `${object} does not exist in the cluster`,
        next: 'sync: slipway app sync APP',
        object: key,
      },
    ];
  const inside = live ? [live, ...below(evidence.owned, live.metadata.uid)] : [];
  const found = inside.flatMap((entry): Reason[] => {
    const reason =
      entry.kind === 'Pod' && parseApiVersion(entry.apiVersion).group === ''
        ? podReason(entry, evidence.events)
        : (creationReason(entry) ?? claimReason(entry, evidence.events));
    return reason ? [{ ...reason, object: reason.object ?? key }] : [];
  });
  if (found.length > 0) return merge(found).map((reason) => ({ ...reason, problem: `${object}: ${reason.problem}` }));
  return [plainReason(key, health)];
}
