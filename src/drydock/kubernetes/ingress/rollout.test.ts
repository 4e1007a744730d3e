import assert from 'node:assert/strict';
import { Agent, request } from 'node:http';
import { test } from 'node:test';
import { getNumber } from '#base/json.ts';
import { ingressObject } from '../../../../test/ingress-world.ts';
import { eventually, startWorld, type TestImage } from '../../../../test/node-world.ts';
import type { ApiObject } from '../api/port.ts';

const server = `
require('node:http')
  .createServer((q, r) => { setTimeout(() => r.end(process.env.VERSION), 5); })
  .listen(Number(process.env.PORT), '127.0.0.1');
`;

function image(version: string): TestImage {
  return {
    files: { 'app/server.js': server },
    config: { Cmd: ['node', '/app/server.js'], Env: [`VERSION=${version}`] },
  };
}

function deployment(version: string): ApiObject {
  const labels = { app: 'web' };
  const container = {
    name: 'web',
    image: `shop/web:${version}`,
    ports: [{ name: 'http', containerPort: 8080 }],
    readinessProbe: { httpGet: { path: '/', port: 'http' }, periodSeconds: 1 },
  };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: 'default' },
    spec: {
      replicas: 2,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [container] } },
    },
  };
}

function get(port: number, agent: Agent): Promise<string> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ host: '127.0.0.1', port, agent, headers: { host: 'shop.test' } }, async (response) => {
      let text = '';
      for await (const chunk of response) text += chunk;
      resolve(`${response.statusCode} ${text}`);
    });
    outgoing.on('error', reject);
    outgoing.end();
  });
}

test('a rolling update of pods behind an Ingress loses no request, also not on kept-alive connections', async () => {
  await using world = await startWorld({ 'shop/web:1': image('1'), 'shop/web:2': image('2') });
  const { api, agent: node } = world;
  const port = node.ingressPorts?.http ?? 0;
  await api.create(
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'web', namespace: 'default' },
      spec: { selector: { app: 'web' }, ports: [{ port: 80, targetPort: 'http' }] },
    },
    'test',
  );
  await api.create(ingressObject('web'), 'test');
  await api.create(deployment('1'), 'test');
  const available = (version: string) =>
    eventually(`version ${version}`, () => {
      const found = api.get('deployments.apps', 'default', 'web');
      const status = found?.['status'];
      return (
        getNumber(status, 'observedGeneration') === found?.metadata.generation &&
        getNumber(status, 'updatedReplicas') === 2 &&
        getNumber(status, 'availableReplicas') === 2 &&
        api.list('pods').length === 2
      );
    });
  await available('1');
  const client = new Agent({ keepAlive: true, maxSockets: 3 });
  const seen: Record<string, number> = {};
  let asking = true;
  const ask = async (): Promise<void> => {
    while (asking) {
      const answer = await get(port, client).catch((error: unknown) => String(error));
      seen[answer] = (seen[answer] ?? 0) + 1;
    }
  };
  const askers = [ask(), ask(), ask()];
  await api.update({ ...deployment('2'), metadata: { name: 'web', namespace: 'default' } }, 'test');
  await available('2');
  asking = false;
  await Promise.all(askers);
  client.destroy();
  assert.deepEqual(Object.keys(seen).sort(), ['200 1', '200 2'], JSON.stringify(seen));
});
