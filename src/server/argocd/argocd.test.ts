import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AppError } from '#base/errors.ts';
import { cloneJson } from '#base/json.ts';
import type { Application } from '#model/argocd/application.ts';
import { testClock, testEntropy } from '../../../test/clock.ts';
import { application } from '../../../test/web/application.ts';
import { finalizersForDeletion } from './application-writes.ts';
import { clusterRequestOf, clusterSecretName, clusterShape } from './cluster-document.ts';
import { fnv32a } from './declared-secrets.ts';
import { parseDeepLinks, renderDeepLinks } from './deep-links.ts';
import { maskFields } from './field-mask.ts';
import { grpcStatusOf } from './grpc-status.ts';
import { keepsLine } from './logs.ts';
import { projectOf, roleTokens, withRoleTokens } from './project-document.ts';
import { assertSyncable, rollbackOperationOf, SyncBody, syncOperationOf } from './sync-request.ts';

const list = {
  metadata: {},
  items: [{ metadata: { name: 'a', labels: { x: '1' } }, spec: { p: 1 }, status: { s: 1 } }],
};
const masks: [string, unknown][] = [
  ['', list],
  ['items.metadata.name,items.spec', { items: [{ metadata: { name: 'a' }, spec: { p: 1 } }] }],
  ['items.nothing', { items: [{}] }],
  ['-items.status,items.metadata.labels', { metadata: {}, items: [{ metadata: { name: 'a' }, spec: { p: 1 } }] }],
];
for (const [fields, want] of masks)
  test(`fields=${fields}`, () => assert.deepEqual(maskFields(cloneJson(list), fields), want));

const plain = 'resources-finalizer.argocd.argoproj.io';
const deletions: [string, string[], { cascade?: boolean; policy?: string }, string[] | RegExp][] = [
  ['by default', ['other'], {}, ['other', plain]],
  ['once', [plain], {}, [plain]],
  ['in the background', [plain, 'other'], { policy: 'background' }, ['other', `${plain}/background`]],
  ['in the foreground', [], { policy: 'Foreground' }, [`${plain}/foreground`]],
  ['without what it made', [`${plain}/background`, 'other'], { cascade: false }, ['other']],
  ['contradiction', [], { cascade: false, policy: 'background' }, /cannot set propagation policy/],
  ['nonsense', [], { policy: 'sideways' }, /invalid propagation policy: sideways/],
];
for (const [name, present, { cascade, policy }, want] of deletions)
  test(`finalizers of a deletion: ${name}`, () => {
    const run = () => finalizersForDeletion(present, { cascade, policy });
    if (want instanceof RegExp) assert.throws(run, want);
    else assert.deepEqual(run(), want);
  });

const base = application({ name: 'shop', automated: false });
const source = { repoURL: 'https://h/r', path: '.', targetRevision: 'main' };
const single: Application = { ...base, spec: { ...base.spec, source } };
const sources = [source, { ...source, targetRevision: 'v1' }];
const { source: _, ...rest } = base.spec;
const several: Application = { ...base, spec: { ...rest, sources } };
const automatic: Application = {
  ...single,
  spec: { ...single.spec, syncPolicy: { automated: {}, syncOptions: ['A=b'], retry: { limit: 3 } } },
};
const by = { initiatedBy: { username: 'kim' } };

const operations: {
  name: string;
  app: Application;
  body: Record<string, unknown>;
  resolved?: [number, string][];
  want: unknown;
}[] = [
  { name: 'nothing said', app: single, body: {}, want: { sync: { source }, ...by } },
  {
    name: 'options and retry of the specification',
    app: automatic,
    body: { dryRun: true },
    want: { sync: { source, dryRun: true, syncOptions: ['A=b'] }, ...by, retry: { limit: 3 } },
  },
  {
    name: 'options and retry of the request',
    app: automatic,
    body: { syncOptions: { items: [] }, retryStrategy: { limit: '1', backoff: null }, prune: true },
    want: { sync: { source, prune: true }, ...by, retry: { limit: 1 } },
  },
  {
    name: 'a part, by hooks or not, with infos',
    app: single,
    body: {
      resources: [null, { kind: 'Service', name: 's' }],
      strategy: { apply: { force: true } },
      infos: [{ name: 'a', value: 'b' }],
    },
    want: {
      sync: {
        source,
        syncStrategy: { apply: { force: true } },
        resources: [{ group: '', kind: 'Service', name: 's' }],
      },
      ...by,
      info: [{ name: 'a', value: 'b' }],
    },
  },
  {
    name: 'a revision',
    app: single,
    body: { revision: 'v2' },
    resolved: [[0, 'c0ffee']],
    want: { sync: { source, revision: 'c0ffee' }, ...by },
  },
  {
    name: 'a revision of one of several sources',
    app: several,
    body: { revisions: ['v2'], sourcePositions: [2] },
    resolved: [[1, 'c0ffee']],
    want: { sync: { sources, revisions: ['main', 'c0ffee'] }, ...by },
  },
];
for (const { name, app, body, resolved = [], want } of operations)
  test(`operation of a sync: ${name}`, () => {
    const asked = { username: 'kim', resolved: new Map(resolved) };
    assert.deepEqual(syncOperationOf(app, SyncBody.parse(body), asked), want);
  });

