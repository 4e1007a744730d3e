import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '#kube/port.ts';
import { type AppProject, allowAllProject, parseAppProject } from '#model/argocd/app-project.ts';
import type { Application } from '#model/argocd/application.ts';
import { type ArgoSettings, defaultSettings } from '#model/argocd/settings.ts';
import { syncIdentity } from './impersonation.ts';
import { isDestinationPermitted, isKindPermitted, isSourcePermitted, specProblems } from './project.ts';
import { projectOf, selects } from './projects.ts';

const project = (fields: Partial<AppProject>): AppProject => ({ ...allowAllProject, name: 'p', ...fields });
const sources: [string[], string, boolean][] = [
  [['*'], 'https://h/org/x', true],
  [['https://h/org/*'], 'https://h/org/x.git', true],
  [['https://h/*'], 'https://h/org/x', false],
  [['https://h/**'], 'https://h/org/x', true],
  [['!https://h/org/*.git', '*'], 'https://h/org1/x', true],
  [['!https://h/org/*', '*'], 'https://h/org/x', false],
  [['!https://h/g/*'], 'https://h/g/sub/repo', true],
  [['!https://h/g/**'], 'https://h/g/sub/repo', false],
  [['git@h:org/x.git'], 'https://h/org/x', false],
  [['git@h:org/x.git'], 'ssh://git@h/org/x', true],
  [['ssh://git@h/org/*'], 'git@h:org/x.git', true],
  [['HTTPS://H/Org/X'], 'https://h/org/x.git', true],
  [['https://h/org*'], 'https://h/org1', true],
  [['!*'], 'https://h/x', false],
  [[], 'https://h/x', false],
];
for (const [sourceRepos, url, want] of sources)
  test(`source ${url} in ${sourceRepos.join(' ')}`, () => {
    assert.equal(isSourcePermitted(project({ sourceRepos }), url), want);
  });

const destinations: [AppProject['destinations'], string, string, boolean][] = [
  [[{ server: 'X', namespace: '!default' }], 'X', 'kube-system', true],
  [[{ server: '!X', namespace: 'default' }], 'X', 'default', false],
  [[{ server: '!X', namespace: 'default' }], 'Y', 'default', true],
  [
    [
      { server: '*', namespace: '*' },
      { server: '*', namespace: '!kube-system' },
    ],
    'X',
    'kube-system',
    false,
  ],
  [
    [
      { server: '*', namespace: '*' },
      { server: 'https://s1', namespace: '!other' },
    ],
    's2',
    'other',
    true,
  ],
  [
    [
      { server: '*', namespace: 'test' },
      { server: '!https://s1', namespace: 'other' },
    ],
    'https://s1',
    'test',
    true,
  ],
  [[{ name: 'in-*', namespace: 'a' }], 'X', 'a', true],
  [[{ server: '*' }], 'X', 'a', false],
  [[{ server: '*' }], 'X', '', true],
  [
    [
      { server: '*', namespace: '*' },
      { name: 'in-cluster', namespace: '!a' },
    ],
    'X',
    'a',
    true,
  ],
  [
    [
      { name: '!in-cluster', namespace: 'a' },
      { server: '*', namespace: '*' },
    ],
    'X',
    'b',
    false,
  ],
];
for (const [entries, server, namespace, want] of destinations)
  test(`destination ${server}/${namespace} in ${JSON.stringify(entries)}`, () => {
    assert.equal(
      isDestinationPermitted(project({ destinations: entries }), { server, name: 'in-cluster' }, namespace),
      want,
    );
  });

test('kinds: cluster-scoped need the list, namespaced need only not to be denied', () => {
  const role = { group: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'r', namespaced: false };
  const map = { group: '', kind: 'ConfigMap', name: 'm', namespaced: true };
  assert.equal(isKindPermitted(project({ clusterResourceWhitelist: [] }), role), false);
  assert.equal(isKindPermitted(project({}), role), true);
  assert.equal(isKindPermitted(project({ namespaceResourceWhitelist: [] }), map), false);
  assert.equal(isKindPermitted(project({ namespaceResourceBlacklist: [{ group: '', kind: 'Config*' }] }), map), false);
});

test('cluster-scoped kinds by name', () => {
  const crd = { group: 'apiextensions.k8s.io', kind: 'CustomResourceDefinition', namespaced: false };
  const only = project({ clusterResourceWhitelist: [{ group: '*', kind: 'Custom*', name: '*.example.com' }] });
  assert.equal(isKindPermitted(only, { ...crd, name: 'a.example.com' }), true);
  assert.equal(isKindPermitted(only, { ...crd, name: 'a.other.com' }), false);
  const but = project({ clusterResourceBlacklist: [{ group: '*', kind: 'Namespace', name: 'kube-*' }] });
  const namespace = { group: '', kind: 'Namespace', namespaced: false };
  assert.equal(isKindPermitted(but, { ...namespace, name: 'kube-system' }), false);
  assert.equal(isKindPermitted(but, { ...namespace, name: 'shop' }), true);
});

