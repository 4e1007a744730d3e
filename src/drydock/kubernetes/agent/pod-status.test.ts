import assert from 'node:assert/strict';
import { test } from 'node:test';
import { getArray, getPath, getString, isObject } from '#base/json.ts';
import type { ApiObject } from '../api/port.ts';
import {
  type ContainerRun,
  type ContainerState,
  newRun,
  planPod,
  recoveredRun,
  restartDelayMs,
} from './container-state.ts';
import { type RestartPolicy, readPodSpec } from './pod-spec.ts';
import { podStatus } from './pod-status.ts';

const now = Date.UTC(2026, 0, 1);
const at = '2026-01-01T00:00:00Z';

function specOf(name: string, sidecar = false) {
  const container = { name, image: 'i', ...(sidecar ? { restartPolicy: 'Always' } : {}) };
  const pod: ApiObject = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' }, spec: { containers: [container] } };
  const [spec] = readPodSpec(pod).containers;
  assert.ok(spec);
  return spec;
}

const ended = (exitCode: number): ContainerState => ({
  kind: 'terminated',
  exitCode,
  reason: exitCode === 0 ? 'Completed' : 'Error',
  startedAt: at,
  finishedAt: at,
});
const running: ContainerState = { kind: 'running', startedAt: at, containerId: 'process://1' };

function run(name: string, changes: Partial<ContainerRun> = {}, sidecar = false): ContainerRun {
  return { ...newRun(specOf(name, sidecar)), ...changes };
}

const plans: { name: string; init?: ContainerRun[]; containers: ContainerRun[]; want: ReturnType<typeof planPod> }[] = [
  { name: 'new', containers: [run('a'), run('b')], want: { start: ['a', 'b'], wakeAt: undefined, initialized: true } },
  {
    name: 'running',
    containers: [run('a', { state: running })],
    want: { start: [], wakeAt: undefined, initialized: true },
  },
  {
    name: 'backing off',
    containers: [run('a', { startAfter: now + 5 })],
    want: { start: [], wakeAt: now + 5, initialized: true },
  },
  {
    name: 'the back-off is over',
    containers: [run('a', { startAfter: now })],
    want: { start: ['a'], wakeAt: undefined, initialized: true },
  },
  {
    name: 'init first',
    init: [run('i'), run('j')],
    containers: [run('a')],
    want: { start: ['i'], wakeAt: undefined, initialized: false },
  },
  {
    name: 'init runs',
    init: [run('i', { state: running })],
    containers: [run('a')],
    want: { start: [], wakeAt: undefined, initialized: false },
  },
  {
    name: 'one init done',
    init: [run('i', { state: ended(0) }), run('j')],
    containers: [run('a')],
    want: { start: ['j'], wakeAt: undefined, initialized: false },
  },
  {
    name: 'init failed for good',
    init: [run('i', { state: ended(1) })],
    containers: [run('a')],
    want: { start: [], wakeAt: undefined, initialized: false },
  },
  {
    name: 'all init done',
    init: [run('i', { state: ended(0) })],
    containers: [run('a')],
    want: { start: ['a'], wakeAt: undefined, initialized: true },
  },
  {
    name: 'a sidecar runs along',
    init: [run('s', { state: running, started: true }, true)],
    containers: [run('a')],
    want: { start: ['a'], wakeAt: undefined, initialized: true },
  },
  {
    name: 'a sidecar is not up yet',
    init: [run('s', { state: running }, true)],
    containers: [run('a')],
    want: { start: [], wakeAt: undefined, initialized: false },
  },
];
for (const { name, init = [], containers, want } of plans)
  test(`pod plan: ${name}`, () => assert.deepEqual(planPod({ policy: 'Always', init, containers }, now), want));

