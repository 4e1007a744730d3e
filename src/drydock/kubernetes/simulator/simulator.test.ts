import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Clock } from '#base/clock.ts';
import { getArray, getPath, getString, isObject, type JsonObject } from '#base/json.ts';
import { silentLogger } from '#base/log.ts';
import { fasterClock, testClock, testEntropy } from '../../../../test/clock.ts';
import type { ApiObject, ApiServer, NodeUsage } from '../api/port.ts';
import { startApiServer } from '../api/server.ts';
import { startControllers } from '../controllers/start.ts';
import { createTypeRegistry } from '../types/registry.ts';
import { nodeKnob } from './node.ts';
import { type SimulatorOptions, startSimulator } from './start.ts';

interface World extends AsyncDisposable {
  api: ApiServer;
  usage: NodeUsage;
  /** Resolves with what `read` gives once it gives something; fails after 10 s. */
  until<T>(read: () => T | undefined, what: string): Promise<T>;
}

async function world(options: SimulatorOptions = {}, clock: Clock = testClock): Promise<World> {
  const deps = { clock, entropy: testEntropy, logger: silentLogger };
  await using stack = new AsyncDisposableStack();
  const types = createTypeRegistry();
  const server = stack.use(await startApiServer({ ...deps, types, dataDir: undefined, isPortFree: async () => true }));
  const { api } = server;
  const controllers = { caCertificate: server.caPem, volumesDir: '/nowhere' };
  stack.use(startControllers({ ...deps, api }, controllers));
  const simulator = stack.use(await startSimulator({ ...deps, api }, { speed: 100, ...options }));
  server.setNodeLogs(simulator.logs);
  const owned = stack.move();
  return {
    api,
    usage: simulator.usage,
    async until(read, what) {
      for (let n = 0; n < 2000; n += 1) {
        const found = read();
        if (found !== undefined) return found;
        await testClock.sleep(5);
      }
      assert.fail(`it never came: ${what}`);
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function podOf(name: string, knobs: Record<string, string> = {}, spec: JsonObject = {}): ApiObject {
  const annotations = Object.fromEntries(
    Object.entries(knobs).map(([key, text]) => [`simulator.drydock.dev/${key}`, text]),
  );
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default', annotations },
    spec: { containers: [{ name: 'c', image: 'shop/c:1' }], ...spec },
  };
}

function readPod(api: ApiServer, name: string): ApiObject | undefined {
  return api.get('pods', 'default', name);
}

function reasons(api: ApiServer, name: string): string[] {
  const events = api.list('events').filter((event) => getString(event, 'involvedObject', 'name') === name);
  return events.map((event) => getString(event, 'reason') ?? '');
}

function conditionsOf(pod: ApiObject): Record<string, unknown> {
  return Object.fromEntries(
    getArray(pod, 'status', 'conditions')
      .filter(isObject)
      .map((condition) => [condition['type'], condition['status']]),
  );
}

test('a pod goes the way that a kubelet reports', async () => {
  await using cluster = await world({ speed: 20 });
  const { api } = cluster;
  const seen: string[] = [];
  api.onChange('pods', ({ object }) => {
    const state = getPath(object, 'status', 'containerStatuses', 0, 'state');
    const shown = [getString(object, 'status', 'phase'), ...(isObject(state) ? Object.keys(state) : [])].join(' ');
    if (seen.at(-1) !== shown) seen.push(shown);
  });
  await api.create(podOf('p'), 'test');
  const pod = await cluster.until(() => {
    const found = readPod(api, 'p');
    return found && conditionsOf(found)['Ready'] === 'True' ? found : undefined;
  }, 'readiness');
  // Changes are told a turn after they are stored.
  await cluster.until(() => (seen.length >= 3 ? true : undefined), 'what was seen');
  assert.deepEqual(seen, ['Pending', 'Pending waiting', 'Running running']);
  assert.deepEqual(conditionsOf(pod), {
    PodReadyToStartContainers: 'True',
    Initialized: 'True',
    Ready: 'True',
    ContainersReady: 'True',
    PodScheduled: 'True',
  });
  assert.match(getString(pod, 'status', 'podIP') ?? '', /^10\.244\./);
  assert.equal(getString(pod, 'status', 'hostIP'), '172.18.0.2');
  await cluster.until(() => (reasons(api, 'p').length >= 5 ? true : undefined), 'events');
  assert.deepEqual(reasons(api, 'p').toSorted(), ['Created', 'Pulled', 'Pulling', 'Scheduled', 'Started']);
});

test('init containers come one after the other, a sidecar stays beside the others and ends with them', async () => {
  await using cluster = await world();
  const { api } = cluster;
  const initContainers = [
    { name: 'first', image: 'x:1' },
    { name: 'side', image: 'x:1', restartPolicy: 'Always' },
    { name: 'second', image: 'x:1' },
  ];
  await api.create(podOf('p', {}, { initContainers, restartPolicy: 'Never' }), 'test');
  const pod = await cluster.until(() => {
    const found = readPod(api, 'p');
    return getString(found, 'status', 'phase') === 'Succeeded' ? found : undefined;
  }, 'the end');
  const states = getArray(pod, 'status', 'initContainerStatuses').map((status) => [
    getString(status, 'name'),
    getString(status, 'state', 'terminated', 'reason'),
  ]);
  assert.deepEqual(states, [
    ['first', 'Completed'],
    ['side', 'Completed'],
    ['second', 'Completed'],
  ]);
});

test('jobs succeed and fail by their pods', async () => {
  await using cluster = await world();
  const { api } = cluster;
  const job = (name: string, knobs: Record<string, string>): ApiObject => ({
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name, namespace: 'default' },
    spec: {
      backoffLimit: 0,
      template: {
        metadata: { annotations: podOf('p', knobs).metadata.annotations },
        spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'shop/c:1' }] },
      },
    },
  });
  await api.create(job('good', { 'runs-for': '1s' }), 'test');
  await api.create(job('bad', { 'exit-code': '3' }), 'test');
  const outcome = (name: string) => (): string | undefined =>
    getArray(api.get('jobs.batch', 'default', name), 'status', 'conditions')
      .map((condition) => getString(condition, 'type'))
      .find((type) => type === 'Complete' || type === 'Failed');
  assert.equal(await cluster.until(outcome('good'), 'the good job'), 'Complete');
  assert.equal(await cluster.until(outcome('bad'), 'the bad job'), 'Failed');
});

