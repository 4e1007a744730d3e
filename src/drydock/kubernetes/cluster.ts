import { join } from 'node:path';
import type { Clock, Entropy } from '#base/clock.ts';
import type { Logger } from '#base/log.ts';
import type { AuditEntry } from './access/audit.ts';
import type { AuthorizationMode } from './access/authorizer.ts';
import type { PullImage } from './agent/image.ts';
import { startNodeAgent } from './agent/start.ts';
import type { StaticToken } from './api/credential/authentication.ts';
import type { KubeconfigSubject } from './api/credential/kubeconfig.ts';
import { type ApiServerHandle, startApiServer } from './api/server.ts';
import type { PodAdmission } from './api/write/admission.ts';
import type { ServiceNetworkOptions } from './api/write/service-network.ts';
import { startControllers } from './controllers/start.ts';
import type { IngressPorts } from './ingress/start.ts';
import { type SimulatorOptions, startSimulator } from './simulator/start.ts';
import { createTypeRegistry } from './types/registry.ts';

export interface KubernetesOptions {
  clock: Clock;
  entropy: Entropy;
  logger: Logger;
  /** Objects and certificates; undefined keeps them in memory and ends with the process. */
  dataDir: string | undefined;
  /** 0, the default, takes any free one. */
  port?: number;
  node: ProcessNode | SimulatedNodes | NoNode;
  /** Words as `selectControllers` reads them: `['*', '-scheduler']`. All by default. */
  controllers?: readonly string[];
  /** Beside the administrator's own. */
  tokens?: readonly StaticToken[];
  services?: ServiceNetworkOptions;
  podAdmission?: Partial<PodAdmission>;
  /** `rbac` by default. */
  authorization?: AuthorizationMode;
  /** Gets each write by HTTP and each refusal, as the log does. */
  audit?: (entry: AuditEntry) => void;
}

/** Pods are processes of this machine. */
export interface ProcessNode {
  kind: 'process';
  pullImage: PullImage;
  /** Pod directories, logs and pid files. Of one cluster at a time. */
  runtimeDir: string;
  /** PATH, and what else of this machine's environment pods get. */
  podEnv: Record<string, string>;
  /** Where Ingresses are served on loopback. 0, the default, takes any free port. */
  ingressPorts?: Partial<IngressPorts>;
}

/** Pods behave as on a node, and nothing runs. */
export interface SimulatedNodes extends SimulatorOptions {
  kind: 'simulated';
}

/** Nothing takes pods on: they stay Pending, or a kubelet of someone else's runs them. */
export interface NoNode {
  kind: 'none';
  /** Nodes of these names are made, and nobody looks after them. */
  names?: readonly string[];
}

export interface KubernetesCluster extends AsyncDisposable {
  /** `https://127.0.0.1:<port>`, as Application destinations name it. */
  url: string;
  port: number;
  /** For the administrator; stays good over restarts with the same `dataDir` and port. */
  kubeconfig: string;
  caPem: string;
  adminToken: string;
  /** For anybody else, by a client certificate; what they may do is RBAC. Throws AppError bad-input. */
  kubeconfigFor(subject: KubeconfigSubject): string;
  /** Where a Service port answers on loopback now; undefined when it is not there (yet), and without a process node. */
  serviceUrl(namespace: string, name: string, port: number): string | undefined;
  /** Where Ingresses and HTTPRoutes answer, by their hosts; undefined without a process node. */
  ingressPorts: IngressPorts | undefined;
}

interface RunningNode extends AsyncDisposable {
  ingressPorts?: IngressPorts | undefined;
  proxyAddress?(namespace: string, name: string, port: number): { host: string; port: number } | undefined;
}

/**
 * A whole cluster: API server, controllers, and the node asked for. Ready when it resolves. Throws AppError port-taken,
 * corrupt-data and bad-input. Disposing ends the pods' processes; their objects stay in `dataDir`.
 */
export async function startKubernetes(options: KubernetesOptions): Promise<KubernetesCluster> {
  const {
    clock,
    entropy,
    logger,
    dataDir,
    port = 0,
    node,
    tokens,
    services,
    podAdmission,
    authorization,
    audit,
  } = options;
  await using stack = new AsyncDisposableStack();
  const server = stack.use(
    await startApiServer({
      clock,
      entropy,
      logger,
      types: createTypeRegistry(),
      dataDir,
      port,
      // Only a process node listens on node ports.
      ...(node.kind === 'process' ? {} : { isPortFree: async () => true }),
      ...(tokens ? { tokens } : {}),
      ...(services ? { services } : {}),
      ...(podAdmission ? { podAdmission } : {}),
      ...(authorization ? { authorization } : {}),
      ...(audit ? { audit } : {}),
    }),
  );
  const { api, caPem, adminToken } = server;
  // Volumes live as long as the objects that claim them.
  const volumesDir = join(dataDir ?? (node.kind === 'process' ? node.runtimeDir : '/var/lib/drydock'), 'volumes');
  const selection = options.controllers ?? ['*'];
  stack.use(
    startControllers(
      { api, clock, entropy, logger },
      { caCertificate: caPem, volumesDir, selection, signRequest: server.signRequest },
    ),
  );
  const running = await startNode(options, server);
  if (running) stack.use(running);
  const owned = stack.move();
  return {
    url: server.listening.url,
    port: server.listening.port,
    kubeconfig: server.kubeconfig(),
    caPem,
    adminToken,
    kubeconfigFor: (subject) => server.kubeconfigFor(subject),
    serviceUrl(namespace, name, servicePort) {
      const address = running?.proxyAddress?.(namespace, name, servicePort);
      return address && `http://${address.host}:${address.port}`;
    },
    ingressPorts: running?.ingressPorts,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function startNode(options: KubernetesOptions, server: ApiServerHandle): Promise<RunningNode | undefined> {
  const { clock, entropy, logger, node } = options;
  const deps = { api: server.api, clock, entropy, logger };
  switch (node.kind) {
    case 'none':
      for (const name of node.names ?? [])
        if (!deps.api.get('nodes', undefined, name))
          await deps.api.create({ apiVersion: 'v1', kind: 'Node', metadata: { name } }, 'drydock');
      return undefined;
    case 'simulated': {
      const simulator = await startSimulator(deps, node);
      server.setNodeLogs(simulator.logs);
      server.setNodeUsage(simulator.usage);
      return simulator;
    }
    case 'process': {
      const { runtimeDir, podEnv: hostEnv, pullImage, ingressPorts = {} } = node;
      const { certificateFor } = server;
      const agent = await startNodeAgent(
        { ...deps, runtimeDir: join(runtimeDir, 'node'), hostEnv, pullImage, certificateFor },
        { ingressPorts },
      );
      server.setNodeLogs(agent.logs);
      server.setNodeUsage(agent.usage);
      return agent;
    }
  }
}
