import { getString } from '#base/json.ts';
import type { KubeObject } from '#kube/port.ts';
import { type Health, health } from './health.ts';

/** argoproj.io/Workflow. */
export function workflowHealth(object: KubeObject): Health {
  const message = getString(object, 'status', 'message');
  switch (getString(object, 'status', 'phase') ?? '') {
    case '':
    case 'Pending':
    case 'Running':
      return health('Progressing', message);
    case 'Succeeded':
      return health('Healthy', message);
    case 'Failed':
    case 'Error':
      return health('Degraded', message);
    default:
      return health('Unknown', message);
  }
}