test('a missing ConfigMap holds a container back until it is there', async () => {
  await using cluster = await world({ speed: 1000 });
  const { api } = cluster;
  const containers = [{ name: 'c', image: 'x:1', envFrom: [{ configMapRef: { name: 'settings' } }] }];
  await api.create(podOf('p', {}, { containers }), 'test');
  const state = (): JsonObject | undefined => {
    const found = getPath(readPod(api, 'p'), 'status', 'containerStatuses', 0, 'state');
    return isObject(found) ? found : undefined;
  };
  const waiting = await cluster.until(() => {
    const found = state()?.['waiting'];
    return getString(found, 'reason') === 'CreateContainerConfigError' ? found : undefined;
  }, 'the refusal');
  assert.equal(getString(waiting, 'message'), 'configmap "settings" not found');
  await api.create(
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'settings', namespace: 'default' } },
    'test',
  );
  await cluster.until(() => (state()?.['running'] ? true : undefined), 'the start');
});

test('termination takes what the knob says, within the grace period', async () => {
  await using cluster = await world();
  const { api } = cluster;
  await api.create(podOf('slow', { 'stop-takes': '60s' }, { terminationGracePeriodSeconds: 1 }), 'test');
  await api.create(podOf('quick'), 'test');
  for (const name of ['slow', 'quick'])
    await cluster.until(
      () => (getString(readPod(api, name), 'status', 'phase') === 'Running' ? true : undefined),
      name,
    );
  const exits: Record<string, number | undefined> = {};
  api.onChange('pods', ({ object }) => {
    const code = getPath(object, 'status', 'containerStatuses', 0, 'state', 'terminated', 'exitCode');
    if (typeof code === 'number') exits[object.metadata.name] = code;
  });
  const asked = Date.now();
  await api.delete('pods', 'default', 'slow');
  await api.delete('pods', 'default', 'quick');
  for (const name of ['quick', 'slow'])
    await cluster.until(() => (readPod(api, name) === undefined ? true : undefined), `the end of ${name}`);
  assert(Date.now() - asked >= 600, 'killed before its stop took what it takes');
  assert.deepEqual(exits, { slow: 0, quick: 0 });
});

