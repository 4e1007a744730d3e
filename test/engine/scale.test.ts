import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Application } from '#model/argocd/application.ts';
import { applicationObject, configMap, EngineWorld } from './world.ts';

const server = 'https://kubernetes.default.svc';
const automated = { automated: { prune: true, selfHeal: true } };
const inSync = (app: Application) => app.status?.sync?.status === 'Synced' && app.operation === undefined;
const count = 50;
const names = Array.from({ length: count }, (_, index) => `app-${index}`);

test('a commit that touches one of 50 applications renders one and writes nothing for the others; a restart writes nothing', async () => {
  await using world = await EngineWorld.start();
  await world.startEngine();
  world.git.create('mono');
  world.git.commit('mono', Object.fromEntries(names.map((name) => [`${name}/cm.yaml`, configMap(name, { v: '1' })])));
  const repoURL = world.git.url('mono');
  const spec = (path: string) => ({
    source: { repoURL, path },
    destination: { server, namespace: 'default' },
    syncPolicy: automated,
  });
  await Promise.all(names.map((name) => world.apply(applicationObject(name, spec(name)))));
  const allSynced = () => world.engine.list().filter(inSync).length;
  await world.until('all in sync', allSynced, (synced) => synced === count, 30_000);
  assert.equal(world.running?.counts.renders, count);
  for (const name of names) await world.engine.whenSettled(name, AbortSignal.timeout(10_000));

  world.writes.length = 0;
  const before = world.running?.counts.renders ?? 0;
  world.git.commit('mono', { 'app-7/cm.yaml': configMap('app-7', { v: '2' }) });
  assert.equal(world.engine.repositoryChanged(repoURL, 'webhook').length, count);
  await world.until(
    'the change',
    () => world.get('v1', 'ConfigMap', 'app-7', 'default'),
    (object) => (object?.['data'] as { v?: string })?.v === '2',
  );
  for (const name of names) await world.engine.whenSettled(name, AbortSignal.timeout(10_000));
  assert.equal((world.running?.counts.renders ?? 0) - before, 1);
  assert.deepEqual(new Set(world.writes), new Set(['patch Application app-7', 'apply ConfigMap app-7']));

  await world.stopEngine();
  world.writes.length = 0;
  await world.startEngine();
  for (const name of names) await world.engine.whenSettled(name, AbortSignal.timeout(10_000));
  assert.equal(allSynced(), count);
  assert.deepEqual(world.writes, []);
  assert.partialDeepStrictEqual(world.running?.counts, { renders: 0, cacheHits: count, dryRuns: 0 });
});

test('two environments of one chart: a commit for one neither renders, writes nor moves the other, and rollback finds its own', async () => {
  await using world = await EngineWorld.start();
  await world.startEngine();
  world.git.create('envs');
  const signal = AbortSignal.timeout(20_000);
  world.git.commit('envs', {
    'chart/Chart.yaml': 'apiVersion: v2\nname: c\nversion: 0.1.0\n',
    'chart/values.yaml': 'v: none\n',
    'chart/values-dev.yaml': 'v: d1\n',
    'chart/values-prod.yaml': 'v: p1\n',
    'chart/templates/cm.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {v: {{ .Values.v }}}\n',
  });
  const repoURL = world.git.url('envs');
  for (const env of ['dev', 'prod']) {
    const source = { repoURL, path: 'chart', helm: { valueFiles: ['values.yaml', `values-${env}.yaml`] } };
    const syncPolicy = { automated: {}, syncOptions: ['CreateNamespace=true'] };
    await world.apply(applicationObject(env, { source, destination: { server, namespace: env }, syncPolicy }));
  }
  const valueIn = async (env: string) =>
    ((await world.get('v1', 'ConfigMap', 'c', env))?.['data'] as { v?: string } | undefined)?.v;
  const reaches = async (env: string, value: string) => {
    await world.until(
      `${env} ${value}`,
      () => valueIn(env),
      (is) => is === value,
    );
    await world.untilApplication(env, inSync);
    await world.engine.whenSettled(env, signal);
  };
  await reaches('dev', 'd1');
  await reaches('prod', 'p1');
  const push = async (env: string, value: string) => {
    world.git.commit('envs', { [`chart/values-${env}.yaml`]: `v: ${value}\n` }, `${env} ${value}`);
    world.engine.repositoryChanged(repoURL, 'webhook');
    await reaches(env, value);
  };
  await push('prod', 'p2');
  const before = world.engine.get('prod');
  await world.engine.whenSettled('dev', signal);
  world.writes.length = 0;
  const renders = world.running?.counts.renders ?? 0;
  await push('dev', 'd2');
  await world.engine.whenSettled('prod', signal);
  assert.equal((world.running?.counts.renders ?? 0) - renders, 1);
  assert.deepEqual(
    world.writes.filter((write) => write.includes('prod')),
    [],
  );
  assert.equal(world.engine.get('prod').status?.sync?.revision, before.status?.sync?.revision);
  const result = await world.engine.rollback('prod', {}, { kind: 'user', name: 'ada' }, signal);
  assert.equal(result.message, 'Revert "prod p2"');
  await reaches('prod', 'p1');
  assert.equal(await valueIn('dev'), 'd2');
});

test('a repository is read by all its spellings', async () => {
  const { repositoryKey } = await import('#apps/repository-key.ts');
  const spellings = [
    'https://github.com/org/repo.git',
    'https://github.com/org/repo',
    'git@github.com:org/repo.git',
    'ssh://git@github.com:22/org/repo',
    'https://user:pw@GitHub.com/Org/Repo/',
  ];
  assert.deepEqual(new Set(spellings.map(repositoryKey)), new Set(['github.com/org/repo']));
});
