import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createServer as createProbe } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Clock, Entropy } from '#base/clock.ts';
import { AppError, messageOf } from '#base/errors.ts';
import { isObject } from '#base/json.ts';
import type { Logger } from '#base/log.ts';
import { registerSecret } from '#base/redact.ts';
import type { Listening } from '../../address.ts';
import type { AuditEntry } from '../access/audit.ts';
import { ensureAuthenticationConfig } from '../access/authentication-config.ts';
import { type AuthorizationMode, Authorizer } from '../access/authorizer.ts';
import { ensureBootstrapPolicy } from '../access/bootstrap-policy.ts';
import { RoleIndex } from '../access/role-index.ts';
import { Authenticator, administratorToken, type StaticToken } from './credential/authentication.ts';
import {
  clusterIdentity,
  issueServerCertificate,
  type KeyedCertificate,
  signClientRequest,
} from './credential/certificates.ts';
import { adminKubeconfig, type KubeconfigSubject, userKubeconfig } from './credential/kubeconfig.ts';
import { CustomResources } from './definition/crd.ts';
import { inProcessApi } from './in-process.ts';
import type { ApiServer, NodeLogs, NodeUsage, TypeRegistry } from './port.ts';
import { Router } from './requests/router.ts';
import { ServedResources } from './served.ts';
import { Journal } from './store/journal.ts';
import { Store } from './store/store.ts';
import type { PodAdmission } from './write/admission.ts';
import { ensureBuiltinObjects, keepBuiltinObjects } from './write/builtin-objects.ts';
import { ServiceAddresses } from './write/service-addresses.ts';
import { type ServiceNetworkOptions, serviceNetwork } from './write/service-network.ts';
import { parseSigningRequest } from './write/signing-request.ts';
import type { WriteDeps } from './write/write.ts';

export interface ApiServerOptions {
  clock: Clock;
  entropy: Entropy;
  logger: Logger;
  types: TypeRegistry;
  /** Undefined keeps everything in memory. */
  dataDir: string | undefined;
  /** 0, the default, takes any free one. */
  port?: number;
  logs?: NodeLogs;
  /** Whether a node port can be listened on; by default a trial bind on loopback. */
  isPortFree?: (port: number) => Promise<boolean>;
  services?: ServiceNetworkOptions;
  podAdmission?: Partial<PodAdmission>;
  /** Who else may come in, by bearer token. */
  tokens?: readonly StaticToken[];
  /** `rbac` by default. */
  authorization?: AuthorizationMode;
  /** Gets what the audit writes to the log: each write, and each refusal. */
  audit?: (entry: AuditEntry) => void;
}

export interface ApiServerHandle extends AsyncDisposable {
  api: ApiServer;
  listening: Pick<Listening, 'url' | 'port' | 'host'>;
  kubeconfig(): string;
  /** For any user or service account, by a client certificate; rights come from roles bound to its name and groups. */
  kubeconfigFor(subject: KubeconfigSubject): string;
  adminToken: string;
  caPem: string;
  /** The certificate (PEM) that a PKCS #10 request (PEM) asks for, as a client. Throws an Error for what is no request. */
  signRequest(request: string, lifetimeMs: number): string;
  /** Of the cluster's authority, for a server of this host name. */
  certificateFor(host: string): KeyedCertificate;
  setNodeLogs(logs: NodeLogs): void;
  /** Serves `metrics.k8s.io` from now on. */
  setNodeUsage(usage: NodeUsage): void;
}

const host = '127.0.0.1';

/**
 * Serves the Kubernetes API over HTTPS on loopback. Resolves when it listens and holds the built-in objects. Throws
 * AppError port-taken, and corrupt-data when what is in `dataDir` cannot be read.
 */
