import { Hono } from 'hono';
import { z } from 'zod';
import type { ApplicationEngine } from '#apps/port.ts';
import { AppError } from '#base/errors.ts';
import { auditKinds, isAuditKind } from '#trace/audit-kinds.ts';
import type { AuditKind, AuditLog } from '#trace/event.ts';
import { parseTraceQuery, type Tracer } from '#trace/report.ts';
import { actorOf, type ServerEnv } from './auth.ts';
import { queryNumber, readBody } from './body.ts';
import type { LiveFeed } from './live-feed.ts';
import { buildMatrix } from './view.ts';

export interface SlipwayApiDeps {
  engine: ApplicationEngine;
  audit: AuditLog;
  tracer: Tracer;
  feed: LiveFeed;
}

const RollbackBody = z.strictObject({
  to: z.number().int().nonnegative().optional(),
  sync: z.boolean().default(false),
});
const eventsMax = 1000;

/** Slipway's own API below `/api/slipway/v1`: what Argo CD's has no room for. */
export function slipwayApi({ engine, audit, tracer, feed }: SlipwayApiDeps): Hono<ServerEnv> {
  const app = new Hono<ServerEnv>();
  const at = '/applications/:name';

  app.get('/whoami', (c) => {
    const { kind, name, subject, groups } = c.get('principal');
    return c.json({ kind, name, subject, groups });
  });
  app.get('/matrix', (c) => c.json(buildMatrix(feed.views())));
  app.get('/applications', (c) => c.json({ items: feed.views() }));
  app.get(at, (c) => c.json(feed.view(engine.get(c.req.param('name')))));

  app.get(`${at}/resources`, async (c) =>
    c.json({ items: await engine.managedResources(c.req.param('name'), c.req.raw.signal) }),
  );

  app.get(`${at}/tree`, async (c) => c.json({ items: await engine.tree(c.req.param('name'), c.req.raw.signal) }));

  app.post(`${at}/rollback`, async (c) => {
    const { to, sync } = await readBody(c, RollbackBody);
    const name = c.req.param('name');
    const actor = actorOf(c);
    const result = await engine.rollback(name, { to }, actor, c.req.raw.signal);
    if (sync) {
      await engine.refresh(name, 'normal', c.req.raw.signal);
      await engine.sync(name, { revision: result.commit }, actor, c.req.raw.signal);
    }
    return c.json({ ...result, synced: sync });
  });

  app.get('/events', async (c) => {
    const afterText = c.req.query('after');
    const after = afterText
      ? queryNumber(c, 'after', { min: 0, max: Number.MAX_SAFE_INTEGER, otherwise: 0 })
      : undefined;
    const limit = queryNumber(c, 'limit', { min: 1, max: eventsMax, otherwise: 100 });
    const kind = parseKind(c.req.query('kind'));
    const application = c.req.query('application') || undefined;
    return c.json({ items: await audit.query({ after, limit, kind, application }) });
  });

  app.get('/trace', async (c) => {
    const query = parseTraceQuery(c.req.query('query') ?? '', c.req.query('namespace') || undefined);
    return c.json(await tracer.trace(query, c.req.raw.signal));
  });

  return app;
}

function parseKind(text: string | undefined): AuditKind | undefined {
  if (text === undefined || text === '') return undefined;
  if (isAuditKind(text)) return text;
  throw new AppError('bad-input', `?kind=${text} is no kind of event`, { hint: `one of: ${auditKinds.join(', ')}` });
}
