import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Application, ConditionType } from '#model/argocd/application.ts';
import { applicationObject, configMap, EngineWorld } from './world.ts';

const server = 'https://kubernetes.default.svc';
const automated = { automated: { prune: true, selfHeal: true } };
const inSync = (app: Application) => app.status?.sync?.status === 'Synced' && app.operation === undefined;
const conditionOf = (app: Application, type: ConditionType) =>
  app.status?.conditions?.find((condition) => condition.type === type)?.message;

let world: EngineWorld;
before(async () => {
  world = await EngineWorld.start();
  await world.startEngine({ repositoryGraceMs: 0 });
  world.git.create('trouble');
  world.git.commit('trouble', {
    'good/a.yaml': configMap('a', {}),
    'chart/Chart.yaml': 'apiVersion: v2\nname: chart\nversion: 0.1.0\n',
    'chart/templates/bad.yaml': 'a: {{ .Values.x.y.z }}\n',
    'dependent/Chart.yaml':
      'apiVersion: v2\nname: d\nversion: 0.1.0\ndependencies:\n  - name: x\n    version: 1.0.0\n    repository: http://127.0.0.1:1/charts\n',
    'yaml/broken.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: [unclosed\n',
    'unknown/w.yaml': 'apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: w}\n',
    'refused/d.yaml': 'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\nspec: {replicas: many}\n',
  });
});
after(async () => await world[Symbol.asyncDispose]());

interface Row {
  name: string;
  spec: (repoURL: string) => Record<string, unknown>;
  type: ConditionType;
  message: RegExp;
}

const destination = { server, namespace: 'default' };
const at =
  (path: string, more = {}) =>
  (repoURL: string) => ({ source: { repoURL, path, ...more }, destination, syncPolicy: automated });
const rows: Row[] = [
  {
    name: 'path',
    spec: at('nowhere'),
    type: 'ComparisonError',
    message: /source\.path "nowhere" does not exist in http.* at [0-9a-f]{7}/,
  },
  {
    name: 'revision',
    spec: at('good', { targetRevision: 'v9' }),
    type: 'ComparisonError',
    message: /has no revision "v9"/,
  },
  {
    name: 'template',
    spec: at('chart'),
    type: 'ComparisonError',
    message: /helm template chart .*failed:.*nil pointer evaluating/s,
  },
  {
    name: 'dependency',
    spec: at('dependent'),
    type: 'ComparisonError',
    message:
      /the dependency x 1.0.0 of the chart dependent .* could not be brought from http:\/\/127.0.0.1:1\/charts: .* cannot be reached/,
  },
  {
    name: 'values',
    spec: at('chart', { helm: { valueFiles: ['values-nope.yaml'] } }),
    type: 'ComparisonError',
    message: /helm\.valueFiles "values-nope\.yaml" does not exist: chart\/values-nope\.yaml in http/,
  },
  { name: 'syntax', spec: at('yaml'), type: 'ComparisonError', message: /yaml\/broken\.yaml is not valid YAML/ },
  {
    name: 'repository',
    spec: (url) => ({ ...at('good')(url.replace('trouble', 'absent')), destination }),
    type: 'ComparisonError',
    message: /absent/,
  },
  {
    name: 'unreachable',
    spec: () => at('good')('http://127.0.0.1:1/x/y.git'),
    type: 'ComparisonError',
    message: /127\.0\.0\.1:1/,
  },
  {
    name: 'cluster',
    spec: (url) => ({ ...at('good')(url), destination: { server: 'https://elsewhere', namespace: 'x' } }),
    type: 'InvalidSpecError',
    message: /cluster "https:\/\/elsewhere" not found; known are: in-cluster/,
  },
  {
    name: 'project',
    spec: (url) => ({ ...at('good')(url), project: 'absent' }),
    type: 'InvalidSpecError',
    message: /project absent which does not exist/,
  },
  {
    name: 'kind',
    spec: at('unknown'),
    type: 'SyncError',
    message: /The Kubernetes API could not find example\.com\/Widget for requested resource default\/w/,
  },
  { name: 'refused', spec: at('refused'), type: 'SyncError', message: /replicas/ },
  {
    name: 'jq',
    spec: (url) => ({ ...at('good')(url), ignoreDifferences: [{ kind: 'ConfigMap', jqPathExpressions: ['.data['] }] }),
    type: 'ComparisonError',
    message: /jqPathExpressions/,
  },
];

test('each broken thing is one condition that says what and where, and the others go on', async () => {
  const repoURL = world.git.url('trouble');
  for (const row of rows) {
    const spec = row.spec(repoURL);
    if (row.type === 'SyncError') spec['syncPolicy'] = { ...automated, retry: { limit: 0 } };
    if (row.name === 'jq') spec['destination'] = { server, namespace: 'jq' };
    await world.apply(applicationObject(`bad-${row.name}`, spec));
  }
  await world.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'jq' } });
  await world.apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', namespace: 'jq' } });
  await world.apply(applicationObject('fine', { ...at('good')(repoURL) }));
  for (const row of rows) {
    const app = await world.untilApplication(
      `bad-${row.name}`,
      (found) => conditionOf(found, row.type) !== undefined,
      15_000,
    );
    assert.match(conditionOf(app, row.type) ?? '', row.message, row.name);
    if (row.type !== 'SyncError') assert.equal(app.status?.sync?.status, 'Unknown', row.name);
  }
  await world.untilApplication('fine', inSync);
  const fixed = world.git.commit('trouble', { 'chart/templates/bad.yaml': configMap('mended', {}) });
  world.engine.repositoryChanged(repoURL, 'webhook');
  const app = await world.untilApplication('bad-template', inSync);
  assert.equal(app.status?.sync?.revision, fixed);
  assert.equal(conditionOf(app, 'ComparisonError'), undefined, 'the condition goes with its cause');
});

