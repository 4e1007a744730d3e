import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { UpOptions } from '#cli/deps.ts';
import { runProgram } from './demo/program.ts';
import { createLogger } from './logger.ts';
import { rootApplication } from './organisation.ts';
import { requireProgram } from './programs.ts';
import { startWorld } from './world.ts';
import type { WorldInfo } from './world-info.ts';

/** `slipway up`: the world on this machine until Ctrl-C. Its data stays and is found again by the next start. */
export async function up(options: UpOptions, signal: AbortSignal): Promise<number> {
  const dataDirectory = resolve(options.dataDirectory ?? '.slipway');
  const logger = createLogger({ file: `${dataDirectory}/slipway.log` });
  const started = performance.now();
  const say = (text: string) => process.stdout.write(`${text}\n`);
  const isFirst = !existsSync(join(dataDirectory, 'world.json'));
  await using world = await startWorld({
    dataDirectory,
    logger,
    onPart: (name, ms) => say(`  ${name} (${Math.round(ms)} ms)`),
  });
  if (isFirst) await applyRoot(world.info, signal);
  say(welcome(world.info, dataDirectory, performance.now() - started));
  if (!signal.aborted) await once(signal, 'abort');
  say('\nstopping; everything is kept, npm start brings it back');
  return 0;
}

function welcome(info: WorldInfo, dataDirectory: string, ms: number): string {
  const { slipway, kubernetes, ingress, registry, forge, developer, reviewer } = info;
  return `
Slipway is up after ${(ms / 1000).toFixed(1)} s. Ctrl-C stops it; its data stays in ${dataDirectory}.

  web page     ${slipway.url}/?token=${slipway.token}
  Kubernetes   ${kubernetes.url}
               export KUBECONFIG=${kubernetes.kubeconfig}
  ingresses    http://127.0.0.1:${ingress.httpPort}, https on port ${ingress.httpsPort}, by the Host header
  registry     ${registry.host}
  forge        ${forge.url}
               git clone ${forge.url.replace('://', `://${developer.login}:${developer.token}@`)}/myshop/myshop-api.git
  people       ${developer.login} (developer), ${reviewer.login} (reviewer); tokens in ${dataDirectory}/world.json

Try it
  npx slipway app sync myshop-api-prod       dev syncs by itself, prod waits for you
  push a commit to myshop-api                it is tested, built, deployed to dev; watch the page
  kubectl scale -n myshop-dev deployment/myshop-api --replicas=3
`;
}

/** A new world starts with its applications; in one that people have used, what they removed stays removed. */
async function applyRoot(info: WorldInfo, signal: AbortSignal): Promise<void> {
  const input = rootApplication({ forgeUrl: info.forge.url, registryHost: info.registry.host });
  const env = { KUBECONFIG: info.kubernetes.kubeconfig };
  await runProgram(requireProgram('kubectl'), ['apply', '-f', '-'], { env, input, signal });
}
