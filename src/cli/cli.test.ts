import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import type { ManagedResource } from '#apps/port.ts';
import { silentLogger } from '#base/log.ts';
import { startServer } from '#server/server.ts';
import { testClock, testEntropy } from '../../test/clock.ts';
import { application } from '../../test/web/application.ts';
import { MemoryAudit, MemoryEngine } from '../../test/web/memory-engine.ts';
import { clearSight, MemoryInstance, noResources } from '../../test/web/memory-instance.ts';
import { type CliAnswer, runTestCli } from './cli-fixture.test.ts';
import type { DispatchRequest } from './deps.ts';
import type { DoctorProbe } from './doctor/checks.ts';

const commits = { old: 'a'.repeat(40), next: 'b'.repeat(40) };
const folder = mkdtempSync(join(tmpdir(), 'slipway-cli-'));
const below = join(folder, 'some', 'where');
const dispatched: DispatchRequest[] = [];
let engine: MemoryEngine;
let audit: MemoryAudit;
let server: Awaited<ReturnType<typeof startServer>>;

const probe: DoctorProbe = {
  program: async (name) => (name === 'helm' ? undefined : { path: `/bin/${name}`, version: '1.0' }),
  nodeVersion: () => 'v24.1.0',
  dataDirectory: async () => ({ path: '.slipway', exists: true, problem: undefined }),
  server: async () => ({ url: undefined, problem: 'none is running' }),
  cluster: async () => ({ server: 'https://c:6443', problem: 'connection refused' }),
  ports: async () => [{ name: 'forge', port: 3000, state: 'taken' }],
};

async function slipway(...args: string[]): Promise<CliAnswer> {
  return runTestCli(args, {
    cwd: below,
    probe,
    dispatch: async (request) => {
      dispatched.push(request);
    },
    processes: {
      up: async () => 0,
      demo: async ({ json }) => (json ? 7 : 0),
      serve: async ({ port }) => port,
      cluster: async () => 0,
      clusterKubeconfig: async () => '',
    },
  });
}

function prod(phase: 'Running' | 'Succeeded' | 'Failed' | undefined, synced: boolean) {
  const deployment = { group: 'apps', version: 'v1', kind: 'Deployment', namespace: 'myshop', name: 'api' };
  return application({
    name: 'shop-prod',
    automated: false,
    valuesFile: 'values-prod.yaml',
    status: {
      sync: { status: synced ? 'Synced' : 'OutOfSync', revision: commits.next },
      health: { status: 'Healthy' },
      summary: { images: ['reg/shop:1.4.2'] },
      resources: [{ ...deployment, status: synced ? 'Synced' : 'OutOfSync', health: { status: 'Healthy' } }],
      history: [{ id: 1, revision: commits.old, deployedAt: '2026-01-01T10:00:00Z', initiatedBy: { username: 'ann' } }],
      ...(phase
        ? {
            operationState: {
              phase,
              operation: { sync: {}, initiatedBy: { username: 'kim' } },
              message: phase === 'Failed' ? 'one or more objects failed to apply' : 'done',
              startedAt: '2026-01-02T10:00:00Z',
              ...(phase === 'Running' ? {} : { finishedAt: '2026-01-02T10:00:03Z' }),
              syncResult: {
                revision: commits.next,
                resources: [
                  { ...deployment, status: phase === 'Failed' ? 'SyncFailed' : 'Synced', message: 'configured' },
                ],
              },
            },
          }
        : {}),
    },
  });
}

const deployment = (image: string) =>
  `apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: api\nspec:\n  template:\n    spec:\n      containers:\n        - name: api\n          image: ${image}\n          ports:\n            - containerPort: 80\n`;
const managed: ManagedResource = {
  group: 'apps',
  version: 'v1',
  kind: 'Deployment',
  namespace: 'myshop',
  name: 'api',
  sync: 'OutOfSync',
  health: { status: 'Healthy' },
  requiresPruning: false,
  hook: false,
  liveText: deployment('reg/shop:1.4.2'),
  desiredText: deployment('reg/shop:1.5.0'),
};

