import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { isAppError } from '#base/errors.ts';
import type { ApplicationSource } from '#model/argocd/application.ts';
import { manifestsOf, requireName } from './manifests.ts';
import { configMap, type Files, type RequestOptions, startRenders } from './tree-fixture.test.ts';

const renders = startRenders();
after(() => renders[Symbol.dispose]());

const json = (name: string) => JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } });
const utf16 = (text: string) => Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(text, 'utf16le')]);

interface Row {
  name: string;
  files: Files;
  source?: Partial<ApplicationSource>;
  options?: RequestOptions;
  want: string[] | RegExp;
}

const rows: Row[] = [
  {
    name: 'files are read in the order of a walk, name by name',
    files: { 'a.yaml': configMap('file'), 'a/x.yaml': configMap('folder'), 'B.json': json('upper') },
    source: { directory: { recurse: true } },
    want: ['ConfigMap upper', 'ConfigMap folder', 'ConfigMap file'],
  },
  {
    name: 'only the four endings, written small',
    files: { 'a.YAML': configMap('no'), 'b.txt': configMap('no'), 'c.yml': configMap('c') },
    want: ['ConfigMap c'],
  },
  {
    name: 'any ending where the application says so',
    files: { 'a.yaml.sealed': configMap('sealed'), 'b.md': 'text' },
    source: { directory: { disableExtensionFilter: true, include: '*.sealed' } },
    want: ['ConfigMap sealed'],
  },
  {
    name: 'exclude is asked before include',
    files: { 'a.yaml': configMap('a'), 'b.yaml': configMap('b') },
    source: { directory: { include: '{a,b}.yaml', exclude: 'b*' } },
    want: ['ConfigMap a'],
  },
  {
    name: 'globs are matched against the path below the folder',
    files: { 'x/env/a.yaml': configMap('a'), 'x/other/a.yaml': configMap('other') },
    source: { path: 'x', directory: { recurse: true, include: 'env/*' } },
    want: ['ConfigMap a'],
  },
  {
    name: 'what is no manifest is passed over, for example values and templates',
    files: { 'values.yaml': 'a: 1\n', 'template.yaml': 'a: {{ .x }}\n', 'c.yaml': configMap('c') },
    want: ['ConfigMap c'],
  },
  {
    name: 'a broken file that looks like a manifest is a mistake',
    files: { 'a.yaml': `${configMap('a')}  b: [\n` },
    want: /^a\.yaml is not valid YAML/,
  },
  {
    name: 'a file that begins well and goes on wrong is a mistake',
    files: { 'a.yaml': 'kind: X\napiVersion: v1\nmetaData: {}\n---\na: [\n' },
    want: /^a\.yaml is not valid YAML/,
  },
  {
    name: 'a document without a kind after a good one is a mistake',
    files: { 'a.yaml': `${configMap('a')}---\nfoo: bar\n` },
    want: /a document without a kind/,
  },
  {
    name: 'Lists give their items, any object with items does, and null items are none',
    files: {
      'a.yaml': 'apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Secret, metadata: {name: s}}\n',
      'b.yaml': 'apiVersion: v1\nkind: ConfigMapList\nitems: null\n',
    },
    want: ['Secret s'],
  },
  { name: 'a JSON file holds one object', files: { 'a.json': `${json('a')}${json('b')}` }, want: /^a\.json/ },
  { name: 'UTF-16 with its mark', files: { 'a.yaml': utf16(configMap('wide')) }, want: ['ConfigMap wide'] },
  {
    name: 'the mark that skips a file',
    files: { 'a.yaml': `# +argocd:skip-file-rendering\n${configMap('a')}`, 'b.json': json('b') },
    want: ['ConfigMap b'],
  },
  {
    name: 'all files together are limited',
    files: { 'a.yaml': configMap('a'), 'b.yaml': configMap('b') },
    options: { settings: { maxDirectoryBytes: 100 } },
    want: /larger than 100 bytes together, at b\.yaml/,
  },
  {
    name: 'a link to a file inside is read',
    files: { 'app/a.yaml': { link: '../shared/x.yaml' }, 'shared/x.yaml': configMap('linked') },
    source: { path: 'app' },
    want: ['ConfigMap linked'],
  },
  {
    name: 'a folder behind a link is not walked into',
    files: { 'app/more': { link: '../shared' }, 'app/b.yaml': configMap('b'), 'shared/x.yaml': configMap('linked') },
    source: { path: 'app', directory: { recurse: true } },
    want: ['ConfigMap b'],
  },
  {
    name: 'a link to nothing is nothing',
    files: { 'a.yaml': { link: 'gone.yaml' }, 'b.yaml': configMap('b') },
    want: ['ConfigMap b'],
  },
  {
    name: 'a link out of the repository is refused, with both ends',
    files: { 'app/a.yaml': { link: '../../etc/x.yaml' } },
    source: { path: 'app' },
    want: /app\/a\.yaml in \S+ is a symbolic link to \.\.\/\.\.\/etc\/x\.yaml, out of the repository/,
  },
  {
    name: 'a link to an absolute path is refused',
    files: { 'a.yaml': { link: '/etc/passwd' } },
    want: /a\.yaml in \S+ is a symbolic link to \/etc\/passwd, out of the repository/,
  },
  {
    name: 'links that lead to each other are refused',
    files: { 'a.yaml': { link: 'b.yaml' }, 'b.yaml': { link: 'a.yaml' } },
    want: /through more than 40 symbolic links/,
  },
  {
    name: 'the folder of the source may be a link',
    files: { current: { link: 'v2' }, 'v2/a.yaml': configMap('two') },
    source: { path: 'current' },
    want: ['ConfigMap two'],
  },
  {
    name: 'a submodule is told, not left out',
    files: { 'a.yaml': configMap('a'), lib: { submodule: 'f'.repeat(40) } },
    source: { directory: { recurse: true } },
    want: /lib in .* is a submodule/,
  },
  {
    name: 'a source that is a submodule',
    files: { lib: { submodule: 'f'.repeat(40) } },
    source: { path: 'lib' },
    want: /source\.path "lib" is a submodule/,
  },
  { name: 'a path that is a file', files: { a: 'x' }, source: { path: 'a' }, want: /is a file, not a folder/ },
];
for (const row of rows)
  test(`a folder: ${row.name}`, async () => {
    const found = renders.names(row.files, row.source ?? {}, row.options);
    if (Array.isArray(row.want)) assert.deepEqual(await found, row.want);
    else await assert.rejects(found, (error) => isAppError(error) && (row.want as RegExp).test(error.message));
  });

