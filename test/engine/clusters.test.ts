import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Application } from '#model/argocd/application.ts';
import { CutRelay, OtherCluster } from './other-cluster.ts';
import { applicationObject, configMap, EngineWorld } from './world.ts';

const automated = { automated: { prune: true, selfHeal: true }, syncOptions: ['CreateNamespace=true'] };
const synced = (application: Application) => application.status?.sync?.status === 'Synced';
const conditions = (application: Application) => application.status?.conditions ?? [];

function repository(world: EngineWorld): string {
  world.git.create('manifests');
  world.git.commit('manifests', { 'one/cm.yaml': configMap('one', { a: 'b' }) });
  return world.git.url('manifests');
}

test('an application goes to the cluster it names, is healed there, and a new Secret takes effect at once', async () => {
  await using world = await EngineWorld.start();
  await using other = await OtherCluster.start();
  const source = { repoURL: repository(world), targetRevision: 'main', path: 'one' };
  await world.startEngine();
  await world.apply(
    applicationObject('far', { source, destination: { name: 'far-away', namespace: 'far' }, syncPolicy: automated }),
  );
  const lost = await world.untilApplication('far', (app) => conditions(app).length > 0);
  assert.match(
    conditions(lost)[0]?.message ?? '',
    /there are no clusters with this name: far-away; known are: in-cluster/,
  );
  assert.equal(conditions(lost)[0]?.type, 'InvalidSpecError');

  await world.apply(other.secret('far-away'));
  await world.untilApplication('far', synced);
  const live = await other.get('v1', 'ConfigMap', 'one', 'far');
  assert.deepEqual(live?.['data'], { a: 'b' });
  assert.equal(live?.metadata.annotations?.['argocd.argoproj.io/tracking-id'], 'far:/ConfigMap:far/one');
  assert.equal(await world.get('v1', 'ConfigMap', 'one', 'far'), undefined, 'nothing of it is in the own cluster');

  await world.engine.whenSettled('far', AbortSignal.timeout(5000));
  world.writes.length = 0;
  const resource = await other.kube.discovery.find(
    { group: '', version: 'v1', kind: 'ConfigMap' },
    AbortSignal.timeout(5000),
  );
  assert.ok(resource);
  const patch = { type: 'merge' as const, body: { data: { a: 'drifted' } } };
  await other.kube.patch(
    resource,
    { name: 'one', namespace: 'far' },
    patch,
    { fieldManager: 'somebody' },
    AbortSignal.timeout(5000),
  );
  await world.until(
    'the drift',
    () => other.get('v1', 'ConfigMap', 'one', 'far'),
    (object) => (object?.['data'] as { a?: string })?.a === 'b',
  );

  await world.delete('argoproj.io/v1alpha1', 'Application', 'far', 'argocd');
  await world.delete('v1', 'Secret', 'far-away', 'argocd');
  await world.apply(applicationObject('later', { source, destination: { server: other.server, namespace: 'far' } }));
  const later = await world.untilApplication('later', (app) => conditions(app).length > 0);
  assert.match(conditions(later)[0]?.message ?? '', /cluster "https:.*" not found/);
});

test('a cluster that does not answer holds up its own applications only, and is used when its Secret is put right', async () => {
  await using world = await EngineWorld.start();
  await using other = await OtherCluster.start();
  const source = { repoURL: repository(world), targetRevision: 'main', path: 'one' };
  await world.startEngine();
  await world.apply(other.secret('down', { server: 'https://127.0.0.1:1' }));
  await world.apply(
    applicationObject('far', { source, destination: { name: 'down', namespace: 'far' }, syncPolicy: automated }),
  );
  await world.apply(
    applicationObject('near', {
      source,
      destination: { name: 'in-cluster', namespace: 'near' },
      syncPolicy: automated,
    }),
  );
  await world.untilApplication('near', synced);
  const far = await world.untilApplication('far', (app) => conditions(app).length > 0);
  assert.equal(far.status?.sync?.status, 'Unknown');
  assert.equal(conditions(far)[0]?.type, 'ComparisonError');
  assert.match(
    conditions(far)[0]?.message ?? '',
    /cluster "down" \(https:\/\/127\.0\.0\.1:1\) cannot be used: .*cannot reach/,
  );

  await world.apply(other.secret('down'));
  const well = await world.untilApplication('far', synced);
  assert.deepEqual(conditions(well), []);

  await world.apply(
    other.secret('down', { config: JSON.stringify({ bearerToken: 'revoked', tlsClientConfig: { insecure: true } }) }),
  );
  const refused = await world.untilApplication('far', (app) => conditions(app).length > 0);
  assert.match(conditions(refused)[0]?.message ?? '', /cluster "down" .* cannot be used: .*Unauthorized/);
  assert.ok(synced(world.engine.get('near')));
});

