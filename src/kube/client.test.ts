import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ErrorCode, isAppError } from '#base/errors.ts';
import { testClock } from '../../test/clock.ts';
import type { ApiResource } from './port.ts';
import { answer, gone, pod, pods, ScriptedServer, watchLine } from './testing-server.ts';

const signal = new AbortController().signal;
const ref = { name: 'api', namespace: 'web' };
const legacyIndex = (path: string): object =>
  ({
    '/api': { kind: 'APIVersions', versions: ['v1'] },
    '/apis': {
      kind: 'APIGroupList',
      groups: [{ name: 'apps', versions: [{ groupVersion: 'apps/v1', version: 'v1' }] }],
    },
    '/api/v1': {
      groupVersion: 'v1',
      resources: [
        { name: 'pods', kind: 'Pod', namespaced: true, verbs: ['get', 'list', 'watch'] },
        { name: 'pods/log', kind: 'Pod', namespaced: true, verbs: ['get'] },
      ],
    },
    '/apis/apps/v1': {
      groupVersion: 'apps/v1',
      resources: [{ name: 'deployments', kind: 'Deployment', namespaced: true, verbs: ['get'] }],
    },
  })[path] ?? {};

test('errors keep the code and the message of the server', async (t) => {
  const cases: { status: number; want: ErrorCode }[] = [
    { status: 400, want: 'bad-input' },
    { status: 401, want: 'unauthorized' },
    { status: 403, want: 'forbidden' },
    { status: 409, want: 'conflict' },
    { status: 422, want: 'bad-input' },
    { status: 500, want: 'unavailable' },
    { status: 503, want: 'unavailable' },
  ];
  await using server = await ScriptedServer.start(testClock, () => {});
  const client = server.client();
  for (const { status, want } of cases) {
    await t.test(String(status), async () => {
      server.handle = (_request, response) => answer(response, status, { kind: 'Status', message: 'the very reason' });
      await assert.rejects(
        client.get(pods, ref, signal),
        (error) => isAppError(error, want) && error.message.endsWith('Pod web/api: the very reason'),
      );
    });
  }
  await t.test('404 is undefined for get and false for delete', async () => {
    server.handle = (_request, response) => answer(response, 404, { kind: 'Status', message: 'not found' });
    assert.equal(await client.get(pods, ref, signal), undefined);
    assert.equal(await client.delete(pods, ref, {}, signal), false);
  });
  await t.test('500 for an object that does not fit its schema is bad input', async () => {
    const message =
      'failed to create typed patch object (web/api; v1, Kind=Pod): .spec.foo: field not declared in schema';
    server.handle = (_request, response) => answer(response, 500, { kind: 'Status', message, code: 500 });
    await assert.rejects(client.get(pods, ref, signal), (error) => isAppError(error, 'bad-input'));
  });
  await t.test('an answer that is not JSON', async () => {
    server.handle = (_request, response) => answer(response, 502, '<html>bad gateway</html>');
    await assert.rejects(
      client.get(pods, ref, signal),
      (error) => isAppError(error, 'unavailable') && error.message.includes('bad gateway'),
    );
  });
});

test('429 is waited out as Retry-After says', async () => {
  let refusals = 2;
  await using server = await ScriptedServer.start(testClock, (_request, response) => {
    refusals -= 1;
    if (refusals >= 0) answer(response, 429, { message: 'slow down' }, { 'retry-after': '0' });
    else answer(response, 200, pod('api', '1'));
  });
  assert.equal((await server.client().get(pods, ref, signal))?.metadata.name, 'api');
  assert.equal(server.requests.length, 3);
});

test('a read is repeated when its connection breaks; a write is not', async () => {
  let breaks = 2;
  await using server = await ScriptedServer.start(testClock, (request, response) => {
    if (request.path.startsWith('/api/v1/namespaces/web/pods') && breaks > 0) {
      breaks -= 1;
      response.destroy();
    } else answer(response, 200, request.path.includes('pods') ? pod('api', '1') : legacyIndex(request.path));
  });
  const client = server.client();
  assert.equal((await client.get(pods, ref, signal))?.metadata.name, 'api');
  assert.equal(breaks, 0);
  breaks = 1;
  await assert.rejects(client.create(pod('api', '1'), {}, signal), (error) => isAppError(error, 'unavailable'));
  breaks = 1;
  await client.apply(pod('api', '1'), { fieldManager: 'slipway' }, signal);
  assert.equal(breaks, 0);
});

