import { type Context, Hono } from 'hono';
import { AppError } from '#base/errors.ts';
import type { Application, ApplicationSource } from '#model/argocd/application.ts';
import type { ServerEnv } from '../auth.ts';
import { type ArgocdDeps, askedApplication, findApplication, queryInteger } from './access.ts';
import { manifestsJson } from './shapes.ts';

type Asked = Context<ServerEnv>;

/** The sources of an application now, or as history entry `versionId` had them. */
function sourcesAt({ spec, status }: Application, versionId: number | undefined): ApplicationSource[] {
  const now = spec.sources && spec.sources.length > 0 ? spec.sources : spec.source ? [spec.source] : [];
  if (versionId === undefined) return now;
  const entry = status?.history?.find(({ id }) => id === versionId);
  if (!entry) throw new AppError('not-found', `revision history not found for version ID ${versionId}`);
  return entry.sources && entry.sources.length > 0 ? entry.sources : entry.source ? [entry.source] : now;
}

function sourceAsked(c: Asked, application: Application): ApplicationSource {
  const sources = sourcesAt(application, queryInteger(c, 'versionId'));
  const index = queryInteger(c, 'sourceIndex') ?? 0;
  const source = sources[index];
  if (source) return source;
  const count = sources.length === 1 ? 'is only 1 source' : `are only ${sources.length} sources`;
  throw new AppError('bad-input', `source index ${index} not found because there ${count}`);
}

/** What an application is rendered to, and what its revisions are. */
export function revisionRoutes(deps: ArgocdDeps): Hono<ServerEnv> {
  const { engine, sight } = deps;
  const app = new Hono<ServerEnv>();
  const at = '/applications/:name';
  const find = (c: Asked) => findApplication(deps, c, askedApplication(c, c.req.param('name') ?? ''), 'get');

  app.get(`${at}/manifests`, async (c) => {
    const { application, id } = find(c);
    const { spec, status } = application;
    const revision = c.req.query('revision') || undefined;
    const positions = (c.req.queries('sourcePositions') ?? []).map(Number);
    const revisions = c.req.queries('revisions') ?? [];
    const sources = spec.sources ?? [];
    if (positions.some((position) => !(position >= 1 && position <= sources.length)))
      throw new AppError('bad-input', 'source position is out of range');
    const asked =
      positions.length > 0
        ? sources.map(
            ({ targetRevision }, index) => revisions[positions.indexOf(index + 1)] ?? targetRevision ?? 'HEAD',
          )
        : revision === undefined
          ? undefined
          : [revision];
    const texts = await engine.manifests(id, asked, c.req.raw.signal);
    return c.json({
      manifests: texts.flatMap(manifestsJson),
      ...(spec.destination.namespace ? { namespace: spec.destination.namespace } : {}),
      ...(spec.destination.server ? { server: spec.destination.server } : {}),
      revision: revision ?? status?.sync?.revision ?? status?.sync?.revisions?.[0] ?? '',
      ...(status?.sourceType ? { sourceType: status.sourceType } : {}),
    });
  });

  app.post('/applications/manifestsWithFiles', () => {
    throw new AppError('unsupported', 'rendering files of the request is not served', {
      hint: 'slipway render shows what files of this machine are rendered to',
    });
  });

  app.get(`${at}/revisions/:revision/metadata`, async (c) => {
    const { application } = find(c);
    const source = sourceAsked(c, application);
    if (source.chart !== undefined && source.chart !== '')
      throw new AppError('bad-input', `${source.chart} is a chart: ask for its chartdetails`);
    const at = { source, revision: c.req.param('revision') };
    const { tags, ...rest } = await sight.revision(application, at, c.req.raw.signal);
    return c.json({ ...rest, ...(tags.length > 0 ? { tags } : {}) });
  });

  app.get(`${at}/revisions/:revision/chartdetails`, async (c) => {
    const { application } = find(c);
    const source = sourceAsked(c, application);
    if (!source.chart) throw new AppError('bad-input', `no chart found for application: ${application.metadata.name}`);
    const { description, home, maintainers } = await sight.chart(
      application,
      { source, revision: c.req.param('revision') },
      c.req.raw.signal,
    );
    return c.json({
      ...(description ? { description } : {}),
      ...(home ? { home } : {}),
      ...(maintainers.length > 0 ? { maintainers } : {}),
    });
  });

  app.get(`${at}/revisions/:revision/ocimetadata`, (c) => {
    find(c);
    throw new AppError('unsupported', 'metadata of OCI artifacts is not served');
  });

  return app;
}
