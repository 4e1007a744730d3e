import { rmSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '#base/clock.ts';
import { getArray, getNumber, getString } from '#base/json.ts';
import { ApiError, type ApiObject, type NodeLogs } from '../api/port.ts';
import { ContainerLog, type LogLimits } from './container-log.ts';
import { readLog } from './log-reader.ts';

/** All container logs of the node, on disk by pod, container and run; the newest two runs of a container are kept. */
export class LogStore implements NodeLogs {
  readonly #podsDir: string;
  readonly #clock: Clock;
  readonly #limits: LogLimits;
  readonly #live = new Map<string, ContainerLog>();

  constructor(podsDir: string, options: { clock: Clock; limits: LogLimits }) {
    this.#podsDir = podsDir;
    this.#clock = options.clock;
    this.#limits = options.limits;
  }

  open(uid: string, container: string, restartCount: number): ContainerLog {
    const path = this.#path(uid, container, restartCount);
    if (restartCount >= 2) {
      const old = this.#path(uid, container, restartCount - 2);
      for (const name of [old, `${old}.1`]) rmSync(name, { force: true });
      this.#live.delete(old);
    }
    const log = new ContainerLog(path, { limits: this.#limits, now: () => this.#clock.now() });
    this.#live.set(path, log);
    return log;
  }

  /** Forgets a pod; its files go with the pod's directory. */
  forget(uid: string): void {
    const prefix = join(this.#podsDir, uid, 'logs');
    for (const [path, log] of this.#live)
      if (path.startsWith(prefix)) {
        log.close();
        this.#live.delete(path);
      }
  }

  async *read(pod: ApiObject, options: Parameters<NodeLogs['read']>[1], signal: AbortSignal): AsyncGenerator<string> {
    const { container, previous } = options;
    const status = statusOf(pod, container);
    const name = pod.metadata.name;
    if (status === undefined) throw badRequest(`container ${container} is not valid for pod ${name}`);
    const restartCount = getNumber(status, 'restartCount') ?? 0;
    if (previous && restartCount === 0)
      throw badRequest(`previous terminated container "${container}" in pod "${name}" not found`);
    const waits = getString(status, 'state', 'waiting', 'reason');
    // While it waits to be started again, the log of the run that ended is the current one.
    const run = previous || (waits !== undefined && restartCount > 0) ? restartCount - 1 : restartCount;
    const path = this.#path(pod.metadata.uid ?? '', container, run);
    const exists = await stat(path).catch(() => undefined);
    if (!exists && waits !== undefined)
      throw badRequest(`container "${container}" in pod "${name}" is waiting to start: ${waits}`);
    yield* readLog(path, this.#live.get(path), {
      follow: options.follow,
      timestamps: options.timestamps,
      ...(options.tailLines === undefined ? {} : { tailLines: options.tailLines }),
      ...(options.limitBytes === undefined ? {} : { limitBytes: options.limitBytes }),
      ...(options.sinceSeconds === undefined ? {} : { sinceMs: this.#clock.now() - options.sinceSeconds * 1000 }),
      signal,
    });
  }

  #path(uid: string, container: string, restartCount: number): string {
    return join(this.#podsDir, uid, 'logs', container, `${restartCount}.log`);
  }
}

function badRequest(message: string): ApiError {
  return new ApiError(400, 'BadRequest', message);
}

function statusOf(pod: ApiObject, container: string): unknown {
  const all = [...getArray(pod, 'status', 'containerStatuses'), ...getArray(pod, 'status', 'initContainerStatuses')];
  const found = all.find((status) => getString(status, 'name') === container);
  if (found !== undefined) return found;
  const specs = [...getArray(pod, 'spec', 'containers'), ...getArray(pod, 'spec', 'initContainers')];
  if (!specs.some((spec) => getString(spec, 'name') === container)) return undefined;
  return { state: { waiting: { reason: 'ContainerCreating' } }, restartCount: 0 };
}
