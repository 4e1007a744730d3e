import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '#base/json.ts';
import type { ApiObject } from '../api/port.ts';
import type { Revision } from './controller-revision.ts';
import { planDaemonSet } from './daemon-set-plan.ts';
import { budgetStatus } from './disruption-budget.ts';
import { resolveCount } from './int-or-percent.ts';
import { emptyLoad } from './node-load.ts';
import { planPlacement } from './scheduler-plan.ts';
import { matchesSelector, parseLabelSelector } from './selector.ts';
import { planStatefulSet } from './stateful-set-plan.ts';

const now = Date.UTC(2026, 0, 1);

function pod(
  name: string,
  spec: JsonObject = {},
  rest: { labels?: Record<string, string>; ready?: boolean; deleting?: boolean } = {},
): ApiObject {
  const deleting = rest.deleting ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {};
  const conditions =
    rest.ready === false ? [] : [{ type: 'Ready', status: 'True', lastTransitionTime: '2025-01-01T00:00:00Z' }];
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, labels: rest.labels ?? {}, ...deleting },
    spec,
    status: { phase: 'Running', conditions },
  };
}

function node(spec: JsonObject = {}): ApiObject {
  const status = { allocatable: { cpu: '2', memory: '1Gi', pods: '2' } };
  return { apiVersion: 'v1', kind: 'Node', metadata: { name: 'node', labels: { disk: 'slow' } }, spec, status };
}

const affinity = (expression: JsonObject): JsonObject => ({
  affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [expression] } } },
});
const taints = [{ key: 'k', value: 'v', effect: 'NoSchedule' }];
const claim = { volumes: [{ name: 'd', persistentVolumeClaim: { claimName: 'c' } }] };

const placements: { name: string; spec?: JsonObject; node?: ApiObject; claimPhase?: string; want: RegExp | 'node' }[] =
  [
    { name: 'anything', want: 'node' },
    { name: 'a label that fits', spec: { nodeSelector: { disk: 'slow' } }, want: 'node' },
    {
      name: 'a label that does not',
      spec: { nodeSelector: { disk: 'fast' } },
      want: /1 node\(s\) didn't match Pod's node affinity\/selector/,
    },
    {
      name: 'affinity by name',
      spec: affinity({ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['node'] }] }),
      want: 'node',
    },
    {
      name: 'affinity by label',
      spec: affinity({ matchExpressions: [{ key: 'disk', operator: 'NotIn', values: ['slow'] }] }),
      want: /affinity/,
    },
    { name: 'a taint', node: node({ taints }), want: /untolerated taint \{k: v\}/ },
    {
      name: 'a tolerated taint',
      node: node({ taints }),
      spec: { tolerations: [{ key: 'k', operator: 'Exists' }] },
      want: 'node',
    },
    {
      name: 'a taint tolerated by value',
      node: node({ taints }),
      spec: { tolerations: [{ key: 'k', value: 'v', effect: 'NoSchedule' }] },
      want: 'node',
    },
    { name: 'cordoned', node: node({ unschedulable: true }), want: /were unschedulable/ },
    { name: 'a bound claim', spec: claim, claimPhase: 'Bound', want: 'node' },
    { name: 'an unbound claim', spec: claim, claimPhase: 'Pending', want: /unbound immediate PersistentVolumeClaims/ },
    { name: 'no such claim', spec: claim, want: /persistentvolumeclaim "c" not found/ },
  ];
for (const { name, spec, node: only = node(), claimPhase, want } of placements)
  test(`placement: ${name}`, () => {
    const found = planPlacement(pod('p', spec), [only], {
      claimOf: () =>
        claimPhase === undefined
          ? undefined
          : { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name: 'c' }, status: { phase: claimPhase } },
      loadOf: () => emptyLoad,
      placed: () => [],
      guarded: () => [],
      namespaceLabels: () => ({}),
    });
    if (typeof want === 'string') assert.deepEqual(found, { kind: 'bind', node: want });
    else assert.match(found.kind === 'unschedulable' ? found.message : '', want);
  });

for (const [value, rounding, want] of [
  ['25%', 'up', 1],
  ['25%', 'down', 0],
  ['100%', 'down', 3],
  [2, 'up', 2],
  ['x', 'up', 0],
] as const)
  test(`${value} of 3, rounded ${rounding}`, () => assert.equal(resolveCount(value, 3, rounding), want));

