import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { AppError, messageOf } from '#base/errors.ts';
import { getArray, getString } from '#base/json.ts';
import type { ClusterKubeconfigOptions, ClusterOptions } from '#cli/deps.ts';
import { clusterIdentity } from '#drydock/kubernetes/api/credential/certificates.ts';
import { userKubeconfig } from '#drydock/kubernetes/api/credential/kubeconfig.ts';
import { freePorts, openDataDirectory, writeFileDurably } from './data-directory.ts';
import { startKubernetes } from './kubernetes.ts';
import { createLogger } from './logger.ts';
import { systemClock as clock, systemEntropy as entropy } from './system.ts';
import { readWorldInfo } from './world-info.ts';

const ClusterInfo = z.object({ url: z.string(), port: z.number().int() });

/** Where a cluster of the command line is and what it keeps; undefined members keep nothing. */
interface Home {
  root: string;
  dataDir: string | undefined;
  logFile: string | undefined;
  info: string;
  kubeconfig: string;
}

/** `slipway cluster`: a cluster by itself until Ctrl-C. Its data stays and is found again by the next start. */
export async function runCluster(options: ClusterOptions, signal: AbortSignal): Promise<number> {
  const started = performance.now();
  await using stack = new AsyncDisposableStack();
  const home = options.inMemory ? temporaryHome(stack) : openHome(stack, options.dataDirectory);
  const kubeconfig = options.kubeconfig === undefined ? home.kubeconfig : resolve(options.kubeconfig);
  refuseForeignKubeconfig(kubeconfig);
  const off = options.disableAdmission;
  const cluster = stack.use(
    await startKubernetes({
      dataDir: home.dataDir,
      port: options.port ?? (await keptPort(home)),
      node: options.node,
      simulator: { nodes: options.nodes, speed: options.speed, imageFaults: options.imageFaults },
      controllers: options.controllers,
      tokens: options.tokens,
      services: options.services,
      authorization: options.authorization,
      podAdmission: {
        serviceAccount: !off.includes('ServiceAccount'),
        defaultTolerationSeconds: !off.includes('DefaultTolerationSeconds'),
      },
      logger: createLogger(home.logFile === undefined ? { level: 'warn' } : { file: home.logFile }),
    }),
  );
  writeFileDurably(home.info, `${JSON.stringify({ url: cluster.url, port: cluster.port })}\n`);
  writeFileDurably(kubeconfig, cluster.kubeconfig);
  const ms = performance.now() - started;
  const { url, ingressPorts } = cluster;
  process.stdout.write(welcome({ options, home, kubeconfig, url, ingressPorts, ms }));
  if (!signal.aborted) await once(signal, 'abort');
  process.stdout.write(options.inMemory ? '\nstopping\n' : `\nstopping; it is kept in ${shown(home.root)}\n`);
  return 0;
}

/** A kubeconfig for a user of the cluster, or of the world, in a data directory; it may be running or not. */
export async function clusterKubeconfig(options: ClusterKubeconfigOptions): Promise<string> {
  const { dataDirectory, user, groups, namespace } = options;
  const home = homeIn(resolve(dataDirectory ?? join('.slipway', 'cluster')));
  const url = readInfo(home)?.url ?? worldUrl(home.root);
  if (url === undefined || home.dataDir === undefined || !existsSync(join(home.dataDir, 'identity.json')))
    throw new AppError('not-found', `there is no cluster in ${shown(home.root)}`, {
      hint: 'start one with slipway cluster, or name its directory with --data',
    });
  const identity = clusterIdentity({ clock, entropy }, home.dataDir);
  const subject = { user, ...(groups.length > 0 ? { groups } : {}), ...(namespace === undefined ? {} : { namespace }) };
  return userKubeconfig({ clock, entropy }, { url, identity }, subject);
}

function worldUrl(root: string): string | undefined {
  const path = join(root, 'world.json');
  return existsSync(path) ? readWorldInfo(path).kubernetes.url : undefined;
}

