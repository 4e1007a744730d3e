import { type Context, Hono } from 'hono';
import { z } from 'zod';
import type { InstanceStore } from '#apps/port.ts';
import type { Clock, Entropy } from '#base/clock.ts';
import { AppError, isAppError } from '#base/errors.ts';
import { getArray, getObject, isObject, jsonEqual } from '#base/json.ts';
import type { KubeObject } from '#kube/port.ts';
import { projectNameOf } from '../access/guard.ts';
import type { Sessions } from '../access/sessions.ts';
import type { ServerEnv } from '../auth.ts';
import { readBody } from '../body.ts';
import { noteChange } from '../changes.ts';
import type { ArgocdDeps } from './access.ts';
import { projectClusters, projectRepositories } from './credential-lists.ts';
import { findRole, projectOf, roleTokens, withRoleTokens } from './project-document.ts';

type Asked = Context<ServerEnv>;

const ProjectBody = z.looseObject({ project: z.looseObject({}), upsert: z.boolean().optional() });
const TokenBody = z.looseObject({
  expiresIn: z.coerce.number().int().nonnegative().default(0),
  id: z.string().default(''),
  description: z.string().optional(),
});

const writesMax = 5;

export interface ProjectDeps extends ArgocdDeps {
  sessions: Sessions;
  clock: Clock;
  entropy: Entropy;
}

async function readProject(instance: InstanceStore, name: string, signal: AbortSignal): Promise<KubeObject> {
  const found = await instance.get('AppProject', { name, namespace: instance.namespace }, signal);
  if (found) return found;
  throw new AppError('not-found', `appprojects.argoproj.io "${name}" not found`);
}

/** Clusters that a project's destinations name. */
function destinationClusters(project: KubeObject): string[] {
  const servers = getArray(project['spec'], 'destinations').map((item) =>
    isObject(item) && typeof item['server'] === 'string' ? item['server'] : '',
  );
  return [...new Set(servers)];
}

const lists = [
  'clusterResourceWhitelist',
  'clusterResourceBlacklist',
  'namespaceResourceWhitelist',
  'namespaceResourceBlacklist',
];

