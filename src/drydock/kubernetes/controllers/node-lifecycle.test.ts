import assert from 'node:assert/strict';
import { test } from 'node:test';
import { timestamp } from '#base/clock.ts';
import type { JsonObject } from '#base/json.ts';
import type { ApiObject } from '../api/port.ts';
import { evictionAt, silentConditions, wantedTaints } from './node-lifecycle-plan.ts';

const now = Date.UTC(2026, 0, 1);

function node(conditions: Record<string, string>, spec: JsonObject = {}): ApiObject {
  const list = Object.entries(conditions).map(([type, status]) => ({ type, status }));
  return { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n' }, spec, status: { conditions: list } };
}

const taint = (key: string, effect: string): JsonObject => ({ key: `node.kubernetes.io/${key}`, effect });

const taintRows: { name: string; node: ApiObject; want: string[] }[] = [
  { name: 'a good node', node: node({ Ready: 'True', MemoryPressure: 'False' }), want: [] },
  {
    name: 'one that became ready loses what it came with',
    node: node({ Ready: 'True' }, { taints: [taint('not-ready', 'NoSchedule')] }),
    want: [],
  },
  {
    name: 'one that has said nothing keeps it',
    node: node({}, { taints: [taint('not-ready', 'NoSchedule')] }),
    want: ['not-ready:NoSchedule'],
  },
  { name: 'not ready', node: node({ Ready: 'False' }), want: ['not-ready:NoSchedule', 'not-ready:NoExecute'] },
  {
    name: 'silent after it was not ready',
    node: node({ Ready: 'Unknown' }, { taints: [taint('not-ready', 'NoExecute')] }),
    want: ['unreachable:NoSchedule', 'unreachable:NoExecute'],
  },
  {
    name: 'cordoned and short of memory',
    node: node({ Ready: 'True', MemoryPressure: 'True' }, { unschedulable: true }),
    want: ['memory-pressure:NoSchedule', 'unschedulable:NoSchedule'],
  },
  {
    name: 'taints of others stay',
    node: node({ Ready: 'True' }, { taints: [{ key: 'node.kubernetes.io/mine', effect: 'NoExecute' }] }),
    want: ['mine:NoExecute'],
  },
];

for (const { name, node: given, want } of taintRows)
  test(`taints: ${name}`, () => {
    const found = wantedTaints(given, now);
    assert.deepEqual(
      found.map(({ key, effect }) => `${key.replace('node.kubernetes.io/', '')}:${effect}`),
      want,
    );
    const again = { ...given, spec: { ...Object(given['spec']), taints: found } };
    assert.deepEqual(wantedTaints(again, now + 1000), found);
  });

const evictions: { name: string; tolerations: JsonObject[]; want: number | undefined }[] = [
  { name: 'no toleration', tolerations: [], want: now },
  { name: 'a toleration for ever', tolerations: [{ operator: 'Exists' }], want: undefined },
  {
    name: 'five minutes from when the taint came',
    tolerations: [
      { key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 },
    ],
    want: now - 10_000 + 300_000,
  },
  {
    name: 'the shortest of two',
    tolerations: [
      { operator: 'Exists', tolerationSeconds: 30 },
      { operator: 'Exists', tolerationSeconds: 300 },
    ],
    want: now + 20_000,
  },
  {
    name: 'another effect is no toleration',
    tolerations: [{ key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoSchedule' }],
    want: now,
  },
];

for (const { name, tolerations, want } of evictions)
  test(`eviction: ${name}`, () => {
    const key = 'node.kubernetes.io/unreachable';
    const taints = [{ key, value: '', effect: 'NoExecute', timeAdded: timestamp(now - 10_000) }];
    const pod: ApiObject = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' }, spec: { tolerations } };
    assert.equal(evictionAt(pod, taints, now), want);
    assert.equal(evictionAt(pod, [], now), undefined);
  });

test('a silent node is Unknown in all that its kubelet says, once', () => {
  const before = node({ Ready: 'True', MemoryPressure: 'False', Custom: 'True' });
  const conditions = silentConditions(before, now);
  assert.deepEqual(
    conditions.map(({ type, status, reason }) => [type, status, reason]),
    [
      ['Custom', 'True', undefined],
      ['MemoryPressure', 'Unknown', 'NodeStatusUnknown'],
      ['DiskPressure', 'Unknown', 'NodeStatusNeverUpdated'],
      ['PIDPressure', 'Unknown', 'NodeStatusNeverUpdated'],
      ['Ready', 'Unknown', 'NodeStatusUnknown'],
    ],
  );
  const again = { ...before, status: { conditions } };
  assert.deepEqual(silentConditions(again, now + 60_000), conditions);
});
