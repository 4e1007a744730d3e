import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { configMap, deployment } from '../objects.ts';
import { inCluster, type Stage } from '../stage.ts';
import type { Subject } from '../suite.ts';

/** Runs a command and expects its exit code; gives what it printed. */
async function run(stage: Stage, code: number, ...args: string[]): Promise<string> {
  const answer = await stage.suite.slipway(...args);
  assert.equal(answer.code, code, `slipway ${args.join(' ')}: ${answer.out}${answer.err}`);
  return answer.out + answer.err;
}

async function create(stage: Stage, ...flags: string[]): Promise<void> {
  stage.adopt(stage.name);
  const source = ['--repo', stage.url(), '--path', '.'];
  const destination = ['--dest-server', 'https://kubernetes.default.svc', '--dest-namespace', stage.name];
  await run(stage, 0, 'app', 'create', stage.name, ...source, ...destination, ...flags);
}

export const commands: Subject = {
  name: 'commands',
  cases: [
    {
      title: 'flags go over the file they come with, and switches are told true or false as argocd is',
      async run(stage) {
        const { name } = stage;
        stage.commit({ 'a/a.yaml': configMap('a') });
        const folder = mkdtempSync(join(tmpdir(), 'commands-'));
        const file = join(folder, 'app.yaml');
        const partial = { metadata: { labels: { of: 'file' } }, spec: { syncPolicy: { automated: { prune: true } } } };
        writeFileSync(file, JSON.stringify(partial));
        stage.adopt(name);
        const source = ['--repo', stage.url(), '--path', 'nowhere', '--dest-server', inCluster];
        const flags = [...source, '--dest-namespace', name, '-l', 'of=flags', '--validate=false'];
        await run(stage, 0, 'app', 'create', '-f', file, '--name', name, ...flags);
        rmSync(folder, { recursive: true });
        await run(stage, 0, 'app', 'set', name, '--path', 'a', '--auto-prune=false', '--self-heal=true');
        const app = await stage.untilSynced();
        assert.deepEqual(app.metadata.labels, { of: 'flags' });
        assert.deepEqual(app.spec.syncPolicy?.automated, { prune: false, selfHeal: true });
        assert.match(await run(stage, 0, 'app', 'manifests', name, '--source', 'live'), /uid:/);
        assert.doesNotMatch(await run(stage, 0, 'app', 'manifests', name, '--source=git'), /uid:/);
      },
    },
    {
      title: 'an application from its creation to its deletion, by commands alone',
      async run(stage) {
        const { name } = stage;
        stage.commit({ 'a.yaml': configMap('a', { v: '1' }) });
        await create(stage, '--set-finalizer', '--label', 'team=blue');
        assert.match(await run(stage, 0, 'app', 'list', '-l', 'team=blue', '-o', 'name'), new RegExp(`/${name}\n`));
        assert.match(await run(stage, 1, 'app', 'diff', name), /ConfigMap/);
        assert.match(await run(stage, 0, 'app', 'sync', name), /synced/);
        await run(stage, 0, 'app', 'wait', name, '--timeout', '20');
        assert.equal(await run(stage, 0, 'app', 'diff', name), '');
        assert.match(await run(stage, 0, 'app', 'resources', name), /ConfigMap +\S+ +a +No/);
        stage.commit({ 'a.yaml': configMap('a', { v: '2' }) });
        assert.match(await run(stage, 1, 'app', 'diff', name, '--refresh'), /\+ +v: .2./);
        await run(stage, 0, 'app', 'sync', name);
        assert.match(await run(stage, 0, 'app', 'history', name), /^1 /m);
        await run(stage, 0, 'app', 'rollback', name, '0');
        assert.deepEqual((await stage.get('v1', 'ConfigMap', 'a'))?.['data'], { v: '1' });
        await run(stage, 0, 'app', 'set', name, '--sync-policy', 'automated', '--self-heal');
        await stage.until(
          'v 2 again',
          async () => (await stage.get('v1', 'ConfigMap', 'a'))?.['data'] ?? {},
          (data) => JSON.stringify(data) === '{"v":"2"}',
        );
        assert.match(await run(stage, 0, 'app', 'get', name), /Sync Policy: +Auto-Heal/);
        await run(stage, 0, 'app', 'delete', name, '--wait');
        assert.equal(await stage.get('v1', 'ConfigMap', 'a'), undefined);
      },
    },
    {
      title: 'exit codes are those of argocd: 20 for what the server refuses, 1 for wrong usage and a failed sync',
      async run(stage) {
        await run(stage, 20, 'app', 'get', `${stage.name}-nobody`);
        await run(stage, 1, 'app', 'get');
        stage.commit({ 'g.yaml': { apiVersion: 'nowhere.example.com/v1', kind: 'Ghost', metadata: { name: 'g' } } });
        await create(stage);
        await run(stage, 1, 'app', 'sync', stage.name);
      },
    },
    {
      title: 'objects of an application are read, patched, restarted and deleted by commands',
      async run(stage) {
        const { name } = stage;
        stage.commit({ 'web.yaml': deployment('web', 0) });
        await create(stage);
        await run(stage, 0, 'app', 'sync', name);
        const web = ['--kind', 'Deployment', '--resource-name', 'web'];
        assert.match(await run(stage, 0, 'app', 'get-resource', name, ...web), /kind: Deployment/);
        await run(stage, 0, 'app', 'patch-resource', name, ...web, '--patch', '{"metadata":{"labels":{"by":"hand"}}}');
        assert.equal((await stage.get('apps/v1', 'Deployment', 'web'))?.metadata.labels?.['by'], 'hand');
        assert.match(await run(stage, 0, 'app', 'actions', 'list', name, ...web), /restart/);
        await run(stage, 0, 'app', 'actions', 'run', name, 'restart', ...web);
        assert.match(JSON.stringify(await stage.get('apps/v1', 'Deployment', 'web')), /restartedAt/);
        await run(stage, 0, 'app', 'delete-resource', name, ...web);
        await stage.gone('apps/v1', 'Deployment', 'web');
      },
    },
    {
      title: 'a project made by commands permits what it says and nothing else, and its windows hold syncs',
      async run(stage) {
        const { name, suite } = stage;
        stage.leave({
          apiVersion: 'argoproj.io/v1alpha1',
          kind: 'AppProject',
          metadata: { name, namespace: suite.instance },
        });
        stage.commit({ 'a.yaml': configMap('a') });
        await run(stage, 0, 'proj', 'create', name, '--src', stage.url());
        await run(stage, 0, 'proj', 'add-destination', name, 'https://kubernetes.default.svc', `${name}-other`);
        stage.adopt(name);
        const flags = ['--repo', stage.url(), '--path', '.', '--dest-namespace', name, '--project', name];
        await run(stage, 20, 'app', 'create', name, ...flags);
        await run(stage, 0, 'proj', 'add-destination', name, 'https://kubernetes.default.svc', name);
        await run(stage, 0, 'app', 'create', name, ...flags);
        await run(
          stage,
          0,
          'proj',
          'windows',
          'add',
          name,
          '-k',
          'deny',
          '--schedule',
          '* * * * *',
          '--duration',
          '24h',
          '--applications',
          '*',
        );
        assert.match(await run(stage, 20, 'app', 'sync', name), /window/);
        assert.match(await run(stage, 0, 'proj', 'windows', 'list', name), /deny/);
        await run(stage, 0, 'proj', 'windows', 'enable-manual-sync', name, '0');
        await run(stage, 0, 'app', 'sync', name);
        assert.ok(await stage.get('v1', 'ConfigMap', 'a'));
      },
    },
    {
      title: 'repositories are declared and taken away by commands, and never tell their secrets',
      async run(stage) {
        stage.commit({ 'a.yaml': configMap('a') });
        const url = stage.url();
        await run(stage, 0, 'repo', 'add', url, '--username', 'kim', '--password', 'very-secret');
        const list = await run(stage, 0, 'repo', 'list', '-o', 'json');
        assert.ok(list.includes(url));
        assert.ok(!list.includes('very-secret'));
        await run(stage, 0, 'repo', 'rm', url);
        assert.ok(!(await run(stage, 0, 'repo', 'list', '-o', 'json')).includes(url));
      },
    },
    {
      title: 'why names the cause and the next step',
      async run(stage) {
        const { name } = stage;
        const chart = { 'Chart.yaml': 'apiVersion: v2\nname: c\nversion: 0.1.0\n' };
        const broken = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {a: {{ .Values.a.b.c }}}\n';
        stage.commit({ ...chart, 'templates/cm.yaml': broken });
        await create(stage, '--values', 'values-nowhere.yaml', '--no-validate');
        const why = async () => (await run(stage, 0, 'why', name)).trim();
        await stage.untilApplication((app) => (app.status?.conditions ?? []).length > 0);
        assert.match(await why(), /^values-path: .*values-nowhere\.yaml/);
        await run(stage, 0, 'app', 'unset', name, '--values', 'values-nowhere.yaml');
        assert.match(await why(), /^template: [\s\S]*templates\/cm\.yaml/);
        stage.commit({ 'templates/cm.yaml': JSON.stringify(configMap('c')) });
        await run(stage, 0, 'app', 'refresh', name);
        assert.match(await why(), /^manual: .*ConfigMap\/c/);
        await run(stage, 0, 'app', 'sync', name);
        assert.match(await why(), /synced and healthy/);
      },
    },
  ],
};
