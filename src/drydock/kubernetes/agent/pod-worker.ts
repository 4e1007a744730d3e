import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { timestamp } from '#base/clock.ts';
import { getArray, getString, jsonEqual } from '#base/json.ts';
import type { Outcome } from '#base/outcome.ts';
import type { ApiObject } from '../api/port.ts';
import { parseTime } from '../controllers/condition.ts';
import { deleteIfPresent } from '../controllers/loop.ts';
import { type AgentDeps, component } from './agent-deps.ts';
import { ContainerRunner } from './container-runner.ts';
import { deletionGraceMs } from './container-start.ts';
import { planPod, recoveredRun } from './container-state.ts';
import { type PodSpec, readPodSpec } from './pod-spec.ts';
import { podStatus } from './pod-status.ts';
import type { MeteredContainer } from './usage-meter.ts';

/** One pod on this node, from its first tick until its object is gone. */
export class PodWorker {
  readonly uid: string;
  readonly #deps: AgentDeps;
  readonly #spec: PodSpec;
  readonly #init: ContainerRunner[];
  readonly #containers: ContainerRunner[];
  readonly #podIp: string;
  readonly #starting = new AbortController();
  readonly #changed: () => void;
  #pod: ApiObject;
  #failed: { reason: string; message: string } | undefined;
  #stopped: Promise<void> | undefined;
  #allEnded = false;
  #killAt: number | undefined;

  constructor(deps: AgentDeps, pod: ApiObject, changed: () => void) {
    this.#deps = deps;
    this.#pod = pod;
    this.#changed = changed;
    this.uid = pod.metadata.uid ?? '';
    this.#spec = readPodSpec(pod);
    this.#podIp = deps.addresses.podIp(this.uid, getString(pod, 'status', 'podIP'));
    this.#init = this.#runners('initContainerStatuses', true);
    this.#containers = this.#runners('containerStatuses', false);
  }

  get podIp(): string {
    return this.#podIp;
  }

