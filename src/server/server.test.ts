import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { AppError } from '#base/errors.ts';
import { silentLogger } from '#base/log.ts';
import type { Tracer } from '#trace/report.ts';
import { testClock, testEntropy } from '../../test/clock.ts';
import { application } from '../../test/web/application.ts';
import { MemoryAudit, MemoryEngine } from '../../test/web/memory-engine.ts';
import { clearSight, MemoryInstance, noResources } from '../../test/web/memory-instance.ts';
import { type ListeningServer, type ServerDeps, startServer } from './server.ts';

const token = 'test-admin-token';
const bearer = { authorization: `Bearer ${token}` };
const tracer: Tracer = {
  async trace(query) {
    if (query.kind === 'image') throw new Error('a bug with /secret/path in it');
    return { subject: query.name, application: undefined, steps: [] };
  },
};

let engine: MemoryEngine;
let audit: MemoryAudit;
let server: ListeningServer;
let webDir: string;

function depsFor(overrides: Partial<ServerDeps> = {}): ServerDeps {
  engine = new MemoryEngine();
  audit = new MemoryAudit();
  engine.put(
    application({
      name: 'shop-dev',
      valuesFile: 'values-dev.yaml',
      labels: { team: 'shop' },
      status: {
        sync: { status: 'Synced', revision: 'a'.repeat(40) },
        health: { status: 'Healthy' },
        summary: { images: ['reg/shop:main-1234567'] },
      },
    }),
  );
  engine.put(application({ name: 'shop-prod', automated: false, valuesFile: 'values-prod.yaml' }));
  return {
    engine,
    audit,
    resources: noResources,
    instance: new MemoryInstance(),
    sight: clearSight,
    tracer,
    logger: silentLogger,
    clock: testClock,
    entropy: testEntropy,
    host: '127.0.0.1',
    port: 0,
    webhookSecret: 'hook-secret',
    token,
    anonymousRead: false,
    version: '0.1.0',
    webDir,
    ...overrides,
  };
}

async function ask(path: string, init: RequestInit = {}): Promise<{ status: number; headers: Headers; body: unknown }> {
  const answer = await fetch(`${server.url}${path}`, { redirect: 'manual', ...init });
  const text = await answer.text();
  const body: unknown = /json/.test(answer.headers.get('content-type') ?? '') ? JSON.parse(text) : text;
  return { status: answer.status, headers: answer.headers, body };
}

