import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Application, ApplicationSpec } from '#model/argocd/application.ts';
import { applicationObject, EngineWorld } from './world.ts';

const destination = { server: 'https://kubernetes.default.svc', namespace: 'shop' };
const automated = { automated: {}, syncOptions: ['CreateNamespace=true'] };
const inSync = (app: Application) => app.status?.sync?.status === 'Synced' && app.operation === undefined;

async function start(files: Record<string, string>, spec: Partial<ApplicationSpec> = {}): Promise<EngineWorld> {
  await using stack = new AsyncDisposableStack();
  const world = stack.use(await EngineWorld.start());
  await world.startEngine();
  world.git.create('shop');
  world.git.commit('shop', files);
  const source = { repoURL: world.git.url('shop'), path: '.' };
  await world.apply(applicationObject('shop', { source, destination, syncPolicy: automated, ...spec }));
  await world.untilApplication('shop', inSync, 20_000);
  stack.move();
  return world;
}

const configMap = (name: string, data: string) =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\ndata: ${data}\n`;

test('fields that a jq expression names, of the application or of the settings, are no drift and stay as they are', async () => {
  const ignoreDifferences = [
    { group: '', kind: 'ConfigMap', jqPathExpressions: ['.data[] | select(startswith("free"))', '.data.own'] },
  ];
  await using world = await start(
    { 'all.yaml': configMap('settings', '{own: mine, held: "1"}') },
    {
      ignoreDifferences,
      syncPolicy: { ...automated, syncOptions: [...automated.syncOptions, 'RespectIgnoreDifferences=true'] },
    },
  );
  await world.patch('v1', 'ConfigMap', 'settings', 'shop', { data: { own: 'theirs' } });
  world.git.commit('shop', { 'all.yaml': configMap('settings', '{own: mine, held: "2"}') });
  world.engine.repositoryChanged(world.git.url('shop'), 'test');
  await world.until(
    'the new value',
    async () => (await world.get('v1', 'ConfigMap', 'settings', 'shop'))?.['data'],
    (data) => (data as Record<string, string>)['held'] === '2',
  );
  const live = await world.get('v1', 'ConfigMap', 'settings', 'shop');
  assert.deepEqual(live?.['data'], { own: 'theirs', held: '2' });
  await world.untilApplication('shop', inSync);
});

test('an expression that cannot be read is a ComparisonError that quotes it', async () => {
  await using world = await start({ 'all.yaml': configMap('settings', '{a: "1"}') });
  await world.patch('argoproj.io/v1alpha1', 'Application', 'shop', 'argocd', {
    spec: { ignoreDifferences: [{ group: '', kind: 'ConfigMap', jqPathExpressions: ['.data['] }] },
  });
  const app = await world.untilApplication('shop', (found) => found.status?.sync?.status === 'Unknown');
  const messages = app.status?.conditions?.map(({ type, message }) => `${type}: ${message}`) ?? [];
  assert.match(messages.join('\n'), /^ComparisonError: .*jq expression "del\(\.data\[\)"/);
});

test('an object that server-side apply cannot take is compared without the server', async () => {
  await using world = await start({ 'all.yaml': configMap('settings', '{a: "1"}') });
  const deployment = (value: string) => `apiVersion: apps/v1
kind: Deployment
metadata: {name: twins}
spec:
  replicas: 0
  selector: {matchLabels: {app: twins}}
  template:
    metadata: {labels: {app: twins}}
    spec: {containers: [{name: web, image: "example.com/web:1", env: [{name: A, value: "1"}, {name: A, value: "${value}"}]}]}
