import { Hono } from 'hono';
import { timestamp } from '#base/clock.ts';
import { AppError } from '#base/errors.ts';
import { getArray, getObject, getPath, getString, type JsonObject, parseJson } from '#base/json.ts';
import { fromColumn } from '../database.ts';
import type { ForgeParts } from '../parts.ts';
import { accountView, fullName, repositoryView } from '../views.ts';
import type { Delivery, Hook, NewHook } from '../webhooks.ts';
import { bodyOf, idParam, pageOf, type RestContext, type RestEnv, repositoryOf, signedIn } from './request.ts';

interface HookScope {
  key: { repoId: number } | { orgId: number };
  url: string;
  about: JsonObject;
}

/** Webhooks of repositories and organisations, their pings and deliveries. */
export function hookRoutes(parts: ForgeParts): Hono<RestEnv> {
  const app = new Hono<RestEnv>();
  const repoScope = (c: RestContext): HookScope => {
    const repo = repositoryOf(parts, c, { access: 'admin' });
    const about = { repository: repositoryView(parts.links, repo, parts.accounts.byId(repo.owner_id)) };
    return { key: { repoId: repo.id }, url: `${parts.links.repo(fullName(repo))}/hooks`, about };
  };
  const orgScope = (c: RestContext): HookScope => {
    const org = parts.accounts.find(c.req.param('org') ?? '');
    const { account } = signedIn(c);
    const isAdmin = org && (account.site_admin === 1 || parts.accounts.roleIn(org.id, account.id) === 'admin');
    if (!org || !isAdmin) throw new AppError('not-found', 'Not Found');
    return {
      key: { orgId: org.id },
      url: `${parts.links.api}/orgs/${org.login}/hooks`,
      about: { organization: accountView(parts.links, org) },
    };
  };
  addRoutes(app, parts, { prefix: '/repos/:owner/:repo/hooks', scopeOf: repoScope });
  addRoutes(app, parts, { prefix: '/orgs/:org/hooks', scopeOf: orgScope });
  return app;
}

function addRoutes(
  app: Hono<RestEnv>,
  parts: ForgeParts,
  at: { prefix: string; scopeOf: (c: RestContext) => HookScope },
): void {
  const { webhooks, accounts, links } = parts;
  const { prefix, scopeOf } = at;
  const hookOf = (c: RestContext): { hook: Hook; scope: HookScope } => {
    const scope = scopeOf(c);
    const hook = webhooks.list(scope.key).find((candidate) => candidate.id === idParam(c, 'hook'));
    if (!hook) throw new AppError('not-found', 'Not Found');
    return { hook, scope };
  };
  const ping = (hook: Hook, scope: HookScope, c: RestContext) => {
    const sender = accountView(links, accounts.byId(signedIn(c).account.id));
    webhooks.ping(hook.id, {
      zen: 'Keep it logically awesome.',
      hook_id: hook.id,
      hook: hookView(hook, scope),
      ...scope.about,
      sender,
    });
  };
  app.get(prefix, (c) => {
    const scope = scopeOf(c);
    return c.json(pageOf(c, webhooks.list(scope.key)).map((hook) => hookView(hook, scope)));
  });
  app.post(prefix, async (c) => {
    const scope = scopeOf(c);
    const body = await bodyOf(c);
    const hook = webhooks.create(scope.key, { ...hookChange(body), url: getString(body, 'config', 'url') ?? '' });
    if (hook.active) ping(hook, scope, c);
    return c.json(hookView(hook, scope), 201);
  });
  app.get(`${prefix}/:hook`, (c) => {
    const { hook, scope } = hookOf(c);
    return c.json(hookView(hook, scope));
  });
  app.patch(`${prefix}/:hook`, async (c) => {
    const { hook, scope } = hookOf(c);
    return c.json(hookView(webhooks.update(hook.id, hookChange(await bodyOf(c))), scope));
  });
  app.delete(`${prefix}/:hook`, (c) => {
    webhooks.remove(hookOf(c).hook.id);
    return c.body(null, 204);
  });
  app.post(`${prefix}/:hook/pings`, (c) => {
    const { hook, scope } = hookOf(c);
    ping(hook, scope, c);
    return c.body(null, 204);
  });
  deliveryRoutes(app, parts, { prefix, hookOf });
}

function deliveryRoutes(
  app: Hono<RestEnv>,
  { webhooks }: ForgeParts,
  { prefix, hookOf }: { prefix: string; hookOf: (c: RestContext) => { hook: Hook } },
): void {
  app.get(`${prefix}/:hook/deliveries`, (c) => {
    const { hook } = hookOf(c);
    return c.json(pageOf(c, webhooks.deliveries(hook.id, 500)).map(deliveryView));
  });
  app.get(`${prefix}/:hook/deliveries/:delivery`, (c) => {
    const { hook } = hookOf(c);
    const delivery = webhooks.delivery(hook.id, idParam(c, 'delivery'));
    const request = { headers: {}, payload: parseJson(delivery.payload, 'the delivery') };
    return c.json({
      ...deliveryView(delivery),
      url: hook.url,
      request,
      response: { headers: {}, payload: delivery.response },
    });
  });
  app.post(`${prefix}/:hook/deliveries/:delivery/attempts`, (c) => {
    const { hook } = hookOf(c);
    webhooks.redeliver(hook.id, idParam(c, 'delivery'));
    return c.json({}, 202);
  });
}

function hookChange(body: JsonObject): Partial<NewHook> {
  const change: Partial<NewHook> = {};
  const url = getString(body, 'config', 'url');
  const secret = getString(body, 'config', 'secret');
  const contentType = getString(body, 'config', 'content_type');
  if (url !== undefined) change.url = url;
  if (secret !== undefined) change.secret = secret;
  if (contentType === 'json' || contentType === 'form') change.contentType = contentType;
  else if (contentType !== undefined) throw new AppError('bad-input', 'config.content_type must be json or form');
  if (getPath(body, 'events') !== undefined)
    change.events = getArray(body, 'events').filter((event) => typeof event === 'string');
  if (typeof body['active'] === 'boolean') change.active = body['active'];
  return change;
}

function hookView(hook: Hook, scope: HookScope): JsonObject {
  const url = `${scope.url}/${hook.id}`;
  return {
    type: 'repoId' in scope.key ? 'Repository' : 'Organization',
    id: hook.id,
    name: 'web',
    active: hook.active === 1,
    events: fromColumn<string[]>(hook.events_json),
    config: {
      url: hook.url,
      content_type: hook.content_type,
      insecure_ssl: '0',
      ...(hook.secret ? { secret: '********' } : {}),
    },
    updated_at: timestamp(hook.updated_at),
    created_at: timestamp(hook.created_at),
    url,
    test_url: `${url}/test`,
    ping_url: `${url}/pings`,
    deliveries_url: `${url}/deliveries`,
    last_response: getObject({}),
  };
}

function deliveryView(delivery: Delivery): JsonObject {
  return {
    id: delivery.id,
    guid: delivery.guid,
    delivered_at: timestamp(delivery.delivered_at ?? delivery.created_at),
    redelivery: delivery.redelivery === 1,
    duration: (delivery.duration_ms ?? 0) / 1000,
    status: delivery.state === 'delivered' ? 'OK' : (delivery.response ?? 'pending'),
    status_code: delivery.status_code ?? 0,
    event: delivery.event,
    action: delivery.action,
    installation_id: null,
    repository_id: null,
  };
}
