import { getArray, getString } from '#base/json.ts';
import type { KubeObject } from '#kube/port.ts';
import { type Health, health } from './health.ts';

/** core/Service. */
export function serviceHealth(object: KubeObject): Health {
  const waits =
    getString(object, 'spec', 'type') === 'LoadBalancer' &&
    getArray(object, 'status', 'loadBalancer', 'ingress').length === 0;
  return health(waits ? 'Progressing' : 'Healthy');
}
