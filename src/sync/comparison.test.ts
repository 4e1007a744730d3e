import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '#kube/port.ts';
import { defaultSettings } from '#model/argocd/settings.ts';
import { removeFields, uniteFields } from './fields-v1.ts';
import { deletePoliciesOf, hookRoleOf, waveOf } from './hooks.ts';
import { parseTrackingId, trackingApplication, trackingIdOf } from './identity.ts';
import { imagesOf } from './images.ts';
import { removePointers } from './json-pointer.ts';
import { dropsLastApplied } from './last-applied.ts';
import { contentOf, normalizeDesired } from './normalize.ts';
import { projectOn } from './projection.ts';

const object = (fields: Record<string, unknown> = {}, metadata: Record<string, unknown> = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'a', namespace: 'n', ...metadata },
  ...fields,
});
const noted = (annotations: Record<string, string>) => object({}, { annotations });

const roles: { name: string; notes: Record<string, string>; want: string }[] = [
  { name: 'no annotation', notes: {}, want: 'resource' },
  { name: 'one type', notes: { 'argocd.argoproj.io/hook': 'PreSync' }, want: 'PreSync' },
  { name: 'several types', notes: { 'argocd.argoproj.io/hook': 'PreSync, PostSync' }, want: 'PreSync,PostSync' },
  { name: 'Skip', notes: { 'argocd.argoproj.io/hook': 'Skip' }, want: 'ignored' },
  { name: 'Skip beside another', notes: { 'argocd.argoproj.io/hook': 'Skip,Sync' }, want: 'Sync' },
  { name: 'unknown type', notes: { 'argocd.argoproj.io/hook': 'Sometime' }, want: 'ignored' },
  { name: 'helm crd-install', notes: { 'helm.sh/hook': 'crd-install' }, want: 'resource' },
  { name: 'helm install and upgrade', notes: { 'helm.sh/hook': 'pre-install,pre-upgrade' }, want: 'PreSync' },
  { name: 'helm after', notes: { 'helm.sh/hook': 'post-upgrade' }, want: 'PostSync' },
  { name: 'helm test', notes: { 'helm.sh/hook': 'test' }, want: 'ignored' },
  { name: 'helm rollback', notes: { 'helm.sh/hook': 'pre-rollback' }, want: 'ignored' },
  {
    name: 'argo wins over helm',
    notes: { 'argocd.argoproj.io/hook': 'Sync', 'helm.sh/hook': 'pre-install' },
    want: 'Sync',
  },
];
for (const row of roles)
  test(`hook role: ${row.name}`, () => {
    const role = hookRoleOf(noted(row.notes));
    assert.equal(role.kind === 'hook' ? role.types.join() : role.kind, row.want);
  });

test('delete policies of both families are merged', () => {
  assert.deepEqual(deletePoliciesOf(noted({})), ['BeforeHookCreation']);
  const both = {
    'argocd.argoproj.io/hook-delete-policy': 'HookSucceeded',
    'helm.sh/hook-delete-policy': 'hook-failed,hook-succeeded',
  };
  assert.deepEqual(deletePoliciesOf(noted(both)), ['HookSucceeded', 'HookFailed']);
});

const waves: [Record<string, string>, number][] = [
  [{}, 0],
  [{ 'argocd.argoproj.io/sync-wave': '-3' }, -3],
  [{ 'helm.sh/hook-weight': '5' }, 5],
  [{ 'argocd.argoproj.io/sync-wave': 'x', 'helm.sh/hook-weight': '5' }, 5],
  [{ 'argocd.argoproj.io/sync-wave': '1', 'helm.sh/hook-weight': '5' }, 1],
];
for (const [notes, want] of waves)
  test(`wave of ${JSON.stringify(notes)}`, () => {
    assert.equal(waveOf(noted(notes)), want);
  });

test('tracking ids name the application, and a copied one does not count', () => {
  const key = { group: 'apps', kind: 'Deployment', namespace: 'default', name: 'nginx' };
  assert.equal(trackingIdOf('my-app', key, 'x'), 'my-app:apps/Deployment:default/nginx');
  assert.equal(trackingIdOf('my-app', { group: '', kind: 'Namespace', name: 'n' }, 'dest'), 'my-app:/Namespace:dest/n');
  assert.deepEqual(parseTrackingId('a:rbac/Role:ns/with:colon'), {
    application: 'a',
    group: 'rbac',
    kind: 'Role',
    namespace: 'ns',
    name: 'with:colon',
  });
  assert.equal(
    trackingApplication(noted({ 'argocd.argoproj.io/tracking-id': 'app:/ConfigMap:n/a' }), defaultSettings.tracking),
    'app',
  );
  assert.equal(
    trackingApplication(
      noted({ 'argocd.argoproj.io/tracking-id': 'app:/ConfigMap:n/other' }),
      defaultSettings.tracking,
    ),
    undefined,
  );
  assert.equal(trackingApplication(noted({}), defaultSettings.tracking), undefined);
});

