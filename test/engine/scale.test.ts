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
  assert.deepEqual(world.running?.counts, { renders: 0, cacheHits: count, dryRuns: 0 });
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
