import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { isAppError } from '#base/errors.ts';
import { splitJsonStream } from './json-stream.ts';
import { parsePluginBlock, pluginEnvironment } from './plugin-environment.ts';
import { loadPlugins, type Plugin, parsePlugin } from './plugin-manifest.ts';
import { configMap, type Files, type Renders, startRenders } from './tree-fixture.test.ts';

const folder = mkdtempSync(join(tmpdir(), 'plugins-'));
after(() => rmSync(folder, { recursive: true, force: true }));

function plugin(name: string, spec: object, annotations: Record<string, string> = {}): Plugin {
  return parsePlugin({ kind: 'ConfigManagementPlugin', metadata: { name, annotations }, spec }, name);
}
const sh = (script: string) => ({ command: ['sh', '-c'], args: [script] });
const printMap = (name: string, data = 'a: b') =>
  `cat <<END\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\ndata: {${data}}\nEND`;

const opened: Renders[] = [];
after(() => {
  for (const renders of opened) renders[Symbol.dispose]();
});
function host(plugins: Plugin[], timeoutMs?: number): Renders {
  const searchPath = '/usr/local/bin:/usr/bin:/bin';
  const renders = startRenders({ plugins: { plugins, searchPath, ...(timeoutMs === undefined ? {} : { timeoutMs }) } });
  opened.push(renders);
  return renders;
}

test("init and generate run in the application's folder, with its environment and nothing else of ours", async () => {
  const renders = host([
    plugin('mine', {
      version: 'v1',
      init: sh('echo "$ARGOCD_APP_NAME" > made.txt'),
      generate: sh(
        `cat <<END\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: "$(cat made.txt)"}\ndata:\n  env: "$ARGOCD_ENV_WHO"\n  one: "$PARAM_ONE"\n  map: "$PARAM_M_A_B"\n  item: "$PARAM_LIST_1"\n  all: '$ARGOCD_APP_PARAMETERS'\n  version: "$KUBE_VERSION"\n  apis: "$KUBE_API_VERSIONS"\n  other: "$(cat ../lib/x.txt)"\n  names: "$(env | cut -d= -f1 | grep -Ev '^(ARGOCD|PARAM|KUBE|PWD|OLDPWD|SHLVL|_)' | sort | tr '\\n' ' ')"\nEND`,
      ),
    }),
  ]);
  const source = {
    path: 'app',
    plugin: {
      name: 'mine-v1',
      env: [{ name: 'WHO', value: '$ARGOCD_APP_NAMESPACE!' }],
      parameters: [
        { name: 'one', string: 'uno' },
        { name: 'm', map: { 'a-b': 'c' } },
        { name: 'list', array: ['x', 'y'] },
      ],
    },
  };
  const [object] = await renders.objects({ 'app/a': 'x', 'lib/x.txt': 'lib' }, source);
  assert.equal(object?.metadata.name, 'app');
  assert.deepEqual(object?.['data'], {
    env: 'ns!',
    one: 'uno',
    map: 'c',
    item: 'y',
    all: '[{"name":"one","string":"uno"},{"map":{"a-b":"c"},"name":"m"},{"array":["x","y"],"name":"list"}]',
    version: '1.33.2',
    apis: 'v1,apps/v1',
    other: 'lib',
    names: 'HOME PATH TMPDIR ',
  });
});

