import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Application, ApplicationSource } from '#model/argocd/application.ts';
import { parsePlugin } from '#render/plugin-manifest.ts';
import { applicationObject, configMap, EngineWorld } from './world.ts';

const destination = { server: 'https://kubernetes.default.svc', namespace: 'default' };
const inSync = ({ status, operation }: Application) => status?.sync?.status === 'Synced' && operation === undefined;

const files: Record<string, string> = {
  'base/kustomization.yaml': 'resources: [cm.yaml]\n',
  'base/cm.yaml': configMap('kustomized', { v: '1' }),
  'base/README.md': 'x\n',
  'overlay/kustomization.yaml': 'resources: [../base]\n',
  'lib/map.libsonnet':
    '{ map(name, v):: { apiVersion: "v1", kind: "ConfigMap", metadata: { name: name }, data: { v: v } } }',
  'programs/main.jsonnet': 'local lib = import "map.libsonnet"; [lib.map("computed", std.extVar("v"))]',
  'plugged/values.txt': '1\n',
  'plain/cm.yaml': configMap('plain', { v: '1' }),
  'plain/deep/skipped.yaml': configMap('skipped', { v: '1' }),
  'overridden/cm.yaml': configMap('not', { v: '1' }),
  'overridden/other.yaml': configMap('overridden', { v: '1' }),
  'overridden/.argocd-source-overridden.yaml': 'directory: {include: other.yaml}\n',
};

const sources: Record<string, Partial<ApplicationSource>> = {
  kustomized: {
    path: 'overlay',
    kustomize: { commonAnnotations: { by: '${ARGOCD_APP_NAME}' }, commonAnnotationsEnvsubst: true },
  },
  computed: {
    path: 'programs',
    directory: { jsonnet: { libs: ['lib'], extVars: [{ name: 'v', value: '$ARGOCD_APP_NAME' }] } },
  },
  plugged: { path: 'plugged', plugin: { name: 'cat', env: [{ name: 'NAME', value: 'plugged' }] } },
  plain: { path: 'plain' },
  overridden: { path: 'overridden' },
};

const script =
  'printf "apiVersion: v1\\nkind: ConfigMap\\nmetadata: {name: $ARGOCD_ENV_NAME}\\ndata: {v: \\"$(cat values.txt)\\"}\\n"';
const plugin = parsePlugin(
  {
    kind: 'ConfigManagementPlugin',
    metadata: { name: 'cat', annotations: { 'slipway.dev/reads': 'path' } },
    spec: { generate: { command: ['sh', '-c', script] } },
  },
  'cat.yaml',
);

test('every type of source in one repository: each is rendered once, and again only for its own files', async () => {
  await using world = await EngineWorld.start();
  await world.startEngine({ plugins: { plugins: [plugin], searchPath: '/usr/local/bin:/usr/bin:/bin' } });
  world.git.create('mono');
  world.git.commit('mono', files);
  const repoURL = world.git.url('mono');
  for (const [name, source] of Object.entries(sources))
    await world.apply(
      applicationObject(name, {
        source: { repoURL, ...source },
        destination,
        syncPolicy: { automated: { prune: true } },
      }),
    );
  for (const name of Object.keys(sources)) await world.untilApplication(name, inSync);
  const read = async (name: string) => await world.get('v1', 'ConfigMap', name, 'default');
  assert.deepEqual((await read('computed'))?.['data'], { v: 'computed' });
  assert.deepEqual((await read('plugged'))?.['data'], { v: '1' });
  assert.equal((await read('kustomized'))?.metadata.annotations?.['by'], 'kustomized');
  assert.deepEqual([await read('skipped'), await read('not')], [undefined, undefined]);
  assert.equal((await read('overridden'))?.kind, 'ConfigMap');
  const types = world.engine.list().map(({ metadata, status }) => [metadata.name, status?.sourceType]);
  assert.deepEqual(Object.fromEntries(types), {
    kustomized: 'Kustomize',
    computed: 'Directory',
    plugged: 'Plugin',
    plain: 'Directory',
    overridden: 'Directory',
  });
  assert.equal(world.running?.counts.renders, 5);

  const commits: [Record<string, string>, string | undefined][] = [
    [
      { 'base/README.md': 'y\n', 'plain/deep/skipped.yaml': configMap('skipped', { v: '2' }), 'new.txt': 'x' },
      undefined,
    ],
    [{ 'base/cm.yaml': configMap('kustomized', { v: '2' }) }, 'kustomized'],
    [{ 'lib/map.libsonnet': (files['lib/map.libsonnet'] ?? '').replace('v: v', 'v: "2"') }, 'computed'],
    [{ 'plugged/values.txt': '2\n' }, 'plugged'],
  ];
  const signal = AbortSignal.timeout(20_000);
  const rendered: number[] = [];
  for (const [changed, name] of commits) {
    const before = world.running?.counts.renders ?? 0;
    world.git.commit('mono', changed);
    world.engine.repositoryChanged(repoURL, 'webhook');
    if (name !== undefined)
      await world.until(
        `${name} to change`,
        async () => (await read(name))?.['data'],
        (data) => (data as { v?: string }).v === '2',
      );
    for (const each of Object.keys(sources)) await world.engine.whenSettled(each, signal);
    rendered.push((world.running?.counts.renders ?? 0) - before);
  }
  assert.deepEqual(rendered, [0, 1, 1, 1]);
});

test('what the instance is set to: tools that are off, and how kustomize builds', async () => {
  await using world = await EngineWorld.start();
  world.git.create('mono');
  world.git.commit('mono', {
    ...files,
    'outside/kustomization.yaml': 'resources: [../base/cm.yaml]\n',
  });
  const settings = (data: Record<string, string>) => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'argocd-cm', namespace: 'argocd' },
    data,
  });
  await world.startEngine({ reconcileMs: 300 });
  const source = { repoURL: world.git.url('mono'), path: 'outside' };
  await world.apply(applicationObject('outside', { source, destination, syncPolicy: { automated: {} } }));
  const refused = await world.untilApplication('outside', ({ status }) => (status?.conditions ?? []).length > 0);
  assert.match(refused.status?.conditions?.[0]?.message ?? '', /kustomize build outside .* failed: .*security; file/);
  await world.apply(settings({ 'kustomize.buildOptions': '--load-restrictor LoadRestrictionsNone' }));
  await world.untilApplication('outside', inSync);
});
