import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, beforeEach, describe, test } from 'node:test';
import { hash } from 'bcryptjs';
import { decodeJwt, exportJWK, generateKeyPair, SignJWT } from 'jose';
import { isObject } from '#base/json.ts';
import { silentLogger } from '#base/log.ts';
import { testClock, testEntropy } from '../../../test/clock.ts';
import { application } from '../../../test/web/application.ts';
import { MemoryAudit, MemoryEngine } from '../../../test/web/memory-engine.ts';
import { clearSight, MemoryInstance, noResources } from '../../../test/web/memory-instance.ts';
import { type ListeningServer, startServer } from '../server.ts';
import { parseAccounts } from './accounts.ts';
import { LoginFailures } from './login-limit.ts';
import { groupsOf, subjectOf } from './oidc.ts';
import { localPath } from './sign-on.ts';

const adminToken = 'access-test-token';
const instance = new MemoryInstance();
let engine: MemoryEngine;
let server: ListeningServer;

const shop = application({ name: 'shop' });
const other = application({ name: 'other' });

before(async () => {
  engine = new MemoryEngine();
  engine.put({ ...shop, spec: { ...shop.spec, project: 'p1' } });
  engine.put({ ...other, spec: { ...other.spec, project: 'p2' } });
  server = await startServer({
    engine,
    resources: noResources,
    instance,
    sight: clearSight,
    audit: new MemoryAudit(),
    tracer: { trace: async () => ({ subject: 'x', application: undefined, steps: [] }) },
    logger: silentLogger,
    clock: testClock,
    entropy: testEntropy,
    host: '127.0.0.1',
    port: 0,
    webhookSecret: undefined,
    token: adminToken,
    anonymousRead: false,
    version: '0',
    webDir: '.',
  });
});
after(() => server[Symbol.asyncDispose]());

interface Answer {
  status: number;
  body: Record<string, unknown>;
}

