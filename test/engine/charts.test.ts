import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Application, ApplicationSource } from '#model/argocd/application.ts';
import { ChartRepositoryServer, packChart, smallChart } from '../chart-repository.ts';
import { RegistryFixture } from '../registry-fixture.ts';
import { applicationObject, EngineWorld } from './world.ts';

const destination = { server: 'https://kubernetes.default.svc', namespace: 'default' };
const automated = { automated: { prune: true, selfHeal: true } };
const isSynced = ({ status }: Application) => status?.sync?.status === 'Synced' && status.health?.status === 'Healthy';
const at = (revision: string) => (app: Application) => isSynced(app) && app.status?.sync?.revision === revision;

function ofChart(name: string, source: Partial<ApplicationSource>) {
  return applicationObject(name, { source, destination, syncPolicy: automated });
}

function repositorySecret(name: string, stringData: Record<string, string>, type = 'repository') {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace: 'argocd', labels: { 'argocd.argoproj.io/secret-type': type } },
    data: Object.fromEntries(
      Object.entries(stringData).map(([key, text]) => [key, Buffer.from(text).toString('base64')]),
    ),
  };
}

async function dataOf(world: EngineWorld, name: string): Promise<unknown> {
  return (await world.get('v1', 'ConfigMap', name, 'default'))?.['data'];
}

test('a chart of a private Helm repository: its constraint is followed, and only what changed is rendered', async () => {
  await using charts = await ChartRepositoryServer.start();
  await using world = await EngineWorld.start();
  charts.authorization = `Basic ${Buffer.from('ann:secret-word').toString('base64')}`;
  await charts.publish('web', '1.0.0');
  await charts.publish('other', '1.0.0');
  await world.startEngine({ reconcileMs: 300 });
  await world.apply(ofChart('site', { repoURL: charts.url, chart: 'web', targetRevision: '^1' }));
  const refused = await world.untilApplication('site', ({ status }) => (status?.conditions ?? []).length > 0);
  assert.match(refused.status?.conditions?.[0]?.message ?? '', /answered 401 to no credentials/);
  await world.apply(
    repositorySecret('charts', { type: 'helm', url: charts.url, username: 'ann', password: 'secret-word' }),
  );
  const first = await world.untilApplication('site', at('1.0.0'));
  assert.equal(first.status?.sourceType, 'Helm');
  assert.equal(first.status?.history?.at(-1)?.revision, '1.0.0');
  assert.deepEqual(await dataOf(world, 'web-site'), { v: 'web-1.0.0' });
  assert.equal(world.running?.counts.renders, 1);
  await charts.publish('other', '1.1.0');
  await world.until(
    'the index to be read again',
    () => charts.taken(),
    (lines) => lines.includes('index.yaml 200'),
  );
  await charts.publish('web', '1.1.0');
  await world.untilApplication('site', at('1.1.0'));
  assert.deepEqual(await dataOf(world, 'web-site'), { v: 'web-1.1.0' });
  assert.equal(world.running?.counts.renders, 2);
  assert.doesNotMatch(
    JSON.stringify(await world.get('argoproj.io/v1alpha1', 'Application', 'site', 'argocd')),
    /secret-word/,
  );
  await world.stopEngine();
  charts.taken();
  world.writes.splice(0);
  await world.startEngine();
  await world.until(
    'the engine to look',
    () => world.running?.counts.unseen,
    (unseen) => unseen === 0,
  );
  await world.untilApplication('site', at('1.1.0'));
  assert.deepEqual(charts.taken(), ['index.yaml 304']);
  assert.equal(world.running?.counts.renders, 0);
  assert.deepEqual(world.writes, []);
});