const discoveries: { name: string; discover: object; files: Files; want: boolean }[] = [
  { name: 'a file of the folder', discover: { fileName: './my.*' }, files: { 'app/my.conf': 'x' }, want: true },
  {
    name: 'a file of a deeper folder is none of it',
    discover: { fileName: 'my.*' },
    files: { 'app/x/my.conf': 'x' },
    want: false,
  },
  { name: 'a glob', discover: { find: { glob: '**/my.conf' } }, files: { 'app/x/y/my.conf': 'x' }, want: true },
  { name: 'a glob, beside', discover: { find: { glob: '**/my.conf' } }, files: { 'app/my.conf': 'x' }, want: true },
  { name: 'a command that prints', discover: { find: sh('ls my.conf') }, files: { 'app/my.conf': 'x' }, want: true },
  { name: 'a command that prints nothing', discover: { find: sh('true') }, files: { 'app/my.conf': 'x' }, want: false },
  {
    name: 'a command that fails',
    discover: { find: sh('ls none; exit 3') },
    files: { 'app/my.conf': 'x' },
    want: false,
  },
  { name: 'without discovery it is only named', discover: {}, files: { 'app/my.conf': 'x' }, want: false },
];
for (const row of discoveries)
  test(`discovery: ${row.name}`, async () => {
    const renders = host([plugin('mine', { generate: sh(printMap('plugin')), discover: row.discover })]);
    const files = { ...row.files, 'app/a.yaml': configMap('folder') };
    assert.deepEqual(await renders.names(files, { path: 'app' }), [`ConfigMap ${row.want ? 'plugin' : 'folder'}`]);
    if (Object.keys(row.discover).length === 0) return;
    const named = renders.names(files, { path: 'app', plugin: { name: 'mine' } });
    if (row.want) assert.deepEqual(await named, ['ConfigMap plugin']);
    else await assert.rejects(named, /the plugin "mine" does not support app/);
  });

test('a plugin comes before charts and kustomizations, and an explicit block before all', async () => {
  const renders = host([plugin('mine', { generate: sh(printMap('plugin')), discover: { fileName: 'Chart.yaml' } })]);
  const files: Files = {
    'Chart.yaml': 'apiVersion: v2\nname: c\nversion: 0.1.0\n',
    'templates/a.yaml': configMap('chart'),
  };
  assert.deepEqual(await renders.names(files, {}), ['ConfigMap plugin']);
  assert.deepEqual(await renders.names(files, { helm: { releaseName: 'x' } }), ['ConfigMap chart']);
});

const faults: { name: string; spec: object; want: RegExp; timeoutMs?: number }[] = [
  {
    name: 'its own words',
    spec: { generate: sh('echo "no such thing" >&2; exit 4') },
    want: /the plugin mine failed in app: "sh -c .* ended with exit code 4: no such thing/,
  },
  {
    name: 'of init too',
    spec: { init: sh('echo bad >&2; exit 1'), generate: sh('true') },
    want: /ended with exit code 1: bad/,
  },
  {
    name: 'a program that is not there',
    spec: { generate: { command: ['no-such-program'] } },
    want: /no-such-program cannot be run/,
  },
  { name: 'too slow', spec: { generate: sh('sleep 60') }, want: /sh took longer than 300 ms/, timeoutMs: 300 },
  {
    name: 'it wants credentials',
    spec: { generate: sh('true'), provideGitCreds: true },
    want: /the plugin mine asks for Git credentials, which are not given/,
  },
  {
    name: 'no manifests',
    spec: { generate: sh('echo "a: ["') },
    want: /the output of the plugin mine in app is not valid YAML/,
  },
];
for (const row of faults)
  test(`a plugin that fails: ${row.name}`, async () => {
    const renders = host([plugin('mine', row.spec)], row.timeoutMs);
    await assert.rejects(
      renders.names({ 'app/a': 'x' }, { path: 'app', plugin: { name: 'mine' } }),
      (error) => isAppError(error) && row.want.test(error.message),
    );
  });

test('what a plugin started ends with it', async () => {
  const mark = join(folder, 'late');
  const renders = host([plugin('mine', { generate: sh(`(sleep 1; touch ${mark}) & ${printMap('done')}`) })]);
  assert.deepEqual(await renders.names({ a: 'x' }, { plugin: { name: 'mine' } }), ['ConfigMap done']);
  await new Promise((resolve) => setTimeout(resolve, 1300));
  assert.equal(existsSync(mark), false);
});

test('none may run unless the operator allows it', async () => {
  const none = startRenders();
  opened.push(none);
  await assert.rejects(none.names({ a: 'x' }, { plugin: { name: 'mine' } }), (error) => {
    assert.ok(isAppError(error, 'not-found'));
    assert.match(`${error.message} ${error.hint}`, /the plugin "mine" .* may not run here .*--plugins FOLDER/);
    return true;
  });
});