const refusals: [string, Application, Record<string, unknown>, RegExp | undefined][] = [
  [
    'another revision while automated',
    automatic,
    { revision: 'v2' },
    /Cannot sync to v2: auto-sync currently set to main/,
  ],
  ['the same revision while automated', automatic, { revision: 'main' }, undefined],
  ['another revision, dry', automatic, { revision: 'v2', dryRun: true }, undefined],
  ['local manifests while automated', automatic, { manifests: ['{}'] }, /cannot use local sync/],
  [
    'while it is deleted',
    { ...single, metadata: { ...single.metadata, deletionTimestamp: 'x' } },
    {},
    /application is deleting/,
  ],
  ['a source that is not there', several, { revisions: ['v'], sourcePositions: [3] }, undefined],
];
for (const [name, app, body, want] of refusals)
  test(`a sync is refused or not: ${name}`, () => {
    const run = () => assertSyncable(app, SyncBody.parse(body));
    if (want) assert.throws(run, want);
    else run();
  });

test('a rollback takes what the history says', () => {
  const history = [{ id: 4, revision: 'r4', source, deployedAt: '' }];
  const app: Application = { ...single, status: { history } };
  const request = { id: 4, prune: true, dryRun: false, username: 'kim' };
  const sync = { revision: 'r4', source, prune: true, syncStrategy: { apply: {} } };
  assert.deepEqual(rollbackOperationOf(app, request), { sync, ...by });
  assert.throws(() => rollbackOperationOf(app, { ...request, id: 9 }), /does not have deployment with id 9/);
  const automated = { ...app, spec: automatic.spec };
  assert.throws(
    () => rollbackOperationOf(automated, request),
    /rollback cannot be initiated when auto-sync is enabled/,
  );
});

const projects: { name: string; spec: Record<string, unknown>; says: RegExp | undefined }[] = [
  { name: 'empty', spec: {}, says: undefined },
  {
    name: 'a role',
    spec: { roles: [{ name: 'ci', policies: ['p,proj:p:ci,applications,sync,p/*,allow'] }] },
    says: undefined,
  },
  {
    name: "another role's subject",
    spec: { roles: [{ name: 'ci', policies: ['p, proj:p:x, applications, get, p/*, allow'] }] },
    says: /policy subject must be: 'proj:p:ci'/,
  },
  {
    name: "another project's object",
    spec: { roles: [{ name: 'ci', policies: ['p, proj:p:ci, applications, get, q/*, allow'] }] },
    says: /object must be of form 'p\/\*'/,
  },
  {
    name: 'accounts are not of a project',
    spec: { roles: [{ name: 'ci', policies: ['p, proj:p:ci, accounts, get, p/*, allow'] }] },
    says: /project resource must be one of/,
  },
  {
    name: 'an action that is none',
    spec: { roles: [{ name: 'ci', policies: ['p, proj:p:ci, applications, fly, p/*, allow'] }] },
    says: /invalid action 'fly'/,
  },
  { name: 'two roles of a name', spec: { roles: [{ name: 'a' }, { name: 'a' }] }, says: /role 'a' already exists/ },
  { name: 'a role without a good name', spec: { roles: [{ name: '-a' }] }, says: /invalid role name '-a'/ },
  { name: 'everything denied', spec: { sourceRepos: ['!*'] }, says: /source repository has an invalid format/ },
  {
    name: 'a destination twice',
    spec: { destinations: [{ server: '*' }, { server: '*' }] },
    says: /destination .* already added/,
  },
  { name: 'lists that are none', spec: { sourceRepos: 'x' }, says: /spec.sourceRepos/ },
];
for (const { name, spec, says } of projects)
  test(`project: ${name}`, () => {
    const run = () => projectOf({ metadata: { name: 'p' }, spec }, 'argocd');
    if (says) assert.throws(run, says);
    else assert.equal(run().metadata.namespace, 'argocd');
  });

