import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { timestamp } from '#base/clock.ts';
import { messageOf } from '#base/errors.ts';
import type { ApiObject } from '../api/port.ts';
import { type AgentDeps, component } from './agent-deps.ts';
import { execInContainer } from './container-exec.ts';
import { ContainerProcess, type ProcessExit } from './container-process.ts';
import {
  declaredPorts,
  type PreparedContainer,
  prepareContainer,
  pullSecrets,
  refreshVolumes,
  StartRefusal,
} from './container-start.ts';
import { type ContainerRun, restartDelayMs, restarts, type Terminated } from './container-state.ts';
import { imageId, type PulledImage } from './image.ts';
import { type PodSpec, readAction } from './pod-spec.ts';
import { type ProbeKind, type ProbeTarget, probeOnce } from './probe.ts';
import { startProber } from './prober.ts';

/** How long a failed pull shows as such before it shows as backing off. */
const pullErrorShownMs = 1000;

export interface RunnerContext {
  uid: string;
  podSpec: PodSpec;
  podIp: string;
  init: boolean;
  /** The newest pod object, for events and references. */
  pod(): ApiObject;
  /** Something changed that the pod's status shows. */
  changed(): void;
  /** The pod is being deleted: nothing starts again. */
  stopping(): boolean;
}

/** One container: its process, probes, log and port. Keeps `run` true to what happens. */
export class ContainerRunner {
  readonly run: ContainerRun;
  readonly #deps: AgentDeps;
  readonly #context: RunnerContext;
  #process: ContainerProcess | undefined;
  #prepared: PreparedContainer | undefined;
  #probers: AsyncDisposable[] = [];
  #port: number | undefined;
  #pullFailures = 0;
  #ended: Promise<void> = Promise.resolve();

  constructor(deps: AgentDeps, run: ContainerRun, context: RunnerContext) {
    this.#deps = deps;
    this.run = run;
    this.#context = context;
  }

  get running(): boolean {
    return this.#process !== undefined;
  }

  /** Of the running process; undefined when nothing runs. */
  get processGroup(): number | undefined {
    return this.#process?.pid;
  }

