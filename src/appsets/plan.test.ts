import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '#base/json.ts';
import type { KubeObject } from '#kube/port.ts';
import type { ApplicationsSync } from '#model/argocd/application-set.ts';
import { parseApplicationSet } from '#model/argocd/application-set.ts';
import { defaultSettings } from '#model/argocd/settings.ts';
import { normalizeApplicationSpec } from './normalize-spec.ts';
import { planApplications, policyOf, validateApplications } from './plan.ts';

const apiVersion = 'argoproj.io/v1alpha1';
const owner = { apiVersion, kind: 'ApplicationSet', name: 'set', uid: 'u', controller: true, blockOwnerDeletion: true };
const spec = { project: 'default', source: { repoURL: 'r', path: 'p' }, destination: { server: 's' } };

function setOf(more: JsonObject = {}) {
  const metadata = { name: 'set', namespace: 'argocd', uid: 'u' };
  return parseApplicationSet({
    apiVersion,
    kind: 'ApplicationSet',
    metadata,
    spec: { generators: [], template: {}, ...more },
  }).set;
}

function live(name: string, more: JsonObject = {}, metadata: JsonObject = {}): KubeObject {
  return {
    apiVersion,
    kind: 'Application',
    metadata: {
      name,
      namespace: 'argocd',
      uid: `${name}-uid`,
      resourceVersion: '1',
      ownerReferences: [owner],
      ...metadata,
    },
    spec: { ...spec, ...more },
  };
}

function desired(name: string, more: JsonObject = {}, metadata: JsonObject = {}): JsonObject {
  return {
    apiVersion,
    kind: 'Application',
    metadata: { name, namespace: 'argocd', ...metadata },
    spec: { ...spec, ...more },
  };
}

function plan(
  wanted: JsonObject[],
  there: KubeObject[],
  options: { set?: JsonObject; policy?: ApplicationsSync; lost?: boolean; generated?: string[] } = {},
): unknown {
  const names = wanted.map((one) => String((one['metadata'] as JsonObject)['name']));
  return planApplications({
    set: setOf(options.set),
    desired: wanted,
    generatedNames: new Set([...names, ...(options.generated ?? [])]),
    live: new Map(there.map((one) => [one.metadata.name, one])),
    policy: options.policy ?? 'sync',
    settings: defaultSettings.applicationSets,
    isReachable: () => options.lost !== true,
  }).map((action) => {
    if (action.kind === 'update') return [action.kind, action.name, action.patch];
    if (action.kind === 'delete') return [action.kind, action.name, action.releaseResources];
    if (action.kind === 'refuse') return [action.kind, action.message];
    return [action.kind, action.name, action.object.metadata.ownerReferences];
  });
}

test('what is written: nothing when all is as it should be', () => {
  assert.deepEqual(plan([desired('a')], [live('a')]), []);
  assert.deepEqual(plan([desired('b'), desired('a')], []), [
    ['create', 'a', [owner]],
    ['create', 'b', [owner]],
  ]);
  assert.deepEqual(plan([desired('a', { source: { repoURL: 'r', path: 'q' } })], [live('a')]), [
    ['update', 'a', { spec: { source: { path: 'q' } } }],
  ]);
  const normal = [
    live('a', {
      project: 'default',
      syncPolicy: {},
      source: { ...spec.source, helm: {}, directory: { recurse: false }, targetRevision: '' },
    }),
  ];
  assert.deepEqual(plan([desired('a', { project: '' })], normal), [], 'the same in other words');
  assert.deepEqual(plan([desired('a', { syncPolicy: { automated: {} } })], [live('a')]), [
    ['update', 'a', { spec: { syncPolicy: { automated: {} } } }],
  ]);
});

test('labels, annotations and finalizers are those of the template, but for what is preserved', () => {
  const metadata = {
    annotations: {
      'argocd.argoproj.io/refresh': 'hard',
      'notified.notifications.argoproj.io': 'x',
      kept: 'k',
      gone: 'g',
    },
    labels: { kept: 'k', gone: 'g' },
    finalizers: ['old', 'post-delete-finalizer.argocd.argoproj.io/cleanup'],
  };
  const preservedFields = { annotations: ['kept'], labels: ['kept'] };
  assert.deepEqual(
    plan([desired('a', {}, { finalizers: ['new'], labels: { own: 'o' } })], [live('a', {}, metadata)], {
      set: { preservedFields },
    }),
    [
      [
        'update',
        'a',
        {
          metadata: {
            annotations: { gone: null },
            labels: { gone: null, own: 'o' },
            finalizers: ['new', 'post-delete-finalizer.argocd.argoproj.io/cleanup'],
          },
        },
      ],
    ],
  );
});

