import assert from 'node:assert/strict';
import { test } from 'node:test';
import { getNumber, getString } from '#base/json.ts';
import { eventually, startWorld, type TestImage } from '../../../../test/node-world.ts';
import type { ApiObject } from '../api/port.ts';
import { isPodReady } from '../controllers/pod-state.ts';

const server = `
const http = require('node:http');
const version = process.env.VERSION ?? 'none';
const s = http.createServer((q, r) => { setTimeout(() => r.end(version + ' ' + process.pid), 5); });
s.listen(Number(process.env.PORT), '127.0.0.1', () => console.log('listening', version));
process.on('SIGTERM', () => { s.close(() => process.exit(0)); s.closeIdleConnections(); });
`;

const images: Record<string, TestImage> = {
  'shop/web:1': {
    files: { 'app/server.js': server },
    config: { Cmd: ['node', '/app/server.js'], WorkingDir: '/app', Env: ['VERSION=1'] },
  },
  'shop/web:2': {
    files: { 'app/server.js': server },
    config: { Cmd: ['node', 'server.js'], WorkingDir: '/app', Env: ['VERSION=2'] },
  },
};

function deployment(image: string, replicas: number): ApiObject {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: 'default' },
    spec: {
      replicas,
      selector: { matchLabels: { app: 'web' } },
      template: {
        metadata: { labels: { app: 'web' } },
        spec: {
          containers: [
            {
              name: 'web',
              image,
              ports: [{ name: 'http', containerPort: 8080 }],
              readinessProbe: { httpGet: { path: '/', port: 'http' }, periodSeconds: 1 },
            },
          ],
        },
      },
    },
  };
}

function service(): ApiObject {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web', namespace: 'default' },
    spec: { type: 'NodePort', selector: { app: 'web' }, ports: [{ name: 'http', port: 80, targetPort: 'http' }] },
  };
}

test('a deployment serves over its node port and a rolling update loses no request', async () => {
  await using world = await startWorld(images);
  const { api } = world;
  await api.create(service(), 'test');
  await api.create(deployment('shop/web:1', 2), 'test');
  await eventually('two available pods', () => {
    const status = api.get('deployments.apps', 'default', 'web')?.['status'];
    return getNumber(status, 'availableReplicas') === 2 && getNumber(status, 'observedGeneration') === 1;
  });
  const port = getNumber(api.get('services', 'default', 'web'), 'spec', 'ports', 0, 'nodePort') ?? 0;
  const url = `http://127.0.0.1:${port}/`;
  assert.match(await (await fetch(url)).text(), /^1 \d+$/);
  const seen = new Set<string>();
  const failures: unknown[] = [];
  let asking = true;
  let asked = 0;
  const ask = async (): Promise<void> => {
    while (asking) {
      asked += 1;
      try {
        const response = await fetch(url);
        seen.add((await response.text()).split(' ')[0] ?? '');
      } catch (error) {
        failures.push(error);
      }
    }
  };
  const askers = [ask(), ask(), ask()];
  const current = api.get('deployments.apps', 'default', 'web');
  assert.ok(current);
  await api.update({ ...deployment('shop/web:2', 2), metadata: { ...current.metadata } }, 'test');
  await eventually('the rollout to complete', () => {
    const found = api.get('deployments.apps', 'default', 'web');
    const status = found?.['status'];
    return (
      getNumber(status, 'observedGeneration') === found?.metadata.generation &&
      getNumber(status, 'updatedReplicas') === 2 &&
      getNumber(status, 'availableReplicas') === 2 &&
      getNumber(status, 'replicas') === 2 &&
      api.list('pods').length === 2
    );
  });
  asking = false;
  await Promise.all(askers);
  assert.deepEqual(failures, []);
  assert.deepEqual([...seen].sort(), ['1', '2']);
  assert.match(await (await fetch(url)).text(), /^2 /);
  assert.ok(asked > 20, `${asked} requests`);
  const pods = api.list('pods');
  assert.ok(pods.every(isPodReady));
  assert.equal(getString(pods[0], 'status', 'containerStatuses', 0, 'imageID'), `shop/web@sha256:${'a'.repeat(64)}`);
});
