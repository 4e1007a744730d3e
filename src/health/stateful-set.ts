import { getNumber, getPath, getString } from '#base/json.ts';
import type { KubeObject } from '#kube/port.ts';
import { type Health, health } from './health.ts';

/** apps/StatefulSet. */
export function statefulSetHealth(object: KubeObject): Health {
  const observed = getNumber(object, 'status', 'observedGeneration') ?? 0;
  if (observed === 0 || (object.metadata.generation ?? 0) > observed)
    return health('Progressing', 'Waiting for statefulset spec update to be observed...');
  const wanted = getNumber(object, 'spec', 'replicas');
  const ready = getNumber(object, 'status', 'readyReplicas') ?? 0;
  if (wanted !== undefined && ready < wanted)
    return health('Progressing', `Waiting for ${wanted - ready} pods to be ready...`);
  const strategy = getString(object, 'spec', 'updateStrategy', 'type');
  const rolling = getPath(object, 'spec', 'updateStrategy', 'rollingUpdate');
  if (strategy === 'RollingUpdate' && rolling !== undefined && rolling !== null) {
    const partition = getNumber(rolling, 'partition');
    const updated = getNumber(object, 'status', 'updatedReplicas') ?? 0;
    if (wanted !== undefined && partition !== undefined && updated < wanted - partition)
      return health(
        'Progressing',
        `Waiting for partitioned roll out to finish: ${updated} out of ${wanted - partition} new pods have been updated...`,
      );
    return health('Healthy', `partitioned roll out complete: ${updated} new pods have been updated...`);
  }
  if (strategy === 'OnDelete') return health('Healthy', `statefulset has ${ready} ready pods`);
  const updateRevision = getString(object, 'status', 'updateRevision');
  if (updateRevision !== getString(object, 'status', 'currentRevision'))
    return health(
      'Progressing',
      `waiting for statefulset rolling update to complete ${getNumber(object, 'status', 'updatedReplicas') ?? 0} pods at revision ${updateRevision ?? ''}...`,
    );
  return health(
    'Healthy',
    `statefulset rolling update complete ${getNumber(object, 'status', 'currentReplicas') ?? 0} pods at revision ${getString(object, 'status', 'currentRevision') ?? ''}...`,
  );
}
