import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { AppError } from '#base/errors.ts';
import { isObject } from '#base/json.ts';
import type { KubeObject } from '#kube/port.ts';
import { configMap, EngineWorld } from './world.ts';

const apiVersion = 'argoproj.io/v1alpha1';
const inCluster = 'https://kubernetes.default.svc';

function setObject(name: string, spec: Record<string, unknown>, metadata: Record<string, unknown> = {}): KubeObject {
  return { apiVersion, kind: 'ApplicationSet', metadata: { name, namespace: 'argocd', ...metadata }, spec };
}

function template(repoURL: string, path: string, name: string): Record<string, unknown> {
  return {
    metadata: { name },
    spec: {
      project: 'default',
      source: { repoURL, targetRevision: 'main', path },
      destination: { server: inCluster, namespace: 'sets' },
    },
  };
}

function condition(set: KubeObject | undefined, type: string): Record<string, unknown> {
  const status = isObject(set?.['status']) ? set['status'] : {};
  const conditions: unknown[] = Array.isArray(status['conditions']) ? status['conditions'] : [];
  return conditions.filter(isObject).find((one) => one['type'] === type) ?? {};
}

async function until(world: EngineWorld, name: string, accept: (set: KubeObject) => boolean): Promise<KubeObject> {
  const found = await world.until(
    `set ${name}`,
    () => world.get(apiVersion, 'ApplicationSet', name, 'argocd'),
    (set) => set !== undefined && accept(set),
  );
  if (!found) throw new Error('unreachable');
  return found;
}

const upToDate = (set: KubeObject) => condition(set, 'ResourcesUpToDate')['status'] === 'True';

function names(world: EngineWorld): string[] {
  return world.engine.list().map((application) => application.metadata.name);
}

async function untilNames(world: EngineWorld, want: string[]): Promise<void> {
  await world.until(
    'applications',
    () => names(world).sort().join(),
    (list) => list === want.join(),
  );
}

test('folders of a repository become applications, come and go with it, and a second look writes nothing', async () => {
  await using world = await EngineWorld.start();
  world.git.create('manifests');
  const repoURL = world.git.url('manifests');
  world.git.commit('manifests', {
    'apps/one/cm.yaml': configMap('one', { a: 'b' }),
    'apps/two/cm.yaml': configMap('two', { a: 'b' }),
    'apps/not/cm.yaml': configMap('not', { a: 'b' }),
    'README.md': 'text',
  });
  await world.startEngine();
  const git = { repoURL, revision: 'main', directories: [{ path: 'apps/*' }, { path: 'apps/not', exclude: true }] };
  const own = template(repoURL, '{{.path.path}}', '{{.path.basename}}');
  await world.apply(setObject('folders', { goTemplate: true, generators: [{ git }], template: own }));
  await untilNames(world, ['one', 'two']);
  const one = await world.untilApplication('one', (application) => application.status?.sync?.status === 'OutOfSync');
  assert.deepEqual(one.metadata.finalizers, ['resources-finalizer.argocd.argoproj.io']);
  assert.deepEqual(
    (one.metadata['ownerReferences'] as { kind: string; name: string; controller: boolean }[]).map(
      ({ kind, name, controller }) => ({ kind, name, controller }),
    ),
    [{ kind: 'ApplicationSet', name: 'folders', controller: true }],
  );
  const set = await until(world, 'folders', (found) => {
    const status = isObject(found['status']) ? found['status'] : {};
    return upToDate(found) && JSON.stringify(status['resources'] ?? '').split('OutOfSync').length === 3;
  });
  assert.equal((set['status'] as { resourcesCount: number }).resourcesCount, 2);
  assert.equal((set['status'] as { health: { status: string } }).health.status, 'Healthy');

  for (const name of ['one', 'two']) await world.engine.whenSettled(name, AbortSignal.timeout(5000));
  world.writes.length = 0;
  const looks = world.running?.counts.setLooks ?? 0;
  world.engine.repositoryChanged(repoURL, 'webhook');
  await world.patch(apiVersion, 'ApplicationSet', 'folders', 'argocd', { metadata: { labels: { looked: 'at' } } });
  await world.until(
    'a look',
    () => world.running?.counts.setLooks ?? 0,
    (count) => count > looks,
  );
  assert.deepEqual(world.writes, [], 'a second look writes nothing');

  world.git.commit('manifests', { 'apps/three/cm.yaml': configMap('three', { a: 'b' }), 'apps/two/cm.yaml': null });
  world.engine.repositoryChanged(repoURL, 'webhook');
  await untilNames(world, ['one', 'three']);
  assert.deepEqual(world.writes.filter((what) => /^(?:create|delete) Application /.test(what)).sort(), [
    'create Application three',
    'delete Application two',
  ]);
});