for (const [selector, want] of [
  [undefined, false],
  [{}, true],
  [{ matchLabels: { a: '1' } }, true],
  [{ matchLabels: { a: '2' } }, false],
  [{ matchExpressions: [{ key: 'a', operator: 'In', values: ['1', '2'] }] }, true],
  [{ matchExpressions: [{ key: 'b', operator: 'NotIn', values: ['1'] }] }, true],
  [{ matchExpressions: [{ key: 'b', operator: 'Exists' }] }, false],
  [{ matchExpressions: [{ key: 'b', operator: 'DoesNotExist' }] }, true],
] as const)
  test(`selector ${JSON.stringify(selector)}`, () =>
    assert.equal(matchesSelector(parseLabelSelector(selector), { a: '1' }), want));

function revision(name: string): Revision {
  const object: ApiObject = { apiVersion: 'apps/v1', kind: 'ControllerRevision', metadata: { name } };
  return {
    object,
    name,
    hash: name,
    number: 1,
    template: { metadata: { labels: { app: 's' } }, spec: { containers: [] } },
  };
}

const labels = (name: string) => ({ labels: { 'controller-revision-hash': name } });
const sets: {
  name: string;
  spec?: JsonObject;
  pods: ApiObject[];
  update?: string;
  create?: string[];
  remove?: string[];
}[] = [
  { name: 'the first comes alone', pods: [], create: ['s-0'] },
  { name: 'the second waits for the first', pods: [pod('s-0', {}, { ...labels('r1'), ready: false })] },
  { name: 'the second follows', pods: [pod('s-0', {}, labels('r1'))], create: ['s-1'] },
  { name: 'in parallel', spec: { podManagementPolicy: 'Parallel' }, pods: [], create: ['s-0', 's-1'] },
  {
    name: 'too many: the last goes',
    pods: ['s-0', 's-1', 's-2', 's-3'].map((name) => pod(name, {}, labels('r1'))),
    remove: ['s-3'],
  },
  {
    name: 'the last is going',
    pods: [
      pod('s-0', {}, labels('r1')),
      pod('s-1', {}, labels('r1')),
      pod('s-2', {}, { ...labels('r1'), deleting: true }),
    ],
  },
  {
    name: 'update from the last',
    pods: [pod('s-0', {}, labels('r1')), pod('s-1', {}, labels('r1'))],
    update: 'r2',
    remove: ['s-1'],
  },
  {
    name: 'update down to the partition',
    spec: { updateStrategy: { rollingUpdate: { partition: 1 } } },
    pods: [pod('s-0', {}, labels('r1')), pod('s-1', {}, labels('r2'))],
    update: 'r2',
  },
  {
    name: 'update on delete',
    spec: { updateStrategy: { type: 'OnDelete' } },
    pods: [pod('s-0', {}, labels('r1')), pod('s-1', {}, labels('r1'))],
    update: 'r2',
  },
  { name: 'other numbers', spec: { ordinals: { start: 5 } }, pods: [], create: ['s-5'] },
];
for (const { name, spec = {}, pods, update = 'r1', create = [], remove = [] } of sets)
  test(`stateful set: ${name}`, () => {
    const set: ApiObject = {
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      metadata: { name: 's', uid: 'u' },
      spec: { replicas: 2, ...spec },
    };
    const plan = planStatefulSet({ set, pods, current: revision('r1'), update: revision(update), now });
    assert.deepEqual(
      plan.create.map((one) => one.metadata.name),
      create,
    );
    assert.deepEqual(
      plan.remove.map((one) => one.metadata.name),
      remove,
    );
  });

const noExecute = { spec: { taints: [{ key: 'k', value: 'v', effect: 'NoExecute' }] } };
const surging = { updateStrategy: { rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } } };

