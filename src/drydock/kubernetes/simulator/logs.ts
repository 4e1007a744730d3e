import { getArray, getNumber, getPath, getString } from '#base/json.ts';
import { ApiError, type ApiObject, type ApiServer, type NodeLogs } from '../api/port.ts';

export interface SimulatedLogsDeps {
  api: ApiServer;
  /** What the container is said to print; undefined when nothing was said. */
  textOf(pod: ApiObject, container: string): string | undefined;
}

const silence = 'simulated container; no output';

/** Logs of containers that do not run: what an annotation says, or a line that says that there is nothing. */
export class SimulatedLogs implements NodeLogs {
  readonly #deps: SimulatedLogsDeps;

  constructor(deps: SimulatedLogsDeps) {
    this.#deps = deps;
  }

  async *read(pod: ApiObject, options: Parameters<NodeLogs['read']>[1], signal: AbortSignal): AsyncGenerator<string> {
    const { container, previous, follow } = options;
    const status = statusOf(pod, container);
    const { name } = pod.metadata;
    if (status === undefined && !hasContainer(pod, container))
      throw badRequest(`container ${container} is not valid for pod ${name}`);
    const restarts = getNumber(status, 'restartCount') ?? 0;
    if (previous && restarts === 0)
      throw badRequest(`previous terminated container "${container}" in pod "${name}" not found`);
    const waits = status === undefined ? 'ContainerCreating' : getString(status, 'state', 'waiting', 'reason');
    if (!previous && waits !== undefined && restarts === 0)
      throw badRequest(`container "${container}" in pod "${name}" is waiting to start: ${waits}`);
    yield shown(this.#deps.textOf(pod, container) ?? silence, startOf(status), options);
    if (follow && !previous && getPath(status, 'state', 'running') !== undefined)
      await this.#ended(pod, container, signal);
  }

  /** Resolves when the container runs no more, or the reader is gone. */
  #ended(pod: ApiObject, container: string, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        stop();
        signal.removeEventListener('abort', done);
        resolve();
      };
      const stop = this.#deps.api.onChange('pods', ({ type, object }) => {
        if (object.metadata.uid !== pod.metadata.uid) return;
        const runs = getPath(statusOf(object, container), 'state', 'running') !== undefined;
        if (type === 'DELETED' || !runs) done();
      });
      signal.addEventListener('abort', done, { once: true });
      if (signal.aborted) done();
    });
  }
}

function shown(text: string, startedAt: string, options: Parameters<NodeLogs['read']>[1]): string {
  const { timestamps, tailLines, sinceSeconds, limitBytes } = options;
  // Everything was printed at the start.
  let lines = text.replace(/\n$/, '').split('\n');
  if (tailLines !== undefined) lines = tailLines === 0 ? [] : lines.slice(-tailLines);
  if (sinceSeconds !== undefined && sinceSeconds <= 0) lines = [];
  const whole = lines.map((line) => `${timestamps ? `${startedAt} ` : ''}${line}\n`).join('');
  return limitBytes === undefined ? whole : Buffer.from(whole).subarray(0, limitBytes).toString('utf8');
}

function startOf(status: unknown): string {
  const running = getString(status, 'state', 'running', 'startedAt');
  const ended = getString(status, 'state', 'terminated', 'startedAt');
  return running ?? ended ?? getString(status, 'lastState', 'terminated', 'startedAt') ?? '';
}

function statusOf(pod: ApiObject, container: string): unknown {
  const all = [...getArray(pod, 'status', 'containerStatuses'), ...getArray(pod, 'status', 'initContainerStatuses')];
  return all.find((status) => getString(status, 'name') === container);
}

function hasContainer(pod: ApiObject, container: string): boolean {
  const specs = [...getArray(pod, 'spec', 'containers'), ...getArray(pod, 'spec', 'initContainers')];
  return specs.some((spec) => getString(spec, 'name') === container);
}

function badRequest(message: string): ApiError {
  return new ApiError(400, 'BadRequest', message);
}
