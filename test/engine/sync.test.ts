import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Application } from '#model/argocd/application.ts';
import { applicationObject, configMap, EngineWorld } from './world.ts';

const server = 'https://kubernetes.default.svc';
const automated = { automated: { prune: true, selfHeal: true } };
const inSync = (app: Application) => app.status?.sync?.status === 'Synced' && app.operation === undefined;

let world: EngineWorld;
before(async () => {
  world = await EngineWorld.start();
  await world.startEngine();
});
after(async () => await world[Symbol.asyncDispose]());

/** An application of its own repository and namespace; gives the repository's address. */
async function deploy(name: string, files: Record<string, string>, spec: Record<string, unknown> = {}, metadata = {}) {
  world.git.create(name);
  world.git.commit(name, files);
  const repoURL = world.git.url(name);
  await world.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  await world.apply(
    applicationObject(
      name,
      { source: { repoURL, path: '.' }, destination: { server, namespace: name }, ...spec },
      metadata,
    ),
  );
  return repoURL;
}

const job = (name: string, hook: string, extra: Record<string, string> = {}) =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, annotations: { 'argocd.argoproj.io/hook': hook, ...extra } },
    data: { hook },
  });

test('drift is healed at once, and both sides of it are on record', async () => {
  await deploy('drift', { 'a.yaml': configMap('a', { key: 'git' }) }, { syncPolicy: automated });
  await world.untilApplication('drift', inSync);
  await world.patch('v1', 'ConfigMap', 'a', 'drift', { data: { key: 'hand', added: 'stays' } });
  await world.until(
    'healing',
    () => world.audit.kinds('drift'),
    (kinds) => kinds.includes('drift-healed'),
  );
  const live = await world.get('v1', 'ConfigMap', 'a', 'drift');
  assert.deepEqual(live?.['data'], { key: 'git', added: 'stays' });
  const detected = world.audit.events.find((event) => event.kind === 'drift-detected');
  assert.deepEqual(detected?.detail, { resource: '/ConfigMap:drift/a', fields: ['data.key'] });
  const healed = world.audit.events.find((event) => event.kind === 'drift-healed');
  assert.ok((healed?.durationMs ?? 1e9) < 2000, `healed after ${healed?.durationMs} ms`);
  const app = await world.untilApplication('drift', inSync);
  assert.equal(app.status?.history?.length, 1, 'healing adds no history');
  assert.equal(app.status?.operationState?.operation.sync?.autoHealAttemptsCount, 1);
});

test('what is deleted by hand comes back, what leaves Git is pruned', async () => {
  const repoURL = await deploy(
    'prune',
    { 'a.yaml': configMap('a', {}), 'b.yaml': configMap('b', {}) },
    { syncPolicy: automated },
  );
  await world.untilApplication('prune', inSync);
  await world.delete('v1', 'ConfigMap', 'a', 'prune');
  await world.until(
    'a again',
    () => world.get('v1', 'ConfigMap', 'a', 'prune'),
    (object) => object !== undefined,
  );
  world.git.commit('prune', { 'b.yaml': null });
  world.engine.repositoryChanged(repoURL, 'webhook');
  await world.until(
    'b gone',
    () => world.get('v1', 'ConfigMap', 'b', 'prune'),
    (object) => object === undefined,
  );
  const app = await world.untilApplication('prune', (found) => inSync(found) && found.status?.resources?.length === 1);
  assert.deepEqual(
    app.status?.resources?.map(({ name }) => name),
    ['a'],
  );
});

test('without automation a change only shows; a sync request rolls it out', async () => {
  const repoURL = await deploy('manual', { 'a.yaml': configMap('a', { key: 'one' }) });
  const app = await world.untilApplication('manual', (found) => found.status?.sync?.status === 'OutOfSync');
  assert.equal(app.status?.health?.status, 'Missing');
  await world.engine.sync('manual', {}, { kind: 'user', name: 'ada' }, AbortSignal.timeout(5000));
  await world.untilApplication('manual', inSync);
  const second = world.git.commit('manual', { 'a.yaml': configMap('a', { key: 'two' }) });
  world.engine.repositoryChanged(repoURL, 'webhook');
  await world.untilApplication(
    'manual',
    (found) => found.status?.sync?.status === 'OutOfSync' && found.status.sync.revision === second,
  );
  const [resource] = await world.engine.managedResources('manual', AbortSignal.timeout(5000));
  const lines = (text: string | undefined) => (text ?? '').split('\n');
  assert.deepEqual(
    lines(resource?.desiredText).filter((line) => !lines(resource?.liveText).includes(line)),
    ['  key: two'],
  );
  await world.engine.sync('manual', {}, { kind: 'user', name: 'ada' }, AbortSignal.timeout(5000));
  const done = await world.engine.whenSettled('manual', AbortSignal.timeout(5000));
  assert.equal(done.status?.sync?.status, 'Synced');
  assert.deepEqual(
    done.status?.history?.map(({ id, initiatedBy }) => [id, initiatedBy?.username]),
    [
      [0, 'ada'],
      [1, 'ada'],
    ],
  );
  assert.deepEqual(
    world.audit.events.find((event) => event.application === 'manual' && event.kind === 'sync-started')?.actor,
    { kind: 'user', name: 'ada' },
  );
});

