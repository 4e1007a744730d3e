import assert from 'node:assert/strict';
import { configMap, deployment } from '../objects.ts';
import type { Stage } from '../stage.ts';
import type { Subject } from '../suite.ts';

const automated = { automated: { prune: true, selfHeal: true } };

/** Looked at again after everybody has written what they write: still Synced, and nothing more was written. */
async function staysQuiet(stage: Stage): Promise<void> {
  await stage.untilSynced();
  const before = stage.writeCount;
  const { engine } = stage.suite.running;
  await engine.whenSettled(stage.name, AbortSignal.timeout(20_000));
  assert.deepEqual(stage.writesSince(before), []);
}

export const comparing: Subject = {
  name: 'comparing',
  cases: [
    {
      title: 'odd spellings and defaults are not differences',
      async run(stage) {
        const web = deployment('web', 0);
        const container = {
          name: 'main',
          image: 'example.com/web:1',
          ports: [{ containerPort: 8080 }, { containerPort: 53, protocol: 'UDP' }],
          env: [
            { name: 'B', value: '' },
            { name: 'A', value: '1' },
          ],
          resources: { requests: { cpu: '1000m', memory: '1024Mi' }, limits: { cpu: '0.5e1', memory: '2.5Gi' } },
          command: null,
        };
        const spec = web['spec'] as { template: { spec: Record<string, unknown> } };
        spec.template.spec['containers'] = [container];
        spec.template.spec['initContainers'] = [];
        const secret = {
          apiVersion: 'v1',
          kind: 'Secret',
          metadata: { name: 's', annotations: {} },
          stringData: { password: 'p' },
          data: { other: 'b3RoZXI=' },
        };
        const role = {
          apiVersion: 'rbac.authorization.k8s.io/v1',
          kind: 'Role',
          metadata: { name: 'r', creationTimestamp: null },
          rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }],
        };
        const policy = {
          apiVersion: 'policy/v1',
          kind: 'PodDisruptionBudget',
          metadata: { name: 'p' },
          spec: { maxUnavailable: '50%', selector: { matchLabels: { app: 'web' } } },
        };
        const ports = {
          apiVersion: 'v1',
          kind: 'Service',
          metadata: { name: 'ports' },
          spec: {
            selector: { app: 'web' },
            ports: [
              { name: 'a', port: 80 },
              { name: 'b', port: 53, protocol: 'UDP' },
            ],
          },
        };
        stage.commit({ 'all.yaml': [web, secret, role, policy, ports] });
        await stage.application({ syncPolicy: automated });
        await staysQuiet(stage);
      },
    },
    {
      title: 'replicas that a HorizontalPodAutoscaler owns are ignored by pointer, and stay through a sync',
      async run(stage) {
        stage.commit({ 'web.yaml': deployment('web', 0), 'cm.yaml': configMap('cm', { v: '1' }) });
        await stage.application({
          syncPolicy: { ...automated, syncOptions: ['RespectIgnoreDifferences=true'] },
          ignoreDifferences: [{ group: 'apps', kind: 'Deployment', jsonPointers: ['/spec/replicas'] }],
        });
        await stage.untilSynced();
        await stage.patch({ apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' }, { spec: { replicas: 2 } });
        await staysQuiet(stage);
        stage.commit({ 'cm.yaml': configMap('cm', { v: '2' }) });
        await stage.until(
          'v2',
          async () => (await stage.get('v1', 'ConfigMap', 'cm'))?.['data'] ?? {},
          (data) => JSON.stringify(data) === '{"v":"2"}',
        );
        await stage.untilSynced();
        const live = await stage.get('apps/v1', 'Deployment', 'web');
        assert.equal((live?.['spec'] as { replicas?: number }).replicas, 2);
      },
    },
    {
      title: 'fields of another manager are ignored by its name',
      async run(stage) {
        stage.commit({ 'cm.yaml': configMap('cm', { ours: '1', theirs: 'git' }) });
        await stage.application({
          syncPolicy: automated,
          ignoreDifferences: [{ group: '', kind: 'ConfigMap', managedFieldsManagers: ['other-controller'] }],
        });
        await stage.untilSynced();
        const theirs = {
          apiVersion: 'v1',
          kind: 'ConfigMap',
          metadata: { name: 'cm', namespace: stage.name },
          data: { theirs: 'theirs' },
        };
        await stage.suite.kube.apply(
          theirs,
          { fieldManager: 'other-controller', force: true },
          AbortSignal.timeout(10_000),
        );
        await staysQuiet(stage);
        assert.deepEqual((await stage.get('v1', 'ConfigMap', 'cm'))?.['data'], { ours: '1', theirs: 'theirs' });
      },
    },
    {
      title: 'an object that another application tracks is told as shared',
      async run(stage) {
        stage.commit({ 'cm.yaml': configMap('cm', { v: '1' }) });
        await stage.application({ syncPolicy: { automated: {} } });
        await stage.untilSynced();
        const second = `${stage.name}-2`;
        await stage.application({}, { name: second });
        const app = await stage.untilApplication(
          (app) => (app.status?.conditions ?? []).some(({ type }) => type === 'SharedResourceWarning'),
          second,
        );
        const [warning] = (app.status?.conditions ?? []).filter(({ type }) => type === 'SharedResourceWarning');
        assert.match(warning?.message ?? '', new RegExp(stage.name));
      },
    },
    {
      title: 'an extraneous object can be kept out of the verdict',
      async run(stage) {
        const notes = { 'compare-options': 'IgnoreExtraneous' };
        stage.commit({ 'a.yaml': configMap('a'), 'x.yaml': configMap('x', {}, notes) });
        await stage.application();
        await stage.sync();
        stage.commit({ 'x.yaml': null });
        const app = await stage.untilApplication(
          (app) => app.status?.resources?.find(({ name }) => name === 'x')?.requiresPruning === true,
        );
        assert.equal(app.status?.sync?.status, 'Synced');
      },
    },
  ],
};
