import { Hono } from 'hono';
import { timestamp } from '#base/clock.ts';
import { AppError } from '#base/errors.ts';
import { getArray, getNumber, getString, type JsonObject } from '#base/json.ts';
import type { ForgeParts } from '../parts.ts';
import type { Repository } from '../repositories.ts';
import { environmentView } from '../run-views.ts';
import { type Environment, reviewersOf, type SettingScope } from '../settings.ts';
import { bodyOf, pageOf, type RestContext, type RestEnv, repositoryOf, requiredText } from './request.ts';

const read = { access: 'read', scope: 'actions' } as const;
const admin = { access: 'admin' } as const;

/** Environments with their reviewers, variables, and the names of secrets. */
export function settingRoutes(parts: ForgeParts): Hono<RestEnv> {
  const app = new Hono<RestEnv>();
  environmentRoutes(app, parts);
  const repoScope = (repo: Repository): SettingScope => ({ scope: 'repo', id: repo.id });
  const environmentScope = (repo: Repository, c: RestContext): SettingScope => ({
    scope: 'environment',
    id: environmentOf(parts, repo, c).id,
  });
  valueRoutes(app, parts, { prefix: '/repos/:owner/:repo/actions', scopeOf: repoScope });
  valueRoutes(app, parts, { prefix: '/repos/:owner/:repo/environments/:environment', scopeOf: environmentScope });
  return app;
}

function environmentOf(parts: ForgeParts, repo: Repository, c: RestContext): Environment {
  const found = parts.settings.environment(repo, c.req.param('environment') ?? '');
  if (!found) throw new AppError('not-found', 'Not Found');
  return found;
}

function environmentRoutes(app: Hono<RestEnv>, parts: ForgeParts): void {
  const { settings, links, accounts } = parts;
  const base = '/repos/:owner/:repo/environments';
  const view = (repo: Repository, environment: Environment) =>
    environmentView(links, environment, { repo, reviewers: reviewersOf(environment).map((id) => accounts.byId(id)) });
  app.get(base, (c) => {
    const repo = repositoryOf(parts, c, read);
    const all = settings.environments(repo);
    return c.json({
      total_count: all.length,
      environments: pageOf(c, all).map((environment) => view(repo, environment)),
    });
  });
  app.get(`${base}/:environment`, (c) => {
    const repo = repositoryOf(parts, c, read);
    return c.json(view(repo, environmentOf(parts, repo, c)));
  });
  app.put(`${base}/:environment`, async (c) => {
    const repo = repositoryOf(parts, c, admin);
    const body = await bodyOf(c);
    if (body['deployment_branch_policy'] !== undefined && body['deployment_branch_policy'] !== null) {
      throw new AppError('unsupported', 'deployment_branch_policy is not supported by this forge');
    }
    const reviewers = getArray(body, 'reviewers').map((reviewer) => {
      if (getString(reviewer, 'type') !== 'User')
        throw new AppError('unsupported', 'Only reviewers of type User are supported');
      return accounts.byId(getNumber(reviewer, 'id') ?? 0).id;
    });
    const made = settings.putEnvironment(repo, c.req.param('environment'), {
      reviewers,
      waitMinutes: getNumber(body, 'wait_timer') ?? 0,
      preventSelfReview: body['prevent_self_review'] === true,
    });
    return c.json(view(repo, made));
  });
}

function valueRoutes(
  app: Hono<RestEnv>,
  parts: ForgeParts,
  { prefix, scopeOf }: { prefix: string; scopeOf: (repo: Repository, c: RestContext) => SettingScope },
): void {
  const { settings } = parts;
  const times = (at: { created_at: number; updated_at: number }): JsonObject => ({
    created_at: timestamp(at.created_at),
    updated_at: timestamp(at.updated_at),
  });
  app.get(`${prefix}/variables`, (c) => {
    const all = settings.list('variable', scopeOf(repositoryOf(parts, c, read), c));
    const variables = pageOf(c, all).map((found) => ({ name: found.name, value: found.value, ...times(found) }));
    return c.json({ total_count: all.length, variables });
  });
  app.post(`${prefix}/variables`, async (c) => {
    const scope = scopeOf(repositoryOf(parts, c, admin), c);
    const body = await bodyOf(c);
    settings.put('variable', scope, { name: requiredText(body, 'name'), value: requiredText(body, 'value') });
    return c.json({}, 201);
  });
  app.patch(`${prefix}/variables/:name`, async (c) => {
    const scope = scopeOf(repositoryOf(parts, c, admin), c);
    settings.put('variable', scope, { name: c.req.param('name') ?? '', value: requiredText(await bodyOf(c), 'value') });
    return c.body(null, 204);
  });
  app.get(`${prefix}/variables/:name`, (c) => {
    const name = (c.req.param('name') ?? '').toUpperCase();
    const found = settings
      .list('variable', scopeOf(repositoryOf(parts, c, read), c))
      .find((each) => each.name === name);
    if (!found) throw new AppError('not-found', 'Not Found');
    return c.json({ name: found.name, value: found.value, ...times(found) });
  });
  app.delete(`${prefix}/variables/:name`, (c) => {
    const scope = scopeOf(repositoryOf(parts, c, admin), c);
    if (!settings.remove('variable', scope, c.req.param('name') ?? '')) throw new AppError('not-found', 'Not Found');
    return c.body(null, 204);
  });
  app.get(`${prefix}/secrets`, (c) => {
    const all = settings.list('secret', scopeOf(repositoryOf(parts, c, admin), c));
    return c.json({
      total_count: all.length,
      secrets: pageOf(c, all).map((found) => ({ name: found.name, ...times(found) })),
    });
  });
  app.put(`${prefix}/secrets/:name`, () => {
    throw new AppError('unsupported', 'Secrets cannot be set over HTTP on this forge: it has no key to seal them with');
  });
  app.delete(`${prefix}/secrets/:name`, (c) => {
    const scope = scopeOf(repositoryOf(parts, c, admin), c);
    if (!settings.remove('secret', scope, c.req.param('name') ?? '')) throw new AppError('not-found', 'Not Found');
    return c.body(null, 204);
  });
}
