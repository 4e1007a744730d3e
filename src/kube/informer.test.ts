import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { test } from 'node:test';
import { isAppError } from '#base/errors.ts';
import { silentLogger } from '#base/log.ts';
import { testClock, testEntropy } from '../../test/clock.ts';
import { createInformerSet, type InformerDeps } from './informer.ts';
import type { Informer, InformerEvent, KubeObject } from './port.ts';
import { answer, gone, listOf, pod, pods, ScriptedServer, type SeenRequest, watchLine } from './testing-server.ts';

const signal = new AbortController().signal;

/** A script: what each list and each watch does, in order; the last of each repeats. */
interface Script {
  lists: ((response: ServerResponse) => void)[];
  watches: ((response: ServerResponse, request: SeenRequest) => void)[];
}

async function start(script: Script) {
  let lists = 0;
  let watches = 0;
  const server = await ScriptedServer.start(testClock, (request, response) => {
    if (request.query['watch'] === undefined) {
      const list = script.lists[Math.min(lists, script.lists.length - 1)];
      lists += 1;
      list?.(response);
      return;
    }
    const watch = script.watches[Math.min(watches, script.watches.length - 1)];
    watches += 1;
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    watch?.(response, request);
  });
  const deps: InformerDeps = { client: server.client(), clock: testClock, entropy: testEntropy, logger: silentLogger };
  const set = createInformerSet(deps);
  const events: string[] = [];
  const changed = new Set<() => void>();
  const informer = set.informer(pods);
  informer.subscribe((event) => {
    events.push(describe(event));
    for (const look of changed) look();
  });
  const until = (condition: () => boolean) =>
    new Promise<void>((resolve) => {
      const look = () => {
        if (condition()) resolve();
      };
      changed.add(look);
      look();
    });
  return {
    server,
    set,
    informer,
    events,
    until,
    async [Symbol.asyncDispose]() {
      await set[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

function describe(event: InformerEvent): string {
  const { name, resourceVersion } = event.object.metadata;
  if (event.type === 'delete') return `delete ${name}`;
  return `upsert ${name}@${resourceVersion}${event.previous ? ` was ${event.previous.metadata.resourceVersion}` : ''}`;
}

function names(informer: Informer): string[] {
  return informer.list().map((object) => `${object.metadata.name}@${object.metadata.resourceVersion}`);
}

const list =
  (items: KubeObject[], resourceVersion: string) =>
  (response: ServerResponse): void =>
    answer(response, 200, listOf(items, resourceVersion));
const hang = () => {};
const watchVersions = (server: ScriptedServer) =>
  server.requests.filter((request) => request.query['watch']).map((request) => request.query['resourceVersion']);

test('lists, then follows the watch', async () => {
  await using run = await start({
    lists: [list([pod('a', '1'), pod('b', '2')], '5')],
    watches: [
      (response) => {
        response.write(watchLine('MODIFIED', pod('a', '6')) + watchLine('ADDED', pod('c', '7')));
        response.write(watchLine('DELETED', pod('b', '8')));
      },
    ],
  });
  await run.informer.whenSynced(signal);
  assert.equal(run.informer.synced, true);
  await run.until(() => run.events.includes('delete b'));
  assert.deepEqual(run.events, ['upsert a@1', 'upsert b@2', 'upsert a@6 was 1', 'upsert c@7', 'delete b']);
  assert.deepEqual(names(run.informer), ['a@6', 'c@7']);
  assert.equal(run.informer.get({ name: 'a', namespace: 'web' })?.metadata.resourceVersion, '6');
  assert.deepEqual(run.informer.list('other'), []);
  assert.equal(run.set.informer(pods), run.informer);
  assert.equal(run.set.active().length, 1);
});

test('resumes from the last event or bookmark after the server ends a watch or the connection breaks', async () => {
  await using run = await start({
    lists: [list([], '5')],
    watches: [
      (response) => response.end(watchLine('ADDED', pod('a', '6'))),
      (response) => response.end(watchLine('BOOKMARK', { metadata: { resourceVersion: '9' } })),
      (response) => {
        response.write(`${watchLine('ADDED', pod('b', '10'))}{"type":"ADD`);
        setImmediate(() => response.destroy());
      },
      (response) => response.write(watchLine('ADDED', pod('c', '11'))),
    ],
  });
  await run.until(() => run.events.includes('upsert c@11'));
  assert.deepEqual(watchVersions(run.server), ['5', '6', '9', '10']);
  assert.deepEqual(names(run.informer), ['a@6', 'b@10', 'c@11']);
  assert.equal(run.server.requests.length, 5);
});

test('lists again on 410 and tells exactly what changed meanwhile', async () => {
  const items = [pod('same', '1'), pod('changed', '2'), pod('removed', '3'), pod('reborn', '4', 'first')];
  await using run = await start({
    lists: [
      list(items, '5'),
      list([pod('same', '1'), pod('changed', '20'), pod('reborn', '21', 'second'), pod('new', '22')], '30'),
    ],
    watches: [(response) => response.end(watchLine('ERROR', gone())), hang],
  });
  await run.until(() => run.events.includes('delete removed'));
  assert.deepEqual(run.events.slice(4), [
    'upsert changed@20 was 2',
    'delete reborn',
    'upsert reborn@21',
    'upsert new@22',
    'delete removed',
  ]);
  assert.deepEqual(names(run.informer).sort(), ['changed@20', 'new@22', 'reborn@21', 'same@1']);
});

test('a list that fails is tried again', async () => {
  await using run = await start({
    lists: [(response) => answer(response, 500, { message: 'etcd is away' }), list([pod('a', '1')], '1')],
    watches: [hang],
  });
  await run.informer.whenSynced(signal);
  assert.deepEqual(names(run.informer), ['a@1']);
});

test('a server that stays away and comes back with older data is listed again', async () => {
  await using run = await start({
    lists: [list([pod('a', '100')], '100'), list([pod('b', '3')], '3')],
    watches: [(response) => response.destroy(), (response) => response.destroy(), hang],
  });
  await run.until(() => run.events.includes('delete a'));
  assert.deepEqual(names(run.informer), ['b@3']);
});

test('a kind that is not served any more loses its objects', async () => {
  await using run = await start({
    lists: [list([pod('a', '1')], '1'), (response) => answer(response, 404, '404 page not found')],
    watches: [(response) => response.end(watchLine('ERROR', gone()))],
  });
  await run.until(() => run.events.includes('delete a'));
  assert.deepEqual(run.informer.list(), []);
});

test('who waits for a list that fails is told why, and it goes on', async (t) => {
  const cases = [
    { status: 403, code: 'forbidden', failures: 1 },
    { status: 404, code: 'not-found', failures: 1 },
    { status: 500, code: 'unavailable', failures: 3 },
  ] as const;
  for (const { status, code, failures } of cases) {
    await t.test(code, async () => {
      const refuse = (response: ServerResponse) => answer(response, status, { message: 'no' });
      await using run = await start({
        lists: [...Array.from({ length: failures }, () => refuse), list([pod('a', '1')], '1')],
        watches: [hang],
      });
      await assert.rejects(run.informer.whenSynced(signal), (error) => isAppError(error, code));
      await run.informer.whenSynced(signal);
      assert.deepEqual(names(run.informer), ['a@1']);
    });
  }
});

test('waiting ends with its own signal', async () => {
  await using run = await start({ lists: [hang], watches: [hang] });
  const controller = new AbortController();
  const waiting = run.informer.whenSynced(controller.signal);
  controller.abort();
  await assert.rejects(waiting, (error) => isAppError(error, 'canceled'));
});

test('managedFields go, the annotations stay, and strip takes the rest', async () => {
  const full = pod('a', '1');
  full.metadata.managedFields = [{ manager: 'kubectl' }];
  full.metadata.annotations = { 'kubectl.kubernetes.io/last-applied-configuration': '{}' };
  full['spec'] = { heavy: true };
  await using server = await ScriptedServer.start(testClock, (request, response) => {
    if (request.query['watch'] === undefined) answer(response, 200, listOf([full], '1'));
  });
  const strip = (object: KubeObject) => {
    delete object['spec'];
  };
  const client = server.client();
  await using set = createInformerSet({ client, clock: testClock, entropy: testEntropy, logger: silentLogger, strip });
  const informer = set.informer(pods);
  await informer.whenSynced(signal);
  const want = pod('a', '1');
  want.metadata.annotations = { 'kubectl.kubernetes.io/last-applied-configuration': '{}' };
  assert.deepEqual(informer.list(), [want]);
});

test('a listener that fails does not keep others from hearing', async () => {
  const errors: string[] = [];
  await using server = await ScriptedServer.start(testClock, (request, response) => {
    if (request.query['watch'] === undefined) answer(response, 200, listOf([pod('a', '1')], '1'));
  });
  const logger = { ...silentLogger, error: (_fields: object, message: string) => errors.push(message) };
  await using set = createInformerSet({ client: server.client(), clock: testClock, entropy: testEntropy, logger });
  const heard: string[] = [];
  const informer = set.informer(pods);
  informer.subscribe(() => {
    throw new Error('broken listener');
  });
  informer.subscribe((event) => heard.push(describe(event)));
  await informer.whenSynced(signal);
  assert.deepEqual(heard, ['upsert a@1']);
  assert.deepEqual(errors, ['a listener failed: broken listener']);
});

test('closing ends the watch and the loop', async () => {
  const run = await start({ lists: [list([], '1')], watches: [hang] });
  await run.informer.whenSynced(signal);
  await run[Symbol.asyncDispose]();
  const { length } = run.server.requests;
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(run.server.requests.length, length);
});