const app = (fields: Partial<Application['spec']> = {}): Application => ({
  apiVersion: 'argoproj.io/v1alpha1',
  kind: 'Application',
  metadata: { name: 'a', namespace: 'argocd' },
  spec: { project: 'p', source: { repoURL: 'https://h/x', path: '.' }, destination: { server: 's' }, ...fields },
});
const scoped = (project: string) => (project === 'p' ? [{ server: 'https://own', name: 'own' }] : []);
const place = { server: 'https://s', name: 'far', ofProject: scoped };
const specs: { name: string; fields?: Partial<AppProject>; spec?: Partial<Application['spec']>; want: RegExp[] }[] = [
  { name: 'right', want: [] },
  { name: 'no source', spec: { source: undefined as never }, want: [/names no repository/] },
  { name: 'no path', spec: { source: { repoURL: 'https://h/x' } }, want: [/needs path or chart/] },
  { name: 'an artifact needs none', spec: { source: { repoURL: 'oci://h/x' } }, want: [] },
  {
    name: 'a chart without version',
    spec: { source: { repoURL: 'https://h/x', chart: 'c' } },
    want: [/needs targetRevision/],
  },
  {
    name: 'a repository of others',
    fields: { sourceRepos: ['https://other/*'] },
    want: [/application repo https:\/\/h\/x is not permitted in project 'p'/],
  },
  {
    name: 'a place of others, by server',
    fields: { destinations: [{ server: 'x', namespace: '*' }] },
    want: [
      /^application destination server 'https:\/\/s' and namespace '' do not match any of the allowed destinations in project 'p'$/,
    ],
  },
  {
    name: 'a place of others, by name',
    fields: { destinations: [] },
    spec: { destination: { name: 'far', namespace: 'n' } },
    want: [/^application destination server 'far' and namespace 'n' do not match/],
  },
  { name: 'a cluster of no project', fields: { permitOnlyProjectScopedClusters: true }, want: [/do not match any/] },
  {
    name: 'commits that have to be signed',
    fields: { signatures: [{ repositories: ['*'], mode: 'head', keys: ['A'] }] },
    want: [/signatures are not verified/],
  },
  {
    name: 'signatures of other repositories',
    fields: { signatures: [{ repositories: ['https://y/*'], mode: 'strict', keys: ['A'] }] },
    want: [],
  },
  {
    name: 'signatures that nobody checks',
    fields: { signatures: [{ repositories: ['*'], mode: 'none', keys: [] }] },
    want: [],
  },
];
for (const { name, fields = {}, spec = {}, want } of specs)
  test(`a specification: ${name}`, () => {
    const found = specProblems(app(spec), project(fields), place);
    assert.equal(found.length, want.length, found.join('; '));
    for (const [at, pattern] of want.entries()) assert.match(found[at] ?? '', pattern);
  });

test('a project that permits only its own clusters permits those', () => {
  const own = { server: 'https://own', name: 'own', ofProject: scoped };
  assert.deepEqual(specProblems(app(), project({ permitOnlyProjectScopedClusters: true }), own), []);
});

function projectObject(name: string, spec: Record<string, unknown>, labels: Record<string, string> = {}): KubeObject {
  return { apiVersion: 'argoproj.io/v1alpha1', kind: 'AppProject', metadata: { name, labels }, spec };
}
function projects(objects: KubeObject[], globalProjects: ArgoSettings['globalProjects']) {
  const find = (name: string) => objects.find(({ metadata }) => metadata.name === name);
  return { find, settings: () => ({ ...defaultSettings, globalProjects }), namespace: 'argocd' };
}

