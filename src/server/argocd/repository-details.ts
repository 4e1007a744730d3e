import { type Context, Hono } from 'hono';
import { z } from 'zod';
import { AppError } from '#base/errors.ts';
import type { ApplicationSource } from '#model/argocd/application.ts';
import { sourceSchema } from '#model/argocd/application-schema.ts';
import type { ServerEnv } from '../auth.ts';
import { readBody } from '../body.ts';
import type { ArgocdDeps } from './access.ts';
import { listDeclared } from './declared-secrets.ts';
import { repositoryObject, sameRepository } from './repositories.ts';

type Asked = Context<ServerEnv>;

const DetailsBody = z.looseObject({
  source: sourceSchema.optional(),
  appName: z.string().default(''),
  appProject: z.string().default(''),
});

/** What stands in a repository, for whoever makes applications of it. */
export function repositoryDetails({
  guard,
  instance,
  sight,
}: Pick<ArgocdDeps, 'guard' | 'instance' | 'sight'>): Hono<ServerEnv> {
  const app = new Hono<ServerEnv>();
  const at = '/repositories/:repo';

  /** The address and project by which a repository is read, when the caller may see it. */
  async function seen(c: Asked, url: string, project: string): Promise<{ url: string; project: string | undefined }> {
    const all = await listDeclared(instance, 'repository', c.req.raw.signal);
    const declared =
      all.find(({ data }) => sameRepository(data['url'] ?? '', url) && (data['project'] ?? '') === project) ??
      all.find(({ data }) => sameRepository(data['url'] ?? '', url) && !data['project']);
    guard.demand(c.get('principal'), 'repositories', 'get', declared ? repositoryObject(declared.data) : url);
    return { url, project: project || undefined };
  }

  /** Reading whole repositories is for those who may make applications of them. */
  function demandApplication(c: Asked, project: string, name: string): void {
    const who = c.get('principal');
    const object = `${project || 'default'}/${name}`;
    if (guard.allows(who, 'applications', 'update', object)) return;
    guard.demand(who, 'applications', 'create', object);
  }

  app.get(`${at}/refs`, async (c) => {
    const { url, project } = await seen(c, c.req.param('repo'), c.req.query('appProject') ?? '');
    return c.json(await sight.refs(url, project, c.req.raw.signal));
  });

  app.get(`${at}/apps`, async (c) => {
    const asked = c.req.query('appProject') ?? '';
    const { url, project } = await seen(c, c.req.param('repo'), asked);
    demandApplication(c, asked, c.req.query('appName') ?? '');
    const revision = c.req.query('revision') || 'HEAD';
    return c.json({ items: await sight.discover({ url, project, revision }, c.req.raw.signal) });
  });

  app.get(`${at}/helmcharts`, async (c) => {
    const { url, project } = await seen(c, c.req.param('repo'), c.req.query('appProject') ?? '');
    return c.json({ items: await sight.charts(url, project, c.req.raw.signal) });
  });

  app.get(`${at}/oci-tags`, async (c) => {
    const { url, project } = await seen(c, c.req.param('repo'), c.req.query('appProject') ?? '');
    return c.json({ tags: await sight.tags(url, project, c.req.raw.signal) });
  });

  app.post(`${at}/appdetails`, async (c) => {
    const { source, appName, appProject } = await readBody(c, DetailsBody);
    if (!source) throw new AppError('bad-input', 'missing payload in request');
    const { project } = await seen(c, source.repoURL, appProject);
    demandApplication(c, appProject, appName);
    return c.json(
      await sight.details({ source: source as ApplicationSource, project, name: appName }, c.req.raw.signal),
    );
  });

  return app;
}
