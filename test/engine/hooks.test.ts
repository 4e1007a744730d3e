import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Application } from '#model/argocd/application.ts';
import { applicationObject, configMap, EngineWorld } from './world.ts';

const server = 'https://kubernetes.default.svc';
const ada = { kind: 'user' as const, name: 'ada' };
const finalizer = 'argocd.argoproj.io/hook-finalizer';
const soon = () => AbortSignal.timeout(10_000);
const ended = (app: Application) =>
  app.operation === undefined &&
  app.status?.operationState !== undefined &&
  app.status.operationState.phase !== 'Running';

let world: EngineWorld;
before(async () => {
  world = await EngineWorld.start({ simulator: { speed: 20 } });
  await world.startEngine();
});
after(async () => await world[Symbol.asyncDispose]());

interface Hook {
  name?: string;
  type: string;
  policy?: string;
  /** What its container exits with. */
  exit?: number;
  runsFor?: string;
  wave?: number;
  metadata?: Record<string, unknown>;
  spec?: Record<string, unknown>;
}

function hookFile({ name = 'hook', type, policy, exit = 0, runsFor = '1s', wave, metadata, spec }: Hook): string {
  const annotations = {
    'argocd.argoproj.io/hook': type,
    ...(policy === undefined ? {} : { 'argocd.argoproj.io/hook-delete-policy': policy }),
    ...(wave === undefined ? {} : { 'argocd.argoproj.io/sync-wave': String(wave) }),
  };
  const knobs = { 'simulator.drydock.dev/exit-code': String(exit), 'simulator.drydock.dev/runs-for': runsFor };
  return JSON.stringify({
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { ...(metadata ?? { name }), annotations },
    spec: {
      backoffLimit: 0,
      ...spec,
      template: {
        metadata: { annotations: knobs },
        spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'example.com/hook:1' }] },
      },
    },
  });
}

async function create(name: string, files: Record<string, string>, metadata = {}): Promise<void> {
  world.git.create(name);
  world.git.commit(name, files);
  await world.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  const source = { repoURL: world.git.url(name), path: '.' };
  await world.apply(applicationObject(name, { source, destination: { server, namespace: name } }, metadata));
  await world.untilApplication(name, (app) => app.status?.sync?.status !== undefined);
}

async function sync(name: string): Promise<Application> {
  const before = (await world.untilApplication(name, () => true)).status?.operationState?.startedAt;
  // Times have no fractions: the next operation has to be told from this one.
  if (before)
    await world.until(
      'another second',
      () => Date.now(),
      (now) => now >= Date.parse(before) + 1000,
    );
  await world.engine.sync(name, {}, ada, soon());
  return await world.untilApplication(
    name,
    (app) => ended(app) && app.status?.operationState?.startedAt !== before,
    20_000,
  );
}
const job = (name: string, namespace: string) => world.get('batch/v1', 'Job', name, namespace);
const results = (app: Application) =>
  app.status?.operationState?.syncResult?.resources?.map((result) =>
    [result.name, result.syncPhase, result.hookPhase].join(' '),
  );
const plain = { 'a.yaml': configMap('a', {}) };

