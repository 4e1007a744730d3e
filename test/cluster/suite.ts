import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { followInstance } from '#apps/instance.ts';
import { silentLogger } from '#base/log.ts';
import { type RunningEngine, startEngine } from '#controllers/engine.ts';
import { startApiServer } from '#drydock/kubernetes/api/server.ts';
import { startControllers } from '#drydock/kubernetes/controllers/start.ts';
import { createTypeRegistry } from '#drydock/kubernetes/types/registry.ts';
import { TestingGitServer } from '#git/testing-server.ts';
import { createKubeClient } from '#kube/client.ts';
import { createInformerSet } from '#kube/informer.ts';
import { loadKubeTarget } from '#kube/kubeconfig.ts';
import type { KubeClient } from '#kube/port.ts';
import type { KubeTarget } from '#kube/target.ts';
import { builtinTypeKnowledge } from '#main/type-knowledge.ts';
import { startServer } from '#server/server.ts';
import { type CliAnswer, runTestCli } from '../../src/cli/cli-fixture.test.ts';
import { testClock, testEntropy } from '../clock.ts';
import { countingClient, type Write } from '../counting-client.ts';
import { MemoryAudit } from '../engine/world.ts';
import { toolPath } from '../tools.ts';
import { Stage } from './stage.ts';

const token = 'token-of-the-suite';

/** A case of the suite: what any cluster must show when Slipway looks after it. */
export interface ClusterCase {
  title: string;
  run(stage: Stage): Promise<void>;
}

export interface Subject {
  name: string;
  cases: readonly ClusterCase[];
}

/** Drydock's API server and controllers without nodes: what kube-apiserver and kube-controller-manager are together. */
async function drydock(stack: AsyncDisposableStack): Promise<KubeTarget> {
  const deps = { clock: testClock, entropy: testEntropy, logger: silentLogger };
  const server = stack.use(await startApiServer({ ...deps, types: createTypeRegistry(), dataDir: undefined }));
  const volumesDir = join(tmpdir(), 'cluster-suite-volumes');
  stack.use(startControllers({ ...deps, api: server.api }, { caCertificate: server.caPem, volumesDir }));
  return await loadKubeTarget({ text: server.kubeconfig() });
}

/** One engine on one cluster for all cases; each case has namespaces, repositories and applications of its own. */
export class Suite implements AsyncDisposable {
  readonly kube: KubeClient;
  readonly git: TestingGitServer;
  readonly running: RunningEngine;
  readonly audit: MemoryAudit;
  /** Of this run: part of every name. */
  readonly run: string;
  /** Where the Application objects are. */
  readonly instance: string;
  /** The cluster as its administrator. */
  readonly target: KubeTarget;
  /** What the engine wrote, in order. */
  readonly writes: Write[];
  /** Where the server of the engine listens. */
  readonly url: string;
  readonly #stack: AsyncDisposableStack;
  #stages = 0;

  private constructor(
    parts: Omit<Suite, 'instance' | 'stage' | 'slipway' | typeof Symbol.asyncDispose>,
    stack: AsyncDisposableStack,
  ) {
    this.kube = parts.kube;
    this.git = parts.git;
    this.running = parts.running;
    this.audit = parts.audit;
    this.run = parts.run;
    this.target = parts.target;
    this.writes = parts.writes;
    this.url = parts.url;
    this.instance = instanceOf(parts.run);
    this.#stack = stack;
  }

  static async start(kubeconfig: string | undefined): Promise<Suite> {
    await using stack = new AsyncDisposableStack();
    const target = kubeconfig === undefined ? await drydock(stack) : await loadKubeTarget({ path: kubeconfig });
    const deps = { clock: testClock, entropy: testEntropy, logger: silentLogger };
    const run = testEntropy.uuid().slice(0, 5);
    const namespace = instanceOf(run);
    const kube = stack.use(createKubeClient({ target, clock: testClock, logger: silentLogger }));
    const signal = AbortSignal.timeout(30_000);
    await kube.apply(
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
      { fieldManager: 'suite', force: true },
      signal,
    );
    const git = stack.use(await TestingGitServer.start({ ...deps, gitPath: toolPath('git') }));
    const client = stack.use(createKubeClient({ target, clock: testClock, logger: silentLogger }));
    const writes: Write[] = [];
    const cacheDir = mkdtempSync(join(tmpdir(), 'cluster-suite-'));
    stack.defer(() => rmSync(cacheDir, { recursive: true, force: true }));
    const audit = new MemoryAudit();
    const running = stack.use(
      await startEngine(
        {
          ...deps,
          kube: countingClient(client, (write) => writes.push(write)),
          informers: stack.use(createInformerSet({ ...deps, client })),
          git: stack.use(git.mirrors('mirrors')),
          audit,
          cacheDir,
          instance: stack.use(followInstance({ ...deps, kube: client, namespace })),
          helm: { path: toolPath('helm'), version: '4.1.4' },
          kubectl: { path: toolPath('kubectl'), version: '1.33' },
          types: builtinTypeKnowledge(),
        },
        signal,
      ),
    );
    const { url } = stack.use(
      await startServer({
        ...{ ...running, ...deps, audit, token, host: '127.0.0.1', port: 0 },
        tracer: { trace: async () => Promise.reject(new Error('nothing is traced here')) },
        webhookSecret: undefined,
        anonymousRead: false,
        version: '0.0.0',
        webDir: cacheDir,
      }),
    );
    // The engine may just have brought kinds that this client has not heard of.
    kube.discovery.invalidate();
    return new Suite({ kube, git, running, audit, run, target, writes, url }, stack.move());
  }

  /** Runs a command of the command line against the engine's server. */
  async slipway(...args: string[]): Promise<CliAnswer> {
    const nothing = async () => 1;
    const processes = {
      up: nothing,
      demo: nothing,
      serve: nothing,
      cluster: nothing,
      clusterKubeconfig: async () => '',
    };
    const probe = {
      program: async () => undefined,
      nodeVersion: () => process.version,
      dataDirectory: async () => ({ path: '', exists: false, problem: undefined }),
      server: async () => ({ url: undefined, problem: 'not asked' }),
      cluster: async () => ({ server: undefined, problem: 'not asked' }),
      ports: async () => [],
    };
    const parts = { cwd: tmpdir(), probe, processes, dispatch: async () => {} };
    return await runTestCli(['--server', this.url, '--token', token, ...args], parts);
  }

  /** Room for one case. */
  async stage(): Promise<Stage> {
    this.#stages += 1;
    const stage = new Stage(this, `s${this.#stages}-${this.run}`);
    await stage.createNamespace(stage.name);
    return stage;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const signal = AbortSignal.timeout(30_000);
    const namespace = await this.kube.discovery.find({ group: '', version: 'v1', kind: 'Namespace' }, signal);
    if (namespace) await this.kube.delete(namespace, { name: this.instance }, {}, signal);
    await this.#stack.disposeAsync();
  }
}

function instanceOf(run: string): string {
  return `slipway-suite-${run}`;
}
