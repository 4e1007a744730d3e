import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { connect } from 'node:tls';
import { getArray, getObject, getPath, getString, type JsonObject } from '#base/json.ts';
import { configMap, type TestCluster, testCluster } from '../api-fixture.test.ts';

let cluster: TestCluster;
before(async () => {
  cluster = await testCluster();
});
after(() => cluster[Symbol.asyncDispose]());

/** A namespace of its own for each test. */
async function home(name: string): Promise<string> {
  await cluster.send('POST', '/api/v1/namespaces', { body: { metadata: { name } } });
  return `/api/v1/namespaces/${name}/configmaps`;
}

const names = (list: JsonObject): string[] =>
  getArray(list, 'items').map((item) => getString(item, 'metadata', 'name') ?? '');
const seen = (events: JsonObject[]): string[] =>
  events.map((event) => `${event['type']} ${getString(event, 'object', 'metadata', 'name') ?? ''}`);

test('pages are of one version, whatever is written between them', async () => {
  const path = await home('paging');
  for (const name of ['a', 'b', 'c', 'd', 'e']) await cluster.send('POST', path, { body: configMap(name) });
  const first = await cluster.send('GET', `${path}?limit=2`);
  assert.deepEqual(names(first.body), ['a', 'b']);
  assert.equal(getPath(first.body, 'metadata', 'remainingItemCount'), 3);
  await cluster.send('DELETE', `${path}/c`);
  await cluster.send('POST', path, { body: configMap('cc') });
  const token = encodeURIComponent(getString(first.body, 'metadata', 'continue') ?? '');
  const rest = await cluster.send('GET', `${path}?limit=500&continue=${token}`);
  assert.deepEqual(names(rest.body), ['c', 'd', 'e']);
  assert.equal(getPath(rest.body, 'metadata', 'resourceVersion'), getPath(first.body, 'metadata', 'resourceVersion'));
  const withVersion = await cluster.send('GET', `${path}?continue=${token}&resourceVersion=5`);
  assert.equal(
    getString(withVersion.body, 'message'),
    'specifying resource version is not allowed when using continue',
  );
  assert.equal(names((await cluster.send('GET', `${path}?limit=1&resourceVersion=0`)).body).length, 5);
});

test('a list at an exact version shows what was then', async () => {
  const path = await home('exact');
  await cluster.send('POST', path, { body: configMap('a') });
  const version = getPath((await cluster.send('GET', path)).body, 'metadata', 'resourceVersion');
  await cluster.send('DELETE', `${path}/a`);
  const then = await cluster.send('GET', `${path}?resourceVersion=${String(version)}&resourceVersionMatch=Exact`);
  assert.deepEqual(names(then.body), ['a']);
  const future = await cluster.send('GET', `${path}?resourceVersion=99999999`);
  assert.deepEqual([future.code, future.body['reason'], future.headers['retry-after']], [504, 'Timeout', '1']);
});

test('items of built-in kinds leave out kind and apiVersion', async () => {
  const path = await home('items');
  await cluster.send('POST', path, { body: configMap('a') });
  const list = await cluster.send('GET', path);
  assert.deepEqual([list.body['kind'], list.body['apiVersion']], ['ConfigMapList', 'v1']);
  assert.equal(getPath(list.body, 'items', 0, 'kind'), undefined);
});

test('a watch begins with what is there, then shows changes; a deletion has a version of its own', async () => {
  const path = await home('watching');
  await cluster.send('POST', path, { body: configMap('a', {}, { x: '1' }) });
  const watching = cluster.watch(`${path}?watch=true`, (events) => events.length >= 4);
  await cluster.send('PATCH', `${path}/a`, { body: { data: { k: 'v' } }, type: 'application/merge-patch+json' });
  await cluster.send('PATCH', `${path}/a`, { body: { data: { k: 'v' } }, type: 'application/merge-patch+json' });
  await cluster.send('POST', path, { body: configMap('b') });
  await cluster.send('DELETE', `${path}/a`);
  const events = await watching;
  assert.deepEqual(seen(events), ['ADDED a', 'MODIFIED a', 'ADDED b', 'DELETED a']);
  const versions = events.map((event) => Number(getString(event, 'object', 'metadata', 'resourceVersion')));
  assert.deepEqual(
    versions,
    versions.toSorted((x, y) => x - y),
  );
  assert.equal(new Set(versions).size, 4);
  assert.equal(getString(events[0], 'object', 'kind'), 'ConfigMap');
});

test('a selector turns leaving into DELETED and entering into ADDED', async () => {
  const path = await home('selecting');
  const from = getPath((await cluster.send('GET', path)).body, 'metadata', 'resourceVersion');
  const label = (value: string): Promise<unknown> =>
    cluster.send('PATCH', `${path}/w`, {
      body: { metadata: { labels: { x: value } } },
      type: 'application/merge-patch+json',
    });
  await cluster.send('POST', path, { body: configMap('w', {}, { x: '1' }) });
  await label('2');
  await label('1');
  const events = await cluster.watch(
    `${path}?watch=true&labelSelector=x%3D1&resourceVersion=${String(from)}`,
    (all) => all.length >= 3,
  );
  assert.deepEqual(seen(events), ['ADDED w', 'DELETED w', 'ADDED w']);
  assert.equal(getString(events[1], 'object', 'metadata', 'labels', 'x'), '1');
});