function homeIn(root: string): Home {
  return {
    root,
    dataDir: join(root, 'kubernetes'),
    logFile: join(root, 'cluster.log'),
    info: join(root, 'cluster.json'),
    kubeconfig: join(root, 'kubeconfig'),
  };
}

function openHome(stack: AsyncDisposableStack, directory: string | undefined): Home {
  const root = resolve(directory ?? join('.slipway', 'cluster'));
  const data = openDataDirectory(root);
  stack.defer(() => data[Symbol.dispose]());
  return homeIn(root);
}

function temporaryHome(stack: AsyncDisposableStack): Home {
  const root = mkdtempSync(join(tmpdir(), 'slipway-cluster-'));
  stack.defer(() => rmSync(root, { recursive: true, force: true }));
  return { ...homeIn(root), dataDir: undefined, logFile: undefined };
}

/** The port of the last start, because it stands in kubeconfigs; a free one at the first. */
async function keptPort(home: Home): Promise<number> {
  const known = readInfo(home);
  if (known) return known.port;
  const [port] = await freePorts(1);
  return port ?? 0;
}

function readInfo(home: Home): z.infer<typeof ClusterInfo> | undefined {
  if (!existsSync(home.info)) return undefined;
  try {
    return ClusterInfo.parse(JSON.parse(readFileSync(home.info, 'utf8')));
  } catch (cause) {
    throw new AppError('corrupt-data', `${home.info} cannot be read: ${messageOf(cause)}`, {
      cause,
      hint: 'remove it: a free port is chosen anew, and kubeconfigs must be written again',
    });
  }
}

/** A kubeconfig that holds clusters of others would be lost. */
function refuseForeignKubeconfig(path: string): void {
  if (!existsSync(dirname(path)))
    throw new AppError('bad-input', `the directory ${dirname(path)} for the kubeconfig does not exist`);
  if (!existsSync(path)) return;
  let names: (string | undefined)[];
  try {
    names = getArray(parse(readFileSync(path, 'utf8')), 'clusters').map((item) => getString(item, 'name'));
  } catch (cause) {
    throw new AppError('conflict', `${path} is there and is no kubeconfig`, {
      cause,
      hint: 'choose another file with --kubeconfig',
    });
  }
  if (names.length > 0 && names.every((name) => name === 'drydock')) return;
  throw new AppError('conflict', `${path} holds other things, and is not overwritten`, {
    hint: 'choose another file with --kubeconfig; KUBECONFIG takes several, separated by colons',
  });
}

function shown(path: string): string {
  const near = relative(process.cwd(), path);
  return near.startsWith('..') ? path : near || '.';
}

const nodeTexts: Record<ClusterOptions['node'], (count: number) => string> = {
  simulated: (count) => `${count} simulated node${count === 1 ? '' : 's'}: pods behave, nothing runs`,
  process: () => 'one node: pods are processes of this machine, without isolation',
  none: () => 'no node: pods stay Pending',
};

interface Welcome {
  options: ClusterOptions;
  home: Home;
  kubeconfig: string;
  url: string;
  ingressPorts: { http: number; https: number } | undefined;
  ms: number;
}

function welcome({ options, home, kubeconfig, url, ingressPorts, ms }: Welcome): string {
  const kept = options.inMemory ? 'nothing is kept' : `everything is kept in ${shown(home.root)}`;
  const data = options.dataDirectory === undefined ? '' : ` --data ${shown(home.root)}`;
  const others = options.inMemory
    ? ''
    : `
Somebody with fewer rights
  slipway cluster kubeconfig${data} --user kim --group viewers > kim.kubeconfig
`;
  const ingress = ingressPorts
    ? `\n  Ingresses answer at http://127.0.0.1:${ingressPorts.http}, https on port ${ingressPorts.https}, by the Host header`
    : '';
  return `
Kubernetes is up at ${url} after ${(ms / 1000).toFixed(2)} s. Ctrl-C stops it; ${kept}.
  ${nodeTexts[options.node](options.nodes)}${ingress}

  export KUBECONFIG=${kubeconfig}
  kubectl create deployment web --image=nginx:1.27 --replicas=3
  kubectl get pods --watch
${others}`;
}