test('differences that are ignored stay', () => {
  const there = [
    live('a', {
      source: { repoURL: 'r', path: 'p', targetRevision: 'hand' },
      syncPolicy: { automated: { prune: true } },
    }),
    live('b', { source: { ...spec.source, targetRevision: 'hand' } }),
  ];
  const ignore = (rules: JsonObject[]) =>
    plan([desired('a'), desired('b')], there, { set: { ignoreApplicationDifferences: rules } });
  assert.deepEqual(
    ignore([{ jsonPointers: ['/spec/source/targetRevision'] }, { name: 'a', jqPathExpressions: ['.spec.syncPolicy'] }]),
    [],
  );
  assert.deepEqual(ignore([{ name: 'b', jsonPointers: ['/spec/source/targetRevision', '/spec/none/x'] }]), [
    ['update', 'a', { spec: { source: { targetRevision: null }, syncPolicy: null } }],
  ]);
  assert.throws(() => ignore([{ jqPathExpressions: ['.a['] }]), /\.a\[/);
});

test('ownership and policies', () => {
  const other = { ...owner, name: 'other', uid: 'o' };
  const foreign = live('a', {}, { ownerReferences: [other] });
  assert.deepEqual(plan([desired('a')], [foreign]), [
    ['refuse', 'Object argocd/a is already owned by another ApplicationSet controller other'],
  ]);
  assert.deepEqual(plan([desired('a')], [live('a', {}, { ownerReferences: [] })]), [
    ['update', 'a', { metadata: { ownerReferences: [owner] } }],
  ]);
  const there = [
    live('a', { project: 'x' }),
    live('gone'),
    live('foreign', {}, { ownerReferences: [other] }),
    live('going', {}, { deletionTimestamp: 't' }),
  ];
  const wanted = [desired('a'), desired('new')];
  const kinds = (policy: ApplicationsSync) =>
    (plan(wanted, there, { policy }) as [string, string][]).map(([kind, name]) => `${kind} ${name}`);
  assert.deepEqual(kinds('sync'), ['update a', 'create new', 'delete gone']);
  assert.deepEqual(kinds('create-update'), ['update a', 'create new']);
  assert.deepEqual(kinds('create-delete'), ['create new', 'delete gone']);
  assert.deepEqual(kinds('create-only'), ['create new']);
  assert.deepEqual(plan([], [live('bad')], { generated: ['bad'] }), [], 'what is invalid is not deleted');
  const finalizers = ['resources-finalizer.argocd.argoproj.io'];
  assert.deepEqual(plan([], [live('a', {}, { finalizers })], { lost: true }), [['delete', 'a', true]]);
  assert.deepEqual(plan([], [live('a', {}, { finalizers })]), [['delete', 'a', false]]);
});

test('whose policy counts', () => {
  const { applicationSets } = defaultSettings;
  const own = setOf({ syncPolicy: { applicationsSync: 'create-only' } });
  assert.equal(policyOf(setOf(), applicationSets), 'sync');
  assert.equal(policyOf(own, applicationSets), 'create-only');
  assert.equal(policyOf(own, { ...applicationSets, policy: 'create-update', policyOverride: false }), 'create-update');
});

test('what cannot be applied is sorted out', () => {
  const { valid, errors, names } = validateApplications(
    setOf(),
    [
      desired(''),
      desired('a'),
      desired('twice'),
      desired('twice'),
      desired('p', { project: 'none' }),
      desired('d', { destination: { name: 'lost' } }),
    ],
    {
      projectExists: (name) => name === 'default',
      destinationProblem: (destination) =>
        JSON.stringify(destination).includes('lost') ? 'there is no cluster' : undefined,
      documentProblems: () => [],
    },
  );
  assert.deepEqual(
    valid.map((one) => (one['metadata'] as JsonObject)['name']),
    ['a'],
  );
  assert.deepEqual([...errors.keys()], ['', 'twice', 'p', 'd']);
  assert.match(errors.get('p') ?? '', /project none which does not exist/);
  assert.ok(names.has('d') && names.has('twice'));
});

test('empty is not always nothing', () => {
  assert.deepEqual(
    normalizeApplicationSpec({
      source: {
        repoURL: 'r',
        ref: '',
        helm: { valuesObject: { a: '', b: [] }, valueFiles: [] },
        kustomize: { images: [] },
      },
      syncPolicy: { automated: {}, retry: { limit: 0 }, syncOptions: [] },
      ignoreDifferences: [],
    }),
    {
      project: 'default',
      source: { repoURL: 'r', helm: { valuesObject: { a: '', b: [] } } },
      syncPolicy: { automated: {} },
    },
  );
});