test('an error in any generator touches nothing, is told, and what somebody changed is put right', async () => {
  await using world = await EngineWorld.start();
  world.git.create('manifests');
  world.git.commit('manifests', { 'one/cm.yaml': configMap('one', { a: 'b' }) });
  const repoURL = world.git.url('manifests');
  await world.startEngine();
  const own = template(repoURL, 'one', '{{name}}');
  const elements = [{ name: 'a' }, { name: 'b' }];
  const preservedFields = { annotations: ['keep.me'] };
  await world.apply(setObject('list', { generators: [{ list: { elements } }], template: own, preservedFields }));
  await untilNames(world, ['a', 'b']);
  await until(world, 'list', upToDate);

  const annotations = { 'keep.me': 'yes', 'drop.me': 'yes', 'argocd.argoproj.io/refresh': 'normal' };
  await world.patch(apiVersion, 'Application', 'a', 'argocd', {
    metadata: { annotations, labels: { own: 'label' } },
    spec: { source: { path: 'elsewhere' } },
  });
  const healed = await world.untilApplication(
    'a',
    ({ metadata, spec }) => spec.source?.path === 'one' && metadata.annotations?.['drop.me'] === undefined,
  );
  assert.equal(healed.metadata.annotations?.['keep.me'], 'yes');
  assert.deepEqual(healed.metadata.labels ?? {}, {});

  const broken = { git: { repoURL: `${repoURL}-not-there`, directories: [{ path: '*' }] } };
  await world.patch(apiVersion, 'ApplicationSet', 'list', 'argocd', {
    spec: { generators: [{ list: { elements: [{ name: 'c' }] } }, broken] },
  });
  const failed = await until(world, 'list', (set) => condition(set, 'ErrorOccurred')['status'] === 'True');
  assert.match(String(condition(failed, 'ErrorOccurred')['message']), /manifests\.git-not-there.* not found/);
  assert.equal(condition(failed, 'ErrorOccurred')['reason'], 'ApplicationGenerationFromParamsError');
  assert.equal(condition(failed, 'ParametersGenerated')['status'], 'False');
  assert.deepEqual(names(world).sort(), ['a', 'b']);

  const lost = {
    list: {
      elements: [
        { name: 'a', cluster: 'nowhere' },
        { name: 'b', cluster: 'in-cluster' },
      ],
    },
  };
  await world.patch(apiVersion, 'ApplicationSet', 'list', 'argocd', {
    spec: { generators: [lost], template: { spec: { destination: { server: null, name: '{{cluster}}' } } } },
  });
  const invalid = await until(
    world,
    'list',
    (set) => condition(set, 'ErrorOccurred')['reason'] === 'ApplicationValidationError',
  );
  assert.match(String(condition(invalid, 'ErrorOccurred')['message']), /destination spec is invalid.*nowhere/);
  await world.untilApplication('b', ({ spec }) => spec.destination.name === 'in-cluster');
  assert.equal((await world.untilApplication('a', () => true)).spec.destination.server, inCluster);
});

test('policies decide what is updated and deleted, and whether applications outlive their set', async () => {
  await using world = await EngineWorld.start();
  world.git.create('manifests');
  world.git.commit('manifests', { 'one/cm.yaml': configMap('one', { a: 'b' }) });
  const own = template(world.git.url('manifests'), 'one', '{{name}}');
  await world.startEngine();
  const spec = (list: string[], path: string) => ({
    generators: [{ list: { elements: list.map((name) => ({ name })) } }],
    syncPolicy: { applicationsSync: 'create-only' },
    template: { ...own, spec: { ...(own['spec'] as object), source: { repoURL: world.git.url('manifests'), path } } },
  });
  await world.apply(setObject('once', spec(['a', 'b'], 'one')));
  await untilNames(world, ['a', 'b']);
  await world.apply(setObject('once', spec(['b', 'c'], 'two')));
  await untilNames(world, ['a', 'b', 'c']);
  const application = (name: string) => world.engine.list().find(({ metadata }) => metadata.name === name);
  assert.equal(application('b')?.spec.source?.path, 'one');
  assert.equal(application('c')?.spec.source?.path, 'two');

  await world.patch(apiVersion, 'ApplicationSet', 'once', 'argocd', { metadata: { finalizers: ['test/hold'] } });
  await world.delete(apiVersion, 'ApplicationSet', 'once', 'argocd');
  await world.until(
    'no owners',
    () => world.engine.list().map(({ metadata }) => metadata['ownerReferences'] ?? []),
    (owners) => JSON.stringify(owners) === '[[],[],[]]',
  );
  await world.patch(apiVersion, 'ApplicationSet', 'once', 'argocd', { metadata: { finalizers: null } });
  assert.deepEqual(names(world).sort(), ['a', 'b', 'c']);

  const data = { 'applicationsetcontroller.dryrun': 'true' };
  const metadata = { name: 'argocd-cmd-params-cm', namespace: 'argocd' };
  await world.apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata, data });
  await delay(200);
  const looks = world.running?.counts.setLooks ?? 0;
  world.writes.length = 0;
  await world.apply(setObject('dry', spec(['d'], 'one')));
  await world.until(
    'a look',
    () => world.running?.counts.setLooks ?? 0,
    (count) => count > looks,
  );
  assert.deepEqual(
    world.writes.filter((what) => / (?:ApplicationSet dry|Application d)$/.test(what)),
    [],
  );
});

