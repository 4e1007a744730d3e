import assert from 'node:assert/strict';
import { test } from 'node:test';
import { getArray, getString } from '#base/json.ts';
import { configMap, configMaps, testCluster } from '../api-fixture.test.ts';

// Around the size from which lists are sent piece by piece.
for (const count of [30, 36, 37, 38, 39, 60])
  test(`a list of ${count} objects of 3.5 kB holds every one of them`, async () => {
    await using cluster = await testCluster();
    const names = Array.from({ length: count }, (_, index) => `c${String(index).padStart(3, '0')}`);
    for (const name of names)
      await cluster.send('POST', configMaps, { body: configMap(name, { a: 'x'.repeat(3500) }) });
    for (const query of ['', '?limit=500']) {
      const { body } = await cluster.send('GET', configMaps + query);
      const found = getArray(body, 'items').map((item) => getString(item, 'metadata', 'name'));
      assert.deepEqual(found, names);
    }
  });

test('a watch that begins where other kinds have gone on costs nothing while it waits', async () => {
  await using cluster = await testCluster();
  const { body } = await cluster.send('GET', configMaps);
  const revision = getString(body, 'metadata', 'resourceVersion') ?? '';
  const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' } };
  await cluster.send('POST', '/api/v1/namespaces/default/secrets', { body: secret });
  const path = `${configMaps}?watch=true&resourceVersion=${revision}`;
  const watching = cluster.watch(path, (events) => events.length === 1);
  await new Promise((resolve) => setTimeout(resolve, 50));
  // A turn that finds nothing to do waits for a timer; one that finds work comes back at once.
  const before = performance.eventLoopUtilization();
  await new Promise((resolve) => setTimeout(resolve, 300));
  const { active } = performance.eventLoopUtilization(before);
  assert(active < 150, `the loop was busy for ${Math.round(active)} of 300 ms`);
  await cluster.send('POST', configMaps, { body: configMap('late') });
  assert.equal((await watching).length, 1);
});