async function ask(method: string, path: string, options: { token?: string; body?: unknown } = {}): Promise<Answer> {
  const { token, body } = options;
  const answer = await fetch(`${server.url}${path}`, {
    method,
    headers: {
      'content-type': 'application/json',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const parsed: unknown = await answer.json();
  return { status: answer.status, body: isObject(parsed) ? parsed : {} };
}

const names = ({ body }: Answer) =>
  ((body['items'] ?? []) as { metadata: { name: string } }[]).map(({ metadata }) => metadata.name);

function setUp(config: Record<string, string> = {}, rbac: Record<string, string> = {}): void {
  instance.putConfig('argocd-cm', { 'accounts.kim': 'login, apiKey', 'accounts.bot': 'apiKey', ...config });
  instance.putConfig('argocd-rbac-cm', rbac);
}

async function logIn(name: string, password: string): Promise<string> {
  const { status, body } = await ask('POST', '/api/v1/session', { body: { username: name, password } });
  assert.equal(status, 200, JSON.stringify(body));
  return String(body['token']);
}

describe('accounts and sessions', () => {
  beforeEach(() => setUp());

  test('a password that was set logs in; the token says who it is and ends when the password changes', async () => {
    const set = { name: 'kim', newPassword: 'first-secret' };
    assert.equal((await ask('PUT', '/api/v1/account/password', { token: adminToken, body: set })).status, 200);
    assert.match(instance.secret('argocd-secret')['accounts.kim.password'] ?? '', /^\$2[aby]\$10\$/);
    const token = await logIn('kim', 'first-secret');
    const { sub, iss, jti, exp, iat } = decodeJwt(token);
    assert.deepEqual({ sub, iss, long: (exp ?? 0) - (iat ?? 0) }, { sub: 'kim:login', iss: 'argocd', long: 86_400 });
    assert.ok(jti);
    const info = await ask('GET', '/api/v1/session/userinfo', { token });
    assert.deepEqual(info.body, { loggedIn: true, username: 'kim', iss: 'argocd' });
    const future = new Date(testClock.now() + 5000).toISOString();
    instance.putSecret('argocd-secret', { ...instance.secret('argocd-secret'), 'accounts.kim.passwordMtime': future });
    assert.equal((await ask('GET', '/api/v1/applications', { token })).status, 401);
  });

  test('hashes of another cost are read', async () => {
    const cheap = await hash('first-secret', 4);
    instance.putSecret('argocd-secret', { ...instance.secret('argocd-secret'), 'accounts.kim.password': cheap });
    instance.putSecret('argocd-secret', { ...instance.secret('argocd-secret'), 'accounts.kim.passwordMtime': '' });
    await logIn('kim', 'first-secret');
  });

  test('a session that was ended is refused by a server that starts anew', async () => {
    instance.putSecret('argocd-secret', { ...instance.secret('argocd-secret'), 'accounts.kim.passwordMtime': '' });
    const token = await logIn('kim', 'first-secret');
    assert.equal((await ask('DELETE', '/api/v1/session', { token })).status, 200);
    assert.equal((await ask('GET', '/api/v1/applications', { token })).status, 401);
    const kept = instance.secret('slipway-revoked-sessions');
    assert.equal(Object.keys(kept).length, 1);
    assert.ok(!JSON.stringify(kept).includes(String(decodeJwt(token).jti)), 'not the identifier itself');
  });

  test('tokens of accounts are valid while they are listed', async () => {
    const made = await ask('POST', '/api/v1/account/bot/token', { token: adminToken, body: { id: 'ci' } });
    const token = String(made.body['token']);
    assert.equal(decodeJwt(token).sub, 'bot:apiKey');
    assert.equal((await ask('GET', '/api/v1/account/bot', { token })).status, 200, 'everybody sees themselves');
    const twice = await ask('POST', '/api/v1/account/bot/token', { token: adminToken, body: { id: 'ci' } });
    assert.equal(twice.status, 400);
    assert.equal((await ask('DELETE', '/api/v1/account/bot/token/ci', { token })).status, 200);
    assert.equal((await ask('GET', '/api/v1/account/bot', { token })).status, 401);
  });

  const refused: { name: string; config?: Record<string, string>; login: [string, string]; status: number }[] = [
    { name: 'wrong password', login: ['kim', 'wrong-secret'], status: 401 },
    { name: 'nobody', login: ['nobody', 'first-secret'], status: 401 },
    { name: 'blank', login: ['kim', ''], status: 401 },
    { name: 'disabled', config: { 'accounts.kim.enabled': 'false' }, login: ['kim', 'first-secret'], status: 401 },
    {
      name: 'without the capability',
      config: { 'accounts.kim': 'apiKey' },
      login: ['kim', 'first-secret'],
      status: 401,
    },
    { name: 'a name too long', login: ['k'.repeat(40), 'x'], status: 400 },
  ];
  for (const { name, config, login, status } of refused)
    test(`no session: ${name}`, async () => {
      setUp(config);
      const [username, password] = login;
      assert.equal((await ask('POST', '/api/v1/session', { body: { username, password } })).status, status);
    });

  test('a token of another key, of no key, and without an algorithm are refused', async () => {
    const claims = () => new SignJWT({}).setIssuer('argocd').setSubject('admin:login').setJti('x').setIssuedAt();
    const forged = await claims()
      .setProtectedHeader({ alg: 'HS256' })
      .sign(new TextEncoder().encode('another key of 32 bytes at least'));
    const bare = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${forged.split('.')[1]}.`;
    for (const token of [forged, bare, 'a.b.c'])
      assert.equal((await ask('GET', '/api/v1/applications', { token })).status, 401);
  });

  test('many failures block a name for a while', () => {
    const failures = new LoginFailures({ failuresMax: 2, windowMs: 1000 });
    for (const at of [0, 1]) failures.fail('kim', at);
    assert.deepEqual(
      [failures.isBlocked('kim', 2), failures.isBlocked('ann', 2), failures.isBlocked('kim', 1002)],
      [true, false, false],
    );
    failures.succeed('kim');
    assert.equal(failures.isBlocked('kim', 2), false);
  });

  test('accounts as the ConfigMap declares them', () => {
    const config = {
      'accounts.a': 'login,other',
      'accounts.b.enabled': 'no',
      'admin.enabled': 'false',
      'accounts.x.y.z': '',
    };
    const secret = { 'accounts.a.tokens': '[{"id":"t","iat":1},{"iat":2}]', 'accounts.b.tokens': 'nonsense' };
    const shown = [...parseAccounts(config, secret).values()].map(({ name, enabled, capabilities, tokens }) => [
      name,
      enabled,
      capabilities.join(),
      tokens.length,
    ]);
    assert.deepEqual(shown, [
      ['admin', false, 'login', 0],
      ['a', true, 'login', 1],
      ['b', false, '', 0],
    ]);
  });
});

describe('access rules hold on every route', () => {
  let kim: string;
  before(async () => {
    setUp({}, { 'policy.csv': 'p, kim, applications, get, p1/*, allow' });
    kim = await logIn('kim', 'first-secret');
  });

  test('lists show what may be seen', async () => {
    assert.deepEqual(names(await ask('GET', '/api/v1/applications', { token: kim })), ['shop']);
    assert.deepEqual(names(await ask('GET', '/api/v1/applications', { token: adminToken })).sort(), ['other', 'shop']);
    const own = await ask('GET', '/api/slipway/v1/applications', { token: kim });
    assert.deepEqual(
      (own.body['items'] as { name: string }[]).map(({ name }) => name),
      ['shop'],
    );
  });

  test('what may not be seen looks like what is not there', async () => {
    const [hidden, missing] = await Promise.all(
      ['other', 'nope'].map((name) => ask('GET', `/api/v1/applications/${name}`, { token: kim })),
    );
    assert.equal(hidden?.status, 403);
    assert.deepEqual(hidden?.body, missing?.body);
    const [inProject, absent] = await Promise.all(
      ['other', 'nope'].map((name) => ask('GET', `/api/v1/applications/${name}?project=p1`, { token: kim })),
    );
    assert.deepEqual([inProject?.status, absent?.status], [404, 404]);
  });

  const writes: [string, string, unknown, string][] = [
    ['POST', '/api/v1/applications/shop/sync', {}, 'sync'],
    ['POST', '/api/v1/applications/shop/rollback', { id: 0 }, 'sync'],
    ['DELETE', '/api/v1/applications/shop/operation', undefined, 'sync'],
    ['DELETE', '/api/v1/applications/shop', undefined, 'delete'],
    ['PUT', '/api/v1/applications/shop/spec', {}, 'update'],
    ['PATCH', '/api/v1/applications/shop', { patch: '{}' }, 'update'],
    ['POST', '/api/v1/applications', { ...shop, spec: { ...shop.spec, project: 'p1' } }, 'create'],
    [
      'DELETE',
      '/api/v1/applications/shop/resource?group=apps&kind=Deployment&namespace=n&resourceName=w',
      undefined,
      'delete/',
    ],
    ['POST', '/api/v1/applications/shop/resource?group=apps&kind=Deployment&namespace=n&resourceName=w', {}, 'update/'],
    ['POST', '/api/v1/applications/shop/resource/actions?group=apps&kind=Deployment', 'restart', 'action/'],
    ['GET', '/api/v1/applications/shop/logs', undefined, 'logs'],
    ['POST', '/api/v1/projects', { project: { metadata: { name: 'p9' }, spec: {} } }, 'create'],
    ['DELETE', '/api/v1/projects/p1', undefined, 'delete'],
    ['POST', '/api/v1/repositories', { repo: 'https://h/r' }, 'create'],
    ['POST', '/api/v1/repocreds', { url: 'https://h' }, 'create'],
    ['POST', '/api/v1/clusters', { server: 'https://c' }, 'create'],
    ['POST', '/api/v1/account/bot/token', {}, 'update'],
    ['POST', '/api/v1/certificates', { items: [{ serverName: 'h', certType: 'ssh', certData: 'QQ==' }] }, 'create'],
    ['POST', '/api/slipway/v1/applications/shop/rollback', {}, 'sync'],
  ];
  for (const [method, path, body, action] of writes)
    test(`${method} ${path.split('?', 1)[0]} is forbidden`, async () => {
      const answer = await ask(method, path, { token: kim, body });
      assert.equal(answer.status, 403, JSON.stringify(answer.body));
      assert.ok(action !== '' && engine.asked.length === 0, 'nothing is asked of the engine');
    });

  test('fine-grained rights are for one object, and plain ones count where the instance says so', async () => {
    const path = '/api/v1/applications/shop/resource?group=apps&kind=Deployment&namespace=n&resourceName=w';
    const status = async () => (await ask('DELETE', path, { token: kim })).status;
    const rules = (action: string) => ({
      'policy.csv': `p, kim, applications, get, p1/*, allow\np, kim, applications, ${action}, p1/*, allow`,
    });
    setUp({}, rules('delete/apps/Deployment/n/w'));
    assert.equal(await status(), 404, 'permitted; there is no cluster');
    setUp({}, rules('delete/apps/Deployment/n/other'));
    assert.equal(await status(), 403);
    setUp({}, rules('delete'));
    assert.equal(await status(), 403);
    setUp({ 'server.rbac.disableApplicationFineGrainedRBACInheritance': 'false' }, rules('delete'));
    assert.equal(await status(), 404);
  });

  test('can-i says what the rules say', async () => {
    setUp({}, { 'policy.csv': 'p, kim, applications, sync, p1/*, allow' });
    const can = async (what: string) =>
      (await ask('GET', `/api/v1/account/can-i/${what}`, { token: kim })).body['value'];
    assert.equal(await can('applications/sync/p1/shop'), 'yes');
    assert.equal(await can('applications/sync/p1/argocd/shop'), 'yes', "the instance's namespace goes without saying");
    assert.equal(await can('applications/rollback/p1/shop'), 'yes', 'as sync');
    assert.equal(await can('applications/delete/p1/shop'), 'no');
    assert.equal((await ask('GET', '/api/v1/account/can-i/nonsense/get/x', { token: kim })).status, 400);
  });

  test('anonymous callers have the default role, where they are let in', async () => {
    setUp({ 'users.anonymous.enabled': 'true' }, { 'policy.default': 'role:readonly' });
    assert.equal((await ask('GET', '/api/v1/applications')).status, 200);
    assert.equal((await ask('POST', '/api/v1/applications/shop/sync', { body: {} })).status, 403);
    setUp({}, { 'policy.default': 'role:readonly' });
    assert.equal((await ask('GET', '/api/v1/applications')).status, 401);
  });

  test('tokens of project roles reach their project, while they are listed', async () => {
    setUp();
    const policies = ['p, proj:p1:ci, applications, get, p1/*, allow'];
    instance.putProject('p1', { roles: [{ name: 'ci', policies }] });
    const made = await ask('POST', '/api/v1/projects/p1/roles/ci/token', { token: adminToken, body: { id: 'x' } });
    const token = String(made.body['token']);
    assert.equal(decodeJwt(token).sub, 'proj:p1:ci');
    assert.deepEqual(names(await ask('GET', '/api/v1/applications', { token })), ['shop']);
    assert.equal((await ask('POST', '/api/v1/applications/shop/sync', { token, body: {} })).status, 403);
    const gone = await ask('DELETE', `/api/v1/projects/p1/roles/ci/token/0?id=x`, { token: adminToken });
    assert.equal(gone.status, 200);
    assert.equal((await ask('GET', '/api/v1/applications', { token })).status, 401);
  });
});

describe('tokens of an issuer', () => {
  let issuer: Server;
  let url: string;
  let asked = new URLSearchParams();
  let nonce = '';
  let sign: (claims: Record<string, unknown>, audience?: string) => Promise<string>;
  before(async () => {
    const { publicKey, privateKey } = await generateKeyPair('RS256');
    const keys = { keys: [{ ...(await exportJWK(publicKey)), kid: 'k1', alg: 'RS256' }] };
    issuer = createServer((request, response) => {
      response.setHeader('content-type', 'application/json');
      if (request.url === '/token') {
        let form = '';
        request.on('data', (chunk: Buffer) => {
          form += chunk.toString();
        });
        request.on('end', () => {
          asked = new URLSearchParams(form);
          sign({ nonce, groups: ['shop-team'], pad: 'x'.repeat(5000) }).then((token) =>
            response.end(JSON.stringify({ id_token: token })),
          );
        });
        return;
      }
      const about = {
        issuer: url,
        jwks_uri: `${url}/keys`,
        authorization_endpoint: `${url}/authorize`,
        token_endpoint: `${url}/token`,
      };
      response.end(JSON.stringify(request.url === '/keys' ? keys : about));
    });
    await new Promise<void>((resolve) => issuer.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(issuer.address() as AddressInfo).port}`;
    sign = (claims, audience = 'slipway') =>
      new SignJWT(claims)
        .setProtectedHeader({ alg: 'RS256', kid: 'k1' })
        .setIssuer(url)
        .setAudience(audience)
        .setSubject('u-1')
        .setIssuedAt()
        .setExpirationTime('5m')
        .sign(privateKey);
    const oidc = `name: Keys\nissuer: ${url}\nclientID: slipway\n`;
    setUp({ 'oidc.config': oidc }, { 'policy.csv': 'g, shop-team, role:readonly', scopes: '[groups]' });
  });
  after(() => issuer.close());

  test('groups give rights, and the page learns how to log in', async () => {
    const token = await sign({ groups: ['shop-team'], email: 'kim@example.com' });
    assert.equal(names(await ask('GET', '/api/v1/applications', { token })).length, 2);
    const info = await ask('GET', '/api/v1/session/userinfo', { token });
    assert.deepEqual(info.body, { loggedIn: true, username: 'kim@example.com', iss: url, groups: ['shop-team'] });
    const settings = await ask('GET', '/api/v1/settings');
    assert.deepEqual((settings.body['oidcConfig'] as { clientID: string }).clientID, 'slipway');
    assert.ok(!('appLabelKey' in settings.body), 'nobody in particular learns no more');
  });

  test('no group, another audience, another signature', async () => {
    assert.deepEqual(names(await ask('GET', '/api/v1/applications', { token: await sign({}) })), []);
    assert.equal((await ask('GET', '/api/v1/applications', { token: await sign({}, 'other') })).status, 401);
    const token = await sign({ groups: ['shop-team'] });
    assert.equal((await ask('GET', '/api/v1/applications', { token: `${token.slice(0, -6)}AAAAAA` })).status, 401);
  });

  test('a browser logs in at the issuer, and the token comes back in cookies', async () => {
    const begun = await fetch(`${server.url}/auth/login?return_url=/applications/shop`, { redirect: 'manual' });
    const target = new URL(begun.headers.get('location') ?? '');
    const ask = target.searchParams;
    assert.deepEqual(
      [target.pathname, ask.get('redirect_uri'), ask.get('scope'), ask.get('code_challenge_method')],
      ['/authorize', `${server.url}/auth/callback`, 'openid profile email groups', 'S256'],
    );
    const cookie = (begun.headers.getSetCookie()[0] ?? '').split(';', 1)[0] ?? '';
    const back = (state: string) =>
      fetch(`${server.url}/auth/callback?code=c1&state=${state}`, { redirect: 'manual', headers: { cookie } });
    assert.equal((await back('other')).status, 401, 'begun elsewhere');
    nonce = 'of another login';
    assert.equal((await back(ask.get('state') ?? '')).status, 401);
    nonce = ask.get('nonce') ?? '';
    const done = await back(ask.get('state') ?? '');
    assert.deepEqual([done.status, done.headers.get('location')], [303, '/applications/shop']);
    const challenge = createHash('sha256')
      .update(asked.get('code_verifier') ?? '')
      .digest('base64url');
    assert.deepEqual([asked.get('code'), challenge], ['c1', ask.get('code_challenge')]);
    const cookies = done.headers.getSetCookie().filter((text) => text.startsWith('argocd.token'));
    assert.equal(cookies.length, 2, 'a long token is cut');
    assert.ok(cookies.every((text) => /HttpOnly/.test(text)));
    const sent = cookies.map((text) => text.split(';', 1)[0]).join('; ');
    const list = await fetch(`${server.url}/api/v1/applications`, { headers: { cookie: sent } });
    assert.equal(names({ status: list.status, body: (await list.json()) as Record<string, unknown> }).length, 2);
    const evil = {
      method: 'POST',
      body: '{}',
      headers: { cookie: sent, 'content-type': 'application/json', origin: 'https://evil.example' },
    };
    assert.equal((await fetch(`${server.url}/api/v1/applications/shop/sync`, evil)).status, 403);
    const out = await fetch(`${server.url}/auth/logout`, { redirect: 'manual', headers: { cookie: sent } });
    assert.equal(out.headers.getSetCookie().filter((text) => /Max-Age=0/.test(text)).length, 2);
  });

  const paths: [string | undefined, string][] = [
    ['/a?b=c', '/a?b=c'],
    ['//evil.example', '/'],
    ['/\\evil.example', '/'],
    ['https://evil.example', '/'],
    [undefined, '/'],
  ];
  for (const [text, want] of paths) test(`back to ${text}`, () => assert.equal(localPath(text), want));

  test('claims', () => {
    assert.deepEqual(groupsOf({ groups: ['a', 1, 'b'], email: 'e' }, ['groups', 'email', 'none']), ['a', 'b', 'e']);
    assert.equal(subjectOf({ sub: 's', federated_claims: { user_id: 'u' } }), 'u');
  });
});