before(async () => {
  mkdirSync(join(folder, '.slipway'));
  mkdirSync(below, { recursive: true });
  engine = new MemoryEngine();
  audit = new MemoryAudit();
  server = await startServer({
    engine,
    resources: noResources,
    instance: new MemoryInstance(),
    sight: clearSight,
    audit,
    tracer: {
      trace: async () => ({
        subject: 'pod/api-1',
        application: 'shop-prod',
        steps: [
          {
            link: 'container',
            found: true,
            title: 'reg/shop:1.5.0',
            at: Date.UTC(2026, 0, 2),
            facts: { pod: 'api-1' },
          },
          { link: 'commit', found: true, title: 'abc1234 Faster', by: 'ann', at: Date.UTC(2026, 0, 1), facts: {} },
          { link: 'approval', found: false, reason: 'the run needed none' },
        ],
      }),
    },
    logger: silentLogger,
    clock: testClock,
    entropy: testEntropy,
    host: '127.0.0.1',
    port: 0,
    webhookSecret: undefined,
    token: 'cli-token',
    anonymousRead: false,
    version: '0.1.0',
    webDir: folder,
  });
  writeFileSync(join(folder, '.slipway', 'server.json'), JSON.stringify({ url: server.url, token: 'cli-token' }));
});
after(async () => {
  await server[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => {
  engine.asked.length = 0;
  engine.onSync = () => {};
  engine.resources.clear();
  engine.put(prod(undefined, false));
});

describe('app', () => {
  test('list', async () => {
    const { code, out } = await slipway('app', 'list');
    assert.equal(code, 0);
    assert.equal(
      out,
      'NAME       SYNC       HEALTH   POLICY  VERSION  NAMESPACE  CONDITIONS\n' +
        'shop-prod  OutOfSync  Healthy  Manual  1.4.2    myshop     <none>\n',
    );
    const json = await slipway('app', 'list', '-o', 'json');
    assert.equal(JSON.parse(json.out)[0].metadata.name, 'shop-prod');
  });

  test('get', async () => {
    const { out } = await slipway('app', 'get', 'shop-prod', '--refresh');
    assert.match(out, /^Sync Status: +OutOfSync from main \(bbbbbbb\)$/m);
    assert.match(out, /^apps +Deployment +myshop +api +OutOfSync +Healthy$/m);
    assert.equal(engine.asked[0]?.what, 'refresh normal');
  });

  test('diff shows the one line, and its exit code tells', async () => {
    engine.resources.set('shop-prod', [managed, { ...managed, kind: 'Job', hook: true, liveText: undefined }]);
    const { code, out } = await slipway('app', 'diff', 'shop-prod');
    assert.equal(code, 1);
    assert.equal(
      out,
      '===== apps/Deployment myshop/api ======\n@@ -7,6 +7,6 @@\n     spec:\n       containers:\n         - name: api\n' +
        '-          image: reg/shop:1.4.2\n+          image: reg/shop:1.5.0\n           ports:\n             - containerPort: 80\n',
    );
    assert.equal((await slipway('app', 'diff', 'shop-prod', '--no-exit-code')).code, 0);
    assert.equal((await slipway('app', 'diff', 'shop-prod', '--diff-exit-code', '9')).code, 9);
    engine.resources.set('shop-prod', [{ ...managed, desiredText: managed.liveText }]);
    assert.deepEqual(await slipway('app', 'diff', 'shop-prod'), { code: 0, out: '', err: '' });
  });

  test('sync follows the operation to its end', async () => {
    engine.onSync = () => {
      setTimeout(() => engine.put(prod('Running', false)), 20);
      setTimeout(() => engine.put(prod('Succeeded', true)), 40);
    };
    const { code, out } = await slipway('app', 'sync', 'shop-prod', '--prune');
    assert.equal(code, 0);
    assert.equal(out.match(/^ {2}Synced +apps\/Deployment myshop\/api {2}configured$/gm)?.length, 1, out);
    assert.match(out, /shop-prod synced in 3s\n$/);
    const asked = engine.asked.find(({ what }) => what === 'sync');
    assert.deepEqual(asked?.by, { kind: 'user', name: 'kim' });
    assert.equal((asked?.request as { prune: boolean }).prune, true);
  });

  test('the state of an operation before is not taken for ours', async () => {
    engine.put(prod('Failed', false));
    engine.onSync = () => setTimeout(() => engine.put(prod('Succeeded', true)), 30);
    assert.equal((await slipway('app', 'sync', 'shop-prod')).code, 0);
  });

  test('a failed sync fails', async () => {
    engine.onSync = () => setTimeout(() => engine.put(prod('Failed', false)), 10);
    const { code, out } = await slipway('app', 'sync', 'shop-prod');
    assert.equal(code, 1);
    assert.match(out, /SyncFailed +apps\/Deployment myshop\/api/);
    assert.match(out, /the sync ended as Failed/);
  });

  test('a sync that does not end is given up in time', async () => {
    const { code, err } = await slipway('app', 'sync', 'shop-prod', '--timeout', '0.05');
    assert.equal(code, 20);
    assert.match(err, /not reached within 0.05 s/);
  });

  test('sync beside another one is a conflict', async () => {
    engine.put(prod('Running', false));
    const { code, err } = await slipway('app', 'sync', 'shop-prod');
    assert.equal(code, 20);
    assert.match(err, /another operation/);
  });

  test('wait', async () => {
    setTimeout(() => engine.put(prod('Succeeded', true)), 30);
    assert.equal((await slipway('app', 'wait', 'shop-prod', '--timeout', '5')).code, 0);
    assert.equal((await slipway('app', 'wait', 'shop-prod', '--health')).code, 0);
  });

  test('history', async () => {
    const { out } = await slipway('app', 'history', 'shop-prod');
    assert.equal(out, 'ID  DATE                  REVISION        BY\n1   2026-01-01T10:00:00Z  HEAD (aaaaaaa)  ann\n');
  });

  test('manifests', async () => {
    engine.texts.set('shop-prod', [deployment('reg/shop:1.5.0')]);
    assert.match((await slipway('app', 'manifests', 'shop-prod')).out, /^---\napiVersion: apps\/v1\n/);
  });

  test('terminate-op', async () => {
    assert.equal((await slipway('app', 'terminate-op', 'shop-prod')).code, 0);
    assert.deepEqual(engine.asked, [{ what: 'terminate', name: 'shop-prod' }]);
  });
});

describe('the rest', () => {
  test('rollback writes the revert and syncs', async () => {
    engine.onSync = () => setTimeout(() => engine.put(prod('Succeeded', true)), 10);
    const { code, out } = await slipway('rollback', 'shop-prod', '--to', '1');
    assert.equal(code, 0);
    assert.match(out, /Revert "bump"/);
    assert.deepEqual(
      engine.asked.map(({ what, request }) => [what, what === 'rollback' ? request : undefined]),
      [
        ['rollback', { to: 1 }],
        ['refresh normal', undefined],
        ['sync', undefined],
      ],
    );
    engine.asked.length = 0;
    await slipway('rollback', 'shop-prod', '--no-sync');
    assert.deepEqual(
      engine.asked.map(({ what }) => what),
      ['rollback'],
    );
  });

  test('trace prints an aligned chain', async () => {
    const { out } = await slipway('trace', 'pod/api-1');
    assert.equal(
      out,
      'pod/api-1  (application shop-prod)\n' +
        '  container  2026-01-02 00:00:00Z  reg/shop:1.5.0\n' +
        '  commit     2026-01-01 00:00:00Z  abc1234 Faster  by ann\n' +
        '  approved   -                     unknown: the run needed none\n',
    );
  });

  test('why', async () => {
    const { out } = await slipway('why', 'shop-prod');
    assert.equal(out, 'manual: it differs and nobody asked\n  next: sync it\n');
  });

  test('events', async () => {
    const at = Date.UTC(2026, 0, 1);
    const actor = { kind: 'user' as const, name: 'ann' };
    await audit.record({
      at,
      kind: 'rollback',
      actor,
      cause: 'slipway rollback',
      application: 'shop-prod',
      message: 'undone',
    });
    const { out } = await slipway('events');
    assert.match(out, /^2026-01-01T00:00:00Z +rollback +shop-prod +ann +undone$/m);
    assert.equal((await slipway('events', '--kind', 'nonsense')).code, 2);
  });

  test('dispatch', async () => {
    assert.equal((await slipway('dispatch', 'myshop/manifests', 'update-image', 'app=api', 'tag=1=2')).code, 0);
    assert.deepEqual(dispatched.at(-1), {
      repository: 'myshop/manifests',
      eventType: 'update-image',
      payload: { app: 'api', tag: '1=2' },
    });
    assert.equal((await slipway('dispatch', 'nonsense', 'x')).code, 2);
    assert.equal((await slipway('dispatch', 'a/b', 'x', 'y')).code, 2);
  });

  test('doctor names what is missing and what to do', async () => {
    const { code, out } = await slipway('doctor');
    assert.equal(code, 8);
    assert.match(out, /^helm +MISSING +not found +renders charts$/m);
    assert.match(out, /to do: ports: end the program that uses port 3000/);
    assert.match(out, /^3 thing\(s\) to put right\.$/m);
  });

  test('processes get their options', async () => {
    assert.equal((await slipway('serve', '--port', '9', '--kubeconfig', 'k')).code, 9);
    assert.equal((await slipway('demo', '--json')).code, 7);
    assert.equal((await slipway('serve', '--port', 'x')).code, 2);
  });

  const wrong: { name: string; args: string[]; code: number; says: RegExp }[] = [
    { name: 'unknown command', args: ['nope'], code: 2, says: /unknown command/ },
    { name: 'unknown application', args: ['app', 'get', 'nope'], code: 20, says: /there are: shop-prod/ },
    { name: 'unknown format', args: ['app', 'list', '-o', 'xml'], code: 20, says: /one of: table/ },
    { name: 'bad resource', args: ['app', 'sync', 'shop-prod', '--resource', 'x'], code: 20, says: /apps:Deployment/ },
    {
      name: 'nobody there',
      args: ['--server', 'http://127.0.0.1:1', 'app', 'list'],
      code: 20,
      says: /does not answer/,
    },
    { name: 'wrong token', args: ['--token', 'wrong-token', 'app', 'list'], code: 20, says: /needs a token/ },
  ];
  for (const { name, args, code, says } of wrong) {
    test(name, async () => {
      const result = await slipway(...args);
      assert.equal(result.code, code);
      assert.match(result.err, says);
    });
  }

  test('help and version', async () => {
    assert.equal((await slipway('--version')).out, '0.1.0\n');
    const { code, out } = await slipway('--help');
    assert.equal(code, 0);
    for (const command of ['up', 'demo', 'serve', 'app', 'rollback', 'trace', 'doctor'])
      assert.ok(out.includes(command));
  });
});
