import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Application } from '#model/argocd/application.ts';
import { applicationObject, configMap, EngineWorld } from './world.ts';

const server = 'https://kubernetes.default.svc';
const automated = { automated: { prune: true, selfHeal: true } };
const ada = { kind: 'user' as const, name: 'ada' };
const inSync = (app: Application) => app.status?.sync?.status === 'Synced' && app.operation === undefined;
const soon = () => AbortSignal.timeout(10_000);
const options = (text: string) => ({ 'argocd.argoproj.io/sync-options': text });
const hook = (type: string, more: Record<string, string> = {}) => ({ 'argocd.argoproj.io/hook': type, ...more });
const policy = (text: string) => ({ 'argocd.argoproj.io/hook-delete-policy': text });

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
  const source = { repoURL, path: '.' };
  await world.apply(applicationObject(name, { source, destination: { server, namespace: name }, ...spec }, metadata));
  return repoURL;
}

async function change(name: string, files: Record<string, string | null>): Promise<string> {
  const commit = world.git.commit(name, files);
  world.engine.repositoryChanged(world.git.url(name), 'webhook');
  return commit;
}

const job = (name: string, annotations: Record<string, string>) =>
  JSON.stringify({
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name, annotations },
    spec: { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'x' }] } } },
  });
const ended = (app: Application) => app.operation === undefined && app.status?.operationState?.phase !== 'Running';
const gone = (kind: string, apiVersion: string, name: string, namespace: string) =>
  world.until(
    `${kind} ${name} gone`,
    () => world.get(apiVersion, kind, name, namespace),
    (object) => object === undefined,
  );

test('hooks of the deletion: PreDelete before anything goes, PostDelete after, and by their policies they go too', async () => {
  await deploy(
    'leaving',
    {
      'a.yaml': configMap('a', {}),
      'pre.yaml': job('pre', hook('PreDelete')),
      'post.yaml': configMap('post', {}, hook('PostDelete', policy('HookSucceeded'))),
    },
    { syncPolicy: automated },
    { finalizers: ['resources-finalizer.argocd.argoproj.io'] },
  );
  const app = await world.untilApplication('leaving', inSync);
  assert.deepEqual(app.metadata.finalizers, [
    'resources-finalizer.argocd.argoproj.io',
    'pre-delete-finalizer.argocd.argoproj.io',
    'pre-delete-finalizer.argocd.argoproj.io/cleanup',
    'post-delete-finalizer.argocd.argoproj.io',
    'post-delete-finalizer.argocd.argoproj.io/cleanup',
  ]);
  assert.equal(await world.get('batch/v1', 'Job', 'pre', 'leaving'), undefined, 'no sync runs them');
  world.writes.length = 0;
  await world.delete('argoproj.io/v1alpha1', 'Application', 'leaving', 'argocd');
  const find = () => world.get('batch/v1', 'Job', 'pre', 'leaving');
  await world.until('the PreDelete hook', find, (object) => object !== undefined);
  assert.ok(await world.get('v1', 'ConfigMap', 'a', 'leaving'), 'nothing goes before its end');
  await complete('pre', 'leaving');
  await gone('Application', 'argoproj.io/v1alpha1', 'leaving', 'argocd');
  const own = world.writes.filter((write) => !write.includes('Application'));
  assert.deepEqual(
    own.filter((write) => !write.startsWith('patch')),
    ['apply Job pre', 'delete ConfigMap a', 'delete Job pre', 'apply ConfigMap post', 'delete ConfigMap post'].sort(
      (x, y) => own.indexOf(x) - own.indexOf(y),
    ),
  );
  assert.ok(own.indexOf('apply ConfigMap post') > own.indexOf('delete ConfigMap a'));
  assert.equal(await world.get('v1', 'ConfigMap', 'post', 'leaving'), undefined);
});

/** Plays the part of a Job's pods. */
async function complete(name: string, namespace: string): Promise<void> {
  const resource = await world.kube.discovery.find({ group: 'batch', version: 'v1', kind: 'Job' }, soon());
  assert.ok(resource);
  const now = new Date(Date.now()).toISOString();
  const condition = (type: string) => ({ type, status: 'True', lastTransitionTime: now, lastProbeTime: now });
  const status = {
    succeeded: 1,
    startTime: now,
    completionTime: now,
    conditions: [condition('SuccessCriteriaMet'), condition('Complete')],
  };
  const write = { fieldManager: 'test', subresource: 'status' };
  await world.kube.patch(resource, { name, namespace }, { type: 'merge', body: { status } }, write, soon());
}

