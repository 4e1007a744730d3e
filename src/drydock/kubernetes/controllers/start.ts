import type { Clock, Entropy } from '#base/clock.ts';
import type { Logger } from '#base/log.ts';
import type { ApiServer } from '../api/port.ts';
import { deploymentController } from './deployment.ts';
import { endpointController } from './endpoint.ts';
import { ApiEventRecorder } from './event-recorder.ts';
import { startGarbageCollector } from './garbage.ts';
import { type ControllerDeps, startLoop } from './loop.ts';
import { namespaceController } from './namespace.ts';
import { replicaSetController } from './replica-set.ts';
import { schedulerController } from './scheduler.ts';

/**
 * Starts the controllers of the laptop cluster on an API server; disposing stops them and waits for running ticks.
 * `caCertificate` (PEM) is published in every namespace as the ConfigMap kube-root-ca.crt.
 */
export function startControllers(
  deps: { api: ApiServer; clock: Clock; entropy: Entropy; logger: Logger },
  options: { caCertificate: string },
): AsyncDisposable {
  const events = new ApiEventRecorder(deps);
  const shared: ControllerDeps = { ...deps, events };
  const loops = [
    namespaceController(shared, options.caCertificate),
    deploymentController(shared),
    replicaSetController(shared),
    endpointController(shared),
    schedulerController(shared),
  ].map((controller) => startLoop(shared, controller));
  const running = [startGarbageCollector(shared), ...loops];
  return {
    async [Symbol.asyncDispose]() {
      await Promise.all(running.map((loop) => loop[Symbol.asyncDispose]()));
      await events[Symbol.asyncDispose]();
    },
  };
}