test('a server that does not answer in time is a timeout, and the connection is let go', async () => {
  await using server = await ScriptedServer.start(testClock, () => {});
  const client = server.client({ requestTimeoutMs: 30 });
  await assert.rejects(client.get(pods, ref, signal), (error) => isAppError(error, 'timeout'));
});

test('nobody listening is unavailable, and says what to check', async () => {
  await using server = await ScriptedServer.start(testClock, () => {});
  const client = server.client();
  await server.stopListening();
  await assert.rejects(
    client.get(pods, ref, signal),
    (error) => isAppError(error, 'unavailable') && error.message.includes(client.server) && error.hint !== undefined,
  );
});

test('list reads all pages, fills in the kind, and starts again when the pages expire', async () => {
  let expire = 1;
  await using server = await ScriptedServer.start(testClock, ({ query }, response) => {
    const item = (name: string) => ({ metadata: { name, namespace: 'web', resourceVersion: '1' } });
    if (query['continue'] === undefined)
      return answer(response, 200, { metadata: { resourceVersion: '7', continue: 'p2' }, items: [item('a')] });
    expire -= 1;
    if (expire >= 0) return answer(response, 410, gone());
    return answer(response, 200, { metadata: { resourceVersion: '7' }, items: [item('b')] });
  });
  const { items, resourceVersion } = await server.client().list(pods, { labelSelector: 'app=x' }, signal);
  assert.deepEqual(
    items.map((item) => [item.apiVersion, item.kind, item.metadata.name]),
    [
      ['v1', 'Pod', 'a'],
      ['v1', 'Pod', 'b'],
    ],
  );
  assert.equal(resourceVersion, '7');
  assert.deepEqual(
    server.requests.map(({ query }) => [query['limit'], query['labelSelector'], query['continue']]),
    [
      ['500', 'app=x', undefined],
      ['500', 'app=x', 'p2'],
      ['500', 'app=x', undefined],
      ['500', 'app=x', 'p2'],
    ],
  );
});

test('requests are the ones the API asks for', async () => {
  await using server = await ScriptedServer.start(testClock, (request, response) =>
    answer(response, 200, request.path.includes('/namespaces/') ? pod('api', '2') : legacyIndex(request.path)),
  );
  const client = server.client();
  const object = pod('api', '1');
  await client.apply(object, { fieldManager: 'slipway', force: true, dryRun: true }, signal);
  await client.replace(object, { subresource: 'status' }, signal);
  await client.create(object, {}, signal);
  await client.patch(pods, ref, { type: 'merge', body: { a: 1 } }, { fieldManager: 'x' }, signal);
  await client.delete(pods, ref, { propagationPolicy: 'Foreground', preconditions: { uid: 'u' } }, signal);
  const seen = server.requests
    .filter((request) => request.path.includes('/namespaces/'))
    .map(({ method, path, query, headers, body }) => ({
      call: `${method} ${path}?${new URLSearchParams(query)}`,
      type: headers['content-type'],
      framed: headers['content-length'] === String(Buffer.byteLength(body)),
      token: headers.authorization,
    }));
  const framed = true;
  const token = 'Bearer a-token-for-tests';
  const at = '/api/v1/namespaces/web/pods';
  assert.deepEqual(seen, [
    {
      call: `PATCH ${at}/api?fieldManager=slipway&dryRun=All&force=true`,
      type: 'application/apply-patch+yaml',
      framed,
      token,
    },
    { call: `PUT ${at}/api/status?`, type: 'application/json', framed, token },
    { call: `POST ${at}?`, type: 'application/json', framed, token },
    { call: `PATCH ${at}/api?fieldManager=x`, type: 'application/merge-patch+json', framed, token },
    { call: `DELETE ${at}/api?`, type: 'application/json', framed, token },
  ]);
  assert.deepEqual(JSON.parse(server.requests.at(-1)?.body ?? ''), {
    apiVersion: 'v1',
    kind: 'DeleteOptions',
    propagationPolicy: 'Foreground',
    preconditions: { uid: 'u' },
  });
});

test('discovery reads the legacy index, and looks again for an unknown kind at most once a second', async () => {
  await using server = await ScriptedServer.start(testClock, (request, response) =>
    answer(response, 200, legacyIndex(request.path)),
  );
  const { discovery } = server.client();
  const want: ApiResource = { ...pods, subresources: ['log'] };
  const kind = { group: '', version: 'v1', kind: 'Pod' };
  assert.deepEqual(await Promise.all([discovery.find(kind, signal), discovery.find(kind, signal)]), [want, want]);
  assert.equal(server.requests.length, 4);
  assert.equal(await discovery.find({ ...kind, kind: 'Nothing' }, signal), undefined);
  assert.equal(await discovery.find({ ...kind, kind: 'Nothing' }, signal), undefined);
  assert.equal(server.requests.length, 4);
  discovery.invalidate();
  assert.equal((await discovery.all(signal)).length, 2);
  assert.equal(server.requests.length, 8);
});