test('the managed metadata of the namespace is applied, and healed when somebody changes it', async () => {
  world.git.create('managed');
  world.git.commit('managed', { 'a.yaml': configMap('a', {}) });
  const managedNamespaceMetadata = { labels: { team: 'a' }, annotations: { note: 'x' } };
  const spec = {
    source: { repoURL: world.git.url('managed'), path: '.' },
    destination: { server, namespace: 'managed-ns' },
    syncPolicy: { ...automated, syncOptions: ['CreateNamespace=true'], managedNamespaceMetadata },
  };
  await world.apply(applicationObject('managed', spec));
  const app = await world.untilApplication('managed', inSync);
  assert.deepEqual(app.status?.operationState?.syncResult?.managedNamespaceMetadata, managedNamespaceMetadata);
  const team = async () => (await world.get('v1', 'Namespace', 'managed-ns'))?.metadata.labels?.['team'];
  assert.equal(await team(), 'a');
  await world.patch('v1', 'Namespace', 'managed-ns', '', { metadata: { labels: { team: 'b' } } });
  await world.until('the label', team, (label) => label === 'a');
  const healed = await world.untilApplication('managed', inSync);
  assert.deepEqual(healed.status?.operationState?.operation.sync?.resources, [
    { group: '', kind: 'Namespace', name: 'managed-ns' },
  ]);
  const policyWith = (labels: Record<string, string>) => ({
    spec: { syncPolicy: { managedNamespaceMetadata: { labels } } },
  });
  await world.patch('argoproj.io/v1alpha1', 'Application', 'managed', 'argocd', policyWith({ tier: 'one' }));
  const tier = async () => (await world.get('v1', 'Namespace', 'managed-ns'))?.metadata.labels?.['tier'];
  await world.until('the new label', tier, (label) => label === 'one');
  await world.untilApplication('managed', inSync);
});

test('a namespace that leaves Git is not pruned while its metadata is managed', async () => {
  const namespace = JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'taken-over' } });
  await deploy('taken-over', { 'a.yaml': configMap('a', {}), 'ns.yaml': namespace }, { syncPolicy: automated });
  await world.untilApplication('taken-over', inSync);
  const syncPolicy = { managedNamespaceMetadata: { labels: { team: 'a' } } };
  await world.patch('argoproj.io/v1alpha1', 'Application', 'taken-over', 'argocd', { spec: { syncPolicy } });
  await change('taken-over', { 'ns.yaml': null, 'b.yaml': configMap('b', {}) });
  const has = (app: Application) => app.status?.resources?.some(({ name }) => name === 'b') ?? false;
  const app = await world.untilApplication('taken-over', (found) => has(found) && inSync(found));
  const row = app.status?.resources?.find(({ kind }) => kind === 'Namespace');
  assert.deepEqual([row?.status, row?.requiresPruning], ['Synced', undefined]);
  const live = await world.get('v1', 'Namespace', 'taken-over', '');
  assert.equal(live?.metadata.deletionTimestamp, undefined);
  assert.ok(live);
});

test('a malformed object stops a sync before its first write; one of each new shape is asked about, once', async () => {
  const many = Object.fromEntries(
    Array.from({ length: 12 }, (_, at) => [`${at}.yaml`, configMap(`m${at}`, { [`k${at}`]: 'v' })]),
  );
  world.dryRuns.length = 0;
  await deploy('shapes', many, { syncPolicy: { ...automated, retry: { limit: 0 } } });
  await world.untilApplication('shapes', inSync);
  const own = world.dryRuns.filter((what) => /^ConfigMap m\d/.test(what));
  assert.ok(own.length <= 1, `asked about ${own.join()}`);
  const bad = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'bad' }, spec: { replica: 1 } };
  await change('shapes', { 'bad.yaml': JSON.stringify(bad), '12.yaml': configMap('m12', {}) });
  const app = await world.untilApplication(
    'shapes',
    (found) => ended(found) && found.status?.operationState?.phase === 'Failed',
  );
  assert.match(
    app.status?.operationState?.message ?? '',
    /^one or more objects failed to apply \(dry run\), reason: .*replica/,
  );
  assert.equal(await world.get('v1', 'ConfigMap', 'm12', 'shapes'), undefined, 'nothing was applied');
});