function post(path: string, body: unknown, headers: Record<string, string> = bearer) {
  return ask(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
}

before(() => {
  webDir = mkdtempSync(join(tmpdir(), 'slipway-web-'));
  mkdirSync(join(webDir, 'assets'));
  writeFileSync(join(webDir, 'index.html'), '<!doctype html><title>Slipway</title>');
  writeFileSync(join(webDir, 'assets', 'a.js'), '1');
});
after(() => rmSync(webDir, { recursive: true, force: true }));

describe('server with a token', () => {
  before(async () => {
    server = await startServer(depsFor());
  });
  after(() => server[Symbol.asyncDispose]());
  beforeEach(() => {
    engine.put(application({ name: 'shop-prod', automated: false, valuesFile: 'values-prod.yaml' }));
    engine.asked.length = 0;
  });

  const reads: { name: string; path: string; headers?: Record<string, string>; status: number }[] = [
    { name: 'health needs nothing', path: '/healthz', status: 200 },
    { name: 'the page needs nothing', path: '/', status: 200 },
    { name: 'a page of the app is the page', path: '/applications/shop', status: 200 },
    { name: 'no way out of the folder', path: '/assets/%2e%2e/%2e%2e/etc/passwd.js', status: 404 },
    { name: 'reading needs a token', path: '/api/v1/applications', status: 401 },
    { name: 'metrics need a token', path: '/metrics', status: 401 },
    { name: 'a wrong token', path: '/api/v1/applications', headers: { authorization: 'Bearer no' }, status: 401 },
    { name: 'the token', path: '/api/v1/applications', headers: bearer, status: 200 },
    { name: "Argo CD's cookie", path: '/api/version', headers: { cookie: `argocd.token=${token}` }, status: 200 },
    { name: 'an unknown application', path: '/api/v1/applications/nope', headers: bearer, status: 403 },
    { name: 'an unknown one of a project', path: '/api/v1/applications/nope?project=p', headers: bearer, status: 404 },
    { name: 'the version needs nothing', path: '/api/version', status: 200 },
    { name: 'the settings need nothing', path: '/api/v1/settings', status: 200 },
    { name: 'an unknown path', path: '/api/v2/x', headers: bearer, status: 404 },
    { name: 'a bad refresh', path: '/api/v1/applications/shop-dev?refresh=x', headers: bearer, status: 400 },
    { name: 'a bad selector', path: '/api/v1/applications?selector=%25', headers: bearer, status: 400 },
    { name: 'a bad limit', path: '/api/slipway/v1/events?limit=0', headers: bearer, status: 400 },
    { name: 'an unknown kind', path: '/api/slipway/v1/events?kind=x', headers: bearer, status: 400 },
    { name: 'an empty trace', path: '/api/slipway/v1/trace', headers: bearer, status: 400 },
  ];
  for (const { name, path, headers, status } of reads) {
    test(name, async () => assert.equal((await ask(path, headers ? { headers } : {})).status, status));
  }

  test('the link trades the token for a cookie that reads, and writes only from this page', async () => {
    const refused = await ask('/?token=wrong');
    assert.equal(refused.status, 401);
    const link = await ask(`/?token=${token}`);
    assert.equal(link.status, 303);
    assert.equal(link.headers.get('location'), '/');
    const set = link.headers.get('set-cookie') ?? '';
    assert.match(set, /HttpOnly/);
    assert.match(set, /SameSite=Strict/);
    assert.ok(!set.includes(token), 'the cookie is not the token');
    const cookie = set.split(';', 1)[0] ?? '';
    assert.equal((await ask('/api/v1/applications', { headers: { cookie } })).status, 200);
    assert.equal((await post('/api/v1/applications/shop-prod/sync', {}, { cookie })).status, 403);
    assert.equal(
      (await post('/api/v1/applications/shop-prod/sync', {}, { cookie, origin: 'https://evil.example' })).status,
      403,
    );
    assert.deepEqual(engine.asked, []);
    assert.equal((await post('/api/v1/applications/shop-prod/sync', {}, { cookie, origin: server.url })).status, 200);
    assert.equal((await ask('/api/v1/applications', { headers: { cookie: `${cookie}0` } })).status, 401);
  });

  test('applications are listed as Argo CD does, and selected', async () => {
    const { body } = await ask('/api/v1/applications?selector=team in (shop,x)', { headers: bearer });
    const { items } = body as { items: { metadata: { name: string } }[] };
    assert.deepEqual(
      items.map(({ metadata }) => metadata.name),
      ['shop-dev'],
    );
    const none = await ask('/api/v1/applications?projects=other', { headers: bearer });
    assert.deepEqual(none.body, { metadata: { resourceVersion: '' }, items: null });
  });

  test('a sync is asked for in the name of who asked', async () => {
    const headers = { ...bearer, 'x-slipway-actor': 'kim' };
    const { status, body } = await post('/api/v1/applications/shop-prod/sync', { prune: true }, headers);
    assert.equal(status, 200);
    const { source } = engine.get('shop-prod').spec;
    const operation = { sync: { source, prune: true }, initiatedBy: { username: 'kim' } };
    assert.deepEqual((body as { operation: unknown }).operation, operation);
    const again = await post('/api/v1/applications/shop-prod/sync', {}, headers);
    assert.equal(again.status, 400);
    assert.equal((again.body as { code: number }).code, 9);
  });

  test('what a sync cannot be is refused', async () => {
    assert.equal((await post('/api/v1/applications/shop-prod/sync', { prune: 'yes' })).status, 400);
    assert.equal((await post('/api/v1/applications/shop-dev/rollback', { id: 1 })).status, 400);
  });

  test('a body of another type, or too large, is refused', async () => {
    const path = '/api/v1/applications/shop-prod/sync';
    const plain = await ask(path, { method: 'POST', headers: { ...bearer, 'content-type': 'text/plain' }, body: '{}' });
    assert.equal(plain.status, 415);
    const large = await post(path, { revision: 'x'.repeat(4 * 1024 * 1024) });
    assert.equal(large.status, 429);
    assert.deepEqual(engine.asked, []);
  });

  test('managed resources have both states as JSON, and no secret', async () => {
    const secret = 'apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata: {password: aHVudGVyMg==}\n';
    engine.resources.set('shop-dev', [
      {
        group: '',
        version: 'v1',
        kind: 'Secret',
        namespace: 'myshop',
        name: 's',
        sync: 'OutOfSync',
        health: undefined,
        requiresPruning: false,
        hook: false,
        liveText: secret,
        desiredText: undefined,
      },
    ]);
    const { body } = await ask('/api/v1/applications/shop-dev/managed-resources', { headers: bearer });
    const [item] = (body as { items: { liveState: string; targetState: string }[] }).items;
    assert.equal(item?.targetState, 'null');
    assert.equal(JSON.parse(item?.liveState ?? '').kind, 'Secret');
    assert.ok(!JSON.stringify(body).includes('aHVudGVyMg'));
  });

  test('a bug says nothing of the inside', async () => {
    const { status, body } = await ask('/api/slipway/v1/trace?query=reg/x:1', { headers: bearer });
    assert.equal(status, 500);
    assert.ok(!JSON.stringify(body).includes('secret/path'));
  });

  test('metrics carry the applications', async () => {
    const { body } = await ask('/metrics', { headers: bearer });
    assert.match(String(body), /^argocd_app_info\{namespace="argocd",name="shop-dev".*sync_status="Synced".*\} 1$/m);
  });

  test('rollback and sync in one step', async () => {
    const { body } = await post('/api/slipway/v1/applications/shop-prod/rollback', { sync: true });
    assert.equal((body as { commit: string }).commit, 'c'.repeat(40));
    assert.deepEqual(
      engine.asked.map(({ what }) => what),
      ['rollback', 'refresh normal', 'sync'],
    );
  });

  test('a taken port is said so', async () => {
    await assert.rejects(
      startServer(depsFor({ port: server.port })),
      (error) => error instanceof AppError && error.code === 'port-taken' && error.message.includes(`${server.port}`),
    );
  });
});

describe('webhook', () => {
  const push = {
    ref: 'refs/heads/main',
    after: 'd'.repeat(40),
    pusher: { name: 'kim' },
    repository: { full_name: 'myshop/m', clone_url: 'http://forge/myshop/m.git', html_url: 'http://forge/myshop/m' },
  };
  before(async () => {
    server = await startServer(depsFor());
    engine.repositories.set('http://forge/myshop/m.git', ['shop-dev', 'shop-prod']);
    engine.repositories.set('http://forge/myshop/m', ['shop-dev']);
  });
  after(() => server[Symbol.asyncDispose]());

  function deliver(
    event: string,
    payload: unknown,
    options: { delivery?: string; secret?: string; sign?: boolean } = {},
  ) {
    const body = JSON.stringify(payload);
    const { delivery = 'd1', secret = 'hook-secret', sign = true } = options;
    const signature = `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;
    return ask('/api/webhook', {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'x-github-event': event,
        'x-github-delivery': delivery,
        ...(sign ? { 'x-hub-signature-256': signature } : {}),
      },
      body,
    });
  }

  test('a push reaches the engine once per delivery', async () => {
    const first = await deliver('push', push);
    assert.deepEqual(first.body, { accepted: true, applications: ['shop-dev', 'shop-prod'] });
    const again = await deliver('push', push);
    assert.deepEqual(again.body, { accepted: false, reason: 'this delivery was here before' });
    assert.equal(engine.asked.length, 1, 'one call for all addresses of the repository, none for the repeat');
    assert.equal(audit.events[0]?.message, 'kim pushed main of myshop/m');
  });

  const cases: { name: string; run: () => Promise<{ status: number; body: unknown }>; status: number }[] = [
    { name: 'unsigned', run: () => deliver('push', push, { sign: false }), status: 401 },
    { name: 'wrongly signed', run: () => deliver('push', push, { secret: 'other-secret' }), status: 401 },
    { name: 'ping', run: () => deliver('ping', { zen: 'x' }), status: 200 },
    { name: 'an event of no interest', run: () => deliver('star', {}), status: 200 },
    { name: 'a push of nothing', run: () => deliver('push', {}, { delivery: 'd9' }), status: 400 },
    { name: 'no JSON object', run: () => deliver('push', [], { delivery: 'd10' }), status: 400 },
    { name: 'no event', run: () => post('/api/webhook', {}), status: 400 },
  ];
  for (const { name, run, status } of cases) {
    test(name, async () => {
      const before = engine.asked.length;
      assert.equal((await run()).status, status);
      assert.equal(engine.asked.length, before, 'the engine is left alone');
    });
  }
});

describe('anonymous reading', () => {
  before(async () => {
    server = await startServer(depsFor({ anonymousRead: true }));
  });
  after(() => server[Symbol.asyncDispose]());

  test('reads on loopback, by a loopback name only, and never writes', async () => {
    assert.equal((await ask('/api/v1/applications')).status, 200);
    assert.equal((await post('/api/v1/applications/shop-prod/sync', {}, { origin: server.url })).status, 401);
    const { request } = await import('node:http');
    const status = await new Promise((resolve, reject) => {
      const options = {
        host: server.host,
        port: server.port,
        path: '/api/v1/applications',
        headers: { host: 'evil.example' },
      };
      request(options, (answer) => {
        answer.resume();
        resolve(answer.statusCode);
      })
        .on('error', reject)
        .end();
    });
    assert.equal(status, 401);
  });

  test('is refused on an open address', async () => {
    await assert.rejects(startServer(depsFor({ anonymousRead: true, host: '0.0.0.0' })), /only for loopback/);
  });
});