test('a node that its annotation makes not ready says so, and a silent one changes nothing', async () => {
  await using cluster = await world({ nodes: ['a'] });
  const { api } = cluster;
  const ready = (): string | undefined => {
    const conditions = getArray(api.get('nodes', undefined, 'a'), 'status', 'conditions');
    return getString(
      conditions.find((condition) => getString(condition, 'type') === 'Ready'),
      'status',
    );
  };
  const become = (mood: string) =>
    api.mergePatch('nodes', undefined, 'a', { metadata: { annotations: { [nodeKnob]: mood } } }, { manager: 'test' });
  assert.equal(ready(), 'True');
  await become('not-ready');
  await cluster.until(() => (ready() === 'False' ? true : undefined), 'not ready');
  await become('silent');
  const pod = podOf('p', {}, { nodeName: 'a', tolerations: [{ operator: 'Exists' }] });
  await api.create(pod, 'test');
  await testClock.sleep(30);
  assert.equal(getPath(readPod(api, 'p'), 'status', 'containerStatuses'), undefined);
  await become('ready');
  await cluster.until(
    () => (getString(readPod(api, 'p'), 'status', 'phase') === 'Running' ? true : undefined),
    'running',
  );
  assert.equal(ready(), 'True');
});

test('a mistaken knob is told as an event', async () => {
  await using cluster = await world();
  await cluster.api.create(podOf('p', { 'crash-after': 'soon' }), 'test');
  await cluster.until(
    () => (reasons(cluster.api, 'p').includes('InvalidSimulatorKnob') ? true : undefined),
    'the event',
  );
});

test('options that mean nothing are refused', async () => {
  const bad: SimulatorOptions[] = [
    { nodes: -1 },
    { speed: 0 },
    { imageFaults: [{ image: '*', knobs: { 'crash-after': 'x' } }] },
  ];
  for (const options of bad) await assert.rejects(world(options), { code: 'bad-input' });
});

test('a silent node is noticed, its pods are not ready, and leave it when they tolerate it no more', async () => {
  // A minute of the cluster is 60 ms.
  await using cluster = await world({ nodes: ['a', 'b'], speed: 1 }, fasterClock(1000));
  const { api } = cluster;
  const spec = {
    replicas: 2,
    selector: { matchLabels: { app: 'web' } },
    template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'c', image: 'x:1' }] } },
  };
  await api.create(
    { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web', namespace: 'default' }, spec },
    'test',
  );
  const placed = () =>
    api
      .list('pods')
      .map((pod) => [getString(pod, 'spec', 'nodeName') ?? '', conditionsOf(pod)['Ready'] ?? ''] as const);
  await cluster.until(
    () => (placed().filter(([, ready]) => ready === 'True').length === 2 ? true : undefined),
    'two pods',
  );
  assert.deepEqual(
    placed()
      .map(([node]) => node)
      .toSorted(),
    ['a', 'b'],
  );
  const annotations = { [nodeKnob]: 'silent' };
  await api.mergePatch('nodes', undefined, 'a', { metadata: { annotations } }, { manager: 'test' });
  await cluster.until(
    () => (placed().some(([node, ready]) => node === 'a' && ready === 'False') ? true : undefined),
    'not ready',
  );
  const silent = api.get('nodes', undefined, 'a');
  assert.equal(silent && conditionsOf(silent)['Ready'], 'Unknown');
  const keys = getArray(silent, 'spec', 'taints').map(
    (taint) => `${getString(taint, 'key')}:${getString(taint, 'effect')}`,
  );
  assert.deepEqual(keys, ['node.kubernetes.io/unreachable:NoSchedule', 'node.kubernetes.io/unreachable:NoExecute']);
  // Five minutes later its pod is to go, and another takes its place on the other node.
  await cluster.until(
    () => (placed().filter(([node, ready]) => node === 'b' && ready === 'True').length === 2 ? true : undefined),
    'the move',
  );
  assert.equal(api.list('pods').filter((pod) => pod.metadata.deletionTimestamp !== undefined).length, 1);
  // Nobody ends the pod there until the node comes back, or is removed.
  await api.delete('nodes', undefined, 'a');
  await cluster.until(() => (placed().length === 2 ? true : undefined), 'the orphan’s end');
});

