import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type CliAnswer, runTestCli } from './cli-fixture.test.ts';
import type { CliDeps } from './deps.ts';

const files: Record<string, string> = {
  'desired.yaml': `apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "example.com/web:1", resources: {limits: {cpu: 1000m}}}]}
`,
  'live.json': JSON.stringify({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {
      name: 'web',
      namespace: 'shop',
      uid: 'u',
      annotations: { 'argocd.argoproj.io/tracking-id': 'shop:apps/Deployment:shop/web' },
    },
    spec: {
      replicas: 5,
      revisionHistoryLimit: 10,
      selector: { matchLabels: { app: 'web' } },
      template: {
        metadata: { labels: { app: 'web' } },
        spec: { containers: [{ name: 'web', image: 'example.com/web:1', resources: { limits: { cpu: '1' } } }] },
      },
    },
    status: { replicas: 5 },
  }),
  'application.yaml': `apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: shop}
spec:
  project: default
  source: {repoURL: "https://example.com/shop.git", path: .}
  destination: {name: in-cluster, namespace: shop}
  ignoreDifferences: [{group: apps, kind: Deployment, jqPathExpressions: [.spec.replicas]}]
`,
  'settings.yaml': `apiVersion: v1
kind: ConfigMap
metadata: {name: argocd-cm}
data:
  resource.customizations.ignoreDifferences.apps_Deployment: |
    jsonPointers: [/spec/replicas]
`,
  'secret.yaml': 'apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {password: new-words}\n',
  'secret-live.yaml':
    'apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ntype: Opaque\ndata: {password: b2xkLXdvcmRz}\n',
  'many.yaml': `apiVersion: v1
kind: ConfigMap
metadata: {name: same}
data: {a: "1"}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: missing}
`,
  'many-live.yaml': `apiVersion: v1
kind: List
items:
  - {apiVersion: v1, kind: ConfigMap, metadata: {name: extra, namespace: shop}}
  - {apiVersion: v1, kind: ConfigMap, metadata: {name: same, namespace: shop}, data: {a: "1"}}
`,
  'nothing.yaml': 'hello: world\n',
};

let cwd = '';
before(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'slipway-diff-'));
  for (const [name, text] of Object.entries(files)) await writeFile(join(cwd, name), text);
});
after(() => rm(cwd, { recursive: true }));

async function diff(...args: string[]): Promise<CliAnswer> {
  const parts = { cwd } as Parameters<typeof runTestCli>[1] & Pick<CliDeps, 'cwd'>;
  return await runTestCli(['diff', ...args], parts);
}

test('a difference is shown under the name of its object, and is the exit code', async () => {
  const { code, out } = await diff('--desired', 'desired.yaml', '--live', 'live.json');
  assert.equal(code, 1);
  assert.match(out, /^===== apps\/Deployment shop\/web ======\n/);
  assert.match(out, /^- {2}replicas: 5\n\+ {2}replicas: 2\n/m);
  assert.equal(out.match(/^[-+]/gm)?.length, 2, 'quantities, defaults and the status are no differences');
});

const quiet: [string, string[]][] = [
  ['the application', ['--application', 'application.yaml']],
  ['the settings', ['--settings', 'settings.yaml']],
];
for (const [whose, args] of quiet)
  test(`what ${whose} ignores is no difference`, async () => {
    const answer = await diff('--desired', 'desired.yaml', '--live', 'live.json', ...args);
    assert.deepEqual(answer, { code: 0, out: '', err: '' });
  });

test('exit codes can be chosen', async () => {
  const both = ['--desired', 'desired.yaml', '--live', 'live.json', '-o', 'name'];
  assert.deepEqual(await diff(...both, '--diff-exit-code', '7'), { code: 7, out: 'apps/Deployment/web\n', err: '' });
  assert.equal((await diff(...both, '--no-exit-code')).code, 0);
});

test('JSON has both forms; values of Secrets are masked', async () => {
  const { code, out } = await diff('--desired', 'secret.yaml', '--live', 'secret-live.yaml', '-o', 'json');
  assert.equal(code, 1);
  const { modified, resources } = JSON.parse(out);
  assert.equal(modified, true);
  assert.deepEqual(
    resources.map((each: Record<string, unknown>) => [each['kind'], each['status'], each['modified']]),
    [['Secret', 'OutOfSync', true]],
  );
  assert.deepEqual(
    [resources[0].normalizedLive.data, resources[0].predictedLive.data],
    [{ password: '++++++++' }, { password: '++++++++++++' }],
  );
  assert.doesNotMatch(out, /words|b2xk|bmV3/);
});

test('objects of several documents and lists find each other by name', async () => {
  const { code, out } = await diff('--desired', 'many.yaml', '--live', 'many-live.yaml', '-o', 'json');
  assert.equal(code, 1);
  assert.deepEqual(
    JSON.parse(out).resources.map((each: Record<string, unknown>) => [
      each['name'],
      each['status'],
      each['modified'],
      each['requiresPruning'],
    ]),
    [
      ['same', 'Synced', false, false],
      ['missing', 'OutOfSync', true, false],
      ['extra', 'OutOfSync', false, true],
    ],
  );
});

const failures: [string, string[], RegExp][] = [
  ['a file that is not there', ['--desired', 'no.yaml'], /no\.yaml could not be read/],
  [
    'a document that is no object',
    ['--desired', 'nothing.yaml'],
    /nothing\.yaml holds a document that is no Kubernetes object/,
  ],
  ['no file at all', [], /nothing to compare/],
  ['an unknown format', ['--desired', 'desired.yaml', '-o', 'xml'], /-o xml is no output format/],
  [
    'an Application that is none',
    ['--desired', 'desired.yaml', '--application', 'desired.yaml'],
    /--application names a Deployment/,
  ],
];
for (const [name, args, message] of failures)
  test(`exit code 20: ${name}`, async () => {
    const { code, out, err } = await diff(...args);
    assert.deepEqual([code, out], [20, '']);
    assert.match(err, message);
  });