export async function startApiServer(options: ApiServerOptions): Promise<ApiServerHandle> {
  const { clock, entropy, logger, types, dataDir, port = 0, isPortFree = canListen } = options;
  const network = serviceNetwork(options.services ?? {});
  const identity = clusterIdentity({ clock, entropy }, dataDir);
  await using stack = new AsyncDisposableStack();
  const journal = dataDir === undefined ? undefined : await Journal.open(dataDir);
  stack.defer(() => journal?.close());
  const store = stack.use(new Store(journal));
  const served = new ServedResources(types);
  const addresses = new ServiceAddresses({ store, isPortFree, network });
  const podAdmission = { serviceAccount: true, defaultTolerationSeconds: true, ...options.podAdmission };
  const roles = stack.use(new RoleIndex(store));
  const authorizer = new Authorizer(roles, options.authorization);
  const deps: WriteDeps = { clock, entropy, types, store, served, addresses, podAdmission, authorizer, roles };
  stack.use(new CustomResources({ ...deps, logger }));
  const tokens = [administratorToken(identity.adminToken), ...(options.tokens ?? [])];
  for (const { token } of tokens) registerSecret(token);
  const authenticator = new Authenticator(tokens);
  const router = new Router({ ...deps, logger, authenticator, audit: options.audit });
  if (options.logs) router.setNodeLogs(options.logs);
  const server = createServer({
    key: identity.server.keyPem,
    cert: identity.server.certificatePem,
    ca: identity.authority.certificatePem,
    requestCert: true,
    rejectUnauthorized: false,
    keepAliveTimeout: 120_000,
    requestTimeout: 0,
  });
  server.on('request', (request, response) => void router.handle(request, response));
  const bound = await listen(server, port);
  stack.defer(() => close(server, bound.sockets));
  await ensureBuiltinObjects(deps, bound.port);
  await ensureBootstrapPolicy(deps);
  await ensureAuthenticationConfig(deps, identity.authority.certificatePem);
  stack.use(keepBuiltinObjects({ ...deps, logger }, bound.port));
  const url = `https://${host}:${bound.port}`;
  let usage: NodeUsage | undefined;
  const owned = stack.move();
  return {
    api: inProcessApi(deps, () => usage?.read()),
    listening: { url, host, port: bound.port },
    kubeconfig: () => adminKubeconfig(url, identity),
    kubeconfigFor: (subject) => userKubeconfig({ clock, entropy }, { url, identity }, subject),
    adminToken: identity.adminToken,
    caPem: identity.authority.certificatePem,
    signRequest: (request, lifetimeMs) =>
      signClientRequest({ clock, entropy }, identity.authority, { ...parseSigningRequest(request), lifetimeMs }),
    certificateFor: (host) => issueServerCertificate({ clock, entropy }, identity.authority, host),
    setNodeLogs: (logs) => router.setNodeLogs(logs),
    setNodeUsage(given) {
      usage = given;
      router.setNodeUsage(given);
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function listen(server: Server, port: number): Promise<{ port: number; sockets: Set<Duplex> }> {
  const sockets = new Set<Duplex>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: Error) => reject(listenError(error, port)));
    server.listen(port, host, resolve);
  });
  const address = server.address();
  return { port: isAddressInfo(address) ? address.port : port, sockets };
}

function listenError(error: Error, port: number): AppError {
  if ('code' in error && error.code === 'EADDRINUSE')
    return new AppError(
      'port-taken',
      `the Kubernetes API server cannot listen on ${host}:${port}: the port is in use`,
      {
        cause: error,
        hint: `Stop what listens on port ${port} (another running cluster?), or choose another port.`,
      },
    );
  return new AppError(
    'unavailable',
    `the Kubernetes API server cannot listen on ${host}:${port}: ${messageOf(error)}`,
    {
      cause: error,
    },
  );
}

function isAddressInfo(value: unknown): value is AddressInfo {
  return isObject(value) && typeof value['port'] === 'number';
}

async function close(server: Server, sockets: Set<Duplex>): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  for (const socket of sockets) socket.destroy();
  await closed;
}

function canListen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createProbe();
    probe.once('error', () => resolve(false));
    probe.listen(port, host, () => probe.close(() => resolve(true)));
  });
}
