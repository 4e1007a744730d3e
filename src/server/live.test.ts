import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { silentLogger } from '#base/log.ts';
import type { ApplicationStatus } from '#model/argocd/application.ts';
import { testClock, testEntropy } from '../../test/clock.ts';
import { application } from '../../test/web/application.ts';
import { MemoryAudit, MemoryEngine } from '../../test/web/memory-engine.ts';
import { clearSight, MemoryInstance, noResources } from '../../test/web/memory-instance.ts';
import { LiveFeed } from './live-feed.ts';
import { Mailbox } from './mailbox.ts';
import { imagesIn } from './outlook.ts';
import { type ListeningServer, startServer } from './server.ts';
import { buildMatrix, viewApplication } from './view.ts';

const synced = {
  sync: { status: 'Synced' as const, revision: 'a'.repeat(40) },
  health: { status: 'Healthy' as const },
};

describe('mailbox', () => {
  test('holds what fits, and closes on what does not', async () => {
    const mailbox = new Mailbox<number>(2);
    assert.deepEqual([mailbox.push(1), mailbox.push(2), mailbox.push(3)], [true, true, false]);
    assert.equal(mailbox.closed, true);
    assert.deepEqual([await mailbox.next(1000), await mailbox.next(1000), await mailbox.next(1000)], [1, 2, undefined]);
  });

  test('a waiting reader is woken by a message and by the end', async () => {
    const mailbox = new Mailbox<string>(2);
    const first = mailbox.next(10_000);
    mailbox.push('a');
    assert.equal(await first, 'a');
    const second = mailbox.next(10_000);
    mailbox.close();
    assert.equal(await second, undefined);
    assert.equal(await new Mailbox<string>(1).next(1), undefined, 'a heartbeat is due');
  });
});