test('a set of a thousand applications writes each once, and then only the one that changed', async () => {
  await using world = await EngineWorld.start();
  world.git.create('manifests');
  world.git.commit('manifests', { 'one/cm.yaml': configMap('one', { a: 'b' }) });
  await world.startEngine();
  const elements = Array.from({ length: 1000 }, (_none, index) => ({ name: `app-${index}`, at: 'one' }));
  const own = template(world.git.url('manifests'), '{{at}}', '{{name}}');
  const skipped = {
    ...own,
    metadata: { name: '{{name}}', annotations: { 'argocd.argoproj.io/skip-reconcile': 'true' } },
  };
  await world.apply(setObject('many', { generators: [{ list: { elements } }], template: skipped }));
  await world.until(
    'all',
    () => world.engine.list().length,
    (count) => count === 1000,
    60_000,
  );
  await until(world, 'many', upToDate);
  assert.equal(world.writes.filter((what) => what.startsWith('create Application')).length, 1000);
  world.writes.length = 0;
  elements[500] = { name: 'app-500', at: 'two' };
  await world.apply(setObject('many', { generators: [{ list: { elements } }], template: skipped }));
  await world.untilApplication('app-500', ({ spec }) => spec.source?.path === 'two');
  assert.deepEqual(
    world.writes.filter((what) => what !== 'patch ApplicationSet many'),
    ['patch Application app-500'],
  );
});

test('a set in a namespace that is followed makes its applications there; in another it is left alone', async () => {
  await using world = await EngineWorld.start();
  world.git.create('manifests');
  world.git.commit('manifests', { 'one/cm.yaml': configMap('one', { a: 'b' }) });
  for (const name of ['argocd', 'team', 'strangers'])
    await world.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  const data = { 'applicationsetcontroller.namespaces': 'te*', 'application.namespaces': 'te*' };
  await world.apply({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'argocd-cmd-params-cm', namespace: 'argocd' },
    data,
  });
  await world.startEngine();
  world.kube.discovery.invalidate();
  const own = template(world.git.url('manifests'), 'one', '{{name}}');
  for (const namespace of ['strangers', 'team'])
    await world.apply(
      setObject('here', { generators: [{ list: { elements: [{ name: namespace }] } }], template: own }, { namespace }),
    );
  const { metadata } = await world.untilApplication('team', () => true);
  assert.equal(metadata.namespace, 'team');
  assert.equal(await world.get(apiVersion, 'Application', 'strangers', 'strangers'), undefined);
  const forge = { pullRequest: { github: { owner: 'o', repo: 'r' } } };
  await world.patch(apiVersion, 'ApplicationSet', 'here', 'team', { spec: { generators: [forge] } });
  const refused = await world.until(
    'a refusal',
    () => world.get(apiVersion, 'ApplicationSet', 'here', 'team'),
    (set) => condition(set, 'ErrorOccurred')['status'] === 'True',
  );
  assert.match(String(condition(refused, 'ErrorOccurred')['message']), /allowed\.scm\.providers, which names none/);
});

