import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '#base/json.ts';
import type { ApiObject } from '../api/port.ts';
import { containerEnvironment, expand, MissingReference } from './environment.ts';
import { serviceLinks } from './service-links.ts';

const known = { A: '1', B: 'two' };
const expansions: [string, string][] = [
  ['plain', 'plain'],
  ['$(A)', '1'],
  ['$(A)/$(B)', '1/two'],
  ['$(C)', '$(C)'],
  ['$$(A)', '$(A)'],
  ['$A', '$A'],
  ['cost: 5$', 'cost: 5$'],
  ['$(A', '$(A'],
];
for (const [text, want] of expansions) test(`expand ${text}`, () => assert.equal(expand(text, known), want));

const pod: ApiObject = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p', namespace: 'n', uid: 'u', labels: { app: 'x' }, annotations: { note: 'y' } },
  spec: { nodeName: 'node', serviceAccountName: 'sa' },
  status: { podIP: '10.244.0.9' },
};
const objects: Record<string, ApiObject> = {
  cm: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'cm' }, data: { k: 'v' } },
};
const sources = {
  pod,
  hostIp: '127.0.0.1',
  configMap: (name: string) => objects[name],
  secret: () => undefined,
};
const from = (valueFrom: JsonObject): JsonObject => ({ name: 'X', valueFrom });
const field = (fieldPath: string): JsonObject => from({ fieldRef: { fieldPath } });

const rows: { name: string; env: JsonObject; want: string | undefined | RegExp }[] = [
  { name: 'name', env: field('metadata.name'), want: 'p' },
  { name: 'namespace', env: field('metadata.namespace'), want: 'n' },
  { name: 'a label', env: field("metadata.labels['app']"), want: 'x' },
  { name: 'an annotation', env: field("metadata.annotations['note']"), want: 'y' },
  { name: 'pod address', env: field('status.podIP'), want: '10.244.0.9' },
  { name: 'node', env: field('spec.nodeName'), want: 'node' },
  { name: 'host address', env: field('status.hostIP'), want: '127.0.0.1' },
  { name: 'an unknown field', env: field('spec.nothing'), want: /field path spec.nothing is not supported/ },
  { name: 'config map', env: from({ configMapKeyRef: { name: 'cm', key: 'k' } }), want: 'v' },
  {
    name: 'no such key',
    env: from({ configMapKeyRef: { name: 'cm', key: 'z' } }),
    want: /couldn't find key z in ConfigMap n\/cm/,
  },
  {
    name: 'no such key, optional',
    env: from({ configMapKeyRef: { name: 'cm', key: 'z', optional: true } }),
    want: undefined,
  },
  { name: 'no such secret', env: from({ secretKeyRef: { name: 's', key: 'z' } }), want: /secret "s" not found/ },
  {
    name: 'resources',
    env: from({ resourceFieldRef: { resource: 'limits.cpu' } }),
    want: /resourceFieldRef is not supported/,
  },
];
for (const { name, env, want } of rows)
  test(`variable from ${name}`, () => {
    const build = (): string | undefined => containerEnvironment({}, { env: [env], envFrom: [] }, sources)['X'];
    if (want instanceof RegExp)
      assert.throws(build, (error) => error instanceof MissingReference && want.test(error.message));
    else assert.equal(build(), want);
  });

test('service links name the loopback address that forwards', () => {
  const service: ApiObject = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'my-db', namespace: 'n' },
    spec: {
      clusterIP: '10.96.0.5',
      ports: [
        { name: 'sql', port: 5432 },
        { port: 53, protocol: 'UDP' },
      ],
    },
  };
  const headless = {
    ...service,
    metadata: { name: 'none', namespace: 'n' },
    spec: { clusterIP: 'None', ports: [{ port: 1 }] },
  };
  assert.deepEqual(
    serviceLinks([service, headless], () => ({ host: '127.0.0.1', port: 20001 })),
    {
      MY_DB_SERVICE_HOST: '127.0.0.1',
      MY_DB_SERVICE_PORT: '20001',
      MY_DB_PORT: 'tcp://127.0.0.1:20001',
      MY_DB_SERVICE_PORT_SQL: '20001',
      MY_DB_PORT_5432_TCP: 'tcp://127.0.0.1:20001',
      MY_DB_PORT_5432_TCP_PROTO: 'tcp',
      MY_DB_PORT_5432_TCP_PORT: '20001',
      MY_DB_PORT_5432_TCP_ADDR: '127.0.0.1',
    },
  );
});
