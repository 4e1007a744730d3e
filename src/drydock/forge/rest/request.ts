import type { Context } from 'hono';
import { AppError } from '#base/errors.ts';
import { isObject, type JsonObject, parseJson } from '#base/json.ts';
import type { Account, Identity } from '../accounts.ts';
import type { ForgeParts } from '../parts.ts';
import { type Access, allows, type Repository } from '../repositories.ts';

export type RestEnv = { Variables: { identity: Identity } };
export type RestContext = Context<RestEnv>;

/** What a route does to a repository: who may is decided for users by access, for jobs by the scope of their token. */
export interface Need {
  access: Exclude<Access, 'none'>;
  /** Permission scope of a job's token; jobs may not use routes without one. */
  scope?: string;
}

/** The repository of `/repos/:owner/:repo`; 404 for those who may not see it, 403 for those who may not do this. */
export function repositoryOf(parts: ForgeParts, c: RestContext, need: Need): Repository {
  const [owner, name] = [c.req.param('owner') ?? '', c.req.param('repo') ?? ''];
  const identity = c.get('identity');
  const repo = parts.repos.find(owner, name);
  const access = repo ? parts.repos.access(identity, repo) : 'none';
  if (!repo || (access === 'none' && !(identity.kind === 'job' && identity.repoId === repo.id)))
    throw new AppError('not-found', 'Not Found');
  if (identity.kind === 'job' && identity.repoId === repo.id) return checkJob(repo, identity, need);
  if (!allows(access, need.access)) {
    if (identity.kind === 'anonymous') throw new AppError('unauthorized', 'Requires authentication');
    throw new AppError('forbidden', 'Must have push access to repository');
  }
  return repo;
}

function checkJob(repo: Repository, identity: Extract<Identity, { kind: 'job' }>, need: Need): Repository {
  if (need.scope === undefined && need.access === 'read') return repo;
  const given = need.scope === undefined ? 'none' : (identity.permissions[need.scope] ?? 'none');
  const enough =
    given === 'write' || (given === 'read' && need.access === 'read') || (need.access === 'read' && repo.private === 0);
  if (!enough || need.access === 'admin') throw new AppError('forbidden', 'Resource not accessible by integration');
  return repo;
}

/** Who is signed in; anonymous requests are refused. */
export function signedIn(c: RestContext): Exclude<Identity, { kind: 'anonymous' }> {
  const identity = c.get('identity');
  if (identity.kind === 'anonymous') throw new AppError('unauthorized', 'Requires authentication');
  return identity;
}

export function actorOf(c: RestContext): { account: Account; byJob: boolean } {
  const identity = signedIn(c);
  return { account: identity.account, byJob: identity.kind === 'job' };
}

export const bodyLimit = 25 * 1024 * 1024;

/** The JSON object of the body; an empty body is an empty object. */
export async function bodyOf(c: RestContext): Promise<JsonObject> {
  const text = await c.req.text();
  if (text.trim() === '') return {};
  if (text.length > bodyLimit) throw new AppError('limit', 'The request body is too large');
  let body: unknown;
  try {
    body = parseJson(text, 'the request body');
  } catch (cause) {
    throw new AppError('bad-input', 'Problems parsing JSON', { cause });
  }
  if (!isObject(body)) throw new AppError('bad-input', 'Body should be a JSON object');
  return body;
}

export function requiredText(body: JsonObject, name: string): string {
  const value = body[name];
  if (typeof value !== 'string' || value === '') {
    throw new AppError('bad-input', `Invalid request.\n\n"${name}" wasn't supplied.`);
  }
  return value;
}

export function optionalText(body: JsonObject, name: string): string | undefined {
  const value = body[name];
  return typeof value === 'string' ? value : undefined;
}

export function idParam(c: RestContext, name: string): number {
  const id = Number(c.req.param(name));
  if (!Number.isSafeInteger(id)) throw new AppError('not-found', 'Not Found');
  return id;
}

/** One page of `items` by `page` and `per_page`, with the Link header GitHub sends. */
export function pageOf<T>(c: RestContext, items: T[]): T[] {
  const perPage = Math.min(100, Math.max(1, Number(c.req.query('per_page')) || 30));
  const page = Math.max(1, Number(c.req.query('page')) || 1);
  const last = Math.max(1, Math.ceil(items.length / perPage));
  const links: string[] = [];
  const link = (number: number, rel: string) => {
    const url = new URL(c.req.url);
    url.searchParams.set('page', String(number));
    links.push(`<${url.toString()}>; rel="${rel}"`);
  };
  if (page > 1) link(page - 1, 'prev');
  if (page < last) {
    link(page + 1, 'next');
    link(last, 'last');
  }
  if (page > 1) link(1, 'first');
  if (links.length > 0) c.header('Link', links.join(', '));
  return items.slice((page - 1) * perPage, page * perPage);
}
