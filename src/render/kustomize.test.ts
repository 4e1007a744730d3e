import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { isAppError } from '#base/errors.ts';
import type { JsonObject } from '#base/json.ts';
import type { ApplicationSource } from '#model/argocd/application.ts';
import { defaultSettings, type RenderSettings } from '#model/argocd/settings.ts';
import { parseImage, parseKustomizeBlock, withBlock } from './kustomize-block.ts';
import { buildFlags } from './kustomize-tool.ts';
import { isInput } from './port.ts';
import { type Content, configMap, type Files, type RequestOptions, startRenders } from './tree-fixture.test.ts';

const renders = startRenders();
after(() => renders[Symbol.dispose]());

const deployment =
  'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, labels: {app: web}}\nspec:\n  replicas: 1\n  selector: {matchLabels: {app: web}}\n  template:\n    metadata: {labels: {app: web}}\n    spec: {containers: [{name: web, image: "nginx:1"}]}\n';
const base: Files = { 'base/kustomization.yaml': 'resources: [web.yaml]\n', 'base/web.yaml': deployment };
const settings = (kustomize: Partial<RenderSettings['kustomize']>): RequestOptions => ({
  settings: { kustomize: { ...defaultSettings.render.kustomize, ...kustomize } },
});

test('every field of the block, with the build environment where Argo CD expands it', async () => {
  const files: Files = {
    ...base,
    'app/kustomization.yaml': 'resources: [../base]\nimages: [{name: nginx, newTag: "2"}]\n',
    'parts/note/kustomization.yaml':
      'apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\ncommonAnnotations: {part: note}\n',
  };
  const kustomize = {
    namePrefix: 'a-',
    nameSuffix: '-z',
    namespace: 'over',
    images: ['nginx=registry.example/web:$ARGOCD_APP_REVISION_SHORT'],
    replicas: [{ name: 'web', count: '4' }],
    commonLabels: { of: '${ARGOCD_APP_NAME}' },
    labelWithoutSelector: true,
    labelIncludeTemplates: true,
    commonAnnotations: { plain: '$ARGOCD_APP_NAME' },
    components: ['../parts/note', '../parts/missing'],
    ignoreMissingComponents: true,
    patches: [
      {
        target: { kind: 'Deployment', labelSelector: 'app=web' },
        patch: '- {op: add, path: /spec/paused, value: true}',
      },
    ],
  };
  const [object] = await renders.objects(files, { path: 'app', kustomize });
  assert.deepEqual(object, {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {
      name: 'a-web-z',
      namespace: 'over',
      labels: { app: 'web', of: 'app' },
      annotations: { plain: '$ARGOCD_APP_NAME', part: 'note' },
    },
    spec: {
      paused: true,
      replicas: 4,
      selector: { matchLabels: { app: 'web' } },
      template: {
        metadata: { labels: { app: 'web', of: 'app' }, annotations: { plain: '$ARGOCD_APP_NAME', part: 'note' } },
        spec: { containers: [{ name: 'web', image: 'registry.example/web:aaaaaaa' }] },
      },
    },
  });
  const expanded = { commonAnnotations: { plain: '$ARGOCD_APP_NAME' }, commonAnnotationsEnvsubst: true };
  const [other] = await renders.objects(files, { path: 'app', kustomize: expanded });
  assert.deepEqual(other?.metadata['annotations'], { plain: 'app' });
});

const digest = `sha256:${'3'.repeat(64)}`;
const images: [string, JsonObject | RegExp][] = [
  ['nginx:3', { name: 'nginx', newTag: '3' }],
  [`nginx@${digest}`, { name: 'nginx', digest }],
  ['nginx=my/other', { name: 'nginx', newName: 'my/other' }],
  ['nginx=my/other:4', { name: 'nginx', newName: 'my/other', newTag: '4' }],
  [`nginx=my/other@${digest}`, { name: 'nginx', newName: 'my/other', digest }],
  [`nginx:3@${digest}`, { name: 'nginx', newTag: '3', digest }],
  ['reg.io:5000/x/y:9', { name: 'reg.io:5000/x/y', newTag: '9' }],
  ['nginx=reg:5000/foo', { name: 'nginx', newName: 'reg:5000/foo' }],
  ['nginx:*', { name: 'nginx', newTag: '*' }],
  ['nginx', /holds "nginx", which is no image/],
];
for (const [text, want] of images)
  test(`an image of the block: ${text}`, () => {
    if (want instanceof RegExp) assert.throws(() => parseImage(text), want);
    else assert.deepEqual(parseImage(text), want);
  });