test('files can be run when the plugin wants their modes', async () => {
  const spec = { generate: { command: ['./make.sh'] }, preserveFileMode: true };
  const renders = host([plugin('keeps', spec), plugin('drops', { ...spec, preserveFileMode: false })]);
  const files: Files = { 'make.sh': { run: `#!/bin/sh\n${printMap('ran')}\n` } };
  assert.deepEqual(await renders.names(files, { plugin: { name: 'keeps' } }), ['ConfigMap ran']);
  await assert.rejects(renders.names(files, { plugin: { name: 'drops' } }), /\.\/make\.sh cannot be run/);
});

test('a render is keyed by the repository, or by the folder for a plugin that is held to it', async () => {
  const spec = { generate: sh(printMap('x')) };
  const renders = host([plugin('all', spec), plugin('own', spec, { 'slipway.dev/reads': 'path' })]);
  const keyOf = async (name: string, change: Files, revision = 'a'.repeat(40)) => {
    const request = renders.request({ 'app/a': 'x', ...change }, { path: 'app', plugin: { name } }, { revision });
    return (await renders.renderer.inputs(request, AbortSignal.timeout(5000))).key;
  };
  assert.notEqual(await keyOf('all', {}), await keyOf('all', { elsewhere: 'x' }));
  assert.equal(await keyOf('own', {}), await keyOf('own', { elsewhere: 'x' }, 'b'.repeat(40)));
  assert.notEqual(await keyOf('own', {}), await keyOf('own', { 'app/a': 'y' }));
  await assert.rejects(
    host([plugin('own', { generate: sh('cat ../lib/x') }, { 'slipway.dev/reads': 'path' })]).names(
      { 'app/a': 'x', 'lib/x': 'x' },
      { path: 'app', plugin: { name: 'own' } },
    ),
    /No such file/,
  );
});

const wrong: [object, RegExp][] = [
  [{ kind: 'ConfigMap', metadata: { name: 'x' }, spec: {} }, /is no ConfigManagementPlugin: kind/],
  [{ kind: 'ConfigManagementPlugin', metadata: { name: '' }, spec: { generate: {} } }, /metadata\.name/],
  [
    { kind: 'ConfigManagementPlugin', metadata: { name: 'x' }, spec: { generate: { command: [] } } },
    /no spec\.generate\.command/,
  ],
];
for (const [document, want] of wrong)
  test(`no plugin: ${want.source}`, () => {
    assert.throws(() => parsePlugin(document, 'p.yaml'), want);
  });

test('plugins of a folder, in the order of their names; two of one name are a mistake', async () => {
  const text = (name: string) =>
    `apiVersion: argoproj.io/v1alpha1\nkind: ConfigManagementPlugin\nmetadata: {name: ${name}}\nspec: {generate: {command: [cat]}}\n`;
  writeFileSync(join(folder, 'b.yaml'), `${text('two')}---\n${text('one')}`);
  writeFileSync(join(folder, 'readme.txt'), 'no plugin');
  assert.deepEqual(
    (await loadPlugins(folder)).map(({ id }) => id),
    ['one', 'two'],
  );
  writeFileSync(join(folder, 'c.yaml'), text('one'));
  await assert.rejects(loadPlugins(folder), /c\.yaml: a plugin one is there already/);
  await assert.rejects(loadPlugins(join(folder, 'none')), /cannot be read/);
});

test('names of variables that cannot be, and parameters that are not set', () => {
  assert.throws(() => parsePluginBlock({ env: [{ name: 'A=B', value: '' }] }), /"A=B", which is no name/);
  const renders = startRenders();
  opened.push(renders);
  const request = renders.request({ a: 'x' }, {});
  assert.equal(pluginEnvironment(request, {})['ARGOCD_APP_PARAMETERS'], 'null');
  assert.equal(pluginEnvironment(request, undefined)['ARGOCD_APP_PARAMETERS'], undefined);
});

test('JSON objects one after another', () => {
  assert.deepEqual(splitJsonStream('{"a":"}\\""}\n {"b":[{}]}'), ['{"a":"}\\""}', '{"b":[{}]}']);
  assert.equal(splitJsonStream('a: 1'), undefined);
  assert.equal(splitJsonStream('{"a":'), undefined);
});
