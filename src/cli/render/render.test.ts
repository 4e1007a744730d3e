import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { parseYamlDocuments } from '#base/yaml.ts';
import { openRenderer } from '#main/render-tools.ts';
import { type CliAnswer, runTestCli } from '../cli-fixture.test.ts';
import { findRoot, readWorkingTree, sameRepository } from './working-tree.ts';

const folder = mkdtempSync(join(tmpdir(), 'cli-render-'));
after(() => rmSync(folder, { recursive: true, force: true }));

function put(files: Record<string, string>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
}

const absent = () => Promise.reject(new Error('no part of this test'));
async function render(...args: string[]): Promise<CliAnswer> {
  return await runTestCli(['render', ...args], {
    cwd: folder,
    openRenderer,
    dispatch: absent,
    probe: {} as never,
    processes: {} as never,
  });
}

const application = (name: string, source: string) =>
  `apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: ${name}}\nspec:\n  destination: {server: https://kubernetes.default.svc, namespace: prod}\n  ${source}\n`;
const configMap = (name: string) => `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\n`;

put({
  'repo/.git/HEAD': 'ref: refs/heads/main\n',
  'repo/.git/packed-refs': `# pack-refs\n${'a'.repeat(40)} refs/heads/main\n`,
  'repo/.git/config': '[remote "origin"]\n\turl = git@github.com:acme/deploy.git\n',
  'repo/web/cm.yaml': configMap('web'),
  'repo/web/role.yaml':
    'apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: reader, namespace: x}\n',
  'repo/over/kustomization.yaml': 'resources: [cm.yaml]\nimages: []\n',
  'repo/over/cm.yaml': `${configMap('over')}data: {image: nginx}\n`,
  'repo/chart/Chart.yaml': 'apiVersion: v2\nname: chart\nversion: 0.1.0\n',
  'repo/chart/templates/cm.yaml':
    'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Release.Name }}}\ndata: {v: "{{ .Values.v }}"}\n',
  'values/prod.yaml': 'v: from-values\n',
  'web.yaml': application('web', 'source: {repoURL: "https://github.com/acme/deploy", path: web}'),
  'list.yaml': `apiVersion: v1\nkind: List\nitems:\n- ${application('a', 'source: {repoURL: "https://x/y", path: web}').trim().replaceAll('\n', '\n  ')}\n- ${application('b', 'source: {repoURL: "https://x/y", path: over, kustomize: {namePrefix: b-}}').trim().replaceAll('\n', '\n  ')}\n`,
  'multi.yaml': application(
    'multi',
    'sources:\n  - {repoURL: "https://github.com/acme/deploy.git", path: chart, helm: {valueFiles: ["$values/prod.yaml"]}}\n  - {repoURL: "https://github.com/acme/values", ref: values}',
  ),
  'broken.yaml': application('broken', 'source: {repoURL: "https://x/y", path: nope}'),
  'set.yaml': 'apiVersion: argoproj.io/v1alpha1\nkind: ApplicationSet\nmetadata: {name: s}\nspec: {}\n',
  'plugin.yaml': application('p', 'source: {repoURL: "https://x/y", path: web, plugin: {name: mine}}'),
  'plugins/mine.yaml':
    'kind: ConfigManagementPlugin\nmetadata: {name: mine}\nspec: {generate: {command: [cat, cm.yaml]}}\n',
  'argocd-cm.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: argocd-cm}\ndata: {kustomize.enable: "false"}\n',
});

test('manifests as the cluster would get them, from files that nobody committed', async () => {
  const { code, out, err } = await render('web.yaml', '--repo-root', 'repo', '--tracking');
  assert.deepEqual([code, err], [0, '']);
  assert.deepEqual(parseYamlDocuments(out, 'out'), [
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: {
        name: 'web',
        namespace: 'prod',
        annotations: { 'argocd.argoproj.io/tracking-id': 'web:/ConfigMap:prod/web' },
      },
    },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: {
        name: 'reader',
        annotations: {
          'argocd.argoproj.io/tracking-id': 'web:rbac.authorization.k8s.io/ClusterRole:prod/reader',
        },
      },
    },
  ]);
});