test('kubectl patch of /operation starts a sync', async () => {
  await deploy('patched', { 'a.yaml': configMap('a', {}) });
  await world.untilApplication('patched', (found) => found.status?.sync?.status === 'OutOfSync');
  await world.patch('argoproj.io/v1alpha1', 'Application', 'patched', 'argocd', {
    operation: { sync: {}, initiatedBy: { username: 'eve' } },
  });
  const app = await world.untilApplication('patched', inSync);
  assert.equal(app.status?.operationState?.phase, 'Succeeded');
  assert.equal(app.status?.operationState?.message, 'successfully synced (all tasks run)');
});

test('waves go up, each after the one before is healthy, and hooks run in their phases', async () => {
  const wave = (name: string, number: string) => configMap(name, {}, { 'argocd.argoproj.io/sync-wave': number });
  world.writes.length = 0;
  await deploy(
    'waves',
    {
      'c.yaml': wave('c-late', '2'),
      'a.yaml': wave('a-early', '-1'),
      'b.yaml': configMap('b-middle', {}),
      'hooks.yaml': [
        job('pre', 'PreSync'),
        job('post', 'PostSync', { 'argocd.argoproj.io/hook-delete-policy': 'HookSucceeded' }),
      ].join('\n---\n'),
    },
    { syncPolicy: automated },
  );
  const app = await world.untilApplication('waves', inSync);
  assert.deepEqual(
    world.writes.filter((write) => write.startsWith('apply')),
    [
      'apply ConfigMap pre',
      'apply ConfigMap a-early',
      'apply ConfigMap b-middle',
      'apply ConfigMap c-late',
      'apply ConfigMap post',
    ],
  );
  assert.deepEqual(
    app.status?.operationState?.syncResult?.resources?.map(({ name, hookPhase }) => [name, hookPhase]),
    [
      ['pre', 'Succeeded'],
      ['a-early', 'Succeeded'],
      ['b-middle', 'Succeeded'],
      ['c-late', 'Succeeded'],
      ['post', 'Succeeded'],
    ],
  );
  await world.until(
    'post gone',
    () => world.get('v1', 'ConfigMap', 'post', 'waves'),
    (object) => object === undefined,
  );
  assert.ok(await world.get('v1', 'ConfigMap', 'pre', 'waves'), 'a hook stays by default until the next sync');
  assert.deepEqual(
    app.status?.resources?.filter(({ hook }) => !hook).map(({ name }) => name),
    ['a-early', 'b-middle', 'c-late'],
  );
  world.writes.length = 0;
  await world.engine.sync('waves', {}, { kind: 'user', name: 'ada' }, AbortSignal.timeout(5000));
  await world.untilApplication('waves', (found) => inSync(found) && found.status?.history?.length === 2);
  assert.deepEqual(
    world.writes.filter((write) => write.includes(' pre')),
    ['delete ConfigMap pre', 'apply ConfigMap pre', 'patch ConfigMap pre'],
    'the hook of the sync before goes, and the new one is let go of in the end',
  );
});

test('a wave waits for the health of the one before', async () => {
  const claim = JSON.stringify({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'slow' },
    spec: {
      selector: { matchLabels: { a: 'b' } },
      template: { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'x' }] } },
    },
  });
  await deploy(
    'waiting',
    { 'a.yaml': claim, 'b.yaml': configMap('later', {}, { 'argocd.argoproj.io/sync-wave': '1' }) },
    { syncPolicy: automated },
  );
  const app = await world.untilApplication(
    'waiting',
    (found) => found.status?.operationState?.message?.startsWith('waiting for healthy') ?? false,
  );
  assert.equal(app.status?.operationState?.message, 'waiting for healthy state of apps/Deployment/slow');
  assert.equal(await world.get('v1', 'ConfigMap', 'later', 'waiting'), undefined);
  await assert.rejects(
    world.engine.sync('waiting', {}, { kind: 'user', name: 'ada' }, AbortSignal.timeout(5000)),
    /already in progress/,
  );
  await world.engine.terminate('waiting', AbortSignal.timeout(5000));
  const ended = await world.untilApplication('waiting', (found) => found.operation === undefined);
  assert.equal(ended.status?.operationState?.phase, 'Failed');
  assert.equal(ended.status?.operationState?.message, 'Operation terminated');
});