  /** Pulls, prepares and starts. A failure leaves the run waiting with its reason and the time of the next try. */
  async start(signal: AbortSignal): Promise<void> {
    const image = await this.#pull(signal);
    if (!image || signal.aborted) return;
    const { run } = this;
    const { podSpec, podIp, uid } = this.#context;
    run.imageId = imageId(run.spec.image, image.digest);
    try {
      this.#port ??= await this.#deps.addresses.takePort();
      const pod = this.#context.pod();
      const input = { pod, podSpec, container: run.spec, image, podIp, port: this.#port };
      this.#prepared = await prepareContainer(this.#deps, input);
    } catch (error) {
      this.#refuse(error);
      return;
    }
    if (signal.aborted) return;
    this.#bindPorts(image, this.#prepared.env);
    this.#spawn(this.#prepared, uid);
  }

  /** preStop, SIGTERM, and SIGKILL after `graceMs` in all; resolves when nothing of it runs. */
  async stop(graceMs: number): Promise<void> {
    const process = this.#process;
    if (!process) return;
    await this.#disposeProbers();
    const before = this.#deps.clock.now();
    const { preStop } = this.run.spec;
    if (preStop && graceMs > 0) await this.#preStop(preStop, graceMs);
    await process.stop(Math.max(0, graceMs - (this.#deps.clock.now() - before)));
    await this.#ended;
  }

  /** A ConfigMap or Secret changed that its volumes may show. One that is gone leaves the files as they were. */
  async refreshVolumes(): Promise<void> {
    const { run } = this;
    const prepared = this.#prepared;
    if (!this.#process || !prepared || run.spec.mounts.length === 0) return;
    const { podSpec, podIp } = this.#context;
    const input = {
      pod: this.#context.pod(),
      podSpec,
      container: run.spec,
      image: prepared.image,
      podIp,
      port: this.#port ?? 0,
    };
    try {
      await refreshVolumes(this.#deps, input);
    } catch (error) {
      this.#event('Warning', 'FailedMount', messageOf(error));
    }
  }

  kill(): void {
    this.#process?.kill();
  }

  /** Gives its port back. */
  release(): void {
    if (this.#port !== undefined) this.#deps.addresses.freePort(this.#port);
    this.#port = undefined;
  }

  async #pull(signal: AbortSignal): Promise<PulledImage | undefined> {
    const { run } = this;
    const { image, pullPolicy } = run.spec;
    const pod = this.#context.pod();
    const startedAt = this.#deps.clock.now();
    const secrets = pullSecrets(pod);
    this.#event('Normal', 'Pulling', `Pulling image "${image}"`);
    try {
      const options = {
        pullPolicy,
        ...(secrets.length > 0
          ? { imagePullSecrets: { namespace: pod.metadata.namespace ?? '', names: secrets } }
          : {}),
      };
      const pulled = await this.#deps.node.pullImage(image, options, signal);
      const tookMs = this.#deps.clock.now() - startedAt;
      this.#event('Normal', 'Pulled', `Successfully pulled image "${image}" in ${tookMs}ms`);
      this.#pullFailures = 0;
      return pulled;
    } catch (error) {
      if (signal.aborted) return undefined;
      this.#pullFailed(messageOf(error));
      return undefined;
    }
  }

  #pullFailed(why: string): void {
    const { run } = this;
    const { image } = run.spec;
    const { pull } = this.#deps.node.timing;
    this.#pullFailures += 1;
    const delayMs = Math.min(pull.maxMs, pull.firstMs * 2 ** Math.min(this.#pullFailures - 1, 20));
    run.startAfter = this.#deps.clock.now() + delayMs;
    this.#event('Warning', 'Failed', `Failed to pull image "${image}": ${why}`);
    this.#event('Warning', 'Failed', 'Error: ErrImagePull');
    const failed: ContainerRun['state'] = { kind: 'waiting', reason: 'ErrImagePull', message: why };
    run.state = failed;
    const backOff = (): void => {
      if (run.state !== failed || this.#context.stopping()) return;
      run.state = { kind: 'waiting', reason: 'ImagePullBackOff', message: `Back-off pulling image "${image}": ${why}` };
      this.#event('Normal', 'BackOff', `Back-off pulling image "${image}"`);
      this.#event('Warning', 'Failed', 'Error: ImagePullBackOff');
      this.#context.changed();
    };
    setTimeout(backOff, Math.min(pullErrorShownMs, delayMs / 2)).unref();
  }

  #refuse(error: unknown): void {
    const { run } = this;
    const { timing } = this.#deps.node;
    const now = this.#deps.clock.now();
    const message = messageOf(error);
    if (error instanceof StartRefusal && error.reason === 'FailedMount') {
      this.#event('Warning', 'FailedMount', message);
      run.state = { kind: 'waiting', reason: 'ContainerCreating' };
      run.startAfter = now + Math.min(1000, timing.restart.firstMs);
      return;
    }
    if (error instanceof StartRefusal && error.reason === 'CreateContainerConfigError') {
      this.#event('Warning', 'Failed', `Error: ${message}`);
      run.state = { kind: 'waiting', reason: 'CreateContainerConfigError', message };
      run.startAfter = now + Math.min(1000, timing.restart.firstMs);
      return;
    }
    this.#event('Warning', 'Failed', `Error: ${message}`);
    const at = timestamp(now);
    this.#finish(
      { kind: 'terminated', exitCode: 128, reason: 'StartError', message, startedAt: at, finishedAt: at },
      0,
    );
  }

  /** The first port is the one told by PORT; a container that listens elsewhere is reached by its own numbers. */
  #bindPorts(image: PulledImage, env: Record<string, string>): void {
    const { uid } = this.#context;
    const [first] = declaredPorts(this.run.spec, image);
    const told = Number(env['PORT']);
    this.#deps.addresses.bind(uid, first, Number.isInteger(told) && told > 0 ? told : (this.#port ?? 0));
  }

  #spawn(prepared: PreparedContainer, uid: string): void {
    const { run } = this;
    const { clock, logs, node, entropy } = this.#deps;
    const podDir = join(node.podsDir, uid);
    mkdirSync(podDir, { recursive: true, mode: 0o700 });
    const log = logs.open(uid, run.spec.name, run.restartCount);
    const startedMs = clock.now();
    const containerId = `process://${entropy.bytes(32).toString('hex')}`;
    const startedAt = timestamp(startedMs);
    const { file, args, cwd, env } = prepared;
    const pidFile = join(podDir, `${run.spec.name}.pid`);
    const process = new ContainerProcess({
      file,
      args,
      cwd,
      env,
      pidFile,
      output: (stream, chunk) => log.append(stream, chunk),
    });
    this.#process = process;
    run.state = { kind: 'running', startedAt, containerId };
    run.startAfter = undefined;
    run.started = run.spec.probes.startup === undefined;
    run.ready = run.started && run.spec.probes.readiness === undefined;
    this.#event('Normal', 'Created', `Created container: ${run.spec.name}`);
    this.#event('Normal', 'Started', `Started container ${run.spec.name}`);
    this.#ended = process.exited.then(async (exit) => {
      this.#process = undefined;
      await this.#disposeProbers();
      log.close();
      this.#exited(exit, { startedAt, startedMs, containerId });
    });
    this.#startProbers(run.started ? ['liveness', 'readiness'] : ['startup']);
  }

  #exited(exit: ProcessExit, begun: { startedAt: string; startedMs: number; containerId: string }): void {
    const now = this.#deps.clock.now();
    const failed = exit.startError ?? undefined;
    if (failed !== undefined) this.#event('Warning', 'Failed', `Error: ${failed}`);
    this.#finish(
      {
        kind: 'terminated',
        exitCode: exit.exitCode,
        ...(exit.signal === undefined ? {} : { signal: exit.signal }),
        reason: failed !== undefined ? 'StartError' : exit.exitCode === 0 ? 'Completed' : 'Error',
        ...(failed === undefined ? {} : { message: failed }),
        startedAt: begun.startedAt,
        finishedAt: timestamp(now),
        containerId: begun.containerId,
      },
      now - begun.startedMs,
    );
    this.#context.changed();
  }

