import assert from 'node:assert/strict';
import { test } from 'node:test';
import { getArray, getPath, type JsonObject } from '#base/json.ts';
import { testCluster } from '../api-fixture.test.ts';

const classes = '/apis/networking.k8s.io/v1/ingressclasses';
const ingresses = '/apis/networking.k8s.io/v1/namespaces/default/ingresses';

function ingress(name: string, spec: JsonObject = {}, annotations: JsonObject = {}): JsonObject {
  const backend = { service: { name: 'web', port: { number: 80 } } };
  const metadata = { name, annotations };
  return { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', metadata, spec: { defaultBackend: backend, ...spec } };
}

function ingressClass(name: string, isDefault: string): JsonObject {
  const annotations = { 'ingressclass.kubernetes.io/is-default-class': isDefault };
  const spec = { controller: 'example.com/controller' };
  return { apiVersion: 'networking.k8s.io/v1', kind: 'IngressClass', metadata: { name, annotations }, spec };
}

test('a new Ingress without a class gets the default one, which nobody owns', async () => {
  await using cluster = await testCluster();
  const create = async (body: JsonObject) => (await cluster.send('POST', ingresses, { body })).body;
  assert.equal(getPath(await create(ingress('before')), 'spec', 'ingressClassName'), undefined);
  for (const [name, isDefault] of [
    ['b', 'true'],
    ['a', 'true'],
    ['c', 'false'],
  ] as const)
    await cluster.send('POST', classes, { body: ingressClass(name, isDefault) });
  const defaulted = await create(ingress('defaulted'));
  assert.match(String(getPath(defaulted, 'spec', 'ingressClassName')), /^[ab]$/);
  const owned = JSON.stringify(getArray(defaulted, 'metadata', 'managedFields'));
  assert.match(owned, /f:defaultBackend/);
  assert.doesNotMatch(owned, /ingressClassName/);
  assert.equal(getPath(await create(ingress('named', { ingressClassName: 'c' })), 'spec', 'ingressClassName'), 'c');
  const old = await create(ingress('old', {}, { 'kubernetes.io/ingress.class': 'nginx' }));
  assert.equal(getPath(old, 'spec', 'ingressClassName'), undefined);
});