const rows: {
  name: string;
  hooks: Hook[];
  phase: string;
  synced: string;
  results: string[];
  /** Hooks that are there afterwards. */
  left: string[];
}[] = [
  {
    name: 'PreSync',
    hooks: [{ type: 'PreSync' }],
    phase: 'Succeeded',
    synced: 'Synced',
    results: ['hook PreSync Succeeded', 'a Sync Succeeded'],
    left: ['hook'],
  },
  {
    name: 'PreSync that fails: nothing is applied',
    hooks: [{ type: 'PreSync', exit: 1 }],
    phase: 'Failed',
    synced: 'OutOfSync',
    results: ['hook PreSync Failed'],
    left: ['hook'],
  },
  {
    name: 'Sync that fails: the rest was applied',
    hooks: [{ type: 'Sync', exit: 1 }],
    phase: 'Failed',
    synced: 'Synced',
    results: ['a Sync Succeeded', 'hook Sync Failed'],
    left: ['hook'],
  },
  {
    name: 'PostSync that fails',
    hooks: [{ type: 'PostSync', exit: 1 }],
    phase: 'Failed',
    synced: 'Synced',
    results: ['a Sync Succeeded', 'hook PostSync Failed'],
    left: ['hook'],
  },
  {
    name: 'SyncFail after a failure, a good one and a bad one',
    hooks: [
      { type: 'PostSync', exit: 1 },
      { name: 'good', type: 'SyncFail' },
      { name: 'bad', type: 'SyncFail', exit: 1 },
    ],
    phase: 'Failed',
    synced: 'Synced',
    results: ['a Sync Succeeded', 'hook PostSync Failed', 'bad SyncFail Failed', 'good SyncFail Succeeded'],
    left: ['bad', 'good', 'hook'],
  },
  {
    name: 'SyncFail does not run otherwise',
    hooks: [{ name: 'good', type: 'SyncFail' }],
    phase: 'Succeeded',
    synced: 'Synced',
    results: ['a Sync Succeeded'],
    left: [],
  },
  {
    name: 'HookSucceeded goes when it succeeded',
    hooks: [{ type: 'PreSync', policy: 'HookSucceeded' }],
    phase: 'Succeeded',
    synced: 'Synced',
    results: ['hook PreSync Succeeded', 'a Sync Succeeded'],
    left: [],
  },
  {
    name: 'HookSucceeded stays when it failed',
    hooks: [{ type: 'PreSync', policy: 'HookSucceeded', exit: 1 }],
    phase: 'Failed',
    synced: 'OutOfSync',
    results: ['hook PreSync Failed'],
    left: ['hook'],
  },
  {
    name: 'HookFailed stays when it succeeded',
    hooks: [{ type: 'PreSync', policy: 'HookFailed' }],
    phase: 'Succeeded',
    synced: 'Synced',
    results: ['hook PreSync Succeeded', 'a Sync Succeeded'],
    left: ['hook'],
  },
  {
    name: 'HookFailed goes when it failed',
    hooks: [{ type: 'PreSync', policy: 'HookFailed', exit: 1 }],
    phase: 'Failed',
    synced: 'OutOfSync',
    results: ['hook PreSync Failed'],
    left: [],
  },
  {
    name: 'waves of one phase follow each other',
    hooks: [
      { name: 'second', type: 'PreSync', wave: 2 },
      { name: 'first', type: 'PreSync', wave: 1 },
    ],
    phase: 'Succeeded',
    synced: 'Synced',
    results: ['first PreSync Succeeded', 'second PreSync Succeeded', 'a Sync Succeeded'],
    left: ['first', 'second'],
  },
  {
    name: 'a Job that the cluster cleans up at once was seen to complete',
    hooks: [{ type: 'PreSync', spec: { ttlSecondsAfterFinished: 0 } }],
    phase: 'Succeeded',
    synced: 'Synced',
    results: ['hook PreSync Succeeded', 'a Sync Succeeded'],
    left: [],
  },
  {
    name: 'Skip',
    hooks: [{ type: 'Skip' }],
    phase: 'Succeeded',
    synced: 'Synced',
    results: ['a Sync Succeeded'],
    left: [],
  },
];
for (const [at, row] of rows.entries())
  test(`hooks: ${row.name}`, async () => {
    const name = `hooks-${at}`;
    const files = Object.fromEntries(row.hooks.map((hook, index) => [`hook-${index}.yaml`, hookFile(hook)]));
    await create(name, { ...plain, ...files });
    const app = await sync(name);
    const { phase, message } = app.status?.operationState ?? {};
    assert.equal(phase, row.phase, message);
    assert.deepEqual(
      results(app)?.filter((line) => !line.includes('SyncFail')),
      row.results.filter((line) => !line.includes('SyncFail')),
    );
    assert.deepEqual(results(app)?.sort(), row.results.slice().sort());
    assert.equal((await world.untilApplication(name, ended)).status?.sync?.status, row.synced);
    const names = row.hooks.map((hook) => hook.name ?? 'hook').sort();
    const there = async () => {
      const found = await Promise.all(names.map((hook) => job(hook, name)));
      return found.flatMap((object) => (object ? [object.metadata.name] : []));
    };
    await world.until('the hooks that are left', there, (found) => found.join() === row.left.join());
    for (const hook of row.left)
      assert.equal((await job(hook, name))?.metadata.finalizers?.includes(finalizer) ?? false, false);
  });

test('a hook is made anew with every sync, under a name of its own where it asks for one', async () => {
  await create('anew', {
    ...plain,
    'named.yaml': hookFile({ name: 'named', type: 'PreSync' }),
    'generated.yaml': hookFile({ type: 'PostSync', metadata: { generateName: 'generated-' } }),
  });
  const first = await sync('anew');
  assert.equal(first.status?.operationState?.phase, 'Succeeded', first.status?.operationState?.message);
  const uid = (await job('named', 'anew'))?.metadata.uid;
  const second = await sync('anew');
  assert.notEqual((await job('named', 'anew'))?.metadata.uid, uid);
  const generated = [first, second].map((app) => app.status?.operationState?.syncResult?.resources?.at(-1)?.name ?? '');
  const revision = first.status?.operationState?.syncResult?.revision ?? '';
  for (const name of generated) assert.match(name, new RegExp(`^generated-${revision.slice(0, 7)}-postsync-\\d+$`));
  assert.notEqual(generated[0], generated[1]);
  for (const name of generated) assert.ok(await job(name, 'anew'));
});

