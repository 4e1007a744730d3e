import type { Clock, Entropy } from '#base/clock.ts';
import type { Logger } from '#base/log.ts';
import type { ApiServer } from '../api/port.ts';
import { cronJobController } from './cron-job.ts';
import { daemonSetController } from './daemon-set.ts';
import { deploymentController } from './deployment.ts';
import { disruptionBudgetController } from './disruption-budget.ts';
import { endpointController } from './endpoint.ts';
import { eventExpiryController } from './event-expiry.ts';
import { ApiEventRecorder } from './event-recorder.ts';
import { startGarbageCollector } from './garbage.ts';
import { jobController } from './job.ts';
import type { JobBackoff } from './job-plan.ts';
import { loadBalancerController } from './load-balancer.ts';
import { type ControllerDeps, startLoop } from './loop.ts';
import { namespaceController } from './namespace.ts';
import { replicaSetController } from './replica-set.ts';
import { schedulerController } from './scheduler.ts';
import { statefulSetController } from './stateful-set.ts';
import { volumeClaimController } from './volume-claim.ts';

export interface ControllerOptions {
  /** PEM; published in every namespace as the ConfigMap kube-root-ca.crt. */
  caCertificate: string;
  /** Where the volumes of PersistentVolumeClaims are kept. */
  volumesDir: string;
  jobBackoff?: JobBackoff;
  eventsKeptMs?: number;
}

const usualJobBackoff: JobBackoff = { firstMs: 10_000, maxMs: 600_000 };
const usualEventsKeptMs = 3_600_000;

/** Starts the controllers of the laptop cluster on an API server; disposing stops them and waits for running ticks. */
export function startControllers(
  deps: { api: ApiServer; clock: Clock; entropy: Entropy; logger: Logger },
  options: ControllerOptions,
): AsyncDisposable {
  const events = new ApiEventRecorder(deps);
  const shared: ControllerDeps = { ...deps, events };
  const loops = [
    namespaceController(shared, options.caCertificate),
    deploymentController(shared),
    replicaSetController(shared),
    statefulSetController(shared),
    daemonSetController(shared),
    jobController(shared, options.jobBackoff ?? usualJobBackoff),
    cronJobController(shared),
    endpointController(shared),
    schedulerController(shared),
    volumeClaimController(shared, options.volumesDir),
    loadBalancerController(shared),
    disruptionBudgetController(shared),
    eventExpiryController(shared, options.eventsKeptMs ?? usualEventsKeptMs),
  ].map((controller) => startLoop(shared, controller));
  const running = [startGarbageCollector(shared), ...loops];
  return {
    async [Symbol.asyncDispose]() {
      await Promise.all(running.map((loop) => loop[Symbol.asyncDispose]()));
      await events[Symbol.asyncDispose]();
    },
  };
}
