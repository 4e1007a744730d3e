import assert from 'node:assert/strict';
import { test } from 'node:test';
import { timestamp } from '#base/clock.ts';
import type { ApiObject, UsageReport } from '../api/port.ts';
import type { ScalingHistory } from './autoscaler-limit.ts';
import { milliOf } from './autoscaler-metric.ts';
import { decideReplicas } from './autoscaler-plan.ts';

const now = Date.UTC(2026, 4, 1, 12);
const minute = 60_000;

interface TestPod {
  name: string;
  /** Thousandths of a core; absent: not measured. */
  cpu?: number;
  request?: string;
  phase?: string;
  ready?: boolean;
  startedAt?: number;
  readyAt?: number;
}

function pod({ name, request = '100m', phase = 'Running', ready = true, ...at }: TestPod): ApiObject {
  const startedAt = at.startedAt ?? now - 20 * minute;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default' },
    spec: { containers: [{ name: 'app', resources: { requests: request === '' ? {} : { cpu: request } } }] },
    status: {
      phase,
      startTime: timestamp(startedAt),
      conditions: [
        { type: 'Ready', status: ready ? 'True' : 'False', lastTransitionTime: timestamp(at.readyAt ?? startedAt) },
      ],
    },
  };
}

function usage(pods: readonly TestPod[]): UsageReport {
  return {
    at: now,
    windowMs: 15_000,
    nodes: [],
    pods: pods.flatMap(({ name, cpu }) =>
      cpu === undefined
        ? []
        : [
            {
              namespace: 'default',
              name,
              labels: {},
              containers: [{ name: 'app', cpuNanoCores: cpu * 1e6, memoryBytes: cpu * 1024 }],
            },
          ],
    ),
  };
}

interface Case {
  what: string;
  pods: TestPod[];
  wanted: number;
  spec?: Record<string, unknown>;
  replicas: number | undefined;
  reason?: string;
  condition?: [type: string, status: string, reason: string];
}

const cpuTarget = (percent: number) => [
  { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: percent } } },
];

function autoscaler(spec: Record<string, unknown> = {}): ApiObject {
  return {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name: 'web', namespace: 'default' },
    spec: { minReplicas: 1, maxReplicas: 10, metrics: cpuTarget(50), ...spec },
  };
}

function decide(of: Omit<Case, 'what' | 'replicas'>, history: ScalingHistory = { recommendations: [], changes: [] }) {
  const scale = { wanted: of.wanted, current: of.pods.length, selects: () => true };
  return decideReplicas(autoscaler(of.spec), { scale, pods: of.pods.map(pod), usage: usage(of.pods), history, now });
}

const same = (count: number, rest: Omit<TestPod, 'name'>): TestPod[] =>
  Array.from({ length: count }, (_, index) => ({ name: `p${index}`, ...rest }));