const edits: { name: string; document: JsonObject; block: JsonObject; want: JsonObject | RegExp }[] = [
  {
    name: 'images replace those of their name, `*` keeps, and all are sorted',
    document: {
      images: [
        { name: 'z', newTag: '1' },
        { name: 'a', newTag: '1', newName: 'b' },
      ],
    },
    block: { images: ['a=*:2', 'c:3'] },
    want: {
      images: [
        { name: 'a', newName: 'b', newTag: '2' },
        { name: 'c', newTag: '3' },
        { name: 'z', newTag: '1' },
      ],
    },
  },
  {
    name: 'a label that is there already',
    document: { commonLabels: { team: 'a' } },
    block: { commonLabels: { team: 'b' } },
    want: /the label team is already in the kustomization/,
  },
  {
    name: 'a label that is there already, forced',
    document: { commonLabels: { team: 'a', x: 'y' } },
    block: { commonLabels: { team: 'b' }, forceCommonLabels: true },
    want: { commonLabels: { team: 'b', x: 'y' } },
  },
  {
    name: 'labels without selectors join those of their sort',
    document: { labels: [{ pairs: { a: '1' }, includeSelectors: true }, { pairs: { b: '1' } }] },
    block: { commonLabels: { c: '2' }, labelWithoutSelector: true },
    want: { labels: [{ pairs: { a: '1' }, includeSelectors: true }, { pairs: { b: '1', c: '2' } }] },
  },
  {
    name: 'templates without the other flag',
    document: {},
    block: { commonLabels: { c: '2' }, labelIncludeTemplates: true },
    want: /labelIncludeTemplates needs labelWithoutSelector/,
  },
  {
    name: 'an annotation that is there already',
    document: { commonAnnotations: { note: 'a' } },
    block: { commonAnnotations: { note: 'b' } },
    want: /the annotation note is already in the kustomization/,
  },
  {
    name: 'replicas of a name replace each other',
    document: { replicas: [{ name: 'web', count: 1 }] },
    block: {
      replicas: [
        { name: 'web', count: '3' },
        { name: 'api', count: 2 },
      ],
    },
    want: {
      replicas: [
        { name: 'api', count: 2 },
        { name: 'web', count: 3 },
      ],
    },
  },
  {
    name: 'replicas that are no number',
    document: {},
    block: { replicas: [{ name: 'web', count: 'x' }] },
    want: /"x", no integer/,
  },
  {
    name: 'patches and components are added at the end',
    document: { patches: [{ patch: 'a' }], components: ['x'] },
    block: { patches: [{ path: 'b.yaml', options: { allowNameChange: true } }], components: ['x', 'y'] },
    want: { patches: [{ patch: 'a' }, { path: 'b.yaml', options: { allowNameChange: true } }], components: ['x', 'y'] },
  },
  { name: 'an unknown field', document: {}, block: { helm: true }, want: /spec\.source\.kustomize is wrong: .*helm/ },
];
for (const row of edits)
  test(`the block in a kustomization: ${row.name}`, () => {
    const run = () => {
      const block = parseKustomizeBlock(row.block);
      return withBlock(row.document, block, block.components ?? []);
    };
    if (row.want instanceof RegExp) assert.throws(run, row.want);
    else assert.deepEqual(run(), row.want);
  });

const flags: [string, string[] | RegExp][] = [
  ['', []],
  [
    '--enable-helm --load-restrictor LoadRestrictionsNone',
    ['--enable-helm', '--load-restrictor', 'LoadRestrictionsNone'],
  ],
  ['--load_restrictor=none', ['--load-restrictor', 'LoadRestrictionsNone']],
  ['--reorder none --enable-helm=false', []],
  ['--enable-exec', /holds --enable-exec, which is not allowed/],
  ['--helm-command /bin/sh', /not allowed/],
  ['--network', /not allowed/],
  ['-o /etc/x', /not allowed/],
];
for (const [options, want] of flags)
  test(`build options: ${options}`, () => {
    if (want instanceof RegExp) assert.throws(() => buildFlags(options), want);
    else assert.deepEqual(buildFlags(options), want);
  });