test('Validate=false drops what the schema does not know', async () => {
  const map = { ...(JSON.parse(configMap('loose', { a: 'b' }, options('Validate=false'))) as object), extra: { x: 1 } };
  await deploy('loose', { 'a.yaml': JSON.stringify(map) });
  await world.untilApplication('loose', (app) => app.status?.sync?.status === 'OutOfSync');
  await world.engine.sync('loose', {}, ada, soon());
  const app = await world.untilApplication('loose', ended);
  assert.equal(app.status?.operationState?.phase, 'Succeeded', app.status?.operationState?.message);
  assert.deepEqual((await world.get('v1', 'ConfigMap', 'loose', 'loose'))?.['data'], { a: 'b' });
});

test('Force creates anew only what cannot be changed; without it the sync fails', async () => {
  const frozen = (name: string, value: string, annotations: Record<string, string>) =>
    JSON.stringify({ ...(JSON.parse(configMap(name, { value }, annotations)) as object), immutable: true });
  const files = (value: string) => ({
    'c.yaml': frozen('kept', 'one', {}),
    'a.yaml': frozen('forced', value, options('Force=true')),
    'b.yaml': configMap('plain', { value }, options('Force=true')),
  });
  await deploy('force', files('one'), { syncPolicy: { ...automated, retry: { limit: 0 } } });
  await world.untilApplication('force', inSync);
  const uids = async () =>
    await Promise.all(
      ['forced', 'plain'].map(async (name) => (await world.get('v1', 'ConfigMap', name, 'force'))?.metadata.uid),
    );
  const before = await uids();
  await change('force', files('two'));
  await world.untilApplication('force', (app) => inSync(app) && app.status?.history?.length === 2);
  const now = await uids();
  assert.notEqual(now[0], before[0], 'the immutable one was created anew');
  assert.equal(now[1], before[1], 'the other was only changed');
  await change('force', { 'c.yaml': frozen('kept', 'two', {}) });
  const app = await world.untilApplication('force', (found) => found.status?.operationState?.phase === 'Failed');
  assert.match(app.status?.operationState?.message ?? '', /one or more objects failed to apply, reason: .*immutable/);
});

test('Prune=confirm waits for the approval, then prunes', async () => {
  await deploy(
    'confirm',
    { 'a.yaml': configMap('a', {}), 'b.yaml': configMap('b', {}, options('Prune=confirm')) },
    {
      syncPolicy: automated,
    },
  );
  await world.untilApplication('confirm', inSync);
  await change('confirm', { 'b.yaml': null });
  const waits = (app: Application) => app.status?.operationState?.message?.startsWith('waiting for pruning') ?? false;
  const app = await world.untilApplication('confirm', waits);
  assert.equal(app.status?.operationState?.message, 'waiting for pruning confirmation of /ConfigMap/b');
  const approval = { 'argocd.argoproj.io/deletion-approved': new Date(Date.now() + 1000).toISOString() };
  const metadata = { annotations: approval };
  await world.patch('argoproj.io/v1alpha1', 'Application', 'confirm', 'argocd', { metadata });
  await gone('ConfigMap', 'v1', 'b', 'confirm');
  await world.untilApplication('confirm', inSync);
});

test('a terminated sync takes its running hook along and says so; a time limit does the same', async () => {
  await deploy('hooked', { 'a.yaml': configMap('a', {}), 'h.yaml': job('h', hook('PreSync')) });
  await world.untilApplication('hooked', (app) => app.status?.sync?.status === 'OutOfSync');
  await world.engine.sync('hooked', {}, ada, soon());
  const running = (app: Application) =>
    app.status?.operationState?.message === 'waiting for completion of hook batch/Job/h';
  await world.untilApplication('hooked', running);
  const live = await world.get('batch/v1', 'Job', 'h', 'hooked');
  assert.deepEqual(live?.metadata.finalizers?.includes('argocd.argoproj.io/hook-finalizer'), true);
  await world.engine.terminate('hooked', soon());
  const app = await world.untilApplication('hooked', ended);
  assert.deepEqual(
    app.status?.operationState?.syncResult?.resources?.map(({ name, hookPhase, message }) => [
      name,
      hookPhase,
      message,
    ]),
    [['h', 'Failed', 'Terminated']],
  );
  assert.equal(app.status?.operationState?.message, 'Operation terminated');
  await gone('Job', 'batch/v1', 'h', 'hooked');
  const params = (data: Record<string, string>) => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'argocd-cmd-params-cm', namespace: 'argocd', labels: { 'app.kubernetes.io/part-of': 'argocd' } },
    data,
  });
  await world.apply(params({ 'controller.sync.timeout.seconds': '1' }));
  await world.engine.sync('hooked', {}, ada, soon());
  const limited = await world.untilApplication('hooked', (found) =>
    Boolean(ended(found) && found.status?.operationState?.message?.includes('triggered by controller sync timeout')),
  );
  assert.equal(limited.status?.operationState?.phase, 'Failed');
  await world.apply(params({}));
});

