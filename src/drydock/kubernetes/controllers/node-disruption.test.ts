import assert from 'node:assert/strict';
import { test } from 'node:test';
import { getArray, getString } from '#base/json.ts';
import { silentLogger } from '#base/log.ts';
import { testClock, testEntropy } from '../../../../test/clock.ts';
import { testCluster } from '../api/api-fixture.test.ts';
import type { ApiObject } from '../api/port.ts';
import { startControllers } from './start.ts';

const timing = { graceMs: 60_000, startupGraceMs: 20, orphanMs: 10_000 };

function effects(node: ApiObject | undefined): string[] {
  return getArray(node, 'spec', 'taints')
    .map((taint) => `${getString(taint, 'key')}:${getString(taint, 'effect')}`)
    .sort();
}

async function eventually(what: string, holds: () => boolean): Promise<void> {
  for (let tries = 0; !holds(); tries += 1) {
    assert.ok(tries < 500, what);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

test('where no node is ready nobody is driven out; as soon as one is, the others are', async () => {
  await using cluster = await testCluster();
  const { api } = cluster.server;
  await api.create({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'silent' } }, 'test');
  const containers = [{ name: 'c', image: 'x:1' }];
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p', namespace: 'default' } };
  await api.create({ ...pod, spec: { nodeName: 'silent', containers, tolerations: [] } }, 'test');
  await using _loops = startControllers(
    { api, clock: testClock, entropy: testEntropy, logger: silentLogger },
    { caCertificate: '', volumesDir: '/nowhere', selection: ['node-lifecycle'], nodeLifecycle: timing },
  );
  const silent = (): ApiObject | undefined => api.get('nodes', undefined, 'silent');
  await eventually('the node is known to be silent', () =>
    effects(silent()).includes('node.kubernetes.io/unreachable:NoSchedule'),
  );
  assert.deepEqual(effects(silent()), ['node.kubernetes.io/unreachable:NoSchedule']);
  assert.equal(api.get('pods', 'default', 'p')?.metadata.deletionTimestamp, undefined);
  const well = await api.create({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'well' } }, 'test');
  const conditions = [{ type: 'Ready', status: 'True' }];
  await api.updateStatus({ ...well, status: { ...Object(well['status']), conditions } }, 'test');
  await eventually('the silent one drives its pods out', () =>
    effects(silent()).includes('node.kubernetes.io/unreachable:NoExecute'),
  );
});
