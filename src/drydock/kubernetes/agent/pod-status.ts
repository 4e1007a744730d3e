import { timestamp } from '#base/clock.ts';
import { isObject, type JsonObject } from '#base/json.ts';
import type { ApiObject } from '../api/port.ts';
import { type Condition, parseConditions } from '../controllers/condition.ts';
import type { ContainerRun, ContainerState } from './container-state.ts';
import type { RestartPolicy } from './pod-spec.ts';

export interface PodStatusInput {
  pod: ApiObject;
  policy: RestartPolicy;
  init: readonly ContainerRun[];
  containers: readonly ContainerRun[];
  podIp: string;
  hostIp: string;
  now: number;
  /** Ends the pod whatever its containers say. */
  failed: { reason: string; message: string } | undefined;
  /** Before it has one, a pod has no address and cannot start containers. */
  sandbox?: boolean;
}

/** The whole status, from what the agent knows; conditions of others and times that still hold are kept. */
export function podStatus(input: PodStatusInput): JsonObject {
  const { pod, podIp, hostIp, init, containers, now, failed } = input;
  const before = isObject(pod['status']) ? pod['status'] : {};
  const initialized = isInitialized(init);
  const phase = failed ? 'Failed' : podPhaseOf(input, initialized);
  return {
    phase,
    conditions: podConditions(input, { phase, initialized }),
    ...(failed ? { reason: failed.reason, message: failed.message } : {}),
    hostIP: hostIp,
    hostIPs: [{ ip: hostIp }],
    ...(input.sandbox === false ? {} : { podIP: podIp, podIPs: [{ ip: podIp }] }),
    startTime: before['startTime'] ?? timestamp(now),
    ...(init.length > 0 ? { initContainerStatuses: init.map((run) => containerStatus(run, true)) } : {}),
    containerStatuses: containers.map((run) => containerStatus(run, initialized)),
    ...(before['qosClass'] === undefined ? {} : { qosClass: before['qosClass'] }),
    ...(before['observedGeneration'] === undefined ? {} : { observedGeneration: before['observedGeneration'] }),
  };
}

function isInitialized(init: readonly ContainerRun[]): boolean {
  return init.every(isInitDone);
}

/** A sidecar is only ever terminated when the pod's own work is over. */
function isInitDone(run: ContainerRun): boolean {
  if (run.spec.sidecar) return run.started || run.state.kind === 'terminated';
  return run.state.kind === 'terminated' && run.state.exitCode === 0;
}

function podPhaseOf(input: PodStatusInput, initialized: boolean): string {
  const { policy, init, containers } = input;
  const initFailed = init.some(
    (run) => run.state.kind === 'terminated' && run.state.exitCode !== 0 && policy === 'Never' && !run.spec.sidecar,
  );
  if (initFailed) return 'Failed';
  if (!initialized) return 'Pending';
  if (containers.some((run) => run.state.kind === 'waiting' && !run.last)) return 'Pending';
  if (containers.some((run) => run.state.kind !== 'terminated')) return 'Running';
  if (policy === 'Always') return 'Running';
  const succeeded = containers.every((run) => run.state.kind === 'terminated' && run.state.exitCode === 0);
  if (succeeded) return 'Succeeded';
  return policy === 'Never' ? 'Failed' : 'Running';
}

function podConditions(
  input: PodStatusInput,
  derived: { phase: string; initialized: boolean },
): (Condition & { lastProbeTime: null })[] {
  const { pod, containers, init, now } = input;
  const finished = derived.phase === 'Succeeded' || derived.phase === 'Failed';
  const unready = containers.filter((run) => !run.ready).map((run) => run.spec.name);
  const incomplete = init.filter((run) => !isInitDone(run)).map((run) => run.spec.name);
  const readiness: Pick<Condition, 'status' | 'reason' | 'message'> = finished
    ? derived.phase === 'Succeeded'
      ? { status: 'False', reason: 'PodCompleted' }
      : { status: 'False', reason: 'PodFailed' }
    : unready.length === 0 && derived.initialized
      ? { status: 'True' }
      : {
          status: 'False',
          reason: 'ContainersNotReady',
          message: `containers with unready status: [${unready.join(' ')}]`,
        };
  const wanted: Pick<Condition, 'type' | 'status' | 'reason' | 'message'>[] = [
    { type: 'PodReadyToStartContainers', status: finished || input.sandbox === false ? 'False' : 'True' },
    derived.initialized
      ? {
          type: 'Initialized',
          status: 'True',
          ...(derived.phase === 'Succeeded' ? { reason: 'PodCompleted' } : {}),
        }
      : {
          type: 'Initialized',
          status: 'False',
          reason: 'ContainersNotInitialized',
          message: `containers with incomplete status: [${incomplete.join(' ')}]`,
        },
    { type: 'Ready', ...readiness },
    { type: 'ContainersReady', ...readiness },
  ];
  const before = parseConditions(pod['status']);
  const own = wanted.map((next) => {
    const current = before.find((condition) => condition.type === next.type);
    const same = current?.status === next.status && current.lastTransitionTime !== undefined;
    return {
      type: next.type,
      status: next.status,
      lastProbeTime: null,
      lastTransitionTime: same ? (current.lastTransitionTime ?? '') : timestamp(now),
      ...(next.reason === undefined ? {} : { reason: next.reason }),
      ...(next.message === undefined ? {} : { message: next.message }),
    };
  });
  const others = before
    .filter((condition) => !wanted.some((next) => next.type === condition.type))
    .map((condition) => ({ ...condition, lastProbeTime: null }));
  return [...own, ...others];
}

function containerStatus(run: ContainerRun, initialized: boolean): JsonObject {
  const { state, last, spec } = run;
  const waits = state.kind === 'waiting' && !initialized && state.reason === 'ContainerCreating';
  const shown: ContainerState = waits ? { kind: 'waiting', reason: 'PodInitializing' } : state;
  const id = state.kind === 'waiting' ? last?.containerId : state.containerId;
  return {
    name: spec.name,
    state: stateObject(shown),
    lastState: last ? stateObject(last) : {},
    ready: run.ready,
    restartCount: run.restartCount,
    image: spec.image,
    imageID: run.imageId ?? '',
    ...(id === undefined ? {} : { containerID: id }),
    started: run.started,
  };
}

function stateObject(state: ContainerState): JsonObject {
  switch (state.kind) {
    case 'waiting':
      return { waiting: { reason: state.reason, ...(state.message === undefined ? {} : { message: state.message }) } };
    case 'running':
      return { running: { startedAt: state.startedAt } };
    case 'terminated':
      return {
        terminated: {
          exitCode: state.exitCode,
          ...(state.signal === undefined ? {} : { signal: state.signal }),
          reason: state.reason,
          ...(state.message === undefined ? {} : { message: state.message }),
          startedAt: state.startedAt,
          finishedAt: state.finishedAt,
          ...(state.containerId === undefined ? {} : { containerID: state.containerId }),
        },
      };
  }
}
