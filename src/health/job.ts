import { getArray, getString } from '#base/json.ts';
import type { KubeObject } from '#kube/port.ts';
import { type Health, health } from './health.ts';

/** batch/Job. */
export function jobHealth(object: KubeObject): Health {
  let failed = false;
  let failMessage: string | undefined;
  let complete = false;
  let suspended = false;
  let message: string | undefined;
  for (const condition of getArray(object, 'status', 'conditions')) {
    const type = getString(condition, 'type');
    if (type === 'Failed') {
      failed = true;
      complete = true;
      failMessage = getString(condition, 'message');
    } else if (type === 'Complete') {
      complete = true;
      message = getString(condition, 'message');
    } else if (type === 'Suspended') {
      complete = true;
      message = getString(condition, 'message');
      if (getString(condition, 'status') === 'True') suspended = true;
    }
  }
  if (!complete) return health('Progressing', message);
  if (failed) return health('Degraded', failMessage);
  return health(suspended ? 'Suspended' : 'Healthy', message);
}
