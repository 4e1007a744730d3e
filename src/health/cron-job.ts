import { getArray, getPath, getString } from '#base/json.ts';
import type { KubeObject } from '#kube/port.ts';
import { type Health, health } from './health.ts';

/** batch/CronJob: the schedule itself; a run's failure shows on its Job. */
export function cronJobHealth(object: KubeObject): Health {
  if (getPath(object, 'spec', 'suspend') === true) return health('Suspended', 'CronJob is Suspended');
  const lastScheduled = getString(object, 'status', 'lastScheduleTime');
  if (lastScheduled === undefined) return health('Progressing', 'CronJob has not been scheduled yet.');
  const lastSuccess = getString(object, 'status', 'lastSuccessfulTime');
  const running = getArray(object, 'status', 'active').length > 0;
  if (lastSuccess === undefined)
    return running
      ? health('Progressing', 'CronJob has not completed its first execution.')
      : health('Degraded', 'CronJob has not completed its last execution successfully');
  if (running) return health('Progressing', `CronJob is running: last scheduled at ${lastScheduled}`);
  return lastSuccess < lastScheduled
    ? health('Degraded', 'CronJob has not completed its last execution successfully')
    : health('Healthy', 'CronJob has completed its last execution successfully.');
}