test('a hook without a name gets one in each of its phases', async () => {
  await create('unnamed', { ...plain, 'h.yaml': hookFile({ type: 'PreSync,PostSync', metadata: {} }) });
  const app = await sync('unnamed');
  const { phase, message, startedAt = '' } = app.status?.operationState ?? {};
  assert.equal(phase, 'Succeeded', message);
  const revision = app.status?.operationState?.syncResult?.revision?.slice(0, 7);
  const names = ['presync', 'postsync'].map((type) => `${revision}-${type}-${Date.parse(startedAt) / 1000}`);
  assert.deepEqual(results(app), [
    `${names[0]} PreSync Succeeded`,
    'a Sync Succeeded',
    `${names[1]} PostSync Succeeded`,
  ]);
  for (const name of names) assert.ok(await job(name, 'unnamed'));
});

test('what is told to be skipped stays as it is: not pruned, not applied, and no reason to be OutOfSync', async () => {
  const annotations = { 'argocd.argoproj.io/hook': 'Skip' };
  const file = (data: object, metadata: object) =>
    JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'b', ...metadata }, data });
  await create('skipped', { ...plain, 'b.yaml': file({ key: 'old' }, {}) });
  await sync('skipped');
  const commit = world.git.commit('skipped', { 'b.yaml': file({ key: 'new' }, { annotations }) });
  world.engine.repositoryChanged(world.git.url('skipped'), 'webhook');
  const seen = await world.untilApplication('skipped', (found) => found.status?.sync?.revision === commit);
  assert.equal(seen.status?.sync?.status, 'Synced');
  const row = seen.status?.resources?.find(({ name }) => name === 'b');
  assert.deepEqual([row?.status, row?.requiresPruning], [undefined, undefined]);
  await world.engine.sync('skipped', { prune: true }, ada, soon());
  const app = await world.untilApplication(
    'skipped',
    (found) => ended(found) && found.status?.operationState?.operation.sync?.prune === true,
  );
  assert.deepEqual(results(app), ['a Sync Succeeded']);
  assert.deepEqual((await world.get('v1', 'ConfigMap', 'b', 'skipped'))?.['data'], { key: 'old' });
  world.git.commit('skipped', { 'b.yaml': null });
  world.engine.repositoryChanged(world.git.url('skipped'), 'webhook');
  const gone = await world.untilApplication('skipped', (found) => found.status?.sync?.status === 'OutOfSync');
  assert.equal(gone.status?.resources?.find(({ name }) => name === 'b')?.requiresPruning, true);
});

test('a PreDelete hook that fails holds the deletion and says so; when Git mends it, the deletion goes on', async () => {
  const finalizers = ['resources-finalizer.argocd.argoproj.io'];
  await create('held', { ...plain, 'h.yaml': hookFile({ type: 'PreDelete', exit: 1 }) }, { finalizers });
  await sync('held');
  await world.delete('argoproj.io/v1alpha1', 'Application', 'held', 'argocd');
  const condition = (app: Application) => app.status?.conditions?.find(({ type }) => type === 'DeletionError')?.message;
  const app = await world.untilApplication('held', (found) => condition(found) !== undefined, 20_000);
  assert.equal(condition(app), 'PreDelete hook(s) failed: held/hook');
  assert.ok(await world.get('v1', 'ConfigMap', 'a', 'held'), 'nothing has gone');
  world.git.commit('held', { 'h.yaml': hookFile({ type: 'PreDelete' }) });
  world.engine.repositoryChanged(world.git.url('held'), 'webhook');
  const find = () => world.get('argoproj.io/v1alpha1', 'Application', 'held', 'argocd');
  await world.until('the end of the application', find, (object) => object === undefined, 30_000);
  assert.equal(await world.get('v1', 'ConfigMap', 'a', 'held'), undefined);
});

test('a termination records hooks that have ended as they ended, and takes those that run along', async () => {
  await create('stopped', {
    ...plain,
    'fast.yaml': hookFile({ name: 'fast', type: 'PreSync', policy: 'HookSucceeded' }),
    'slow.yaml': hookFile({ name: 'slow', type: 'PreSync', runsFor: '10m' }),
  });
  await world.engine.sync('stopped', {}, ada, soon());
  const fast = async () => (await job('fast', 'stopped'))?.['status'] as { succeeded?: number } | undefined;
  await world.until('the fast hook', fast, (status) => status?.succeeded === 1);
  await world.engine.terminate('stopped', soon());
  const app = await world.untilApplication('stopped', ended);
  assert.deepEqual(results(app), ['fast PreSync Succeeded', 'slow PreSync Failed']);
  const slow = () => job('slow', 'stopped');
  await world.until('the slow hook gone', slow, (object) => object === undefined);
  assert.equal((await job('fast', 'stopped'))?.metadata.finalizers?.includes(finalizer) ?? false, false);
});