test('a retry with refresh follows the branch, one without stays at its commit', async () => {
  const bad = configMap('Not_A_Name', {});
  const retry = { limit: 10, backoff: { duration: '200ms', factor: 1 }, refresh: true };
  await deploy('fresh', { 'a.yaml': bad }, { syncPolicy: { ...automated, retry } });
  await world.untilApplication('fresh', (app) => (app.status?.operationState?.retryCount ?? 0) > 0);
  const fixed = await change('fresh', { 'a.yaml': configMap('name', {}) });
  const app = await world.untilApplication('fresh', inSync);
  assert.equal(app.status?.operationState?.syncResult?.revision, fixed);
  assert.ok((app.status?.operationState?.retryCount ?? 0) > 0, 'the same operation went on');
  assert.equal(app.status?.history?.length, 1);
});

test('manifests of the request are synced instead of what Git holds', async () => {
  await deploy('local', { 'a.yaml': configMap('a', { from: 'git' }) });
  await world.untilApplication('local', (app) => app.status?.sync?.status === 'OutOfSync');
  const manifests = [configMap('a', { from: 'hand' }), configMap('b', {})];
  await world.patch('argoproj.io/v1alpha1', 'Application', 'local', 'argocd', { operation: { sync: { manifests } } });
  const app = await world.untilApplication(
    'local',
    (found) => ended(found) && found.status?.operationState !== undefined,
  );
  assert.equal(app.status?.operationState?.phase, 'Succeeded', app.status?.operationState?.message);
  assert.deepEqual((await world.get('v1', 'ConfigMap', 'a', 'local'))?.['data'], { from: 'hand' });
  assert.ok(await world.get('v1', 'ConfigMap', 'b', 'local'));
  assert.equal((await world.untilApplication('local', ended)).status?.sync?.status, 'OutOfSync', 'Git has not changed');
});

test('a selective sync touches only what it names, runs no hooks and leaves no history', async () => {
  await deploy('chosen', {
    'a.yaml': configMap('a', {}),
    'b.yaml': configMap('b', {}),
    'h.yaml': configMap('h', {}, hook('PreSync')),
  });
  await world.untilApplication('chosen', (app) => app.status?.sync?.status === 'OutOfSync');
  const resources = [{ group: '', kind: 'ConfigMap', name: 'b' }];
  await world.patch('argoproj.io/v1alpha1', 'Application', 'chosen', 'argocd', { operation: { sync: { resources } } });
  const app = await world.untilApplication(
    'chosen',
    (found) => ended(found) && found.status?.operationState !== undefined,
  );
  assert.deepEqual(
    app.status?.operationState?.syncResult?.resources?.map(({ name }) => name),
    ['b'],
  );
  assert.equal(app.status?.history, undefined, 'a part of an application is no version of it');
  assert.equal(await world.get('v1', 'ConfigMap', 'h', 'chosen'), undefined);
  await world.patch('argoproj.io/v1alpha1', 'Application', 'chosen', 'argocd', {
    operation: { sync: { dryRun: true } },
  });
  const tried = await world.untilApplication('chosen', (found) =>
    Boolean(ended(found) && found.status?.operationState?.operation.sync?.dryRun),
  );
  assert.equal(tried.status?.operationState?.phase, 'Succeeded', tried.status?.operationState?.message);
  assert.equal(await world.get('v1', 'ConfigMap', 'a', 'chosen'), undefined, 'a dry run writes nothing');
  assert.equal(tried.status?.history, undefined);
});

test('what server-side apply cannot take is applied as kubectl does without it, and is in sync then', async () => {
  const env = (value: string) => [
    { name: 'TWICE', value: 'first' },
    { name: 'TWICE', value },
  ];
  const deployment = (value: string) =>
    JSON.stringify({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'twice' },
      spec: {
        replicas: 0,
        selector: { matchLabels: { a: 'b' } },
        template: {
          metadata: { labels: { a: 'b' } },
          spec: { containers: [{ name: 'c', image: 'x', env: env(value) }] },
        },
      },
    });
  await deploy('twice', { 'a.yaml': deployment('one') }, { syncPolicy: { ...automated, retry: { limit: 0 } } });
  await world.untilApplication('twice', inSync);
  await change('twice', { 'a.yaml': deployment('two') });
  const done = (app: Application) => inSync(app) && app.status?.history?.length === 2;
  await world.untilApplication('twice', done);
  const live = await world.get('apps/v1', 'Deployment', 'twice', 'twice');
  assert.match(JSON.stringify(live?.['spec']), /"name":"TWICE","value":"two"/);
});