describe('live feed', () => {
  function world() {
    const engine = new MemoryEngine();
    const audit = new MemoryAudit();
    const feed = new LiveFeed({
      engine,
      audit,
      logger: silentLogger,
      boot: 'boot',
      names: { idOf: ({ metadata }) => metadata.name, nameOf: ({ metadata }) => `default/${metadata.name}` },
    });
    return { engine, audit, feed };
  }
  const put = (engine: MemoryEngine, count: number) => {
    for (let n = 0; n < count; n += 1) engine.put(application({ name: `app-${n}`, status: synced }));
  };

  test('a reader that comes back gets what it missed, once', async () => {
    const { engine, feed } = world();
    put(engine, 1);
    const cursor = feed.cursor;
    put(engine, 2);
    const { mailbox, resumed } = feed.open(cursor);
    assert.equal(resumed, true);
    assert.deepEqual(
      [(await mailbox.next(1))?.id, (await mailbox.next(1))?.id, await mailbox.next(1)],
      ['boot-2', 'boot-3', undefined],
    );
    assert.equal(feed.open(feed.cursor).resumed, true);
    await feed[Symbol.asyncDispose]();
  });

  const lost: [string, string | undefined][] = [
    ['no cursor', undefined],
    ['another process', 'other-1'],
    ['the future', 'boot-99999'],
    ['nonsense', 'boot-x'],
    ['too long ago', 'boot-1'],
  ];
  for (const [name, cursor] of lost) {
    test(`starts again: ${name}`, async () => {
      const { engine, feed } = world();
      put(engine, 2500);
      assert.equal(feed.open(cursor).resumed, false);
      await feed[Symbol.asyncDispose]();
    });
  }

  test('a reader that does not read is dropped, the others are not', async () => {
    const { engine, feed } = world();
    const { mailbox } = feed.open(undefined);
    put(engine, 1500);
    assert.equal(mailbox.closed, true);
    assert.deepEqual([feed.readers, feed.dropped], [0, 1]);
    await feed[Symbol.asyncDispose]();
  });

  test('there is an end to the number of readers', async () => {
    const { feed } = world();
    const opened = Array.from({ length: 500 }, () => feed.open(undefined).mailbox);
    assert.throws(() => feed.open(undefined), /500 live streams/);
    feed.close(opened[0] as (typeof opened)[number]);
    assert.doesNotThrow(() => feed.open(undefined));
    await feed[Symbol.asyncDispose]();
  });

  test('which version waits is looked up once per state', async () => {
    const { engine, feed } = world();
    const desiredText = 'spec:\n  containers:\n    - name: api\n      image: reg/shop:1.5.0\n';
    const out = {
      ...synced,
      sync: { status: 'OutOfSync' as const, revision: 'b'.repeat(40) },
      summary: { images: ['reg/shop:1.4.2'] },
    };
    engine.resources.set('shop', [
      {
        group: 'apps',
        version: 'v1',
        kind: 'Deployment',
        namespace: 'n',
        name: 'shop',
        sync: 'OutOfSync',
        health: undefined,
        requiresPruning: false,
        hook: false,
        liveText: undefined,
        desiredText,
      },
    ]);
    const { mailbox } = feed.open(undefined);
    engine.put(application({ name: 'shop', automated: false, status: out }));
    assert.equal(JSON.parse((await mailbox.next(1000))?.data ?? '').pendingVersion, undefined);
    const told = JSON.parse((await mailbox.next(1000))?.data ?? '');
    assert.equal(told.pendingVersion, '1.5.0');
    assert.deepEqual(told.hint, { kind: 'waiting', text: '1.5.0 waits for a sync' });
    engine.put(application({ name: 'shop', automated: false, status: out }));
    assert.equal(JSON.parse((await mailbox.next(1000))?.data ?? '').pendingVersion, '1.5.0');
    assert.equal(engine.asked.filter(({ what }) => what === 'managedResources').length, 1);
    await feed[Symbol.asyncDispose]();
  });

  test('a drift is shown until it is healed', async () => {
    const { engine, audit, feed } = world();
    const out = { ...synced, sync: { status: 'OutOfSync' as const, revision: 'b'.repeat(40) } };
    engine.put(application({ name: 'shop', automated: false, status: out }));
    const note = {
      actor: { kind: 'controller' as const, name: 'slipway' },
      cause: 'test',
      application: 'shop',
      message: '',
    };
    await audit.record({ ...note, kind: 'drift-detected' });
    assert.equal(feed.view(engine.get('shop')).hint?.kind, 'drift');
    await audit.record({ ...note, kind: 'sync-succeeded' });
    assert.equal(feed.view(engine.get('shop')).drift, false);
    await feed[Symbol.asyncDispose]();
  });
});

