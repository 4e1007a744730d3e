import { once } from 'node:events';
import { resolve } from 'node:path';
import type { UpOptions } from '#cli/deps.ts';
import { createLogger } from './logger.ts';
import { startWorld } from './world.ts';
import type { WorldInfo } from './world-info.ts';

/** `slipway up`: the world on this machine until Ctrl-C. Its data stays and is found again by the next start. */
export async function up(options: UpOptions, signal: AbortSignal): Promise<number> {
  const dataDirectory = resolve(options.dataDirectory ?? '.slipway');
  const logger = createLogger({ file: `${dataDirectory}/slipway.log` });
  const started = performance.now();
  const say = (text: string) => process.stdout.write(`${text}\n`);
  await using world = await startWorld({
    dataDirectory,
    logger,
    onPart: (name, ms) => say(`  ${name} (${Math.round(ms)} ms)`),
  });
  say(welcome(world.info, dataDirectory, performance.now() - started));
  if (!signal.aborted) await once(signal, 'abort');
  say('\nstopping; everything is kept, npm start brings it back');
  logger.flush();
  return 0;
}

function welcome(info: WorldInfo, dataDirectory: string, ms: number): string {
  const { slipway, kubernetes, registry, forge, developer, reviewer } = info;
  return `
Slipway is up after ${(ms / 1000).toFixed(1)} s. Ctrl-C stops it; its data stays in ${dataDirectory}.

  web page     ${slipway.url}/?token=${slipway.token}
  Kubernetes   ${kubernetes.url}
               export KUBECONFIG=${kubernetes.kubeconfig}
  registry     ${registry.host}
  forge        ${forge.url}
               git clone ${forge.url.replace('://', `://${developer.login}:${developer.token}@`)}/myshop/myshop-api.git
  people       ${developer.login} (developer), ${reviewer.login} (reviewer); tokens in ${dataDirectory}/world.json

First: kubectl apply -f the root Application,
  git clone ${forge.url}/myshop/myshop-manifests.git && kubectl apply -f myshop-manifests/argocd/root.yaml
`;
}
