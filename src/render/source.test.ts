import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { isAppError } from '#base/errors.ts';
import type { ApplicationSource } from '#model/argocd/application.ts';
import { defaultSettings } from '#model/argocd/settings.ts';
import { expandVariables } from './build-environment.ts';
import { normalSource } from './normal-source.ts';
import { configMap, type Files, type RequestOptions, startRenders } from './tree-fixture.test.ts';

const renders = startRenders();
after(() => renders[Symbol.dispose]());

const chart = 'apiVersion: v2\nname: c\nversion: 0.1.0\n';
const { helm, kustomize } = defaultSettings.render;
const off: RequestOptions = {
  settings: { helm: { ...helm, enabled: false }, kustomize: { ...kustomize, enabled: false } },
};

interface Row {
  name: string;
  files: Files;
  source?: Partial<ApplicationSource>;
  options?: RequestOptions;
  want: string | RegExp;
}
const kinds: Row[] = [
  { name: 'a chart', files: { 'Chart.yaml': chart }, want: 'Helm' },
  { name: 'a file whose name ends so', files: { 'MyChart.yaml': chart, 'Chart.yaml': chart }, want: 'Helm' },
  { name: 'a kustomization', files: { 'kustomization.yml': '' }, want: 'Kustomize' },
  { name: 'both: the later name wins', files: { 'Chart.yaml': chart, 'kustomization.yaml': '' }, want: 'Kustomize' },
  { name: 'both, written large', files: { 'Chart.yaml': chart, Kustomization: '' }, want: 'Kustomize' },
  { name: 'neither', files: { 'a.yaml': configMap('a') }, want: 'Directory' },
  { name: 'a chart deeper down', files: { 'x/Chart.yaml': chart, 'a.yaml': configMap('a') }, want: 'Directory' },
  { name: 'a block', files: { 'Chart.yaml': chart }, source: { directory: { recurse: true } }, want: 'Directory' },
  {
    name: 'an empty block says nothing',
    files: { 'Chart.yaml': chart },
    source: { directory: {}, kustomize: {} },
    want: 'Helm',
  },
  {
    name: 'include alone is a block',
    files: { 'Chart.yaml': chart },
    source: { directory: { include: '*' } },
    want: 'Directory',
  },
  {
    name: 'tools that are off',
    files: { 'Chart.yaml': chart, 'kustomization.yaml': '' },
    options: off,
    want: 'Directory',
  },
  {
    name: 'a block of a tool that is off',
    files: { 'Chart.yaml': chart },
    source: { helm: { releaseName: 'x' } },
    options: off,
    want: 'Directory',
  },
  {
    name: 'an override decides',
    files: { 'Chart.yaml': chart, '.argocd-source.yaml': 'directory: {recurse: true}\n' },
    want: 'Directory',
  },
  {
    name: 'the application in another namespace has a file of its own',
    files: { 'Chart.yaml': chart, '.argocd-source-team_app.yaml': 'directory: {recurse: true}\n' },
    options: { instanceName: 'team_app' },
    want: 'Directory',
  },
  {
    name: 'two blocks',
    files: { a: 'x' },
    source: { helm: { releaseName: 'x' }, kustomize: { namePrefix: 'a' } },
    want: /multiple application sources defined: Kustomize,Helm/,
  },
  {
    name: 'an override that is no object',
    files: { 'a/.argocd-source.yaml': '[1]\n' },
    source: { path: 'a' },
    want: /a\/\.argocd-source\.yaml in .* is not an object/,
  },
  {
    name: 'an override that is wrong',
    files: { 'a/.argocd-source.yaml': 'helm: {valueFiles: x}\n' },
    source: { path: 'a' },
    want: /a\/\.argocd-source\.yaml in .* is wrong: helm\.valueFiles/,
  },
  { name: 'an absolute path', files: { 'a/b': 'x' }, source: { path: '/a' }, want: /source\.path "\/a" is absolute/ },
];
for (const row of kinds)
  test(`the type of a source: ${row.name}`, async () => {
    const request = renders.request(row.files, row.source ?? {}, row.options);
    const found = renders.renderer.inputs(request, AbortSignal.timeout(5000)).then(({ sourceType }) => sourceType);
    if (typeof row.want === 'string') assert.equal(await found, row.want);
    else await assert.rejects(found, (error) => isAppError(error) && (row.want as RegExp).test(error.message));
  });

const repoURL = 'r';
const normal: [Partial<ApplicationSource>, Partial<ApplicationSource>][] = [
  [{ helm: { parameters: [], releaseName: '' } }, {}],
  [{ helm: { skipCrds: true } }, { helm: { skipCrds: true } }],
  [{ kustomize: { forceCommonLabels: true, images: [] } }, {}],
  [{ kustomize: { ignoreMissingComponents: true } }, { kustomize: { ignoreMissingComponents: true } }],
  [{ directory: { recurse: false, jsonnet: {} } }, {}],
  [{ directory: { recurse: false, exclude: 'x', jsonnet: { libs: [] } } }, { directory: { exclude: 'x' } }],
  [{ directory: { disableExtensionFilter: true } }, { directory: { disableExtensionFilter: true } }],
  [{ plugin: {} }, { plugin: {} }],
];
for (const [given, want] of normal)
  test(`blocks without content: ${JSON.stringify(given)}`, () => {
    assert.deepEqual(normalSource({ repoURL, ...given }), { repoURL, ...want });
  });

test('overrides are merged one after the other, null removes, and the source stays where it is', async () => {
  const files: Files = {
    'app/a.yaml': configMap('a'),
    'app/b.yaml': configMap('b'),
    'app/c.yaml': configMap('c'),
    'app/.argocd-source.yaml':
      'path: other\nrepoURL: x\ntargetRevision: y\nchart: z\ndirectory: {exclude: a.yaml, include: "[ab].yaml"}\n',
    'app/.argocd-source-app.yaml': 'directory: {include: null}\n',
    'other/x.yaml': configMap('x'),
  };
  assert.deepEqual(await renders.names(files, { path: 'app' }), ['ConfigMap b', 'ConfigMap c']);
});

const expansions: [string, string][] = [
  ['$A-${B}$$C', '1-2$C'],
  ['$', '$'],
  ['a$ b', 'a$ b'],
  ['${A', 'A'],
  ['${}x', 'x'],
  ['$none|${none}', '|'],
  ['$A_x', ''],
  ['$1$A', '1'],
  ['100%$', '100%$'],
];
for (const [text, want] of expansions)
  test(`variables expand as Go's os.Expand does it: ${text}`, () => {
    assert.equal(expandVariables(text, { A: '1', B: '2' }), want);
  });
