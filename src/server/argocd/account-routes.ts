import { type Context, Hono } from 'hono';
import { RE2JS } from 're2js';
import { z } from 'zod';
import type { InstanceStore } from '#apps/port.ts';
import { type Clock, type Entropy, timestamp } from '#base/clock.ts';
import { AppError } from '#base/errors.ts';
import { type Account, adminName, secretKeysOf, tokensText } from '../access/accounts.ts';
import { accessName, type Guard } from '../access/guard.ts';
import { changeData } from '../access/instance-secret.ts';
import { localIssuer, type Sessions } from '../access/sessions.ts';
import type { Principal, ServerEnv } from '../auth.ts';
import { readBody } from '../body.ts';
import { type RbacResource, rbacActions, rbacResources } from '../rbac/builtin.ts';
import { projectRoleOf } from '../rbac/enforcer.ts';

const PasswordBody = z.looseObject({
  name: z.string().default(''),
  currentPassword: z.string().default(''),
  newPassword: z.string().default(''),
});
const TokenBody = z.looseObject({
  expiresIn: z.coerce.number().int().nonnegative().default(0),
  id: z.string().default(''),
});

export interface AccountDeps {
  instance: InstanceStore;
  guard: Guard;
  sessions: Sessions;
  clock: Clock;
  entropy: Entropy;
}

const defaultPasswordPattern = '^.{8,32}$';
const projectScoped = new Set(['applications', 'applicationsets', 'logs', 'exec', 'clusters', 'repositories']);

function shape({ name, enabled, capabilities, tokens }: Account) {
  const listed = tokens.toSorted((a, b) => b.issuedAt - a.issuedAt);
  const shown = listed.map(({ id, issuedAt, expiresAt }) => ({
    id,
    issuedAt,
    ...(expiresAt === undefined ? {} : { expiresAt }),
  }));
  return { name, enabled, capabilities, ...(shown.length > 0 ? { tokens: shown } : {}) };
}

function isLocal(who: Principal): boolean {
  return who.session === undefined ? who.subject !== '' : who.session.issuer === localIssuer;
}

