import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Logger, silentLogger } from '#base/log.ts';
import {
  type KubernetesCluster,
  type NoNode,
  type ProcessNode,
  type SimulatedNodes,
  startKubernetes as startCluster,
  type KubernetesOptions as WholeOptions,
} from '#drydock/kubernetes/cluster.ts';
import type { SimulatorOptions } from '#drydock/kubernetes/simulator/start.ts';
import { systemClock as clock, systemEntropy as entropy } from './system.ts';

export type { AuditEntry } from '#drydock/kubernetes/access/audit.ts';
export type { ApiServer } from '#drydock/kubernetes/api/port.ts';
export type { KubernetesCluster } from '#drydock/kubernetes/cluster.ts';
export type { ImageFault } from '#drydock/kubernetes/simulator/knobs.ts';
export type { SimulatorOptions } from '#drydock/kubernetes/simulator/start.ts';

export interface KubernetesOptions extends Partial<Omit<WholeOptions, 'node'>> {
  /**
   * What runs pods: `simulated`, the default, only says that it does; `process` runs them as processes of this machine;
   * `none` leaves them Pending.
   */
  node?: 'simulated' | 'process' | 'none';
  /** For simulated nodes. */
  simulator?: SimulatorOptions;
  /** For `none`: nodes of these names are made, and nobody looks after them. */
  nodeNames?: readonly string[];
}

/**
 * A Kubernetes cluster in this process: in memory, on a free port, with its controllers and one simulated node, unless
 * options say otherwise. Any number of them may run at once. Throws AppError port-taken, corrupt-data and bad-input.
 */
export async function startKubernetes(options: KubernetesOptions = {}): Promise<KubernetesCluster> {
  const { node = 'simulated', simulator, nodeNames, logger = silentLogger, dataDir, ...rest } = options;
  const whole = { clock, entropy, logger, dataDir, ...rest };
  switch (node) {
    case 'none': {
      const none: NoNode = { kind: 'none', ...(nodeNames ? { names: nodeNames } : {}) };
      return startCluster({ ...whole, node: none });
    }
    case 'simulated': {
      const simulated: SimulatedNodes = { kind: 'simulated', ...simulator };
      return startCluster({ ...whole, node: simulated });
    }
    case 'process': {
      await using stack = new AsyncDisposableStack();
      const processes = await processNode(stack, { dataDir, logger });
      const cluster = stack.use(await startCluster({ ...whole, node: processes }));
      const owned = stack.move();
      return { ...cluster, [Symbol.asyncDispose]: () => owned.disposeAsync() };
    }
  }
}

async function processNode(
  stack: AsyncDisposableStack,
  { dataDir, logger }: { dataDir: string | undefined; logger: Logger },
): Promise<ProcessNode> {
  const home = dataDir ?? mkdtempSync(join(tmpdir(), 'drydock-'));
  if (dataDir === undefined) stack.defer(() => rmSync(home, { recursive: true, force: true }));
  // Loaded here: nobody else needs them, and they take as long to load as a cluster to start.
  const [{ createRegistryClient }, { createImageStore }, { pullFrom }] = await Promise.all([
    import('#oci/registry-client.ts'),
    import('#oci/image-store.ts'),
    import('./pull-image.ts'),
  ]);
  const client = stack.use(createRegistryClient({ clock, logger, credentials: async () => undefined }));
  const images = await createImageStore({ dir: join(home, 'images'), client, logger });
  const podEnv = { PATH: process.env['PATH'] ?? '' };
  return { kind: 'process', runtimeDir: join(home, 'pods'), podEnv, pullImage: pullFrom(images) };
}