test('a sync to an older commit, with the source as it is, applies that commit', async () => {
  const repoURL = await deploy('older', { 'a.yaml': configMap('a', { at: 'first' }) });
  const first = world.git.git('older', 'rev-parse', 'main').trim();
  await change('older', { 'a.yaml': configMap('a', { at: 'second' }) });
  await world.untilApplication('older', (app) => (app.status?.sync?.revision ?? first) !== first);
  await world.patch('argoproj.io/v1alpha1', 'Application', 'older', 'argocd', {
    operation: { sync: { revision: first } },
  });
  const app = await world.untilApplication(
    'older',
    (found) => ended(found) && found.status?.operationState !== undefined,
  );
  assert.equal(app.status?.operationState?.phase, 'Succeeded', `${repoURL} ${app.status?.operationState?.message}`);
  assert.deepEqual((await world.get('v1', 'ConfigMap', 'a', 'older'))?.['data'], { at: 'first' });
});

test('a sync writes what differs; what agrees is recorded as unchanged, and what has ignored fields is applied', async () => {
  const files = Object.fromEntries(['a', 'b', 'c'].map((name) => [`${name}.yaml`, configMap(name, { at: '1' })]));
  const ignoreDifferences = [{ kind: 'ConfigMap', name: 'c', jsonPointers: ['/data/other'] }];
  await deploy('frugal', files, { syncPolicy: automated, ignoreDifferences });
  await world.untilApplication('frugal', inSync);
  await world.engine.whenSettled('frugal', soon());
  world.writes.length = 0;
  await change('frugal', { 'a.yaml': configMap('a', { at: '2' }) });
  const app = await world.untilApplication('frugal', (found) => inSync(found) && found.status?.history?.length === 2);
  assert.deepEqual(
    world.writes.filter((write) => write.startsWith('apply')),
    ['apply ConfigMap a', 'apply ConfigMap c'],
  );
  assert.deepEqual(
    app.status?.operationState?.syncResult?.resources?.map(({ message }) => message),
    ['configmap/a configured', 'configmap/b unchanged', 'configmap/c unchanged'],
  );
});

test('a failed sync that waits for its next try makes room for a newer commit', async () => {
  const retry = { limit: 3, backoff: { duration: '1h' } };
  await deploy('waits', { 'a.yaml': configMap('Not_A_Name', {}) }, { syncPolicy: { ...automated, retry } });
  await world.untilApplication('waits', (app) => app.status?.operationState?.retryCount === 1);
  const fixed = await change('waits', { 'a.yaml': configMap('name', {}) });
  const app = await world.untilApplication('waits', inSync);
  assert.equal(app.status?.operationState?.syncResult?.revision, fixed);
  assert.equal(app.status?.operationState?.retryCount, undefined, 'another operation');
  const failed = world.audit.events.find((event) => event.application === 'waits' && event.kind === 'sync-failed');
  assert.match(
    failed?.message ?? '',
    new RegExp(`^gave way to ${fixed.slice(0, 7)}: one or more objects failed to apply`),
  );
});

test('the deletion waits while the Secret of the cluster is broken, and lets go when there is no such cluster any more', async () => {
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'broken', namespace: 'argocd', labels: { 'argocd.argoproj.io/secret-type': 'cluster' } },
    stringData: { name: 'broken', server: 'https://192.0.2.1', config: '{not json' },
  };
  await world.apply(secret);
  const finalizers = ['resources-finalizer.argocd.argoproj.io'];
  const source = { repoURL: world.git.url('local'), path: '.' };
  await world.apply(
    applicationObject('afar', { source, destination: { name: 'broken', namespace: 'x' } }, { finalizers }),
  );
  const says = (app: Application, type: string) =>
    app.status?.conditions?.find((found) => found.type === type)?.message;
  await world.untilApplication('afar', (app) => says(app, 'InvalidSpecError')?.includes('cannot be used') ?? false);
  await world.delete('argoproj.io/v1alpha1', 'Application', 'afar', 'argocd');
  const app = await world.untilApplication('afar', (found) => says(found, 'DeletionError') !== undefined);
  assert.match(says(app, 'DeletionError') ?? '', /is not deleted: cluster "broken" cannot be used.*mend the Secret/);
  await world.delete('v1', 'Secret', 'broken', 'argocd');
  await gone('Application', 'argoproj.io/v1alpha1', 'afar', 'argocd');
});
