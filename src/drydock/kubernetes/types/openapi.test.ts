import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '#base/json.ts';
import { getPath, isObject } from '#base/json.ts';
import { openApiSchemas } from './openapi.ts';

const groups: [string, string][] = [
  ['', 'v1'],
  ['apps', 'v1'],
  ['batch', 'v1'],
  ['networking.k8s.io', 'v1'],
  ['policy', 'v1'],
  ['rbac.authorization.k8s.io', 'v1'],
  ['autoscaling', 'v1'],
  ['autoscaling', 'v2'],
  ['storage.k8s.io', 'v1'],
  ['coordination.k8s.io', 'v1'],
  ['discovery.k8s.io', 'v1'],
  ['events.k8s.io', 'v1'],
  ['apiextensions.k8s.io', 'v1'],
  ['authentication.k8s.io', 'v1'],
  ['authorization.k8s.io', 'v1'],
  ['scheduling.k8s.io', 'v1'],
  ['admissionregistration.k8s.io', 'v1'],
];

function references(value: unknown, found: string[] = []): string[] {
  if (Array.isArray(value)) for (const item of value) references(item, found);
  else if (isObject(value)) {
    if (typeof value['$ref'] === 'string') found.push(value['$ref'].replace('#/components/schemas/', ''));
    for (const item of Object.values(value)) references(item, found);
  }
  return found;
}

for (const [group, version] of groups) {
  test(`every reference of ${group === '' ? 'core' : group}/${version} leads somewhere`, () => {
    const schemas = openApiSchemas(group, version);
    for (const name of references(schemas)) assert.ok(isObject(schemas[name]), name);
  });
}

const core = openApiSchemas('', 'v1');
const apps = openApiSchemas('apps', 'v1');

function property(schemas: JsonObject, type: string, name: string): JsonObject {
  const found = getPath(schemas, type, 'properties', name);
  assert.ok(isObject(found), `${type}.${name}`);
  return found;
}

test('kinds carry their group, version and kind', () => {
  assert.deepEqual(getPath(apps, 'io.k8s.api.apps.v1.Deployment', 'x-kubernetes-group-version-kind'), [
    { group: 'apps', version: 'v1', kind: 'Deployment' },
  ]);
  assert.ok(apps['io.k8s.api.apps.v1.DeploymentList']);
});

test('lists carry both kinds of merge keys', () => {
  const ports = property(core, 'io.k8s.api.core.v1.Container', 'ports');
  assert.deepEqual(
    [
      ports['x-kubernetes-list-type'],
      ports['x-kubernetes-list-map-keys'],
      ports['x-kubernetes-patch-merge-key'],
      ports['x-kubernetes-patch-strategy'],
    ],
    ['map', ['containerPort', 'protocol'], 'containerPort', 'merge'],
  );
  const volumes = property(core, 'io.k8s.api.core.v1.PodSpec', 'volumes');
  assert.equal(volumes['x-kubernetes-patch-strategy'], 'merge,retainKeys');
  assert.equal(property(core, 'io.k8s.api.core.v1.PodSpec', 'tolerations')['x-kubernetes-list-type'], 'atomic');
});

test('types, required members and first sentences', () => {
  assert.deepEqual(getPath(apps, 'io.k8s.api.apps.v1.DeploymentSpec', 'required'), ['selector', 'template']);
  const replicas = property(apps, 'io.k8s.api.apps.v1.DeploymentSpec', 'replicas');
  assert.deepEqual([replicas['type'], replicas['format']], ['integer', 'int32']);
  assert.match(String(replicas['description']), /^Number of desired pods\./);
  assert.equal(property(core, 'io.k8s.api.core.v1.ContainerPort', 'protocol')['default'], 'TCP');
  assert.ok(isObject(apps['io.k8s.apimachinery.pkg.api.resource.Quantity']));
});
