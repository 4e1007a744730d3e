import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ProcessUsage } from './process-usage.ts';
import { type MeteredContainer, UsageMeter } from './usage-meter.ts';

/** Time moves only by sleeping; every sample adds what the table says. */
function world() {
  const state = {
    now: 1_000_000,
    samples: 0,
    running: [
      { namespace: 'a', pod: 'web', labels: { app: 'web' }, container: 'app', processGroup: 10 },
      { namespace: 'a', pod: 'web', labels: { app: 'web' }, container: 'sidecar', processGroup: 11 },
    ] satisfies MeteredContainer[] as MeteredContainer[],
    usage: new Map<number, ProcessUsage>([
      [10, { cpuMs: 5_000, memoryBytes: 100 }],
      [11, { cpuMs: 0, memoryBytes: 200 }],
    ]),
    machine: { cpuMs: 90_000, memoryBytes: 4096 },
  };
  const meter = new UsageMeter({
    clock: {
      now: () => state.now,
      sleep: async (ms) => {
        state.now += ms;
        // The app uses a quarter of a core, the machine one and a half.
        const app = state.usage.get(10);
        if (app) state.usage.set(10, { ...app, cpuMs: app.cpuMs + ms / 4 });
        state.machine = { ...state.machine, cpuMs: state.machine.cpuMs + ms * 1.5 };
      },
    },
    node: () => ({ name: 'drydock', labels: { zone: 'here' } }),
    running: () => state.running,
    machine: () => state.machine,
    usageOf: async (groups) => {
      state.samples += 1;
      return new Map([...state.usage].filter(([group]) => groups.has(group)));
    },
  });
  return { state, meter };
}

test('the first answer is measured over a second, container by container', async () => {
  const { state, meter } = world();
  const report = await meter.read();
  assert.deepEqual(report, {
    at: state.now,
    windowMs: 1000,
    nodes: [{ name: 'drydock', labels: { zone: 'here' }, cpuNanoCores: 1_500_000_000, memoryBytes: 4096 }],
    pods: [
      {
        namespace: 'a',
        name: 'web',
        labels: { app: 'web' },
        containers: [
          { name: 'app', cpuNanoCores: 250_000_000, memoryBytes: 100 },
          { name: 'sidecar', cpuNanoCores: 0, memoryBytes: 200 },
        ],
      },
    ],
  });
});

test('askers at the same time share one measurement; a later one measures since the last', async () => {
  const { state, meter } = world();
  const [one, two] = await Promise.all([meter.read(), meter.read()]);
  assert.equal(one, two);
  assert.equal(state.samples, 2);
  assert.equal(await meter.read(), one, 'within a second nothing is measured again');
  state.now += 15_000;
  const later = await meter.read();
  assert.equal(state.samples, 3, 'no waiting: the last sample is the start of the window');
  assert.equal(later.windowMs, 15_000);
  state.now += 120_000;
  assert.equal((await meter.read()).windowMs, 1000, 'an old sample would say what was, not what is');
});

test('a container that was not there for the whole window is not told', async () => {
  const { state, meter } = world();
  await meter.read();
  state.now += 10_000;
  state.running = [{ namespace: 'a', pod: 'new', labels: {}, container: 'app', processGroup: 12 }];
  state.usage.set(12, { cpuMs: 50, memoryBytes: 1 });
  assert.deepEqual((await meter.read()).pods, []);
});
