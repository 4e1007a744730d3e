import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { followInstance } from '#apps/instance.ts';
import type { ApplicationEngine } from '#apps/port.ts';
import { type Logger, silentLogger } from '#base/log.ts';
import { type EngineOptions, type RunningEngine, startEngine } from '#controllers/engine.ts';
import { startApiServer } from '#drydock/kubernetes/api/server.ts';
import { startControllers } from '#drydock/kubernetes/controllers/start.ts';
import { type SimulatorOptions, startSimulator } from '#drydock/kubernetes/simulator/start.ts';
import { createTypeRegistry } from '#drydock/kubernetes/types/registry.ts';
import type { GitMirrors } from '#git/port.ts';
import { TestingGitServer } from '#git/testing-server.ts';
import { createKubeClient } from '#kube/client.ts';
import { createInformerSet } from '#kube/informer.ts';
import { loadKubeTarget } from '#kube/kubeconfig.ts';
import { type KubeClient, type KubeObject, kindOf } from '#kube/port.ts';
import { builtinTypeKnowledge } from '#main/type-knowledge.ts';
import type { Application } from '#model/argocd/application.ts';
import type { AuditEvent, AuditLog, AuditQuery } from '#trace/event.ts';
import { testClock, testEntropy } from '../clock.ts';
import { toolPath } from '../tools.ts';

const helm = { path: toolPath('helm'), version: '4.1.4' };
const kubectl = { path: toolPath('kubectl'), version: '1.33' };

/** For tests: an audit log that lives as long as the test. */
export class MemoryAudit implements AuditLog {
  readonly events: AuditEvent[] = [];

  async record(event: Omit<AuditEvent, 'id' | 'at'> & { at?: number }): Promise<AuditEvent> {
    const kept = { ...event, id: this.events.length + 1, at: event.at ?? testClock.now() };
    this.events.push(kept);
    return kept;
  }

  async query(query: AuditQuery): Promise<AuditEvent[]> {
    const { application, kind, limit } = query;
    const matching = this.events.filter(
      (event) => (!application || event.application === application) && (!kind || event.kind === kind),
    );
    return matching.toReversed().slice(0, limit);
  }

  subscribe(): () => void {
    return () => {};
  }

  kinds(application: string): string[] {
    return this.events.filter((event) => event.application === application).map((event) => event.kind);
  }
}

const verbose: Logger = {
  ...silentLogger,
  warn: (fields, message) => console.error('warn', message, JSON.stringify(fields)),
  error: (fields, message) => console.error('error', message, JSON.stringify(fields)),
};

/** A cluster by Drydock's API server and controllers, Git over HTTP, and the engine between them, all on loopback. */
export class EngineWorld {
  readonly git: TestingGitServer;
  readonly audit = new MemoryAudit();
  readonly kube: KubeClient;
  /** Counts every write that the engine's client sends: `apply ConfigMap a`. */
  readonly writes: string[] = [];
  /** The dry runs among what it asks. */
  readonly dryRuns: string[] = [];
  /** Runs before each write; what it throws, the write throws. */
  beforeWrite: (what: string) => void = () => {};
  /** Carries each write out; it may fail before or after it did. */
  aroundWrite: <T>(what: string, send: () => Promise<T>) => Promise<T> = async (_what, send) => await send();
  running: RunningEngine | undefined;
  readonly #folder = mkdtempSync(join(tmpdir(), 'engine-world-'));
  readonly #stack: AsyncDisposableStack;
  readonly #target: Awaited<ReturnType<typeof loadKubeTarget>>;
  #engineStack: AsyncDisposableStack | undefined;
  #mirrors = 0;

  constructor(
    git: TestingGitServer,
    kube: KubeClient,
    stack: AsyncDisposableStack,
    target: Awaited<ReturnType<typeof loadKubeTarget>>,
  ) {
    this.git = git;
    this.kube = kube;
    this.#stack = stack;
    this.#target = target;
  }

  /** With nodes, pods behave, as their annotations say; without, they stay Pending. */
  static async start(options: { simulator?: SimulatorOptions } = {}): Promise<EngineWorld> {
    await using stack = new AsyncDisposableStack();
    const server = stack.use(
      await startApiServer({
        clock: testClock,
        entropy: testEntropy,
        logger: silentLogger,
        types: createTypeRegistry(),
        dataDir: undefined,
      }),
    );
    stack.use(
      startControllers(
        { api: server.api, clock: testClock, entropy: testEntropy, logger: silentLogger },
        { caCertificate: server.caPem, volumesDir: join(tmpdir(), 'engine-world-volumes') },
      ),
    );
    const deps = { api: server.api, clock: testClock, entropy: testEntropy, logger: silentLogger };
    if (options.simulator) stack.use(await startSimulator(deps, options.simulator));
    const target = await loadKubeTarget({ text: server.kubeconfig() });
    const kube = stack.use(createKubeClient({ target, clock: testClock, logger: silentLogger }));
    const git = stack.use(
      await TestingGitServer.start({ gitPath: toolPath('git'), clock: testClock, entropy: testEntropy }),
    );
    return new EngineWorld(git, kube, stack.move(), target);
  }

  get engine(): ApplicationEngine {
    if (!this.running) throw new Error('the engine was not started');
    return this.running.engine;
  }

