import { type Entropy, timestamp } from '#base/clock.ts';
import { getArray, getNumber, getPath, getString, isObject, jsonEqual } from '#base/json.ts';
import type { Outcome } from '#base/outcome.ts';
import { type ContainerRun, planPod, recoveredRun } from '../agent/container-state.ts';
import { type ContainerSpec, type PodSpec, readPodSpec } from '../agent/pod-spec.ts';
import { podStatus } from '../agent/pod-status.ts';
import type { ApiObject, ApiServer } from '../api/port.ts';
import { parseTime } from '../controllers/condition.ts';
import type { EventInput, EventRecorder } from '../controllers/event-recorder.ts';
import { deleteIfPresent } from '../controllers/loop.ts';
import { SimulatedContainer } from './container.ts';
import { type ImageFault, readKnobs } from './knobs.ts';
import { missingReference } from './reference.ts';
import type { SimulatorTiming } from './timing.ts';

export interface SimulatedPodDeps {
  api: ApiServer;
  now(): number;
  entropy: Entropy;
  events: EventRecorder;
  timing: SimulatorTiming;
  imageFaults: readonly ImageFault[];
}

/** Where the pod is. */
export interface Place {
  podIp: string;
  hostIp: string;
  /** Images of the node, shared by its pods. */
  images: Set<string>;
}

const component = 'kubelet';

/** One pod on a simulated node, from its first tick until its object is gone. */
export class SimulatedPod {
  readonly uid: string;
  readonly place: Place;
  readonly #deps: SimulatedPodDeps;
  readonly #spec: PodSpec;
  readonly #startedAt: number;
  readonly #logs = new Map<string, string>();
  readonly #init: SimulatedContainer[];
  readonly #containers: SimulatedContainer[];
  #pod: ApiObject;
  #failed: { reason: string; message: string } | undefined;
  /** From the deletion on: when its containers have ended. */
  #stopsAt: number | undefined;

  constructor(deps: SimulatedPodDeps, pod: ApiObject, place: Place) {
    this.#deps = deps;
    this.#pod = pod;
    this.place = place;
    this.uid = pod.metadata.uid ?? '';
    this.#spec = readPodSpec(pod);
    this.#startedAt = parseTime(getString(pod, 'status', 'startTime')) ?? deps.now();
    this.#init = this.#spec.initContainers.map((spec) => this.#container(spec, true));
    this.#containers = this.#spec.containers.map((spec) => this.#container(spec, false));
  }

  /** What a container is said to print; undefined when nothing was said. */
  logOf(container: string): string | undefined {
    return this.#logs.get(container);
  }

