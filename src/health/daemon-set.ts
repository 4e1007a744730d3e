import { getNumber, getString } from '#base/json.ts';
import type { KubeObject } from '#kube/port.ts';
import { type Health, health } from './health.ts';

/** apps/DaemonSet. */
export function daemonSetHealth(object: KubeObject): Health {
  if ((object.metadata.generation ?? 0) > (getNumber(object, 'status', 'observedGeneration') ?? 0))
    return health(
      'Progressing',
      'Waiting for rollout to finish: observed daemon set generation less than desired generation',
    );
  const updated = getNumber(object, 'status', 'updatedNumberScheduled') ?? 0;
  if (getString(object, 'spec', 'updateStrategy', 'type') === 'OnDelete')
    return health(
      'Healthy',
      `daemon set ${updated} out of ${getNumber(object, 'status', 'desiredNumberScheduled') ?? 0} new pods have been updated`,
    );
  const wanted = getNumber(object, 'status', 'desiredNumberScheduled') ?? 0;
  const available = getNumber(object, 'status', 'numberAvailable') ?? 0;
  if (updated < wanted)
    return health(
      'Progressing',
      `Waiting for daemon set "${object.metadata.name}" rollout to finish: ${updated} out of ${wanted} new pods have been updated...`,
    );
  if (available < wanted)
    return health(
      'Progressing',
      `Waiting for daemon set "${object.metadata.name}" rollout to finish: ${available} of ${wanted} updated pods are available...`,
    );
  return health('Healthy');
}
