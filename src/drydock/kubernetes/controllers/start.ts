import type { Clock, Entropy } from '#base/clock.ts';
import { AppError } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import type { ApiServer } from '../api/port.ts';
import { type AutoscalerTiming, autoscalerController } from './autoscaler.ts';
import { certificateSigner, type SignRequest } from './certificate-signer.ts';
import { clusterRoleController } from './cluster-role.ts';
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
import { type Controller, type ControllerDeps, startLoop } from './loop.ts';
import { namespaceController } from './namespace.ts';
import { type NodeLifecycleTiming, nodeLifecycleController } from './node-lifecycle.ts';
import { replicaSetController, replicationController } from './replica-set.ts';
import { schedulerController } from './scheduler.ts';
import { statefulSetController } from './stateful-set.ts';
import { volumeClaimController } from './volume-claim.ts';

export interface ControllerOptions {
  /** PEM; published in every namespace as the ConfigMap kube-root-ca.crt. */
  caCertificate: string;
  /** Where the volumes of PersistentVolumeClaims are kept. */
  volumesDir: string;
  /** Without it, approved certificate requests fail and say so. */
  signRequest?: SignRequest;
  jobBackoff?: JobBackoff;
  eventsKeptMs?: number;
  nodeLifecycle?: NodeLifecycleTiming;
  autoscaler?: AutoscalerTiming;
  /** As `selectControllers` reads it; all by default. */
  selection?: readonly string[];
}

const usualJobBackoff: JobBackoff = { firstMs: 10_000, maxMs: 600_000 };
const usualEventsKeptMs = 3_600_000;

type Make = (deps: ControllerDeps, options: ControllerOptions) => Controller;

/** Those that are loops, by the name under which they are switched on and off. */
const loops = {
  namespace: (deps, options) => namespaceController(deps, options.caCertificate),
  deployment: deploymentController,
  'replica-set': replicaSetController,
  'replication-controller': replicationController,
  'stateful-set': statefulSetController,
  'daemon-set': daemonSetController,
  job: (deps, options) => jobController(deps, options.jobBackoff ?? usualJobBackoff),
  'cron-job': cronJobController,
  endpoint: endpointController,
  scheduler: schedulerController,
  'node-lifecycle': (deps, options) => nodeLifecycleController(deps, options.nodeLifecycle),
  'volume-claim': (deps, options) => volumeClaimController(deps, options.volumesDir),
  'load-balancer': loadBalancerController,
  'disruption-budget': disruptionBudgetController,
  'horizontal-pod-autoscaler': (deps, options) => autoscalerController(deps, options.autoscaler),
  'cluster-role-aggregation': clusterRoleController,
  'certificate-signer': (deps, options) => certificateSigner(deps, options.signRequest),
  'event-expiry': (deps, options) => eventExpiryController(deps, options.eventsKeptMs ?? usualEventsKeptMs),
} satisfies Record<string, Make>;

const garbageCollector = 'garbage-collector';

export const controllerNames: readonly string[] = [garbageCollector, ...Object.keys(loops)];

/**
 * Which controllers run: `*` stands for all, a name switches one on, `-name` off, the later word wins. Throws AppError
 * bad-input for a name that is none.
 */
export function selectControllers(words: readonly string[]): ReadonlySet<string> {
  const selected = new Set<string>();
  for (const word of words) {
    const off = word.startsWith('-');
    const name = off ? word.slice(1) : word;
    if (name !== '*' && !controllerNames.includes(name))
      throw new AppError('bad-input', `there is no controller ${JSON.stringify(name)}`, {
        hint: `There are ${controllerNames.join(', ')}; * is all of them, -NAME leaves one out.`,
      });
    for (const one of name === '*' ? controllerNames : [name]) {
      if (off) selected.delete(one);
      else selected.add(one);
    }
  }
  return selected;
}

/** Starts the controllers of the laptop cluster on an API server; disposing stops them and waits for running ticks. */
export function startControllers(
  deps: { api: ApiServer; clock: Clock; entropy: Entropy; logger: Logger },
  options: ControllerOptions,
): AsyncDisposable {
  const selected = selectControllers(options.selection ?? ['*']);
  const events = new ApiEventRecorder(deps);
  const shared: ControllerDeps = { ...deps, events };
  const running = selected.has(garbageCollector) ? [startGarbageCollector(shared)] : [];
  for (const [name, make] of Object.entries<Make>(loops))
    if (selected.has(name)) running.push(startLoop(shared, make(shared, options)));
  return {
    async [Symbol.asyncDispose]() {
      await Promise.all(running.map((loop) => loop[Symbol.asyncDispose]()));
      await events[Symbol.asyncDispose]();
    },
  };
}
