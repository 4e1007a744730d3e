import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { load } from 'js-yaml';
import { getString } from '#base/json.ts';
import { silentLogger } from '#base/log.ts';
import { startApiServer } from '#drydock/kubernetes/api/server.ts';
import { startControllers } from '#drydock/kubernetes/controllers/start.ts';
import { createTypeRegistry } from '#drydock/kubernetes/types/registry.ts';
import { createKubeClient } from '#kube/client.ts';
import { loadKubeTarget } from '#kube/kubeconfig.ts';
import { type KubeClient, type KubeObject, kindOf } from '#kube/port.ts';
import { testClock, testEntropy } from '../clock.ts';

/** One more cluster, by its own API server and controllers on loopback. */
export class OtherCluster implements AsyncDisposable {
  readonly kube: KubeClient;
  readonly #kubeconfig: unknown;
  readonly #stack: AsyncDisposableStack;

  constructor(kube: KubeClient, kubeconfig: unknown, stack: AsyncDisposableStack) {
    this.kube = kube;
    this.#kubeconfig = kubeconfig;
    this.#stack = stack;
  }

  static async start(): Promise<OtherCluster> {
    await using stack = new AsyncDisposableStack();
    const common = { clock: testClock, entropy: testEntropy, logger: silentLogger };
    const types = createTypeRegistry();
    const server = stack.use(await startApiServer({ ...common, types, dataDir: undefined }));
    const options = { caCertificate: server.caPem, volumesDir: join(tmpdir(), 'other-cluster-volumes') };
    stack.use(startControllers({ ...common, api: server.api }, options));
    const target = await loadKubeTarget({ text: server.kubeconfig() });
    const kube = stack.use(createKubeClient({ target, clock: testClock, logger: silentLogger }));
    return new OtherCluster(kube, load(server.kubeconfig()), stack.move());
  }

  get server(): string {
    return this.kube.server;
  }

  /** The Secret that declares it; `fields` come over its data. */
  secret(name: string, fields: Record<string, string> = {}): KubeObject {
    const caData = getString(this.#kubeconfig, 'clusters', 0, 'cluster', 'certificate-authority-data');
    const bearerToken = getString(this.#kubeconfig, 'users', 0, 'user', 'token');
    const config = JSON.stringify({ bearerToken, tlsClientConfig: { caData } });
    return {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name, namespace: 'argocd', labels: { 'argocd.argoproj.io/secret-type': 'cluster' } },
      stringData: { name, server: this.server, config, ...fields },
    };
  }

  async get(apiVersion: string, kind: string, name: string, namespace?: string): Promise<KubeObject | undefined> {
    const signal = AbortSignal.timeout(10_000);
    const resource = await this.kube.discovery.find(kindOf({ apiVersion, kind }), signal);
    return resource && (await this.kube.get(resource, { name, namespace }, signal));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}

/** A way to a server that can be cut and mended. */
export class CutRelay implements AsyncDisposable {
  readonly #sockets = new Set<Socket>();
  readonly #server = createServer((socket) => this.#relay(socket));
  readonly #target: URL;
  #isCut = false;

  private constructor(target: string) {
    this.#target = new URL(target);
  }

  static async start(target: string): Promise<CutRelay> {
    const relay = new CutRelay(target);
    await new Promise<void>((resolve) => relay.#server.listen(0, '127.0.0.1', resolve));
    return relay;
  }

  get url(): string {
    return `${this.#target.protocol}//127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  cut(): void {
    this.#isCut = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  mend(): void {
    this.#isCut = false;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #relay(socket: Socket): void {
    if (this.#isCut) {
      socket.destroy();
      return;
    }
    const target = connect(Number(this.#target.port), this.#target.hostname);
    for (const [one, other] of [
      [socket, target],
      [target, socket],
    ] as const) {
      this.#sockets.add(one);
      one.on('error', () => other.destroy());
      one.on('close', () => {
        this.#sockets.delete(one);
        other.destroy();
      });
      one.pipe(other);
    }
  }
}
