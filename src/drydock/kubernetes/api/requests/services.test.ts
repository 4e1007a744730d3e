import assert from 'node:assert/strict';
import { test } from 'node:test';
import { getArray, getNumber, getObject, getPath, getString, type JsonObject } from '#base/json.ts';
import { testCluster } from '../api-fixture.test.ts';

const services = '/api/v1/namespaces/default/services';
const service = (name: string, spec: JsonObject): JsonObject => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name },
  spec: { selector: { app: name }, ports: [{ port: 80 }], ...spec },
});

test('Services get a cluster IP of their own and keep it', async () => {
  await using cluster = await testCluster();
  const one = await cluster.send('POST', services, { body: service('one', {}) });
  const two = await cluster.send('POST', services, { body: service('two', {}) });
  const ip = getString(one.body, 'spec', 'clusterIP') ?? '';
  assert.match(ip, /^10\.96\.\d+\.\d+$/);
  assert.notEqual(getPath(two.body, 'spec', 'clusterIP'), ip);
  assert.deepEqual(getPath(one.body, 'spec', 'clusterIPs'), [ip]);
  const replaced = await cluster.send('PUT', `${services}/one`, { body: service('one', {}) });
  assert.equal(getPath(replaced.body, 'spec', 'clusterIP'), ip);
  const taken = await cluster.send('POST', services, { body: service('three', { clusterIP: ip }) });
  assert.equal(
    getString(taken.body, 'message'),
    `Service "three" is invalid: spec.clusterIPs: Invalid value: ["${ip}"]: failed to allocate IP ${ip}: provided IP is already allocated`,
  );
  await cluster.send('DELETE', `${services}/one`);
  assert.equal((await cluster.send('POST', services, { body: service('four', { clusterIP: ip }) })).code, 201);
});

test('headless and external Services get none', async () => {
  await using cluster = await testCluster();
  const headless = await cluster.send('POST', services, { body: service('headless', { clusterIP: 'None' }) });
  assert.deepEqual(getPath(headless.body, 'spec', 'clusterIPs'), ['None']);
  const external = await cluster.send('POST', services, {
    body: service('external', { type: 'ExternalName', externalName: 'example.com' }),
  });
  assert.equal(getPath(external.body, 'spec', 'clusterIP'), undefined);
});

test('node ports are free ones, one Service each, and stay', async () => {
  const asked: number[] = [];
  await using cluster = await testCluster({
    isPortFree: async (port) => {
      asked.push(port);
      return port !== 30_000;
    },
  });
  const spec = {
    type: 'NodePort',
    ports: [
      { name: 'a', port: 80 },
      { name: 'b', port: 81 },
    ],
  };
  const one = await cluster.send('POST', services, { body: service('one', spec) });
  const ports = (body: JsonObject): unknown[] => [0, 1].map((n) => getPath(body, 'spec', 'ports', n, 'nodePort'));
  assert.deepEqual(ports(one.body), [30_001, 30_002]);
  assert.ok(asked.includes(30_000));
  const replaced = await cluster.send('PUT', `${services}/one`, { body: service('one', spec) });
  assert.deepEqual(ports(replaced.body), [30_001, 30_002]);
  const both = await Promise.all(
    ['two', 'three'].map((name) => cluster.send('POST', services, { body: service(name, { type: 'NodePort' }) })),
  );
  assert.deepEqual(both.map(({ body }) => getPath(body, 'spec', 'ports', 0, 'nodePort')).sort(), [30_003, 30_004]);
  const clash = await cluster.send('POST', services, {
    body: service('four', { type: 'NodePort', ports: [{ port: 80, nodePort: 30_001 }] }),
  });
  assert.equal(
    getString(clash.body, 'message'),
    'Service "four" is invalid: spec.ports[0].nodePort: Invalid value: 30001: provided port is already allocated',
  );
  const outside = await cluster.send('POST', services, {
    body: service('five', { type: 'NodePort', ports: [{ port: 80, nodePort: 80 }] }),
  });
  assert.match(
    getString(outside.body, 'message') ?? '',
    /provided port is not in the valid range\. The range of valid ports is 30000-32767$/,
  );
});

test('the Service of the API server is there', async () => {
  await using cluster = await testCluster();
  const found = await cluster.send('GET', `${services}/kubernetes`);
  assert.equal(getPath(found.body, 'spec', 'clusterIP'), '10.96.0.1');
});

test('who hears of a new Service can write to it at once, while its node port is still being given', async () => {
  await using cluster = await testCluster();
  const { api } = cluster.server;
  const written: Promise<unknown>[] = [];
  const stop = api.onChange('services', ({ type, object }) => {
    if (type === 'ADDED') written.push(api.updateStatus({ ...object, status: { loadBalancer: {} } }, 'test'));
  });
  const made = await Promise.all(
    ['a', 'b', 'c', 'd'].map((name) =>
      cluster.send('POST', services, { body: service(name, { type: 'LoadBalancer' }) }),
    ),
  );
  assert.deepEqual(
    made.map(({ code }) => code),
    [201, 201, 201, 201],
  );
  for (let tries = 0; written.length < 4 && tries < 100; tries += 1)
    await new Promise((resolve) => setTimeout(resolve, 10));
  stop();
  const results = await Promise.allSettled(written);
  assert.deepEqual(
    results.map(({ status }) => status),
    ['fulfilled', 'fulfilled', 'fulfilled', 'fulfilled'],
  );
});

test('a Service of another type gives back what was of the old one', async () => {
  await using cluster = await testCluster();
  const path = '/api/v1/namespaces/default/services';
  const spec = { type: 'LoadBalancer', selector: { app: 'x' }, ports: [{ port: 80 }] };
  const service = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'turn' }, spec };
  assert.equal((await cluster.send('POST', path, { body: service })).code, 201);
  const turn = async (change: JsonObject) => {
    const sent = { type: 'application/merge-patch+json', body: { spec: change } };
    const { code, body } = await cluster.send('PATCH', `${path}/turn`, sent);
    assert.equal(code, 200, JSON.stringify(body));
    return getObject(body, 'spec');
  };
  const inside = await turn({ type: 'ClusterIP' });
  const [port] = getArray(inside, 'ports');
  assert.deepEqual(
    [getNumber(port, 'nodePort'), inside['externalTrafficPolicy'], inside['allocateLoadBalancerNodePorts']],
    [undefined, undefined, undefined],
  );
  assert.match(String(inside['clusterIP']), /^10\.96\./);
  const outside = await turn({ type: 'ExternalName', externalName: 'example.com' });
  assert.deepEqual(
    [outside['clusterIP'], outside['clusterIPs'], outside['ipFamilies']],
    [undefined, undefined, undefined],
  );
  const again = await turn({ type: 'NodePort', externalName: null });
  assert.ok((getNumber(getArray(again, 'ports')[0], 'nodePort') ?? 0) >= 30_000);
  const asked = { type: 'ClusterIP', ports: [{ port: 80, nodePort: 30_999 }] };
  const sent = { type: 'application/merge-patch+json', body: { spec: asked } };
  assert.equal((await cluster.send('PATCH', `${path}/turn`, sent)).code, 422);
});
