import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Application } from '#model/argocd/application.ts';
import { applicationObject, configMap, EngineWorld } from './world.ts';

const synced = (application: Application) => application.status?.sync?.status === 'Synced';
const chart = {
  'one/Chart.yaml': 'apiVersion: v2\nname: one\nversion: 0.1.0\n',
  'one/templates/cm.yaml': configMap('one', { a: 'b' }),
};

async function started(world: EngineWorld): Promise<string> {
  world.git.create('manifests');
  const head = world.git.commit('manifests', chart);
  const source = { repoURL: world.git.url('manifests'), targetRevision: 'main', path: 'one' };
  const destination = { name: 'in-cluster', namespace: 'shop' };
  const syncPolicy = { automated: { selfHeal: true }, syncOptions: ['CreateNamespace=true'] };
  await world.startEngine();
  await world.apply(applicationObject('web', { source, destination, syncPolicy }));
  await world.untilApplication('web', synced);
  await world.engine.whenSettled('web', AbortSignal.timeout(5000));
  return head;
}

const refresh = (world: EngineWorld, level: string) =>
  world.patch('argoproj.io/v1alpha1', 'Application', 'web', 'argocd', {
    metadata: { annotations: { 'argocd.argoproj.io/refresh': level } },
  });

test('a commit that changes nothing leaves the status alone, until somebody asks for a refresh or a sync', async () => {
  await using world = await EngineWorld.start();
  const first = await started(world);
  const second = world.git.commit('manifests', { 'other.txt': 'x' });
  world.writes.length = 0;
  world.engine.repositoryChanged(world.git.url('manifests'), 'webhook');
  await world.engine.whenSettled('web', AbortSignal.timeout(5000));
  assert.deepEqual(world.writes, []);
  assert.equal(world.engine.get('web').status?.sync?.revision, first);

  await refresh(world, 'normal');
  const seen = await world.untilApplication('web', (app) => app.status?.sync?.revision === second);
  assert.equal(seen.metadata.annotations?.['argocd.argoproj.io/refresh'], undefined);
  assert.equal(seen.status?.history?.length, 1, 'nothing was synced for it');

  const third = world.git.commit('manifests', { 'other.txt': 'y' });
  await world.patch('argoproj.io/v1alpha1', 'Application', 'web', 'argocd', {
    operation: { sync: {}, initiatedBy: { username: 'kim' } },
  });
  const requested = await world.untilApplication('web', (app) => app.status?.history?.length === 2);
  assert.equal(requested.status?.history?.[1]?.revision, third);
  assert.equal(requested.status?.sync?.revision, third);
  assert.ok(synced(requested));

  await world.engine.whenSettled('web', AbortSignal.timeout(5000));
  world.writes.length = 0;
  await world.engine.whenSettled('web', AbortSignal.timeout(5000));
  assert.deepEqual(world.writes, []);
});

test('a hard refresh renders and compares anew, a normal one does neither', async () => {
  await using world = await EngineWorld.start();
  await started(world);
  const counts = () => ({ ...world.running?.counts, reconciles: 0 });
  const before = counts();
  const done = (app: Application) => app.metadata.annotations?.['argocd.argoproj.io/refresh'] === undefined;
  await refresh(world, 'normal');
  await world.untilApplication('web', done);
  assert.equal(counts().renders, before.renders);
  assert.equal(counts().dryRuns, before.dryRuns);
  await refresh(world, 'hard');
  await world.untilApplication('web', done);
  assert.equal(counts().renders, (before.renders ?? 0) + 1);
  assert.equal(counts().dryRuns, (before.dryRuns ?? 0) + 1);
});

test('renders do not come from the caches for longer than the settings say', async () => {
  await using world = await EngineWorld.start();
  await started(world);
  const before = world.running?.counts.renders ?? 0;
  const data = { 'timeout.hard.reconciliation': '1s' };
  await world.apply({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'argocd-cm', namespace: 'argocd' },
    data,
  });
  await world.until(
    'a render',
    () => world.running?.counts.renders ?? 0,
    (renders) => renders > before,
  );
  assert.ok(synced(world.engine.get('web')));
});
