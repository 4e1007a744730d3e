import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually, startWorld } from '../../../../test/node-world.ts';
import type { ApiObject } from '../api/port.ts';
import { isPodReady } from '../controllers/pod-state.ts';

const busy = 'setInterval(() => { const until = Date.now() + 30; while (Date.now() < until); }, 60);';

function pod(name: string, program: string): ApiObject {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default' },
    spec: { containers: [{ name: 'app', image: 'tools/node:1', command: ['node', '-e', program] }] },
  };
}

test('a busy container shows as busy, an idle one as idle', async () => {
  await using world = await startWorld({ 'tools/node:1': { files: {} } });
  await world.api.create(pod('busy', busy), 'test');
  await world.api.create(pod('idle', 'setInterval(() => {}, 60_000);'), 'test');
  for (const name of ['busy', 'idle'])
    await eventually(`${name} to be ready`, () => {
      const found = world.api.get('pods', 'default', name);
      return found && isPodReady(found);
    });
  const report = await eventually('both in one report', async () => {
    const found = await world.agent.usage.read();
    return found.pods.length === 2 && found;
  });
  const [one, other] = ['busy', 'idle'].map((name) => report.pods.find((item) => item.name === name)?.containers[0]);
  assert.ok(one && other && one.cpuNanoCores > other.cpuNanoCores, JSON.stringify(report));
  assert.ok(one.memoryBytes > 1024 * 1024);
  assert.equal(report.nodes[0]?.name, 'drydock');
});
