import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '#kube/port.ts';
import { type AtomicMaps, atomicMapsOf, projectOn, readAtomicMaps } from './projection.ts';

const rows: { name: string; desired: unknown; live: unknown; atomic?: AtomicMaps; want: unknown }[] = [
  {
    name: 'members of others are left out',
    desired: { a: { b: 1 } },
    live: { a: { b: 2, c: 3 }, d: 4 },
    want: { a: { b: 2 } },
  },
  { name: 'what is missing is null', desired: { a: 1, b: { c: 1 } }, live: {}, want: { a: null, b: null } },
  { name: 'lists are whole', desired: { a: [1] }, live: { a: [1, { x: 2 }] }, want: { a: [1, { x: 2 }] } },
  {
    name: 'a map that is one value is whole',
    desired: { a: { b: 1 }, c: { d: 1 } },
    live: { a: { b: 1, x: 2 }, c: { d: 1, y: 2 } },
    atomic: { a: {} },
    want: { a: { b: 1, x: 2 }, c: { d: 1 } },
  },
  {
    name: 'a place that is not desired is none',
    desired: { a: 1 },
    live: { a: 1, b: { c: 1 } },
    atomic: { b: {} },
    want: { a: 1 },
  },
];
for (const { name, desired, live, atomic, want } of rows)
  test(`projection: ${name}`, () => {
    assert.deepEqual(projectOn(desired, live, atomic), want);
  });

const service = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'a', labels: { l: '1' } } };
const answer = (fieldsV1: object, manager = 'argocd-controller'): KubeObject => ({
  ...service,
  metadata: { ...service.metadata, managedFields: [{ manager, operation: 'Apply', fieldsV1 }] },
});
const owners = {
  'f:metadata': { 'f:labels': { 'f:l': {} } },
  'f:spec': { 'f:selector': {}, 'f:type': {}, 'f:ports': {} },
};

test('the maps that are one value are those that we own as a leaf', () => {
  const desired = { ...service, spec: { selector: { app: 'a' }, type: 'ClusterIP', ports: [{ port: 80 }] } };
  assert.deepEqual(readAtomicMaps(atomicMapsOf(desired, answer(owners))), { spec: { selector: {} } });
  assert.equal(atomicMapsOf({ ...desired, spec: { type: 'ClusterIP' } }, answer(owners)), undefined);
  assert.equal(atomicMapsOf(desired, answer(owners, 'somebody')), undefined);
  assert.equal(atomicMapsOf(desired, service), undefined);
  assert.equal(readAtomicMaps(undefined), undefined);
});
