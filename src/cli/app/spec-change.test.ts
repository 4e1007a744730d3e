import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ApplicationSpec } from '#model/argocd/application.ts';
import { reduceSource } from './set.ts';
import { changeSpec } from './spec-change.ts';
import type { SpecFlags } from './spec-flags.ts';
import { labelled, parseResource, syncRequest } from './sync-flags.ts';

const before: ApplicationSpec = {
  project: 'default',
  source: { repoURL: 'u', path: 'p', helm: { parameters: [{ name: 'a', value: '1' }], valueFiles: ['v.yaml'] } },
  destination: { server: 's', namespace: 'n' },
};

const cases: { flags: SpecFlags; what: string; spec: Partial<ApplicationSpec> | RegExp; of?: ApplicationSpec }[] = [
  { what: 'nothing', flags: {}, spec: {} },
  {
    what: 'source fields, the rest stays',
    flags: { revision: 'v1', path: 'q' },
    spec: { source: { ...before.source, repoURL: 'u', path: 'q', targetRevision: 'v1' } },
  },
  {
    what: 'parameters are merged by name, value files replaced',
    flags: { parameter: ['a=2', 'b=x=y'], helmSetString: ['c=3'], values: ['w.yaml'] },
    spec: {
      source: {
        ...{ repoURL: 'u', path: 'p' },
        helm: {
          parameters: [
            { name: 'a', value: '2' },
            { name: 'b', value: 'x=y' },
            { name: 'c', value: '3', forceString: true },
          ],
          valueFiles: ['w.yaml'],
        },
      },
    },
  },
  {
    what: 'a cluster by name takes the place of its address',
    flags: { destName: 'c' },
    spec: { destination: { name: 'c', namespace: 'n' } },
  },
  {
    what: 'policy',
    flags: { syncPolicy: 'automated', autoPrune: true, syncOption: ['CreateNamespace=true'] },
    spec: { syncPolicy: { automated: { prune: true }, syncOptions: ['CreateNamespace=true'] } },
  },
  {
    what: 'an option is replaced by its key, and taken away',
    of: { ...before, syncPolicy: { syncOptions: ['Prune=false', 'Validate=false'] } },
    flags: { syncOption: ['Prune=confirm', '!Validate=false'] },
    spec: { syncPolicy: { syncOptions: ['Prune=confirm'] } },
  },
  {
    what: 'back to manual leaves no empty policy',
    of: { ...before, syncPolicy: { automated: { prune: true } } },
    flags: { syncPolicy: 'none' },
    spec: {},
  },
  { what: 'self-heal without a policy', flags: { selfHeal: true }, spec: /--sync-policy|automated/ },
  {
    what: 'kustomize images by name',
    of: { ...before, source: { repoURL: 'u', kustomize: { images: ['a=b:1', 'c:2'] } } },
    flags: { kustomizeImage: ['a:3'], kustomizeCommonLabel: ['k=v'], kustomizeReplica: ['web=2'] },
    spec: {
      source: {
        repoURL: 'u',
        kustomize: { images: ['c:2', 'a:3'], commonLabels: { k: 'v' }, replicas: [{ name: 'web', count: 2 }] },
      },
    },
  },
  {
    what: 'jsonnet and directory',
    of: { ...before, source: { repoURL: 'u' } },
    flags: { directoryRecurse: true, jsonnetTlaCode: ['n=1+1'], jsonnetExtVarStr: ['e=x'] },
    spec: {
      source: {
        repoURL: 'u',
        directory: {
          recurse: true,
          jsonnet: { tlas: [{ name: 'n', value: '1+1', code: true }], extVars: [{ name: 'e', value: 'x' }] },
        },
      },
    },
  },
  {
    what: 'retry',
    flags: { syncRetryLimit: '3', syncRetryBackoffDuration: '1s', syncRetryRefresh: true },
    spec: { syncPolicy: { retry: { limit: 3, refresh: true, backoff: { duration: '1s' } } } },
  },
  { what: 'no assignment', flags: { parameter: ['a'] }, spec: /NAME=VALUE/ },
  {
    what: 'which of several sources',
    of: { ...before, sources: [{ repoURL: 'a' }, { repoURL: 'b' }] },
    flags: { path: 'q' },
    spec: /--source-position/,
  },
];