const library = {
  'lib/web.libsonnet': '{ web(name): { apiVersion: "v1", kind: "ConfigMap", metadata: { name: name } } }',
};
const jsonnet: Row[] = [
  {
    name: 'an object or an array, beside YAML',
    files: {
      'a.jsonnet': '{ apiVersion: "v1", kind: "Secret", metadata: { name: "a" } }',
      'b.jsonnet': '[{ apiVersion: "v1", kind: "Secret", metadata: { name: "b" + x } } for x in ["1", "2"]]',
      'c.yaml': configMap('c'),
    },
    want: ['Secret a', 'Secret b1', 'Secret b2', 'ConfigMap c'],
  },
  {
    name: 'nulls of an array are passed over',
    files: { 'a.jsonnet': '[null, { apiVersion: "v1", kind: "Secret", metadata: { name: "a" } }, if false then {}]' },
    want: ['Secret a'],
  },
  {
    name: 'libraries, external variables and top-level arguments, with the build environment',
    files: {
      ...library,
      'app/main.jsonnet':
        'local lib = import "web.libsonnet"; function(name, count) [lib.web(name + std.extVar("suffix") + i) for i in std.range(1, count)]',
    },
    source: {
      path: 'app',
      directory: {
        jsonnet: {
          libs: ['lib'],
          extVars: [{ name: 'suffix', value: '-$ARGOCD_APP_NAME-' }],
          tlas: [
            { name: 'name', value: 'web' },
            { name: 'count', value: '2', code: true },
          ],
        },
      },
    },
    want: ['ConfigMap web-app-1', 'ConfigMap web-app-2'],
  },
  {
    name: 'imports relative to the file, and texts',
    files: {
      ...library,
      'app/main.jsonnet': '(import "../lib/web.libsonnet").web(std.trim(importstr "name.txt"))',
      'app/name.txt': 'x\n',
    },
    source: { path: 'app' },
    want: ['ConfigMap x'],
  },
  {
    name: 'an import out of the repository is refused',
    files: { 'main.jsonnet': 'importstr "../../etc/passwd"' },
    want: /main\.jsonnet in .* imports \.\.\/\.\.\/etc\/passwd, which is out of the repository/,
  },
  {
    name: 'a mistake with its place',
    files: { 'app/main.jsonnet': '{\n  a: self.b,\n}' },
    source: { path: 'app' },
    want: /app\/main\.jsonnet in .* cannot be evaluated: app\/main\.jsonnet:2:10: field does not exist: b/,
  },
  {
    name: 'recursion without end',
    files: { 'main.jsonnet': 'local f(x) = [f(x + 1)]; f(1)' },
    want: /max stack frames exceeded/,
  },
  {
    name: 'not evaluated where the instance says so',
    files: { 'main.jsonnet': 'error "no"', 'a.yaml': configMap('a') },
    options: { settings: { jsonnet: { enabled: false } } },
    want: ['ConfigMap a'],
  },
];
for (const row of jsonnet)
  test(`Jsonnet: ${row.name}`, async () => {
    const found = renders.names(row.files, row.source ?? {}, row.options);
    if (Array.isArray(row.want)) assert.deepEqual(await found, row.want);
    else await assert.rejects(found, (error) => isAppError(error) && (row.want as RegExp).test(error.message));
  });