test('initial events end with a bookmark that says so', async () => {
  const path = await home('initial');
  await cluster.send('POST', path, { body: configMap('a') });
  const query = 'watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true';
  const events = await cluster.watch(`${path}?${query}`, (all) => all.length >= 2);
  assert.deepEqual(seen(events), ['ADDED a', 'BOOKMARK ']);
  assert.equal(
    getString(getObject(events[1], 'object', 'metadata', 'annotations'), 'k8s.io/initial-events-end'),
    'true',
  );
  const refused = await cluster.send('GET', `${path}?watch=true&sendInitialEvents=true`);
  assert.equal(refused.code, 422);
});

test('a table watch names its columns once', async () => {
  const path = await home('tables');
  for (const name of ['a', 'b']) await cluster.send('POST', path, { body: configMap(name, { k: 'v' }) });
  const table = 'application/json;as=Table;v=v1;g=meta.k8s.io';
  const events = await cluster.watch(`${path}?watch=true`, (all) => all.length >= 2, table);
  const columns = getArray(events[0], 'object', 'columnDefinitions').map((column) => getString(column, 'name'));
  assert.deepEqual(columns, ['Name', 'Data', 'Age']);
  assert.equal(getPath(events[1], 'object', 'columnDefinitions'), null);
  assert.deepEqual(getArray(events[1], 'object', 'rows', 0, 'cells').slice(0, 2), ['b', 1]);
});

/** All that the server writes to a plain socket for `request`, until it closes or `enough` is there. */
function raw(request: string, enough: string): Promise<string> {
  const { host, port } = cluster.server.listening;
  const socket = connect({ host, port, ca: cluster.server.caPem, servername: 'localhost' });
  socket.write(`${request}\r\nHost: localhost\r\nAuthorization: Bearer ${cluster.server.adminToken}\r\n\r\n`);
  return new Promise((resolve, reject) => {
    let text = '';
    socket.on('data', (chunk) => {
      text += String(chunk);
      if (text.includes(enough)) socket.destroy();
    });
    socket.once('error', reject);
    socket.once('close', () => resolve(text));
  });
}

test('a watch over HTTP 1.0 is not chunked, one by HEAD has no body', async () => {
  const path = await home('plain');
  await cluster.send('POST', path, { body: configMap('a') });
  const [head = '', body = ''] = (await raw(`GET ${path}?watch=true HTTP/1.0`, '"ADDED"')).split('\r\n\r\n');
  assert.doesNotMatch(head, /transfer-encoding/i);
  assert.match(body, /^\{"type":"ADDED"/);
  const answer = await raw(`HEAD ${path}?watch=true&timeoutSeconds=1 HTTP/1.1\r\nConnection: close`, '"ADDED"');
  assert.match(answer, /^HTTP\/1\.1 200 OK/);
  assert.equal(answer.split('\r\n\r\n')[1], '');
});

test('metadata alone can be listed', async () => {
  const path = await home('partial');
  await cluster.send('POST', path, { body: configMap('a', { k: 'v' }) });
  const accept = 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io';
  const list = await cluster.send('GET', path, { accept });
  assert.equal(list.body['kind'], 'PartialObjectMetadataList');
  assert.deepEqual(Object.keys(getObject(list.body, 'items', 0)), ['kind', 'apiVersion', 'metadata']);
});

test('a watcher that does not read is closed, and holds up nobody', async () => {
  const path = await home('slow');
  const { host, port } = cluster.server.listening;
  const socket = connect({ host, port, ca: cluster.server.caPem, servername: 'localhost' });
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  socket.write(
    `GET ${path}?watch=true HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${cluster.server.adminToken}\r\n\r\n`,
  );
  await new Promise<void>((resolve) => socket.once('data', () => resolve()));
  socket.pause();
  await cluster.send('POST', path, { body: configMap('big', { text: 'x'.repeat(900_000) }) });
  const accept = 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io';
  for (let n = 0; n < 40; n += 1)
    await cluster.send('PATCH', `${path}/big`, {
      body: { data: { n: `${n}` } },
      type: 'application/merge-patch+json',
      accept,
    });
  socket.resume();
  await closed;
});

test('a list and a watch from its version equal a later list, under concurrent writes', async () => {
  const path = await home('property');
  const rounds = 40;
  const write = async (seed: number): Promise<void> => {
    for (let n = 0; n < rounds; n += 1) {
      const name = `o${(seed * 7 + n * 3) % 11}`;
      const choice = (seed + n) % 3;
      if (choice === 0) await cluster.send('POST', path, { body: configMap(name, { n: `${seed}-${n}` }) });
      else if (choice === 1)
        await cluster.send('PUT', `${path}/${name}`, { body: configMap(name, { n: `${seed}-${n}` }) });
      else await cluster.send('DELETE', `${path}/${name}`);
    }
  };
  const before = await cluster.send('GET', path);
  const state = new Map<string, string>();
  const note = (object: JsonObject): unknown =>
    state.set(getString(object, 'metadata', 'name') ?? '', getString(object, 'metadata', 'resourceVersion') ?? '');
  for (const item of getArray(before.body, 'items')) note(item as JsonObject);
  const from = String(getPath(before.body, 'metadata', 'resourceVersion'));
  const watching = cluster.watch(`${path}?watch=true&resourceVersion=${from}`, (events) =>
    seen(events).includes('ADDED end'),
  );
  await Promise.all([1, 2, 3, 4].map(write));
  await cluster.send('POST', path, { body: configMap('end') });
  for (const event of await watching) {
    const object = getObject(event, 'object');
    if (event['type'] === 'DELETED') state.delete(getString(object, 'metadata', 'name') ?? '');
    else note(object);
  }
  const later = await cluster.send('GET', path);
  const want = getArray(later.body, 'items').map((item) => [
    getString(item, 'metadata', 'name'),
    getString(item, 'metadata', 'resourceVersion'),
  ]);
  assert.deepEqual([...state].sort(), want.sort());
});