test('an idle cluster writes nothing but the leases of its nodes', async () => {
  const clock = fasterClock(1200);
  await using cluster = await world({ nodes: 3, speed: 1 }, clock);
  const { api } = cluster;
  const spec = {
    replicas: 3,
    selector: { matchLabels: { app: 'web' } },
    template: {
      metadata: { labels: { app: 'web' } },
      spec: {
        containers: [{ name: 'c', image: 'x:1', readinessProbe: { tcpSocket: { port: 80 }, initialDelaySeconds: 5 } }],
      },
    },
  };
  const named = { name: 'web', namespace: 'default' };
  await api.create({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: named, spec }, 'test');
  const service = { selector: { app: 'web' }, ports: [{ port: 80 }] };
  await api.create({ apiVersion: 'v1', kind: 'Service', metadata: named, spec: service }, 'test');
  const available = () => getPath(api.get('deployments.apps', 'default', 'web'), 'status', 'availableReplicas');
  await cluster.until(() => (available() === 3 ? true : undefined), 'three pods');
  await clock.sleep(120_000);
  const writes = new Map<string, number>();
  const stop = api.onChange('*', ({ object }) => writes.set(object.kind, (writes.get(object.kind) ?? 0) + 1));
  const from = clock.now();
  await clock.sleep(20 * 60_000);
  const minutes = (clock.now() - from) / 60_000;
  stop();
  assert.deepEqual([...writes.keys()], ['Lease']);
  const leases = writes.get('Lease') ?? 0;
  // Three nodes, six times a minute; timers are late at this speed, never early.
  assert(leases > 3 * minutes && leases <= 18 * (minutes + 1), `${leases} writes in ${minutes} minutes`);
});

test('what pods are said to use is what a knob says now, else what they request', async () => {
  await using cluster = await world();
  const { api, usage } = cluster;
  const resources = { requests: { cpu: '100m', memory: '64Mi' } };
  const containers = [{ name: 'c', image: 'x:1', resources }];
  await api.create(podOf('p', {}, { containers }), 'test');
  await api.create(podOf('waits', { 'image-pull-fails': 'true' }, { containers }), 'test');
  await cluster.until(
    () => (getString(readPod(api, 'p'), 'status', 'phase') === 'Running' ? true : undefined),
    'running',
  );
  const shown = async () => {
    const { pods, nodes } = await usage.read();
    const [node] = nodes;
    return {
      pods: pods.map(({ name, containers: [used] }) => [name, used?.cpuNanoCores, used?.memoryBytes]),
      node: node?.cpuNanoCores,
    };
  };
  assert.deepEqual(await shown(), { pods: [['p', 100_000_000, 67_108_864]], node: 100_000_000 });
  const annotations = { 'simulator.drydock.dev/cpu': '900m' };
  await api.mergePatch('pods', 'default', 'p', { metadata: { annotations } }, { manager: 'test' });
  assert.deepEqual(await shown(), { pods: [['p', 900_000_000, 67_108_864]], node: 900_000_000 });
});
