import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '#kube/port.ts';
import { factsOf, networkingOf } from './node-facts.ts';

const object = (apiVersion: string, kind: string, more: Record<string, unknown>): KubeObject => ({
  apiVersion,
  kind,
  metadata: { name: 'x', namespace: 'n' },
  ...more,
});
const pod = (status: Record<string, unknown>, spec: Record<string, unknown> = {}, metadata = {}) =>
  object('v1', 'Pod', {
    metadata: { name: 'x', namespace: 'n', ...metadata },
    spec: { nodeName: 'node-1', containers: [{ name: 'a' }, { name: 'b' }], ...spec },
    status: { phase: 'Running', ...status },
  });
const up = { ready: true, restartCount: 0, state: { running: {} } };
const deletion = { deletionTimestamp: '2026-01-01T00:00:00Z' };

const pods: { name: string; pod: KubeObject; want: [reason: string, containers: string, restarts?: string] }[] = [
  { name: 'running', pod: pod({ containerStatuses: [up, up] }), want: ['Running', '2/2'] },
  {
    name: 'crash loop',
    pod: pod({
      containerStatuses: [
        up,
        { ...up, ready: false, restartCount: 3, state: { waiting: { reason: 'CrashLoopBackOff' } } },
      ],
    }),
    want: ['CrashLoopBackOff', '1/2', '3'],
  },
  {
    name: 'ended with a code',
    pod: pod({ containerStatuses: [{ state: { terminated: { exitCode: 3 } } }, up] }),
    want: ['ExitCode:3', '1/2'],
  },
  {
    name: 'one completed beside one that runs',
    pod: pod({ containerStatuses: [{ state: { terminated: { reason: 'Completed', exitCode: 0 } } }, up] }),
    want: ['Running', '1/2'],
  },
  {
    name: 'preparing',
    pod: pod(
      {
        phase: 'Pending',
        initContainerStatuses: [{ state: { terminated: { exitCode: 0 } } }, { state: { running: {} } }],
      },
      { initContainers: [{ name: 'i' }, { name: 'j' }] },
    ),
    want: ['Init:1/2', '0/2'],
  },
  {
    name: 'a preparation that failed',
    pod: pod(
      { phase: 'Pending', initContainerStatuses: [{ state: { terminated: { exitCode: 1, reason: 'Error' } } }] },
      { initContainers: [{ name: 'i' }] },
    ),
    want: ['Init:Error', '0/2'],
  },
  {
    name: 'a sidecar counts',
    pod: pod(
      {
        initContainerStatuses: [{ name: 'i', started: true, ready: true, state: { running: {} } }],
        containerStatuses: [up, up],
      },
      { initContainers: [{ name: 'i', restartPolicy: 'Always' }] },
    ),
    want: ['Running', '3/3'],
  },
  { name: 'on its way out', pod: pod({ containerStatuses: [up, up] }, {}, deletion), want: ['Terminating', '2/2'] },
  { name: 'lost', pod: pod({ reason: 'NodeLost', containerStatuses: [] }, {}, deletion), want: ['Unknown', '0/2'] },
  {
    name: 'gated',
    pod: pod({ phase: 'Pending', conditions: [{ type: 'PodScheduled', reason: 'SchedulingGated' }] }),
    want: ['SchedulingGated', '0/2'],
  },
];
for (const row of pods)
  test(`pod: ${row.name}`, () => {
    const facts = Object.fromEntries(factsOf(row.pod).map(({ name, value }) => [name, value]));
    const [reason, containers, restarts] = row.want;
    assert.deepEqual(facts, {
      'Status Reason': reason,
      Node: 'node-1',
      Containers: containers,
      ...(restarts ? { 'Restart Count': restarts } : {}),
    });
  });

test('a revision is shown', () => {
  const metadata = { name: 'x', annotations: { 'deployment.kubernetes.io/revision': '4' } };
  assert.deepEqual(factsOf(object('apps/v1', 'ReplicaSet', { metadata })), [{ name: 'Revision', value: 'Rev:4' }]);
});

const networks: { name: string; object: KubeObject; want: unknown }[] = [
  {
    name: 'a Service and its load balancer',
    object: object('v1', 'Service', {
      spec: { type: 'LoadBalancer', selector: { app: 'web' } },
      status: { loadBalancer: { ingress: [{ ip: '192.0.2.1' }] } },
    }),
    want: { targetLabels: { app: 'web' }, ingress: [{ ip: '192.0.2.1' }] },
  },
  {
    name: 'an Ingress and its services, each once',
    object: object('networking.k8s.io/v1', 'Ingress', {
      spec: {
        defaultBackend: { service: { name: 'web' } },
        rules: [
          {
            host: 'h.example',
            http: {
              paths: [
                { path: '/a', backend: { service: { name: 'api' } } },
                { path: '/b', backend: { service: { name: 'api' } } },
              ],
            },
          },
        ],
      },
    }),
    want: {
      targetRefs: [
        { kind: 'Service', namespace: 'n', name: 'web' },
        { kind: 'Service', namespace: 'n', name: 'api' },
      ],
      ingress: [],
      externalURLs: ['http://h.example/a', 'http://h.example/b'],
    },
  },
  {
    name: 'a VirtualService by the names of hosts',
    object: object('networking.istio.io/v1', 'VirtualService', {
      spec: { http: [{ route: [{ destination: { host: 'web' } }, { destination: { host: 'api.other.svc' } }] }] },
    }),
    want: {
      targetRefs: [
        { kind: 'Service', namespace: 'n', name: 'web' },
        { kind: 'Service', namespace: 'other', name: 'api' },
      ],
    },
  },
  {
    name: 'an HTTPRoute',
    object: object('gateway.networking.k8s.io/v1', 'HTTPRoute', {
      spec: { rules: [{ backendRefs: [{ name: 'web' }] }] },
    }),
    want: { targetRefs: [{ kind: 'Service', namespace: 'n', name: 'web' }] },
  },
  { name: 'a ConfigMap takes no traffic', object: object('v1', 'ConfigMap', {}), want: undefined },
];
for (const { name, object: given, want } of networks)
  test(`networking: ${name}`, () => assert.deepEqual(networkingOf(given), want));
