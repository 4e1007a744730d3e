import { getArray, getNumber, getPath, getString } from '#base/json.ts';
import type { KubeObject } from '#kube/port.ts';
import { type Health, health } from './health.ts';

/** apps/Deployment. */
export function deploymentHealth(object: KubeObject): Health {
  if (getPath(object, 'spec', 'paused') === true) return health('Suspended', 'Deployment is paused');
  if ((object.metadata.generation ?? 0) > (getNumber(object, 'status', 'observedGeneration') ?? 0))
    return health(
      'Progressing',
      'Waiting for rollout to finish: observed deployment generation less than desired generation',
    );
  const progressing = getArray(object, 'status', 'conditions').find((c) => getString(c, 'type') === 'Progressing');
  if (getString(progressing, 'reason') === 'ProgressDeadlineExceeded')
    return health('Degraded', `Deployment "${object.metadata.name}" exceeded its progress deadline`);
  const wanted = getNumber(object, 'spec', 'replicas');
  const total = getNumber(object, 'status', 'replicas') ?? 0;
  const updated = getNumber(object, 'status', 'updatedReplicas') ?? 0;
  const available = getNumber(object, 'status', 'availableReplicas') ?? 0;
  if (wanted !== undefined && updated < wanted)
    return health(
      'Progressing',
      `Waiting for rollout to finish: ${updated} out of ${wanted} new replicas have been updated...`,
    );
  if (total > updated)
    return health(
      'Progressing',
      `Waiting for rollout to finish: ${total - updated} old replicas are pending termination...`,
    );
  if (available < updated)
    return health(
      'Progressing',
      `Waiting for rollout to finish: ${available} of ${updated} updated replicas are available...`,
    );
  return health('Healthy');
}
