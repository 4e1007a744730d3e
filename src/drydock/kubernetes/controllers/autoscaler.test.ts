import assert from 'node:assert/strict';
import { test } from 'node:test';
import { getArray, getNumber, getPath, getString } from '#base/json.ts';
import { silentLogger } from '#base/log.ts';
import { testClock, testEntropy } from '../../../../test/clock.ts';
import { eventually } from '../../../../test/node-world.ts';
import type { ApiObject, UsageReport } from '../api/port.ts';
import { startApiServer } from '../api/server.ts';
import { createTypeRegistry } from '../types/registry.ts';
import { startControllers } from './start.ts';

const metadata = { name: 'web', namespace: 'default' };
const labels = { app: 'web' };
const deployment: ApiObject = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata,
  spec: {
    replicas: 2,
    selector: { matchLabels: labels },
    template: {
      metadata: { labels },
      spec: { containers: [{ name: 'app', image: 'x:1', resources: { requests: { cpu: '100m' } } }] },
    },
  },
};

function autoscaler(target: string): ApiObject {
  return {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata,
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: target },
      maxReplicas: 5,
      metrics: [
        { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } } },
      ],
    },
  };
}

async function world() {
  const base = { clock: testClock, entropy: testEntropy, logger: silentLogger };
  const server = await startApiServer({ ...base, types: createTypeRegistry(), dataDir: undefined });
  const { api } = server;
  const controllers = startControllers(
    { api, ...base },
    {
      caCertificate: server.caPem,
      volumesDir: '/nowhere',
      autoscaler: { everyMs: 40 },
      selection: ['*', '-scheduler'],
    },
  );
  const conditions = (): Record<string, string> =>
    Object.fromEntries(
      getArray(api.get('horizontalpodautoscalers.autoscaling', 'default', 'web'), 'status', 'conditions').map(
        (item) => [getString(item, 'type') ?? '', `${getString(item, 'status')} ${getString(item, 'reason')}`],
      ),
    );
  return {
    server,
    api,
    conditions,
    async [Symbol.asyncDispose]() {
      await controllers[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

test('a busy deployment grows through its scale, and the status says so; then it is quiet', async () => {
  await using cluster = await world();
  const { api, server, conditions } = cluster;
  let milli = 100;
  server.setNodeUsage({
    async read(): Promise<UsageReport> {
      const pods = api.list('pods').map((pod) => ({
        namespace: 'default',
        name: pod.metadata.name,
        labels: {},
        containers: [{ name: 'app', cpuNanoCores: milli * 1e6, memoryBytes: 1 }],
      }));
      return { at: testClock.now(), windowMs: 1000, nodes: [], pods };
    },
  });
  await api.create(deployment, 'test');
  await eventually('two pods', () => api.list('pods').length === 2);
  const startTime = new Date(testClock.now() - 600_000).toISOString();
  const ready = async (): Promise<void> => {
    const conditions = [{ type: 'Ready', status: 'True', lastTransitionTime: startTime }];
    const patch = { status: { phase: 'Running', startTime, conditions } };
    for (const { metadata } of api.list('pods'))
      await api.mergePatch('pods', 'default', metadata.name, patch, { manager: 'kubelet', subresource: 'status' });
  };
  await ready();
  await api.create(autoscaler('web'), 'test');
  await eventually(
    'four replicas',
    () => getNumber(api.get('deployments.apps', 'default', 'web'), 'spec', 'replicas') === 4,
  );
  const event = await eventually('the event of the change', () =>
    api.list('events').find((one) => getString(one, 'reason') === 'SuccessfulRescale'),
  );
  assert.equal(
    getString(event, 'message'),
    'New size: 4; reason: cpu resource utilization (percentage of request) above target',
  );
  const owners = api.get('deployments.apps', 'default', 'web')?.metadata.managedFields ?? [];
  assert.ok(
    owners.some(({ subresource }) => subresource === 'scale'),
    'written through scale',
  );
  milli = 50;
  await eventually('four pods', () => api.list('pods').length === 4);
  await ready();
  const status = (): unknown => getPath(api.get('horizontalpodautoscalers.autoscaling', 'default', 'web'), 'status');
  await eventually(
    'a calm status',
    () =>
      conditions()['AbleToScale'] === 'True ReadyForNewScale' &&
      getNumber(status(), 'currentReplicas') === 4 &&
      getNumber(getArray(status(), 'currentMetrics')[0], 'resource', 'current', 'averageUtilization') === 50,
  );
  assert.deepEqual(conditions(), {
    AbleToScale: 'True ReadyForNewScale',
    ScalingActive: 'True ValidMetricFound',
    ScalingLimited: 'False DesiredWithinRange',
  });
  let writes = 0;
  const stop = api.onChange('horizontalpodautoscalers.autoscaling', () => {
    writes += 1;
  });
  await new Promise((resolve) => setTimeout(resolve, 200));
  stop();
  assert.equal(writes, 0, 'nothing changes, nothing is written');
});

test('a target that is not there, and a cluster where nobody measures', async () => {
  await using cluster = await world();
  const { api, conditions } = cluster;
  await api.create(autoscaler('nothing'), 'test');
  await eventually('the failure', () => conditions()['AbleToScale'] === 'False FailedGetScale');
  await api.create({ ...deployment, metadata: { ...metadata, name: 'nothing' } }, 'test');
  await eventually('the next failure', () => conditions()['ScalingActive'] === 'False FailedGetResourceMetric');
  assert.equal(conditions()['AbleToScale'], 'True SucceededGetScale');
});
