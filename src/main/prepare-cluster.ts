import type { Clock } from '#base/clock.ts';
import type { Logger } from '#base/log.ts';
import { createKubeClient } from '#kube/client.ts';
import { loadKubeTarget } from '#kube/kubeconfig.ts';

export interface PrepareOptions {
  kubeconfig: string;
  forgeUrl: string;
  token: string;
  clock: Clock;
  logger: Logger;
  signal: AbortSignal;
}

/** What a platform team does once by hand: the control-plane namespace, and the credentials for its repositories. */
export async function prepareCluster(options: PrepareOptions): Promise<void> {
  const { clock, logger, signal } = options;
  const target = await loadKubeTarget({ text: options.kubeconfig });
  await using client = createKubeClient({ target, clock, logger });
  const write = { fieldManager: 'slipway-up', force: true };
  await client.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'argocd' } }, write, signal);
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      name: 'forge',
      namespace: 'argocd',
      labels: { 'argocd.argoproj.io/secret-type': 'repo-creds' },
    },
    stringData: { type: 'git', url: options.forgeUrl, username: 'slipway', password: options.token },
  };
  await client.apply(secret, write, signal);
}