const kustomization = (text: string): Files => ({ ...base, 'app/kustomization.yaml': text });
const refused: {
  name: string;
  files: Files;
  options?: RequestOptions;
  source?: Partial<ApplicationSource>;
  want: RegExp;
}[] = [
  {
    name: 'a remote base',
    files: kustomization('resources: [github.com/x/y//z?ref=1]\n'),
    want: /resources "github.*read from another place/,
  },
  {
    name: 'a base by ssh',
    files: kustomization('resources: ["git@example.com:x/y.git"]\n'),
    want: /read from another place/,
  },
  {
    name: 'a patch by URL',
    files: kustomization('patches: [{path: "https://x/y.yaml"}]\n'),
    want: /patches\.path "https.*another place/,
  },
  {
    name: 'a generator file by URL',
    files: kustomization('configMapGenerator: [{name: a, files: ["k=http://x/y"]}]\n'),
    want: /configMapGenerator\.files "http.*another place/,
  },
  {
    name: 'a path out of the repository',
    files: kustomization('resources: [../../x]\n'),
    want: /resources "\.\.\/\.\.\/x" leads out of the repository/,
  },
  {
    name: 'an absolute path',
    files: kustomization('patches: [{path: /etc/x.yaml}]\n'),
    want: /leads out of the repository/,
  },
  {
    name: 'a file that is not there',
    files: kustomization('resources: [nope.yaml]\n'),
    want: /resources "nope\.yaml" does not exist/,
  },
  {
    name: 'two kustomizations in one folder',
    files: { ...kustomization(''), 'app/Kustomization': '' },
    want: /has two kustomizations/,
  },
  {
    name: 'no kustomization',
    files: { 'app/a.yaml': 'x' },
    source: { kustomize: { namePrefix: 'a-' } },
    want: /has no kustomization\.yaml/,
  },
  {
    name: 'a chart without leave',
    files: { ...kustomization('helmCharts: [{name: c}]\n'), 'app/charts/c/Chart.yaml': 'x' },
    want: /inflates charts, and kustomize may not/,
  },
  {
    name: 'a chart from elsewhere',
    files: kustomization('helmCharts: [{name: c, repo: "https://x"}]\n'),
    options: settings({ buildOptions: '--enable-helm' }),
    want: /the chart c is not in app\/charts/,
  },
  {
    name: 'a version that is not registered',
    files: kustomization('resources: [../base]\n'),
    source: { kustomize: { version: 'v9' } },
    want: /version "v9" is not registered/,
  },
  {
    name: 'a submodule',
    files: { ...kustomization('resources: [sub]\n'), 'app/sub': { submodule: 'f'.repeat(40) } },
    want: /resources "sub" is a submodule/,
  },
  {
    name: 'what kustomize itself finds wrong',
    files: kustomization('resources: [../base]\nnope: 1\n'),
    want: /kustomize build app .* failed: .*unknown field "nope"/s,
  },
  {
    name: 'a file outside the folder, which kustomize does not read',
    files: { ...kustomization('patches: [{path: ../p.yaml}]\n'), 'p.yaml': 'x' },
    want: /security; file .* is not in or below/,
  },
];
for (const row of refused)
  test(`a kustomization is refused: ${row.name}`, async () => {
    await assert.rejects(
      renders.names(row.files, { path: 'app', ...row.source }, row.options),
      (error) => isAppError(error) && row.want.test(error.message) && !/\/tmp\//.test(error.message),
    );
  });

test('charts in the repository are inflated when the instance allows it', async () => {
  const files: Files = {
    'app/kustomization.yaml': 'helmCharts: [{name: c, releaseName: rel, valuesFile: v.yaml}]\n',
    'app/v.yaml': 'x: given\n',
    'app/charts/c/Chart.yaml': 'apiVersion: v2\nname: c\nversion: 0.1.0\n',
    'app/charts/c/templates/cm.yaml': configMap(
      '{{ .Release.Name }}',
      'v: "{{ .Values.x }} {{ .Capabilities.KubeVersion.Minor }}"',
    ),
  };
  const [object] = await renders.objects(files, { path: 'app' }, settings({ buildOptions: '--enable-helm' }));
  assert.deepEqual([object?.metadata.name, object?.['data']], ['rel', { v: 'given 33' }]);
});