test('several applications, as names and as JSON', async () => {
  const names = await render('web.yaml', 'list.yaml', '--repo-root', 'repo', '-o', 'name');
  assert.equal(
    names.out,
    [
      'prod/configmap/web',
      'clusterrole.rbac.authorization.k8s.io/reader',
      'prod/configmap/web',
      'clusterrole.rbac.authorization.k8s.io/reader',
      'prod/configmap/b-over\n',
    ].join('\n'),
  );
  const json: { kind: string; items: unknown[] } = JSON.parse(
    (await render('web.yaml', '--repo-root', 'repo', '-o', 'json')).out,
  );
  assert.deepEqual([json.kind, json.items.length], ['List', 2]);
});

test('two repositories need to be told apart', async () => {
  const unclear = await render('multi.yaml', '--repo-root', 'repo');
  assert.equal(unclear.code, 20);
  assert.match(
    unclear.err,
    /multi reads https:\/\/github\.com\/acme\/values.*--repo https:\/\/github\.com\/acme\/values=DIRECTORY/s,
  );
  const clear = await render('multi.yaml', '--repo-root', 'repo', '--repo', 'https://github.com/acme/values=values');
  assert.equal(clear.err, '');
  assert.match(clear.out, /v: from-values/);
});

test('plugins run only from the folder that is named, and settings hold', async () => {
  const refused = await render('plugin.yaml', '--repo-root', 'repo');
  assert.equal(refused.code, 20);
  assert.match(refused.err, /the plugin "mine" .* may not run here/);
  assert.equal(
    (await render('plugin.yaml', '--repo-root', 'repo', '--plugins', 'plugins', '-o', 'name')).out,
    'prod/configmap/web\n',
  );
  const off = await render('list.yaml', '--repo-root', 'repo', '--settings', 'argocd-cm.yaml', '-o', 'name');
  assert.match(off.out, /prod\/configmap\/over\n$/);
});

const wrong: [string[], RegExp][] = [
  [['broken.yaml', '--repo-root', 'repo'], /source\.path "nope" does not exist in .*repo on disk/],
  [['set.yaml'], /set\.yaml holds an object of kind ApplicationSet.*takes Applications/s],
  [['none.yaml'], /none\.yaml cannot be read/],
  [['web.yaml', '-o', 'table'], /-o table is no output format/],
  [['web.yaml', '--repo', 'x'], /--repo x is not of the form/],
];
for (const [args, want] of wrong)
  test(`exits 20: ${args.join(' ')}`, async () => {
    const { code, err, out } = await render(...args);
    assert.deepEqual([code, out], [20, '']);
    assert.match(err, want);
  });

test('the working tree: its root, its commit, also of a linked one', () => {
  mkdirSync(join(folder, 'linked'));
  mkdirSync(join(folder, 'repo/.git/worktrees/linked'), { recursive: true });
  put({
    'linked/.git': `gitdir: ${join(folder, 'repo/.git/worktrees/linked')}\n`,
    'repo/.git/worktrees/linked/commondir': '../..\n',
  });
  symlinkSync('web', join(folder, 'repo/alias'));
  assert.equal(findRoot(join(folder, 'repo/web')), join(folder, 'repo'));
  const want = { remotes: ['git@github.com:acme/deploy.git'], head: 'a'.repeat(40) };
  assert.deepEqual(readWorkingTree(join(folder, 'repo')), { root: join(folder, 'repo'), ...want });
  assert.deepEqual(readWorkingTree(join(folder, 'linked')), { root: join(folder, 'linked'), ...want });
});

test('addresses of one repository', () => {
  const same = [
    'git@github.com:acme/deploy.git',
    'https://github.com/acme/deploy',
    'ssh://git@github.com/Acme/deploy.git/',
  ];
  for (const url of same) assert.ok(sameRepository(url, same[0] ?? ''), url);
  assert.ok(!sameRepository('https://github.com/acme/other', same[0] ?? ''));
});