const table: Case[] = [
  {
    what: 'twice the target doubles',
    pods: same(2, { cpu: 100 }),
    wanted: 2,
    replicas: 4,
    reason: 'cpu resource utilization (percentage of request) above target',
  },
  { what: 'within a tenth of the target nothing changes', pods: same(2, { cpu: 54 }), wanted: 2, replicas: 2 },
  {
    what: 'a half of the target halves',
    pods: same(4, { cpu: 25 }),
    wanted: 4,
    replicas: 2,
    reason: 'All metrics below target',
  },
  { what: 'what is needed is rounded up', pods: same(3, { cpu: 60 }), wanted: 3, replicas: 4 },
  {
    what: 'growth is at most double, or four',
    pods: same(1, { cpu: 1000 }),
    wanted: 1,
    replicas: 4,
    condition: ['ScalingLimited', 'True', 'ScaleUpLimit'],
  },
  {
    what: 'never above the maximum',
    pods: same(8, { cpu: 100 }),
    wanted: 8,
    replicas: 10,
    condition: ['ScalingLimited', 'True', 'TooManyReplicas'],
  },
  {
    what: 'never below the minimum',
    pods: same(3, { cpu: 1 }),
    wanted: 3,
    spec: { minReplicas: 2 },
    replicas: 2,
    condition: ['ScalingLimited', 'True', 'TooFewReplicas'],
  },
  {
    what: 'above the maximum goes back to it without metrics',
    pods: same(12, {}),
    wanted: 12,
    replicas: 10,
    reason: 'Current number of replicas above Spec.MaxReplicas',
  },
  {
    what: 'below the minimum goes up to it without metrics',
    pods: same(1, {}),
    wanted: 1,
    spec: { minReplicas: 3 },
    replicas: 3,
    reason: 'Current number of replicas below Spec.MinReplicas',
  },
  {
    what: 'a target of zero replicas is left alone',
    pods: [],
    wanted: 0,
    replicas: 0,
    condition: ['ScalingActive', 'False', 'ScalingDisabled'],
  },
  {
    what: 'no measured pod says nothing',
    pods: same(2, {}),
    wanted: 2,
    replicas: undefined,
    condition: ['ScalingActive', 'False', 'FailedGetResourceMetric'],
  },
  {
    what: 'a container without a request has no percentage',
    pods: same(2, { cpu: 10, request: '' }),
    wanted: 2,
    replicas: undefined,
    condition: ['ScalingActive', 'False', 'FailedGetResourceMetric'],
  },
  {
    what: 'a missing pod counts as idle when growing',
    pods: [...same(2, { cpu: 120 }), { name: 'q' }],
    wanted: 3,
    replicas: 5,
  },
  {
    what: 'a missing pod counts as full when shrinking',
    pods: [...same(3, { cpu: 25 }), { name: 'q' }],
    wanted: 4,
    replicas: 4,
  },
  {
    what: 'a pod that is starting does not count',
    pods: [...same(2, { cpu: 50 }), { name: 'q', cpu: 900, ready: false, startedAt: now - minute }],
    wanted: 3,
    replicas: 3,
  },
  {
    what: 'nor does a pending one',
    pods: [...same(2, { cpu: 200 }), { name: 'q', phase: 'Pending' }],
    wanted: 3,
    replicas: 6,
  },
  {
    what: 'an average value needs no requests',
    pods: same(2, { cpu: 300, request: '' }),
    wanted: 2,
    spec: {
      metrics: [
        { type: 'Resource', resource: { name: 'cpu', target: { type: 'AverageValue', averageValue: '200m' } } },
      ],
    },
    replicas: 3,
  },
  {
    what: 'the metric that asks for the most decides',
    pods: same(2, { cpu: 100 }),
    wanted: 2,
    spec: { metrics: [...cpuTarget(100), ...cpuTarget(50)] },
    replicas: 4,
  },
  {
    what: 'with one metric failing the others may still ask for more',
    pods: same(2, { cpu: 100 }),
    wanted: 2,
    spec: { metrics: [{ type: 'Pods', pods: { metric: { name: 'rps' } } }, ...cpuTarget(50)] },
    replicas: 4,
  },
  {
    what: 'but not for less',
    pods: same(4, { cpu: 10 }),
    wanted: 4,
    spec: { metrics: [{ type: 'Pods', pods: { metric: { name: 'rps' } } }, ...cpuTarget(50)] },
    replicas: undefined,
    condition: ['ScalingActive', 'False', 'FailedGetPodsMetric'],
  },
  {
    what: 'a policy that is slower than the need',
    pods: same(4, { cpu: 200 }),
    wanted: 4,
    spec: { behavior: { scaleUp: { policies: [{ type: 'Pods', value: 1, periodSeconds: 60 }] } } },
    replicas: 5,
    condition: ['ScalingLimited', 'True', 'ScaleUpLimit'],
  },
  {
    what: 'a direction that is switched off',
    pods: same(4, { cpu: 10 }),
    wanted: 4,
    spec: { behavior: { scaleDown: { selectPolicy: 'Disabled' } } },
    replicas: 4,
    condition: ['ScalingLimited', 'True', 'ScaleDownLimit'],
  },
];

for (const { what, replicas, reason, condition, ...rest } of table)
  test(what, () => {
    const decision = decide(rest);
    assert.equal(decision.replicas, replicas, JSON.stringify(decision));
    if (reason !== undefined) assert.equal(decision.reason, reason);
    if (!condition) return;
    const found = decision.conditions.find(({ type }) => type === condition[0]);
    assert.deepEqual([found?.type, found?.status, found?.reason], condition);
  });

test('a recommendation of the last five minutes holds a shrinking back, and no longer', () => {
  const history: ScalingHistory = { recommendations: [{ at: now - 4 * minute, replicas: 4 }], changes: [] };
  const held = decide({ pods: same(4, { cpu: 10 }), wanted: 4 }, history);
  assert.equal(held.replicas, 4);
  assert.ok(held.conditions.some(({ reason }) => reason === 'ScaleDownStabilized'));
  const old: ScalingHistory = { recommendations: [{ at: now - 6 * minute, replicas: 4 }], changes: [] };
  assert.equal(decide({ pods: same(4, { cpu: 10 }), wanted: 4 }, old).replicas, 1);
});

test('what was added in the period counts against the policy', () => {
  const behavior = { scaleUp: { policies: [{ type: 'Pods', value: 2, periodSeconds: 60 }] } };
  const history: ScalingHistory = { recommendations: [], changes: [{ at: now - 30_000, replicas: 2 }] };
  assert.equal(decide({ pods: same(4, { cpu: 200 }), wanted: 4, spec: { behavior } }, history).replicas, 4);
});

test('without a metrics API the words are those of upstream', () => {
  const failure = 'the server could not find the requested resource (get pods.metrics.k8s.io)';
  const scale = { wanted: 2, current: 2, selects: () => true };
  const history = { recommendations: [], changes: [] };
  const decision = decideReplicas(autoscaler(), { scale, pods: [], usage: { failure }, history, now });
  assert.deepEqual(decision.conditions.at(-1), {
    type: 'ScalingActive',
    status: 'False',
    reason: 'FailedGetResourceMetric',
    message: `the HPA was unable to compute the replica count: failed to get cpu utilization: unable to get metrics for resource cpu: unable to fetch metrics from resource metrics API: ${failure}`,
  });
  assert.deepEqual(
    decision.events.map(({ reason }) => reason),
    ['FailedGetResourceMetric', 'FailedComputeMetricsReplicas'],
  );
});

test('canonical quantities in thousandths', () => {
  for (const [text, milli] of [
    ['100m', 100],
    ['1', 1000],
    ['1500u', 2],
    ['1Ki', 1_024_000],
    ['1e3', 1_000_000],
    [2, 2000],
    ['x', undefined],
    [undefined, undefined],
  ] as const)
    assert.equal(milliOf(text), milli, String(text));
});
