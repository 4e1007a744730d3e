import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ApiObject } from '../api/port.ts';
import { availableInMs, deletionOrder } from './pod-state.ts';

const now = Date.UTC(2026, 0, 1);

function pod(
  name: string,
  options: { node?: string; phase?: string; readyFor?: number; cost?: string; age?: number; restarts?: number } = {},
): ApiObject {
  const time = (ago: number): string => new Date(now - ago * 1000).toISOString();
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      creationTimestamp: time(options.age ?? 100),
      ...(options.cost === undefined
        ? {}
        : { annotations: { 'controller.kubernetes.io/pod-deletion-cost': options.cost } }),
    },
    spec: options.node === '' ? {} : { nodeName: 'n' },
    status: {
      phase: options.phase ?? 'Running',
      conditions:
        options.readyFor === undefined
          ? []
          : [{ type: 'Ready', status: 'True', lastTransitionTime: time(options.readyFor) }],
      containerStatuses: [{ restartCount: options.restarts ?? 0 }],
    },
  };
}

const rows: { name: string; first: ApiObject; second: ApiObject }[] = [
  { name: 'unscheduled', first: pod('b', { node: '', phase: 'Pending' }), second: pod('a', { phase: 'Pending' }) },
  { name: 'pending', first: pod('b', { phase: 'Pending' }), second: pod('a') },
  { name: 'not ready', first: pod('b'), second: pod('a', { readyFor: 1 }) },
  { name: 'cheaper', first: pod('b', { readyFor: 9, cost: '-1' }), second: pod('a', { readyFor: 9 }) },
  { name: 'ready for less long', first: pod('b', { readyFor: 1 }), second: pod('a', { readyFor: 9 }) },
  { name: 'more restarts', first: pod('b', { restarts: 3 }), second: pod('a') },
  { name: 'newer', first: pod('b', { age: 1 }), second: pod('a') },
];
for (const { name, first, second } of rows)
  test(`given up first: ${name}`, () => assert.deepEqual(deletionOrder([second, first]), [first, second]));

test('a pod is available when it was ready for long enough', () => {
  assert.equal(availableInMs(pod('a'), 0, now), undefined);
  assert.equal(availableInMs(pod('a', { readyFor: 0 }), 0, now), 0);
  assert.equal(availableInMs(pod('a', { readyFor: 4 }), 10, now), 6000);
  assert.equal(availableInMs(pod('a', { readyFor: 10 }), 10, now), 0);
});