const daemons: {
  name: string;
  spec?: JsonObject;
  node?: ApiObject;
  pods: ApiObject[];
  create?: string[];
  remove?: string[];
}[] = [
  { name: 'a taint keeps new ones away', node: node({ taints }), pods: [] },
  { name: 'and lets those there stay', node: node({ taints }), pods: [pod('d', { nodeName: 'node' }, labels('r1'))] },
  {
    name: 'unless it executes',
    node: node(noExecute.spec),
    pods: [pod('d', { nodeName: 'node' }, labels('r1'))],
    remove: ['d'],
  },
  {
    name: 'a taint that is tolerated',
    spec: { template: { spec: { tolerations: [{ operator: 'Exists' }] } } },
    node: node({ taints }),
    pods: [],
    create: ['node'],
  },
  {
    name: 'affinity to other nodes',
    spec: { template: { spec: affinity({ matchExpressions: [{ key: 'disk', operator: 'In', values: ['fast'] }] }) } },
    pods: [],
  },
  { name: 'none yet', pods: [], create: ['node'] },
  { name: 'there', pods: [pod('d', { nodeName: 'node' }, labels('r1'))] },
  { name: 'outdated', pods: [pod('d', { nodeName: 'node' }, labels('r0'))], remove: ['d'] },
  {
    name: 'two of them',
    pods: [pod('d', { nodeName: 'node' }, labels('r1')), pod('e', { nodeName: 'node' }, labels('r1'))],
    remove: ['e'],
  },
  {
    name: 'a node that does not fit',
    spec: { template: { spec: { nodeSelector: { disk: 'fast' } } } },
    pods: [pod('d', { nodeName: 'node' }, labels('r1'))],
    remove: ['d'],
  },
  { name: 'a tainted node gets none', node: node({ taints }), pods: [] },
  {
    name: 'a taint that keeps new pods away keeps the one that is there',
    node: node({ taints }),
    pods: [pod('d', { nodeName: 'node' }, labels('r1'))],
  },
  {
    name: 'a taint that drives out',
    node: node({ taints: [{ key: 'k', effect: 'NoExecute' }] }),
    pods: [pod('d', { nodeName: 'node' }, labels('r1'))],
    remove: ['d'],
  },
  {
    name: 'a tolerated taint',
    node: node({ taints }),
    spec: { template: { spec: { tolerations: [{ key: 'k', operator: 'Exists' }] } } },
    pods: [],
    create: ['node'],
  },
  { name: 'a cordoned node', node: node({ unschedulable: true }), pods: [], create: ['node'] },
  {
    name: 'affinity of the template',
    spec: { template: { spec: affinity({ matchExpressions: [{ key: 'disk', operator: 'In', values: ['fast'] }] }) } },
    pods: [],
  },
  {
    name: 'a new one joins the old one',
    spec: surging,
    pods: [pod('d', { nodeName: 'node' }, labels('r0'))],
    create: ['node'],
  },
  {
    name: 'the old one waits for the new one',
    spec: surging,
    pods: [
      pod('d', { nodeName: 'node' }, labels('r0')),
      pod('e', { nodeName: 'node' }, { ...labels('r1'), ready: false }),
    ],
  },
  {
    name: 'the old one goes',
    spec: surging,
    pods: [pod('d', { nodeName: 'node' }, labels('r0')), pod('e', { nodeName: 'node' }, labels('r1'))],
    remove: ['d'],
  },
];
for (const { name, spec = {}, node: on = node(), pods, create = [], remove = [] } of daemons)
  test(`daemon set: ${name}`, () => {
    const set: ApiObject = { apiVersion: 'apps/v1', kind: 'DaemonSet', metadata: { name: 'd', uid: 'u' }, spec };
    const plan = planDaemonSet({ set, pods, nodes: [on], update: revision('r1'), now });
    assert.deepEqual([plan.create, plan.remove.map((one) => one.metadata.name)], [create, remove]);
  });

for (const [spec, ready, allowed] of [
  [{ minAvailable: 2 }, 3, 1],
  [{ minAvailable: '100%' }, 3, 0],
  [{ maxUnavailable: 1 }, 3, 1],
  [{ maxUnavailable: 1 }, 2, 0],
] as const)
  test(`budget ${JSON.stringify(spec)} with ${ready} of 3 ready`, () => {
    const budget: ApiObject = {
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: { name: 'b', generation: 1 },
      spec,
    };
    const pods = [0, 1, 2].map((index) => pod(`p${index}`, {}, { ready: index < ready }));
    assert.equal(budgetStatus(budget, pods, { expected: 3, now })['disruptionsAllowed'], allowed);
  });

test('a pod that was evicted counts as gone until its deletion is seen, or does not come', () => {
  const evicted = (secondsAgo: number): ApiObject => ({
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { name: 'b', generation: 1 },
    spec: { minAvailable: 1 },
    status: { disruptedPods: { p0: new Date(now - secondsAgo * 1000).toISOString(), gone: '2025-12-31T23:59:59Z' } },
  });
  const pods = [pod('p0'), pod('p1')];
  const at = (secondsAgo: number) => {
    const status = budgetStatus(evicted(secondsAgo), pods, { expected: 2, now });
    return [status['currentHealthy'], status['disruptionsAllowed'], Object.keys(Object(status['disruptedPods']))];
  };
  assert.deepEqual(at(5), [1, 0, ['p0']]);
  assert.deepEqual(at(500), [2, 1, []]);
});