test('a chart with values from Git, the most used form of all; and back to an earlier version', async () => {
  await using charts = await ChartRepositoryServer.start();
  await using world = await EngineWorld.start();
  world.git.create('values');
  const repoURL = world.git.url('values');
  const commit = world.git.commit('values', { 'envs/dev/values.yaml': 'v: from git\n', 'README.md': 'one' });
  for (const version of ['1.0.0', '2.0.0']) await charts.publish('web', version);
  await world.startEngine();
  const sources = (targetRevision: string) => [
    { repoURL: charts.url, chart: 'web', targetRevision, helm: { valueFiles: ['$values/envs/*/values.yaml'] } },
    { repoURL, targetRevision: 'main', ref: 'values' },
  ];
  const spec = { destination, syncPolicy: automated };
  await world.apply(applicationObject('site', { ...spec, sources: sources('1.0.0') }));
  const first = await world.untilApplication('site', isSynced);
  assert.deepEqual(first.status?.sync?.revisions, ['1.0.0', commit]);
  assert.deepEqual(await dataOf(world, 'web-site'), { v: 'from git' });
  const { renders: rendered = 0, reconciles = 0 } = world.running?.counts ?? {};
  world.writes.splice(0);
  world.git.commit('values', { 'README.md': 'two' });
  world.engine.repositoryChanged(repoURL, 'test');
  await world.until(
    'the engine to look',
    () => world.running?.counts.reconciles ?? 0,
    (looks) => looks > reconciles,
  );
  assert.deepEqual(world.writes, []);
  assert.equal(world.running?.counts.renders, rendered);
  const changed = world.git.commit('values', { 'envs/dev/values.yaml': 'v: changed in git\n' });
  world.engine.repositoryChanged(repoURL, 'test');
  await world.untilApplication('site', (app) => isSynced(app) && app.status?.sync?.revisions?.[1] === changed);
  assert.deepEqual(await dataOf(world, 'web-site'), { v: 'changed in git' });
  await world.apply(applicationObject('site', { ...spec, sources: sources('2.0.0') }));
  await world.untilApplication('site', (app) => isSynced(app) && app.status?.sync?.revisions?.[0] === '2.0.0');
  const renders = world.running?.counts.renders;
  await world.apply(applicationObject('site', { ...spec, sources: sources('1.0.0') }));
  await world.untilApplication('site', (app) => isSynced(app) && app.status?.sync?.revisions?.[0] === '1.0.0');
  assert.equal(world.running?.counts.renders, renders, 'what was rendered before is found again');
  assert.deepEqual(
    charts.taken().filter((line) => line.endsWith('200')),
    ['index.yaml 200', 'web-1.0.0.tgz 200', 'web-2.0.0.tgz 200'],
  );
});

test('a chart and an artifact of a registry', async () => {
  await using registry = await RegistryFixture.start();
  await using world = await EngineWorld.start();
  const place = `127.0.0.1:${registry.port}/team`;
  const push = async (repository: string, tag: string, config: string, mediaType: string, bytes: Buffer) => {
    const layer = { mediaType, digest: await registry.pushBlob(repository, bytes), size: bytes.length };
    await registry.pushManifest(repository, tag, {
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      config: { mediaType: config, digest: await registry.pushBlob(repository, '{}'), size: 2 },
      layers: [layer],
    });
  };
  const helmConfig = 'application/vnd.cncf.helm.config.v1+json';
  const helmLayer = 'application/vnd.cncf.helm.chart.content.v1.tar+gzip';
  await push('team/web', '1.0.0', helmConfig, helmLayer, await packChart('web', smallChart('web', '1.0.0')));
  const files = { 'cm.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: plain\ndata:\n  a: b\n' };
  const tar = 'application/vnd.oci.image.layer.v1.tar+gzip';
  await push('team/manifests', 'stable', 'application/vnd.oci.empty.v1+json', tar, await packChart('apps', files));
  await world.startEngine();
  const login = { username: 'reader', password: 'reader-password' };
  await world.apply(
    repositorySecret('registry', { type: 'helm', enableOCI: 'true', url: place, ...login }, 'repo-creds'),
  );
  await world.apply(ofChart('site', { repoURL: place, chart: 'web', targetRevision: '1.x' }));
  await world.apply(ofChart('plain', { repoURL: `oci://${place}/manifests`, path: 'apps', targetRevision: 'stable' }));
  await world.untilApplication('site', at('1.0.0'));
  assert.deepEqual(await dataOf(world, 'web-site'), { v: 'web-1.0.0' });
  const plain = await world.untilApplication('plain', isSynced);
  assert.match(plain.status?.sync?.revision ?? '', /^sha256:[0-9a-f]{64}$/);
  assert.deepEqual(await dataOf(world, 'plain'), { a: 'b' });
});

