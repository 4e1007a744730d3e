import { getArray, getString } from '#base/json.ts';
import type { KubeObject } from '#kube/port.ts';
import { type Health, health } from './health.ts';

/** apiregistration.k8s.io/APIService. */
export function apiServiceHealth(object: KubeObject): Health {
  const available = getArray(object, 'status', 'conditions').find((c) => getString(c, 'type') === 'Available');
  if (available === undefined) return health('Progressing', 'Waiting to be processed');
  const message = `${getString(available, 'reason') ?? ''}: ${getString(available, 'message') ?? ''}`;
  return health(getString(available, 'status') === 'True' ? 'Healthy' : 'Progressing', message);
}