const phases: {
  name: string;
  policy: RestartPolicy;
  init?: ContainerRun[];
  containers: ContainerRun[];
  want: string;
  ready: string;
}[] = [
  { name: 'new', policy: 'Always', containers: [run('a')], want: 'Pending', ready: 'ContainersNotReady' },
  {
    name: 'not ready',
    policy: 'Always',
    containers: [run('a', { state: running })],
    want: 'Running',
    ready: 'ContainersNotReady',
  },
  {
    name: 'ready',
    policy: 'Always',
    containers: [run('a', { state: running, ready: true })],
    want: 'Running',
    ready: 'True',
  },
  {
    name: 'initializing',
    policy: 'Always',
    init: [run('i', { state: running })],
    containers: [run('a')],
    want: 'Pending',
    ready: 'ContainersNotReady',
  },
  {
    name: 'init failed',
    policy: 'Never',
    init: [run('i', { state: ended(1) })],
    containers: [run('a')],
    want: 'Failed',
    ready: 'PodFailed',
  },
  {
    name: 'succeeded',
    policy: 'Never',
    containers: [run('a', { state: ended(0) })],
    want: 'Succeeded',
    ready: 'PodCompleted',
  },
  {
    name: 'failed',
    policy: 'Never',
    containers: [run('a', { state: ended(0) }), run('b', { state: ended(1) })],
    want: 'Failed',
    ready: 'PodFailed',
  },
  {
    name: 'one still runs',
    policy: 'Never',
    containers: [run('a', { state: ended(1) }), run('b', { state: running })],
    want: 'Running',
    ready: 'ContainersNotReady',
  },
  {
    name: 'crash loop',
    policy: 'Always',
    containers: [
      run('a', { last: { kind: 'terminated', exitCode: 1, reason: 'Error', startedAt: at, finishedAt: at } }),
    ],
    want: 'Running',
    ready: 'ContainersNotReady',
  },
];
for (const { name, policy, init = [], containers, want, ready } of phases)
  test(`pod status: ${name}`, () => {
    const pod: ApiObject = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'p' },
      status: { qosClass: 'BestEffort' },
    };
    const input = { pod, policy, init, containers, podIp: '10.244.0.2', hostIp: '127.0.0.1', now, failed: undefined };
    const status = podStatus(input);
    const condition = getArray(status, 'conditions').find((item) => getString(item, 'type') === 'Ready');
    assert.equal(status['phase'], want);
    assert.equal(getString(condition, 'reason') ?? getString(condition, 'status'), ready);
    assert.equal(status['qosClass'], 'BestEffort');
    // Nothing moves when nothing changed, however late it is looked at.
    assert.deepEqual(podStatus({ ...input, pod: { ...pod, status }, now: now + 60_000 }), status);
  });

test('a pod past its deadline has failed, whatever runs', () => {
  const pod: ApiObject = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' } };
  const failed = { reason: 'DeadlineExceeded', message: 'late' };
  const status = podStatus({
    pod,
    policy: 'Always',
    init: [],
    containers: [run('a')],
    podIp: '',
    hostIp: '',
    now,
    failed,
  });
  assert.ok(isObject(status));
  assert.deepEqual([status['phase'], status['reason']], ['Failed', 'DeadlineExceeded']);
});

const recoveries: {
  name: string;
  policy: RestartPolicy;
  state: object;
  restarts: number;
  kind: string;
  last: unknown;
}[] = [
  { name: 'ran', policy: 'Always', state: { running: { startedAt: at } }, restarts: 3, kind: 'waiting', last: 137 },
  {
    name: 'ran once only',
    policy: 'Never',
    state: { running: { startedAt: at } },
    restarts: 2,
    kind: 'terminated',
    last: undefined,
  },
  {
    name: 'had ended well',
    policy: 'OnFailure',
    state: { terminated: { exitCode: 0, startedAt: at, finishedAt: at } },
    restarts: 2,
    kind: 'terminated',
    last: undefined,
  },
  {
    name: 'waited',
    policy: 'Always',
    state: { waiting: { reason: 'CrashLoopBackOff' } },
    restarts: 2,
    kind: 'waiting',
    last: undefined,
  },
];
for (const { name, policy, state, restarts, kind, last } of recoveries)
  test(`after a restart of the node: ${name}`, () => {
    const found = recoveredRun(specOf('a'), { name: 'a', restartCount: 2, state }, { policy, now: at, init: false });
    assert.deepEqual(
      [found.restartCount, found.state.kind, getPath(found, 'last', 'exitCode')],
      [restarts, kind, last],
    );
  });

test('the first restart is at once, then the wait doubles to its limit', () => {
  const limits = { firstMs: 10_000, maxMs: 300_000 };
  const waits = [1, 2, 3, 4, 5, 6, 7, 8, 100].map((restart) => restartDelayMs(restart, limits) / 1000);
  assert.deepEqual(waits, [0, 10, 20, 40, 80, 160, 300, 300, 300]);
});