  async startEngine(options: Partial<EngineOptions> = {}): Promise<void> {
    const stack = new AsyncDisposableStack();
    this.#engineStack = stack;
    const logger = process.env['ENGINE_LOG'] ? verbose : silentLogger;
    const client = stack.use(createKubeClient({ target: this.#target, clock: testClock, logger }));
    const informers = stack.use(createInformerSet({ client, clock: testClock, entropy: testEntropy, logger }));
    this.#mirrors += 1;
    const git: GitMirrors = stack.use(this.git.mirrors(`mirrors-${this.#mirrors}`));
    const scope = { namespace: 'argocd', clock: testClock, entropy: testEntropy, logger };
    const engine = {
      kube: this.#counting(client),
      informers,
      instance: stack.use(followInstance({ kube: client, ...scope })),
      git,
      audit: this.audit,
      clock: testClock,
      entropy: testEntropy,
      logger,
      cacheDir: join(this.#folder, 'cache'),
      helm,
      kubectl,
      types: builtinTypeKnowledge(),
      ...options,
    };
    this.running = stack.use(await startEngine(engine, AbortSignal.timeout(20_000)));
  }

  async stopEngine(): Promise<void> {
    await this.#engineStack?.disposeAsync();
    this.#engineStack = undefined;
    this.running = undefined;
  }

  async apply(object: KubeObject): Promise<void> {
    await this.kube.apply(object, { fieldManager: 'test', force: true }, AbortSignal.timeout(10_000));
  }

  async get(apiVersion: string, kind: string, name: string, namespace?: string): Promise<KubeObject | undefined> {
    const signal = AbortSignal.timeout(10_000);
    const resource = await this.kube.discovery.find(kindOf({ apiVersion, kind }), signal);
    return resource && (await this.kube.get(resource, { name, namespace }, signal));
  }

  async delete(apiVersion: string, kind: string, name: string, namespace?: string): Promise<void> {
    const signal = AbortSignal.timeout(10_000);
    const resource = await this.kube.discovery.find(kindOf({ apiVersion, kind }), signal);
    if (!resource) throw new Error(`the cluster does not serve ${kind} of ${apiVersion}`);
    await this.kube.delete(resource, { name, namespace }, {}, signal);
  }

  async patch(apiVersion: string, kind: string, name: string, namespace: string, body: unknown): Promise<void> {
    const signal = AbortSignal.timeout(10_000);
    // The kind may be younger than what this client last read of the cluster's kinds.
    this.kube.discovery.invalidate();
    const resource = await this.kube.discovery.find(kindOf({ apiVersion, kind }), signal);
    if (!resource) throw new Error(`the cluster does not serve ${kind} of ${apiVersion}`);
    await this.kube.patch(resource, { name, namespace }, { type: 'merge', body }, { fieldManager: 'test' }, signal);
  }

  /** Looks again and again until it holds; fails with what was seen last. */
  async until<T>(
    what: string,
    look: () => Promise<T> | T,
    accept: (value: T) => boolean,
    timeoutMs = 10_000,
  ): Promise<T> {
    const deadline = testClock.now() + timeoutMs;
    for (;;) {
      const value = await look();
      if (accept(value)) return value;
      if (testClock.now() > deadline)
        throw new Error(`${what}: not within ${timeoutMs} ms; last: ${JSON.stringify(value)?.slice(0, 3000)}`);
      await delay(5);
    }
  }

  async untilApplication(
    name: string,
    accept: (application: Application) => boolean,
    timeoutMs = 10_000,
  ): Promise<Application> {
    const look = () => this.engine.list().find((application) => application.metadata.name === name);
    const found = await this.until(
      `application ${name}`,
      look,
      (application) => application !== undefined && accept(application),
      timeoutMs,
    );
    if (!found) throw new Error('unreachable');
    return found;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stopEngine();
    await this.#stack.disposeAsync();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #counting(client: KubeClient): KubeClient {
    const write = async <T>(what: string, send: () => Promise<T>): Promise<T> => {
      this.beforeWrite(what);
      this.writes.push(what);
      return await this.aroundWrite(what, send);
    };
    return {
      server: client.server,
      discovery: client.discovery,
      version: (signal) => client.version(signal),
      get: (resource, ref, signal) => client.get(resource, ref, signal),
      list: (resource, options, signal) => client.list(resource, options, signal),
      watch: (resource, options, signal) => client.watch(resource, options, signal),
      logs: (ref, options, signal) => client.logs(ref, options, signal),
      as: (user) => this.#counting(client.as(user)),
      [Symbol.asyncDispose]: () => client[Symbol.asyncDispose](),
      create: async (object, options, signal) =>
        await write(`create ${object.kind} ${object.metadata.name}`, () => client.create(object, options, signal)),
      replace: async (object, options, signal) =>
        await write(`replace ${object.kind} ${object.metadata.name}`, () => client.replace(object, options, signal)),
      apply: async (object, options, signal) => {
        const what = `${object.kind} ${object.metadata.name}`;
        if (!options.dryRun) return await write(`apply ${what}`, () => client.apply(object, options, signal));
        this.dryRuns.push(what);
        return await client.apply(object, options, signal);
      },
      patch: async (resource, ref, patch, options, signal) =>
        await write(`patch ${resource.kind} ${ref.name}`, () => client.patch(resource, ref, patch, options, signal)),
      delete: async (resource, ref, options, signal) =>
        await write(`delete ${resource.kind} ${ref.name}`, () => client.delete(resource, ref, options, signal)),
    };
  }
}

export function applicationObject(
  name: string,
  spec: Record<string, unknown>,
  metadata: Record<string, unknown> = {},
): KubeObject {
  return {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: { name, namespace: 'argocd', ...metadata },
    spec: { project: 'default', ...spec },
  };
}

export function configMap(name: string, data: Record<string, string>, annotations?: Record<string, string>): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, ...(annotations ? { annotations } : {}) },
    data,
  });
}
