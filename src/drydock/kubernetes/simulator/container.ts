import { timestamp } from '#base/clock.ts';
import { type ContainerRun, restartDelayMs, restarts, type Terminated } from '../agent/container-state.ts';
import type { RestartPolicy } from '../agent/pod-spec.ts';
import type { Knobs } from './knobs.ts';
import type { MissingReference } from './reference.ts';
import type { SimulatorTiming } from './timing.ts';

export interface ContainerContext {
  init: boolean;
  policy: RestartPolicy;
  /** As messages name the pod: `name_namespace(uid)`. */
  pod: string;
  /** Epoch milliseconds; what pull failures are counted from. */
  podStartedAt: number;
  knobs: Knobs;
  timing: SimulatorTiming;
  /** Images that the node has; the container's own is put there by its pull. */
  images: Set<string>;
  containerId(): string;
  /** 0.75 to 1.25, to spread what would else happen at one moment. */
  jitter(): number;
  /** What the container refers to and is not there. */
  missing(): MissingReference | undefined;
  event(event: { type: 'Normal' | 'Warning'; reason: string; message: string }): void;
}

type Step =
  | { kind: 'idle' }
  | { kind: 'pulling'; since: number; until: number }
  | { kind: 'creating'; until: number }
  | { kind: 'running'; since: number; containerId: string };

const missingRetryMs = 2_000;

/** One container as time passes: `begin` starts it, `advance` lets happen what is due, `nextAt` says when that is next. */
export class SimulatedContainer {
  readonly run: ContainerRun;
  readonly #context: ContainerContext;
  #step: Step = { kind: 'idle' };
  #pullFailures = 0;
  /** When a failed pull turns to backing off. */
  #backOffShownAt: number | undefined;

  constructor(run: ContainerRun, context: ContainerContext) {
    this.run = run;
    this.#context = context;
    if (run.state.kind !== 'running') return;
    this.#step = { kind: 'running', since: Date.parse(run.state.startedAt), containerId: run.state.containerId };
  }

  get idle(): boolean {
    return this.#step.kind === 'idle';
  }

  get running(): boolean {
    return this.#step.kind === 'running';
  }

  /** The pull, and with it the way to a running container, begins. */
  begin(now: number): void {
    const { run } = this;
    const { knobs, images, missing } = this.#context;
    const { image, pullPolicy } = run.spec;
    const lacking = missing();
    if (lacking) {
      this.#refuse(lacking, now);
      return;
    }
    run.startAfter = undefined;
    if (now < this.#context.podStartedAt + this.#ms(knobs.pullFailsForMs)) {
      this.#event('Normal', 'Pulling', `Pulling image "${image}"`);
      this.#pullFailed(now);
      return;
    }
    const there = images.has(image);
    if (there && pullPolicy !== 'Always') {
      this.#event('Normal', 'Pulled', `Container image "${image}" already present on machine`);
      this.#step = { kind: 'creating', until: now + this.#createMs() };
      return;
    }
    this.#event('Normal', 'Pulling', `Pulling image "${image}"`);
    this.#step = { kind: 'pulling', since: now, until: now + (there ? 0 : this.#lasting(this.#context.timing.pullMs)) };
  }

