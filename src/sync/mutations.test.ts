import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '#kube/port.ts';
import { withoutMutations } from './mutations.ts';

const containers = (...names: string[]) => names.map((name) => ({ name, image: 'i' }));
const object = (spec: unknown, metadata: object = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'a', namespace: 'shop', ...metadata },
  spec,
});
const owned = (spec: unknown, fields: object): KubeObject =>
  object(spec, {
    managedFields: [
      { manager: 'argocd-controller', operation: 'Apply', fieldsV1: { 'f:spec': fields } },
      { manager: 'other', operation: 'Update', fieldsV1: { 'f:spec': { 'f:theirs': {} } } },
    ],
  });
const own = (name: string) => ({ [`k:{"name":"${name}"}`]: { '.': {}, 'f:name': {}, 'f:image': {} } });

const rows: { name: string; predicted: unknown; fields: object; live: unknown; want: unknown }[] = [
  {
    name: 'an owned field is as predicted',
    predicted: { a: 2 },
    fields: { 'f:a': {} },
    live: { a: 1 },
    want: { a: 2 },
  },
  {
    name: 'a field of others is as it is live',
    predicted: { a: 1, theirs: 2 },
    fields: { 'f:a': {} },
    live: { a: 1, theirs: 1 },
    want: { a: 1, theirs: 1 },
  },
  {
    name: 'a field that a webhook adds is not there',
    predicted: { a: 1, added: 1 },
    fields: { 'f:a': {} },
    live: { a: 1 },
    want: { a: 1 },
  },
  {
    name: 'what the apply takes away stays away',
    predicted: { a: 1 },
    fields: { 'f:a': {} },
    live: { a: 1, b: 2 },
    want: { a: 1 },
  },
  {
    name: 'in parts of others too',
    predicted: { a: 1, map: { x: 1 } },
    fields: { 'f:a': {} },
    live: { a: 1, map: { x: 1, y: 2 } },
    want: { a: 1, map: { x: 1 } },
  },
  {
    name: 'a map that is one value',
    predicted: { map: { x: 1 } },
    fields: { 'f:map': {} },
    live: { map: { x: 1, y: 2 } },
    want: { map: { x: 1 } },
  },
  {
    name: 'a container that a webhook injects is not there',
    predicted: { containers: containers('web', 'injected') },
    fields: { 'f:containers': own('web') },
    live: { containers: containers('web') },
    want: { containers: containers('web') },
  },
  {
    name: 'one that was injected before stays',
    predicted: { containers: [...containers('web'), { name: 'injected', image: 'new' }] },
    fields: { 'f:containers': own('web') },
    live: { containers: containers('injected', 'web') },
    want: { containers: containers('web', 'injected') },
  },
  {
    name: 'a new item of ours has its keys, defaulted ones too',
    predicted: { ports: [{ port: 80, protocol: 'TCP', name: 'http', nodePort: 3 }] },
    fields: { 'f:ports': { 'k:{"port":80,"protocol":"TCP"}': { '.': {}, 'f:port': {}, 'f:name': {} } } },
    live: {},
    want: { ports: [{ port: 80, protocol: 'TCP', name: 'http' }] },
  },
  {
    name: 'sets by their values',
    predicted: { finalizers: ['ours', 'theirs', 'added'] },
    fields: { 'f:finalizers': { '.': {}, 'v:"ours"': {} } },
    live: { finalizers: ['theirs'] },
    want: { finalizers: ['ours', 'theirs'] },
  },
];
for (const { name, predicted, fields, live, want } of rows)
  test(`mutations: ${name}`, () => {
    const out = withoutMutations(owned(predicted, fields), object(live), 'argocd-controller');
    assert.deepEqual(out['spec'], want);
    assert.deepEqual([out.kind, out.metadata.name, out.metadata.namespace], ['Pod', 'a', 'shop']);
  });

test('mutations: an answer that tells no owners stays as it is', () => {
  const predicted = object({ a: 1, b: 2 });
  assert.equal(withoutMutations(predicted, object({ a: 1 }), 'argocd-controller'), predicted);
});
