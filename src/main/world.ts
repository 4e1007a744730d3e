import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { AppError, messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import { createNodeBaseImage } from '#build/node-base-image.ts';
import { basicBuiltins } from '#drydock/actions/builtins/basic.ts';
import { type Forge, startForge } from '#drydock/forge/server.ts';
import { startKubernetes } from '#drydock/kubernetes/cluster.ts';
import { startRegistry } from '#drydock/registry/start-registry.ts';
import { loadKubeTarget } from '#kube/kubeconfig.ts';
import { createImageStore, type ImageStore } from '#oci/image-store.ts';
import type { RegistryClient } from '#oci/port.ts';
import { parseReference } from '#oci/reference.ts';
import { createRegistryClient } from '#oci/registry-client.ts';
import { readOrMakeSecrets, type WorldSecrets } from './accounts.ts';
import { type DataDirectory, openDataDirectory, type Ports, writeFileDurably } from './data-directory.ts';
import { developer, reviewer, seedOrganisation } from './organisation.ts';
import { prepareCluster } from './prepare-cluster.ts';
import { projectRoot, requireProgram } from './programs.ts';
import { pullFrom } from './pull-image.ts';
import { startSlipway } from './slipway.ts';
import { systemClock, systemEntropy } from './system.ts';
import { writeToolbox } from './toolbox.ts';
import { workflowActions } from './workflow-actions/builtins.ts';
import type { WorldInfo } from './world-info.ts';

export interface WorldOptions {
  dataDirectory: string;
  logger: Logger;
  /** One line for every part that has come up. */
  onPart?: (name: string, ms: number) => void;
}

/** Drydock's servers and Slipway, in this process, on one data directory. Disposing stops all; the data stays. */
export interface World extends AsyncDisposable {
  info: WorldInfo;
}

const host = '127.0.0.1';
const clock = systemClock;
const entropy = systemEntropy;

interface Ground {
  data: DataDirectory;
  ports: Ports;
  secrets: WorldSecrets;
  logger: Logger;
  gitPath: string;
  signal: AbortSignal;
}

/**
 * Starts the whole world, or none of it: when a part cannot start, those before it are stopped and the part's error is
 * thrown. Repeatable on the same directory: everything comes back where it was.
 */
export async function startWorld(options: WorldOptions): Promise<World> {
  const { logger, onPart = () => {} } = options;
  await using stack = new AsyncDisposableStack();
  const starting = new AbortController();
  stack.defer(() => starting.abort(new AppError('canceled', 'the world is stopping')));
  const data = openDataDirectory(options.dataDirectory);
  stack.defer(() => data[Symbol.dispose]());
  const ground: Ground = {
    data,
    ports: await data.ports(),
    secrets: readOrMakeSecrets(data.path('secrets.json'), entropy),
    logger,
    gitPath: requireProgram('git'),
    signal: starting.signal,
  };
  const timed = async <T>(name: string, work: Promise<T>): Promise<T> => {
    const started = performance.now();
    const result = await work;
    onPart(name, performance.now() - started);
    return result;
  };

  mkdirSync(data.path('work'), { recursive: true });
  const registry = stack.use(await timed('registry', startWorldRegistry(ground)));
  const registryHost = `${host}:${registry.port}`;
  const client = stack.use(registryClient(ground, registryHost));
  const images = await createImageStore({ dir: data.path('images'), client, logger });
  const baseImage = timed('base image node:24-slim', makeBaseImage(ground, client, registryHost));
  unpackAhead(ground, images, baseImage);
  const forge = stack.use(await timed('forge', startWorldForge(ground, registry.url)));
  const cluster = stack.use(await timed('Kubernetes', startWorldCluster(ground, images)));
  const kubeconfig = data.path('kubeconfig');
  writeFileDurably(kubeconfig, cluster.kubeconfig);
  await baseImage;

  const slipwayUrl = `http://${host}:${ground.ports.slipway}`;
  await timed(
    'prepare the cluster',
    prepareCluster({
      kubeconfig: cluster.kubeconfig,
      forgeUrl: forge.url,
      token: ground.secrets.slipwayForgeToken,
      clock,
      logger,
      signal: starting.signal,
    }),
  );
  const slipway = stack.use(
    await timed(
      'Slipway',
      startSlipway({
        target: await loadKubeTarget({ text: cluster.kubeconfig }),
        namespace: 'argocd',
        dataDir: data.path('slipway'),
        host,
        port: ground.ports.slipway,
        token: ground.secrets.serverToken,
        webhookSecret: ground.secrets.webhookSecret,
        anonymousRead: true,
        forge: { webUrl: forge.url, apiUrl: `${forge.url}/api/v3`, token: ground.secrets.slipwayForgeToken },
        logger,
      }),
    ),
  );
  await timed(
    'organisation myshop',
    seedOrganisation({
      forge,
      registryHost,
      registryClient: client,
      webhookUrl: `${slipwayUrl}/api/webhook`,
      secrets: ground.secrets,
      gitPath: ground.gitPath,
      workDir: data.path('work'),
      clock,
      logger,
      signal: starting.signal,
    }),
  );

  const info: WorldInfo = {
    pid: process.pid,
    slipway: { url: slipway.url, token: ground.secrets.serverToken },
    kubernetes: { url: cluster.url, kubeconfig },
    ingress: { httpPort: ground.ports.ingressHttp, httpsPort: ground.ports.ingressHttps },
    registry: { url: registry.url, host: registryHost },
    forge: { url: forge.url, apiUrl: `${forge.url}/api/v3` },
    developer: { ...developer, token: ground.secrets.developerToken },
    reviewer: { ...reviewer, token: ground.secrets.reviewerToken },
  };
  writeFileDurably(data.path('world.json'), `${JSON.stringify(info, null, 2)}\n`);
  writeFileDurably(data.path('server.json'), `${JSON.stringify(info.slipway)}\n`);
  const running = stack.move();
  return { info, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

function startWorldRegistry(ground: Ground) {
  const { data, ports, secrets, logger } = ground;
  const policy = join(projectRoot, 'examples', 'trust', 'github-actions-myshop-api-ecr-push.json');
  const everything = [{ repository: '*', actions: ['pull' as const, 'push' as const] }];
  return startRegistry({
    clock,
    entropy,
    logger,
    dataDir: data.path('registry'),
    host,
    port: ports.registry,
    users: [
      { name: 'drydock', password: secrets.registryPassword, scopes: everything },
      { name: developer.login, password: secrets.developerToken, scopes: everything },
    ],
    anonymousPull: true,
    // The base image is made anew when the pinned Node changes.
    tags: { immutable: true, exempt: ['library/node:*'], forbidden: ['latest'] },
    trust: {
      providers: [
        {
          name: 'token.actions.githubusercontent.com',
          issuer: `http://${host}:${ports.forge}`,
          clientIds: ['sts.amazonaws.com'],
        },
      ],
      policies: [
        {
          roleArn: 'arn:aws:iam::123456789012:role/github-actions-myshop-api-ecr-push',
          document: JSON.parse(readFileSync(policy, 'utf8')),
          permissions: [{ repository: 'myshop-api', actions: ['pull', 'push'] }],
        },
      ],
    },
  });
}

function registryClient(ground: Ground, registryHost: string) {
  return createRegistryClient({
    clock,
    logger: ground.logger,
    mirrors: { 'docker.io': `http://${registryHost}` },
    credentials: async (registry) =>
      registry === registryHost ? { username: 'drydock', password: ground.secrets.registryPassword } : undefined,
  });
}

async function makeBaseImage(ground: Ground, client: RegistryClient, registryHost: string): Promise<string> {
  const options = {
    nodeBinary: process.execPath,
    nodeVersion: process.versions.node,
    client,
    ref: `${registryHost}/library/node:24-slim`,
    workDir: ground.data.path('work'),
  };
  await createNodeBaseImage(options, ground.signal);
  return options.ref;
}

function startWorldForge(ground: Ground, registryUrl: string): Promise<Forge> {
  const { data, ports, logger, gitPath } = ground;
  const toolbox = data.path('toolbox');
  writeToolbox(toolbox, process.execPath);
  return startForge({
    clock,
    entropy,
    logger,
    dataDir: data.path('forge'),
    host,
    port: ports.forge,
    gitPath,
    runner: {
      workDir: data.path('runner'),
      env: jobEnvironment(registryUrl),
      builtins: {
        ...basicBuiltins({ gitPath, node: { binDir: toolbox, version: process.versions.node } }),
        ...workflowActions({ clock, logger, mirrors: { 'docker.io': registryUrl } }),
      },
      concurrency: 2,
      extraPath: [toolbox],
    },
  });
}

/** What every job sees of this machine, and where this world keeps what is a cloud elsewhere. */
function jobEnvironment(registryUrl: string): Record<string, string> {
  const kept = ['PATH', 'LANG', 'LC_ALL', 'TZ', 'TMPDIR'];
  const entries = kept.flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value]];
  });
  return { ...Object.fromEntries(entries), AWS_ENDPOINT_URL: registryUrl };
}

/** The base layers are on the node before the first pod asks for them, as on any node that has run a while. */
function unpackAhead(ground: Ground, images: ImageStore, baseImage: Promise<string>): void {
  baseImage
    .then((ref) => images.ensure(parseReference(ref), ground.signal))
    .catch((error: unknown) => ground.logger.warn({}, `the base image is not unpacked ahead: ${messageOf(error)}`));
}

function startWorldCluster(ground: Ground, images: ImageStore) {
  const { data, ports, logger } = ground;
  return startKubernetes({
    clock,
    entropy,
    logger,
    dataDir: data.path('kubernetes'),
    port: ports.kubernetes,
    node: {
      kind: 'process',
      runtimeDir: data.path('pods'),
      podEnv: { PATH: process.env['PATH'] ?? '' },
      pullImage: pullFrom(images),
      ingressPorts: { http: ports.ingressHttp, https: ports.ingressHttps },
    },
  });
}

/** Takes a world's directory away, with everything in it. The world must be stopped. */
export function removeWorld(dataDirectory: string): void {
  rmSync(dataDirectory, { recursive: true, force: true });
}
