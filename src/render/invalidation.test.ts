import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canonicalJson } from '#base/digest.ts';
import { isAppError } from '#base/errors.ts';
import type { ApplicationSource } from '#model/argocd/application.ts';
import { isInput, type RenderInputs } from './port.ts';
import { configMap, type Files, type Renders, startRenders } from './tree-fixture.test.ts';

const deployment = 'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {replicas: 1}\n';

/** A repository of every type of source, with files that some of them share and some that nobody reads. */
const repository: Files = {
  'README.md': 'x\n',
  'bases/web/kustomization.yaml': 'resources: [web.yaml]\n',
  'bases/web/web.yaml': deployment,
  'bases/web/unused.yaml': deployment,
  'parts/note/kustomization.yaml': 'kind: Component\ncommonAnnotations: {note: "1"}\n',
  'overlays/prod/kustomization.yaml':
    'resources: [../../bases/web]\ncomponents: [../../parts/note]\npatches: [{path: patch.yaml}]\nconfigMapGenerator: [{name: c, files: [settings.txt]}]\n',
  'overlays/prod/patch.yaml': 'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {replicas: 2}\n',
  'overlays/prod/settings.txt': 'a=1\n',
  'overlays/prod/notes.txt': 'x\n',
  'chart/Chart.yaml': 'apiVersion: v2\nname: chart\nversion: 0.1.0\n',
  'chart/values.yaml': 'v: chart\n',
  'chart/values-prod.yaml': 'v: prod\n',
  'chart/values-dev.yaml': 'v: dev\n',
  'chart/templates/cm.yaml': configMap('{{ .Release.Name }}', 'v: {{ .Values.v | quote }}'),
  'common/values.yaml': 'w: common\n',
  'reads/Chart.yaml': 'apiVersion: v2\nname: reads\nversion: 0.1.0\n',
  'reads/data.txt': 'x\n',
  'reads/templates/cm.yaml': configMap('r', 'v: {{ .Files.Get "data.txt" | quote }}'),
  'plain/a.yaml': configMap('a'),
  'plain/deep/b.yaml': configMap('b'),
  'plain/values.yaml': 'x: 1\n',
  'plain/linked.yaml': { link: '../shared/linked.yaml' },
  'shared/linked.yaml': configMap('linked'),
  'programs/main.jsonnet': '(import "../lib/map.libsonnet")(importstr "text.txt")',
  'programs/text.txt': 't\n',
  'lib/map.libsonnet': 'function(t) { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "m" }, data: { t: t } }',
  'lib/unused.libsonnet': '{}',
};

const sources: Partial<ApplicationSource>[] = [
  { path: 'overlays/prod' },
  { path: 'overlays/prod', kustomize: { namePrefix: 'x-', images: ['a:$ARGOCD_APP_NAME'] } },
  { path: 'chart', helm: { valueFiles: ['values-prod.yaml', '/common/values.yaml'] } },
  { path: 'chart', helm: { valueFiles: ['values-maybe.yaml'], ignoreMissingValueFiles: true } },
  { path: 'reads' },
  { path: 'plain' },
  { path: 'plain', directory: { recurse: true, exclude: 'deep/x*' } },
  { path: 'programs' },
];