`;
  const env = (value: string) => [
    { name: 'A', value: '1' },
    { name: 'A', value },
  ];
  const container = { name: 'web', image: 'example.com/web:1', env: env('2') };
  const annotations = { 'argocd.argoproj.io/tracking-id': 'shop:apps/Deployment:shop/twins' };
  await world.kube.create(
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'twins', namespace: 'shop', annotations },
      spec: {
        replicas: 0,
        selector: { matchLabels: { app: 'twins' } },
        template: { metadata: { labels: { app: 'twins' } }, spec: { containers: [container] } },
      },
    },
    { fieldManager: 'kubectl-create' },
    AbortSignal.timeout(10_000),
  );
  await world.patch('argoproj.io/v1alpha1', 'Application', 'shop', 'argocd', {
    spec: { syncPolicy: { automated: null } },
  });
  world.git.commit('shop', { 'twins.yaml': deployment('2') });
  world.engine.repositoryChanged(world.git.url('shop'), 'test');
  const statusOf = (app: Application) => app.status?.resources?.find(({ name }) => name === 'twins')?.status;
  await world.untilApplication('shop', (app) => statusOf(app) === 'Synced');
  world.git.commit('shop', { 'twins.yaml': deployment('3') });
  world.engine.repositoryChanged(world.git.url('shop'), 'test');
  await world.untilApplication('shop', (app) => statusOf(app) === 'OutOfSync');
});

test('what nobody has in the namespace is told of where the project asks, when it comes and when it goes', async () => {
  await using world = await start({ 'all.yaml': configMap('settings', '{a: "1"}') });
  const project = (orphanedResources?: object) => ({
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'AppProject',
    metadata: { name: 'default', namespace: 'argocd' },
    spec: {
      sourceRepos: ['*'],
      destinations: [{ server: '*', namespace: '*' }],
      clusterResourceWhitelist: [{ group: '*', kind: '*' }],
      ...(orphanedResources ? { orphanedResources } : {}),
    },
  });
  const lost = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'lost', namespace: 'shop' } };
  await world.apply(lost);
  await world.apply(project({ warn: true, ignore: [{ group: '', kind: 'Secret' }] }));
  const warningOf = (app: Application) =>
    app.status?.conditions?.find(({ type }) => type === 'OrphanedResourceWarning')?.message;
  await world.engine.refresh('shop', 'normal', AbortSignal.timeout(10_000));
  await world.untilApplication('shop', (app) => warningOf(app) === 'Application has 1 orphaned resources');
  await world.apply({ ...lost, metadata: { name: 'lost-too', namespace: 'shop' } });
  await world.untilApplication('shop', (app) => warningOf(app) === 'Application has 2 orphaned resources');
  await world.delete('v1', 'ConfigMap', 'lost', 'shop');
  await world.delete('v1', 'ConfigMap', 'lost-too', 'shop');
  await world.untilApplication('shop', (app) => warningOf(app) === undefined);
});

test('faces get the forms that were compared, values of Secrets and sensitive annotations masked, and the orphans', async () => {
  const secret =
    'apiVersion: v1\nkind: Secret\nmetadata: {name: s, annotations: {token: t0p}}\nstringData: {p: words}\n';
  await using world = await start({ 'all.yaml': `${secret}---\n${configMap('settings', '{a: "1"}')}` });
  await world.apply({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'argocd-cm', namespace: 'argocd', labels: { 'app.kubernetes.io/part-of': 'argocd' } },
    data: { 'resource.sensitive.mask.annotations': 'token' },
  });
  await world.patch('argoproj.io/v1alpha1', 'Application', 'shop', 'argocd', {
    spec: { syncPolicy: { automated: null } },
  });
  await world.patch('v1', 'ConfigMap', 'settings', 'shop', { data: { a: '2', own: 'x' } });
  await world.untilApplication('shop', (app) => app.status?.sync?.status === 'OutOfSync');
  const all = await world.engine.managedResources('shop', AbortSignal.timeout(10_000), { states: true });
  const states = (name: string) => all.find((resource) => resource.name === name)?.states;
  const data = states('settings');
  assert.deepEqual(
    [data?.target, data?.live, data?.predictedLive].map((form) => form?.['data']),
    [{ a: '1' }, { a: '2', own: 'x' }, { a: '1', own: 'x' }],
  );
  assert.equal(data?.resourceVersion, data?.live?.metadata.resourceVersion);
  assert.deepEqual(
    [states('s')?.target, states('s')?.live].map((form) => form?.['data']),
    [{ p: '++++++++' }, { p: '++++++++' }],
  );
  assert.doesNotMatch(JSON.stringify(all), /words|d29yZHM|t0p/);
});

test('a key that somebody adds to a map that is one value is drift, and is taken away again', async () => {
  const service =
    'apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {selector: {app: web}, ports: [{port: 80}]}\n';
  const healing = { automated: { selfHeal: true }, syncOptions: ['CreateNamespace=true'] };
  await using world = await start({ 'all.yaml': service }, { syncPolicy: healing });
  const selector = async () => {
    const live = await world.get('v1', 'Service', 'web', 'shop');
    return (live?.['spec'] as { selector: Record<string, string> }).selector;
  };
  const add = { spec: { selector: { extra: 'x' } } };
  await world.patch('v1', 'Service', 'web', 'shop', add);
  await world.until('the selector', selector, (found) => Object.keys(found).length === 1);
  await world.untilApplication('shop', inSync);
  // As well after a restart, from what was remembered.
  await world.stopEngine();
  await world.patch('v1', 'Service', 'web', 'shop', add);
  await world.startEngine();
  await world.until('the selector', selector, (found) => Object.keys(found).length === 1);
});

test('changes that the settings ignore wake no application, others do', async () => {
  await using world = await start({ 'all.yaml': configMap('settings', '{a: "1"}') });
  await world.apply({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'argocd-cm', namespace: 'argocd', labels: { 'app.kubernetes.io/part-of': 'argocd' } },
    data: { 'resource.customizations.ignoreResourceUpdates.ConfigMap': 'jsonPointers: [/data/heartbeat]' },
  });
  const looks = () => world.running?.counts.reconciles ?? 0;
  const beat = async (data: Record<string, string>) =>
    await world.patch('v1', 'ConfigMap', 'settings', 'shop', { data });
  // The settings are in force when a beat is ignored; until then each wakes the application.
  let beats = 0;
  await world.until(
    'settings in force',
    async () => {
      await world.engine.whenSettled('shop', AbortSignal.timeout(10_000));
      const before = looks();
      beats += 1;
      await beat({ heartbeat: `${beats}` });
      await world.patch('v1', 'ConfigMap', 'settings', 'shop', { metadata: { labels: { beat: `${beats}` } } });
      await world.until('a look at the label', looks, (now) => now > before);
      await world.engine.whenSettled('shop', AbortSignal.timeout(10_000));
      const between = looks();
      await beat({ heartbeat: `${beats}-again` });
      await new Promise((resolve) => setTimeout(resolve, 50));
      return looks() === between;
    },
    (ignored) => ignored,
  );
});