test('global projects add to those whose labels their selector fits, roles and source namespaces apart', () => {
  const shared = projectObject('shared', {
    sourceRepos: ['https://shared/*'],
    sourceNamespaces: ['everywhere'],
    destinations: [{ server: 's', namespace: 'n' }],
    clusterResourceWhitelist: [{ group: '', kind: 'Namespace' }],
    namespaceResourceWhitelist: [{ group: '', kind: 'ConfigMap' }],
    syncWindows: [{ kind: 'deny', schedule: '* * * * *', duration: '1h', applications: ['*'] }],
  });
  const team = projectObject('team', { sourceRepos: ['https://team/*'] }, { tier: 'a' });
  const deps = projects(
    [shared, team],
    [
      { projectName: 'shared', labelSelector: { matchExpressions: [{ key: 'tier', operator: 'In', values: ['a'] }] } },
      { projectName: 'absent', labelSelector: undefined },
    ],
  );
  const merged = projectOf(deps, 'team');
  assert.ok(!Array.isArray(merged));
  assert.deepEqual(merged.sourceRepos, ['https://team/*', 'https://shared/*']);
  assert.deepEqual(merged.sourceNamespaces, []);
  assert.equal(merged.destinations.length, 1);
  assert.deepEqual(
    merged.namespaceResourceWhitelist?.map(({ kind }) => kind),
    ['ConfigMap'],
  );
  assert.equal(merged.syncWindows.length, 1);
  const own = projectOf(deps, 'shared');
  assert.ok(!Array.isArray(own));
  assert.deepEqual(own.sourceRepos, ['https://shared/*']);
  assert.deepEqual(projectOf(deps, 'lost'), [
    'application references project lost which does not exist: create the AppProject lost in namespace argocd, or set spec.project to another',
  ]);
});

const selectors: [unknown, Record<string, string>, boolean][] = [
  [undefined, {}, true],
  [{}, { a: 'b' }, true],
  [{ matchLabels: { a: 'b' } }, { a: 'b' }, true],
  [{ matchLabels: { a: 'b' } }, { a: 'c' }, false],
  [{ matchExpressions: [{ key: 'a', operator: 'NotIn', values: ['b'] }] }, {}, true],
  [{ matchExpressions: [{ key: 'a', operator: 'Exists' }] }, {}, false],
  [{ matchExpressions: [{ key: 'a', operator: 'DoesNotExist' }] }, {}, true],
  [{ matchExpressions: [{ key: 'a', operator: 'Gt', values: ['1'] }] }, { a: '2' }, false],
];
for (const [selector, labels, want] of selectors)
  test(`${JSON.stringify(selector)} selects ${JSON.stringify(labels)}`, () => {
    assert.equal(selects(selector, labels), want);
  });

test('the older signature keys are one policy, unless there are policies for Git', () => {
  const of = (spec: unknown) => {
    const parsed = parseAppProject({ metadata: { name: 'p' }, spec });
    return Array.isArray(parsed) ? parsed : parsed.signatures;
  };
  const signatureKeys = [{ keyID: 'ABC' }];
  assert.deepEqual(of({ signatureKeys }), [{ repositories: ['*'], mode: 'head', keys: ['ABC'] }]);
  const policies = [{ repos: [{ url: 'https://h/*' }], gpg: { mode: 'strict', keys: ['D'] } }];
  assert.deepEqual(of({ signatureKeys, sourceIntegrity: { git: { policies } } }), [
    { repositories: ['https://h/*'], mode: 'strict', keys: ['D'] },
  ]);
});

const accounts = [
  { server: 'https://a', namespace: 'team-*', defaultServiceAccount: 'deployer' },
  { server: 'https://a', namespace: '*', defaultServiceAccount: 'ops:robot' },
  { server: 'https://b', namespace: '*', defaultServiceAccount: 'bad/name' },
];
const on = { impersonation: true, impersonationEnforced: true };
const identities: {
  name: string;
  server: string;
  namespace?: string;
  settings?: typeof on;
  want: string | undefined;
}[] = [
  { name: 'off', server: 'https://a', settings: { ...on, impersonation: false }, want: undefined },
  {
    name: 'the first that fits',
    server: 'https://a',
    namespace: 'team-x',
    want: 'system:serviceaccount:team-x:deployer',
  },
  { name: 'one with its namespace', server: 'https://a', namespace: 'x', want: 'system:serviceaccount:ops:robot' },
  {
    name: 'none fits',
    server: 'https://c',
    namespace: 'x',
    want: 'no matching service account found for destination server https://c and namespace x',
  },
  { name: 'none has to', server: 'https://c', settings: { ...on, impersonationEnforced: false }, want: undefined },
  {
    name: 'one that is none',
    server: 'https://b',
    want: "failed to derive service account to impersonate: default service account contains invalid chars 'bad/name'",
  },
];
for (const { name, server, namespace = '', settings = on, want } of identities)
  test(`a sync acts as: ${name}`, () => {
    const application = app({ destination: { server, namespace } });
    const identity = syncIdentity({ project: { destinationServiceAccounts: accounts }, application, server, settings });
    assert.equal('problem' in identity ? identity.problem : identity.user, want);
  });
