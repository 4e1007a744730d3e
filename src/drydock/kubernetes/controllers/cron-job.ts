import { jsonEqual } from '#base/json.ts';
import type { Outcome } from '#base/outcome.ts';
import { planCronJob } from './cron-job-plan.ts';
import { keyOf, splitKey } from './key.ts';
import { type Controller, type ControllerDeps, deleteIfPresent, isAlreadyExists } from './loop.ts';
import { controllerKeys } from './ownership.ts';

const manager = 'cronjob-controller';

/** Creates Jobs at their times. */
export function cronJobController(deps: ControllerDeps): Controller {
  return {
    name: 'cronjob',
    watches: [
      { resource: 'cronjobs.batch', names: (cron) => [keyOf(cron)] },
      { resource: 'jobs.batch', names: (job) => controllerKeys(job, 'CronJob') },
    ],
    tick: (name) => tick(deps, name),
  };
}

async function tick(deps: ControllerDeps, key: string): Promise<Outcome> {
  const { api, clock, events } = deps;
  const { namespace, name } = splitKey(key);
  const cron = api.get('cronjobs.batch', namespace, name);
  if (!cron) return { kind: 'done' };
  const jobs = api.ownedBy(cron.metadata.uid ?? '').filter((owned) => owned.kind === 'Job');
  const plan = planCronJob(cron, jobs, clock.now());
  for (const event of plan.events) events.record(manager, cron, event);
  for (const job of plan.remove) await deleteIfPresent(api, 'jobs.batch', job, { propagationPolicy: 'Background' });
  if (plan.create) {
    try {
      await api.create(plan.create, manager);
      const message = `Created job ${plan.create.metadata.name}`;
      events.record(manager, cron, { type: 'Normal', reason: 'SuccessfulCreate', message });
    } catch (error) {
      // Its name is made of its time: it was created before the status could say so.
      if (!isAlreadyExists(error)) throw error;
    }
  }
  if (!jsonEqual(cron['status'] ?? {}, plan.status)) await api.updateStatus({ ...cron, status: plan.status }, manager);
  return plan.recheckAfterMs === undefined ? { kind: 'done' } : { kind: 'done', recheckAfterMs: plan.recheckAfterMs };
}