  #finish(ended: Terminated, ranMs: number): void {
    const { run } = this;
    const { init, podSpec } = this.#context;
    run.ready = init && ended.exitCode === 0;
    run.started = false;
    if (this.#context.stopping() || !restarts(ended, run.spec, { policy: podSpec.restartPolicy, init })) {
      run.state = ended;
      return;
    }
    const { timing } = this.#deps.node;
    run.exits = ranMs >= timing.stableRunMs ? 1 : run.exits + 1;
    run.last = ended;
    run.restartCount += 1;
    const delayMs = restartDelayMs(run.exits, timing.restart);
    if (delayMs === 0) {
      run.state = { kind: 'waiting', reason: 'ContainerCreating' };
      run.startAfter = undefined;
      return;
    }
    const { namespace, name } = this.#context.pod().metadata;
    const subject = `container ${run.spec.name} in pod ${name}_${namespace}(${this.#context.uid})`;
    const message = `back-off ${delayMs / 1000}s restarting failed container=${run.spec.name} pod=${name}_${namespace}(${this.#context.uid})`;
    run.state = { kind: 'waiting', reason: 'CrashLoopBackOff', message };
    run.startAfter = this.#deps.clock.now() + delayMs;
    this.#event('Warning', 'BackOff', `Back-off restarting failed ${subject}`);
  }

  #startProbers(kinds: ProbeKind[]): void {
    const { run } = this;
    for (const kind of kinds) {
      const spec = run.spec.probes[kind];
      if (!spec) continue;
      const prober = startProber({
        kind,
        spec,
        target: this.#probeTarget(),
        clock: this.#deps.clock,
        earlyDelayMs: this.#deps.node.timing.earlyProbeMs,
        onFailedTry: (message) => {
          const title = `${kind[0]?.toUpperCase()}${kind.slice(1)} probe failed: `;
          this.#event('Warning', 'Unhealthy', title + message);
        },
        onVerdict: (verdict) => this.#judge(kind, verdict),
      });
      this.#probers.push(prober);
    }
  }

  #judge(kind: ProbeKind, verdict: 'success' | 'failure'): void {
    const { run } = this;
    if (!this.#process) return;
    if (kind === 'readiness') run.ready = verdict === 'success';
    else if (verdict === 'failure') {
      this.#event('Normal', 'Killing', `Container ${run.spec.name} failed ${kind} probe, will be restarted`);
      void this.stop(this.#context.podSpec.graceSeconds * 1000);
    } else if (kind === 'startup') {
      run.started = true;
      run.ready = run.spec.probes.readiness === undefined;
      this.#startProbers(['liveness', 'readiness']);
    }
    this.#context.changed();
  }

  #probeTarget(): ProbeTarget {
    const { run } = this;
    const { podIp } = this.#context;
    return {
      podIp,
      resolve: (port) => {
        const named = typeof port === 'number' ? undefined : run.spec.ports.find((item) => item.name === port);
        const containerPort = typeof port === 'number' ? port : named?.containerPort;
        if (containerPort === undefined) return undefined;
        return { ...this.#deps.addresses.resolve(podIp, containerPort), containerPort };
      },
      exec: async (command, timeoutMs) => {
        const hostPath = this.#deps.node.hostEnv['PATH'] ?? '';
        if (!this.#prepared) return { ok: false, message: 'the container is not running' };
        return execInContainer(this.#prepared, command, { timeoutMs, hostPath });
      },
    };
  }

  async #preStop(handler: Record<string, unknown>, graceMs: number): Promise<void> {
    const sleep = handler['sleep'];
    if (typeof sleep === 'object' && sleep !== null && 'seconds' in sleep) {
      await this.#deps.clock.sleep(Math.min(graceMs, Number(sleep.seconds) * 1000));
      return;
    }
    const outcome = await probeOnce(readAction(handler), this.#probeTarget(), graceMs);
    if (!outcome.ok) this.#event('Warning', 'FailedPreStopHook', `PreStopHook failed: ${outcome.message}`);
  }

  async #disposeProbers(): Promise<void> {
    const probers = this.#probers;
    this.#probers = [];
    // Not awaited: a probe under way may take its whole timeout, and its result is ignored.
    for (const prober of probers) void prober[Symbol.asyncDispose]();
  }

  #event(type: 'Normal' | 'Warning', reason: string, message: string): void {
    const path = this.#context.init ? 'initContainers' : 'containers';
    const fieldPath = `spec.${path}{${this.run.spec.name}}`;
    this.#deps.events.record(component, this.#context.pod(), { type, reason, message, fieldPath });
  }
}
