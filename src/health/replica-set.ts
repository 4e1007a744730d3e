import { getArray, getNumber, getString } from '#base/json.ts';
import type { KubeObject } from '#kube/port.ts';
import { type Health, health } from './health.ts';

/** apps/ReplicaSet. */
export function replicaSetHealth(object: KubeObject): Health {
  if ((object.metadata.generation ?? 0) > (getNumber(object, 'status', 'observedGeneration') ?? 0))
    return health(
      'Progressing',
      'Waiting for rollout to finish: observed replica set generation less than desired generation',
    );
  const failure = getArray(object, 'status', 'conditions').find((c) => getString(c, 'type') === 'ReplicaFailure');
  if (getString(failure, 'status') === 'True') return health('Degraded', getString(failure, 'message'));
  const wanted = getNumber(object, 'spec', 'replicas');
  const available = getNumber(object, 'status', 'availableReplicas') ?? 0;
  if (wanted !== undefined && available < wanted)
    return health(
      'Progressing',
      `Waiting for rollout to finish: ${available} out of ${wanted} new replicas are available...`,
    );
  return health('Healthy');
}
