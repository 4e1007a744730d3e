import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { sha256Hex } from '#base/digest.ts';
import { isAppError } from '#base/errors.ts';
import { getPath } from '#base/json.ts';
import { silentLogger } from '#base/log.ts';
import type { HelmSource } from '#model/argocd/application.ts';
import type { RepositoryAccess } from '#model/argocd/repository-access.ts';
import { defaultSettings, type RenderSettings } from '#model/argocd/settings.ts';
import { ChartRepositoryServer, packChart, smallChart } from '../../test/chart-repository.ts';
import { testClock } from '../../test/clock.ts';
import { toolPath } from '../../test/tools.ts';
import { createChartLibrary } from './charts/library.ts';
import type { ChartLibrary } from './charts/port.ts';
import { expandGlob } from './helm-glob.ts';
import { plainKubeVersion } from './helm-plan.ts';
import type { Renderer, RenderRequest } from './port.ts';
import { createRenderer } from './renderer.ts';
import type { SourceTree } from './tree.ts';
import { type Files, fileTree } from './tree-fixture.test.ts';

const soon = () => AbortSignal.timeout(30_000);
const chart = 'apiVersion: v2\nname: app\nversion: 0.1.0\n';
const showAll =
  'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}\ndata:\n  all: {{ toJson .Values | quote }}\n';

