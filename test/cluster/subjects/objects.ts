import assert from 'node:assert/strict';
import { configMap, customKind, deployment } from '../objects.ts';
import { inCluster, isSynced, type Stage } from '../stage.ts';
import type { Subject } from '../suite.ts';

const automated = { automated: { prune: true, selfHeal: true } };

/** Sets keys of a ConfigMap of the instance; those of other cases stay. */
async function setting(stage: Stage, name: string, data: Record<string, string | null>): Promise<void> {
  const { instance } = stage.suite;
  const ref = { apiVersion: 'v1', kind: 'ConfigMap', name, namespace: instance };
  if (!(await stage.get('v1', 'ConfigMap', name, instance)))
    await stage.apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: instance } });
  await stage.patch(ref, { data });
}

/** The suite's own cluster once more, as a declared one. */
async function declareCluster(stage: Stage, name: string): Promise<void> {
  const { target, instance } = stage.suite;
  const { tls, headers } = await target.access();
  const encode = (text: string | undefined) => (text === undefined ? undefined : Buffer.from(text).toString('base64'));
  const bearer = Object.entries(headers).find(([key]) => key.toLowerCase() === 'authorization')?.[1];
  const config = {
    ...(bearer ? { bearerToken: bearer.replace(/^Bearer /, '') } : {}),
    tlsClientConfig: {
      insecure: !tls.rejectUnauthorized,
      caData: encode(tls.ca),
      certData: encode(tls.cert),
      keyData: encode(tls.key),
      serverName: tls.servername,
    },
  };
  await stage.applyForNow({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace: instance, labels: { 'argocd.argoproj.io/secret-type': 'cluster', tier: stage.name } },
    stringData: { name, server: target.server, config: JSON.stringify(config) },
  });
}

const condition = (type: string) => (app: { status?: { conditions?: { type: string; message: string }[] } }) =>
  (app.status?.conditions ?? []).find((entry) => entry.type === type)?.message;

