import assert from 'node:assert/strict';
import { Agent } from 'node:http';
import { test } from 'node:test';
import { type AskOptions, IngressWorld, ingressObject } from '../../../../test/ingress-world.ts';
import { eventually } from '../../../../test/node-world.ts';

async function shares(world: IngressWorld, count: number, options: AskOptions = {}): Promise<Record<string, number>> {
  const found: Record<string, number> = {};
  for (let at = 0; at < count; at += 10) {
    const answers = await Promise.all(Array.from({ length: 10 }, () => world.ask('/', options)));
    for (const { status, text } of answers) {
      const key = status === 200 ? text : String(status);
      found[key] = (found[key] ?? 0) + 1;
    }
  }
  return found;
}

async function stableAndCanary(annotations: Record<string, string>): Promise<IngressWorld> {
  const world = await IngressWorld.start();
  await world.backend('stable');
  await world.backend('canary');
  await world.create(ingressObject('stable'));
  await world.create(
    ingressObject('stable-canary', { paths: { '/': 'canary' }, annotations: { canary: 'true', ...annotations } }),
  );
  return world;
}

test('20 % of 1,000 requests go to the canary, and a new weight counts from the next request on', async () => {
  await using world = await stableAndCanary({ 'canary-weight': '20' });
  assert.deepEqual(await shares(world, 1000), { stable: 800, canary: 200 });
  const weigh = (weight: string) =>
    world.api.mergePatch(
      'ingresses.networking.k8s.io',
      'default',
      'stable-canary',
      { metadata: { annotations: { 'nginx.ingress.kubernetes.io/canary-weight': weight } } },
      { manager: 'rollouts-controller' },
    );
  const settled = (weight: number) =>
    eventually(`a weight of ${weight}`, async () => ((await shares(world, 20))['canary'] ?? 0) === weight / 5);
  await weigh('100');
  await settled(100);
  assert.deepEqual(await shares(world, 100), { canary: 100 });
  await weigh('0');
  await settled(0);
  assert.deepEqual(await shares(world, 100), { stable: 100 });
});

test('headers and cookies decide before the weight', async () => {
  await using world = await stableAndCanary({
    'canary-weight': '0',
    'canary-by-header': 'X-Canary',
    'canary-by-cookie': 'canary',
  });
  const who = async (headers: Record<string, string>): Promise<string> => (await world.ask('/', { headers })).text;
  assert.equal(await who({}), 'stable');
  assert.equal(await who({ 'x-canary': 'always' }), 'canary');
  assert.equal(await who({ cookie: 'a=b; canary=always' }), 'canary');
  assert.equal(await who({ 'x-canary': 'never', cookie: 'canary=always' }), 'stable');
});

test('weights change under load without a dropped request', async () => {
  await using world = await stableAndCanary({ 'canary-weight': '0' });
  const agent = new Agent({ keepAlive: true, maxSockets: 4 });
  const seen: Record<string, number> = {};
  const failures: unknown[] = [];
  let asking = true;
  const ask = async (): Promise<void> => {
    while (asking) {
      try {
        const { status, text } = await world.ask('/', { agent });
        if (status !== 200) failures.push(status);
        seen[text] = (seen[text] ?? 0) + 1;
      } catch (error) {
        failures.push(error);
      }
    }
  };
  const askers = [ask(), ask(), ask(), ask()];
  for (const weight of [10, 50, 90, 100, 30, 0]) {
    await world.api.mergePatch(
      'ingresses.networking.k8s.io',
      'default',
      'stable-canary',
      { metadata: { annotations: { 'nginx.ingress.kubernetes.io/canary-weight': String(weight) } } },
      { manager: 'rollouts-controller' },
    );
    const before = (seen['stable'] ?? 0) + (seen['canary'] ?? 0);
    await eventually('50 more answers', () => (seen['stable'] ?? 0) + (seen['canary'] ?? 0) >= before + 50);
  }
  asking = false;
  await Promise.all(askers);
  agent.destroy();
  assert.deepEqual(failures, []);
  assert.ok((seen['stable'] ?? 0) > 50 && (seen['canary'] ?? 0) > 50, JSON.stringify(seen));
});

test('a canary without endpoints gets no traffic; without a main backend there is none at all', async () => {
  await using world = await IngressWorld.start();
  await world.backend('stable');
  await world.service('canary', []);
  await world.create(ingressObject('stable'));
  const annotations = { canary: 'true', 'canary-weight': '100' };
  await world.create(ingressObject('canary', { annotations }));
  assert.deepEqual(await shares(world, 20), { stable: 20 });
  for (const one of world.api.list('endpointslices.discovery.k8s.io', {
    labels: { 'kubernetes.io/service-name': 'stable' },
  }))
    await world.api.delete('endpointslices.discovery.k8s.io', 'default', one.metadata.name);
  assert.deepEqual(await shares(world, 10), { 503: 10 });
});
