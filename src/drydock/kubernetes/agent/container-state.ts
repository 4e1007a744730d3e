import { getNumber, getPath, getString, isObject } from '#base/json.ts';
import type { ContainerSpec, RestartPolicy } from './pod-spec.ts';

export interface Terminated {
  kind: 'terminated';
  exitCode: number;
  signal?: number;
  reason: string;
  message?: string;
  startedAt: string;
  finishedAt: string;
  containerId?: string;
}

export type ContainerState =
  | { kind: 'waiting'; reason: string; message?: string }
  | { kind: 'running'; startedAt: string; containerId: string }
  | Terminated;

/** One container of a pod as the agent knows it; all that its status shows. */
export interface ContainerRun {
  spec: ContainerSpec;
  state: ContainerState;
  last: Terminated | undefined;
  restartCount: number;
  /** Epoch milliseconds before which it is not started again. */
  startAfter: number | undefined;
  imageId: string | undefined;
  started: boolean;
  ready: boolean;
  /** Exits in a row without a long run between: what the back-off counts. */
  exits: number;
}

export function newRun(spec: ContainerSpec): ContainerRun {
  return {
    spec,
    state: { kind: 'waiting', reason: 'ContainerCreating' },
    last: undefined,
    restartCount: 0,
    startAfter: undefined,
    imageId: undefined,
    started: false,
    ready: false,
    exits: 0,
  };
}

/**
 * A run as an earlier run of the agent left it in the pod's status. Its process is gone: what was running counts as
 * killed, and starts again when the policy allows.
 */
export function recoveredRun(
  spec: ContainerSpec,
  status: unknown,
  context: { policy: RestartPolicy; now: string; init: boolean },
): ContainerRun {
  const run = newRun(spec);
  if (!isObject(status)) return run;
  run.restartCount = getNumber(status, 'restartCount') ?? 0;
  run.imageId = getString(status, 'imageID') || undefined;
  run.last = readTerminated(getPath(status, 'lastState', 'terminated'));
  const terminated = readTerminated(getPath(status, 'state', 'terminated'));
  const startedAt = getString(status, 'state', 'running', 'startedAt');
  const ended: Terminated | undefined =
    startedAt === undefined
      ? terminated
      : {
          kind: 'terminated',
          exitCode: 137,
          signal: 9,
          reason: 'Error',
          message: 'The node was restarted while this container ran.',
          startedAt,
          finishedAt: context.now,
          ...idOf(getString(status, 'containerID')),
        };
  if (!ended) return run;
  if (restarts(ended, spec, context)) {
    run.last = ended;
    run.restartCount += 1;
  } else {
    run.state = ended;
    run.ready = context.init && ended.exitCode === 0;
  }
  return run;
}

/** Whether a container that ended so is started again. */
export function restarts(
  ended: Terminated,
  spec: ContainerSpec,
  context: { policy: RestartPolicy; init: boolean },
): boolean {
  if (context.init) return spec.sidecar || (ended.exitCode !== 0 && context.policy !== 'Never');
  return context.policy === 'Always' || (context.policy === 'OnFailure' && ended.exitCode !== 0);
}

function readTerminated(value: unknown): Terminated | undefined {
  if (!isObject(value)) return undefined;
  const message = getString(value, 'message');
  const signal = getNumber(value, 'signal');
  return {
    kind: 'terminated',
    exitCode: getNumber(value, 'exitCode') ?? 0,
    ...(signal === undefined ? {} : { signal }),
    reason: getString(value, 'reason') ?? 'Error',
    ...(message === undefined ? {} : { message }),
    startedAt: getString(value, 'startedAt') ?? '',
    finishedAt: getString(value, 'finishedAt') ?? '',
    ...idOf(getString(value, 'containerID')),
  };
}

function idOf(containerId: string | undefined): { containerId?: string } {
  return containerId === undefined ? {} : { containerId };
}

export interface PodPlan {
  /** Names of containers to start now, in this order. */
  start: string[];
  /** When the next one is due. */
  wakeAt: number | undefined;
  /** True when init containers have all done their part. */
  initialized: boolean;
}

/** What runs next: init containers one after the other, then all others. */
export function planPod(
  pod: { policy: RestartPolicy; init: readonly ContainerRun[]; containers: readonly ContainerRun[] },
  now: number,
): PodPlan {
  const plan: PodPlan = { start: [], wakeAt: undefined, initialized: false };
  const consider = (run: ContainerRun): void => {
    if (run.state.kind !== 'waiting') return;
    if (run.startAfter === undefined || run.startAfter <= now) plan.start.push(run.spec.name);
    else plan.wakeAt = Math.min(plan.wakeAt ?? run.startAfter, run.startAfter);
  };
  for (const run of pod.init) {
    if (run.state.kind === 'terminated' && run.state.exitCode === 0 && !run.spec.sidecar) continue;
    consider(run);
    if (run.spec.sidecar && run.state.kind === 'running' && run.started) continue;
    return plan;
  }
  plan.initialized = true;
  for (const run of pod.containers) consider(run);
  return plan;
}

export interface BackoffLimits {
  firstMs: number;
  maxMs: number;
}

/** The wait before restart number `restart` (from 1): none for the first, then 10 s doubled up to five minutes. */
export function restartDelayMs(restart: number, limits: BackoffLimits): number {
  return restart <= 1 ? 0 : Math.min(limits.maxMs, limits.firstMs * 2 ** Math.min(restart - 2, 20));
}
