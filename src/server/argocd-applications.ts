import { Hono } from 'hono';
import { z } from 'zod';
import type { ApplicationEngine, SyncRequest } from '#apps/port.ts';
import { AppError } from '#base/errors.ts';
import type { Application } from '#model/argocd/application.ts';
import { managedResourceShape, manifestsJson, resourceTreeShape } from './argocd-shapes.ts';
import { actorOf, type ServerEnv } from './auth.ts';
import { readBody } from './body.ts';

const SyncBody = z.looseObject({
  revision: z.string().optional(),
  prune: z.boolean().optional(),
  dryRun: z.boolean().optional(),
  resources: z
    .array(
      z.looseObject({
        group: z.string().default(''),
        kind: z.string(),
        name: z.string(),
        namespace: z.string().optional(),
      }),
    )
    .nullish(),
});

/** Members of Argo CD's sync request that change what is done and that are not honoured here: refused, never ignored. */
const unsupportedSync = ['revisions', 'sourcePositions', 'manifests', 'strategy', 'retryStrategy', 'syncOptions'];

/** Argo CD's REST API for applications: same paths, same JSON. */
export function argocdApplications(engine: ApplicationEngine): Hono<ServerEnv> {
  const app = new Hono<ServerEnv>();
  const at = '/applications/:name';

  app.get('/applications', async (c) => {
    const level = refreshLevel(c.req.query('refresh'));
    const wanted = selectApplications(engine.list(), {
      projects: c.req.queries('projects') ?? c.req.queries('project') ?? [],
      selector: c.req.query('selector'),
      repo: c.req.query('repo'),
      name: c.req.query('name'),
    });
    if (level !== undefined)
      await Promise.all(wanted.map(({ metadata }) => engine.refresh(metadata.name, level, c.req.raw.signal)));
    const items = wanted.map(({ metadata }) => engine.get(metadata.name));
    return c.json({ metadata: {}, items: items.length > 0 ? items : null });
  });

  app.get(at, async (c) => {
    const name = c.req.param('name');
    const level = refreshLevel(c.req.query('refresh'));
    return c.json(level === undefined ? engine.get(name) : await engine.refresh(name, level, c.req.raw.signal));
  });

  app.post(`${at}/sync`, async (c) => {
    const body = await readBody(c, SyncBody);
    const refused = unsupportedSync.filter((field) => !isEmpty(body[field]));
    if (refused.length > 0)
      throw new AppError('unsupported', `a sync with ${refused.join(', ')} is not supported`, {
        hint: 'set it in the spec of the Application',
      });
    const { revision, prune, dryRun } = body;
    const request: SyncRequest = { revision, prune, dryRun, resources: body.resources ?? undefined };
    return c.json(await engine.sync(c.req.param('name'), request, actorOf(c), c.req.raw.signal));
  });

  app.post(`${at}/rollback`, () => {
    throw new AppError('unsupported', 'a rollback that leaves Git behind is not supported', {
      hint: 'use "slipway rollback APP": it writes the revert into Git, so that Git stays the truth',
    });
  });

  app.delete(`${at}/operation`, async (c) => {
    await engine.terminate(c.req.param('name'), c.req.raw.signal);
    return c.json({});
  });

  app.get(`${at}/managed-resources`, async (c) => {
    const resources = await engine.managedResources(c.req.param('name'), c.req.raw.signal);
    return c.json({ items: resources.map(managedResourceShape) });
  });

  app.get(`${at}/resource-tree`, async (c) =>
    c.json(resourceTreeShape(await engine.tree(c.req.param('name'), c.req.raw.signal))),
  );

  app.get(`${at}/manifests`, async (c) => {
    const { spec, status } = engine.get(c.req.param('name'));
    const revision = c.req.query('revision');
    const manifests = await engine.manifests(c.req.param('name'), revision, c.req.raw.signal);
    return c.json({
      manifests: manifests.flatMap(manifestsJson),
      namespace: spec.destination.namespace,
      server: spec.destination.server,
      revision: revision ?? status?.sync?.revision,
      sourceType: status?.sourceType,
    });
  });

  return app;
}

function isEmpty(value: unknown): boolean {
  return value === undefined || value === null || (typeof value === 'object' && Object.keys(value).length === 0);
}

function refreshLevel(text: string | undefined): 'normal' | 'hard' | undefined {
  if (text === undefined || text === '' || text === 'false') return undefined;
  if (text === 'normal' || text === 'true') return 'normal';
  if (text === 'hard') return 'hard';
  throw new AppError('bad-input', `?refresh=${text} is neither normal nor hard`);
}

export interface ApplicationSelection {
  projects: string[];
  selector: string | undefined;
  repo: string | undefined;
  name: string | undefined;
}

export function selectApplications(applications: Application[], by: ApplicationSelection): Application[] {
  const matches = parseSelector(by.selector ?? '');
  return applications.filter(({ metadata, spec }) => {
    if (by.projects.length > 0 && !by.projects.includes(spec.project)) return false;
    if (by.name !== undefined && by.name !== '' && metadata.name !== by.name) return false;
    const sources = spec.sources ?? (spec.source ? [spec.source] : []);
    if (by.repo !== undefined && by.repo !== '' && !sources.some(({ repoURL }) => repoURL === by.repo)) return false;
    return matches(metadata.labels ?? {});
  });
}

/** Kubernetes' equality and set selectors: `a=b`, `a==b`, `a!=b`, `a`, `!a`, `a in (x,y)`, `a notin (x,y)`. */
export function parseSelector(text: string): (labels: Record<string, string>) => boolean {
  const terms = text.split(/,(?![^(]*\))/).filter((term) => term.trim() !== '');
  const tests = terms.map((term) => parseTerm(term.trim()));
  return (labels) => tests.every((test) => test(labels));
}

function parseTerm(term: string): (labels: Record<string, string>) => boolean {
  const key = '[A-Za-z0-9][A-Za-z0-9._/-]*';
  const set = new RegExp(`^(${key})\\s+(in|notin)\\s*\\(([^)]*)\\)$`).exec(term);
  if (set?.[1] && set[3] !== undefined) {
    const [, name = '', verb, list] = set;
    const values = list.split(',').map((value) => value.trim());
    return (labels) => values.includes(labels[name] ?? '\0') === (verb === 'in');
  }
  const equality = new RegExp(`^(${key})\\s*(==|=|!=)\\s*([A-Za-z0-9._-]*)$`).exec(term);
  if (equality) {
    const [, name = '', verb, value] = equality;
    return (labels) => (labels[name] === value) === (verb !== '!=');
  }
  const exists = new RegExp(`^(!?)\\s*(${key})$`).exec(term);
  if (exists) {
    const [, not, name = ''] = exists;
    return (labels) => Object.hasOwn(labels, name) === (not === '');
  }
  throw new AppError('bad-input', `"${term}" is no label selector`, { hint: 'for example: team=shop,tier!=test' });
}