test('a chart in Git whose dependency comes from a Helm repository', async () => {
  await using charts = await ChartRepositoryServer.start();
  await using world = await EngineWorld.start();
  await charts.publish('lib', '1.0.0');
  await charts.publish('lib', '1.1.0');
  world.git.create('apps');
  const chart = (repository: string) =>
    `apiVersion: v2\nname: app\nversion: 0.1.0\ndependencies:\n  - name: lib\n    version: 1.0.x\n    repository: "${repository}"\n`;
  const values = { 'values.yaml': 'lib:\n  v: set above\n' };
  world.git.commit('apps', { 'Chart.yaml': chart('@shared'), ...values });
  await world.startEngine();
  await world.apply(ofChart('app', { repoURL: world.git.url('apps'), targetRevision: 'main', path: '.' }));
  const failed = await world.untilApplication('app', ({ status }) => (status?.conditions ?? []).length > 0);
  const message = failed.status?.conditions?.[0]?.message ?? '';
  assert.match(
    message,
    /the dependency lib 1\.0\.x of the chart .* could not be brought from @shared: no repository of the name/,
  );
  await world.apply(repositorySecret('shared', { type: 'helm', name: 'shared', url: charts.url }));
  await world.engine.refresh('app', 'normal', AbortSignal.timeout(10_000));
  await world.untilApplication('app', isSynced);
  assert.deepEqual(await dataOf(world, 'lib-app'), { v: 'set above' });
});

test('a webhook is heard for a chart repository, and a chart can be synced at an earlier version', async () => {
  await using charts = await ChartRepositoryServer.start();
  await using world = await EngineWorld.start();
  await charts.publish('web', '1.0.0');
  await world.startEngine();
  const source = { repoURL: charts.url, chart: 'web', targetRevision: '1.x' };
  await world.apply(applicationObject('site', { source, destination, syncPolicy: automated }));
  await world.untilApplication('site', at('1.0.0'));
  await charts.publish('web', '1.1.0');
  world.engine.repositoryChanged(`${charts.url}/`, 'test');
  await world.untilApplication('site', at('1.1.0'));
  await world.apply(applicationObject('site', { source, destination }));
  const operation = { sync: { revision: '1.0.0' } };
  await world.patch('argoproj.io/v1alpha1', 'Application', 'site', 'argocd', { operation });
  const back = await world.untilApplication(
    'site',
    ({ status }) => status?.operationState?.syncResult?.revision === '1.0.0' && status.sync?.status === 'OutOfSync',
  );
  assert.equal(back.status?.operationState?.phase, 'Succeeded');
  assert.equal(back.status?.history?.at(-1)?.revision, '1.0.0');
  assert.equal(back.status?.sync?.revision, '1.1.0');
  assert.deepEqual(await dataOf(world, 'web-site'), { v: 'web-1.0.0' });
});

test('a chart source that says too little is refused before anything is asked for', async () => {
  await using charts = await ChartRepositoryServer.start();
  await using world = await EngineWorld.start();
  await charts.publish('web', '1.0.0');
  await world.startEngine();
  await world.apply(applicationObject('site', { source: { repoURL: charts.url, chart: 'web' }, destination }));
  const found = await world.untilApplication('site', ({ status }) => (status?.conditions ?? []).length > 0);
  assert.equal(found.status?.conditions?.[0]?.type, 'InvalidSpecError');
  assert.match(found.status?.conditions?.[0]?.message ?? '', /targetRevision/);
  assert.deepEqual(charts.taken(), []);
});

test('a version that is known needs no repository: it may be gone when the engine starts again', async () => {
  await using world = await EngineWorld.start();
  {
    await using charts = await ChartRepositoryServer.start();
    await charts.publish('web', '1.0.0');
    await world.startEngine();
    await world.apply(ofChart('site', { repoURL: charts.url, chart: 'web', targetRevision: '1.0.0' }));
    await world.untilApplication('site', at('1.0.0'));
    await world.stopEngine();
  }
  await world.delete('v1', 'ConfigMap', 'web-site', 'default');
  await world.startEngine();
  await world.until(
    'the object to come back',
    () => dataOf(world, 'web-site'),
    (data) => data !== undefined,
  );
  const after = await world.untilApplication('site', at('1.0.0'));
  assert.deepEqual(after.status?.conditions ?? [], []);
});