/** Local accounts: who they are, their tokens and passwords, and what the caller may do. */
export function accountRoutes(deps: AccountDeps): Hono<ServerEnv> {
  const { instance, guard, sessions, clock, entropy } = deps;
  const app = new Hono<ServerEnv>();
  const at = '/account/:name';

  const isOwn = (who: Principal, name: string) => who.subject === name && isLocal(who);

  function demand(c: Context<ServerEnv>, action: string, name: string): void {
    const who = c.get('principal');
    if (!isOwn(who, name)) guard.demand(who, 'accounts', action, name);
  }

  function find(name: string): Account {
    const account = sessions.accounts().get(name);
    if (account) return account;
    throw new AppError('not-found', `account '${name}' does not exist`);
  }

  async function changeAccount(
    name: string,
    change: (account: Account) => Record<string, string>,
    signal: AbortSignal,
  ) {
    const labels = { 'app.kubernetes.io/name': 'argocd-secret', 'app.kubernetes.io/part-of': 'argocd' };
    await changeData(
      instance,
      'Secret',
      { name: 'argocd-secret', labels, change: (data) => ({ ...data, ...change(sessions.accountIn(name, data)) }) },
      signal,
    );
  }

  app.get('/account', (c) => {
    const who = c.get('principal');
    const all = [...sessions.accounts().values()].sort((a, b) => (a.name < b.name ? -1 : 1));
    const items = all.filter(({ name }) => isOwn(who, name) || guard.allows(who, 'accounts', 'get', name));
    return c.json({ items: items.map(shape) });
  });

  app.get('/account/can-i/:resource/:action/:subresource{.+}', (c) => {
    const resource = rbacResources.find((known) => known === c.req.param('resource'));
    const asked = c.req.param('action');
    if (!rbacActions.some((known) => known === asked))
      throw new AppError('bad-input', `[${rbacActions.join(' ')}] does not contain ${asked}`);
    if (!resource)
      throw new AppError('bad-input', `[${rbacResources.join(' ')}] does not contain ${c.req.param('resource')}`);
    const strict = /^true$/i.test(instance.config('argocd-cm')['server.rbac.rollback.enforce.enable'] ?? '');
    const action = asked === 'rollback' && !strict ? 'sync' : asked;
    const object = normalObject(resource, c.req.param('subresource'));
    return c.json({ value: guard.allows(c.get('principal'), resource, action, object) ? 'yes' : 'no' });
  });

  /** The instance's own namespace goes without saying. */
  function normalObject(resource: RbacResource, object: string): string {
    const parts = object.split('/');
    const [project = '', namespace, name = ''] = parts;
    return projectScoped.has(resource) && parts.length === 3
      ? accessName(instance, { project, namespace, name })
      : object;
  }

  app.put('/account/password', async (c) => {
    const { name: given, currentPassword, newPassword } = await readBody(c, PasswordBody);
    const who = c.get('principal');
    const { signal } = c.req.raw;
    const name = given || who.subject;
    if (!isOwn(who, name)) guard.demand(who, 'accounts', 'update', name);
    if (given === '' && projectRoleOf(who.subject))
      throw new AppError('bad-input', `password can only be changed for local users, not user "${who.subject}"`);
    // The server's own token stands above passwords.
    if (who.session !== undefined && isLocal(who)) {
      try {
        await sessions.checkPassword(who.subject, currentPassword);
      } catch (cause) {
        throw new AppError('bad-input', 'current password does not match', { cause });
      }
    }
    const pattern = instance.config('argocd-cm')['passwordPattern'] || defaultPasswordPattern;
    if (!RE2JS.compile(pattern).matcher(newPassword).find())
      throw new AppError('bad-input', `new password does not match the following expression: ${pattern}`);
    find(name);
    const hash = await sessions.hashPassword(newPassword);
    const keys = secretKeysOf(name);
    const mtime = timestamp(clock.now());
    await changeAccount(name, () => ({ [keys.password]: hash, [keys.passwordMtime]: mtime }), signal);
    return c.json({});
  });

  app.get(at, (c) => {
    const name = c.req.param('name');
    demand(c, 'get', name);
    return c.json(shape(find(name)));
  });

  app.post(`${at}/token`, async (c) => {
    const name = c.req.param('name');
    demand(c, 'update', name);
    const { expiresIn, id: given } = await readBody(c, TokenBody);
    const id = given || entropy.uuid();
    const now = clock.now();
    const issuedAt = Math.floor(now / 1000);
    if (!find(name).capabilities.includes('apiKey'))
      throw new AppError('bad-input', `account '${name}' does not have apiKey capability`, {
        hint: `set ${name === adminName ? 'accounts.admin' : `accounts.${name}`}: apiKey in argocd-cm`,
      });
    const { signal } = c.req.raw;
    const token = await sessions.issue({ subject: `${name}:apiKey`, seconds: expiresIn, id, now }, signal);
    const expiresAt = expiresIn > 0 ? issuedAt + expiresIn : undefined;
    await changeAccount(
      name,
      ({ tokens }) => {
        if (tokens.some((token) => token.id === id))
          throw new AppError('bad-input', `account already has token with id '${id}'`);
        return { [secretKeysOf(name).tokens]: tokensText([...tokens, { id, issuedAt, expiresAt }]) };
      },
      signal,
    );
    return c.json({ token });
  });

  app.delete(`${at}/token/:id`, async (c) => {
    const name = c.req.param('name');
    demand(c, 'update', name);
    find(name);
    const id = c.req.param('id');
    await changeAccount(
      name,
      ({ tokens }) => {
        const kept = tokens.filter((token) => token.id !== id);
        if (kept.length === tokens.length) throw new AppError('not-found', `token with id '${id}' does not exist`);
        return { [secretKeysOf(name).tokens]: tokensText(kept) };
      },
      c.req.raw.signal,
    );
    return c.json({});
  });

  return app;
}
