import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, totalmem } from 'node:os';
import { join } from 'node:path';
import type { Clock, Entropy } from '#base/clock.ts';
import { getString } from '#base/json.ts';
import type { Logger } from '#base/log.ts';
import type { Outcome } from '#base/outcome.ts';
import { WorkQueue } from '#base/work-queue.ts';
import type { ApiObject, ApiServer, NodeLogs, NodeUsage } from '../api/port.ts';
import { ApiEventRecorder } from '../controllers/event-recorder.ts';
import { keyOf, splitKey } from '../controllers/key.ts';
import { isConflict, isNotFound, withinTimers } from '../controllers/loop.ts';
import type { KeyPair } from '../ingress/certificate-store.ts';
import { type IngressPorts, startIngress } from '../ingress/start.ts';
import { AddressTable } from './address-table.ts';
import { type AgentDeps, type AgentTiming, defaultTiming } from './agent-deps.ts';
import { defaultLogLimits, type LogLimits } from './container-log.ts';
import { EndpointDirectory } from './endpoint-directory.ts';
import type { PullImage } from './image.ts';
import { endLeftovers } from './leftover.ts';
import { LogStore } from './log-store.ts';
import { registerNode } from './node-object.ts';
import { PodWorker } from './pod-worker.ts';
import { machineUsage } from './process-usage.ts';
import { ServiceProxy } from './service-proxy.ts';
import { type MeteredContainer, UsageMeter } from './usage-meter.ts';

export interface NodeAgentDeps {
  api: ApiServer;
  clock: Clock;
  entropy: Entropy;
  logger: Logger;
  /** Keeps pod directories, logs and pid files. Of one agent at a time. */
  runtimeDir: string;
  /** PATH, and what else of this machine's environment processes get. */
  hostEnv: Record<string, string>;
  pullImage: PullImage;
  /** A certificate of the cluster's authority for a host; without it Ingresses are not served. */
  certificateFor?: (host: string) => KeyPair;
}

export interface NodeAgent extends AsyncDisposable {
  logs: NodeLogs;
  usage: NodeUsage;
  /** Where a service port is offered on loopback; undefined when the service or the port is not there (yet). */
  proxyAddress(namespace: string, name: string, port: number): { host: string; port: number } | undefined;
  /** Where Ingresses are served on loopback. */
  ingressPorts: IngressPorts | undefined;
}

export interface NodeAgentOptions {
  nodeName?: string;
  timing?: Partial<AgentTiming>;
  logLimits?: LogLimits;
  /** 0, the default, takes any free one. */
  ingressPorts?: Partial<IngressPorts>;
}

const concurrency = 32;

/**
 * Runs the pods of one node as processes of this machine and its services as loopback listeners. What an earlier run
 * left is ended first; its pods start again. Disposing ends all processes and leaves the objects as they are.
 */
export async function startNodeAgent(deps: NodeAgentDeps, options: NodeAgentOptions = {}): Promise<NodeAgent> {
  const { api, clock, logger, entropy } = deps;
  const timing = { ...defaultTiming, ...options.timing };
  const podsDir = join(deps.runtimeDir, 'pods');
  await mkdir(podsDir, { recursive: true, mode: 0o700 });
  // As in the image store: a pod's program is in no package of the folders above.
  await writeFile(join(deps.runtimeDir, 'package.json'), '{}\n');
  await endLeftovers(podsDir, timing.shutdownGraceMs, logger);
  const name = options.nodeName ?? 'drydock';
  const hostIp = '127.0.0.1';
  const events = new ApiEventRecorder(deps);
  const addresses = new AddressTable(entropy);
  const endpoints = new EndpointDirectory(api, addresses);
  const proxy = new ServiceProxy({ api, clock, logger, events, addresses, endpoints });
  const { certificateFor } = deps;
  const ingress =
    certificateFor && (await startIngress({ ...deps, events, endpoints, certificateFor }, options.ingressPorts));
  const logs = new LogStore(podsDir, { clock, limits: options.logLimits ?? defaultLogLimits });
  const shared: AgentDeps = {
    api,
    clock,
    entropy,
    logger,
    events,
    addresses,
    logs,
    node: { name, hostIp, podsDir, hostEnv: deps.hostEnv, pullImage: deps.pullImage, timing },
    drain: async (podIp, timeoutMs) => {
      await Promise.all([proxy.drain(podIp, timeoutMs), ingress?.drain(podIp, timeoutMs)]);
    },
    serviceAddress: (namespace, service, port) => proxy.proxyAddress(namespace, service, port),
  };
  proxy.start();
  const pods = new PodSet(shared, endpoints);
  await removeDirectories(podsDir, pods.start());
  const node = await registerNode(deps, {
    name,
    hostIp,
    heartbeatMs: timing.heartbeatMs,
    capacity: {
      cpus: availableParallelism(),
      memoryBytes: totalmem(),
      architecture: process.arch === 'x64' ? 'amd64' : process.arch,
      operatingSystem: process.platform,
      version: process.version.slice(1),
    },
  });
  const usage = new UsageMeter({
    clock,
    node: () => ({ name, labels: api.get('nodes', undefined, name)?.metadata.labels ?? {} }),
    running: () => pods.running(),
    machine: machineUsage,
  });
  return {
    logs,
    usage,
    proxyAddress: (namespace, service, port) => proxy.proxyAddress(namespace, service, port),
    ingressPorts: ingress?.ports,
    async [Symbol.asyncDispose]() {
      node[Symbol.dispose]();
      await pods[Symbol.asyncDispose]();
      await ingress?.[Symbol.asyncDispose]();
      await proxy[Symbol.asyncDispose]();
      await events[Symbol.asyncDispose]();
    },
  };
}