describe('streams over HTTP', () => {
  let engine: MemoryEngine;
  let server: ListeningServer;
  const headers = { authorization: 'Bearer stream-token' };

  before(async () => {
    engine = new MemoryEngine();
    engine.put(application({ name: 'shop', status: synced }));
    server = await startServer({
      engine,
      resources: noResources,
      instance: new MemoryInstance(),
      sight: clearSight,
      audit: new MemoryAudit(),
      tracer: { trace: async () => ({ subject: '', application: undefined, steps: [] }) },
      logger: silentLogger,
      clock: testClock,
      entropy: testEntropy,
      host: '127.0.0.1',
      port: 0,
      webhookSecret: undefined,
      token: 'stream-token',
      anonymousRead: false,
      version: '0.1.0',
      webDir: '/nonexistent',
    });
  });
  after(() => server[Symbol.asyncDispose]());

  async function* chunks(path: string, more: Record<string, string> = {}): AsyncGenerator<string> {
    const stop = new AbortController();
    try {
      const answer = await fetch(`${server.url}${path}`, { headers: { ...headers, ...more }, signal: stop.signal });
      assert.equal(answer.status, 200);
      for await (const chunk of answer.body ?? []) yield Buffer.from(chunk).toString();
    } finally {
      stop.abort();
    }
  }

  test("Argo CD's stream: what there is, what changes, what goes", async () => {
    const types: string[] = [];
    for await (const chunk of chunks('/api/v1/stream/applications?name=shop')) {
      for (const line of chunk.trim().split('\n')) types.push(JSON.parse(line).result.type);
      if (types.length === 1) engine.put(application({ name: 'other' }));
      if (types.length === 1) engine.put(application({ name: 'shop', status: synced }));
      if (types.length === 2) engine.remove('shop');
      if (types.length === 3) break;
    }
    assert.deepEqual(types, ['ADDED', 'MODIFIED', 'DELETED']);
    for await (const chunk of chunks('/api/v1/stream/applications', { accept: 'text/event-stream' })) {
      assert.match(chunk, /^data: \{"result":/);
      break;
    }
  });

  test("the page's stream: a snapshot, changes, and on from the last one seen", async () => {
    let seen = '';
    for await (const chunk of chunks('/api/slipway/v1/stream')) {
      seen += chunk;
      if (seen.includes('event: snapshot') && !seen.includes('"name":"later"'))
        engine.put(application({ name: 'later' }));
      if (seen.includes('event: application')) break;
    }
    const last = [...seen.matchAll(/^id: (.+)$/gm)].at(-1)?.[1] ?? '';
    engine.put(application({ name: 'missed' }));
    for await (const chunk of chunks('/api/slipway/v1/stream', { 'last-event-id': last })) {
      assert.doesNotMatch(chunk, /event: snapshot/);
      assert.match(chunk, /"name":"missed"/);
      break;
    }
  });

  test('a page that is not built says how', async () => {
    const answer = await fetch(server.url);
    assert.equal(answer.status, 503);
    assert.match(await answer.text(), /npm run build:web/);
  });
});

describe('views', () => {
  test('images of a manifest', () => {
    const text =
      'image: a:1\ninitContainers:\n  - image: "b:2"\ncontainers:\n  - name: x\n    image: a:1\n    imagePullPolicy: Always\n';
    assert.deepEqual(imagesIn(text), ['a:1', 'b:2']);
  });

  test('the matrix has environments on their way to production, and no application of applications', () => {
    const names = ['web-prod', 'web-dev', 'api-prod', 'root'];
    const views = names.map((name) =>
      viewApplication(application({ name, status: name === 'root' ? { summary: { isAppOfApps: true } } : synced }), {
        desiredImages: undefined,
        drift: false,
      }),
    );
    const { environments, rows } = buildMatrix(views);
    assert.deepEqual(environments, ['dev', 'prod']);
    assert.deepEqual(
      rows.map(({ service, cells }) => [service, Object.keys(cells)]),
      [
        ['api', ['prod']],
        ['web', ['prod', 'dev']],
      ],
    );
  });

  const out = { status: 'OutOfSync' as const, revision: 'b'.repeat(40) };
  const operationState = { phase: 'Failed' as const, operation: {}, startedAt: '', message: 'hook failed\nmore' };
  const hints: { name: string; status: ApplicationStatus; automated?: boolean; want: string | undefined }[] = [
    { name: 'fine', status: synced, want: undefined },
    {
      name: 'broken',
      status: { ...synced, conditions: [{ type: 'ComparisonError', message: 'no chart' }] },
      want: 'failed no chart',
    },
    { name: 'failed sync', status: { sync: out, operationState }, want: 'failed hook failed' },
    {
      name: 'same revision',
      status: { sync: out, history: [{ id: 1, revision: out.revision, deployedAt: '' }] },
      automated: false,
      want: 'drift changed by hand in the cluster',
    },
    { name: 'manual', status: { sync: out }, automated: false, want: 'waiting changes wait for a sync' },
    { name: 'automated', status: { sync: out }, want: 'working a sync is due' },
    {
      name: 'degraded',
      status: { ...synced, health: { status: 'Degraded', message: 'no image' } },
      want: 'failed no image',
    },
    {
      name: 'a warning is no failure',
      status: { ...synced, conditions: [{ type: 'OrphanedResourceWarning', message: 'x' }] },
      want: undefined,
    },
  ];
  for (const { name, status, automated = true, want } of hints)
    test(`hint: ${name}`, () => {
      const { hint } = viewApplication(application({ name: 'a', automated, status }), {
        desiredImages: undefined,
        drift: false,
      });
      assert.equal(hint && `${hint.kind} ${hint.text}`, want);
    });
});
