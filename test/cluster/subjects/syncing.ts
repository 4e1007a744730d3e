import assert from 'node:assert/strict';
import { report } from '../kubelet.ts';
import { configMap, customKind, deployment, service } from '../objects.ts';
import { isSynced } from '../stage.ts';
import type { Subject } from '../suite.ts';

const automated = { automated: { prune: true, selfHeal: true } };

export const syncing: Subject = {
  name: 'syncing',
  cases: [
    {
      title: 'a folder of manifests becomes live, healthy, and is left alone from then on',
      async run(stage) {
        stage.commit({
          'service.yaml': service('web'),
          'deployment.yaml': deployment('web', 1),
          'notes/read.me': 'nothing for the cluster',
        });
        await stage.application({ syncPolicy: automated });
        await stage.untilApplication((app) => isSynced(app) && app.status?.health?.status === 'Progressing');
        await report(stage, ['app', 'web'], 'ready');
        const app = await stage.untilApplication((app) => isSynced(app) && app.status?.health?.status === 'Healthy');
        assert.equal(app.status?.history?.length, 1);
        await stage.untilSynced();
        const before = stage.writeCount;
        const { engine } = stage.suite.running;
        await engine.whenSettled(stage.name, AbortSignal.timeout(20_000));
        assert.deepEqual(stage.writesSince(before), []);
      },
    },
    {
      title: 'drift is healed, a deleted object comes back, what leaves Git is pruned',
      async run(stage) {
        stage.commit({ 'a.yaml': configMap('a', { by: 'git' }), 'b.yaml': configMap('b'), 'c.yaml': configMap('c') });
        await stage.application({ syncPolicy: automated });
        await stage.untilSynced();
        await stage.patch({ apiVersion: 'v1', kind: 'ConfigMap', name: 'a' }, { data: { by: 'hand', more: 'stays' } });
        await stage.until(
          'a healed',
          async () => (await stage.get('v1', 'ConfigMap', 'a'))?.['data'] ?? {},
          (data) => JSON.stringify(data) === JSON.stringify({ by: 'git', more: 'stays' }),
        );
        await stage.delete('v1', 'ConfigMap', 'b');
        await stage.exists('v1', 'ConfigMap', 'b');
        stage.commit({ 'c.yaml': null });
        await stage.gone('v1', 'ConfigMap', 'c');
        await stage.untilSynced();
      },
    },
    {
      title: 'without prune an object that left Git stays, and the application says so',
      async run(stage) {
        stage.commit({ 'a.yaml': configMap('a'), 'b.yaml': configMap('b') });
        await stage.application({ syncPolicy: { automated: {} } });
        await stage.untilSynced();
        stage.commit({ 'b.yaml': null });
        const app = await stage.untilApplication((app) => app.status?.sync?.status === 'OutOfSync');
        const extra = app.status?.resources?.find(({ name }) => name === 'b');
        assert.equal(extra?.requiresPruning, true);
        assert.ok(await stage.get('v1', 'ConfigMap', 'b'));
        const pruned = await stage.sync({ prune: true });
        assert.equal(pruned.status?.operationState?.phase, 'Succeeded');
        await stage.gone('v1', 'ConfigMap', 'b');
      },
    },
    {
      title: 'Prune=false on an object keeps it when everything else is pruned',
      async run(stage) {
        stage.commit({
          'a.yaml': configMap('a'),
          'kept.yaml': configMap('kept', {}, { 'sync-options': 'Prune=false' }),
        });
        await stage.application();
        await stage.sync();
        stage.commit({ 'kept.yaml': null });
        await stage.untilApplication((app) => app.status?.sync?.status === 'OutOfSync');
        const app = await stage.sync({ prune: true });
        const result = app.status?.operationState?.syncResult?.resources?.find(({ name }) => name === 'kept');
        assert.equal(result?.status, 'PruneSkipped');
        assert.ok(await stage.get('v1', 'ConfigMap', 'kept'));
      },
    },
    {
      title: 'CreateNamespace makes the namespace with its metadata before anything goes into it',
      async run(stage) {
        const namespace = `${stage.name}-made`;
        stage.leave({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
        stage.commit({ 'a.yaml': configMap('a') });
        await stage.application({
          destination: { server: 'https://kubernetes.default.svc', namespace },
          syncPolicy: {
            ...automated,
            syncOptions: ['CreateNamespace=true'],
            managedNamespaceMetadata: { labels: { team: 'blue' }, annotations: { note: 'by hand of none' } },
          },
        });
        await stage.untilSynced();
        const made = await stage.exists('v1', 'Namespace', namespace);
        assert.equal(made.metadata.labels?.['team'], 'blue');
        assert.equal(made.metadata.annotations?.['note'], 'by hand of none');
        assert.ok(await stage.get('v1', 'ConfigMap', 'a', namespace));
      },
    },
    {
      title: 'an immutable field fails the sync with the words of the server; Force=true replaces the object',
      async run(stage) {
        const fixed = (value: string, notes = {}) => ({ ...configMap('fixed', { value }, notes), immutable: true });
        stage.commit({ 'a.yaml': fixed('1') });
        await stage.application();
        await stage.sync();
        const first = await stage.exists('v1', 'ConfigMap', 'fixed');
        stage.commit({ 'a.yaml': fixed('2') });
        await stage.untilApplication((app) => app.status?.sync?.status === 'OutOfSync');
        const failed = await stage.sync();
        assert.equal(failed.status?.operationState?.phase, 'Failed');
        assert.match(failed.status?.operationState?.message ?? '', /immutable/);
        stage.commit({ 'a.yaml': fixed('2', { 'sync-options': 'Force=true' }) });
        await stage.untilApplication((app) => app.status?.sync?.revision !== failed.status?.sync?.revision);
        const forced = await stage.sync();
        assert.equal(forced.status?.operationState?.phase, 'Succeeded');
        const second = await stage.exists('v1', 'ConfigMap', 'fixed');
        assert.notEqual(second.metadata.uid, first.metadata.uid);
        assert.deepEqual(second['data'], { value: '2' });
      },
    },
    {
      title: 'a CustomResourceDefinition and its first object arrive in one sync',
      async run(stage) {
        const group = `${stage.name}.example.com`;
        const definition = customKind(group, 'Widget');
        stage.leave(definition);
        const widget = { apiVersion: `${group}/v1`, kind: 'Widget', metadata: { name: 'w' }, spec: { size: 3 } };
        stage.commit({ 'widget.yaml': widget, 'z-definition.yaml': definition });
        await stage.application({ syncPolicy: automated });
        await stage.untilSynced();
        const live = await stage.exists(`${group}/v1`, 'Widget', 'w');
        assert.deepEqual(live['spec'], { size: 3 });
      },
    },
    {
      title: 'a selective sync writes what was chosen and records no history',
      async run(stage) {
        stage.commit({ 'a.yaml': configMap('a'), 'b.yaml': configMap('b') });
        await stage.application();
        const app = await stage.sync({ resources: [{ group: '', kind: 'ConfigMap', name: 'b' }] });
        assert.equal(app.status?.operationState?.phase, 'Succeeded');
        assert.ok(await stage.get('v1', 'ConfigMap', 'b'));
        assert.equal(await stage.get('v1', 'ConfigMap', 'a'), undefined);
        assert.deepEqual(app.status?.history ?? [], []);
        assert.equal(app.status?.sync?.status, 'OutOfSync');
      },
    },
    {
      title: 'a dry run tells what it would do and does nothing',
      async run(stage) {
        stage.commit({ 'a.yaml': configMap('a') });
        await stage.application();
        const app = await stage.sync({ dryRun: true });
        assert.equal(app.status?.operationState?.phase, 'Succeeded');
        assert.equal(await stage.get('v1', 'ConfigMap', 'a'), undefined);
        assert.deepEqual(app.status?.history ?? [], []);
      },
    },
    {
      title: 'a kind that the cluster does not serve fails the sync before anything is written',
      async run(stage) {
        const unknown = { apiVersion: 'nowhere.example.com/v1', kind: 'Ghost', metadata: { name: 'g' } };
        stage.commit({ 'a.yaml': configMap('a'), 'g.yaml': unknown });
        await stage.application();
        const app = await stage.sync();
        assert.equal(app.status?.operationState?.phase, 'Failed');
        assert.match(app.status?.operationState?.message ?? '', /Ghost/);
        assert.equal(await stage.get('v1', 'ConfigMap', 'a'), undefined);
      },
    },
    {
      title: 'what was once applied by client-side kubectl is taken over with all that it had set',
      async run(stage) {
        const before = {
          apiVersion: 'v1',
          kind: 'ConfigMap',
          metadata: { name: 'old', namespace: stage.name },
          data: { kept: '1', dropped: '2' },
        };
        const annotations = { 'kubectl.kubernetes.io/last-applied-configuration': `${JSON.stringify(before)}\n` };
        await stage.suite.kube.create(
          { ...before, metadata: { ...before.metadata, annotations } },
          { fieldManager: 'kubectl-client-side-apply' },
          AbortSignal.timeout(10_000),
        );
        stage.commit({ 'a.yaml': configMap('old', { kept: '1' }) });
        await stage.application({ syncPolicy: automated });
        await stage.untilSynced();
        assert.deepEqual((await stage.get('v1', 'ConfigMap', 'old'))?.['data'], { kept: '1' });
      },
    },
    {
      title: 'an operation written with kubectl is carried out, one that is taken away ends',
      async run(stage) {
        stage.commit({ 'a.yaml': configMap('a') });
        await stage.application();
        await stage.untilApplication((app) => app.status?.sync?.status === 'OutOfSync');
        const application = {
          apiVersion: 'argoproj.io/v1alpha1',
          kind: 'Application',
          name: stage.name,
          namespace: stage.suite.instance,
        };
        await stage.patch(application, { operation: { sync: {}, initiatedBy: { username: 'somebody' } } });
        const app = await stage.untilApplication((app) => app.status?.operationState?.phase === 'Succeeded');
        assert.equal(app.status?.operationState?.operation.initiatedBy?.username, 'somebody');
        assert.ok(await stage.get('v1', 'ConfigMap', 'a'));
      },
    },
  ],
};
