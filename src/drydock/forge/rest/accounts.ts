import { Hono } from 'hono';
import { timestamp } from '#base/clock.ts';
import { AppError } from '#base/errors.ts';
import type { JsonObject } from '#base/json.ts';
import type { Account } from '../accounts.ts';
import type { ForgeParts } from '../parts.ts';
import { accountView, repositoryView } from '../views.ts';
import { bodyOf, optionalText, pageOf, type RestContext, type RestEnv, requiredText, signedIn } from './request.ts';

/** Users, organisations and the repositories they own. */
export function accountRoutes(parts: ForgeParts): Hono<RestEnv> {
  const { accounts, links, repos } = parts;
  const app = new Hono<RestEnv>();
  const named = (c: RestContext, name: string) => {
    const account = accounts.find(c.req.param(name) ?? '');
    if (!account) throw new AppError('not-found', 'Not Found');
    return account;
  };
  const repositories = (c: RestContext, owner: Account) =>
    c.json(
      pageOf(
        c,
        repos.ofOwner(owner.id).filter((repo) => repos.access(c.get('identity'), repo) !== 'none'),
      ).map((repo) => repositoryView(links, repo, owner)),
    );
  app.get('/user', (c) => c.json(fullAccount(parts, signedIn(c).account)));
  app.get('/user/orgs', (c) =>
    c.json(pageOf(c, accounts.orgsOf(signedIn(c).account.id)).map((org) => organization(parts, org))),
  );
  app.get('/user/repos', (c) => {
    const identity = signedIn(c);
    const mine = repos.all().filter((repo) => ['write', 'admin'].includes(repos.access(identity, repo)));
    return c.json(pageOf(c, mine).map((repo) => repositoryView(links, repo, accounts.byId(repo.owner_id))));
  });
  app.post('/user/repos', (c) => createRepository(parts, c, signedIn(c).account));
  app.get('/users/:login', (c) => c.json(fullAccount(parts, named(c, 'login'))));
  app.get('/users/:login/repos', (c) => repositories(c, named(c, 'login')));
  app.get('/orgs/:org', (c) => c.json(organization(parts, named(c, 'org'))));
  app.get('/orgs/:org/members', (c) =>
    c.json(pageOf(c, accounts.membersOf(named(c, 'org').id)).map((member) => accountView(links, member))),
  );
  app.get('/orgs/:org/repos', (c) => repositories(c, named(c, 'org')));
  app.post('/orgs/:org/repos', (c) => createRepository(parts, c, named(c, 'org')));
  return app;
}

async function createRepository(parts: ForgeParts, c: RestContext, owner: Account): Promise<Response> {
  const { account } = signedIn(c);
  const allowed =
    owner.id === account.id || account.site_admin === 1 || parts.accounts.roleIn(owner.id, account.id) !== undefined;
  if (!allowed) throw new AppError('forbidden', 'You need to be a member of the organization to create a repository');
  const body = await bodyOf(c);
  const name = requiredText(body, 'name');
  if (parts.repos.find(owner.login, name))
    throw new AppError('bad-input', 'Repository creation failed: name already exists on this account');
  const options = { name, private: body['private'] === true, description: optionalText(body, 'description') ?? null };
  const repo = await parts.repos.create(owner, options, c.req.raw.signal);
  return c.json(repositoryView(parts.links, repo, owner), 201);
}

function fullAccount(parts: ForgeParts, account: Account): JsonObject {
  return {
    ...accountView(parts.links, account),
    name: account.name,
    company: null,
    blog: '',
    location: null,
    email: account.email,
    bio: null,
    public_repos: parts.repos.ofOwner(account.id).filter((repo) => !repo.private).length,
    public_gists: 0,
    followers: 0,
    following: 0,
    created_at: timestamp(account.created_at),
    updated_at: timestamp(account.created_at),
  };
}

function organization(parts: ForgeParts, org: Account): JsonObject {
  const api = `${parts.links.api}/orgs/${org.login}`;
  return {
    login: org.login,
    id: org.id,
    node_id: accountView(parts.links, org)['node_id'],
    url: api,
    repos_url: `${api}/repos`,
    hooks_url: `${api}/hooks`,
    members_url: `${api}/members{/member}`,
    avatar_url: '',
    description: null,
    name: org.name,
    type: org.type,
  };
}