test('a cluster that goes away and comes back is said so by its applications, and nothing is lost', async () => {
  await using world = await EngineWorld.start();
  await using other = await OtherCluster.start();
  await using relay = await CutRelay.start(other.server);
  const source = { repoURL: repository(world), targetRevision: 'main', path: 'one' };
  await world.startEngine();
  await world.apply(other.secret('prod', { server: relay.url }));
  await world.apply(
    applicationObject('far', { source, destination: { name: 'prod', namespace: 'far' }, syncPolicy: automated }),
  );
  await world.untilApplication('far', synced);
  relay.cut();
  await world.patch('argoproj.io/v1alpha1', 'Application', 'far', 'argocd', {
    metadata: { annotations: { 'argocd.argoproj.io/refresh': 'hard' } },
  });
  const away = await world.untilApplication('far', (app) =>
    conditions(app).some(({ message }) => message.includes('cluster "prod"')),
  );
  assert.equal(away.status?.sync?.status, 'Unknown');
  assert.equal(away.status?.resources?.length, 1, 'what is known of it stays');
  relay.mend();
  const back = await world.untilApplication('far', synced, 20_000);
  assert.deepEqual(conditions(back), []);
});

test('a cluster whose Secret names namespaces is only looked at there', async () => {
  await using world = await EngineWorld.start();
  await using other = await OtherCluster.start();
  const source = { repoURL: repository(world), targetRevision: 'main', path: 'one' };
  for (const name of ['team-a', 'team-b']) {
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
    await other.kube.apply(namespace, { fieldManager: 'test' }, AbortSignal.timeout(5000));
  }
  await world.startEngine();
  await world.apply(other.secret('part', { namespaces: 'team-a, team-c' }));
  await world.apply(
    applicationObject('a', {
      source,
      destination: { name: 'part', namespace: 'team-a' },
      syncPolicy: { automated: { selfHeal: true } },
    }),
  );
  await world.untilApplication('a', synced);
  await world.apply(applicationObject('b', { source, destination: { name: 'part', namespace: 'team-b' } }));
  const b = await world.untilApplication('b', (app) => conditions(app).length > 0);
  assert.equal(conditions(b)[0]?.type, 'ComparisonError');
  assert.match(conditions(b)[0]?.message ?? '', /namespace "team-b" for ConfigMap "one" is not managed/);
});

test('applications of other namespaces: followed when the settings name them and the project permits it', async () => {
  await using world = await EngineWorld.start();
  const source = { repoURL: repository(world), targetRevision: 'main', path: 'one' };
  const destination = { name: 'in-cluster', namespace: 'shop' };
  await world.startEngine();
  for (const name of ['team-a', 'team-b', 'shop'])
    await world.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  const own = (namespace: string) =>
    applicationObject('web', { source, destination, syncPolicy: automated }, { namespace });
  await world.apply(own('team-a'));
  assert.deepEqual(world.engine.list(), [], 'nobody asked to follow that namespace');

  const params = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'argocd-cmd-params-cm', namespace: 'argocd' },
    data: { 'application.namespaces': 'team-*' },
  };
  await world.apply(params);
  const find = () => world.engine.list().find(({ metadata }) => metadata.namespace === 'team-a');
  const refused = await world.until('the refusal', find, (app) => app !== undefined && conditions(app).length > 0);
  assert.match(
    refused?.status?.conditions?.[0]?.message ?? '',
    /application 'web' in namespace 'team-a' is not permitted to use project 'default'/,
  );

  await world.apply({
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'AppProject',
    metadata: { name: 'default', namespace: 'argocd' },
    spec: {
      sourceRepos: ['*'],
      destinations: [{ server: '*', namespace: '*' }],
      clusterResourceWhitelist: [{ group: '*', kind: '*' }],
      sourceNamespaces: ['team-a'],
    },
  });
  await world.until('the sync', find, (app) => app !== undefined && synced(app));
  const live = await world.get('v1', 'ConfigMap', 'one', 'shop');
  assert.equal(live?.metadata.annotations?.['argocd.argoproj.io/tracking-id'], 'team-a_web:/ConfigMap:shop/one');
  assert.equal(world.engine.get('team-a/web').metadata.name, 'web');
  assert.ok(world.audit.kinds('team-a/web').includes('sync-succeeded'));

  world.writes.length = 0;
  await world.engine.whenSettled('team-a/web', AbortSignal.timeout(5000));
  assert.deepEqual(world.writes, []);
});

