import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Health } from '#health/health.ts';
import type { KubeObject } from '#kube/port.ts';
import type { Application } from '#model/argocd/application.ts';
import { type DeletionInput, hookFinalizers, needsHooks, planDeletion, stuckDeletion } from './deletion.ts';

const now = Date.UTC(2026, 0, 1);
const at = (seconds: number) => new Date(now + seconds * 1000).toISOString();
const cascade = 'resources-finalizer.argocd.argoproj.io';
const pre = 'pre-delete-finalizer.argocd.argoproj.io';
const post = 'post-delete-finalizer.argocd.argoproj.io';

function application(finalizers: string[], annotations: Record<string, string> = {}, syncOptions: string[] = []) {
  const app: Application = {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: { name: 'app', namespace: 'argocd', deletionTimestamp: at(0), finalizers, annotations },
    spec: { project: 'default', destination: { name: 'in-cluster' }, syncPolicy: { syncOptions } },
  };
  return app;
}
const map = (name: string, annotations: Record<string, string> = {}, metadata = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'n', annotations, ...metadata },
});
const hook = (name: string, type: string, annotations = {}, metadata = {}) =>
  map(name, { 'argocd.argoproj.io/hook': type, ...annotations }, metadata);
const going = { deletionTimestamp: at(0) };
const options = (text: string) => ({ 'argocd.argoproj.io/sync-options': text });
const policy = (text: string) => ({ 'argocd.argoproj.io/hook-delete-policy': text });

interface Row {
  name: string;
  app: Application;
  tracked?: KubeObject[] | undefined;
  hooks?: Partial<DeletionInput['hooks']>;
  health?: Health['status'];
  want: string;
}
const rows: Row[] = [
  { name: 'no finalizer', app: application([]), tracked: [map('a')], want: 'none' },
  { name: "another's finalizer", app: application(['x.io/y']), tracked: [map('a')], want: 'none' },
  { name: 'nothing left', app: application([cascade, 'x.io/y']), tracked: [], want: 'release x.io/y' },
  {
    name: 'the cluster is not known any more',
    app: application([pre, `${pre}/cleanup`, cascade, post, 'x.io/y']),
    tracked: undefined,
    want: 'release x.io/y',
  },
  {
    name: 'the highest wave goes first',
    app: application([cascade]),
    tracked: [map('a'), map('b', { 'argocd.argoproj.io/sync-wave': '2' })],
    want: 'delete b Foreground',
  },
  {
    name: 'one wave at a time',
    app: application([cascade]),
    tracked: [map('a'), map('b', {}, going)],
    want: 'wait waiting for deletion of ConfigMap/b',
  },
  ...[`${cascade}/background`, 'background-finalizer.argocd.argoproj.io'].map((finalizer) => ({
    name: `in the background by ${finalizer}`,
    app: application([finalizer]),
    tracked: [map('a')],
    want: 'delete a Background',
  })),
  {
    name: `in the foreground by its long name`,
    app: application([`${cascade}/foreground`]),
    tracked: [map('a')],
    want: 'delete a Foreground',
  },
  {
    name: 'what is kept',
    app: application([cascade]),
    tracked: [
      map('a', options('Delete=false')),
      map('b', { 'helm.sh/resource-policy': 'keep' }),
      { ...map('c'), kind: 'CustomResourceDefinition' },
    ],
    want: 'release ',
  },
  {
    name: 'all are kept by the application but one that says otherwise',
    app: application([cascade], {}, ['Delete=false']),
    tracked: [map('a'), map('b', options('Delete=true'))],
    want: 'delete b Foreground',
  },
  {
    name: 'an application that manages itself is not in its own way',
    app: application([cascade]),
    tracked: [
      {
        apiVersion: 'argoproj.io/v1alpha1',
        kind: 'Application',
        metadata: { name: 'app', namespace: 'argocd', ...going },
      },
    ],
    want: 'release ',
  },
  {
    name: 'what has an owner goes with it',
    app: application([cascade]),
    tracked: [map('a', {}, { ownerReferences: [{}] })],
    want: 'release ',
  },
  {
    name: 'unconfirmed',
    app: application([cascade]),
    tracked: [map('a', options('Delete=confirm')), map('b')],
    want: 'wait waiting for confirmation to delete ConfigMap/a: set argocd.argoproj.io/deletion-approved on the application',
  },
  {
    name: 'confirmed too early',
    app: application([cascade], { 'argocd.argoproj.io/deletion-approved': at(-1) }),
    tracked: [map('a', options('Delete=confirm'))],
    want: 'wait waiting for confirmation to delete ConfigMap/a: set argocd.argoproj.io/deletion-approved on the application',
  },
  {
    name: 'confirmed',
    app: application([cascade], { 'argocd.argoproj.io/deletion-approved': at(1) }),
    tracked: [map('a', options('Delete=confirm'))],
    want: 'delete a Foreground',
  },
  {
    name: 'PreDelete hooks come before everything',
    app: application([cascade, pre, `${pre}/cleanup`]),
    tracked: [map('a')],
    hooks: { PreDelete: [hook('h', 'PreDelete')] },
    want: 'create-hooks h',
  },
  {
    name: 'PreDelete hooks are waited for',
    app: application([cascade, pre]),
    tracked: [map('a'), hook('h', 'PreDelete')],
    hooks: { PreDelete: [hook('h', 'PreDelete')] },
    health: 'Progressing',
    want: 'wait waiting for completion of PreDelete hook ConfigMap/h',
  },
  {
    name: 'a failed PreDelete hook blocks',
    app: application([cascade, pre]),
    tracked: [map('a'), hook('h', 'PreDelete')],
    hooks: { PreDelete: [hook('h', 'PreDelete')] },
    health: 'Degraded',
    want: 'failed-hooks h PreDelete hook(s) failed: n/h',
  },
  {
    name: 'completed PreDelete hooks let the rest go on',
    app: application([cascade, pre, `${pre}/cleanup`]),
    tracked: [map('a'), hook('h', 'PreDelete')],
    hooks: { PreDelete: [hook('h', 'PreDelete')] },
    want: `release ${cascade},${pre}/cleanup`,
  },
  {
    name: "Helm's pre-delete counts",
    app: application([pre]),
    tracked: [map('h', { 'helm.sh/hook': 'pre-delete' })],
    hooks: { PreDelete: [map('h', { 'helm.sh/hook': 'pre-delete' })] },
    health: 'Progressing',
    want: 'wait waiting for completion of PreDelete hook ConfigMap/h',
  },
  {
    name: 'PostDelete hooks come when all is gone',
    app: application([post, `${post}/cleanup`]),
    tracked: [],
    hooks: { PostDelete: [hook('h', 'PostDelete')] },
    want: 'create-hooks h',
  },
  {
    name: 'not before',
    app: application([cascade, post]),
    tracked: [map('a')],
    hooks: { PostDelete: [hook('h', 'PostDelete')] },
    want: 'delete a Foreground',
  },
  {
    name: 'hooks stay by default',
    app: application([`${post}/cleanup`]),
    tracked: [hook('h', 'PostDelete')],
    want: 'release ',
  },
  {
    name: 'hooks go by HookSucceeded',
    app: application([`${post}/cleanup`]),
    tracked: [hook('h', 'PostDelete', policy('HookSucceeded'))],
    want: 'delete h Background',
  },
  {
    name: 'not while one of them failed',
    app: application([`${post}/cleanup`]),
    tracked: [hook('h', 'PostDelete', policy('HookSucceeded'))],
    health: 'Degraded',
    want: 'release ',
  },
  {
    name: 'by HookFailed then',
    app: application([`${pre}/cleanup`, `${post}/cleanup`]),
    tracked: [hook('h', 'PreDelete', policy('HookFailed'))],
    health: 'Degraded',
    want: 'delete h Background',
  },
  {
    name: 'a hook that goes is waited for',
    app: application([`${post}/cleanup`]),
    tracked: [hook('h', 'PostDelete', policy('HookSucceeded'), going)],
    want: 'wait waiting for deletion of ConfigMap/h',
  },
];
for (const row of rows)
  test(`deletion: ${row.name}`, () => {
    const step = planDeletion({
      application: row.app,
      tracked: row.tracked,
      hooks: { PreDelete: [], PostDelete: [], ...row.hooks },
      healthOf: () => (row.health ? { status: row.health } : undefined),
    });
    let got: string = step.kind;
    if (step.kind === 'release') got += ` ${step.finalizers.join()}`;
    if ('objects' in step && step.kind !== 'wait')
      got += ` ${step.objects.map(({ metadata }) => metadata.name).join()}`;
    if (step.kind === 'delete') got += ` ${step.propagation}`;
    if (step.kind === 'wait' || step.kind === 'failed-hooks') got += ` ${step.message}`;
    assert.equal(got, row.want);
  });