export const objects: Subject = {
  name: 'objects',
  cases: [
    {
      title: 'a cluster that a Secret declares is delivered to, and is missed when the Secret goes',
      async run(stage) {
        const name = `${stage.name}-far`;
        await declareCluster(stage, name);
        stage.commit({ 'a.yaml': configMap('a') });
        await stage.application({ destination: { name, namespace: stage.name }, syncPolicy: automated });
        await stage.untilSynced();
        assert.ok(await stage.get('v1', 'ConfigMap', 'a'));
        await stage.delete('v1', 'Secret', name, stage.suite.instance);
        const app = await stage.untilApplication((app) => condition('InvalidSpecError')(app) !== undefined);
        assert.match(condition('InvalidSpecError')(app) ?? '', new RegExp(name));
        assert.ok(await stage.get('v1', 'ConfigMap', 'a'), 'what was delivered stays');
        await declareCluster(stage, name);
        await stage.untilApplication(isSynced);
      },
    },
    {
      title: 'a project permits sources, destinations and kinds, and nothing else',
      async run(stage) {
        const { suite, name } = stage;
        const project = (spec: Record<string, unknown>) => ({
          apiVersion: 'argoproj.io/v1alpha1',
          kind: 'AppProject',
          metadata: { name, namespace: suite.instance },
          spec: { destinations: [{ server: '*', namespace: name }], ...spec },
        });
        stage.commit({ 'a.yaml': configMap('a'), 'web.yaml': deployment('web', 0) });
        await stage.applyForNow(project({ sourceRepos: ['https://example.com/*'] }));
        await stage.application({ project: name });
        const refused = await stage.untilApplication((app) => condition('InvalidSpecError')(app) !== undefined);
        assert.match(condition('InvalidSpecError')(refused) ?? '', /not permitted in project/);
        const namespaceResourceWhitelist = [{ group: '', kind: 'ConfigMap' }];
        await stage.apply(project({ sourceRepos: ['*'], namespaceResourceWhitelist }));
        await stage.untilApplication((app) => condition('InvalidSpecError')(app) === undefined);
        const failed = await stage.sync();
        assert.equal(failed.status?.operationState?.phase, 'Failed');
        assert.match(JSON.stringify(failed.status?.operationState?.syncResult), /apps:Deployment is not permitted/);
        assert.equal(await stage.get('v1', 'ConfigMap', 'a'), undefined, 'nothing was written');
        await stage.apply(project({ sourceRepos: ['*'] }));
        assert.equal((await stage.sync()).status?.operationState?.phase, 'Succeeded');
      },
    },
    {
      title: 'an application in a namespace of its team is followed where project and instance permit it',
      async run(stage) {
        const { suite, name } = stage;
        await setting(stage, 'argocd-cmd-params-cm', { 'application.namespaces': 's*' });
        await stage.applyForNow({
          apiVersion: 'argoproj.io/v1alpha1',
          kind: 'AppProject',
          metadata: { name, namespace: suite.instance },
          spec: {
            sourceRepos: ['*'],
            destinations: [{ server: '*', namespace: '*' }],
            sourceNamespaces: [name],
          },
        });
        stage.commit({ 'a.yaml': configMap('a') });
        await stage.apply({
          apiVersion: 'argoproj.io/v1alpha1',
          kind: 'Application',
          metadata: { name: 'own', namespace: name },
          spec: {
            project: name,
            source: { repoURL: stage.url(), path: '.' },
            destination: { server: inCluster, namespace: name },
            syncPolicy: automated,
          },
        });
        const live = await stage.exists('v1', 'ConfigMap', 'a');
        assert.equal(live.metadata.annotations?.['argocd.argoproj.io/tracking-id'], `${name}_own:/ConfigMap:${name}/a`);
      },
    },
    {
      title: "a team's own health check in Lua decides, and holds the next wave",
      async run(stage) {
        const group = `${stage.name}.example.com`;
        const definition = customKind(group, 'Machine');
        stage.leave(definition);
        const script = `
          local hs = { status = "Progressing", message = "warming up" }
          if obj.status ~= nil and obj.status.warm then hs = { status = "Healthy", message = "warm" } end
          return hs`;
        await setting(stage, 'argocd-cm', { [`resource.customizations.health.${group}_Machine`]: script });
        const machine = { apiVersion: `${group}/v1`, kind: 'Machine', metadata: { name: 'm' }, spec: {} };
        stage.commit({
          'crd.yaml': definition,
          'machine.yaml': machine,
          'later.yaml': configMap('later', {}, { 'sync-wave': '1' }),
        });
        await stage.application({ syncPolicy: automated });
        await stage.untilApplication((app) => /Machine\/m/.test(app.status?.operationState?.message ?? ''));
        assert.equal(await stage.get('v1', 'ConfigMap', 'later'), undefined);
        await stage.patch(
          { apiVersion: `${group}/v1`, kind: 'Machine', name: 'm' },
          { status: { warm: true } },
          'status',
        );
        await stage.exists('v1', 'ConfigMap', 'later');
        await stage.untilApplication((app) => isSynced(app) && app.status?.health?.status === 'Healthy');
      },
    },
    {
      title: 'differences named by a jq path are left alone',
      async run(stage) {
        stage.commit({ 'web.yaml': deployment('web', 0) });
        const jqPathExpressions = ['.spec.template.spec.containers[] | select(.name == "main") | .image'];
        await stage.application({
          syncPolicy: automated,
          ignoreDifferences: [{ group: 'apps', kind: 'Deployment', jqPathExpressions }],
        });
        await stage.untilSynced();
        const containers = [{ name: 'main', image: 'example.com/web:by-hand' }];
        const web = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' };
        await stage.patch(web, { spec: { template: { spec: { containers } } } });
        await stage.untilSynced();
        const live = JSON.stringify(await stage.get('apps/v1', 'Deployment', 'web'));
        assert.match(live, /by-hand/);
      },
    },
    {
      title: 'an ApplicationSet makes, changes and deletes its applications',
      async run(stage) {
        const { suite, name } = stage;
        const set = (elements: { env: string; value: string }[]) => ({
          apiVersion: 'argoproj.io/v1alpha1',
          kind: 'ApplicationSet',
          metadata: { name, namespace: suite.instance },
          spec: {
            goTemplate: true,
            goTemplateOptions: ['missingkey=error'],
            generators: [{ list: { elements } }],
            template: {
              metadata: { name: `${name}-{{ .env | lower }}`, labels: { env: '{{ .env }}' } },
              spec: {
                project: 'default',
                source: {
                  repoURL: stage.url(),
                  path: 'chart',
                  helm: { parameters: [{ name: 'v', value: '{{ .value }}' }] },
                },
                destination: { server: inCluster, namespace: name },
                syncPolicy: automated,
              },
            },
          },
        });
        stage.commit({
          'chart/Chart.yaml': 'apiVersion: v2\nname: c\nversion: 0.1.0\n',
          'chart/templates/cm.yaml': `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: "{{ .Release.Name }}"}\ndata: {v: "{{ .Values.v }}"}\n`,
        });
        const value = async (env: string) =>
          ((await stage.get('v1', 'ConfigMap', `${name}-${env}`))?.['data'] as { v?: string } | undefined)?.v ?? '';
        await stage.applyForNow(
          set([
            { env: 'Dev', value: '1' },
            { env: 'Prod', value: '2' },
          ]),
        );
        await stage.until(
          'prod 2',
          () => value('prod'),
          (found) => found === '2',
        );
        await stage.until(
          'dev 1',
          () => value('dev'),
          (found) => found === '1',
        );
        await stage.apply(set([{ env: 'Prod', value: '3' }]));
        await stage.until(
          'prod 3',
          () => value('prod'),
          (found) => found === '3',
        );
        await stage.gone('argoproj.io/v1alpha1', 'Application', `${name}-dev`, suite.instance);
        await stage.gone('v1', 'ConfigMap', `${name}-dev`);
      },
    },
    {
      title: 'an ApplicationSet over clusters follows their labels',
      async run(stage) {
        const { suite, name } = stage;
        await stage.applyForNow({
          apiVersion: 'argoproj.io/v1alpha1',
          kind: 'ApplicationSet',
          metadata: { name, namespace: suite.instance },
          spec: {
            generators: [{ clusters: { selector: { matchLabels: { tier: name } } } }],
            template: {
              metadata: { name: '{{name}}-app' },
              spec: {
                project: 'default',
                source: { repoURL: stage.url(), path: '.' },
                destination: { name: '{{name}}', namespace: name },
                syncPolicy: automated,
              },
            },
          },
        });
        stage.commit({ 'a.yaml': configMap('a') });
        await declareCluster(stage, `${name}-c`);
        await stage.exists('argoproj.io/v1alpha1', 'Application', `${name}-c-app`, suite.instance);
        await stage.exists('v1', 'ConfigMap', 'a');
      },
    },
  ],
};