test('a kind that is not served is not-found with what to do', async () => {
  await using server = await ScriptedServer.start(testClock, (request, response) =>
    answer(response, 200, legacyIndex(request.path)),
  );
  const object = { apiVersion: 'example.com/v1', kind: 'Widget', metadata: { name: 'w' } };
  await assert.rejects(
    server.client().apply(object, {}, signal),
    (error) => isAppError(error, 'not-found') && /CustomResourceDefinition/.test(error.hint ?? ''),
  );
});

test('watch gives events and bookmarks, and ends when the server ends it', async () => {
  await using server = await ScriptedServer.start(testClock, (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    const lines =
      watchLine('ADDED', pod('a', '1')) +
      watchLine('BOOKMARK', { kind: 'Pod', apiVersion: 'v1', metadata: { resourceVersion: '9' } }) +
      watchLine('DELETED', pod('a', '10'));
    response.write(lines.slice(0, 30));
    setImmediate(() => response.end(lines.slice(30)));
  });
  const events = await Array.fromAsync(server.client().watch(pods, { resourceVersion: '1' }, signal));
  assert.deepEqual(events, [
    { type: 'ADDED', object: pod('a', '1') },
    { type: 'BOOKMARK', resourceVersion: '9' },
    { type: 'DELETED', object: pod('a', '10') },
  ]);
  assert.equal(server.requests[0]?.query['allowWatchBookmarks'], 'true');
});

test('watch fails as it should', async (t) => {
  await using server = await ScriptedServer.start(testClock, () => {});
  const client = server.client();
  const watch = () => Array.fromAsync(client.watch(pods, { resourceVersion: '1' }, signal));
  const stream = (text: string, end: boolean) => {
    server.handle = (_request, response) => {
      response.writeHead(200);
      response.write(text);
      if (end) response.end();
      else setTimeout(() => response.destroy(), 10);
    };
  };
  await t.test('410 in the stream is a conflict', async () => {
    stream(watchLine('ERROR', gone()), true);
    await assert.rejects(watch(), (error) => isAppError(error, 'conflict') && /too old/.test(error.message));
  });
  await t.test('410 as the answer is a conflict', async () => {
    server.handle = (_request, response) => answer(response, 410, gone());
    await assert.rejects(watch(), (error) => isAppError(error, 'conflict'));
  });
  await t.test('a connection that breaks inside a line is unavailable', async () => {
    stream('{"type":"ADDED","obj', false);
    await assert.rejects(watch(), (error) => isAppError(error, 'unavailable'));
  });
  await t.test('a line that is not JSON is an error', async () => {
    stream('{"type":"ADDED","obj\n', true);
    await assert.rejects(watch(), (error) => isAppError(error));
  });
  await t.test('aborting ends it as canceled', async () => {
    stream(watchLine('ADDED', pod('a', '1')), true);
    server.handle = (_request, response) => {
      response.writeHead(200);
      response.write(watchLine('ADDED', pod('a', '1')));
    };
    const controller = new AbortController();
    const run = async () => {
      for await (const _event of client.watch(pods, { resourceVersion: '1' }, controller.signal)) controller.abort();
    };
    await assert.rejects(run(), (error) => isAppError(error, 'canceled'));
  });
});

test('logs are text, with characters that were cut in two put together', async () => {
  await using server = await ScriptedServer.start(testClock, (_request, response) => {
    const bytes = Buffer.from('grüße\n');
    response.writeHead(200, { 'content-type': 'text/plain' });
    response.write(bytes.subarray(0, 3));
    setTimeout(() => response.end(bytes.subarray(3)), 10);
  });
  const chunks = await Array.fromAsync(server.client().logs(ref, { container: 'c', tailLines: 5 }, signal));
  assert.equal(chunks.join(''), 'grüße\n');
  assert.deepEqual(server.requests[0]?.query, { container: 'c', tailLines: '5' });
});

test('the list of a server that has no such kind is not-found', async () => {
  await using server = await ScriptedServer.start(testClock, (_request, response) =>
    answer(response, 404, '404 page not found'),
  );
  await assert.rejects(server.client().list(pods, {}, signal), (error) => isAppError(error, 'not-found'));
});