test('deleting an application with the finalizer takes its objects along, without it leaves them', async () => {
  const finalizers = ['resources-finalizer.argocd.argoproj.io'];
  await deploy('cascading', { 'a.yaml': configMap('a', {}) }, { syncPolicy: automated }, { finalizers });
  await deploy('leaving', { 'a.yaml': configMap('a', {}) }, { syncPolicy: automated });
  await world.untilApplication('cascading', inSync);
  await world.untilApplication('leaving', inSync);
  for (const name of ['cascading', 'leaving']) {
    await world.delete('argoproj.io/v1alpha1', 'Application', name, 'argocd');
    await world.until(
      name,
      () => world.get('argoproj.io/v1alpha1', 'Application', name, 'argocd'),
      (object) => object === undefined,
    );
  }
  assert.equal(await world.get('v1', 'ConfigMap', 'a', 'cascading'), undefined);
  assert.ok(await world.get('v1', 'ConfigMap', 'a', 'leaving'));
  await world.until(
    'the record',
    () => world.audit.kinds('leaving'),
    (kinds) => kinds.includes('application-deleted'),
  );
});

test('a Secret never shows its values, and equal ones look equal', async () => {
  const secret = (password: string) =>
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 's' },
      stringData: { password, user: 'same' },
    });
  const repoURL = await deploy('secret', { 's.yaml': secret('first-value') });
  await world.untilApplication('secret', (found) => found.status?.sync?.status === 'OutOfSync');
  await world.engine.sync('secret', {}, { kind: 'user', name: 'ada' }, AbortSignal.timeout(5000));
  await world.untilApplication('secret', inSync);
  world.git.commit('secret', { 's.yaml': secret('other-value') });
  world.engine.repositoryChanged(repoURL, 'webhook');
  await world.untilApplication('secret', (found) => found.status?.sync?.status === 'OutOfSync');
  const [resource] = await world.engine.managedResources('secret', AbortSignal.timeout(5000));
  assert.match(resource?.liveText ?? '', / {2}password: \+{8}\n {2}user: \+{8}\n/);
  assert.match(resource?.desiredText ?? '', / {2}password: \+{12}\n {2}user: \+{8}\n/);
  const texts = await world.engine.manifests('secret', undefined, AbortSignal.timeout(5000));
  assert.ok(!texts.join().includes(Buffer.from('other-value').toString('base64')));
});

test('objects of before are adopted: what kubectl applied and Git dropped goes', async () => {
  await world.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'adopted' } });
  const old = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'a', namespace: 'adopted' },
    data: { keep: '1', drop: '1' },
  };
  const notes = { 'kubectl.kubernetes.io/last-applied-configuration': JSON.stringify(old) };
  await world.kube.create(
    { ...old, metadata: { ...old.metadata, annotations: notes } },
    { fieldManager: 'kubectl-client-side-apply' },
    AbortSignal.timeout(5000),
  );
  await deploy('adopted', { 'a.yaml': configMap('a', { keep: '1' }) }, { syncPolicy: automated });
  await world.untilApplication('adopted', inSync);
  assert.deepEqual((await world.get('v1', 'ConfigMap', 'a', 'adopted'))?.['data'], { keep: '1' });
});

test('rollback reverts the newest change of the application in Git, or all since a history entry', async () => {
  const repoURL = await deploy('back', { 'a.yaml': configMap('a', { v: '1' }) }, { syncPolicy: automated });
  const reaches = async (v: string) => {
    await world.until(
      `version ${v}`,
      () => world.get('v1', 'ConfigMap', 'a', 'back'),
      (object) => (object?.['data'] as { v?: string })?.v === v,
    );
    await world.untilApplication('back', inSync);
  };
  await reaches('1');
  for (const v of ['2', '3']) {
    world.git.commit('back', { 'a.yaml': configMap('a', { v }) }, `version ${v}`);
    world.engine.repositoryChanged(repoURL, 'webhook');
    await reaches(v);
  }
  const result = await world.engine.rollback('back', {}, { kind: 'user', name: 'ada' }, AbortSignal.timeout(10_000));
  assert.equal(result.message, 'Revert "version 3"');
  await reaches('2');
  assert.match(
    world.git.git('back', 'log', '-1', '--format=%B', 'main'),
    /Rolled-back-application: back\nRolled-back-by: ada/,
  );
  await world.engine.rollback('back', { to: 0 }, { kind: 'user', name: 'ada' }, AbortSignal.timeout(10_000));
  await reaches('1');
});