  /** The containers whose processes run now. */
  running(): MeteredContainer[] {
    const { namespace = '', name, labels = {} } = this.#pod.metadata;
    return this.#all().flatMap(({ run, processGroup }) =>
      processGroup === undefined ? [] : [{ namespace, pod: name, labels, container: run.spec.name, processGroup }],
    );
  }

  /** Makes the pod's processes and its status agree with its object. */
  async tick(pod: ApiObject): Promise<Outcome> {
    this.#pod = pod;
    if (pod.metadata.deletionTimestamp !== undefined) return this.#delete(pod);
    const phase = getString(pod, 'status', 'phase');
    if (phase === 'Succeeded' || phase === 'Failed') return { kind: 'done' };
    const deadlineInMs = await this.#checkDeadline(pod);
    for (;;) {
      const plan = this.#plan();
      await this.#writeStatus();
      if (plan.start.length === 0 || this.#failed) {
        const waits = [deadlineInMs, plan.wakeAt === undefined ? undefined : plan.wakeAt - this.#deps.clock.now()];
        const next = waits.filter((wait) => wait !== undefined);
        return next.length > 0 ? { kind: 'done', recheckAfterMs: Math.max(1, Math.min(...next)) } : { kind: 'done' };
      }
      for (const name of plan.start) {
        const runner = this.#all().find((candidate) => candidate.run.spec.name === name);
        await runner?.start(this.#starting.signal);
      }
      if (this.#starting.signal.aborted) return { kind: 'done' };
    }
  }

  /** Whatever is being pulled or prepared is given up; called as soon as the pod is being deleted. */
  abortStart(): void {
    this.#starting.abort();
  }

  /** Shows a changed ConfigMap or Secret in the volumes that hold it. */
  async refreshVolumes(source: ApiObject): Promise<void> {
    if (source.metadata.namespace !== this.#pod.metadata.namespace) return;
    // Names in the spec are few: a name that means something else costs one comparison of files.
    if (!JSON.stringify(this.#spec.volumes).includes(JSON.stringify(source.metadata.name))) return;
    for (const runner of this.#all()) await runner.refreshVolumes();
  }

  /** Ends all processes, leaves the object and the files alone. For the agent's own end. */
  async shutDown(graceMs: number): Promise<void> {
    this.#starting.abort();
    this.#stopped ??= this.#stopAll(graceMs);
    const abort = new AbortController();
    void this.#deps.clock.sleep(graceMs, abort.signal).then(
      () => this.#killAll(),
      () => undefined,
    );
    await this.#stopped;
    abort.abort();
  }

  /** The object is gone: so is everything else, at once. */
  async destroy(): Promise<void> {
    this.#starting.abort();
    this.#stopped ??= this.#stopAll(0);
    this.#killAll();
    await this.#stopped;
    for (const runner of this.#all()) runner.release();
    this.#deps.addresses.release(this.uid);
    this.#deps.logs.forget(this.uid);
    await rm(join(this.#deps.node.podsDir, this.uid), { recursive: true, force: true });
  }

  #all(): ContainerRunner[] {
    return [...this.#init, ...this.#containers];
  }

  #runners(statuses: string, init: boolean): ContainerRunner[] {
    const known = getArray(this.#pod, 'status', statuses);
    const now = timestamp(this.#deps.clock.now());
    const policy = this.#spec.restartPolicy;
    return (init ? this.#spec.initContainers : this.#spec.containers).map((spec) => {
      const status = known.find((item) => getString(item, 'name') === spec.name);
      return new ContainerRunner(this.#deps, recoveredRun(spec, status, { policy, now, init }), {
        uid: this.uid,
        podSpec: this.#spec,
        podIp: this.#podIp,
        init,
        pod: () => this.#pod,
        changed: this.#changed,
        stopping: () => this.#starting.signal.aborted,
      });
    });
  }

  #plan(): ReturnType<typeof planPod> {
    const policy = this.#spec.restartPolicy;
    const runs = { policy, init: this.#init.map((r) => r.run), containers: this.#containers.map((r) => r.run) };
    return planPod(runs, this.#deps.clock.now());
  }

  /** Milliseconds to the pod's own deadline, when it has one that lies ahead. */
  async #checkDeadline(pod: ApiObject): Promise<number | undefined> {
    const { activeDeadlineSeconds } = this.#spec;
    const startedAt = parseTime(getString(pod, 'status', 'startTime'));
    if (activeDeadlineSeconds === undefined || startedAt === undefined) return undefined;
    const left = startedAt + activeDeadlineSeconds * 1000 - this.#deps.clock.now();
    if (left > 0) return left;
    this.#failed = {
      reason: 'DeadlineExceeded',
      message: 'Pod was active on the node longer than the specified deadline',
    };
    this.#starting.abort();
    await this.#stopAll(this.#spec.graceSeconds * 1000);
    return undefined;
  }

  async #delete(pod: ApiObject): Promise<Outcome> {
    const now = this.#deps.clock.now();
    const graceMs = deletionGraceMs(pod);
    this.#killAt = Math.min(this.#killAt ?? Number.POSITIVE_INFINITY, now + graceMs);
    this.#starting.abort();
    if (!this.#stopped) {
      for (const { run, running } of this.#all())
        if (running)
          this.#deps.events.record(component, pod, {
            type: 'Normal',
            reason: 'Killing',
            message: `Stopping container ${run.spec.name}`,
          });
      this.#stopped = this.#drainAndStop(graceMs).then(() => {
        this.#allEnded = true;
        this.#changed();
      });
    }
    if (!this.#allEnded) {
      if (now >= this.#killAt) this.#killAll();
      return { kind: 'done', recheckAfterMs: Math.max(20, this.#killAt - now) };
    }
    await this.#writeStatus();
    await deleteIfPresent(this.#deps.api, 'pods', pod, { gracePeriodSeconds: 0 });
    return { kind: 'done' };
  }

  async #drainAndStop(graceMs: number): Promise<void> {
    await this.#deps.drain(this.#podIp, Math.min(graceMs / 2, this.#deps.node.timing.drainMs));
    await this.#stopAll(graceMs);
  }

  /** Ordinary containers first, sidecars after them. */
  async #stopAll(graceMs: number): Promise<void> {
    await Promise.all(this.#containers.map((runner) => runner.stop(graceMs)));
    await Promise.all(this.#init.map((runner) => runner.stop(graceMs)));
  }

  #killAll(): void {
    for (const runner of this.#all()) runner.kill();
  }

  async #writeStatus(): Promise<void> {
    const { api, clock, node } = this.#deps;
    const { namespace, name } = this.#pod.metadata;
    const stored = api.get('pods', namespace, name);
    if (!stored || stored.metadata.uid !== this.uid) return;
    const status = podStatus({
      pod: stored,
      policy: this.#spec.restartPolicy,
      init: this.#init.map((runner) => runner.run),
      containers: this.#containers.map((runner) => runner.run),
      podIp: this.#podIp,
      hostIp: node.hostIp,
      now: clock.now(),
      failed: this.#failed,
    });
    if (!jsonEqual(stored['status'] ?? {}, status)) await api.updateStatus({ ...stored, status }, component);
  }
}
