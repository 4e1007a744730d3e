import { getArray, getNumber, getObject, getPath, getString, isObject, type JsonObject } from '#base/json.ts';
import type { ApiObject } from '../api/port.ts';
import { type Revision, revisionHashLabel } from './controller-revision.ts';
import { stringMap } from './ownership.ts';
import { isDeleting, isPodAvailable, isPodReady, podPhase } from './pod-state.ts';
import { podFromTemplate } from './pod-template.ts';

export const ordinalLabel = 'apps.kubernetes.io/pod-index';
export const podNameLabel = 'statefulset.kubernetes.io/pod-name';

export interface StatefulSetObserved {
  set: ApiObject;
  pods: readonly ApiObject[];
  current: Revision;
  update: Revision;
  now: number;
}

export interface StatefulSetPlan {
  create: ApiObject[];
  remove: ApiObject[];
  /** Claims the created pods need; those that exist are left alone. */
  claims: ApiObject[];
}

export function ordinalOf(pod: ApiObject): number {
  return Number(/-(\d+)$/.exec(pod.metadata.name)?.[1] ?? Number.NaN);
}

/** One step: ordered sets do one pod at a time and wait for it; parallel ones do all at once. */
export function planStatefulSet(observed: StatefulSetObserved): StatefulSetPlan {
  const { set, pods, current, update, now } = observed;
  const plan: StatefulSetPlan = { create: [], remove: [], claims: [] };
  if (isDeleting(set)) return plan;
  const parallel = getString(set, 'spec', 'podManagementPolicy') === 'Parallel';
  const replicas = getNumber(set, 'spec', 'replicas') ?? 1;
  const start = getNumber(set, 'spec', 'ordinals', 'start') ?? 0;
  const partition = getNumber(set, 'spec', 'updateStrategy', 'rollingUpdate', 'partition') ?? 0;
  const minReadySeconds = getNumber(set, 'spec', 'minReadySeconds') ?? 0;
  const byOrdinal = new Map(pods.map((pod) => [ordinalOf(pod), pod]));
  const healthy = (pod: ApiObject): boolean => !isDeleting(pod) && isPodAvailable(pod, minReadySeconds, now);
  for (let ordinal = start; ordinal < start + replicas; ordinal += 1) {
    const pod = byOrdinal.get(ordinal);
    if (!pod) {
      const revision = ordinal < start + partition ? current : update;
      plan.create.push(podOf(set, revision, ordinal));
      plan.claims.push(...claimsOf(set, ordinal));
    } else if (!isDeleting(pod) && (podPhase(pod) === 'Failed' || podPhase(pod) === 'Succeeded')) plan.remove.push(pod);
    else if (healthy(pod)) continue;
    if (!parallel) return plan;
  }
  const condemned = pods
    .filter((pod) => ordinalOf(pod) < start || ordinalOf(pod) >= start + replicas)
    .sort((a, b) => ordinalOf(b) - ordinalOf(a));
  for (const pod of condemned) {
    if (!isDeleting(pod)) plan.remove.push(pod);
    if (!parallel) return plan;
  }
  if (plan.create.length + plan.remove.length > 0 || condemned.length > 0) return plan;
  if (getString(set, 'spec', 'updateStrategy', 'type') === 'OnDelete') return plan;
  for (let ordinal = start + replicas - 1; ordinal >= start + partition; ordinal -= 1) {
    const pod = byOrdinal.get(ordinal);
    if (!pod) return plan;
    if (pod.metadata.labels?.[revisionHashLabel] !== update.name) {
      if (!isDeleting(pod)) plan.remove.push(pod);
      return plan;
    }
    if (!healthy(pod)) return plan;
  }
  return plan;
}

function podOf(set: ApiObject, revision: Revision, ordinal: number): ApiObject {
  const name = `${set.metadata.name}-${ordinal}`;
  const pod = podFromTemplate(set, revision.template, {
    name,
    generateName: `${set.metadata.name}-`,
    labels: { [revisionHashLabel]: revision.name, [ordinalLabel]: String(ordinal), [podNameLabel]: name },
  });
  const spec = isObject(pod['spec']) ? pod['spec'] : {};
  const claims = getArray(set, 'spec', 'volumeClaimTemplates').map(
    (claim) => getString(claim, 'metadata', 'name') ?? '',
  );
  const others = getArray(spec, 'volumes').filter((volume) => !claims.includes(getString(volume, 'name') ?? ''));
  const own = claims.map((claim) => ({ name: claim, persistentVolumeClaim: { claimName: `${claim}-${name}` } }));
  const volumes = [...others, ...own];
  const subdomain = getString(set, 'spec', 'serviceName');
  return {
    ...pod,
    spec: {
      ...spec,
      hostname: name,
      ...(subdomain ? { subdomain } : {}),
      ...(volumes.length > 0 ? { volumes } : {}),
    },
  };
}

function claimsOf(set: ApiObject, ordinal: number): ApiObject[] {
  return getArray(set, 'spec', 'volumeClaimTemplates').map((template) => {
    const metadata = getObject(template, 'metadata');
    const labels = { ...stringMap(metadata['labels']), ...stringMap(getPath(set, 'spec', 'selector', 'matchLabels')) };
    return {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: {
        name: `${getString(metadata, 'name') ?? ''}-${set.metadata.name}-${ordinal}`,
        ...(set.metadata.namespace === undefined ? {} : { namespace: set.metadata.namespace }),
        labels,
        annotations: stringMap(metadata['annotations']),
      },
      spec: getObject(template, 'spec'),
    };
  });
}

/** The whole status. The current revision becomes the update revision when every pod is updated and ready. */
export function statefulSetStatus(observed: StatefulSetObserved): JsonObject {
  const { set, pods, current, update, now } = observed;
  const minReadySeconds = getNumber(set, 'spec', 'minReadySeconds') ?? 0;
  const replicas = getNumber(set, 'spec', 'replicas') ?? 1;
  const created = pods.filter((pod) => podPhase(pod) !== 'Failed' && podPhase(pod) !== 'Succeeded');
  const ready = created.filter(isPodReady).length;
  const available = created.filter((pod) => isPodAvailable(pod, minReadySeconds, now)).length;
  const at = (revision: Revision): number =>
    created.filter((pod) => !isDeleting(pod) && pod.metadata.labels?.[revisionHashLabel] === revision.name).length;
  const updated = at(update);
  const done = updated === replicas && ready === replicas && created.length === replicas;
  const shown = done ? update : current;
  const currentCount = at(shown);
  return {
    observedGeneration: set.metadata.generation ?? 0,
    replicas: created.length,
    ...(ready > 0 ? { readyReplicas: ready } : {}),
    ...(currentCount > 0 ? { currentReplicas: currentCount } : {}),
    ...(updated > 0 ? { updatedReplicas: updated } : {}),
    currentRevision: shown.name,
    updateRevision: update.name,
    collisionCount: 0,
    availableReplicas: available,
  };
}
