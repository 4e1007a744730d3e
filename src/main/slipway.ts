import { mkdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { gitAccess } from '#apps/git-access.ts';
import { followInstance } from '#apps/instance.ts';
import { repositoryAccess } from '#apps/repository-access.ts';
import { AppError } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import { startEngine } from '#controllers/engine.ts';
import { createGitHubClient } from '#forge/github.ts';
import { githubAppTokens } from '#git/github-app.ts';
import { createGitMirrors } from '#git/mirrors.ts';
import { createKubeClient } from '#kube/client.ts';
import { createInformerSet } from '#kube/informer.ts';
import type { KubeTarget } from '#kube/target.ts';
import { parseDockerConfig } from '#oci/docker-config.ts';
import type { RegistryCredentials } from '#oci/port.ts';
import { createRegistryClient } from '#oci/registry-client.ts';
import { startServer } from '#server/server.ts';
import { openStore } from '#store/store.ts';
import { createAuditLog } from '#trace/audit-log.ts';
import { createTracer } from '#trace/trace.ts';
import { projectRoot, requireProgram } from './programs.ts';
import { pluginHost, renderTool } from './render-tools.ts';
import { systemClock as clock, systemEntropy as entropy } from './system.ts';
import { builtinTypeKnowledge } from './type-knowledge.ts';
import { slipwayVersion } from './version.ts';

export interface SlipwayOptions {
  target: KubeTarget;
  /** Where the Application objects are. */
  namespace: string;
  /** History, mirrors and caches. */
  dataDir: string;
  host: string;
  port: number;
  token: string;
  webhookSecret: string | undefined;
  anonymousRead: boolean;
  /** Folder of the config management plugins that may run; none when undefined. */
  plugins?: string | undefined;
  /** The forge that knows runs, approvals and people; GitHub or what speaks its REST API. */
  forge: { webUrl: string; apiUrl: string; token: string | undefined };
  logger: Logger;
}

export interface Slipway extends AsyncDisposable {
  url: string;
  /** Address of the cluster it looks after. */
  cluster: string;
}

/** Slipway for one cluster: the engine, its history, the API and the page. Knows the cluster by its API only. */
export async function startSlipway(options: SlipwayOptions): Promise<Slipway> {
  const { dataDir, logger, namespace, target } = options;
  await using stack = new AsyncDisposableStack();
  const starting = new AbortController();
  stack.defer(() => starting.abort(new AppError('canceled', 'Slipway is stopping')));
  const { signal } = starting;

  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const store = stack.use(await openStore({ path: join(dataDir, 'history.db'), clock, logger }));
  const audit = createAuditLog({ store, clock });
  const kube = stack.use(createKubeClient({ target, clock, logger }));
  const informers = stack.use(createInformerSet({ client: kube, clock, entropy, logger }));
  const instance = stack.use(followInstance({ kube, namespace, clock, entropy, logger }));
  const access = repositoryAccess({ instance, logger });
  const tokens = stack.use(githubAppTokens({ clock }));
  const git = stack.use(
    createGitMirrors({
      dir: join(dataDir, 'mirrors'),
      gitPath: requireProgram('git'),
      clock,
      entropy,
      logger,
      credentials: async (url, scope, abort) =>
        await gitAccess({ tokens }, await access.find(url, scope, abort), abort),
      env: gitEnvironment(),
    }),
  );
  const logins = dockerLogins();
  const tools = [renderTool('helm'), renderTool('kubectl')] as const;
  const [helm, kubectl, plugins] = await Promise.all([...tools, pluginHost(options.plugins)]);
  const faces = stack.use(
    await startEngine(
      {
        kube,
        informers,
        instance,
        git,
        audit,
        clock,
        entropy,
        logger,
        cacheDir: join(dataDir, 'cache'),
        helm,
        plugins,
        kubectl,
        env: gitEnvironment(),
        registryCredentials: async (name) => logins.get(name),
        types: builtinTypeKnowledge(),
      },
      signal,
    ),
  );
  const registry = stack.use(createRegistryClient({ clock, logger, credentials: async (name) => logins.get(name) }));
  const forge = createGitHubClient({ ...options.forge, clock });
  const tracer = createTracer({ kube, engine: faces.engine, audit, git, registry, forge });
  const server = stack.use(
    await startServer({
      engine: faces.engine,
      resources: faces.resources,
      instance: faces.instance,
      sight: faces.sight,
      engineWork: () => faces.counts,
      audit,
      tracer,
      logger,
      clock,
      entropy,
      host: options.host,
      port: options.port,
      webhookSecret: options.webhookSecret,
      token: options.token,
      anonymousRead: options.anonymousRead,
      version: slipwayVersion(),
      webDir: join(projectRoot, 'web', 'dist'),
    }),
  );
  const running = stack.move();
  return { url: server.url, cluster: kube.server, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

/** What git may see of this process's environment: how to reach the network, nothing of the user's settings. */
function gitEnvironment(): Record<string, string> {
  const names = [
    'PATH',
    'HTTP_PROXY',
    'HTTPS_PROXY',
    'NO_PROXY',
    'http_proxy',
    'https_proxy',
    'no_proxy',
    'ALL_PROXY',
    'all_proxy',
    'GIT_SSH_COMMAND',
    'GIT_SSL_CAINFO',
    'SSL_CERT_FILE',
    'SSH_AUTH_SOCK',
  ];
  const entries = names.flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value]];
  });
  return Object.fromEntries(entries);
}

/** What `docker login` has left on this machine, for reading the labels of private images. */
function dockerLogins(): Map<string, RegistryCredentials> {
  const path = join(process.env['DOCKER_CONFIG'] ?? join(homedir(), '.docker'), 'config.json');
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return new Map();
  }
  return parseDockerConfig(text, path);
}
