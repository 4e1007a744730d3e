import { type Context, Hono } from 'hono';
import { z } from 'zod';
import type { RepositoryConnection } from '#apps/port.ts';
import { AppError, isAppError } from '#base/errors.ts';
import { getString, type JsonObject, jsonEqual } from '#base/json.ts';
import type { SecretData } from '../access/instance-secret.ts';
import type { ServerEnv } from '../auth.ts';
import { readBody } from '../body.ts';
import { type ArgocdDeps, queryFlag } from './access.ts';
import {
  createDeclared,
  type DeclaredSecret,
  deleteDeclared,
  fnv32a,
  listDeclared,
  replaceDeclared,
  secretDataOf,
} from './declared-secrets.ts';
import { accessOf, fieldsOf, hasCredentials, repositoryFields, repositoryShape } from './repository-document.ts';

type Asked = Context<ServerEnv>;
type Deps = Pick<ArgocdDeps, 'guard' | 'instance' | 'sight'>;

const anyObject = z.looseObject({});

export interface RepositorySort {
  path: string;
  resource: 'repositories' | 'write-repositories';
  secretType: 'repository' | 'repository-write';
  secretPrefix: string;
}

export const readRepositories: RepositorySort = {
  path: '/repositories',
  resource: 'repositories',
  secretType: 'repository',
  secretPrefix: 'repo',
};
export const writeRepositories: RepositorySort = {
  path: '/write-repositories',
  resource: 'write-repositories',
  secretType: 'repository-write',
  secretPrefix: 'repo-write',
};

export function repositoryObject(data: SecretData): string {
  return data['project'] ? `${data['project']}/${data['url']}` : (data['url'] ?? '');
}

export function connectionShape({ status, message, attemptedAt }: RepositoryConnection): JsonObject {
  return { status, message, attemptedAt: attemptedAt ?? null };
}

function dataOf(body: unknown): SecretData {
  const url = getString(body, 'repo') ?? '';
  if (url === '') throw new AppError('bad-input', 'missing payload in request: repo names no repository');
  return secretDataOf({ url, ...fieldsOf(body, repositoryFields) });
}

