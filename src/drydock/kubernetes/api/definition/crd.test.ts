import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { getArray, getObject, getPath, getString, isObject, type JsonObject } from '#base/json.ts';
import { type TestCluster, testCluster } from '../api-fixture.test.ts';

const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const ships = '/apis/sea.example/v1/namespaces/default/ships';

function definition(plural: string, kind: string, more: JsonObject = {}): JsonObject {
  const schema = {
    openAPIV3Schema: {
      type: 'object',
      properties: {
        spec: { type: 'object', properties: { port: { type: 'string' }, boats: { type: 'integer', default: 2 } } },
        status: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
      },
    },
  };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.sea.example` },
    spec: {
      group: 'sea.example',
      scope: 'Namespaced',
      names: { plural, kind },
      versions: [{ name: 'v1', served: true, storage: true, schema, ...more }],
    },
  };
}

const ship = (name: string, spec: JsonObject = { port: 'Kiel' }): JsonObject => ({
  apiVersion: 'sea.example/v1',
  kind: 'Ship',
  metadata: { name },
  spec,
});

function condition(body: JsonObject, type: string): string {
  const found = getArray(body, 'status', 'conditions').find((item) => getString(item, 'type') === type);
  return `${getString(found, 'status')} ${getString(found, 'reason')}: ${getString(found, 'message')}`;
}

async function settled(cluster: TestCluster, name: string): Promise<JsonObject> {
  const events = await cluster.watch(`${definitions}?watch=true&fieldSelector=metadata.name%3D${name}`, (all) =>
    all.some((event) => getArray(event, 'object', 'status', 'conditions').length > 0),
  );
  return getObject(events.at(-1), 'object');
}

async function withShips(more: JsonObject = {}, dataDir?: string): Promise<TestCluster> {
  const cluster = await testCluster(dataDir === undefined ? {} : { dataDir });
  const created = await cluster.send('POST', definitions, { body: definition('ships', 'Ship', more) });
  assert.equal(created.code, 201, created.text);
  await settled(cluster, 'ships.sea.example');
  return cluster;
}

test('a definition is served at once, in discovery and OpenAPI too', async () => {
  await using cluster = await testCluster();
  const created = await cluster.send('POST', definitions, { body: definition('ships', 'Ship') });
  assert.deepEqual(getPath(created.body, 'spec', 'names'), {
    plural: 'ships',
    singular: 'ship',
    kind: 'Ship',
    listKind: 'ShipList',
  });
  assert.deepEqual(created.body['status'], {
    conditions: null,
    acceptedNames: { plural: '', kind: '' },
    storedVersions: ['v1'],
  });
  assert.equal((await cluster.send('POST', ships, { body: ship('anna') })).code, 201);
  const done = await settled(cluster, 'ships.sea.example');
  assert.equal(condition(done, 'Established'), 'True InitialNamesAccepted: the initial names have been accepted');
  const resources = getArray((await cluster.send('GET', '/apis/sea.example/v1')).body, 'resources');
  assert.equal(getString(resources[0], 'kind'), 'Ship');
  const document = await cluster.send('GET', '/openapi/v3/apis/sea.example/v1');
  const schema = getObject(document.body, 'components', 'schemas', 'example.sea.v1.Ship');
  assert.equal(getPath(schema, 'properties', 'spec', 'properties', 'boats', 'type'), 'integer');
});

test('custom resources: pruning, defaults, generation, and what PUT and POST ask for', async () => {
  await using cluster = await withShips();
  const created = await cluster.send('POST', ships, { body: ship('anna', { port: 'Kiel', mast: 3 }) });
  assert.deepEqual(created.body['spec'], { boats: 2, port: 'Kiel' });
  assert.match(String(created.headers['warning']), /unknown field \\"spec\.mast\\"/);
  const patch = (path: string, body: unknown, type = 'application/merge-patch+json') =>
    cluster.send('PATCH', `${ships}/${path}`, { body, type });
  // Without a status subresource the status is a member like any other.
  assert.equal(getPath((await patch('anna', { status: { x: 1 } })).body, 'metadata', 'generation'), 2);
  assert.equal(getPath((await patch('anna', { metadata: { labels: { a: 'b' } } })).body, 'metadata', 'generation'), 2);
  assert.equal((await patch('anna/status', {})).code, 404);
  const strategic = await patch('anna', {}, 'application/strategic-merge-patch+json');
  assert.deepEqual(
    [strategic.code, getString(strategic.body, 'message')],
    [
      415,
      'the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml',
    ],
  );
  const put = await cluster.send('PUT', `${ships}/anna`, { body: ship('anna') });
  assert.equal(
    getString(put.body, 'message'),
    'ships.sea.example "anna" is invalid: metadata.resourceVersion: Invalid value: 0x0: must be specified for an update',
  );
  const kindless = await cluster.send('POST', ships, { body: { metadata: { name: 'x' } } });
  assert.match(getString(kindless.body, 'message') ?? '', /\(must be of type Ship\): Object 'Kind' is missing in/);
  assert.equal(getPath((await cluster.send('GET', ships)).body, 'items', 0, 'kind'), 'Ship');
});

test('status and scale subresources', async () => {
  const scale = {
    specReplicasPath: '.spec.boats',
    statusReplicasPath: '.status.boats',
    labelSelectorPath: '.status.who',
  };
  await using cluster = await withShips({ subresources: { status: {}, scale } });
  await cluster.send('POST', ships, { body: { ...ship('anna'), status: { boats: 9 } } });
  const patch = (path: string, body: unknown) =>
    cluster.send('PATCH', `${ships}/${path}`, { body, type: 'application/merge-patch+json' });
  const status = await patch('anna/status', {
    metadata: { labels: { a: 'b' } },
    spec: { boats: 7 },
    status: { boats: 1, who: 'a=b' },
  });
  assert.deepEqual(
    [status.body['spec'], status.body['status'], getPath(status.body, 'metadata', 'labels')],
    [{ boats: 2, port: 'Kiel' }, { boats: 1, who: 'a=b' }, undefined],
  );
  assert.equal(getPath(status.body, 'metadata', 'generation'), 1);
  const scaled = await patch('anna/scale', { spec: { replicas: 4 } });
  assert.deepEqual([scaled.body['spec'], scaled.body['status']], [{ replicas: 4 }, { replicas: 1, selector: 'a=b' }]);
  assert.equal(getPath((await cluster.send('GET', `${ships}/anna`)).body, 'spec', 'boats'), 4);
});

test('deleting a definition deletes its objects, waits for their finalizers, then its path is gone', async () => {
  await using cluster = await withShips();
  await cluster.send('POST', ships, { body: ship('anna') });
  const held = ship('held');
  if (isObject(held['metadata'])) held['metadata']['finalizers'] = ['x.io/f'];
  await cluster.send('POST', ships, { body: held });
  const deleted = await cluster.send('DELETE', `${definitions}/ships.sea.example`);
  assert.deepEqual(getPath(deleted.body, 'metadata', 'finalizers'), ['customresourcecleanup.apiextensions.k8s.io']);
  await cluster.watch(`${ships}?watch=true`, (all) =>
    all.some((event) => getString(event, 'object', 'metadata', 'deletionTimestamp') !== undefined),
  );
  const gone = cluster.watch(`${definitions}?watch=true`, (all) => all.some((event) => event['type'] === 'DELETED'));
  await cluster.send('PATCH', `${ships}/held`, {
    body: { metadata: { finalizers: null } },
    type: 'application/merge-patch+json',
  });
  await gone;
  const answer = await cluster.send('GET', ships);
  assert.deepEqual([answer.code, answer.text], [404, '404 page not found\n']);
});

test('a second definition with a name of the first waits until it is free', async () => {
  await using cluster = await withShips();
  await cluster.send('POST', definitions, { body: definition('boats', 'Ship') });
  const waiting = await settled(cluster, 'boats.sea.example');
  assert.equal(condition(waiting, 'NamesAccepted'), 'False ListKindConflict: "ShipList" is already in use');
  assert.equal((await cluster.send('GET', '/apis/sea.example/v1/boats')).code, 404);
  const accepted = cluster.watch(`${definitions}?watch=true`, (all) =>
    all.some((event) => {
      const object = getObject(event, 'object');
      return (
        getString(object, 'metadata', 'name') === 'boats.sea.example' &&
        condition(object, 'Established').startsWith('True')
      );
    }),
  );
  await cluster.send('DELETE', `${definitions}/ships.sea.example`);
  await accepted;
  assert.equal((await cluster.send('GET', '/apis/sea.example/v1/boats')).code, 200);
});

test('definitions and their objects are served again after a restart', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'drydock-crd-'));
  try {
    const first = await withShips({}, dataDir);
    await first.send('POST', ships, { body: ship('anna') });
    await first[Symbol.asyncDispose]();
    await using second = await testCluster({ dataDir });
    assert.equal(getPath((await second.send('GET', `${ships}/anna`)).body, 'spec', 'port'), 'Kiel');
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
});