/** Directories of pods that went away while no agent ran. */
async function removeDirectories(podsDir: string, alive: ReadonlySet<string>): Promise<void> {
  for (const uid of await readdir(podsDir))
    if (!alive.has(uid)) await rm(join(podsDir, uid), { recursive: true, force: true });
}

/** The workers of all pods bound to the node. */
class PodSet {
  readonly #deps: AgentDeps;
  readonly #endpoints: EndpointDirectory;
  readonly #workers = new Map<string, PodWorker>();
  readonly #queue: WorkQueue;
  readonly #stops: (() => void)[] = [];

  constructor(deps: AgentDeps, endpoints: EndpointDirectory) {
    this.#deps = deps;
    this.#endpoints = endpoints;
    const { clock, logger } = deps;
    this.#queue = new WorkQueue({ name: 'pods', clock, logger, concurrency, tick: (key) => this.#tick(key) });
  }

  /** Returns the uids of the pods that are here. */
  start(): Set<string> {
    const { api } = this.#deps;
    const podsChange = api.onChange('pods', ({ object, type }) => {
      if (!this.#isMine(object)) return;
      const gone = type === 'DELETED' || object.metadata.deletionTimestamp !== undefined;
      if (gone) this.#workers.get(keyOf(object))?.abortStart();
      this.#queue.add(keyOf(object));
    });
    this.#stops.push(podsChange);
    for (const source of ['configmaps', 'secrets'])
      this.#stops.push(
        api.onChange(source, ({ object, type }) => {
          if (type === 'MODIFIED') for (const worker of this.#workers.values()) void worker.refreshVolumes(object);
        }),
      );
    const mine = api.list('pods').filter((pod) => this.#isMine(pod));
    for (const pod of mine) this.#queue.add(keyOf(pod));
    return new Set(mine.map((pod) => pod.metadata.uid ?? ''));
  }

  running(): MeteredContainer[] {
    return [...this.#workers.values()].flatMap((worker) => worker.running());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const stop of this.#stops) stop();
    const workers = [...this.#workers.values()];
    for (const worker of workers) worker.abortStart();
    await this.#queue[Symbol.asyncDispose]();
    await Promise.all(workers.map((worker) => worker.shutDown(this.#deps.node.timing.shutdownGraceMs)));
  }

  #isMine(pod: ApiObject): boolean {
    return getString(pod, 'spec', 'nodeName') === this.#deps.node.name;
  }

  async #tick(key: string): Promise<Outcome> {
    const { namespace, name } = splitKey(key);
    const pod = this.#deps.api.get('pods', namespace, name);
    let worker = this.#workers.get(key);
    if (worker && worker.uid !== pod?.metadata.uid) {
      this.#workers.delete(key);
      await worker.destroy();
      this.#endpoints.forget(worker.podIp);
      worker = undefined;
    }
    if (!pod || !this.#isMine(pod)) return { kind: 'done' };
    if (!worker) {
      worker = new PodWorker(this.#deps, pod, () => this.#queue.add(key));
      this.#workers.set(key, worker);
    }
    try {
      return withinTimers(await worker.tick(pod));
    } catch (error) {
      if (isConflict(error)) return { kind: 'waiting', reason: 'Conflict', message: '', retryAfterMs: 5 };
      if (isNotFound(error)) return { kind: 'done' };
      throw error;
    }
  }
}
