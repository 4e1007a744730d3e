import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import type { ServeOptions } from '#cli/deps.ts';
import { inClusterTarget, loadKubeTarget } from '#kube/kubeconfig.ts';
import type { KubeTarget } from '#kube/target.ts';
import { writeFileDurably } from './data-directory.ts';
import { createLogger } from './logger.ts';
import { startSlipway } from './slipway.ts';
import { systemEntropy } from './system.ts';

/** `slipway serve`: the engine, the API and the page for one cluster, until it is told to stop. */
export async function serve(options: ServeOptions, signal: AbortSignal): Promise<number> {
  const dataDir = resolve(options.dataDirectory ?? '.slipway');
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const logger = createLogger({});
  const token = process.env['SLIPWAY_TOKEN'] ?? systemEntropy.bytes(24).toString('base64url');
  await using slipway = await startSlipway({
    target: await findCluster(options),
    namespace: options.namespace,
    dataDir: join(dataDir, 'slipway'),
    host: options.host,
    port: options.port,
    token,
    webhookSecret: process.env['SLIPWAY_WEBHOOK_SECRET'],
    anonymousRead: false,
    plugins: options.plugins === undefined ? undefined : resolve(options.plugins),
    forge: forgeSettings(process.env),
    logger,
  });
  writeFileDurably(join(dataDir, 'server.json'), `${JSON.stringify({ url: slipway.url, token })}\n`);
  process.stdout.write(`Slipway serves ${slipway.cluster} at ${slipway.url}\n  page: ${slipway.url}/?token=${token}\n`);
  if (process.env['SLIPWAY_WEBHOOK_SECRET'] === undefined) {
    process.stdout.write('  webhooks are refused until SLIPWAY_WEBHOOK_SECRET is set; repositories are polled\n');
  }
  if (!signal.aborted) await once(signal, 'abort');
  return 0;
}

/** GitHub by default; an Enterprise server (or another forge with its API) by the variables GitHub's own tools use. */
function forgeSettings(env: NodeJS.ProcessEnv): { webUrl: string; apiUrl: string; token: string | undefined } {
  const webUrl = env['GITHUB_SERVER_URL'] ?? 'https://github.com';
  const apiUrl =
    env['GITHUB_API_URL'] ?? (webUrl === 'https://github.com' ? 'https://api.github.com' : `${webUrl}/api/v3`);
  return { webUrl, apiUrl, token: env['GITHUB_TOKEN'] };
}

/** As kubectl finds it: the file given, KUBECONFIG, the pod this runs in, the file of the home directory. */
async function findCluster({ kubeconfig, context }: ServeOptions): Promise<KubeTarget> {
  const { KUBECONFIG, KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = process.env;
  const path = kubeconfig ?? KUBECONFIG;
  if (path === undefined && host && port) return inClusterTarget(host, port);
  const file = path ?? join(homedir(), '.kube', 'config');
  return loadKubeTarget({ path: file, ...(context === undefined ? {} : { context }) });
}
