import { type Context, Hono } from 'hono';
import type { Clock, Entropy } from '#base/clock.ts';
import { AppError } from '#base/errors.ts';
import type { JsonObject } from '#base/json.ts';
import type { Logger } from '#base/log.ts';
import type { Application } from '#model/argocd/application.ts';
import { projectNameOf } from '../access/guard.ts';
import type { ServerEnv } from '../auth.ts';
import { type ArgocdDeps, findApplication } from './access.ts';
import { listClusters } from './credential-lists.ts';
import { parseDeepLinks, renderDeepLinks } from './deep-links.ts';
import { maskSecret } from './shapes.ts';

export interface LinkDeps extends ArgocdDeps {
  clock: Clock;
  entropy: Entropy;
  logger: Logger;
}

/** Links that the instance declares for its things, with the thing's own values in them. */
export function linkRoutes(deps: LinkDeps): Hono<ServerEnv> {
  const { guard, instance, resources, clock, entropy, logger } = deps;
  const app = new Hono<ServerEnv>();
  type Asked = Context<ServerEnv>;

  function answer(key: string, data: JsonObject): { items: JsonObject[] } {
    const links = parseDeepLinks(instance.config('argocd-cm')[key], key);
    const problem = (text: string) => logger.warn({ key }, text);
    return { items: renderDeepLinks(links, data, { clock, entropy, problem }) };
  }

  const projectNamed = (name: string) => instance.projects().find(({ metadata }) => metadata.name === name);

  /** What templates may read: the thing, its project and its cluster, without secrets. */
  async function dataOf(application: Application, signal: AbortSignal): Promise<JsonObject> {
    const { server, name } = application.spec.destination;
    const clusters = await listClusters(deps, signal);
    const cluster = clusters.find((candidate) => (server ? candidate.server === server : candidate.name === name));
    const project = projectNamed(projectNameOf(application));
    const plain = { ...application };
    return {
      application: plain,
      app: plain,
      ...(cluster ? { cluster: cluster.shape } : {}),
      ...(project ? { project } : {}),
    };
  }

  const find = (c: Asked, namespace: string | undefined) =>
    findApplication(
      deps,
      c,
      { name: c.req.param('name') ?? '', namespace, project: c.req.query('project') || undefined },
      'get',
    );

  app.get('/applications/:name/links', async (c) => {
    const { application } = find(c, c.req.query('namespace') || c.req.query('appNamespace'));
    return c.json(answer('application.links', await dataOf(application, c.req.raw.signal)));
  });

  app.get('/applications/:name/resource/links', async (c) => {
    const { application, id } = find(c, c.req.query('appNamespace'));
    const { req } = c;
    const of = {
      group: req.query('group') ?? '',
      version: req.query('version') || undefined,
      kind: req.query('kind') ?? '',
      namespace: req.query('namespace') || undefined,
      name: req.query('resourceName') ?? '',
    };
    const object = await resources.get(id, of, req.raw.signal);
    const data = await dataOf(application, req.raw.signal);
    return c.json(answer('resource.links', { ...data, resource: maskSecret(object) }));
  });

  app.get('/projects/:name/links', (c) => {
    const name = c.req.param('name');
    guard.demand(c.get('principal'), 'projects', 'get', name);
    const project = projectNamed(name);
    if (!project) throw new AppError('not-found', `appprojects.argoproj.io "${name}" not found`);
    return c.json(answer('project.links', { project }));
  });

  return app;
}
