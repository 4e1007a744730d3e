import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '#kube/port.ts';
import type { ApplicationStatus, ResourceResult, ResourceStatus } from '#model/argocd/application.ts';
import { externalUrlsOf, linksOf } from './external-urls.ts';
import { boundedStatus } from './status-size.ts';

const ingress = (
  spec: unknown,
  more: Record<string, unknown> = {},
  annotations: Record<string, string> = {},
): KubeObject => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'Ingress',
  metadata: { name: 'i', annotations },
  spec,
  ...more,
});
const paths = (...list: string[]) => ({ http: { paths: list.map((path) => ({ path })) } });
const links = {
  'link.argocd.argoproj.io/a': 'Docs|https://docs.example.com',
  'link.argocd.argoproj.io/b': 'javascript:x',
};
const urlRows: { name: string; object: KubeObject; want: string[] }[] = [
  {
    name: 'host and paths',
    object: ingress({ rules: [{ host: 'a.example.com', ...paths('/', '/api/*') }] }),
    want: ['http://a.example.com/', 'http://a.example.com/api/'],
  },
  {
    name: 'TLS for the host',
    object: ingress({
      rules: [
        { host: 'a', ...paths('/') },
        { host: 'b', ...paths('/') },
      ],
      tls: [{ hosts: ['a'] }],
    }),
    want: ['https://a/', 'http://b/'],
  },
  {
    name: 'TLS with a Secret is for all',
    object: ingress({ rules: [{ host: 'b', ...paths('') }], tls: [{ hosts: ['a'], secretName: 's' }] }),
    want: ['https://b'],
  },
  {
    name: 'no host: the address of the load balancer',
    object: ingress({ rules: [paths('/x')] }, { status: { loadBalancer: { ingress: [{ ip: '192.0.2.1' }] } } }),
    want: ['http://192.0.2.1/x'],
  },
  { name: 'no address', object: ingress({ rules: [paths('/x')] }), want: [] },
  {
    name: 'links, and the default ones not wanted',
    object: ingress(
      { rules: [{ host: 'a', ...paths('/') }] },
      {},
      { ...links, 'argocd.argoproj.io/ignore-default-links': 'true' },
    ),
    want: ['Docs|https://docs.example.com'],
  },
  {
    name: 'a gateway',
    object: {
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'Gateway',
      metadata: { name: 'g' },
      spec: {
        listeners: [
          { hostname: 'g.example.com', protocol: 'HTTPS', port: 443 },
          { protocol: 'HTTP', port: 8080 },
        ],
      },
      status: { addresses: [{ value: '192.0.2.2' }] },
    },
    want: ['https://g.example.com', 'http://192.0.2.2:8080'],
  },
];
for (const row of urlRows)
  test(`external addresses: ${row.name}`, () => {
    assert.deepEqual(externalUrlsOf(row.object), row.want);
  });

test('links of annotations lead to pages only', () => {
  assert.deepEqual(linksOf({ ...links, other: 'https://x' }), ['Docs|https://docs.example.com']);
});

function large(count: number): ApplicationStatus {
  const common = { version: 'v1', kind: 'ConfigMap', namespace: 'some-namespace' };
  const name = (at: number) => `some-configuration-of-medium-length-${at}`;
  const resources = Array.from({ length: count }, (_, at): ResourceStatus => {
    return { ...common, name: name(at), status: 'Synced', health: { status: at === 0 ? 'Degraded' : 'Healthy' } };
  });
  const results = Array.from({ length: count }, (_, at): ResourceResult => {
    const message = `configmap/${name(at)} created`;
    const ended = { syncPhase: 'Sync', status: 'Synced', hookPhase: at === 0 ? 'Failed' : 'Succeeded' } as const;
    return {
      ...common,
      group: '',
      name: name(at),
      message,
      images: ['registry.example.com/team/image:1.2.3'],
      ...ended,
    };
  });
  const operation = { sync: {} };
  return {
    resources,
    operationState: { operation, phase: 'Running', startedAt: 'then', syncResult: { resources: results } },
  };
}

test('the status of 4,000 objects fits into what an API server takes, and stays the same when it is made again', () => {
  const small = large(1_000);
  assert.equal(boundedStatus(small), small);
  const full = large(4_000);
  const bounded = boundedStatus(full);
  assert.ok(JSON.stringify(full).length > 1_500_000);
  assert.ok(JSON.stringify(bounded).length < 1_400_000, `${JSON.stringify(bounded).length}`);
  const { resources = [], operationState } = bounded;
  assert.equal(resources.length, 4_000);
  assert.equal(resources[0]?.health?.status, 'Degraded');
  assert.ok(operationState?.syncResult?.resources?.[0]?.message, 'what failed keeps its message');
  const again = boundedStatus({ ...full, ...(operationState ? { operationState } : {}) });
  assert.deepEqual(again, bounded);
});
