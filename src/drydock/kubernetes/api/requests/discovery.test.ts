import assert from 'node:assert/strict';
import { test } from 'node:test';
import { getArray, getObject, getString, isObject, type JsonObject } from '#base/json.ts';
import { testCluster } from '../api-fixture.test.ts';

function named(list: JsonObject, name: string): unknown {
  return getArray(list, 'resources').find((resource) => getString(resource, 'name') === name);
}

test('discovery tells how objects are stored, and kinds of another group as upstream does', async () => {
  await using cluster = await testCluster();
  const core = (await cluster.send('GET', '/api/v1')).body;
  assert.deepEqual(named(core, 'configmaps'), {
    name: 'configmaps',
    singularName: 'configmap',
    namespaced: true,
    kind: 'ConfigMap',
    verbs: ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'],
    shortNames: ['cm'],
    storageVersionHash: 'qFsyl6wFWjQ=',
  });
  const events = (await cluster.send('GET', '/apis/events.k8s.io/v1')).body;
  const hash = (resource: unknown): string | undefined => getString(resource, 'storageVersionHash');
  assert.equal(hash(named(events, 'events')), hash(named(core, 'events')));
  assert.equal(hash(named(core, 'pods/status')), undefined);

  const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';
  const apis = (await cluster.send('GET', '/apis', { accept })).body;
  const groups = getArray(apis, 'items').map((item) => getString(item, 'metadata', 'name') ?? '');
  assert.deepEqual(groups.slice(0, 5), [
    'apps',
    'events.k8s.io',
    'authentication.k8s.io',
    'authorization.k8s.io',
    'autoscaling',
  ]);
  const apps = getArray(getArray(apis, 'items')[0], 'versions')[0];
  const deployments = getArray(apps, 'resources').find((item) => getString(item, 'resource') === 'deployments');
  const kinds = [deployments, ...getArray(deployments, 'subresources')].filter(isObject);
  assert.deepEqual(
    kinds.map((item) => getObject(item, 'responseKind')),
    [
      { group: '', version: '', kind: 'Deployment' },
      { group: 'autoscaling', version: 'v1', kind: 'Scale' },
      { group: '', version: '', kind: 'Deployment' },
    ],
  );
});

test('the root of OpenAPI v3 is not sent again while nothing changed', async () => {
  await using cluster = await testCluster();
  const read = async (since?: string) =>
    cluster.send('GET', '/openapi/v3', since === undefined ? {} : { headers: { 'if-modified-since': since } });
  const first = await read();
  assert.equal(first.code, 200);
  assert.equal((await read('Thu, 01 Jan 1970 00:00:00 GMT')).code, 200);
  assert.equal((await read('not a date')).code, 200);
});
