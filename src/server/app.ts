import { Hono } from 'hono';
import type { ApplicationEngine } from '#apps/port.ts';
import { AppError } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import type { AuditLog } from '#trace/event.ts';
import type { Tracer } from '#trace/report.ts';
import { argocdApplications } from './argocd-applications.ts';
import { argocdStream } from './argocd-stream.ts';
import { type AuthOptions, authenticate, type ServerEnv, tokenLink } from './auth.ts';
import { limitBody } from './body.ts';
import type { LiveFeed } from './live-feed.ts';
import { renderMetrics } from './metrics.ts';
import { page } from './page.ts';
import { answerError } from './problem.ts';
import { slipwayApi } from './slipway-api.ts';
import { slipwayLive } from './slipway-live.ts';
import { webhook } from './webhook.ts';

export interface AppDeps {
  engine: ApplicationEngine;
  audit: AuditLog;
  tracer: Tracer;
  feed: LiveFeed;
  logger: Logger;
  auth: AuthOptions;
  webhookSecret: string | undefined;
  version: string;
  webDir: string;
  /** Aborts when the server stops: open streams end. */
  closing: AbortSignal;
}

const bodyBytesMax = 1024 * 1024;

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
  app.route('/api', webhook({ engine, audit, logger, secret: deps.webhookSecret, now: auth.now }));

  app.use('/api/*', authenticate(auth), limitBody(bodyBytesMax));
  app.use('/metrics', authenticate(auth));
  app.get('/api/version', (c) => c.json({ Version: `v${version}` }));
  app.get('/metrics', (c) => {
    const counts = { requests, streamReaders: feed.readers, streamDropped: feed.dropped };
    const { text, contentType } = renderMetrics(engine.list(), counts);
    return c.body(text, 200, { 'content-type': contentType });
  });
  app.route('/api/v1', argocdApplications(engine));
  app.route('/api/v1', argocdStream(engine, closing));
  app.route('/api/slipway/v1', slipwayApi({ engine, audit, tracer, feed }));
  app.route('/api/slipway/v1', slipwayLive(feed, version, closing));
  app.all('/api/*', (c) => {
    throw new AppError('not-found', `${c.req.method} ${c.req.path} is not served`);
  });
  app.route('/', page(deps.webDir));
  return app;
}