describe('specifications by flags', () => {
  for (const { what, flags, spec, of = before } of cases)
    test(what, () => {
      if (spec instanceof RegExp)
        return assert.throws(
          () => changeSpec(of, flags),
          (error: Error & { hint?: string }) => spec.test(`${error.message} ${error.hint}`),
        );
      const { syncPolicy: _policy, ...rest } = of;
      assert.deepEqual(changeSpec(of, flags), { ...rest, ...spec });
    });

  test('of several sources the one at the position is changed', () => {
    const { source: _one, ...rest } = before;
    const changed = changeSpec(
      { ...rest, sources: [{ repoURL: 'a' }, { repoURL: 'b' }] },
      { path: 'q' },
      { position: 1 },
    );
    assert.deepEqual(changed.sources, [{ repoURL: 'a' }, { repoURL: 'b', path: 'q' }]);
  });

  test('unset takes away what is named and nothing else', () => {
    const source = {
      repoURL: 'u',
      ref: 'r',
      helm: { values: 'x', valueFiles: ['a', 'b'], parameters: [{ name: 'p', value: '1' }] },
      kustomize: { namePrefix: 'n-', images: ['a:1', 'b@sha256:0'] },
    };
    const flags = {
      values: ['a'],
      valuesLiteral: true,
      parameter: ['p'],
      nameprefix: true,
      kustomizeImage: ['b'],
      ref: true,
    };
    assert.deepEqual(reduceSource(source, flags), {
      repoURL: 'u',
      helm: { valueFiles: ['b'], parameters: [] },
      kustomize: { images: ['a:1'] },
    });
  });
});

describe('sync requests by flags', () => {
  const resources = ['web', 'api'].map((name) => ({
    group: 'apps',
    version: 'v1',
    kind: 'Deployment',
    name,
    namespace: 'n',
  }));
  const application = {
    apiVersion: 'argoproj.io/v1alpha1' as const,
    kind: 'Application' as const,
    metadata: { name: 'a' },
    spec: {
      project: 'default',
      destination: {},
      sources: [
        { repoURL: 'u', name: 'one' },
        { repoURL: 'v', name: 'two' },
      ],
    },
    status: { resources },
  };
  const given = { application, manifests: undefined };

  test('a resource is taken apart', () => {
    const web = { exclude: true, group: 'apps', kind: 'Deployment', name: 'web', namespace: 'n' };
    assert.deepEqual(parseResource('!apps:Deployment:n/web'), web);
    assert.throws(() => parseResource('Deployment'), /apps:Deployment|form/);
  });

  test('exclusions are resolved to what is left', () => {
    assert.deepEqual(Reflect.get(syncRequest(given, { resource: ['!apps:Deployment:web'] }, '/'), 'resources'), [
      { group: 'apps', kind: 'Deployment', name: 'api', namespace: 'n' },
    ]);
    assert.throws(() => syncRequest(given, { resource: ['!apps:Deployment:*'] }, '/'), /no resource that fits/);
  });

  test('sources by name, options, strategy and retry', () => {
    const flags = {
      sourceNames: ['two'],
      revisions: ['v2'],
      replace: true,
      force: true,
      retryLimit: '2',
      retryBackoffDuration: '5s',
      retryBackoffFactor: '2',
    };
    const request = JSON.parse(JSON.stringify(syncRequest(given, flags, '/')));
    assert.deepEqual(request, {
      revisions: ['v2'],
      sourcePositions: [2],
      strategy: { hook: { force: true } },
      syncOptions: { items: ['Replace=true'] },
      retryStrategy: { limit: 2, backoff: { duration: '5s', factor: 2 } },
    });
  });

  test('labels choose among the manifests', () => {
    const manifest = (name: string, team: string) => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name, labels: { team } },
    });
    const found = labelled([manifest('a', 'blue'), manifest('b', 'red')], ['team=red']);
    assert.deepEqual(found, [{ group: '', kind: 'ConfigMap', name: 'b', namespace: undefined }]);
  });
});
