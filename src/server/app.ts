import { Hono } from 'hono';
import type { ApplicationEngine, ApplicationResources, InstanceSight, InstanceStore } from '#apps/port.ts';
import type { Clock, Entropy } from '#base/clock.ts';
import { AppError } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import type { AuditLog } from '#trace/event.ts';
import type { Tracer } from '#trace/report.ts';
import { signOn } from './access/sign-on.ts';
import { argocdApi } from './argocd/api.ts';
import { badge } from './argocd/badge.ts';
import { requireJson } from './argocd/content-type.ts';
import { openApi } from './argocd/openapi.ts';
import { sessionRoutes } from './argocd/session-routes.ts';
import { settingsRoutes } from './argocd/settings-routes.ts';
import { type AuthOptions, authenticate, identify, type ServerEnv, tokenLink } from './auth.ts';
import { limitBody } from './body.ts';
import { tellChanges } from './changes.ts';
import type { LiveFeed } from './live-feed.ts';
import { type EngineWork, renderMetrics } from './metrics.ts';
import { page } from './page.ts';
import { answerError } from './problem.ts';
import { slipwayApi } from './slipway-api.ts';
import { slipwayLive } from './slipway-live.ts';
import type { SyncCounter } from './sync-counter.ts';
import { webhook } from './webhook/webhook.ts';

export interface AppDeps {
  engine: ApplicationEngine;
  resources: ApplicationResources;
  instance: InstanceStore;
  sight: InstanceSight;
  audit: AuditLog;
  tracer: Tracer;
  feed: LiveFeed;
  syncs: SyncCounter;
  engineWork: (() => EngineWork) | undefined;
  logger: Logger;
  clock: Clock;
  entropy: Entropy;
  auth: AuthOptions;
  webhookSecret: string | undefined;
  version: string;
  webDir: string;
  /** Aborts when the server stops: open streams end. */
  closing: AbortSignal;
}

const bodyBytesMax = 4 * 1024 * 1024;
/** What answers to whoever asks; to those who are known it may say more. */
const open = ['/api/v1/session', '/api/v1/session/userinfo', '/api/v1/settings', '/api/version'];

/** All routes. What is not below `/healthz`, `/api/webhook` or the page's own files needs a principal. */
export function createApp(deps: AppDeps): Hono<ServerEnv> {
  const { engine, audit, tracer, feed, logger, auth, version, closing } = deps;
  const app = new Hono<ServerEnv>();
  const requests = new Map<string, number>();
  app.onError((error, c) => answerError(error, c, logger));
  app.use(async (c, next) => {
    await next();
    const status = String(c.res.status);
    if (c.req.path.startsWith('/api/') && !c.res.headers.has('cache-control')) c.header('cache-control', 'no-store');
    requests.set(status, (requests.get(status) ?? 0) + 1);
  });
  app.use(tokenLink(auth));

  app.get('/healthz', (c) => c.text('ok'));
  const pushes = new Map<string, number>();
  const { instance, webhookSecret: secret } = deps;
  app.route('/api', webhook({ engine, instance, audit, logger, secret, now: auth.now, counts: pushes }));

  app.use('/api/*', limitBody(bodyBytesMax));
  app.use('/api/v1/*', requireJson(deps.instance));
  for (const path of open) app.use(path, identify(auth));
  app.route('/api/v1', sessionRoutes(auth.sessions));
  app.route('/api/v1', settingsRoutes({ instance: deps.instance, logger }));
  app.route('/api', badge({ engine, instance: deps.instance }));
  app.get('/swagger.json', (c) => c.json(openApi(app, version)));
  app.get('/api/version', (c) => c.json({ Version: `v${version}` }));

  app.use('/auth/logout', identify(auth));
  app.route('/', signOn({ ...auth, entropy: deps.entropy }));

  app.use('/api/*', authenticate(auth));
  const { clock, entropy } = deps;
  app.use('/api/v1/*', tellChanges({ audit, instance, clock, entropy, logger }));
  app.use('/metrics', authenticate(auth));
  app.get('/metrics', (c) => {
    const { logins } = auth.sessions;
    const counts = { requests, logins, pushes, streamReaders: feed.readers, streamDropped: feed.dropped };
    const who = c.get('principal');
    const applications = engine.list().filter((application) => auth.guard.may(who, 'get', application));
    const clusters = auth.guard.allows(who, 'clusters', 'get', '*') ? deps.sight.clusters() : [];
    const { syncs } = deps;
    const seesAll = applications.length === engine.list().length;
    const measured = {
      work: deps.engineWork?.(),
      applications,
      clusters,
      syncs: seesAll ? syncs.counts : [],
      counts,
      version,
    };
    const { text, contentType } = renderMetrics(measured);
    return c.body(text, 200, { 'content-type': contentType });
  });
  app.route('/api/v1', argocdApi({ ...deps, sessions: auth.sessions, guard: auth.guard }));
  app.route(
    '/api/slipway/v1',
    slipwayApi({ engine, resources: deps.resources, audit, tracer, feed, guard: auth.guard }),
  );
  app.route('/api/slipway/v1', slipwayLive({ feed, guard: auth.guard, version, closing }));
  app.all('/api/*', (c) => {
    throw new AppError('not-found', `${c.req.method} ${c.req.path} is not served`);
  });
  app.route('/', page(deps.webDir));
  return app;
}
