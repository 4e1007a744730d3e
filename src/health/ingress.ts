import { getArray } from '#base/json.ts';
import type { KubeObject } from '#kube/port.ts';
import { type Health, health } from './health.ts';

/** networking.k8s.io/Ingress and extensions/Ingress. */
export function ingressHealth(object: KubeObject): Health {
  return health(getArray(object, 'status', 'loadBalancer', 'ingress').length > 0 ? 'Healthy' : 'Progressing');
}