  advance(now: number): void {
    if (this.#backOffShownAt !== undefined && this.#backOffShownAt <= now) this.#showBackOff();
    if (this.#step.kind === 'pulling' && this.#step.until <= now) this.#pulled(this.#step);
    if (this.#step.kind === 'creating' && this.#step.until <= now) this.#start(this.#step.until, now);
    if (this.#step.kind !== 'running') return;
    const end = this.#plannedEnd(this.#step.since);
    if (end && end.at <= now) this.#end(end, now);
    else this.#judge(this.#step.since, now);
  }

  /** Epoch milliseconds of the next thing that happens by itself. */
  nextAt(now: number): number | undefined {
    const times = [this.#backOffShownAt];
    if (this.#step.kind === 'pulling' || this.#step.kind === 'creating') times.push(this.#step.until);
    if (this.#step.kind === 'running') {
      const { since } = this.#step;
      times.push(this.#plannedEnd(since)?.at, ...this.#turns().map((ms) => since + ms));
    }
    const ahead = times.filter((time) => time !== undefined && time > now && Number.isFinite(time));
    return ahead.length > 0 ? Math.min(...ahead.map(Number)) : undefined;
  }

  /** How long it takes to end on SIGTERM; never more than `graceMs`. */
  stopMs(graceMs: number): number {
    if (!this.running) return 0;
    return Math.min(graceMs, this.#ms(this.#context.knobs.stopTakesMs + this.#context.timing.stopMs));
  }

  /** Ended from outside; nothing starts again. */
  stop(now: number, killed: boolean): void {
    const step = this.#step;
    this.#step = { kind: 'idle' };
    this.#backOffShownAt = undefined;
    this.run.ready = false;
    this.run.started = false;
    if (step.kind !== 'running') return;
    const exit = killed ? { exitCode: 137, reason: 'Error' } : { exitCode: 0, reason: 'Completed' };
    this.run.state = { ...this.#ended(step, now), ...exit };
  }

  #pulled(step: { since: number; until: number }): void {
    const { image } = this.run.spec;
    const tookMs = Math.round(step.until - step.since);
    const size = 20_000_000 + image.length * 65_536;
    const message = `Successfully pulled image "${image}" in ${tookMs}ms (${tookMs}ms including waiting). Image size: ${size} bytes.`;
    this.#event('Normal', 'Pulled', message);
    this.#context.images.add(image);
    this.#pullFailures = 0;
    this.#step = { kind: 'creating', until: step.until + this.#createMs() };
  }

  #pullFailed(now: number): void {
    const { run } = this;
    const { timing } = this.#context;
    const { image } = run.spec;
    this.#pullFailures += 1;
    const delayMs = Math.min(timing.pull.maxMs, timing.pull.firstMs * 2 ** Math.min(this.#pullFailures - 1, 20));
    const message = pullError(image);
    this.#event('Warning', 'Failed', `Failed to pull image "${image}": ${message}`);
    this.#event('Warning', 'Failed', 'Error: ErrImagePull');
    run.state = { kind: 'waiting', reason: 'ErrImagePull', message };
    run.startAfter = now + this.#ms(delayMs);
    this.#backOffShownAt = now + this.#ms(Math.min(timing.pullErrorShownMs, delayMs / 2));
  }

  #showBackOff(): void {
    const { run } = this;
    const { image } = run.spec;
    this.#backOffShownAt = undefined;
    const message = `Back-off pulling image "${image}": ErrImagePull: ${pullError(image)}`;
    run.state = { kind: 'waiting', reason: 'ImagePullBackOff', message };
    this.#event('Normal', 'BackOff', `Back-off pulling image "${image}"`);
    this.#event('Warning', 'Failed', 'Error: ImagePullBackOff');
  }

  #refuse(lacking: MissingReference, now: number): void {
    const { run } = this;
    run.startAfter = now + this.#ms(missingRetryMs);
    if (lacking.kind === 'volume') {
      this.#event('Warning', 'FailedMount', lacking.message);
      run.state = { kind: 'waiting', reason: 'ContainerCreating' };
      return;
    }
    this.#event('Warning', 'Failed', `Error: ${lacking.message}`);
    run.state = { kind: 'waiting', reason: 'CreateContainerConfigError', message: lacking.message };
  }

  #start(at: number, now: number): void {
    const { run } = this;
    const containerId = this.#context.containerId();
    // Timers come a little late; what they start is not older than the pod's own beginning.
    const since = Math.min(at, now);
    this.#step = { kind: 'running', since, containerId };
    run.state = { kind: 'running', startedAt: timestamp(since), containerId };
    run.imageId = imageIdOf(run.spec.image);
    run.started = false;
    run.ready = false;
    this.#event('Normal', 'Created', `Created container: ${run.spec.name}`);
    this.#event('Normal', 'Started', `Started container ${run.spec.name}`);
  }

  /** When, after the start, its probes' verdicts may change. */
  #turns(): number[] {
    const { knobs } = this.#context;
    const { startup, readiness } = this.run.spec.probes;
    const startedMs = this.#ms(startup?.initialDelayMs ?? 0);
    const readyMs = Math.max(startedMs, this.#ms(Math.max(readiness?.initialDelayMs ?? 0, knobs.readyAfterMs)));
    const from = this.#ms(knobs.unreadyFromMs ?? Number.POSITIVE_INFINITY);
    return [startedMs, readyMs, from, from + this.#ms(knobs.unreadyForMs)];
  }

  #judge(since: number, now: number): void {
    const { run } = this;
    const [startedMs = 0, readyMs = 0, from = 0, until = 0] = this.#turns();
    const age = now - since;
    const wasReady = run.ready;
    const wasStarted = run.started;
    run.started = age >= startedMs;
    const fails = this.#context.knobs.neverReady || (age >= from && age < until);
    run.ready = age >= readyMs && !fails;
    if (fails && (wasReady || !wasStarted))
      this.#event('Warning', 'Unhealthy', 'Readiness probe failed: HTTP probe failed with statuscode: 503');
  }

  #plannedEnd(since: number): { at: number; exitCode: number; reason: string } | undefined {
    const { knobs, init, policy, timing } = this.#context;
    const { run } = this;
    if (run.restartCount < knobs.crashes) {
      if (knobs.oomAfterMs !== undefined)
        return { at: since + this.#ms(knobs.oomAfterMs), exitCode: 137, reason: 'OOMKilled' };
      if (knobs.crashAfterMs !== undefined)
        return { at: since + this.#ms(knobs.crashAfterMs), exitCode: knobs.exitCode ?? 1, reason: 'Error' };
    }
    const ends = init ? !run.spec.sidecar : policy !== 'Always';
    if (!ends && knobs.runsForMs === undefined) return undefined;
    const exitCode = run.restartCount < knobs.crashes ? (knobs.exitCode ?? 0) : 0;
    const lastsMs = knobs.runsForMs ?? (init ? timing.initMs : timing.jobMs);
    return { at: since + this.#ms(lastsMs), exitCode, reason: exitCode === 0 ? 'Completed' : 'Error' };
  }

  #end({ exitCode, reason }: { exitCode: number; reason: string }, now: number): void {
    const step = this.#step;
    if (step.kind !== 'running') return;
    const { run } = this;
    const { init, policy, timing, pod } = this.#context;
    const ended: Terminated = { ...this.#ended(step, now), exitCode, reason };
    this.#step = { kind: 'idle' };
    run.ready = init && exitCode === 0;
    run.started = false;
    if (!restarts(ended, run.spec, { policy, init })) {
      run.state = ended;
      return;
    }
    run.exits = now - step.since >= this.#ms(timing.stableRunMs) ? 1 : run.exits + 1;
    run.last = ended;
    run.restartCount += 1;
    const delayMs = restartDelayMs(run.exits, timing.restart);
    run.startAfter = now + this.#ms(delayMs);
    if (delayMs === 0) {
      run.state = { kind: 'waiting', reason: 'ContainerCreating' };
      return;
    }
    const message = `back-off ${goDuration(delayMs)} restarting failed container=${run.spec.name} pod=${pod}`;
    run.state = { kind: 'waiting', reason: 'CrashLoopBackOff', message };
    this.#event('Warning', 'BackOff', `Back-off restarting failed container ${run.spec.name} in pod ${pod}`);
  }

  #ended(step: { since: number; containerId: string }, now: number): Omit<Terminated, 'exitCode' | 'reason'> {
    return {
      kind: 'terminated',
      startedAt: timestamp(step.since),
      finishedAt: timestamp(now),
      containerId: step.containerId,
    };
  }

  #createMs(): number {
    return this.#lasting(this.#context.timing.createMs) + this.#ms(this.#context.knobs.startTakesMs);
  }

  #lasting(ms: number): number {
    return this.#ms(ms) * this.#context.jitter();
  }

  #ms(ms: number): number {
    return ms / this.#context.timing.speed;
  }

  #event(type: 'Normal' | 'Warning', reason: string, message: string): void {
    this.#context.event({ type, reason, message });
  }
}

/** As containerd words it for a repository or tag that is not there. */
function pullError(image: string): string {
  const full = qualified(image);
  return `failed to pull and unpack image "${full}": failed to resolve reference "${full}": ${full}: not found`;
}

function qualified(image: string): string {
  const [first = '', ...rest] = image.split('/');
  const hasHost = rest.length > 0 && (/[.:]/.test(first) || first === 'localhost');
  const named = hasHost ? image : `docker.io/${rest.length > 0 ? image : `library/${image}`}`;
  return /[:@][^/]*$/.test(named) ? named : `${named}:latest`;
}

function imageIdOf(image: string): string {
  return image.includes('@') ? image : `simulated://${image}`;
}

/** As Go prints whole seconds: `10s`, `2m40s`, `5m0s`. */
function goDuration(ms: number): string {
  const seconds = Math.round(ms / 1000);
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${seconds % 60}s`;
}