test('a request that cannot be carried out ends with the reason', async () => {
  await world.apply({
    ...applicationObject('hopeless', at('nowhere')(world.git.url('trouble'))),
    operation: { sync: {} },
  });
  const app = await world.untilApplication('hopeless', (found) => found.status?.operationState?.phase === 'Error');
  assert.equal(app.operation, undefined);
  assert.match(app.status?.operationState?.message ?? '', /"nowhere" does not exist/);
});

test('a failed sync is tried again as its retry says, then succeeds', async () => {
  let failures = 2;
  world.beforeWrite = (what) => {
    if (what !== 'apply ConfigMap flaky' || failures === 0) return;
    failures -= 1;
    throw new (class extends Error {})('the network hiccuped');
  };
  world.git.create('flaky');
  world.git.commit('flaky', { 'a.yaml': configMap('flaky', {}) });
  const source = { repoURL: world.git.url('flaky'), path: '.' };
  const retry = { limit: 5, backoff: { duration: '50ms', factor: 1 } };
  await world.apply(applicationObject('flaky', { source, destination, syncPolicy: { ...automated, retry } }));
  const app = await world.untilApplication('flaky', inSync);
  world.beforeWrite = () => {};
  assert.equal(app.status?.operationState?.retryCount, 2);
  assert.equal(app.status?.operationState?.phase, 'Succeeded');
  assert.equal(app.status?.history?.length, 1);
});

test('an AppProject limits repositories, destinations and kinds', async () => {
  const repoURL = world.git.url('trouble');
  await world.apply({
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'AppProject',
    metadata: { name: 'narrow', namespace: 'argocd' },
    spec: {
      sourceRepos: [repoURL],
      destinations: [{ server, namespace: 'default' }],
      namespaceResourceBlacklist: [{ group: '', kind: 'ConfigMap' }],
    },
  });
  await world.apply(
    applicationObject('narrow-kind', {
      ...at('good')(repoURL),
      project: 'narrow',
      syncPolicy: { ...automated, retry: { limit: 0 } },
    }),
  );
  await world.apply(
    applicationObject('narrow-place', {
      ...at('good')(repoURL),
      project: 'narrow',
      destination: { server, namespace: 'other' },
    }),
  );
  const kind = await world.untilApplication('narrow-kind', (found) => conditionOf(found, 'SyncError') !== undefined);
  assert.match(conditionOf(kind, 'SyncError') ?? '', /resource :ConfigMap is not permitted in project narrow/);
  const place = await world.untilApplication(
    'narrow-place',
    (found) => conditionOf(found, 'InvalidSpecError') !== undefined,
  );
  assert.match(conditionOf(place, 'InvalidSpecError') ?? '', /do not match any of the allowed destinations/);
});

test('while nobody can tell what Git wants, health is that of what is live', async () => {
  const deployment = (replicas: number) => ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'live' },
    spec: {
      replicas,
      selector: { matchLabels: { app: 'live' } },
      template: { metadata: { labels: { app: 'live' } }, spec: { containers: [{ name: 'c', image: 'c:1' }] } },
    },
  });
  world.git.commit('trouble', { 'live/d.yaml': JSON.stringify(deployment(0)) });
  world.engine.repositoryChanged(world.git.url('trouble'), 'push');
  await world.apply(applicationObject('live', at('live')(world.git.url('trouble'))));
  await world.untilApplication('live', (app) => inSync(app) && app.status?.health?.status === 'Healthy');
  world.git.commit('trouble', { 'live/d.yaml': 'kind: Deployment\napiVersion: apps/v1\nmetadata:\n  name: [\n' });
  world.engine.repositoryChanged(world.git.url('trouble'), 'push');
  await world.untilApplication('live', (app) => conditionOf(app, 'ComparisonError') !== undefined);
  await world.patch('apps/v1', 'Deployment', 'live', 'default', { spec: { replicas: 1 } });
  const app = await world.untilApplication('live', (app) => app.status?.health?.status === 'Progressing');
  assert.equal(app.status?.sync?.status, 'Unknown');
});

test('a refresh of an application whose deletion is held up is answered', async () => {
  world.git.commit('trouble', { 'held/a.yaml': configMap('held', {}) });
  world.engine.repositoryChanged(world.git.url('trouble'), 'push');
  const finalizers = ['resources-finalizer.argocd.argoproj.io'];
  await world.apply(applicationObject('held', at('held')(world.git.url('trouble')), { finalizers }));
  await world.untilApplication('held', inSync);
  await world.patch('v1', 'ConfigMap', 'held', 'default', { metadata: { finalizers: ['example.com/hold'] } });
  await world.delete('argoproj.io/v1alpha1', 'Application', 'held', 'argocd');
  const answer = await world.engine.refresh('held', 'normal', AbortSignal.timeout(8_000));
  assert.notEqual(answer.metadata.deletionTimestamp, undefined);
  await world.patch('v1', 'ConfigMap', 'held', 'default', { metadata: { finalizers: null } });
});
