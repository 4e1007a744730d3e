import { mkdir, readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { unreachable } from '#base/assert.ts';
import { type Clock, type Entropy, timestamp } from '#base/clock.ts';
import { AppError, messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import type { Listening } from '../address.ts';
import type { Action, RegistryUser } from './access.ts';
import type { RegistryAudit } from './audit.ts';
import { serveAws } from './aws-routes.ts';
import { serveBlob } from './blob-routes.ts';
import { BlobStore } from './blob-store.ts';
import { CloudTrust, type TrustOptions } from './cloud-trust.ts';
import { ContentUse } from './content-use.ts';
import { ifPresent, writeDurably } from './durable-file.ts';
import { answer, type Exchange } from './exchange.ts';
import { cleanUp, collectRegularly, type GarbageStore } from './garbage.ts';
import { Gatekeeper } from './gatekeeper.ts';
import { listReferrers, listRepositories, listTags, serveManifest } from './manifest-routes.ts';
import { digestText } from './names.ts';
import type { FetchJson } from './oidc-keys.ts';
import { RegistryError } from './registry-error.ts';
import { RepositoryStore } from './repository-store.ts';
import { parseRoute, type Route } from './route.ts';
import type { TagPolicy } from './tag-policy.ts';
import { serveUpload, startUpload } from './upload-routes.ts';
import { UploadStore } from './upload-store.ts';

export interface RegistryDeps {
  clock: Clock;
  entropy: Entropy;
  logger: Logger;
  dataDir: string;
  host: string;
  /** 0 takes a free one. */
  port: number;
  users: RegistryUser[];
  /** Anybody may pull; pushing always needs a token. */
  anonymousPull?: boolean;
  tags?: Partial<TagPolicy>;
  /** Who may exchange identity tokens for credentials, by AWS's protocols on `/`. */
  trust?: TrustOptions;
  /** How an identity provider's documents are read; over HTTP by default. */
  fetchJson?: FetchJson;
  /** Hears of every credential given or refused, with the full reason. The same goes to the logger. */
  audit?: RegistryAudit;
  limits?: Partial<RegistryLimits>;
}

export interface RegistryLimits {
  maxBlobBytes: number;
  maxManifestBytes: number;
  maxUploads: number;
  maxConnections: number;
  uploadLifetimeMs: number;
  tokenLifetimeMs: number;
  /** How often unused content is looked for. */
  garbageIntervalMs: number;
}

const defaultLimits: RegistryLimits = {
  maxBlobBytes: 10 * 1024 ** 3,
  maxManifestBytes: 4 * 1024 ** 2,
  maxUploads: 1000,
  maxConnections: 1000,
  uploadLifetimeMs: 24 * 3600_000,
  tokenLifetimeMs: 5 * 60_000,
  garbageIntervalMs: 3600_000,
};

interface Registry {
  blobs: BlobStore;
  repositories: RepositoryStore;
  uploads: UploadStore;
  gatekeeper: Gatekeeper;
  trust: CloudTrust;
  audit: RegistryAudit;
  clock: Clock;
  entropy: Entropy;
  tags: TagPolicy;
  limits: RegistryLimits;
  logger: Logger;
  /** Removes what nothing names any more, and uploads that were given up. */
  collect: () => Promise<void>;
}

/**
 * An OCI distribution 1.1 registry on files. Whatever it acknowledged is on disk; started again on the same directory it
 * goes on where it was, uploads included. Throws `port-taken` when the port is in use.
 */
export async function startRegistry(deps: RegistryDeps): Promise<Listening> {
  const registry = await openRegistry(deps);
  const running = new Set<Promise<void>>();
  const server = createServer({ requestTimeout: 3600_000 }, (request, response) => {
    const work = serve(registry, request, response)
      .catch((error: unknown) => registry.logger.error({}, `registry: an answer failed: ${messageOf(error)}`))
      .finally(() => running.delete(work));
    running.add(work);
  });
  server.maxConnections = registry.limits.maxConnections;
  await listen(server, deps.host, deps.port);
  const { port } = server.address() as AddressInfo;
  const stopping = new AbortController();
  const { garbageIntervalMs } = registry.limits;
  const collecting = collectRegularly(registry, garbageIntervalMs, stopping.signal);
  return {
    host: deps.host,
    port,
    url: `http://${deps.host}:${port}`,
    async [Symbol.asyncDispose]() {
      stopping.abort();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
      // What a request was writing is written or given up before the directory is anybody else's.
      await Promise.allSettled([...running, collecting]);
    },
  };
}

async function openRegistry(deps: RegistryDeps): Promise<Registry> {
  const { clock, entropy, logger, dataDir } = deps;
  const limits = { ...defaultLimits, ...deps.limits };
  await mkdir(dataDir, { recursive: true });
  const use = new ContentUse(clock, limits.uploadLifetimeMs);
  const blobDirectory = join(dataDir, 'blobs');
  const blobs = new BlobStore({ directory: blobDirectory, temporary: join(dataDir, 'tmp'), entropy, use });
  await blobs.open();
  const repositories = new RepositoryStore({ directory: join(dataDir, 'repositories'), blobs });
  const uploads = new UploadStore({ directory: join(dataDir, 'uploads'), clock, entropy, limits });
  await uploads.open();
  const store: GarbageStore = { repositories, use, blobDirectory };
  const collect = async (): Promise<void> => {
    await uploads.removeExpired();
    await cleanUp(store, deps, limits.uploadLifetimeMs);
  };
  await collect();
  const key = await signingKey(join(dataDir, 'signing-key'), entropy);
  const audit: RegistryAudit = (record) => {
    logger.info(record, `registry: ${record.action} ${record.outcome}`);
    deps.audit?.(record);
  };
  const trustOptions = deps.trust ?? { providers: [], policies: [] };
  const trust = new CloudTrust({ clock, entropy, key, trust: trustOptions, fetchJson: deps.fetchJson, audit });
  const gatekeeper = new Gatekeeper({
    clock,
    entropy,
    users: deps.users,
    anonymousPull: deps.anonymousPull ?? false,
    key,
    tokenLifetimeMs: limits.tokenLifetimeMs,
    recognise: (name, password) => trust.recognise(name, password),
  });
  const tags = { immutable: false, exempt: [], forbidden: [], ...deps.tags };
  return { blobs, repositories, uploads, gatekeeper, trust, audit, clock, entropy, tags, limits, logger, collect };
}

/** Kept on disk so that tokens stay good over a restart. */
async function signingKey(path: string, entropy: Entropy): Promise<Buffer> {
  const kept = await ifPresent(readFile(path));
  if (kept?.length === 32) return kept;
  const key = entropy.bytes(32);
  await writeDurably(path, key, `${path}.new`);
  return key;
}

async function listen(server: Server, host: string, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EADDRINUSE') reject(error);
      else
        reject(
          new AppError('port-taken', `the registry cannot listen on ${host}:${port}: the port is in use`, {
            hint: 'stop the program that uses it, or choose another port',
            cause: error,
          }),
        );
    });
    server.listen(port, host, resolve);
  });
}

