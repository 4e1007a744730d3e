import { abortable } from '#base/abortable.ts';
import type { Clock } from '#base/clock.ts';
import { AppError, isAppError, messageOf, throwIfAborted } from '#base/errors.ts';
import type { KubeClient } from '#kube/port.ts';

/** What is known of the way to a cluster, as faces show it. */
export interface ClusterState {
  status: 'Unknown' | 'Successful' | 'Failed';
  message: string;
  /** Of the last attempt, in milliseconds. */
  attemptedAt: number | undefined;
  /** As the server says it, e.g. `v1.33.2`; of the last attempt that worked. */
  serverVersion: string | undefined;
}

export interface ClusterReachDeps {
  kube: Pick<KubeClient, 'version' | 'server'>;
  name: string;
  clock: Clock;
  /** The cluster can be reached again, or cannot any more. */
  changed: () => void;
}

/** Nothing is wrong yet: the cluster is being asked for the first time. */
export class StillConnecting extends AppError {}

const goodEveryMs = 30_000;
const badEveryMs = 2000;
const longestPauseMs = 30_000;
const probeTimeoutMs = 10_000;
const patienceMs = 3000;

/** Asks a cluster now and then whether it is there, so that those that need it fail at once while it is not. */
export class ClusterReach {
  readonly #deps: ClusterReachDeps;
  readonly #life = new AbortController();
  readonly #ended: Promise<void>;
  readonly #first = Promise.withResolvers<void>();
  #state: ClusterState = { status: 'Unknown', message: '', attemptedAt: undefined, serverVersion: undefined };
  #error: unknown;
  #wake: (() => void) | undefined;

  constructor(deps: ClusterReachDeps) {
    this.#deps = deps;
    this.#ended = this.#run();
  }

  get state(): ClusterState {
    return this.#state;
  }

  /** Resolves while the cluster answers; throws what it failed with while it does not. */
  async require(signal: AbortSignal): Promise<void> {
    if (this.#state.status === 'Unknown') {
      const patience = AbortSignal.any([signal, AbortSignal.timeout(patienceMs)]);
      await abortable(this.#first.promise, patience).catch(() => undefined);
      throwIfAborted(signal);
    }
    if (this.#state.status === 'Successful') return;
    const what = `cluster "${this.#deps.name}" (${this.#deps.kube.server})`;
    if (this.#state.status === 'Unknown') throw new StillConnecting('unavailable', `${what} is being connected to`);
    const hint = isAppError(this.#error) ? this.#error.hint : undefined;
    const code = isAppError(this.#error) ? this.#error.code : 'unavailable';
    throw new AppError(code, `${what} cannot be used: ${this.#state.message}`, { hint, cause: this.#error });
  }

  /** Somebody failed to reach it: it is asked now. */
  suspect(): void {
    this.#wake?.();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#life.abort(new AppError('canceled', `cluster "${this.#deps.name}" was closed`));
    await this.#ended;
  }

  async #run(): Promise<void> {
    const { signal } = this.#life;
    let failures = 0;
    while (!signal.aborted) {
      await this.#probe(signal);
      if (signal.aborted) break;
      failures = this.#state.status === 'Failed' ? failures + 1 : 0;
      const pauseMs = failures > 0 ? Math.min(longestPauseMs, badEveryMs * 2 ** (failures - 1)) : goodEveryMs;
      await this.#pause(pauseMs, signal);
    }
    this.#first.resolve();
  }

  async #probe(signal: AbortSignal): Promise<void> {
    const before = this.#state.status;
    const attemptedAt = this.#deps.clock.now();
    try {
      const limited = AbortSignal.any([signal, AbortSignal.timeout(probeTimeoutMs)]);
      const { gitVersion } = await this.#deps.kube.version(limited);
      this.#state = { status: 'Successful', message: '', attemptedAt, serverVersion: gitVersion };
      this.#error = undefined;
    } catch (error) {
      if (signal.aborted) return;
      const slow = isAppError(error, 'canceled');
      const message = slow ? `no answer within ${probeTimeoutMs / 1000} s` : messageOf(error);
      this.#state = { ...this.#state, status: 'Failed', message, attemptedAt };
      this.#error = slow ? undefined : error;
    }
    this.#first.resolve();
    if (this.#state.status !== before) this.#deps.changed();
  }

  async #pause(ms: number, signal: AbortSignal): Promise<void> {
    const woken = new AbortController();
    this.#wake = () => woken.abort();
    try {
      await this.#deps.clock.sleep(ms, AbortSignal.any([signal, woken.signal]));
    } catch (error) {
      if (!signal.aborted && !woken.signal.aborted) throw error;
    } finally {
      this.#wake = undefined;
    }
  }
}
