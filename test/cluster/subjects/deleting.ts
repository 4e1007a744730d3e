import assert from 'node:assert/strict';
import { configMap } from '../objects.ts';
import type { Stage } from '../stage.ts';
import type { Subject } from '../suite.ts';

const automated = { automated: { prune: true, selfHeal: true } };

async function deleteApplication(stage: Stage, name = stage.name): Promise<void> {
  await stage.delete('argoproj.io/v1alpha1', 'Application', name, stage.suite.instance);
}

const applicationGone = (stage: Stage, name = stage.name) =>
  stage.gone('argoproj.io/v1alpha1', 'Application', name, stage.suite.instance);

export const deleting: Subject = {
  name: 'deleting',
  cases: [
    {
      title: 'with its finalizer an application takes what it manages along, but not what says Delete=false',
      async run(stage) {
        stage.commit({
          'a.yaml': configMap('a'),
          'kept.yaml': configMap('kept', {}, { 'sync-options': 'Delete=false' }),
        });
        await stage.application({ syncPolicy: automated });
        await stage.untilSynced();
        await deleteApplication(stage);
        await applicationGone(stage);
        assert.equal(await stage.get('v1', 'ConfigMap', 'a'), undefined);
        assert.ok(await stage.get('v1', 'ConfigMap', 'kept'));
      },
    },
    {
      title: 'without a finalizer everything stays',
      async run(stage) {
        stage.commit({ 'a.yaml': configMap('a') });
        await stage.application({ syncPolicy: automated }, { cascade: false });
        await stage.untilSynced();
        await deleteApplication(stage);
        await applicationGone(stage);
        assert.ok(await stage.get('v1', 'ConfigMap', 'a'));
      },
    },
    {
      title: 'deletion goes through the waves backwards',
      async run(stage) {
        stage.commit({ 'a.yaml': configMap('a'), 'b.yaml': configMap('b', {}, { 'sync-wave': '1' }) });
        await stage.application({ syncPolicy: automated });
        await stage.untilSynced();
        const hold = { apiVersion: 'v1', kind: 'ConfigMap', name: 'b' };
        await stage.patch(hold, { metadata: { finalizers: ['example.com/hold'] } });
        await deleteApplication(stage);
        await stage.until(
          'b terminating',
          async () => (await stage.get('v1', 'ConfigMap', 'b'))?.metadata.deletionTimestamp ?? null,
          (at) => at !== null,
        );
        assert.equal((await stage.get('v1', 'ConfigMap', 'a'))?.metadata.deletionTimestamp, undefined);
        await stage.patch(hold, { metadata: { finalizers: null } });
        await applicationGone(stage);
        assert.equal(await stage.get('v1', 'ConfigMap', 'a'), undefined);
      },
    },
    {
      title: 'an application of applications brings its children, in order, and takes them along',
      async run(stage) {
        const { suite } = stage;
        const child = (name: string, wave: string) => ({
          apiVersion: 'argoproj.io/v1alpha1',
          kind: 'Application',
          metadata: {
            name: `${stage.name}-${name}`,
            namespace: suite.instance,
            annotations: { 'argocd.argoproj.io/sync-wave': wave },
            finalizers: ['resources-finalizer.argocd.argoproj.io'],
          },
          spec: {
            project: 'default',
            source: { repoURL: stage.url(), path: name },
            destination: { server: 'https://kubernetes.default.svc', namespace: stage.name },
            syncPolicy: automated,
          },
        });
        stage.commit({
          'root/one.yaml': child('one', '0'),
          'root/two.yaml': child('two', '1'),
          'one/cm.yaml': configMap('one'),
          'two/cm.yaml': configMap('two'),
        });
        await stage.application({
          source: { repoURL: stage.url(), path: 'root' },
          destination: { server: 'https://kubernetes.default.svc', namespace: suite.instance },
          syncPolicy: automated,
        });
        const root = await stage.untilSynced();
        await stage.untilSynced(`${stage.name}-one`);
        await stage.untilSynced(`${stage.name}-two`);
        assert.equal(root.status?.summary?.isAppOfApps, true);
        assert.ok(await stage.get('v1', 'ConfigMap', 'two'));
        await deleteApplication(stage);
        await applicationGone(stage);
        await applicationGone(stage, `${stage.name}-one`);
        assert.equal(await stage.get('v1', 'ConfigMap', 'one'), undefined);
      },
    },
  ],
};