test('requests that fail, before or after they were carried out, change nothing of the end', async () => {
  await using world = await EngineWorld.start();
  world.git.create('manifests');
  world.git.commit('manifests', { 'one/cm.yaml': configMap('one', { a: 'b' }) });
  await world.startEngine();
  let count = 0;
  const seen = new Set<string>();
  world.aroundWrite = async (what, send) => {
    if (!/Application/.test(what) || seen.has(what)) return await send();
    seen.add(what);
    count += 1;
    if (count % 3 === 0) return await send();
    if (count % 3 === 1) throw new AppError('unavailable', 'the connection broke before');
    await send();
    throw new AppError('unavailable', 'the connection broke after');
  };
  const own = template(world.git.url('manifests'), 'one', '{{name}}');
  const elements = ['a', 'b', 'c', 'd', 'e'].map((name) => ({ name }));
  await world.apply(setObject('faulty', { generators: [{ list: { elements } }], template: own }));
  await untilNames(world, ['a', 'b', 'c', 'd', 'e']);
  await until(world, 'faulty', upToDate);
  seen.clear();
  await world.apply(
    setObject('faulty', {
      generators: [{ list: { elements: elements.slice(2) } }],
      template: { ...own, metadata: { name: '{{name}}', labels: { new: 'label' } } },
    }),
  );
  await untilNames(world, ['c', 'd', 'e']);
  await world.until(
    'labels',
    () =>
      world.engine
        .list()
        .map(({ metadata }) => metadata.labels?.['new'])
        .join(),
    (all) => all === 'label,label,label',
  );
  await until(
    world,
    'faulty',
    (set) => upToDate(set) && (set['status'] as { resourcesCount: number }).resourcesCount === 3,
  );
  assert.ok(count > 10, `${count} requests were disturbed or watched`);
});

test('a rollout by steps syncs one step after the other, and reverse deletion goes backwards', async () => {
  await using world = await EngineWorld.start();
  world.git.create('manifests');
  world.git.commit('manifests', { 'cm.yaml': configMap('one', { a: 'b' }) });
  await world.apply({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: 'argocd' },
  });
  await world.apply({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'argocd-cmd-params-cm', namespace: 'argocd' },
    data: { 'applicationsetcontroller.enable.progressive.syncs': 'true' },
  });
  await world.startEngine();
  world.kube.discovery.invalidate();
  const steps = ['dev', 'prod'].map((env) => ({ matchExpressions: [{ key: 'env', operator: 'In', values: [env] }] }));
  const own = {
    metadata: { name: 'app-{{env}}', labels: { env: '{{env}}' } },
    spec: {
      project: 'default',
      source: { repoURL: world.git.url('manifests'), targetRevision: 'main', path: '.' },
      destination: { server: inCluster, namespace: '{{env}}' },
      syncPolicy: { automated: {}, syncOptions: ['CreateNamespace=true'] },
    },
  };
  const strategy = { type: 'RollingSync', rollingSync: { steps }, deletionOrder: 'Reverse' };
  const generators = [{ list: { elements: [{ env: 'prod' }, { env: 'dev' }] } }];
  await world.apply(setObject('rollout', { generators, template: own, strategy }));
  for (const name of ['app-dev', 'app-prod'])
    await world.untilApplication(name, ({ status }) => status?.sync?.status === 'Synced', 20_000);
  const done = await until(world, 'rollout', (set) => condition(set, 'RolloutProgressing')['status'] === 'False');
  const phases = (done['status'] as { applicationStatus: { application: string; status: string; step: string }[] })
    .applicationStatus;
  assert.deepEqual(
    phases.map(({ application, status, step }) => [application, status, step]),
    [
      ['app-dev', 'Healthy', '1'],
      ['app-prod', 'Healthy', '2'],
    ],
  );
  const synced = world.audit.events.filter(({ kind }) => /sync/.test(kind)).map(({ application }) => application);
  assert.ok(synced.indexOf('app-dev') >= 0 && synced.indexOf('app-dev') < synced.indexOf('app-prod'));
  const states = world.engine.list().map(({ spec, status }) => ({
    enabled: spec.syncPolicy?.automated?.enabled,
    by: status?.operationState?.operation.initiatedBy?.username,
  }));
  assert.deepEqual(states, [
    { enabled: false, by: 'applicationset-controller' },
    { enabled: false, by: 'applicationset-controller' },
  ]);

  await world.until(
    'the finalizer',
    () => world.get(apiVersion, 'ApplicationSet', 'rollout', 'argocd'),
    (set) => (set?.metadata.finalizers ?? []).length === 1,
  );
  const deleted = world.writes.length;
  await world.delete(apiVersion, 'ApplicationSet', 'rollout', 'argocd');
  await world.until(
    'all gone',
    () => world.get(apiVersion, 'ApplicationSet', 'rollout', 'argocd'),
    (set) => set === undefined,
    20_000,
  );
  const order = world.writes.slice(deleted).filter((what) => what.startsWith('delete Application '));
  assert.deepEqual(order, ['delete Application app-prod', 'delete Application app-dev']);
});
