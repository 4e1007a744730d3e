import assert from 'node:assert/strict';
import { configMap, deployment } from '../objects.ts';
import type { Subject } from '../suite.ts';

const automated = { automated: { prune: true, selfHeal: true } };
const chart = {
  'chart/Chart.yaml': 'apiVersion: v2\nname: c\nversion: 0.1.0\n',
  'chart/values.yaml': 'v: default\nw: default\n',
  'chart/templates/cm.yaml':
    'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: "{{ .Release.Name }}-cm"}\ndata: {v: "{{ .Values.v }}", w: "{{ .Values.w }}", kube: "{{ .Capabilities.KubeVersion.Major }}"}\n',
};

export const sources: Subject = {
  name: 'sources',
  cases: [
    {
      title: 'values of another repository, patterns and parameters reach a chart in their order',
      async run(stage) {
        const other = `${stage.name}-values`;
        stage.commit(chart);
        stage.commit({ 'envs/10.yaml': 'v: ten\nw: ten\n', 'envs/20.yaml': 'v: twenty\n' }, other);
        await stage.application({
          sources: [
            {
              repoURL: stage.url(),
              path: 'chart',
              helm: { releaseName: 'rel', valueFiles: ['$env/envs/*.yaml'], parameters: [{ name: 'w', value: 'set' }] },
            },
            { repoURL: stage.url(other), ref: 'env' },
          ],
          syncPolicy: automated,
        });
        await stage.untilSynced();
        const live = await stage.exists('v1', 'ConfigMap', 'rel-cm');
        assert.deepEqual(live['data'], { v: 'twenty', w: 'set', kube: '1' });
        stage.commit({ 'envs/30.yaml': 'v: thirty\n' }, other);
        await stage.until(
          'thirty',
          async () => ((await stage.get('v1', 'ConfigMap', 'rel-cm'))?.['data'] as { v?: string } | undefined)?.v,
          (v) => v === 'thirty',
        );
      },
    },
    {
      title: 'an overlay is built with the images, replicas and labels of the application',
      async run(stage) {
        stage.commit({
          'base/kustomization.yaml': 'resources: [web.yaml]\n',
          'base/web.yaml': deployment('web', 0),
          'overlay/kustomization.yaml': 'resources: [../base]\nnamePrefix: team-\n',
        });
        await stage.application({
          source: {
            repoURL: stage.url(),
            path: 'overlay',
            kustomize: { images: ['example.com/web:9'], commonLabels: { tier: 'gold' } },
          },
          syncPolicy: automated,
        });
        await stage.untilSynced();
        const live = await stage.exists('apps/v1', 'Deployment', 'team-web');
        assert.equal(live.metadata.labels?.['tier'], 'gold');
        assert.match(JSON.stringify(live['spec']), /example\.com\/web:9/);
      },
    },
    {
      title: 'Jsonnet with libraries and arguments',
      async run(stage) {
        stage.commit({
          'lib/cm.libsonnet':
            "{ make(name, data):: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: name }, data: data } }",
          'app/main.jsonnet':
            'local cm = import "cm.libsonnet"; function(n) [cm.make("j-" + std.toString(i), { i: std.toString(i), e: std.extVar("e") }) for i in std.range(1, n)]',
        });
        await stage.application({
          source: {
            repoURL: stage.url(),
            path: 'app',
            directory: {
              jsonnet: {
                libs: ['lib'],
                tlas: [{ name: 'n', value: '2', code: true }],
                extVars: [{ name: 'e', value: 'x' }],
              },
            },
          },
          syncPolicy: automated,
        });
        await stage.untilSynced();
        assert.deepEqual((await stage.exists('v1', 'ConfigMap', 'j-2'))['data'], { i: '2', e: 'x' });
      },
    },
    {
      title: 'a tag constraint follows the newest version, and only that',
      async run(stage) {
        const { git } = stage.suite;
        stage.commit({ 'a.yaml': configMap('a', { v: '1' }) });
        git.git(stage.name, 'tag', 'v1.0.0');
        stage.commit({ 'a.yaml': configMap('a', { v: '2' }) });
        await stage.application({
          source: { repoURL: stage.url(), path: '.', targetRevision: '1.x' },
          syncPolicy: automated,
        });
        await stage.untilSynced();
        const value = async () =>
          ((await stage.get('v1', 'ConfigMap', 'a'))?.['data'] as { v?: string } | undefined)?.v;
        assert.equal(await value(), '1');
        git.git(stage.name, 'tag', 'v1.1.0');
        stage.suite.running.engine.repositoryChanged(stage.url(), 'push');
        await stage.until('v 2', value, (v) => v === '2');
      },
    },
    {
      title: 'what a repository says of its own rendering is laid over the application',
      async run(stage) {
        stage.commit({
          ...chart,
          'chart/.argocd-source.yaml': 'helm:\n  parameters:\n  - {name: v, value: written-back}\n',
        });
        await stage.application({ source: { repoURL: stage.url(), path: 'chart' }, syncPolicy: automated });
        await stage.untilSynced();
        const live = await stage.exists('v1', 'ConfigMap', `${stage.name}-cm`);
        assert.equal((live['data'] as { v?: string }).v, 'written-back');
      },
    },
    {
      title: 'a value file outside the repository is refused',
      async run(stage) {
        stage.commit({ 'chart/Chart.yaml': 'apiVersion: v2\nname: c\nversion: 0.1.0\n' });
        await stage.application({
          source: { repoURL: stage.url(), path: 'chart', helm: { valueFiles: ['../../../etc/passwd'] } },
        });
        const app = await stage.untilApplication((app) => (app.status?.conditions ?? []).length > 0);
        assert.match(app.status?.conditions?.[0]?.message ?? '', /etc\/passwd/);
      },
    },
  ],
};
