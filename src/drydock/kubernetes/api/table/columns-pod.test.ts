import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ApiObject } from '../port.ts';
import { podSummary } from './columns-pod.ts';

const now = Date.parse('2026-01-01T00:10:00Z');
const running = { state: { running: {} }, ready: true, restartCount: 0 };
const waiting = (reason: string) => ({ state: { waiting: { reason } }, ready: false, restartCount: 0 });
const ended = (exitCode: number, reason = '') => ({
  state: { terminated: { exitCode, reason } },
  ready: false,
  restartCount: 0,
});

interface Row {
  name: string;
  status: Record<string, unknown>;
  init?: number;
  containers?: number;
  deleted?: boolean;
  want: [ready: string, status: string, restarts: string];
}

const rows: Row[] = [
  { name: 'new', status: { phase: 'Pending' }, want: ['0/1', 'Pending', '0'] },
  { name: 'running', status: { phase: 'Running', containerStatuses: [running] }, want: ['1/1', 'Running', '0'] },
  {
    name: 'image cannot be pulled',
    status: { phase: 'Pending', containerStatuses: [waiting('ImagePullBackOff')] },
    want: ['0/1', 'ImagePullBackOff', '0'],
  },
  {
    name: 'crash loop',
    status: {
      phase: 'Running',
      containerStatuses: [
        {
          ...waiting('CrashLoopBackOff'),
          restartCount: 3,
          lastState: { terminated: { finishedAt: '2026-01-01T00:09:30Z' } },
        },
      ],
    },
    want: ['0/1', 'CrashLoopBackOff', '3 (30s ago)'],
  },
  {
    name: 'done',
    status: { phase: 'Succeeded', containerStatuses: [ended(0, 'Completed')] },
    want: ['0/1', 'Completed', '0'],
  },
  { name: 'exit code', status: { phase: 'Failed', containerStatuses: [ended(7)] }, want: ['0/1', 'ExitCode:7', '0'] },
  {
    name: 'one of two done, not ready',
    containers: 2,
    status: { phase: 'Running', containerStatuses: [ended(0, 'Completed'), running] },
    want: ['1/2', 'NotReady', '0'],
  },
  {
    name: 'init containers under way',
    init: 2,
    status: { phase: 'Pending', initContainerStatuses: [ended(0), { state: { running: {} }, restartCount: 0 }] },
    want: ['0/1', 'Init:1/2', '0'],
  },
  {
    name: 'init container failed',
    init: 1,
    status: { phase: 'Pending', initContainerStatuses: [ended(1, 'Error')] },
    want: ['0/1', 'Init:Error', '0'],
  },
  {
    name: 'being deleted',
    deleted: true,
    status: { phase: 'Running', containerStatuses: [running] },
    want: ['1/1', 'Terminating', '0'],
  },
  { name: 'evicted', status: { phase: 'Failed', reason: 'Evicted' }, want: ['0/1', 'Evicted', '0'] },
];

for (const { name, status, init = 0, containers = 1, deleted = false, want } of rows)
  test(`kubectl get pods: ${name}`, () => {
    const named = (count: number) => Array.from({ length: count }, (_, n) => ({ name: `c${n}` }));
    const pod: ApiObject = {
      kind: 'Pod',
      apiVersion: 'v1',
      metadata: { name, ...(deleted ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {}) },
      spec: { containers: named(containers), initContainers: named(init) },
      status,
    };
    const { ready, status: shown, restarts } = podSummary(pod, now);
    assert.deepEqual([ready, shown, restarts], want);
  });