test('tokens of a role stand in both places, each once', () => {
  const project = projectOf(
    { metadata: { name: 'p' }, spec: { roles: [{ name: 'ci', jwtTokens: [{ iat: 1, id: 'a' }] }] } },
    'argocd',
  );
  const both = withRoleTokens(project, 'ci', [...roleTokens(project, 'ci'), { iat: 2, exp: 9, id: 'b' }]);
  assert.deepEqual(roleTokens(both, 'ci'), [
    { iat: 1, id: 'a' },
    { iat: 2, exp: 9, id: 'b' },
  ]);
});

test('a cluster goes in with its secrets and comes out without', () => {
  const { data } = clusterRequestOf({
    server: 'https://c.example:6443/',
    config: {
      bearerToken: 'hunter2',
      tlsClientConfig: { insecure: true, keyData: 'a2V5' },
      execProviderConfig: { args: ['hunter2'] },
    },
    namespaces: ['a', 'b'],
  });
  assert.equal(data['server'], 'https://c.example:6443');
  const object = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' } };
  const shape = clusterShape({ object, data }, { state: undefined, applications: 2 });
  assert.deepEqual(shape['config'], { tlsClientConfig: { insecure: true } });
  assert.deepEqual([shape['namespaces'], shape['name']], [['a', 'b'], 'https://c.example:6443']);
  assert.throws(() => clusterRequestOf({ name: 'x' }), /has no server/);
});

test('names of Secrets are those that Argo CD gives', () => {
  assert.equal(fnv32a(''), 2166136261);
  assert.equal(fnv32a('foobar'), 0xbf9cf968);
  assert.equal(clusterSecretName('https://c.example:6443'), `cluster-c.example-${fnv32a('https://c.example:6443')}`);
});

const filters: [string, string, boolean, boolean][] = [
  ['', 'anything', false, true],
  ['err', 'an ERROR', false, true],
  ['err', 'an ERROR', true, false],
  ['!err', 'an error', false, false],
  ['!err', 'fine', false, true],
];
for (const [text, line, matchCase, want] of filters)
  test(`log filter "${text}" on "${line}"${matchCase ? ', letter for letter' : ''}`, () =>
    assert.equal(keepsLine({ text, matchCase, until: undefined }, line), want));

test('deep links are filled in; one that cannot be is told and left out', () => {
  const text =
    '- {url: "https://l/{{.app.metadata.name}}", title: Logs, icon.class: fa-x}\n- {url: "{{", title: Broken}\n- {url: x, title: If, if: a}';
  const told: string[] = [];
  const links = renderDeepLinks(
    parseDeepLinks(text, 'application.links'),
    { app: { metadata: { name: 'shop' } } },
    {
      clock: testClock,
      entropy: testEntropy,
      problem: (problem) => told.push(problem),
    },
  );
  assert.deepEqual(links, [{ title: 'Logs', url: 'https://l/shop', iconClass: 'fa-x' }]);
  assert.equal(told.length, 2);
  assert.throws(() => parseDeepLinks('a: b', 'application.links'), /is no list/);
});

const statuses: [unknown, number, number][] = [
  [new AppError('bad-input', 'x'), 3, 400],
  [new AppError('not-found', 'x'), 5, 404],
  [new AppError('conflict', 'another operation is already in progress'), 9, 400],
  [new AppError('conflict', 'Secret "s" already exists'), 6, 409],
  [new AppError('conflict', 'the object has been modified'), 10, 409],
  [new AppError('forbidden', 'x'), 7, 403],
  [new AppError('unauthorized', 'x'), 16, 401],
  [new AppError('unsupported', 'x'), 12, 501],
  [new Error('x'), 13, 500],
];
for (const [error, code, http] of statuses)
  test(`status of ${error instanceof AppError ? `${error.code}: ${error.message}` : 'a bug'}`, () =>
    assert.deepEqual(grpcStatusOf(error), { code, http }));
