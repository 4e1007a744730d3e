import assert from 'node:assert/strict';
import { createServer } from 'node:net';
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

/** Knows nothing of SIGTERM, and takes its time. */
const plain = `
require('node:http').createServer((q, r) => { setTimeout(() => r.end('slow'), 250); }).listen(process.env.PORT, '127.0.0.1');
`;
for (const version of ['1', '2'])
  images[`shop/plain:${version}`] = {
    files: { 'app/server.js': plain },
    config: { Cmd: ['node', 'server.js'], WorkingDir: '/app' },
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

test('requests in flight are answered before their pod is ended', async () => {
  await using world = await startWorld(images);
  const { api } = world;
  await api.create(service(), 'test');
  const made = await api.create(deployment('shop/plain:1', 1), 'test');
  await eventually('a pod', () => api.list('pods').some(isPodReady));
  const port = getNumber(api.get('services', 'default', 'web'), 'spec', 'ports', 0, 'nodePort') ?? 0;
  const answers: Promise<string>[] = [];
  const change = api.update(
    { ...deployment('shop/plain:2', 1), metadata: { name: 'web', namespace: 'default' } },
    'test',
  );
  const over = eventually('the rollout', () => {
    const found = api.get('deployments.apps', 'default', 'web');
    const pods = api.list('pods');
    return (
      getNumber(found, 'status', 'observedGeneration') !== made.metadata.generation &&
      pods.length === 1 &&
      pods.every(isPodReady)
    );
  });
  let rolling = true;
  void over.then(() => {
    rolling = false;
  });
  while (rolling) {
    answers.push(fetch(`http://127.0.0.1:${port}/`).then((response) => response.text()));
    await new Promise((resolve) => setTimeout(resolve, 40));
  }
  await change;
  assert.deepEqual(new Set(await Promise.all(answers)), new Set(['slow']));
  assert.ok(answers.length > 5, `${answers.length} requests`);
});

test('a node port that is taken is told on the service, and used when it is free', async () => {
  await using world = await startWorld(images);
  const { api } = world;
  const other = createServer();
  const nodePort = await new Promise<number>((resolve) => {
    const listen = (port: number): void => {
      other.once('error', () => listen(port - 1));
      other.listen(port, '127.0.0.1', () => resolve(port));
    };
    listen(32_700);
  });
  const ports = [{ name: 'http', port: 80, targetPort: 'http', nodePort }];
  await api.create({ ...service(), spec: { type: 'NodePort', selector: { app: 'web' }, ports } }, 'test');
  const event = await eventually('the event', () =>
    api.list('events').find((one) => getString(one, 'reason') === 'PortNotAvailable'),
  );
  assert.match(getString(event, 'message') ?? '', new RegExp(`Cannot listen on 127.0.0.1:${nodePort} for port 80`));
  await api.create(deployment('shop/web:1', 1), 'test');
  other.close();
  const text = await eventually('an answer', () =>
    fetch(`http://127.0.0.1:${nodePort}/`).then(
      (response) => response.text(),
      () => undefined,
    ),
  );
  assert.match(text, /^1 /);
  assert.equal(world.agent.proxyAddress('default', 'web', 81), undefined);
  const address = world.agent.proxyAddress('default', 'web', 80);
  assert.match(await (await fetch(`http://127.0.0.1:${address?.port}/`)).text(), /^1 /);
});
