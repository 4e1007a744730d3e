import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import type { ApplicationEngine, ApplicationResources, InstanceSight, InstanceStore } from '#apps/port.ts';
import type { Clock, Entropy } from '#base/clock.ts';
import { AppError } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import { registerSecret } from '#base/redact.ts';
import type { AuditLog } from '#trace/event.ts';
import type { Tracer } from '#trace/report.ts';
import { Guard } from './access/guard.ts';
import { OidcVerifier } from './access/oidc.ts';
import { Sessions } from './access/sessions.ts';
import { createApp } from './app.ts';
import { isLoopbackHost } from './auth.ts';
import { LiveFeed } from './live-feed.ts';
import type { EngineWork } from './metrics.ts';
import { SyncCounter } from './sync-counter.ts';

export interface ServerDeps {
  engine: ApplicationEngine;
  resources: ApplicationResources;
  instance: InstanceStore;
  sight: InstanceSight;
  audit: AuditLog;
  tracer: Tracer;
  logger: Logger;
  clock: Clock;
  entropy: Entropy;
  host: string;
  /** 0 takes a free one. */
  port: number;
  webhookSecret: string | undefined;
  /** For metrics, where the engine tells it. */
  engineWork?: (() => EngineWork) | undefined;
  /** The administrator's bearer token. */
  token: string;
  /** Reading without a token; refused unless `host` is loopback. */
  anonymousRead: boolean;
  version: string;
  /** The built page (web/dist). */
  webDir: string;
}

export interface ListeningServer extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  readonly url: string;
}

/** Serves the API, the webhook and the page. Disposing ends open streams and connections. Throws `port-taken`. */
export async function startServer(deps: ServerDeps): Promise<ListeningServer> {
  const { engine, instance, audit, tracer, logger, clock, entropy, token, host } = deps;
  if (deps.anonymousRead && !isLoopbackHost(host))
    throw new AppError('bad-input', `reading without a token is only for loopback, not for ${host}`);
  registerSecret(token);
  if (deps.webhookSecret !== undefined) registerSecret(deps.webhookSecret);
  const closing = new AbortController();
  const guard = new Guard(instance);
  const boot = entropy.bytes(6).toString('hex');
  const feed = new LiveFeed({ engine, audit, logger, boot, names: guard });
  const syncs = new SyncCounter(engine);
  const oidc = new OidcVerifier({ instance, clock });
  const app = createApp({
    engine,
    resources: deps.resources,
    instance,
    sight: deps.sight,
    audit,
    tracer,
    feed,
    syncs,
    engineWork: deps.engineWork,
    logger,
    clock,
    entropy,
    auth: {
      token,
      anonymousRead: deps.anonymousRead,
      now: () => clock.now(),
      instance,
      sessions: new Sessions({ instance, clock, entropy }),
      oidc,
      guard,
    },
    webhookSecret: deps.webhookSecret,
    version: deps.version,
    webDir: deps.webDir,
    closing: closing.signal,
  });
  const server = createServer(getRequestListener(app.fetch));
  // A live stream stays open for as long as a page does.
  server.requestTimeout = 60_000;
  server.headersTimeout = 15_000;
  server.keepAliveTimeout = 65_000;
  let port: number;
  try {
    port = await listen(server, deps);
  } catch (error) {
    await feed[Symbol.asyncDispose]();
    throw error;
  }
  const shown = host.includes(':') ? `[${host}]` : host;
  return {
    host,
    port,
    url: `http://${shown}:${port}`,
    async [Symbol.asyncDispose]() {
      closing.abort();
      await feed[Symbol.asyncDispose]();
      syncs[Symbol.dispose]();
      await oidc[Symbol.asyncDispose]();
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeIdleConnections();
      const late = setTimeout(() => server.closeAllConnections(), 500);
      await closed;
      clearTimeout(late);
    },
  };
}

function listen(server: Server, { host, port, logger }: ServerDeps): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      if (cause.code === 'EADDRINUSE')
        return reject(
          new AppError('port-taken', `port ${port} of ${host} is in use by another program`, {
            hint: 'end that program or choose another port',
            cause,
          }),
        );
      reject(new AppError('unavailable', `cannot listen on ${host}:${port}: ${cause.message}`, { cause }));
    });
    server.listen(port, host, () => {
      server.removeAllListeners('error');
      server.on('error', (error) => logger.error({ host, port }, `the listening socket failed: ${error.message}`));
      resolve((server.address() as AddressInfo).port);
    });
  });
}