test('another way of tracking re-labels what is there, without a restart', async () => {
  await using world = await EngineWorld.start();
  const source = { repoURL: repository(world), targetRevision: 'main', path: 'one' };
  await world.startEngine();
  await world.apply(
    applicationObject('web', { source, destination: { name: 'in-cluster', namespace: 'shop' }, syncPolicy: automated }),
  );
  await world.untilApplication('web', synced);
  const settings = (data: Record<string, string>) =>
    world.apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'argocd-cm', namespace: 'argocd' }, data });
  await settings({ 'application.resourceTrackingMethod': 'annotation+label', installationID: 'blue' });
  await world.until(
    'the marks',
    () => world.get('v1', 'ConfigMap', 'one', 'shop'),
    (object) =>
      object?.metadata.labels?.['app.kubernetes.io/instance'] === 'web' &&
      object.metadata.annotations?.['argocd.argoproj.io/installation-id'] === 'blue',
  );
  await world.untilApplication('web', synced);
  await world.engine.whenSettled('web', AbortSignal.timeout(5000));
  world.writes.length = 0;
  await world.engine.whenSettled('web', AbortSignal.timeout(5000));
  assert.deepEqual(world.writes, []);
});

test('windows hold syncs back: automatic ones, and requests until the window allows them', async () => {
  await using world = await EngineWorld.start();
  const source = { repoURL: repository(world), targetRevision: 'main', path: 'one' };
  await world.startEngine();
  const project = (windows: unknown[]) =>
    world.apply({
      apiVersion: 'argoproj.io/v1alpha1',
      kind: 'AppProject',
      metadata: { name: 'held', namespace: 'argocd' },
      spec: { sourceRepos: ['*'], destinations: [{ server: '*', namespace: '*' }], syncWindows: windows },
    });
  const deny = { kind: 'deny', schedule: '* * * * *', duration: '24h', applications: ['*'] };
  await project([deny]);
  const spec = { project: 'held', source, destination: { name: 'in-cluster', namespace: 'shop' } };
  await world.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } });
  await world.apply(applicationObject('web', { ...spec, syncPolicy: { automated: { selfHeal: true } } }));
  await world.untilApplication('web', (app) => app.status?.sync?.status === 'OutOfSync');
  await world.engine.whenSettled('web', AbortSignal.timeout(5000));
  assert.equal(world.engine.get('web').status?.operationState, undefined, 'nothing begins by itself');

  await world.patch('argoproj.io/v1alpha1', 'Application', 'web', 'argocd', {
    operation: { sync: {}, initiatedBy: { username: 'kim' } },
  });
  const held = await world.untilApplication('web', (app) => app.status?.operationState !== undefined);
  assert.equal(held.status?.operationState?.phase, 'Running');
  await world.untilApplication(
    'web',
    (app) => app.status?.operationState?.message === 'Sync operation blocked by sync window',
  );
  assert.equal(await world.get('v1', 'ConfigMap', 'one', 'shop'), undefined);

  await project([{ ...deny, manualSync: true }]);
  await world.untilApplication('web', (app) => app.status?.operationState?.phase === 'Succeeded');
  assert.ok(await world.get('v1', 'ConfigMap', 'one', 'shop'));
});

