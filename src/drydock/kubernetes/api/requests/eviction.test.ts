import assert from 'node:assert/strict';
import { test } from 'node:test';
import { getPath, getString } from '#base/json.ts';
import { type TestCluster, testCluster } from '../api-fixture.test.ts';

const pods = '/api/v1/namespaces/default/pods';
const budgets = '/apis/policy/v1/namespaces/default/poddisruptionbudgets';

async function readyPod(cluster: TestCluster, name: string): Promise<void> {
  const spec = { containers: [{ name: 'c', image: 'x:1' }] };
  const made = await cluster.send('POST', pods, {
    body: { apiVersion: 'v1', kind: 'Pod', metadata: { name, labels: { app: 'a' } }, spec },
  });
  assert.equal(made.code, 201);
  await status(cluster, `${pods}/${name}`, {
    phase: 'Running',
    conditions: [{ type: 'Ready', status: 'True' }],
  });
}

async function status(cluster: TestCluster, path: string, value: unknown): Promise<void> {
  const type = 'application/merge-patch+json';
  assert.equal((await cluster.send('PATCH', `${path}/status`, { type, body: { status: value } })).code, 200);
}

function evict(cluster: TestCluster, name: string, query = '') {
  return cluster.send('POST', `${pods}/${name}/eviction${query}`, {
    body: { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name } },
  });
}

test('an eviction deletes a pod; a budget that allows no disruption holds it with 429', async () => {
  await using cluster = await testCluster();
  for (const name of ['a', 'b', 'c']) await readyPod(cluster, name);
  assert.equal((await evict(cluster, 'a')).code, 201);
  assert.equal((await cluster.send('GET', `${pods}/a`)).code, 404);
  const made = await cluster.send('POST', budgets, {
    body: {
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: { name: 'app' },
      spec: { minAvailable: 1, selector: { matchLabels: { app: 'a' } } },
    },
  });
  assert.equal(made.code, 201);
  const early = await evict(cluster, 'b');
  assert.deepEqual(
    [early.code, getPath(early.body, 'details', 'causes', 0, 'message')],
    [429, 'The disruption budget app is still being processed by the server.'],
  );
  const counts = { observedGeneration: 1, currentHealthy: 2, desiredHealthy: 1, expectedPods: 2 };
  await status(cluster, `${budgets}/app`, { ...counts, disruptionsAllowed: 1 });
  assert.equal((await evict(cluster, 'b', '?dryRun=All')).code, 201);
  assert.equal((await cluster.send('GET', `${pods}/b`)).code, 200);
  assert.equal((await evict(cluster, 'b')).code, 201);
  const budget = (await cluster.send('GET', `${budgets}/app`)).body;
  assert.equal(getPath(budget, 'status', 'disruptionsAllowed'), 0);
  assert.deepEqual(Object.keys(Object(getPath(budget, 'status', 'disruptedPods'))), ['b']);
  const held = await evict(cluster, 'c');
  assert.deepEqual(
    [held.code, getString(held.body, 'reason'), getString(held.body, 'message')],
    [429, 'TooManyRequests', "Cannot evict pod as it would violate the pod's disruption budget."],
  );
  assert.equal(
    getPath(held.body, 'details', 'causes', 0, 'message'),
    'The disruption budget app needs 1 healthy pods and has 2 currently',
  );
  const other = await cluster.send('POST', `${pods}/c/eviction`, { body: { metadata: { name: 'x' } } });
  assert.deepEqual([other.code, other.body['message']], [400, 'name in URL does not match name in Eviction object']);
});
