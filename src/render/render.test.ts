import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { isAppError } from '#base/errors.ts';
import { silentLogger } from '#base/log.ts';
import type { CommitSha, GitMirror, GitMirrors } from '#git/port.ts';
import { TestingGitServer } from '#git/testing-server.ts';
import type { ApplicationSource } from '#model/argocd/application.ts';
import { testClock, testEntropy } from '../../test/clock.ts';
import { toolPath } from '../../test/tools.ts';
import { expandVariables } from './build-environment.ts';
import { withBlock } from './kustomize-block.ts';
import { isInput, type Renderer, type RenderRequest } from './port.ts';
import { createRenderer } from './renderer.ts';
import { fileInRepository } from './repository-path.ts';
import { gitTree } from './tree.ts';
import { parseYamlDocuments } from './yaml.ts';

const chart = 'apiVersion: v2\nname: chart\nversion: 0.1.0\n';
const configMap = (name: string, data = 'a: b') =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\ndata:\n  ${data}\n`;

let server: TestingGitServer;
let mirrors: GitMirrors;
let mirror: GitMirror;
let folder: string;

before(async () => {
  server = await TestingGitServer.start({ gitPath: toolPath('git'), clock: testClock, entropy: testEntropy });
  server.create('demo');
  server.commit('demo', {
    'chart/Chart.yaml': chart,
    'chart/values.yaml': 'a: chart\nb: chart\nc: chart\nd: chart\ne: chart\n',
    'chart/values-x.yaml': 'b: file\nc: file\nd: file\ne: file\n',
    'common/values.yaml': 'c: common\nd: common\ne: common\n',
    'chart/crds/crd.yaml':
      'apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata:\n  name: w.x.io\n',
    'chart/templates/cm.yaml': configMap(
      '{{ .Release.Name }}',
      'v: "{{ .Values.a }} {{ .Values.b }} {{ .Values.c }} {{ .Values.d }} {{ .Values.e }} {{ .Release.Namespace }}"',
    ),
    'reads/Chart.yaml': chart,
    'reads/templates/cm.yaml': configMap('r', 'v: {{ .Files.Get "values-other.yaml" | quote }}'),
    'versions/Chart.yaml': chart,
    'versions/templates/cm.yaml': configMap('v', 'v: {{ .Capabilities.KubeVersion.Version }}'),
    'plain/one.yaml': `${configMap('one')}---\n${configMap('two')}`,
    'plain/list.json': JSON.stringify({
      apiVersion: 'v1',
      kind: 'ConfigMapList',
      items: [{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'three' } }],
    }),
    'plain/values.yaml': 'a: [1\n',
    'plain/README.md': 'no manifest',
    'plain/deep/four.yaml': configMap('four'),
    'plain/skipped.yml': `# +argocd:skip-file-rendering\n${configMap('skipped')}`,
    'base/kustomization.yaml': 'resources: [cm.yaml]\n',
    'base/cm.yaml': configMap('base'),
    'overlay/kustomization.yaml': 'resources: [../base]\nnamePrefix: over-\n',
    'remote/kustomization.yaml': 'resources: [https://github.com/x/y]\n',
    'override/Chart.yaml': chart,
    'override/templates/cm.yaml': configMap('o', 'v: {{ .Values.v }}'),
    'override/.argocd-source.yaml': 'helm:\n  parameters:\n    - name: v\n      value: all\n',
    'override/.argocd-source-app.yaml': 'repoURL: ignored\nhelm:\n  parameters:\n    - name: v\n      value: own\n',
  });
  mirrors = server.mirrors('m');
  mirror = await mirrors.open(server.url('demo'), AbortSignal.timeout(10_000));
  folder = mkdtempSync(join(tmpdir(), 'render-'));
});
after(async () => {
  await mirrors[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

let caches = 0;
function renderer(name = `cache-${caches++}`): Renderer {
  const helm = { path: toolPath('helm'), version: '4' };
  const kubectl = { path: toolPath('kubectl'), version: '1' };
  return createRenderer({ cacheDir: join(folder, name), clock: testClock, logger: silentLogger, helm, kubectl });
}

async function request(
  source: Partial<ApplicationSource>,
  revision = 'main',
  kubeVersion = '1.33.0',
): Promise<RenderRequest> {
  const commit: CommitSha = await mirror.resolve(revision, AbortSignal.timeout(5000));
  const tree = gitTree(mirror, commit);
  return {
    application: { name: 'app', instanceName: 'app', project: 'default', destinationNamespace: 'ns' },
    source: { repoURL: mirror.url, path: '.', ...source },
    tree,
    refs: new Map([['values', tree]]),
    cluster: { kubeVersion, apiVersions: ['v1'] },
  };
}

async function names(source: Partial<ApplicationSource>): Promise<string[]> {
  const { manifests } = await renderer().render(await request(source), AbortSignal.timeout(20_000));
  return manifests.map(({ kind, metadata }) => `${kind} ${metadata.name}`);
}

test('a chart: release name, namespace, CRDs, and values in the order of their weight', async () => {
  const helm = {
    releaseName: 'rel',
    valueFiles: ['values-x.yaml', '/common/values.yaml', '$values/common/values.yaml'],
    values: 'd: inline\ne: inline\n',
    parameters: [{ name: 'e', value: 'a,b' }],
  };
  const { manifests, sourceType, paths } = await renderer().render(
    await request({ path: 'chart', helm }),
    AbortSignal.timeout(20_000),
  );
  assert.equal(sourceType, 'Helm');
  assert.deepEqual(paths, ['chart', 'chart/values-x.yaml', 'common/values.yaml']);
  assert.deepEqual(
    manifests.map(({ kind, metadata }) => `${kind} ${metadata.name}`),
    ['CustomResourceDefinition w.x.io', 'ConfigMap rel'],
  );
  assert.deepEqual(manifests[1]?.['data'], { v: 'chart file common inline a,b ns' });
  assert.deepEqual(await names({ path: 'chart', helm: { skipCrds: true, valuesObject: { a: 1 } } }), ['ConfigMap app']);
});

test('a folder: documents, lists and JSON; not what is no manifest; deeper only when asked', async () => {
  assert.deepEqual(await names({ path: 'plain' }), ['ConfigMap three', 'ConfigMap one', 'ConfigMap two']);
  assert.deepEqual(await names({ path: './plain/', directory: { recurse: true, exclude: '{one,list}.*' } }), [
    'ConfigMap four',
  ]);
  assert.deepEqual(await names({ path: 'plain', directory: { include: '*.json' } }), ['ConfigMap three']);
});

test('a kustomization, with its bases and the block of the application', async () => {
  assert.deepEqual(await names({ path: 'overlay' }), ['ConfigMap over-base']);
  assert.deepEqual(await names({ path: 'overlay', kustomize: { nameSuffix: '-x' } }), ['ConfigMap over-base-x']);
  const inputs = await renderer().inputs(await request({ path: 'overlay' }), AbortSignal.timeout(5000));
  const files = [
    'base/cm.yaml',
    'base/kustomization.yaml',
    'overlay/kustomization.yaml',
    'overlay/.argocd-source.yaml',
  ];
  assert.deepEqual(
    [...files, 'base/other.yaml', 'overlay/other.yaml'].map((path) => isInput(inputs, path)),
    [true, true, true, true, false, false],
  );
});

test("overrides in the folder apply, the application's own last, and never move the source", async () => {
  const { manifests } = await renderer().render(await request({ path: 'override' }), AbortSignal.timeout(20_000));
  assert.deepEqual(manifests[0]?.['data'], { v: 'own' });
});

const wrong: { name: string; source: Partial<ApplicationSource>; message: RegExp }[] = [
  { name: 'outside', source: { path: '../x' }, message: /leads out of the repository/ },
  {
    name: 'value file outside',
    source: { path: 'chart', helm: { valueFiles: ['../../x.yaml'] } },
    message: /leads out of the repository/,
  },
  { name: 'value file by URL', source: { path: 'chart', helm: { valueFiles: ['https://x/y'] } }, message: /is a URL/ },
  {
    name: 'unknown ref',
    source: { path: 'chart', helm: { valueFiles: ['$other/x.yaml'] } },
    message: /names the ref other/,
  },
  {
    name: 'two types',
    source: { path: 'chart', helm: { releaseName: 'x' }, directory: { recurse: true } },
    message: /multiple application sources defined: Helm,Directory/,
  },
  { name: 'a plugin', source: { path: 'plain', plugin: {} }, message: /plugin/ },
  { name: 'a remote base', source: { path: 'remote' }, message: /from another place/ },
];
for (const row of wrong)
  test(`refused: ${row.name}`, async () => {
    await assert.rejects(
      renderer().render(await request(row.source), AbortSignal.timeout(10_000)),
      (error) => isAppError(error) && row.message.test(error.message),
    );
  });

test('without helm a chart says so', async () => {
  const bare = createRenderer({ cacheDir: join(folder, 'bare'), clock: testClock, logger: silentLogger });
  await assert.rejects(bare.render(await request({ path: 'chart' }), AbortSignal.timeout(5000)), (error) =>
    isAppError(error, 'missing-tool'),
  );
});

test('results are found again by what they were made of: over commits, restarts and callers at once', async () => {
  const first = renderer('shared');
  const chartRequest = await request({ path: 'chart', helm: { valueFiles: ['values-x.yaml'] } });
  const signal = AbortSignal.timeout(20_000);
  await Promise.all([1, 2, 3].map(() => first.render(chartRequest, signal)));
  assert.deepEqual({ ...first.counts }, { renders: 1, cacheHits: 0 });
  server.commit('demo', { 'elsewhere.txt': 'x' });
  await mirror.fetch(signal);
  await first.render(await request({ path: 'chart', helm: { valueFiles: ['values-x.yaml'] } }), signal);
  const second = renderer('shared');
  await second.render(chartRequest, signal);
  await second.render({ ...chartRequest, cluster: { kubeVersion: '1.34.0', apiVersions: [] } }, signal);
  assert.deepEqual(
    [{ ...first.counts }, { ...second.counts }],
    [
      { renders: 1, cacheHits: 1 },
      { renders: 0, cacheHits: 2 },
    ],
  );
  await second.render(await request({ path: 'versions' }, 'main', '1.33.0'), signal);
  await second.render(await request({ path: 'versions' }, 'main', '1.34.0'), signal);
  assert.equal(second.counts.renders, 2, 'a chart that asks for the version is rendered for each');
  server.commit('demo', { 'chart/values-x.yaml': 'b: other\n' });
  await mirror.fetch(signal);
  const { manifests } = await second.render(
    await request({ path: 'chart', helm: { valueFiles: ['values-x.yaml'] } }),
    signal,
  );
  assert.equal((manifests[1]?.['data'] as { v: string }).v, 'chart other chart chart chart ns');
});

test('value files that an application does not name do not concern it, unless a template may read files', async () => {
  const signal = AbortSignal.timeout(20_000);
  const own = renderer();
  const keyOf = async (path: string) => (await own.inputs(await request({ path }), signal)).key;
  const before = [await keyOf('chart'), await keyOf('reads')];
  server.commit('demo', { 'chart/values-other.yaml': 'a: 1\n', 'reads/values-other.yaml': 'a: 1\n' });
  await mirror.fetch(signal);
  const after = [await keyOf('chart'), await keyOf('reads')];
  assert.deepEqual([before[0] === after[0], before[1] === after[1]], [true, false]);
  const inputs = await own.inputs(await request({ path: 'chart', helm: { valueFiles: ['values-x.yaml'] } }), signal);
  const paths = [
    'chart/values.yaml',
    'chart/values-x.yaml',
    'chart/values-other.yaml',
    'chart/templates/cm.yaml',
    'elsewhere',
  ];
  assert.deepEqual(
    paths.map((path) => isInput(inputs, path)),
    [true, true, false, true, false],
  );
});

test('a damaged result is made again', async () => {
  const signal = AbortSignal.timeout(10_000);
  const plain = await request({ path: 'plain' });
  await renderer('damaged').render(plain, signal);
  const renders = join(folder, 'damaged', 'renders');
  for (const name of readdirSync(renders, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.render'),
  ))
    writeFileSync(join(renders, name), 'garbage');
  const again = renderer('damaged');
  assert.equal((await again.render(plain, signal)).manifests.length, 3);
  assert.equal(again.counts.renders, 1);
});

const scalars: [string, unknown][] = [
  ['yes', true],
  ['Off', false],
  ['y', true],
  ['010', 8],
  ['0o10', 8],
  ['0x1F', 31],
  ['1_000', 1000],
  ['12:30:45', '12:30:45'],
  ['2024-01-01', '2024-01-01'],
  ['1.0', 1],
  ['08', 8],
  ['1e3', 1000],
  ['-5', -5],
  ['~', null],
  ['"yes"', 'yes'],
  ['1.2.3', '1.2.3'],
  ['v1', 'v1'],
];
for (const [text, want] of scalars)
  test(`YAML as kubectl reads it: ${text}`, () => {
    assert.deepEqual(parseYamlDocuments(`k: ${text}`, 'x'), [{ k: want }]);
  });

test('YAML: keys become texts, anchors and merges work, infinities are refused, empty documents are left out', () => {
  assert.deepEqual(parseYamlDocuments('n: 1\n3: x\n---\n---\na: &a {b: 1}\nc: {<<: *a, d: 2}\n', 'x'), [
    { false: 1, 3: 'x' },
    { a: { b: 1 }, c: { b: 1, d: 2 } },
  ]);
  assert.throws(() => parseYamlDocuments('k: .inf', 'the file'), /the file holds a number/);
  assert.throws(() => parseYamlDocuments('k: [', 'the file'), /the file is not valid YAML/);
});

test('variables expand as Go does it', () => {
  assert.equal(expandVariables('$A-${B}$$C$D', { A: '1', B: '2', C: '3' }), '1-2$C');
});

test('files are found from the chart or from the root', () => {
  assert.equal(fileInRepository('charts/x', '../y/v.yaml', 'f'), 'charts/y/v.yaml');
  assert.equal(fileInRepository('charts/x', '/v.yaml', 'f'), 'v.yaml');
});

test('images of a kustomize block replace those of the same name', () => {
  const out = withBlock(
    { images: [{ name: 'a', newTag: '1' }] },
    { images: ['a:2', 'b=reg:5000/b@sha256:0'], commonLabels: { x: 'y' } },
    [],
  );
  assert.deepEqual(out, {
    images: [
      { name: 'a', newTag: '2' },
      { name: 'b', newName: 'reg:5000/b', digest: 'sha256:0' },
    ],
    commonLabels: { x: 'y' },
  });
});