async function serve(registry: Registry, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const authority = request.headers.host ?? `${request.socket.localAddress}:${request.socket.localPort}`;
  response.setHeader('Docker-Distribution-Api-Version', 'registry/2.0');
  response.setHeader('X-Content-Type-Options', 'nosniff');
  const origin = `http://${authority}`;
  const url = URL.parse(request.url ?? '/', 'http://registry.invalid');
  const path = url?.pathname ?? '/';
  const query = url?.searchParams ?? new URLSearchParams();
  const exchange: Exchange = { method: request.method ?? 'GET', path, query, request, response, origin };
  try {
    await dispatch(registry, exchange);
  } catch (error) {
    if (response.headersSent || response.destroyed) {
      response.destroy();
      registry.logger.debug({ method: exchange.method, path }, `connection ended early: ${messageOf(error)}`);
    } else if (error instanceof RegistryError) {
      const headers = { 'Content-Type': 'application/json', ...error.headers };
      answer(exchange, { status: error.status, headers, body: error.body() });
    } else if (request.destroyed && !request.complete) {
      registry.logger.debug({ method: exchange.method, path }, 'the client went away');
    } else {
      registry.logger.error({ method: exchange.method, path }, `request failed: ${messageOf(error)}`);
      const body = new RegistryError('UNKNOWN', 'unknown error').body();
      answer(exchange, { status: 500, headers: { 'Content-Type': 'application/json' }, body });
    }
  }
}

