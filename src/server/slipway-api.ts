import { type Context, Hono } from 'hono';
import { z } from 'zod';
import type { ApplicationEngine, ApplicationResources } from '#apps/port.ts';
import { AppError, isAppError } from '#base/errors.ts';
import type { Application } from '#model/argocd/application.ts';
import { auditKinds, isAuditKind } from '#trace/audit-kinds.ts';
import type { AuditKind, AuditLog } from '#trace/event.ts';
import { parseTraceQuery, type Tracer } from '#trace/report.ts';
import type { Guard } from './access/guard.ts';
import { actorOf, type ServerEnv } from './auth.ts';
import { queryNumber, readBody } from './body.ts';
import type { LiveFeed } from './live-feed.ts';
import { buildMatrix } from './view.ts';

export interface SlipwayApiDeps {
  engine: ApplicationEngine;
  resources: Pick<ApplicationResources, 'why'>;
  audit: AuditLog;
  tracer: Tracer;
  feed: LiveFeed;
  guard: Guard;
}

const RollbackBody = z.strictObject({
  to: z.number().int().nonnegative().optional(),
  sync: z.boolean().default(false),
});
const eventsMax = 1000;

/** Slipway's own API below `/api/slipway/v1`: what Argo CD's has no room for. */
export function slipwayApi({ engine, resources, audit, tracer, feed, guard }: SlipwayApiDeps): Hono<ServerEnv> {
  const app = new Hono<ServerEnv>();
  const at = '/applications/:name';

  app.get('/whoami', (c) => {
    const { kind, name, subject, groups } = c.get('principal');
    return c.json({ kind, name, subject, groups });
  });
  const mayGet = (c: Asked) => (application: Application) => guard.may(c.get('principal'), 'get', application);
  const mayGetAll = (c: Asked) => guard.allows(c.get('principal'), 'applications', 'get', '*/*');

  /** The application of the path; one that the caller may not see is not there for them. */
  function seen(c: Asked, action = 'get'): { name: string; application: Application } {
    const given = c.req.param('name') ?? '';
    const namespace = c.req.query('appNamespace');
    const name = namespace ? guard.idOf({ metadata: { name: given, namespace } }) : given;
    let application: Application | undefined;
    try {
      application = engine.get(name);
    } catch (error) {
      if (!isAppError(error, 'not-found') || mayGetAll(c)) throw error;
    }
    if (!application || !mayGet(c)(application)) throw new AppError('not-found', `there is no application ${name}`);
    guard.demand(c.get('principal'), 'applications', action, guard.nameOf(application));
    return { name, application };
  }

  /** Whether the caller may hear of something that concerns this application, or none. */
  function mayHear(c: Asked, name: string | undefined): boolean {
    if (mayGetAll(c)) return true;
    const application = engine.list().find((candidate) => guard.idOf(candidate) === name);
    return application !== undefined && mayGet(c)(application);
  }

  app.get('/matrix', (c) => c.json(buildMatrix(feed.views(mayGet(c)))));
  app.get('/applications', (c) => c.json({ items: feed.views(mayGet(c)) }));
  app.get(at, (c) => c.json(feed.view(seen(c).application)));

  app.get(`${at}/resources`, async (c) =>
    c.json({ items: await engine.managedResources(seen(c).name, c.req.raw.signal) }),
  );

  app.get(`${at}/tree`, async (c) => c.json({ items: await engine.tree(seen(c).name, c.req.raw.signal) }));

  app.get(`${at}/why`, async (c) => c.json({ items: await resources.why(seen(c).name, c.req.raw.signal) }));

  app.post(`${at}/rollback`, async (c) => {
    const { to, sync } = await readBody(c, RollbackBody);
    const { name } = seen(c, 'sync');
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
    const items = await audit.query({ after, limit, kind, application });
    return c.json({ items: items.filter((event) => mayHear(c, event.application)) });
  });

  app.get('/trace', async (c) => {
    const query = parseTraceQuery(c.req.query('query') ?? '', c.req.query('namespace') || undefined);
    const report = await tracer.trace(query, c.req.raw.signal);
    if (!mayHear(c, report.application)) throw new AppError('not-found', `nothing is known of ${report.subject}`);
    return c.json(report);
  });

  return app;
}

type Asked = Context<ServerEnv>;

function parseKind(text: string | undefined): AuditKind | undefined {
  if (text === undefined || text === '') return undefined;
  if (isAuditKind(text)) return text;
  throw new AppError('bad-input', `?kind=${text} is no kind of event`, { hint: `one of: ${auditKinds.join(', ')}` });
}
