import assert from 'node:assert/strict';
import { test } from 'node:test';
import { applicationObject, EngineWorld } from './world.ts';

const inCluster = 'https://kubernetes.default.svc';

test('a root application brings its children, and all are Synced and Healthy', async () => {
  await using world = await EngineWorld.start();
  world.git.create('manifests');
  const repoURL = world.git.url('manifests');
  const child = (name: string, namespace: string) =>
    JSON.stringify({
      apiVersion: 'argoproj.io/v1alpha1',
      kind: 'Application',
      metadata: { name, namespace: 'argocd' },
      spec: {
        project: 'default',
        source: {
          repoURL,
          targetRevision: 'main',
          path: 'chart',
          helm: { valueFiles: ['values.yaml', `values-${name}.yaml`] },
        },
        destination: { server: inCluster, namespace },
        syncPolicy: { automated: { prune: true, selfHeal: true }, syncOptions: ['CreateNamespace=true'] },
      },
    });
  const head = world.git.commit('manifests', {
    'apps/dev.yaml': child('dev', 'shop-dev'),
    'chart/Chart.yaml': 'apiVersion: v2\nname: chart\nversion: 0.1.0\n',
    'chart/values.yaml': 'tag: one\n',
    'chart/values-dev.yaml': 'env: dev\n',
    'chart/templates/cm.yaml':
      'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}\ndata:\n  tag: {{ .Values.tag }}\n  env: {{ .Values.env }}\n',
    'chart/templates/deployment.yaml':
      'apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: {{ .Release.Name }}\nspec:\n  replicas: 0\n  selector:\n    matchLabels: {app: a}\n  template:\n    metadata:\n      labels: {app: a}\n    spec:\n      containers:\n        - name: a\n          image: example.com/a:{{ .Values.tag }}\n          ports:\n            - containerPort: 80\n          resources:\n            limits: {cpu: 1000m}\n',
  });
  await world.startEngine();
  await world.apply(
    applicationObject('root', {
      source: { repoURL, targetRevision: 'main', path: 'apps' },
      destination: { server: inCluster, namespace: 'argocd' },
      syncPolicy: { automated: { prune: true, selfHeal: true } },
    }),
  );
  const dev = await world.untilApplication(
    'dev',
    (app) => app.status?.sync?.status === 'Synced' && app.status.health?.status === 'Healthy',
  );
  assert.equal(dev.status?.sync?.revision, head);
  assert.equal(dev.status?.history?.length, 1);
  assert.equal(dev.operation, undefined);
  assert.deepEqual(dev.status?.summary?.images, ['example.com/a:one']);
  await world.untilApplication(
    'root',
    (app) => app.status?.sync?.status === 'Synced' && app.status.health?.status === 'Healthy',
  );
  const live = await world.get('v1', 'ConfigMap', 'dev', 'shop-dev');
  assert.deepEqual(live?.['data'], { tag: 'one', env: 'dev' });

  world.writes.length = 0;
  await world.engine.whenSettled('dev', AbortSignal.timeout(5000));
  await world.engine.whenSettled('root', AbortSignal.timeout(5000));
  assert.deepEqual(world.writes, [], 'a second look writes nothing');
  assert.equal(world.running?.counts.dryRuns, 0, 'what the engine applied itself needs no question');

  world.git.commit('manifests', { 'chart/values-dev.yaml': 'env: changed\n' });
  world.engine.repositoryChanged(repoURL, 'webhook');
  await world.until(
    'the change',
    () => world.get('v1', 'ConfigMap', 'dev', 'shop-dev'),
    (object) => (object?.['data'] as { env?: string })?.env === 'changed',
  );
});