/** AppProjects by Argo CD's API, and the tokens of their roles. */
export function projects(deps: ProjectDeps): Hono<ServerEnv> {
  const { engine, guard, instance, sight, sessions, clock, entropy } = deps;
  const { namespace } = instance;
  const app = new Hono<ServerEnv>();
  const at = '/projects/:name';

  async function seen(c: Asked): Promise<KubeObject> {
    const name = c.req.param('name') ?? '';
    guard.demand(c.get('principal'), 'projects', 'get', name);
    return await readProject(instance, name, c.req.raw.signal);
  }

  /** Notes what was done to a project, and gives it back. */
  function told(c: Asked, project: KubeObject, verb: string): KubeObject {
    const reason = verb === 'created' ? 'ResourceCreated' : verb === 'deleted' ? 'ResourceDeleted' : 'ResourceUpdated';
    const { metadata } = project;
    noteChange(c, { reason, action: `${verb} project ${metadata.name}`, object: { kind: 'AppProject', metadata } });
    return project;
  }

  app.get('/projects', async (c) => {
    const who = c.get('principal');
    const name = c.req.query('name');
    const all = await instance.list('AppProject', { namespace }, c.req.raw.signal);
    const items = all.filter(
      ({ metadata }) => (!name || metadata.name === name) && guard.allows(who, 'projects', 'get', metadata.name),
    );
    return c.json({ metadata: {}, items: items.length > 0 ? items : null });
  });

  app.get(at, async (c) => c.json(await seen(c)));

  app.get(`${at}/detailed`, async (c) => {
    const project = await seen(c);
    const { name } = project.metadata;
    const { signal } = c.req.raw;
    return c.json({
      globalProjects: sight.globalProjects(name),
      project,
      repositories: await projectRepositories(instance, name, signal),
      clusters: await projectClusters(deps, name, signal),
    });
  });

  app.get(`${at}/globalprojects`, async (c) => {
    const { metadata } = await seen(c);
    return c.json({ items: sight.globalProjects(metadata.name) });
  });

  app.get(`${at}/events`, async (c) => {
    const { metadata } = await seen(c);
    const fieldSelector = `involvedObject.name=${metadata.name},involvedObject.kind=AppProject`;
    const items = await instance.list('Event', { namespace, fieldSelector }, c.req.raw.signal);
    return c.json({ metadata: {}, items: items.length > 0 ? items : null });
  });

  app.get(`${at}/syncwindows`, async (c) => {
    const project = await seen(c);
    return c.json({ windows: sight.activeWindows(project) });
  });

  app.post('/projects', async (c) => {
    const body = await readBody(c, ProjectBody);
    const who = c.get('principal');
    const { signal } = c.req.raw;
    const project = projectOf(body.project, namespace);
    const { name } = project.metadata;
    guard.demand(who, 'projects', 'create', name);
    const { resourceVersion: _, uid: __, ...metadata } = project.metadata;
    try {
      return c.json(told(c, await instance.create({ ...project, metadata }, signal), 'created'));
    } catch (error) {
      if (!isAppError(error, 'conflict')) throw error;
    }
    const current = await readProject(instance, name, signal);
    if (jsonEqual(current['spec'], project['spec'])) return c.json(current);
    if (!body.upsert)
      throw new AppError('bad-input', 'existing project spec is different; use upsert flag to force update');
    guard.demand(who, 'projects', 'update', name);
    return c.json(told(c, await instance.replace({ ...current, spec: project['spec'] }, signal), 'updated'));
  });

  app.put(at, async (c) => {
    const body = await readBody(c, ProjectBody);
    const metadata = getObject(body.project, 'metadata');
    const project = projectOf({ ...body.project, metadata: { ...metadata, name: c.req.param('name') } }, namespace);
    const who = c.get('principal');
    const { name } = project.metadata;
    guard.demand(who, 'projects', 'update', name);
    const { signal } = c.req.raw;
    const current = await readProject(instance, name, signal);
    demandNewReach(c, current, project);
    const broken = sight.brokenBy(project);
    if (broken.length > 0) throw new AppError('bad-input', `as a result of project update ${broken.join(' and ')}`);
    const merged = {
      ...current,
      ...project,
      metadata: {
        ...current.metadata,
        ...project.metadata,
        resourceVersion: project.metadata.resourceVersion ?? current.metadata.resourceVersion ?? '',
      },
    };
    return c.json(told(c, await instance.replace(merged, signal), 'updated'));
  });

  /** What a project newly reaches, its writer must be allowed to change. */
  function demandNewReach(c: Asked, before: KubeObject, after: KubeObject): void {
    const who = c.get('principal');
    const known = destinationClusters(before);
    const changed = lists.some((list) => !jsonEqual(getObject(before, 'spec')[list], getObject(after, 'spec')[list]));
    for (const cluster of destinationClusters(after))
      if (changed || !known.includes(cluster)) guard.demand(who, 'clusters', 'update', cluster);
    const repositories = getArray(before['spec'], 'sourceRepos');
    for (const url of getArray(after['spec'], 'sourceRepos').map(String))
      if (!repositories.includes(url)) guard.demand(who, 'repositories', 'update', url);
  }

  app.delete(at, async (c) => {
    const name = c.req.param('name');
    if (name === 'default') throw new AppError('bad-input', `name '${name}' is reserved and cannot be deleted`);
    guard.demand(c.get('principal'), 'projects', 'delete', name);
    const { signal } = c.req.raw;
    const project = await readProject(instance, name, signal);
    const users = engine.list().filter((application) => projectNameOf(application) === name);
    if (users.length > 0) throw new AppError('bad-input', `project is referenced by ${users.length} applications`);
    await instance.delete('AppProject', { name, namespace }, {}, signal);
    told(c, project, 'deleted');
    return c.json({});
  });

  /** Changes the tokens of a role; who may not change the project must be in one of the role's groups. */
  async function changeTokens(
    c: Asked,
    of: { project: string; role: string },
    change: (tokens: ReturnType<typeof roleTokens>) => ReturnType<typeof roleTokens> | undefined,
  ): Promise<void> {
    const who = c.get('principal');
    const { signal } = c.req.raw;
    for (let attempt = 1; ; attempt += 1) {
      const project = await readProject(instance, of.project, signal);
      const role = findRole(project, of.role);
      const member = getArray(role, 'groups').some((group) => typeof group === 'string' && who.groups.includes(group));
      if (!member) guard.demand(who, 'projects', 'update', of.project);
      if (!role) throw new AppError('not-found', `project '${of.project}' does not have role '${of.role}'`);
      const tokens = change(roleTokens(project, of.role));
      if (tokens === undefined) return;
      try {
        told(c, await instance.replace(withRoleTokens(project, of.role, tokens), signal), 'changed the tokens of');
        return;
      } catch (error) {
        if (!isAppError(error, 'conflict') || attempt >= writesMax) throw error;
      }
    }
  }

  const tokens = '/projects/:project/roles/:role/token';

  app.post(tokens, async (c) => {
    const { expiresIn, id: given } = await readBody(c, TokenBody);
    const of = { project: c.req.param('project'), role: c.req.param('role') };
    const id = given === '' ? entropy.uuid() : given;
    const now = clock.now();
    const iat = Math.floor(now / 1000);
    await changeTokens(c, of, (listed) => {
      if (listed.some((token) => token.id === id)) throw new AppError('bad-input', `Token id '${id}' has been used. `);
      return [...listed, { iat, ...(expiresIn > 0 ? { exp: iat + expiresIn } : {}), id }];
    });
    const subject = `proj:${of.project}:${of.role}`;
    return c.json({ token: await sessions.issue({ subject, seconds: expiresIn, id, now }, c.req.raw.signal) });
  });

  app.delete(`${tokens}/:iat`, async (c) => {
    const of = { project: c.req.param('project'), role: c.req.param('role') };
    const id = c.req.query('id');
    const iat = Number(c.req.param('iat'));
    const isIt = (token: { iat: number; id?: string }) => (id ? token.id === id : token.iat === iat);
    await changeTokens(c, of, (listed) => {
      const kept = listed.filter((token) => !isIt(token));
      return kept.length === listed.length ? undefined : kept;
    });
    return c.json({});
  });

  return app;
}
