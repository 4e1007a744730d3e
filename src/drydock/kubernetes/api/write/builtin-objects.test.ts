import assert from 'node:assert/strict';
import { test } from 'node:test';
import { getPath } from '#base/json.ts';
import { ManualClock } from '../../../../../test/clock.ts';
import { testCluster } from '../api-fixture.test.ts';

const service = '/api/v1/namespaces/default/services/kubernetes';
const leases = '/api/v1/namespaces/kube-node-lease';

test('deleted built-in objects come back, and what is there is not written again', async () => {
  const clock = new ManualClock(Date.now());
  await using cluster = await testCluster({ clock });
  const uidOf = async (path: string): Promise<unknown> =>
    getPath((await cluster.send('GET', path)).body, 'metadata', 'uid');
  const comesBack = async (name: string, kind: string): Promise<void> => {
    const events = await cluster.watch(`/api/v1/${kind}?watch=true`, (seen) =>
      seen.some((event) => getPath(event, 'object', 'metadata', 'name') === name),
    );
    assert.equal(events.at(-1)?.['type'], 'ADDED');
  };
  const first = [await uidOf(service), await uidOf(leases)];

  await cluster.send('DELETE', service);
  await cluster.send('DELETE', leases);
  const finalized = { metadata: { name: 'kube-node-lease' }, spec: { finalizers: [] } };
  assert.equal((await cluster.send('PUT', `${leases}/finalize`, { body: finalized })).code, 200);
  assert.deepEqual([await uidOf(service), await uidOf(leases)], [undefined, undefined]);

  clock.advance(10_000);
  await comesBack('kubernetes', 'services');
  assert.equal(await uidOf(leases), undefined);
  clock.advance(50_000);
  await comesBack('kube-node-lease', 'namespaces');
  const second = [await uidOf(service), await uidOf(leases)];
  assert.equal(new Set([...first, ...second]).size, 4);
  assert.equal(getPath((await cluster.send('GET', service)).body, 'spec', 'clusterIP'), '10.96.0.1');

  const version = async (): Promise<unknown> =>
    getPath((await cluster.send('GET', '/api/v1/services')).body, 'metadata', 'resourceVersion');
  const before = await version();
  clock.advance(60_000);
  await cluster.send('GET', service);
  assert.equal(await version(), before);
});