test('a file outside the folder is read where the instance lifts the restriction', async () => {
  const files = { ...kustomization('resources: [../base/web.yaml]\n') };
  assert.deepEqual(
    await renders.names(files, { path: 'app' }, settings({ buildOptions: '--load-restrictor LoadRestrictionsNone' })),
    ['Deployment web'],
  );
});

test('a version is built by the program that the instance names for it, with its own options', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'kustomize-'));
  const program = join(folder, 'kustomize');
  writeFileSync(
    program,
    `#!/bin/sh\necho '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x"},"data":{"args":"'"$*"'"}}'\n`,
    { mode: 0o755 },
  );
  try {
    const versions = new Map([['v4.5.7', { path: program, buildOptions: '--load-restrictor LoadRestrictionsNone' }]]);
    const [object] = await renders.objects(
      kustomization('resources: [../base]\n'),
      { path: 'app', kustomize: { version: 'v4.5.7' } },
      settings({ buildOptions: '--enable-helm', versions }),
    );
    assert.deepEqual(object?.['data'], { args: 'build app --load-restrictor LoadRestrictionsNone' });
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('links: a folder behind one is built where it really is', async () => {
  const files: Files = {
    'app/kustomization.yaml': 'resources: [current]\n',
    'app/current': { link: '../versions/two' },
    'versions/two/kustomization.yaml': 'resources: [../../base]\nnamePrefix: two-\n',
    ...base,
  };
  assert.deepEqual(await renders.names(files, { path: 'app' }), ['Deployment two-web']);
});

test('a build is keyed by exactly the files that it reads', async () => {
  const files: Files = {
    ...base,
    'base/README.md': 'x',
    'app/kustomization.yaml':
      'resources: [../base]\ncomponents: [../part]\npatches: [{path: p.yaml}]\nconfigMapGenerator: [{name: c, files: [k=c.txt], envs: [e.env]}]\nconfigurations: [conf.yaml]\nopenapi: {path: schema.json}\nreplacements: [{path: r.yaml}]\ntransformers: [t.yaml]\n',
    'part/kustomization.yaml': 'kind: Component\n',
    ...Object.fromEntries(
      ['p.yaml', 'c.txt', 'e.env', 'conf.yaml', 'schema.json', 'r.yaml', 't.yaml'].map((name) => [`app/${name}`, name]),
    ),
    'other/x.yaml': 'x',
  };
  const inputsOf = async (change: Files) =>
    await renders.renderer.inputs(renders.request({ ...files, ...change }, { path: 'app' }), AbortSignal.timeout(5000));
  const first = await inputsOf({});
  const read = Object.keys(files).filter((path) => !/README|other/.test(path));
  for (const path of read) {
    const change = /kustomization/.test(path) ? `${files[path] as Content}\n# changed\n` : 'changed';
    const now = await inputsOf({ [path]: change });
    assert.notEqual(now.key, first.key, path);
    assert.equal(isInput(first, path), true, path);
  }
  for (const path of ['base/README.md', 'other/x.yaml', 'app/unread.yaml', 'new']) {
    assert.equal((await inputsOf({ [path]: 'changed' })).key, first.key, path);
    assert.equal(isInput(first, path), false, path);
  }
});

test('a plugin of kustomize that names files is keyed by the whole repository', async () => {
  const files: Files = {
    ...base,
    'app/kustomization.yaml': 'resources: [../base]\ntransformers: [t.yaml]\n',
    'app/t.yaml': 'apiVersion: builtin\nkind: PatchTransformer\nmetadata: {name: t}\npath: p.yaml\n',
    'app/p.yaml': 'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {paused: true}\n',
  };
  const keyOf = async (change: Files) =>
    (
      await renders.renderer.inputs(
        renders.request({ ...files, ...change }, { path: 'app' }),
        AbortSignal.timeout(5000),
      )
    ).key;
  assert.notEqual(await keyOf({}), await keyOf({ elsewhere: 'x' }));
  const [object] = await renders.objects(files, { path: 'app' });
  assert.equal((object?.['spec'] as JsonObject)['paused'], true);
});
