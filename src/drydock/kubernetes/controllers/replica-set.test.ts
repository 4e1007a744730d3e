import assert from 'node:assert/strict';
import { test } from 'node:test';
import { getArray, getNumber, getObject, getPath, isObject } from '#base/json.ts';
import { silentLogger } from '#base/log.ts';
import { testClock, testEntropy } from '../../../../test/clock.ts';
import { testCluster } from '../api/api-fixture.test.ts';
import { startControllers } from './start.ts';

const controllers = '/api/v1/namespaces/default/replicationcontrollers';
const template = { metadata: { labels: { app: 'a' } }, spec: { containers: [{ name: 'c', image: 'x:1' }] } };

async function running() {
  const cluster = await testCluster();
  const loops = startControllers(
    { api: cluster.server.api, clock: testClock, entropy: testEntropy, logger: silentLogger },
    { caCertificate: '', volumesDir: '/nowhere', selection: ['replication-controller', 'garbage-collector'] },
  );
  return {
    ...cluster,
    async [Symbol.asyncDispose]() {
      await loops[Symbol.asyncDispose]();
      await cluster[Symbol.asyncDispose]();
    },
  };
}

test('a ReplicationController keeps its number of pods, adopts, and writes nothing once it is content', async () => {
  await using cluster = await running();
  const { server, send, watch } = cluster;
  const orphan = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'orphan', labels: { app: 'a' } } };
  assert.equal(
    (
      await send('POST', '/api/v1/namespaces/default/pods', {
        body: { ...orphan, ...template, metadata: orphan.metadata },
      })
    ).code,
    201,
  );
  const made = await send('POST', controllers, {
    body: { apiVersion: 'v1', kind: 'ReplicationController', metadata: { name: 'a' }, spec: { replicas: 3, template } },
  });
  assert.deepEqual([made.code, getPath(made.body, 'spec', 'selector')], [201, { app: 'a' }]);
  const reached = (replicas: number) => (events: Record<string, unknown>[]) =>
    events.some((event) => getNumber(event, 'object', 'status', 'replicas') === replicas);
  await watch(`${controllers}?watch=1`, reached(3));
  const owners = server.api
    .list('pods', { namespace: 'default' })
    .map((pod) => pod.metadata.ownerReferences?.[0]?.kind);
  assert.deepEqual(owners, ['ReplicationController', 'ReplicationController', 'ReplicationController']);
  assert.ok(server.api.get('pods', 'default', 'orphan'));
  const scaled = await send('PATCH', `${controllers}/a/scale`, {
    type: 'application/merge-patch+json',
    body: { spec: { replicas: 1 } },
  });
  assert.deepEqual(getObject(scaled.body, 'spec'), { replicas: 1 });
  await watch(`${controllers}?watch=1`, reached(1));
  const before = (await send('GET', controllers)).body;
  const touched = await send('PATCH', `${controllers}/a`, {
    type: 'application/merge-patch+json',
    body: { metadata: { annotations: { seen: 'yes' } } },
  });
  assert.equal(touched.code, 200);
  const after = (await send('GET', controllers)).body;
  assert.equal(
    Number(getPath(after, 'metadata', 'resourceVersion')) - Number(getPath(before, 'metadata', 'resourceVersion')),
    1,
  );
  assert.equal(getArray(after, 'items').filter(isObject).length, 1);
});
