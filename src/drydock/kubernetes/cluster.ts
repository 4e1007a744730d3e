import { join } from 'node:path';
import type { Clock, Entropy } from '#base/clock.ts';
import type { Logger } from '#base/log.ts';
import type { PullImage } from './agent/image.ts';
import { startNodeAgent } from './agent/start.ts';
import { startApiServer } from './api/server.ts';
import { startControllers } from './controllers/start.ts';
import { createTypeRegistry } from './types/registry.ts';

export interface KubernetesOptions {
  clock: Clock;
  entropy: Entropy;
  logger: Logger;
  /** Objects and certificates; undefined keeps them in memory and ends with the process. */
  dataDir: string | undefined;
  /** 0, the default, takes any free one. */
  port?: number;
  pullImage: PullImage;
  /** Pod directories, logs and pid files. Of one cluster at a time. */
  runtimeDir: string;
  /** PATH, and what else of this machine's environment pods get. */
  podEnv: Record<string, string>;
}

export interface KubernetesCluster extends AsyncDisposable {
  /** `https://127.0.0.1:<port>`, as Application destinations name it. */
  url: string;
  port: number;
  /** For the administrator; stays good over restarts with the same `dataDir` and port. */
  kubeconfig: string;
  caPem: string;
  adminToken: string;
  /** Where a Service port answers on loopback now; undefined when it is not there (yet). */
  serviceUrl(namespace: string, name: string, port: number): string | undefined;
}

/**
 * The laptop cluster: API server, controllers and a node that runs pods as processes. Ready when it resolves. Throws
 * AppError port-taken and corrupt-data. Disposing ends the pods' processes; their objects stay in `dataDir`.
 */
export async function startKubernetes(options: KubernetesOptions): Promise<KubernetesCluster> {
  const { clock, entropy, logger, dataDir, port = 0, pullImage, runtimeDir, podEnv } = options;
  await using stack = new AsyncDisposableStack();
  const server = stack.use(
    await startApiServer({ clock, entropy, logger, types: createTypeRegistry(), dataDir, port }),
  );
  const { api, caPem, adminToken } = server;
  // Volumes live as long as the objects that claim them.
  const volumesDir = join(dataDir ?? runtimeDir, 'volumes');
  stack.use(startControllers({ api, clock, entropy, logger }, { caCertificate: caPem, volumesDir }));
  const agent = stack.use(
    await startNodeAgent({
      api,
      clock,
      entropy,
      logger,
      runtimeDir: join(runtimeDir, 'node'),
      hostEnv: podEnv,
      pullImage,
    }),
  );
  server.setNodeLogs(agent.logs);
  const owned = stack.move();
  return {
    url: server.listening.url,
    port: server.listening.port,
    kubeconfig: server.kubeconfig(),
    caPem,
    adminToken,
    serviceUrl(namespace, name, servicePort) {
      const address = agent.proxyAddress(namespace, name, servicePort);
      return address && `http://${address.host}:${address.port}`;
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