async function dispatch(registry: Registry, exchange: Exchange): Promise<void> {
  if (exchange.path === '/token') return await registry.gatekeeper.serveToken(exchange);
  if (exchange.path === '/') {
    if (exchange.method === 'GET' && !exchange.query.has('Action')) return greet(exchange);
    return await serveAws(registry, exchange);
  }
  const route = parseRoute(exchange.path);
  if (!route) throw new RegistryError('UNSUPPORTED', 'there is nothing at this path', { status: 404 });
  const actor = await admit(registry, exchange, route);
  await handle(registry, exchange, route);
  if (route.kind === 'manifest') recordChange(registry, exchange, { route, actor });
}

/** For a person who opens the address in a browser. */
function greet(exchange: Exchange): void {
  const { host } = new URL(exchange.origin);
  const body = `An OCI registry. Images here are called ${host}/NAME:TAG; its API starts at ${exchange.origin}/v2/\n`;
  answer(exchange, { status: 200, headers: { 'Content-Type': 'text/plain; charset=utf-8' }, body });
}

/** Who is asking; throws when they may not. */
async function admit(registry: Registry, exchange: Exchange, route: Route): Promise<string> {
  const { gatekeeper } = registry;
  if (route.kind === 'base') return await gatekeeper.checkBase(exchange);
  if (route.kind === 'catalog') return await gatekeeper.checkCatalog(exchange);
  return await gatekeeper.check(exchange, route.repository, neededActions(exchange.method, route));
}

function recordChange(
  registry: Registry,
  exchange: Exchange,
  change: { route: Extract<Route, { kind: 'manifest' }>; actor: string },
): void {
  if (exchange.method !== 'PUT' && exchange.method !== 'DELETE') return;
  const { repository, reference } = change.route;
  const digest = exchange.response.getHeader('Docker-Content-Digest');
  registry.audit({
    at: timestamp(registry.clock.now()),
    action: exchange.method === 'PUT' ? 'push-manifest' : 'delete-manifest',
    outcome: 'granted',
    actor: change.actor,
    repository,
    reference: reference.kind === 'tag' ? reference.tag : digestText(reference.digest),
    ...(typeof digest === 'string' ? { digest } : {}),
  });
}

function neededActions(method: string, route: Route): Action[] {
  if (route.kind === 'upload' || route.kind === 'uploads') return ['push'];
  switch (method) {
    case 'GET':
    case 'HEAD':
      return ['pull'];
    case 'DELETE':
      return ['delete'];
    default:
      return ['push'];
  }
}

async function handle(registry: Registry, exchange: Exchange, route: Route): Promise<void> {
  const { repositories, gatekeeper, tags, limits } = registry;
  switch (route.kind) {
    case 'base':
      answer(exchange, { status: 200, headers: { 'Content-Type': 'application/json' }, body: '{}' });
      return;
    case 'catalog':
      return await listRepositories(await repositories.repositories(), exchange);
    case 'blob':
      return await serveBlob(registry, exchange, route);
    case 'uploads': {
      const mayPull = (from: string) => gatekeeper.mayMount(exchange, route.repository, from);
      return await startUpload(registry, exchange, { repository: route.repository, mayPull });
    }
    case 'upload':
      return await serveUpload(registry, exchange, route);
    case 'manifest': {
      const options = { repositories, tags, maxManifestBytes: limits.maxManifestBytes };
      return await serveManifest(options, exchange, route);
    }
    case 'tags':
      return await listTags(repositories, exchange, route.repository);
    case 'referrers':
      return await listReferrers(repositories, exchange, route);
    default:
      unreachable(route);
  }
}