test('a program that eats memory is ended, and the process goes on', async () => {
  const files = {
    'main.jsonnet': 'local grow(x) = if std.length(x) > 1e12 then x else grow(x + x); grow([1, 2, 3, 4])',
  };
  await assert.rejects(
    renders.names(files, {}),
    (error) => isAppError(error) && /memory|without an answer/.test(error.message),
  );
});

test('a folder is keyed by the files that are read, imports too', async () => {
  const files: Files = {
    ...library,
    'app/main.jsonnet': '(import "../lib/web.libsonnet").web("x")',
    'app/deep/y.yaml': configMap('y'),
  };
  const keyOf = async (change: Files) =>
    await renders.renderer.inputs(renders.request({ ...files, ...change }, { path: 'app' }), AbortSignal.timeout(5000));
  const first = await keyOf({});
  assert.equal((await keyOf({ 'app/deep/y.yaml': configMap('other') })).key, first.key, 'not read');
  assert.equal((await keyOf({ elsewhere: 'x' })).key, first.key, 'elsewhere');
  assert.notEqual((await keyOf({ 'lib/web.libsonnet': '{}' })).key, first.key, 'imported');
  assert.notEqual((await keyOf({ 'app/z.yaml': configMap('z') })).key, first.key, 'new');
  assert.deepEqual(first.paths, ['app', 'lib/web.libsonnet']);
});

const named: [object, RegExp | undefined][] = [
  [{ name: 'a' }, undefined],
  [{ generateName: 'a-' }, undefined],
  [{}, /a ConfigMap \(v1\) of the manifests has no metadata\.name/],
  [{ name: 7 }, /has a metadata\.name that is no text: 7/],
];
for (const [metadata, want] of named)
  test(`names: ${JSON.stringify(metadata)}`, () => {
    const [object] = manifestsOf([{ apiVersion: 'v1', kind: 'ConfigMap', metadata }], 'it');
    assert.ok(object);
    if (want) assert.throws(() => requireName(object), want);
    else requireName(object);
  });