  /** Lets happen what is due, and makes the pod's status say so. */
  async tick(pod: ApiObject): Promise<Outcome> {
    this.#pod = pod;
    if (pod.metadata.deletionTimestamp !== undefined) return this.#delete(pod);
    const phase = getString(pod, 'status', 'phase');
    if (phase === 'Succeeded' || phase === 'Failed') return { kind: 'done' };
    const now = this.#deps.now();
    const deadline = this.#deadline(now);
    const wakeAt = this.#failed ? undefined : this.#advance(now);
    await this.#writeStatus(now);
    const times = [deadline, wakeAt].filter((time) => time !== undefined);
    if (times.length === 0 || this.#failed) return { kind: 'done' };
    return { kind: 'done', recheckAfterMs: Math.max(1, Math.ceil(Math.min(...times) - this.#deps.now())) };
  }

  #all(): SimulatedContainer[] {
    return [...this.#init, ...this.#containers];
  }

  /** Returns when the next thing is due. */
  #advance(now: number): number | undefined {
    const policy = this.#spec.restartPolicy;
    const all = this.#all();
    const runs = { policy, init: this.#init.map(({ run }) => run), containers: this.#containers.map(({ run }) => run) };
    for (const container of all) container.advance(now);
    const plan = planPod(runs, now);
    for (const name of plan.start) {
      const container = all.find((item) => item.run.spec.name === name);
      if (!container?.idle) continue;
      container.begin(now);
      container.advance(now);
    }
    const over = this.#containers.every(({ run }) => run.state.kind === 'terminated');
    if (over) for (const sidecar of this.#init) if (sidecar.running) sidecar.stop(now, false);
    const times = [...all.map((item) => item.nextAt(now)), ...all.map(({ run }) => waitOf(run, now))];
    const ahead = times.filter((time) => time !== undefined);
    // What has just made way for another (an init container that ended) starts it in the next tick.
    const next = planPod(runs, now).start.some((name) => all.find((item) => item.run.spec.name === name)?.idle);
    if (next) return now;
    return ahead.length > 0 ? Math.min(...ahead) : undefined;
  }

  #deadline(now: number): number | undefined {
    const { activeDeadlineSeconds } = this.#spec;
    if (activeDeadlineSeconds === undefined) return undefined;
    const at = this.#startedAt + activeDeadlineSeconds * 1000;
    if (at > now) return at;
    const message = 'Pod was active on the node longer than the specified deadline';
    this.#failed = { reason: 'DeadlineExceeded', message };
    for (const container of this.#all()) container.stop(now, true);
    return undefined;
  }

  async #delete(pod: ApiObject): Promise<Outcome> {
    const now = this.#deps.now();
    const graceMs = (getNumber(pod, 'metadata', 'deletionGracePeriodSeconds') ?? 30) * 1000;
    const phase = getString(pod, 'status', 'phase');
    const finished = phase === 'Succeeded' || phase === 'Failed';
    if (this.#stopsAt === undefined) {
      const running = finished ? [] : this.#all().filter((container) => container.running);
      for (const { run } of running)
        this.#event(run.spec.name, {
          type: 'Normal',
          reason: 'Killing',
          message: `Stopping container ${run.spec.name}`,
        });
      this.#stopsAt = now + Math.max(0, ...running.map((container) => container.stopMs(graceMs)));
    }
    // Asked again with less grace, it ends sooner.
    this.#stopsAt = Math.min(this.#stopsAt, now + graceMs);
    if (now < this.#stopsAt) return { kind: 'done', recheckAfterMs: Math.ceil(this.#stopsAt - now) };
    if (!finished) {
      for (const container of this.#all()) container.stop(now, container.stopMs(Number.POSITIVE_INFINITY) > graceMs);
      await this.#writeStatus(now);
    }
    await deleteIfPresent(this.#deps.api, 'pods', pod, { gracePeriodSeconds: 0 });
    return { kind: 'done' };
  }

  async #writeStatus(now: number): Promise<void> {
    const { api } = this.#deps;
    const { namespace, name } = this.#pod.metadata;
    const stored = api.get('pods', namespace, name);
    if (!stored || stored.metadata.uid !== this.uid) return;
    const status = podStatus({
      pod: stored,
      policy: this.#spec.restartPolicy,
      init: this.#init.map(({ run }) => run),
      containers: this.#containers.map(({ run }) => run),
      podIp: this.place.podIp,
      hostIp: this.place.hostIp,
      now,
      failed: this.#failed,
      sandbox: this.#hasSandbox(getString(stored, 'status', 'startTime') !== undefined),
    });
    if (!jsonEqual(stored['status'] ?? {}, status)) await api.updateStatus({ ...stored, status }, component);
  }

  /** It comes before the images, and after the first that is told of the pod. */
  #hasSandbox(known: boolean): boolean {
    return this.#all().some(({ run: { state, last } }) => {
      if (state.kind !== 'waiting' || last !== undefined) return true;
      return known && state.reason !== 'ContainerCreating';
    });
  }

  #event(container: string, event: Omit<EventInput, 'fieldPath'>): void {
    const init = this.#spec.initContainers.some(({ name }) => name === container);
    const fieldPath = `spec.${init ? 'initContainers' : 'containers'}{${container}}`;
    this.#deps.events.record(component, this.#pod, { ...event, fieldPath });
  }

  #container(spec: ContainerSpec, init: boolean): SimulatedContainer {
    const { timing, entropy, imageFaults } = this.#deps;
    const { namespace, name, annotations = {} } = this.#pod.metadata;
    const policy = this.#spec.restartPolicy;
    const { knobs, problems } = readKnobs(spec, annotations, imageFaults);
    for (const problem of problems)
      this.#event(spec.name, { type: 'Warning', reason: 'InvalidSimulatorKnob', message: problem });
    if (knobs.log !== undefined) this.#logs.set(spec.name, knobs.log);
    const statuses = getArray(this.#pod, 'status', init ? 'initContainerStatuses' : 'containerStatuses');
    const status = statuses.find((item) => getString(item, 'name') === spec.name);
    return new SimulatedContainer(resumedRun(spec, status, { policy, now: timestamp(this.#deps.now()), init }), {
      init,
      policy,
      pod: `${name}_${namespace}(${this.uid})`,
      podStartedAt: this.#startedAt,
      knobs,
      timing,
      images: this.place.images,
      containerId: () => `simulated://${entropy.bytes(32).toString('hex')}`,
      jitter: () => 0.75 + entropy.fraction() / 2,
      missing: () =>
        missingReference(this.#pod, spec.name, (kind, found) =>
          this.#deps.api.get(kind === 'Secret' ? 'secrets' : 'configmaps', namespace, found),
        ),
      event: (event) => this.#event(spec.name, event),
    });
  }
}

function waitOf(run: ContainerRun, now: number): number | undefined {
  return run.state.kind === 'waiting' && run.startAfter !== undefined && run.startAfter > now
    ? run.startAfter
    : undefined;
}

/** As an earlier simulator left it: what ran runs on. */
function resumedRun(
  spec: ContainerSpec,
  status: unknown,
  context: { policy: PodSpec['restartPolicy']; now: string; init: boolean },
): ContainerRun {
  const startedAt = getString(status, 'state', 'running', 'startedAt');
  if (startedAt === undefined || !isObject(status)) return recoveredRun(spec, status, context);
  const run = recoveredRun(spec, { ...status, state: {} }, context);
  run.state = { kind: 'running', startedAt, containerId: getString(status, 'containerID') ?? '' };
  run.started = getPath(status, 'started') === true;
  run.ready = getPath(status, 'ready') === true;
  return run;
}