let server: ChartRepositoryServer;
let folder: string;
let charts: ChartLibrary;
let declared: RepositoryAccess[] = [];
let renderer: Renderer;
before(async () => {
  server = await ChartRepositoryServer.start();
  folder = mkdtempSync(join(tmpdir(), 'helm-'));
  const access = {
    find: async (url: string) => declared.find((one) => one.url === url) ?? { url, type: 'git' as const },
    list: async () => declared,
  };
  const clock = { ...testClock, sleep: async () => {} };
  charts = createChartLibrary({ cacheDir: join(folder, 'library'), access, clock, logger: silentLogger });
  renderer = newRenderer('cache');
});
after(async () => {
  await charts[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});
function newRenderer(name: string): Renderer {
  const helm = { path: toolPath('helm'), version: '4' };
  const cacheDir = join(folder, name);
  return createRenderer({ cacheDir, clock: testClock, logger: silentLogger, helm, charts });
}

interface Ask {
  helm?: HelmSource;
  path?: string;
  chart?: string;
  refs?: Record<string, SourceTree>;
  kubeVersion?: string;
  settings?: RenderSettings;
  namespace?: string;
}

function requestOf(files: Files | SourceTree, ask: Ask = {}): RenderRequest {
  const tree =
    typeof files['url'] === 'string' && 'readBlob' in files ? (files as SourceTree) : fileTree(files as Files);
  const { helm, path = 'app', refs = {}, kubeVersion = '1.33.0', settings, namespace = 'ns' } = ask;
  return {
    application: { name: 'rel', instanceName: 'team_rel', project: 'default', destinationNamespace: namespace },
    source: { repoURL: tree.url, path, ...(helm ? { helm } : {}), ...(ask.chart ? { chart: ask.chart } : {}) },
    tree,
    refs: new Map(Object.entries(refs)),
    cluster: { kubeVersion, apiVersions: ['v1', 'apps/v1', 'apps/v1/Deployment'] },
    ...(settings ? { settings } : {}),
  };
}

async function valuesOf(files: Files | SourceTree, ask: Ask = {}): Promise<unknown> {
  const { manifests } = await renderer.render(requestOf(files, ask), soon());
  const all = manifests.find((manifest) => typeof getPath(manifest, 'data', 'all') === 'string');
  return JSON.parse(String(getPath(all, 'data', 'all')));
}

async function refused(files: Files | SourceTree, ask: Ask, ...words: (string | RegExp)[]): Promise<void> {
  await assert.rejects(renderer.render(requestOf(files, ask), soon()), (error: unknown) => {
    assert.ok(isAppError(error), String(error));
    for (const word of words)
      assert.ok(typeof word === 'string' ? error.message.includes(word) : word.test(error.message), error.message);
    assert.doesNotMatch(error.message, new RegExp(folder), 'no folder of the machine');
    return true;
  });
}

const base: Files = { 'app/Chart.yaml': chart, 'app/templates/cm.yaml': showAll, 'app/values.yaml': 'a: chart\n' };

test('value files: patterns in order, named ones at their own place, each once, from other repositories too', async () => {
  const files: Files = {
    ...base,
    'app/env/a.yaml': 'last: a\na: 1\n',
    'app/env/b.yaml': 'last: b\nb: 1\n',
    'app/env/c.yaml': 'last: c\nc: 1\n',
    'app/env/deep/d.yaml': 'last: d\nd: 1\n',
    'common/x.yaml': 'last: x\nx: 1\n',
    'app/team_rel.yaml': 'named: by application\n',
    'app/linked.yaml': { link: '../common/x.yaml' },
  };
  const other = fileTree({ 'v/one.yaml': 'last: one\n', 'v/two.yaml': 'last: two\n' }, 'b'.repeat(40));
  const refs = { values: { ...other, url: 'https://git.example/other' } };
  const lastOf = async (valueFiles: string[]) => getPath(await valuesOf(files, { helm: { valueFiles }, refs }), 'last');
  assert.equal(await lastOf(['env/*.yaml']), 'c');
  assert.equal(await lastOf(['env/*.yaml', 'env/b.yaml']), 'b');
  assert.equal(await lastOf(['env/b.yaml', 'env/*.yaml']), 'c');
  assert.equal(await lastOf(['env/**/*.yaml']), 'd');
  assert.equal(await lastOf(['env/a.yaml', '/common/*.yaml']), 'x');
  assert.equal(await lastOf(['env/a.yaml', 'linked.yaml']), 'x');
  assert.equal(await lastOf(['$values/v/*.yaml']), 'two');
  assert.equal(await lastOf(['$values/v/two.yaml', '$values/v/one.yaml']), 'one');
  assert.deepEqual(await valuesOf(files, { helm: { valueFiles: ['$ARGOCD_APP_NAME.yaml'] } }), {
    a: 'chart',
    named: 'by application',
  });
  const missing = ['none.yaml', 'none/*.yaml', 'env/a.yaml'];
  assert.deepEqual(await valuesOf(files, { helm: { valueFiles: missing, ignoreMissingValueFiles: true } }), {
    a: 1,
    last: 'a',
  });
  await refused(
    files,
    { helm: { valueFiles: ['none.yaml'] } },
    'helm.valueFiles "none.yaml" does not exist: app/none.yaml',
  );
  await refused(files, { helm: { valueFiles: ['none/*.yaml'] } }, '"none/*.yaml" matches no file');
  await refused(files, { helm: { valueFiles: ['env/[.yaml'] } }, 'not a valid one');
  await refused(files, { helm: { valueFiles: ['env'] } }, 'is a folder');
  await refused(files, { helm: { valueFiles: ['../../x.yaml'] } }, 'leads out of the repository');
  await refused(files, { helm: { valueFiles: ['$other/x.yaml'] }, refs }, 'names the ref other');
  await refused(
    { ...files, 'app/out.yaml': { link: '../../etc' } },
    { helm: { valueFiles: ['out.yaml'] } },
    'app/out.yaml',
  );
});

test('patterns match as Argo CD matches them', () => {
  const paths = [
    'a/z.yaml',
    'a/b/c.yaml',
    'a/b/c/x.yaml',
    'a/d/a.yaml',
    'a/.dot.yaml',
    'r.yaml',
    'a/[x].yaml',
    'z/q.yaml',
  ];
  const cases: { pattern: string; want: string[] }[] = [
    { pattern: '*.yaml', want: ['r.yaml'] },
    {
      pattern: 'a/**/*.yaml',
      want: ['a/.dot.yaml', 'a/[x].yaml', 'a/z.yaml', 'a/b/c.yaml', 'a/b/c/x.yaml', 'a/d/a.yaml'],
    },
    { pattern: 'a/**', want: ['a/.dot.yaml', 'a/[x].yaml', 'a/b/c/x.yaml', 'a/b/c.yaml', 'a/d/a.yaml', 'a/z.yaml'] },
    { pattern: 'a/?.yaml', want: ['a/z.yaml'] },
    { pattern: 'a/[!a-m].yaml', want: ['a/z.yaml'] },
    { pattern: 'a/\\[x\\].yaml', want: ['a/[x].yaml'] },
    { pattern: '{z,r}*/*.yaml', want: ['z/q.yaml'] },
    { pattern: 'a/{d/*,b/*}.yaml', want: ['a/b/c.yaml', 'a/d/a.yaml'] },
    { pattern: '**/c/x.*', want: ['a/b/c/x.yaml'] },
    { pattern: 'none/*', want: [] },
  ];
  for (const { pattern, want } of cases) assert.deepEqual(expandGlob(pattern, paths), want, pattern);
});

test('a value file by URL: its content counts, its scheme must be allowed', async () => {
  server.files.set('/charts/remote.yaml', Buffer.from('a: remote\n'));
  const valueFiles = [`${server.url}/remote.yaml`];
  const fileParameters = [{ name: 'text', path: `${server.url}/remote.yaml` }];
  assert.deepEqual(await valuesOf(base, { helm: { valueFiles, fileParameters } }), {
    a: 'remote',
    text: 'a: remote\n',
  });
  const before = await renderer.inputs(requestOf(base, { helm: { valueFiles } }), soon());
  server.files.set('/charts/remote.yaml', Buffer.from('a: changed\n'));
  await charts.readUrl(valueFiles[0] ?? '', { maxAgeMs: 0 }, soon());
  const now = await renderer.inputs(requestOf(base, { helm: { valueFiles } }), soon());
  assert.notEqual(now.key, before.key);
  const { render } = defaultSettings;
  const settings = { ...render, helm: { ...render.helm, valuesFileSchemes: ['https'] } };
  await refused(base, { helm: { valueFiles }, settings }, "the URL scheme 'http' is not allowed");
  await refused(base, { helm: { valueFiles: ['secrets+age://x'] } }, "the URL scheme 'secrets+age' is not allowed");
  await refused(base, { helm: { valueFiles: [`${server.url}/none.yaml`] } }, 'none.yaml answered 404');
});

test('parameters: commas, lists, nulls, dots, texts, files; the last of a name counts', async () => {
  const parameters = [
    { name: 'comma', value: 'x,y' },
    { name: 'escaped', value: 'x\\,y' },
    { name: 'list', value: '{one,two}' },
    { name: 'number', value: '5' },
    { name: 'text', value: '5', forceString: true },
    { name: 'deep\\.key', value: 'dotted' },
    { name: 'array[1].name', value: 'second' },
    { name: 'a', value: 'null' },
    { name: 'app', value: '$ARGOCD_APP_NAME-${ARGOCD_APP_REVISION_SHORT}' },
    { name: 'twice', value: 'first' },
    { name: 'twice', value: 'last' },
  ];
  const fileParameters = [{ name: 'file', path: '/files/$ARGOCD_APP_NAME.txt' }];
  const files = { ...base, 'files/team_rel.txt': 'from, a file\n' };
  assert.deepEqual(await valuesOf(files, { helm: { parameters, fileParameters } }), {
    comma: 'x,y',
    escaped: 'x,y',
    list: ['one', 'two'],
    number: 5,
    text: '5',
    'deep.key': 'dotted',
    array: [null, { name: 'second' }],
    app: 'team_rel-aaaaaaa',
    twice: 'last',
    file: 'from, a file\n',
  });
});

test('the flags of the block, and what they leave out', async () => {
  const files: Files = {
    'app/Chart.yaml': `${chart}kubeVersion: ">=1.20.0"\n`,
    'app/values.schema.json': '{"properties":{"size":{"type":"number"}}}',
    'app/crds/crd.yaml':
      'apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata:\n  name: w.x.io\n',
    'app/templates/tests/t.yaml':
      'apiVersion: v1\nkind: Pod\nmetadata:\n  name: t\n  annotations:\n    helm.sh/hook: test\n',
    'app/templates/cm.yaml':
      'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}\n  namespace: {{ .Release.Namespace }}\ndata:\n  kube: {{ .Capabilities.KubeVersion }}\n  has: "{{ .Capabilities.APIVersions.Has "x.io/v1/W" }}"\n',
  };
  const render = async (helm: HelmSource) => {
    const { manifests } = await renderer.render(requestOf(files, { helm, kubeVersion: 'v1.30.2-gke.1' }), soon());
    return manifests.map(({ kind, metadata }) => `${kind} ${metadata.namespace ?? ''}/${metadata.name}`);
  };
  assert.deepEqual(await render({}), ['CustomResourceDefinition /w.x.io', 'ConfigMap ns/rel', 'Pod /t']);
  const own = { skipCrds: true, skipTests: true, releaseName: 'own', namespace: 'elsewhere' };
  assert.deepEqual(await render(own), ['ConfigMap elsewhere/own']);
  const versions = { skipCrds: true, skipTests: true, kubeVersion: 'v1.29', apiVersions: ['x.io/v1/W'] };
  const { manifests } = await renderer.render(requestOf(files, { helm: versions }), soon());
  assert.deepEqual(manifests[0]?.['data'], { kube: 'v1.29', has: 'true' });
  await refused(files, { helm: { values: 'size: text\n' } }, "at '/size': got string, want number");
  await render({ values: 'size: text\n', skipSchemaValidation: true });
  await refused(files, { helm: { kubeVersion: '1.19.0' } }, 'chart requires kubeVersion: >=1.20.0');
  await refused(files, { helm: { version: 'v2' } }, "helm version 'v2' is not supported");
  await refused(files, { helm: { kubeVersion: 'latest' } }, '"latest" is no version of Kubernetes');
  for (const [text, want] of [
    ['v1.27.3-eks-a5565ad', '1.27.3'],
    ['1.30+', '1.30'],
    ['1.033.0', '1.33.0'],
  ] as const)
    assert.equal(plainKubeVersion(text), want);
});

test("errors are helm's own words, with the chart's file and line and without temporary folders", async () => {
  const broken = (template: string, values = 'a: b\n'): Files => ({
    'app/Chart.yaml': chart,
    'app/values.yaml': values,
    'app/templates/cm.yaml': template,
    'app/env/v.yaml': 'a: [\n',
  });
  await refused(
    broken('{{ if }}'),
    {},
    'helm template app (https://git.example/demo at aaaaaaa) failed',
    'templates/cm.yaml:1',
  );
  await refused(broken('a: b\nc: {{ required "say it" .Values.none }}\n'), {}, 'app/templates/cm.yaml:2:6', 'say it');
  await refused(broken('a: {{ .Values.a.b.c }}\n'), {}, 'app/templates/cm.yaml:1:13', "can't evaluate field b");
  await refused(broken('a: b: c\n'), {}, 'app/templates/cm.yaml', 'mapping values are not allowed');
  await refused(broken('a: b\n'), { helm: { valueFiles: ['env/v.yaml'] } }, 'app/env/v.yaml', 'yaml: line');
  await refused(broken('a: b\n'), { helm: { values: 'a: [' } }, 'spec.source.helm.values', 'yaml: line');
  await refused(broken('a: b\n', 'a: ['), {}, 'values.yaml');
});

test('dependencies: as the lock pins them, from repositories by address and by name, and from folders', async () => {
  server.published.splice(0);
  for (const version of ['1.0.0', '1.0.5', '2.0.0']) await server.publish('lib', version);
  declared = [{ url: server.url, type: 'helm', name: 'shared' }];
  const dependencies = (list: string) => `${chart}dependencies:\n${list}`;
  const from = (repository: string, version = '1.0.x', rest = '') =>
    `  - name: lib\n    version: "${version}"\n    repository: "${repository}"\n${rest}`;
  const versionOf = async (files: Files, ask: Ask = {}) => {
    const { manifests } = await renderer.render(requestOf({ ...base, ...files }, ask), soon());
    return manifests.map((manifest) => getPath(manifest, 'data', 'v')).filter((value) => value !== undefined);
  };
  assert.deepEqual(await versionOf({ 'app/Chart.yaml': dependencies(from(server.url)) }), ['lib-1.0.5']);
  assert.deepEqual(await versionOf({ 'app/Chart.yaml': dependencies(from('@shared')) }), ['lib-1.0.5']);
  assert.deepEqual(await versionOf({ 'app/Chart.yaml': dependencies(from('alias:shared', '*')) }), ['lib-2.0.0']);
  const v1 = { 'app/Chart.yaml': 'apiVersion: v1\nname: app\nversion: 0.1.0\n' };
  assert.deepEqual(await versionOf({ ...v1, 'app/requirements.yaml': `dependencies:\n${from(server.url)}` }), [
    'lib-1.0.5',
  ]);
  const twice = `${from(server.url, '1.0.0', '    alias: one\n')}${from(server.url, '2.0.0', '    alias: two\n')}`;
  assert.deepEqual(
    await versionOf({
      'app/Chart.yaml': dependencies(twice),
      'app/values.yaml': 'one:\n  v: first\ntwo:\n  v: second\n',
    }),
    ['first', 'second'],
  );
  const off = from(server.url, '1.0.0', '    condition: lib.enabled\n');
  const values = { 'app/values.yaml': 'lib:\n  enabled: false\n' };
  assert.deepEqual(await versionOf({ 'app/Chart.yaml': dependencies(off), ...values }), []);
  const local: Files = {
    'app/Chart.yaml': dependencies(from('file://../shared/lib', '^3')),
    'shared/lib/Chart.yaml': 'apiVersion: v2\nname: lib\nversion: 3.1.0\n',
    'shared/lib/values.yaml': 'v: local\n',
    'shared/lib/templates/cm.yaml': smallChart('lib', '3.1.0')['templates/cm.yaml'] ?? '',
  };
  assert.deepEqual(await versionOf(local), ['local']);
  const one = await renderer.inputs(requestOf({ ...base, ...local }), soon());
  assert.ok(one.paths.includes('shared/lib'));
  const edited = { ...base, ...local, 'shared/lib/values.yaml': 'v: edited\n' };
  assert.notEqual((await renderer.inputs(requestOf(edited), soon())).key, one.key);
});

test('a lock must fit its chart, and then decides', async () => {
  server.published.splice(0);
  for (const version of ['1.0.0', '1.0.5']) await server.publish('lib', version);
  const withLock = (constraint: string): Files => ({
    ...base,
    'app/Chart.yaml': `${chart}dependencies:\n  - name: lib\n    version: ${constraint}\n    repository: http://charts.example/\n`,
    // Made by "helm dependency update" for the constraint 1.0.x.
    'app/Chart.lock':
      'dependencies:\n- name: lib\n  repository: http://charts.example/\n  version: 1.0.0\ndigest: sha256:LOCK\ngenerated: "2026-01-01T00:00:00Z"\n',
  });
  await refused(withLock('1.0.x'), {}, 'app/Chart.lock', 'out of sync');
  const pinned = (constraint: string, locked: string) => {
    const dependency = (version: string) => `[{"name":"lib","version":"${version}","repository":"${server.url}"}]`;
    return sha256Hex(`[${dependency(constraint)},${dependency(locked)}]`);
  };
  const files: Files = Object.fromEntries(
    Object.entries(withLock('1.0.x')).map(([path, content]) => [
      path,
      String(content).replaceAll('http://charts.example/', server.url).replace('LOCK', pinned('1.0.x', '1.0.0')),
    ]),
  );
  const { manifests } = await renderer.render(requestOf(files), soon());
  assert.ok(manifests.some((manifest) => getPath(manifest, 'data', 'v') === 'lib-1.0.0'));
});

test('a dependency that cannot be had is told by name, repository and reason', async () => {
  server.published.splice(0);
  await server.publish('lib', '1.0.0');
  declared = [];
  const needs = (repository: string, version = '1.0.0'): Files => ({
    ...base,
    'app/Chart.yaml': `${chart}dependencies:\n  - name: lib\n    version: ${version}\n    repository: "${repository}"\n`,
  });
  const start = 'the dependency lib 1.0.0 of the chart app (https://git.example/demo at aaaaaaa) could not be brought';
  await refused(needs(''), {}, start, 'names no repository');
  await refused(needs('@none'), {}, `${start} from @none`, 'no repository of the name none');
  await refused(needs('http://127.0.0.1:1/x'), {}, `${start} from http://127.0.0.1:1/x`, 'cannot be reached');
  await refused(needs(server.url, '9.9.9'), {}, 'lib 9.9.9', `from ${server.url}`, 'it has 1.0.0');
  await refused(needs('file:///etc'), {}, 'path of the machine');
  await refused(needs('file://../../x'), {}, 'leads out of the repository');
  await refused(needs('file://../none'), {}, 'none in https://git.example/demo', 'is no chart');
  await refused(needs('s3://bucket'), {}, 's3://bucket is no address');
});

test('dependencies in charts/ are used as they are, packed or not, and nothing is asked for', async () => {
  server.taken();
  const dependency = `${chart}dependencies:\n  - name: lib\n    version: 1.0.0\n    repository: ${server.url}\n`;
  const unpacked = Object.fromEntries(
    Object.entries(smallChart('lib', '1.0.0', 'own')).map(([path, content]) => [
      `app/charts/any-name/${path}`,
      content,
    ]),
  );
  const packed = { 'app/charts/whatever.tgz': await packChart('lib', smallChart('lib', '1.0.0', 'own')) };
  for (const charts of [unpacked, packed]) {
    const { manifests } = await renderer.render(
      requestOf({ ...base, 'app/Chart.yaml': dependency, ...charts }),
      soon(),
    );
    assert.ok(manifests.some((manifest) => getPath(manifest, 'data', 'v') === 'own'));
  }
  assert.deepEqual(server.taken(), []);
});

test('what a chart asks for decides what its result depends on', async () => {
  const keys = async (files: Files, ask: Ask = {}) =>
    await Promise.all(
      ['1.30.0', '1.31.0'].map(
        async (kubeVersion) => (await renderer.inputs(requestOf(files, { ...ask, kubeVersion }), soon())).key,
      ),
    );
  const same = async (files: Files, ask?: Ask) => {
    const [one, other] = await keys(files, ask);
    return one === other;
  };
  const evaluating = { ...base, 'app/templates/cm.yaml': 'a: {{ tpl .Values.a . }}\n' };
  const question = '{{ .Capabilities.KubeVersion }}';
  assert.equal(await same(base), true);
  assert.equal(await same({ ...base, 'app/templates/_h.tpl': question }), false);
  assert.equal(await same(evaluating), true);
  assert.equal(await same({ ...base, 'app/values.yaml': `a: "${question}"\n` }), true, 'values are no templates');
  assert.equal(await same({ ...evaluating, 'app/values.yaml': `a: "${question}"\n` }), false);
  assert.equal(await same(evaluating, { helm: { values: `a: "${question}"\n` } }), false);
  const quiet = { 'app/charts/sub.tgz': await packChart('sub', smallChart('sub', '1.0.0')) };
  assert.equal(await same({ ...base, ...quiet }), true, 'a packed subchart is looked into');
  const asking = { 'app/charts/sub.tgz': await packChart('sub', smallChart('sub', '1.0.0', question)) };
  assert.equal(await same({ ...base, ...asking }), false);
});

test('a chart that is published again with the same files is not rendered again', async () => {
  server.published.splice(0);
  await server.publish('web', '1.0.0', { ...smallChart('web', '1.0.0') });
  const ask = { repoURL: server.url, chart: 'web', revision: '^1', project: 'default' };
  const open = async () => await charts.open(ask, { maxAgeMs: 0 }, soon());
  const before = renderer.counts.renders;
  await renderer.render(requestOf(await open(), { chart: 'web', path: '' }), soon());
  const files = Object.fromEntries(Object.entries(smallChart('web', '1.0.0')).reverse());
  server.published.splice(0);
  server.add({ chart: 'web', version: '1.0.0', archive: await packChart('web', files) });
  await renderer.render(requestOf(await open(), { chart: 'web', path: '' }), soon());
  assert.equal(renderer.counts.renders, before + 1);
  await server.publish('web', '1.1.0', { ...smallChart('web', '1.0.0'), 'README.md': 'other' });
  await renderer.render(requestOf(await open(), { chart: 'web', path: '' }), soon());
  assert.equal(renderer.counts.renders, before + 2);
});