test('finalizers of hooks come and go with the hooks', () => {
  const none = { PreDelete: false, PostDelete: false };
  const both = { PreDelete: true, PostDelete: true };
  const all = [pre, `${pre}/cleanup`, post, `${post}/cleanup`];
  assert.equal(hookFinalizers(application([cascade]), none), undefined);
  assert.deepEqual(hookFinalizers(application([cascade]), both), [cascade, ...all]);
  assert.equal(hookFinalizers(application([cascade, ...all]), both), undefined);
  assert.deepEqual(hookFinalizers(application([cascade, ...all]), { ...both, PreDelete: false }), [
    cascade,
    ...all.slice(2),
  ]);
  assert.deepEqual(hookFinalizers(application([pre, cascade]), none), [cascade]);
  assert.deepEqual(
    [needsHooks(application([cascade])), needsHooks(application([`${pre}/cleanup`])), needsHooks(application([post]))],
    [false, false, true],
  );
});

test('what does not go is named after a minute, with what holds it', () => {
  const objects = [map('a', {}, { ...going, finalizers: ['x.io/y'] }), map('b', {}, going), map('c')];
  assert.equal(stuckDeletion(objects, now + 59_000), undefined);
  assert.equal(
    stuckDeletion(objects, now + 60_000),
    `objects of the application do not go away: ConfigMap/a in n (since ${at(0)}, held by x.io/y); ConfigMap/b in n (since ${at(0)}, without a finalizer, its node or controller has to end it)`,
  );
});