test('a desired object loses nulls, status and what servers write; stringData becomes data', () => {
  const secret: KubeObject = {
    ...object(
      { stringData: { p: 'x' }, data: { q: 'eQ==' }, status: {}, extra: null },
      { creationTimestamp: null, labels: {} },
    ),
    kind: 'Secret',
  };
  assert.deepEqual(normalizeDesired(secret), {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'a', namespace: 'n' },
    data: { q: 'eQ==', p: 'eA==' },
  });
});

test('content leaves out status, bookkeeping and last-applied', () => {
  const live = object(
    { data: { a: '1' }, status: { x: 1 } },
    {
      uid: 'u',
      resourceVersion: '4',
      managedFields: [],
      annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{}' },
    },
  );
  assert.deepEqual(contentOf(live), object({ data: { a: '1' } }));
});

test('the projection holds what the desired object speaks about', () => {
  const desired = { spec: { replicas: 1, list: [1] }, gone: 1 };
  const live = { spec: { replicas: 2, list: [1, 2], other: true }, more: 1 };
  assert.deepEqual(projectOn(desired, live), { spec: { replicas: 2, list: [1, 2] }, gone: null });
});

const lastApplied = (original: unknown, live: Record<string, unknown>) =>
  object(live, { annotations: { 'kubectl.kubernetes.io/last-applied-configuration': JSON.stringify(original) } });
const drops: {
  name: string;
  original: Record<string, unknown>;
  desired: Record<string, unknown>;
  live: Record<string, unknown>;
  want: boolean;
}[] = [
  {
    name: 'the same',
    original: { data: { a: '1' } },
    desired: { data: { a: '2' } },
    live: { data: { a: '1' } },
    want: false,
  },
  {
    name: 'a dropped member',
    original: { data: { a: '1', b: '1' } },
    desired: { data: { a: '1' } },
    live: { data: { a: '1', b: '1' } },
    want: true,
  },
  {
    name: 'dropped, but gone already',
    original: { data: { b: '1' } },
    desired: { data: {} },
    live: { data: {} },
    want: false,
  },
  { name: 'a dropped section', original: { data: { b: '1' } }, desired: {}, live: { data: { b: '1' } }, want: true },
  {
    name: 'a dropped item by name',
    original: { l: [{ name: 'x' }, { name: 'y' }] },
    desired: { l: [{ name: 'x' }] },
    live: { l: [{ name: 'x' }, { name: 'y' }] },
    want: true,
  },
  {
    name: 'an item of others',
    original: { l: [{ name: 'x' }] },
    desired: { l: [{ name: 'x' }] },
    live: { l: [{ name: 'x' }, { name: 'sidecar' }] },
    want: false,
  },
];
for (const row of drops)
  test(`last applied: ${row.name}`, () => {
    assert.equal(dropsLastApplied(object(row.desired), lastApplied(object(row.original), row.live)), row.want);
  });

test('ignored fields go by pointer or by owner', () => {
  const value = { spec: { replicas: 3, 'a/b': 1, list: [{ x: 1 }, { x: 2 }] } };
  assert.deepEqual(removePointers(value, ['/spec/replicas', '/spec/a~1b', '/spec/list/0', '/nowhere/at/all']), {
    spec: { list: [{ x: 2 }] },
  });
  const fields = { 'f:spec': { 'f:replicas': {}, 'f:list': { 'k:{"x":2}': { 'f:y': {} } } } };
  assert.deepEqual(removeFields({ spec: { replicas: 1, list: [{ x: 2, y: 1 }] } }, fields), {
    spec: { list: [{ x: 2 }] },
  });
  assert.deepEqual(uniteFields({ a: { b: {} } }, { a: { c: {} } }), { a: { b: {}, c: {} } });
});

test('images of all containers, once each', () => {
  const spec = {
    template: { spec: { containers: [{ image: 'b' }, { image: 'a' }], initContainers: [{ image: 'b' }] } },
  };
  assert.deepEqual(imagesOf(object({ spec })), ['a', 'b']);
});
