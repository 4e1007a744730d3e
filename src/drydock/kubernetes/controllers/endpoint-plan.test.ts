import assert from 'node:assert/strict';
import { test } from 'node:test';
import { getArray, getPath, getString, type JsonObject } from '#base/json.ts';
import type { ApiObject } from '../api/port.ts';
import { endpointSubsets, endpointsOf, planSlices } from './endpoint-plan.ts';

function service(spec: JsonObject): ApiObject {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 's', namespace: 'n', uid: 's' },
    spec: { selector: { app: 'a' }, ...spec },
  };
}

function pod(
  name: string,
  options: { ready?: boolean; deleting?: boolean; port?: number; phase?: string; labels?: Record<string, string> } = {},
): ApiObject {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace: 'n',
      uid: name,
      labels: options.labels ?? { app: 'a' },
      ...(options.deleting ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {}),
    },
    spec: {
      nodeName: 'node',
      containers: [{ name: 'c', ports: [{ name: 'http', containerPort: options.port ?? 8080 }] }],
    },
    status: {
      phase: options.phase ?? 'Running',
      podIP: `10.244.0.${name.length}`,
      conditions: [{ type: 'Ready', status: options.ready === false ? 'False' : 'True' }],
    },
  };
}

const http = { ports: [{ name: 'web', port: 80, targetPort: 'http', protocol: 'TCP' }] };

const rows: { name: string; service: ApiObject; pods: ApiObject[]; want: string[] }[] = [
  { name: 'ready', service: service(http), pods: [pod('a')], want: ['10.244.0.1:8080 ready serving'] },
  { name: 'not ready', service: service(http), pods: [pod('a', { ready: false })], want: ['10.244.0.1:8080'] },
  {
    name: 'going',
    service: service(http),
    pods: [pod('a', { deleting: true })],
    want: ['10.244.0.1:8080 serving terminating'],
  },
  { name: 'finished', service: service(http), pods: [pod('a', { phase: 'Succeeded' })], want: [] },
  { name: 'of another app', service: service(http), pods: [pod('a', { labels: { app: 'b' } })], want: [] },
  {
    name: 'published before it is ready',
    service: service({ ...http, publishNotReadyAddresses: true }),
    pods: [pod('a', { ready: false })],
    want: ['10.244.0.1:8080 ready serving'],
  },
  {
    name: 'a number',
    service: service({ ports: [{ port: 80, targetPort: 9000 }] }),
    pods: [pod('a')],
    want: ['10.244.0.1:9000 ready serving'],
  },
  {
    name: 'no target',
    service: service({ ports: [{ port: 80 }] }),
    pods: [pod('a')],
    want: ['10.244.0.1:80 ready serving'],
  },
  { name: 'an external name', service: service({ ...http, type: 'ExternalName' }), pods: [pod('a')], want: [] },
  { name: 'no selector', service: service({ ...http, selector: {} }), pods: [pod('a')], want: [] },
];

for (const { name, service: subject, pods, want } of rows)
  test(`endpoints: ${name}`, () => {
    const found = endpointsOf(subject, pods).map((one) =>
      [
        `${one.address}:${one.ports[0]?.port}`,
        one.ready && 'ready',
        one.serving && 'serving',
        one.terminating && 'terminating',
      ]
        .filter(Boolean)
        .join(' '),
    );
    assert.deepEqual(found, want);
  });

test('slices: one per set of ports, kept when nothing changed', () => {
  const subject = service(http);
  const endpoints = endpointsOf(subject, [pod('a'), pod('bb', { port: 9090 })]);
  const first = planSlices(subject, endpoints, []);
  assert.deepEqual([first.create.length, first.update.length, first.remove.length], [2, 0, 0]);
  const stored = first.create.map((slice, index) => ({
    ...slice,
    metadata: { ...slice.metadata, name: `s-${index}` },
  }));
  const second = planSlices(subject, endpoints, stored);
  assert.deepEqual([second.create, second.update, second.remove], [[], [], []]);
  const third = planSlices(subject, endpointsOf(subject, [pod('bb', { port: 9090 })]), stored);
  assert.deepEqual(
    [third.create.length, third.update.length, third.remove.map((slice) => slice.metadata.name)],
    [0, 0, ['s-0']],
  );
});

test('slices: at most 100 endpoints each, and one stays when there are none', () => {
  const subject = service({ ports: [{ port: 80 }] });
  const pods = Array.from({ length: 150 }, (_, index) => pod(`p${String(index).padStart(3, '0')}`));
  const sizes = planSlices(subject, endpointsOf(subject, pods), []).create.map(
    (slice) => getArray(slice, 'endpoints').length,
  );
  assert.deepEqual(sizes, [100, 50]);
  const none = planSlices(subject, [], []);
  assert.equal(none.create.length, 1);
  assert.equal(getString(none.create[0], 'metadata', 'labels', 'kubernetes.io/service-name'), 's');
});

test('the older object groups ready and not ready addresses', () => {
  const subsets = endpointSubsets(endpointsOf(service(http), [pod('a'), pod('bb', { ready: false })]));
  assert.equal(subsets.length, 1);
  assert.equal(getPath(subsets[0], 'addresses', 0, 'ip'), '10.244.0.1');
  assert.equal(getPath(subsets[0], 'notReadyAddresses', 0, 'ip'), '10.244.0.2');
  assert.deepEqual(getPath(subsets[0], 'ports'), [{ name: 'web', protocol: 'TCP', port: 8080 }]);
});