/** Repositories by Argo CD's API: each is a labelled Secret of the instance; secrets go in and never come out. */
export function repositories(deps: Deps, sort: RepositorySort): Hono<ServerEnv> {
  const { guard, instance, sight } = deps;
  const app = new Hono<ServerEnv>();
  const at = `${sort.path}/:repo`;

  async function shape({ data }: DeclaredSecret, fresh: boolean, signal: AbortSignal): Promise<JsonObject> {
    const project = data['project'] || undefined;
    return repositoryShape(
      data,
      connectionShape(await sight.connection(data['url'] ?? '', { project, fresh }, signal)),
    );
  }

  async function permitted(c: Asked): Promise<DeclaredSecret[]> {
    const who = c.get('principal');
    const all = await listDeclared(instance, sort.secretType, c.req.raw.signal);
    return all.filter(({ data }) => guard.allows(who, sort.resource, 'get', repositoryObject(data)));
  }

  /** The declared repository of a URL, of the asked project where several projects have it. */
  async function find(c: Asked, action: string): Promise<DeclaredSecret> {
    const url = c.req.param('repo') ?? '';
    const project = c.req.query('appProject');
    const all = await listDeclared(instance, sort.secretType, c.req.raw.signal);
    const same = all.filter(({ data }) => sameRepository(data['url'] ?? '', url));
    const found =
      project === undefined
        ? same.length === 1
          ? same[0]
          : same.find(({ data }) => !data['project'])
        : same.find(({ data }) => (data['project'] ?? '') === project);
    guard.demand(c.get('principal'), sort.resource, action, found ? repositoryObject(found.data) : url);
    if (found) return found;
    throw new AppError('not-found', `repo '${url}' not found`);
  }

  app.get(sort.path, async (c) => {
    const fresh = queryFlag(c, 'forceRefresh') ?? false;
    const url = c.req.query('repo');
    const found = (await permitted(c)).filter(({ data }) => !url || sameRepository(data['url'] ?? '', url));
    found.sort((a, b) => (orderOf(a) < orderOf(b) ? -1 : 1));
    const items = await Promise.all(found.map((secret) => shape(secret, fresh, c.req.raw.signal)));
    return c.json({ metadata: {}, items: items.length > 0 ? items : null });
  });

  app.get(at, async (c) => {
    return c.json(await shape(await find(c, 'get'), queryFlag(c, 'forceRefresh') ?? false, c.req.raw.signal));
  });

  app.post(sort.path, async (c) => {
    const data = dataOf(await readBody(c, anyObject));
    const { signal } = c.req.raw;
    const object = repositoryObject(data);
    guard.demand(c.get('principal'), sort.resource, 'create', object);
    const project = data['project'] ?? '';
    if (project === '' && !(queryFlag(c, 'credsOnly') ?? false)) await assertReachable(data, signal);
    const name = `${sort.secretPrefix}-${fnv32a(`${data['url']}${project}`)}`;
    try {
      return c.json(
        await shape(await createDeclared(instance, { type: sort.secretType, name, data }, signal), true, signal),
      );
    } catch (error) {
      if (!isAppError(error, 'conflict')) throw error;
    }
    const all = await listDeclared(instance, sort.secretType, signal);
    const current = all.find(({ data: other }) => other['url'] === data['url'] && (other['project'] ?? '') === project);
    if (!current) throw new AppError('conflict', `the Secret ${name} already exists and is of something else`);
    if (jsonEqual(current.data, data)) return c.json(await shape(current, false, signal));
    if (!queryFlag(c, 'upsert'))
      throw new AppError('bad-input', 'existing repository spec is different; use upsert flag to force update');
    guard.demand(c.get('principal'), sort.resource, 'update', object);
    return c.json(await shape(await replaceDeclared(instance, current, data, signal), true, signal));
  });

  /** With its own credentials, or with those that are declared for its prefix. */
  async function assertReachable(data: SecretData, signal: AbortSignal): Promise<void> {
    if (hasCredentials(data)) return await sight.reach(accessOf(data), signal);
    const { status, message } = await sight.connection(data['url'] ?? '', { project: undefined, fresh: true }, signal);
    if (status === 'Failed') throw new AppError('bad-input', message);
  }

  app.put(at, async (c) => {
    const url = c.req.param('repo');
    const data = dataOf({ ...(await readBody(c, anyObject)), repo: url });
    const current = await find(c, 'update');
    guard.demand(c.get('principal'), sort.resource, 'update', repositoryObject(data));
    const { signal } = c.req.raw;
    return c.json(await shape(await replaceDeclared(instance, current, data, signal), true, signal));
  });

  app.delete(at, async (c) => {
    await deleteDeclared(instance, await find(c, 'delete'), c.req.raw.signal);
    return c.json({});
  });

  app.post(`${at}/validate`, async (c) => {
    const { req } = c;
    const fields = Object.fromEntries(
      repositoryFields.map((name) => [name, req.query(name === 'enableOCI' ? 'enableOci' : name)]),
    );
    const data = secretDataOf({ ...fields, url: req.param('repo') });
    guard.demand(c.get('principal'), sort.resource, 'create', repositoryObject(data));
    await assertReachable(data, req.raw.signal);
    return c.json({});
  });

  return app;
}

function orderOf({ data }: DeclaredSecret): string {
  return `${data['project'] ?? ''}/${data['url'] ?? ''}`;
}

export function sameRepository(a: string, b: string): boolean {
  const plain = (url: string) =>
    url
      .trim()
      .replace(/\.git$/, '')
      .replace(/\/$/, '')
      .toLowerCase();
  return plain(a) === plain(b);
}