test('a sync acts as the service account that the project names, with its rights and no others', async () => {
  await using world = await EngineWorld.start();
  world.git.create('manifests');
  world.git.commit('manifests', { 'one/cm.yaml': configMap('one', { a: 'b' }) });
  const source = { repoURL: world.git.url('manifests'), targetRevision: 'main', path: 'one' };
  const data = { 'application.sync.impersonation.enabled': 'true' };
  await world.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'argocd' } });
  await world.apply({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'argocd-cm', namespace: 'argocd' },
    data,
  });
  await world.startEngine();
  world.kube.discovery.invalidate();
  await world.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } });
  const project = (destinationServiceAccounts: unknown[]) =>
    world.apply({
      apiVersion: 'argoproj.io/v1alpha1',
      kind: 'AppProject',
      metadata: { name: 'team', namespace: 'argocd' },
      spec: { sourceRepos: ['*'], destinations: [{ server: '*', namespace: '*' }], destinationServiceAccounts },
    });
  await project([]);
  const destination = { name: 'in-cluster', namespace: 'shop' };
  await world.apply(applicationObject('web', { project: 'team', source, destination }));
  await world.untilApplication('web', (app) => app.status?.sync?.status === 'OutOfSync');
  const request = () =>
    world.patch('argoproj.io/v1alpha1', 'Application', 'web', 'argocd', { operation: { sync: {} } });
  await request();
  const refused = await world.untilApplication('web', (app) => app.status?.operationState?.phase === 'Error');
  assert.equal(
    refused.status?.operationState?.message,
    'no matching service account found for destination server https://kubernetes.default.svc and namespace shop',
  );

  await project([{ server: '*', namespace: 'shop', defaultServiceAccount: 'deployer' }]);
  await world.untilApplication('web', (app) => app.operation === undefined);
  await request();
  const forbidden = await world.untilApplication('web', (app) => app.status?.operationState?.phase === 'Failed');
  const { message = '' } = forbidden.status?.operationState ?? {};
  assert.match(message, /User "system:serviceaccount:shop:deployer" cannot patch resource/);

  const rbac = { apiVersion: 'rbac.authorization.k8s.io/v1' };
  const rules = [{ apiGroups: [''], resources: ['configmaps'], verbs: ['get', 'list', 'create', 'patch'] }];
  const subjects = [{ kind: 'ServiceAccount', name: 'deployer', namespace: 'shop' }];
  const metadata = { name: 'deployer', namespace: 'shop' };
  await world.apply({ ...rbac, kind: 'Role', metadata, rules });
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'deployer' };
  await world.apply({ ...rbac, kind: 'RoleBinding', metadata, subjects, roleRef });
  await world.untilApplication('web', (app) => app.operation === undefined);
  await request();
  await world.untilApplication('web', (app) => app.status?.operationState?.phase === 'Succeeded');
  assert.ok(await world.get('v1', 'ConfigMap', 'one', 'shop'));
});

test('a deleted project stays while an application refers to it', async () => {
  await using world = await EngineWorld.start();
  const source = { repoURL: repository(world), targetRevision: 'main', path: 'one' };
  await world.startEngine();
  const find = (name: string) => world.get('argoproj.io/v1alpha1', 'AppProject', name, 'argocd');
  assert.deepEqual((await find('default'))?.['spec'], {
    sourceRepos: ['*'],
    destinations: [{ server: '*', namespace: '*' }],
    clusterResourceWhitelist: [{ group: '*', kind: '*' }],
  });
  await world.apply({
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'AppProject',
    metadata: { name: 'old', namespace: 'argocd', finalizers: ['resources-finalizer.argocd.argoproj.io'] },
    spec: { sourceRepos: ['*'], destinations: [{ server: '*', namespace: '*' }] },
  });
  const destination = { name: 'in-cluster', namespace: 'shop' };
  await world.apply(applicationObject('web', { project: 'old', source, destination }));
  await world.untilApplication('web', (app) => app.status?.sync !== undefined);
  await world.delete('argoproj.io/v1alpha1', 'AppProject', 'old', 'argocd');
  await world.engine.whenSettled('web', AbortSignal.timeout(5000));
  assert.ok((await find('old'))?.metadata.deletionTimestamp);
  await world.delete('argoproj.io/v1alpha1', 'Application', 'web', 'argocd');
  await world.until(
    'the end of the project',
    () => find('old'),
    (project) => project === undefined,
  );
});
