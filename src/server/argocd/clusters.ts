import { type Context, Hono } from 'hono';
import { z } from 'zod';
import { AppError, isAppError } from '#base/errors.ts';
import { jsonEqual } from '#base/json.ts';
import type { ServerEnv } from '../auth.ts';
import { readBody } from '../body.ts';
import { HiddenError } from '../problem.ts';
import { type ArgocdDeps, queryFlag } from './access.ts';
import { type ClusterRequest, clusterRequestOf, clusterSecretName } from './cluster-document.ts';
import { type ListedCluster, listClusters } from './credential-lists.ts';
import { createDeclared, type DeclaredSecret, deleteDeclared, replaceDeclared } from './declared-secrets.ts';

type Asked = Context<ServerEnv>;
const anyObject = z.looseObject({});

const objectOf = ({ project, server }: { project: string; server: string }) =>
  project === '' ? server : `${project}/${server}`;

/** Members of a cluster that an update with `updatedFields` may be about, by the key of the Secret they stand in. */
const fieldKeys: Record<string, string> = {
  name: 'name',
  namespaces: 'namespaces',
  config: 'config',
  shard: 'shard',
  clusterResources: 'clusterResources',
  project: 'project',
};

/** Clusters by Argo CD's API: each is a labelled Secret of the instance; the way in never comes out. */
export function clusters(deps: ArgocdDeps): Hono<ServerEnv> {
  const { guard, instance, sight } = deps;
  const app = new Hono<ServerEnv>();
  const at = '/clusters/:id';

  async function find(c: Asked, action: string): Promise<ListedCluster> {
    const value = c.req.param('id') ?? '';
    const type = c.req.query('id.type') ?? '';
    const name = type === 'name' ? value : type === 'name_escaped' ? decodeURIComponent(value) : undefined;
    const all = await listClusters(deps, c.req.raw.signal);
    const server = value.replace(/\/+$/, '');
    const found = all.find((cluster) => (name === undefined ? cluster.server === server : cluster.name === name));
    const who = c.get('principal');
    if (!found)
      throw new HiddenError(`there is no cluster ${value}`, { mayKnow: guard.allows(who, 'clusters', 'get', value) });
    guard.demand(who, 'clusters', action, objectOf(found));
    return found;
  }

  async function shapeAfter(secret: DeclaredSecret, signal: AbortSignal) {
    const all = await listClusters(deps, signal);
    return all.find((cluster) => cluster.secret?.object.metadata.name === secret.object.metadata.name)?.shape ?? {};
  }

  app.get('/clusters', async (c) => {
    const who = c.get('principal');
    const { req } = c;
    const [server, name] = [req.query('server'), req.query('name')];
    const [type, value] = [req.query('id.type') ?? '', req.query('id.value')];
    const byId = value ? (type.startsWith('name') ? { name: value } : { server: value }) : {};
    const wanted = { ...(server ? { server } : {}), ...(name ? { name } : {}), ...byId };
    const all = await listClusters(deps, req.raw.signal);
    const items = all.filter(
      (cluster) =>
        (wanted.server === undefined || cluster.server === wanted.server) &&
        (wanted.name === undefined || cluster.name === wanted.name) &&
        guard.allows(who, 'clusters', 'get', objectOf(cluster)),
    );
    return c.json({ metadata: {}, items: items.length > 0 ? items.map(({ shape }) => shape) : null });
  });

  app.get(at, async (c) => c.json((await find(c, 'get')).shape));

  app.post('/clusters', async (c) => {
    const request = clusterRequestOf(await readBody(c, anyObject));
    const { data, ...metadata } = request;
    const { signal } = c.req.raw;
    const server = data['server'] ?? '';
    const object = objectOf({ project: data['project'] ?? '', server });
    guard.demand(c.get('principal'), 'clusters', 'create', object);
    await sight.reachCluster(data, signal);
    const name = clusterSecretName(server);
    const all = await listClusters(deps, signal);
    const current = all.find((cluster) => cluster.server === server)?.secret;
    if (!current) {
      try {
        const made = await createDeclared(instance, { type: 'cluster', name, data, ...metadata }, signal);
        return c.json(await shapeAfter(made, signal));
      } catch (error) {
        if (!isAppError(error, 'conflict')) throw error;
        throw new AppError('conflict', `the Secret ${name} already exists and is of something else`, { cause: error });
      }
    }
    if (jsonEqual(current.data, data)) return c.json(await shapeAfter(current, signal));
    if (!queryFlag(c, 'upsert'))
      throw new AppError('bad-input', 'existing cluster spec is different; use upsert flag to force update');
    guard.demand(c.get('principal'), 'clusters', 'update', object);
    return c.json(await shapeAfter(await replaceDeclared(instance, current, data, signal, metadata), signal));
  });

  app.put(at, async (c) => {
    const found = await find(c, 'update');
    const body = await readBody(c, anyObject);
    const request = clusterRequestOf({ ...body, server: found.server });
    const fields = c.req.queries('updatedFields') ?? [];
    if (fields.length === 0 || fields.includes('project'))
      guard.demand(
        c.get('principal'),
        'clusters',
        'update',
        objectOf({ server: found.server, project: request.data['project'] ?? '' }),
      );
    const { signal } = c.req.raw;
    const { data, metadata } = merged(found, request, fields);
    await sight.reachCluster(data, signal);
    const written = found.secret
      ? await replaceDeclared(instance, found.secret, data, signal, metadata)
      : await createDeclared(
          instance,
          { type: 'cluster', name: clusterSecretName(found.server), data, ...metadata },
          signal,
        );
    return c.json(await shapeAfter(written, signal));
  });

  app.delete(at, async (c) => {
    const found = await find(c, 'delete');
    if (!found.secret)
      throw new AppError(
        'bad-input',
        `the instance's own cluster ${found.server} has no Secret that could be deleted`,
        {
          hint: 'set cluster.inClusterEnabled: "false" in argocd-cm',
        },
      );
    await deleteDeclared(instance, found.secret, c.req.raw.signal);
    return c.json({});
  });

  app.post(`${at}/invalidate-cache`, async (c) => {
    const found = await find(c, 'update');
    sight.forgetCluster(found.server);
    return c.json(found.shape);
  });

  app.post(`${at}/rotate-auth`, async (c) => {
    const found = await find(c, 'update');
    throw new AppError('unsupported', `the token of ${found.server} cannot be exchanged from here`, {
      hint: 'make a new token and update the cluster with it',
    });
  });

  return app;
}

function merged(found: ListedCluster, request: ClusterRequest, fields: readonly string[]) {
  const { data, labels, annotations } = request;
  if (fields.length === 0) return { data, metadata: { labels, annotations } };
  const kept = { ...(found.secret?.data ?? { server: found.server, name: found.name }) };
  for (const field of fields) {
    const key = fieldKeys[field];
    if (key === undefined) continue;
    const value = data[key];
    if (value === undefined) delete kept[key];
    else kept[key] = value;
  }
  const metadata = {
    ...(fields.includes('labels') ? { labels } : {}),
    ...(fields.includes('annotations') ? { annotations } : {}),
  };
  return { data: kept, metadata };
}
