import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { getArray, getPath, getString } from '#base/json.ts';
import { type TestCluster, testCluster } from '../api-fixture.test.ts';
import type { UsageReport } from '../port.ts';

const at = Date.UTC(2026, 4, 1, 12, 0, 0);
const mebibyte = 1024 * 1024;
const report: UsageReport = {
  at,
  windowMs: 15_000,
  nodes: [{ name: 'drydock', labels: { zone: 'here' }, cpuNanoCores: 1_500_000_000, memoryBytes: 512 * mebibyte }],
  pods: [
    {
      namespace: 'default',
      name: 'web-1',
      labels: { app: 'web' },
      containers: [
        { name: 'app', cpuNanoCores: 250_400_000, memoryBytes: 30 * mebibyte },
        { name: 'sidecar', cpuNanoCores: 0, memoryBytes: 2 * mebibyte },
      ],
    },
    { namespace: 'jobs', name: 'report', labels: { app: 'report' }, containers: [] },
  ],
};

const root = '/apis/metrics.k8s.io/v1beta1';
let cluster: TestCluster;

before(async () => {
  cluster = await testCluster();
});
after(() => cluster[Symbol.asyncDispose]());

test('without a node that measures there is no such group', async () => {
  assert.equal((await cluster.send('GET', `${root}/nodes`)).text, '404 page not found\n');
  const top = await cluster.kubectl('top', 'pods');
  assert.match(top.err, /Metrics API not available/);
});

test('kubectl top shows what the node measured', async () => {
  await using own = await testCluster();
  own.server.setNodeUsage({ read: async () => report });
  const capacity = { cpu: '4', memory: '2Gi' };
  const node = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'drydock', labels: { zone: 'here' } } };
  await own.send('POST', '/api/v1/nodes', { body: { ...node, status: { capacity, allocatable: capacity } } });
  const nodes = await own.kubectl('top', 'nodes');
  assert.deepEqual(rows(nodes.out), ['NAME CPU(cores) CPU(%) MEMORY(bytes) MEMORY(%)', 'drydock 1500m 37% 512Mi 25%']);
  const pods = await own.kubectl('top', 'pods', '--containers');
  assert.deepEqual(rows(pods.out), [
    'POD NAME CPU(cores) MEMORY(bytes)',
    'web-1 app 251m 30Mi',
    'web-1 sidecar 0m 2Mi',
  ]);
  const listed = await own.kubectl('api-resources', '--api-group', 'metrics.k8s.io', '--no-headers');
  assert.deepEqual(rows(listed.out), [
    'nodes metrics.k8s.io/v1beta1 false NodeMetrics',
    'pods metrics.k8s.io/v1beta1 true PodMetrics',
  ]);
});

test('one, all, those of a namespace, those with a label; nothing to write or to watch', async () => {
  await using own = await testCluster();
  own.server.setNodeUsage({ read: async () => report });
  const names = async (path: string): Promise<unknown[]> =>
    getArray((await own.send('GET', root + path)).body, 'items').map((item) => getString(item, 'metadata', 'name'));
  assert.deepEqual(await names('/pods'), ['web-1', 'report']);
  assert.deepEqual(await names('/namespaces/jobs/pods'), ['report']);
  assert.deepEqual(await names('/pods?labelSelector=app%3Dweb'), ['web-1']);
  assert.deepEqual(await names('/nodes?labelSelector=zone%21%3Dhere'), []);
  const one = await own.send('GET', `${root}/namespaces/default/pods/web-1`);
  assert.deepEqual(one.body, {
    kind: 'PodMetrics',
    apiVersion: 'metrics.k8s.io/v1beta1',
    metadata: {
      name: 'web-1',
      namespace: 'default',
      creationTimestamp: '2026-05-01T12:00:00Z',
      labels: { app: 'web' },
    },
    timestamp: '2026-05-01T12:00:00Z',
    window: '15s',
    containers: [
      { name: 'app', usage: { cpu: '250400000n', memory: '30720Ki' } },
      { name: 'sidecar', usage: { cpu: '0', memory: '2048Ki' } },
    ],
  });
  const missing = await own.send('GET', `${root}/namespaces/default/pods/none`);
  assert.equal(getPath(missing.body, 'message'), 'pods.metrics.k8s.io "none" not found');
  for (const [method, path, code] of [
    ['POST', '/nodes', 405],
    ['GET', '/pods?watch=true', 405],
    ['GET', '/namespaces/default/nodes', 404],
    ['GET', '/pods?fieldSelector=metadata.name%3Dx', 400],
    ['GET', '/services', 404],
  ] as const)
    assert.equal((await own.send(method, root + path, method === 'POST' ? { body: {} } : {})).code, code, path);
});

function rows(out: string): string[] {
  return out
    .trim()
    .split('\n')
    .map((line) => line.trim().replace(/\s+/g, ' '));
}
