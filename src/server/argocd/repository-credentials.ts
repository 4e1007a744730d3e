import { type Context, Hono } from 'hono';
import { z } from 'zod';
import { AppError, isAppError } from '#base/errors.ts';
import { getString, jsonEqual } from '#base/json.ts';
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
import { credentialFields, credentialShape, fieldsOf } from './repository-document.ts';

type Asked = Context<ServerEnv>;
const anyObject = z.looseObject({});

export interface CredentialSort {
  path: string;
  resource: 'repositories' | 'write-repositories';
  secretType: 'repo-creds' | 'repo-write-creds';
  secretPrefix: string;
}

export const readCredentials: CredentialSort = {
  path: '/repocreds',
  resource: 'repositories',
  secretType: 'repo-creds',
  secretPrefix: 'creds',
};
export const writeCredentials: CredentialSort = {
  path: '/write-repocreds',
  resource: 'write-repositories',
  secretType: 'repo-write-creds',
  secretPrefix: 'creds-write',
};

/** A Secret of credentials names Azure's identifiers in another case than one of a repository. */
const renamed: Record<string, string> = {
  azureServicePrincipalClientId: 'azureServicePrincipalClientID',
  azureServicePrincipalTenantId: 'azureServicePrincipalTenantID',
};

function dataOf(body: unknown): SecretData {
  const url = getString(body, 'url') ?? '';
  if (url === '') throw new AppError('bad-input', 'missing payload in request: url names no prefix');
  const fields = Object.entries(fieldsOf(body, credentialFields)).map(([key, value]) => [renamed[key] ?? key, value]);
  return secretDataOf({ url, ...Object.fromEntries(fields) });
}

/** Credentials for all repositories below a prefix: labelled Secrets, whose secrets never come out. */
export function repositoryCredentials(
  { guard, instance }: Pick<ArgocdDeps, 'guard' | 'instance'>,
  sort: CredentialSort,
): Hono<ServerEnv> {
  const app = new Hono<ServerEnv>();
  const at = `${sort.path}/:url`;
  const shape = ({ data }: DeclaredSecret) => credentialShape(data);
  const list = (c: Asked) => listDeclared(instance, sort.secretType, c.req.raw.signal);

  async function find(c: Asked, action: string): Promise<DeclaredSecret> {
    const url = c.req.param('url') ?? '';
    guard.demand(c.get('principal'), sort.resource, action, url);
    const found = (await list(c)).find(({ data }) => data['url'] === url);
    if (!found) throw new AppError('not-found', `repository credentials '${url}' not found`);
    return found;
  }

  app.get(sort.path, async (c) => {
    const who = c.get('principal');
    const url = c.req.query('url');
    const found = (await list(c)).filter(
      ({ data }) => (!url || data['url'] === url) && guard.allows(who, sort.resource, 'get', data['url'] ?? ''),
    );
    return c.json({ metadata: {}, items: found.length > 0 ? found.map(shape) : null });
  });

  app.post(sort.path, async (c) => {
    const data = dataOf(await readBody(c, anyObject));
    const { url = '' } = data;
    const { signal } = c.req.raw;
    guard.demand(c.get('principal'), sort.resource, 'create', url);
    const current = (await list(c)).find((secret) => secret.data['url'] === url);
    if (!current) {
      const name = `${sort.secretPrefix}-${fnv32a(url)}`;
      try {
        return c.json(shape(await createDeclared(instance, { type: sort.secretType, name, data }, signal)));
      } catch (error) {
        if (!isAppError(error, 'conflict')) throw error;
        throw new AppError('conflict', `the Secret ${name} already exists and is of something else`, { cause: error });
      }
    }
    if (jsonEqual(current.data, data)) return c.json(shape(current));
    if (!queryFlag(c, 'upsert'))
      throw new AppError(
        'bad-input',
        'existing repository credentials spec is different; use upsert flag to force update',
      );
    guard.demand(c.get('principal'), sort.resource, 'update', url);
    return c.json(shape(await replaceDeclared(instance, current, data, signal)));
  });

  app.put(at, async (c) => {
    const data = dataOf({ ...(await readBody(c, anyObject)), url: c.req.param('url') });
    const current = await find(c, 'update');
    return c.json(shape(await replaceDeclared(instance, current, data, c.req.raw.signal)));
  });

  app.delete(at, async (c) => {
    await deleteDeclared(instance, await find(c, 'delete'), c.req.raw.signal);
    return c.json({});
  });

  return app;
}