/** The same numbers for the same seed. */
function random(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const newNames = ['new.yaml', 'x.txt', 'values-maybe.yaml', '.argocd-source.yaml', 'kustomization.yml', 'Chart.yaml'];

/** One file changed, added or removed. */
function edit(files: Files, next: (below: number) => number, step: number): { files: Files; path: string } {
  const paths = Object.keys(files);
  const pick = paths[next(paths.length)] ?? '';
  const out = { ...files };
  const kind = next(10);
  if (kind === 0 && paths.length > 20) {
    delete out[pick];
    return { files: out, path: pick };
  }
  if (kind <= 2) {
    const folder = pick.includes('/') ? pick.slice(0, pick.lastIndexOf('/') + 1) : '';
    const path = `${folder}${newNames[next(newNames.length)]}`;
    out[path] = path.endsWith('.argocd-source.yaml') ? 'kustomize: {nameSuffix: -o}\n' : `# ${step}\n`;
    return { files: out, path };
  }
  const content = out[pick];
  out[pick] =
    typeof content === 'string'
      ? `${content.replace(/: ["']?[\w-]*["']?$/m, `: "s${step}"`)}# ${step}\n`
      : (content ?? '');
  return { files: out, path: pick };
}

async function inputsOf(
  renders: Renders,
  files: Files,
  source: Partial<ApplicationSource>,
): Promise<RenderInputs | string> {
  try {
    return await renders.renderer.inputs(renders.request(files, source), AbortSignal.timeout(20_000));
  } catch (error) {
    if (isAppError(error)) return error.message;
    throw error;
  }
}

/** What is made without any memory of earlier renders. */
async function resultOf(files: Files, source: Partial<ApplicationSource>): Promise<string> {
  using renders = startRenders();
  try {
    return canonicalJson(await renders.objects(files, source));
  } catch (error) {
    if (isAppError(error)) return `error: ${error.message}`;
    throw error;
  }
}

for (const seed of [1, 2])
  test(`equal keys give equal results, and what is no input changes no key (seed ${seed})`, async () => {
    using renders = startRenders();
    const next = random(seed);
    let files = repository;
    let before = await Promise.all(sources.map((source) => inputsOf(renders, files, source)));
    let apart = 0;
    let doubtful = 0;
    for (let step = 0; step < 80; step += 1) {
      const edited = edit(files, next, step);
      const after = await Promise.all(sources.map((source) => inputsOf(renders, edited.files, source)));
      for (const [at, source] of sources.entries()) {
        const [was, is] = [before[at], after[at]];
        if (typeof was !== 'object') continue;
        const same = typeof is === 'object' && is.key === was.key;
        if (!isInput(was, edited.path)) {
          apart += 1;
          assert.ok(same, `${edited.path} is no input of ${JSON.stringify(source)}`);
        } else if (same && doubtful < 3) {
          // Among the paths that are watched, and yet the key says that nothing changed.
          doubtful += 1;
          const results = [await resultOf(files, source), await resultOf(edited.files, source)];
          assert.equal(results[0], results[1], `${edited.path} in step ${step}, ${JSON.stringify(source)}`);
        }
      }
      files = next(8) === 0 ? repository : edited.files;
      before =
        files === edited.files ? after : await Promise.all(sources.map((each) => inputsOf(renders, files, each)));
    }
    assert.ok(apart > 300 && doubtful === 3, `${apart} edits were no input, ${doubtful} were in doubt`);
  });

test('changes of inputs change the result under another key', async () => {
  using renders = startRenders();
  const changes: [number, string, string][] = [
    [0, 'bases/web/web.yaml', deployment.replace('1', '7')],
    [1, '.argocd-source.yaml', ''],
    [2, 'chart/values-prod.yaml', 'v: other\n'],
    [3, 'chart/values-maybe.yaml', 'v: maybe\n'],
    [4, 'reads/data.txt', 'other\n'],
    [5, 'shared/linked.yaml', configMap('other')],
    [6, 'plain/deep/c.yaml', configMap('c')],
    [7, 'programs/text.txt', 'other'],
  ];
  for (const [at, path, content] of changes) {
    const source = sources[at] ?? {};
    const changed = { ...repository, [path]: content };
    const keys = [await inputsOf(renders, repository, source), await inputsOf(renders, changed, source)];
    const [was, is] = keys.map((inputs) => (typeof inputs === 'object' ? inputs.key : inputs));
    assert.equal(was === is, path === '.argocd-source.yaml', path);
    if (at % 3 === 2) assert.notEqual(await resultOf(repository, source), await resultOf(changed, source), path);
  }
});
