import { getArray, type JsonObject } from '#base/json.ts';
import type { ApiObject, GroupResource } from '../api/port.ts';
import { type Condition, parseConditions, withCondition } from './condition.ts';

/** What is left in a namespace that is being deleted. */
export interface NamespaceContent {
  resource: GroupResource;
  objects: readonly ApiObject[];
}

export interface NamespacePlan {
  /** One stage at a time: workloads before the things they use, pods with their grace, the rest last. */
  remove: { resource: GroupResource; objects: ApiObject[] }[];
  status: JsonObject;
  finalize: boolean;
}

const stages: readonly (readonly GroupResource[])[] = [
  [
    'cronjobs.batch',
    'jobs.batch',
    'deployments.apps',
    'statefulsets.apps',
    'daemonsets.apps',
    'replicasets.apps',
    'replicationcontrollers',
  ],
  ['pods'],
];

/** Nothing for a namespace that stays. Objects that only wait for a finalizer are not deleted again. */
export function planNamespaceDeletion(
  namespace: ApiObject,
  content: readonly NamespaceContent[],
  now: number,
): NamespacePlan {
  const left = content.filter((entry) => entry.objects.length > 0);
  const staged = new Set(stages.flat());
  const ordered = [...stages, left.map((entry) => entry.resource).filter((resource) => !staged.has(resource))];
  const stage = ordered.find((resources) => left.some((entry) => resources.includes(entry.resource))) ?? [];
  const remove = left
    .filter((entry) => stage.includes(entry.resource))
    .map((entry) => ({
      resource: entry.resource,
      objects: entry.objects.filter((object) => object.metadata.deletionTimestamp === undefined),
    }))
    .filter((entry) => entry.objects.length > 0);
  return {
    remove,
    status: { phase: 'Terminating', conditions: deletionConditions(namespace, left, now) },
    finalize: left.length === 0 && getArray(namespace, 'spec', 'finalizers').includes('kubernetes'),
  };
}

function deletionConditions(namespace: ApiObject, left: readonly NamespaceContent[], now: number): Condition[] {
  const remaining = left.map((entry) => `${entry.resource} has ${entry.objects.length} resource instances`).join(', ');
  const finalizers = new Map<string, number>();
  for (const object of left.flatMap((entry) => [...entry.objects]))
    for (const finalizer of object.metadata.finalizers ?? [])
      finalizers.set(finalizer, (finalizers.get(finalizer) ?? 0) + 1);
  const waiting = [...finalizers].map(([name, count]) => `${name} in ${count} resource instances`).join(', ');
  const wanted: Pick<Condition, 'type' | 'status' | 'reason' | 'message'>[] = [
    {
      type: 'NamespaceDeletionDiscoveryFailure',
      status: 'False',
      reason: 'ResourcesDiscovered',
      message: 'All resources successfully discovered',
    },
    {
      type: 'NamespaceDeletionContentFailure',
      status: 'False',
      reason: 'ContentDeleted',
      message: 'All content successfully deleted, may be waiting on finalization',
    },
    remaining === ''
      ? {
          type: 'NamespaceContentRemaining',
          status: 'False',
          reason: 'ContentRemoved',
          message: 'All content successfully removed',
        }
      : {
          type: 'NamespaceContentRemaining',
          status: 'True',
          reason: 'SomeResourcesRemain',
          message: `Some resources are remaining: ${remaining}`,
        },
    waiting === ''
      ? {
          type: 'NamespaceFinalizersRemaining',
          status: 'False',
          reason: 'ContentHasNoFinalizers',
          message: 'All content-preserving finalizers finished',
        }
      : {
          type: 'NamespaceFinalizersRemaining',
          status: 'True',
          reason: 'SomeFinalizersRemain',
          message: `Some content in the namespace has finalizers remaining: ${waiting}`,
        },
  ];
  let conditions = parseConditions(namespace['status']);
  for (const next of wanted) conditions = withCondition(conditions, next, { now });
  return conditions;
}
