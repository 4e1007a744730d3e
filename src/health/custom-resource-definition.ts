import { getArray, getString } from '#base/json.ts';
import type { KubeObject } from '#kube/port.ts';
import { type Health, health } from './health.ts';

/** apiextensions.k8s.io/CustomResourceDefinition. */
export function customResourceDefinitionHealth(object: KubeObject): Health {
  const conditions = getArray(object, 'status', 'conditions');
  const is = (type: string, status: string) =>
    conditions.find((c) => getString(c, 'type') === type && getString(c, 'status') === status);
  if (conditions.length === 0) return health('Progressing', 'Status conditions not found');
  if (is('Terminating', 'True')) return health('Progressing', 'CRD is terminating');
  const refused = is('NamesAccepted', 'False');
  if (refused) return health('Degraded', `CRD names have not been accepted: ${getString(refused, 'message') ?? ''}`);
  const unready = is('Established', 'False');
  if (unready) return health('Degraded', `CRD is not established: ${getString(unready, 'message') ?? ''}`);
  return is('Established', 'True')
    ? health('Healthy', 'CRD is healthy')
    : health('Progressing', 'Waiting for the CRD to be established');
}
