import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { getArray, getString, isObject, parseJson } from '#base/json.ts';
import { silentLogger } from '#base/log.ts';
import { type ListeningServer, startServer } from '#server/server.ts';
import { testClock, testEntropy } from '../clock.ts';
import { MemoryAudit } from '../web/memory-engine.ts';
import { OtherCluster } from './other-cluster.ts';
import { configMap, EngineWorld } from './world.ts';

const token = 'argocd-api-test-token';
const at = '/api/v1/applications';
let world: EngineWorld;
let server: ListeningServer;
let repoURL: string;
let commits: string[];

const deployment = JSON.stringify({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web' },
  spec: {
    replicas: 1,
    selector: { matchLabels: { app: 'web' } },
    template: {
      metadata: { labels: { app: 'web' } },
      spec: { containers: [{ name: 'web', image: 'reg.example/web:1' }] },
    },
  },
});
const secret = 'apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {password: hunter2}\n';

before(async () => {
  world = await EngineWorld.start();
  await world.startEngine();
  const { running, git } = world;
  if (!running) throw new Error('the engine was not started');
  git.create('shop');
  commits = [
    git.commit('shop', {
      'app/a.yaml': configMap('a', { key: '1' }),
      'app/web.json': deployment,
      'app/s.yaml': secret,
    }),
    git.commit('shop', { 'app/a.yaml': configMap('a', { key: '2' }) }, 'second'),
  ];
  repoURL = git.url('shop');
  await world.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } });
  server = await startServer({
    ...running,
    audit: new MemoryAudit(),
    tracer: { trace: async () => ({ subject: '', application: undefined, steps: [] }) },
    logger: silentLogger,
    clock: testClock,
    entropy: testEntropy,
    host: '127.0.0.1',
    port: 0,
    webhookSecret: undefined,
    token,
    anonymousRead: false,
    version: '0',
    webDir: '.',
  });
});
after(async () => {
  await server?.[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
});

async function ask(
  method: string,
  path: string,
  body?: unknown,
): Promise<{ status: number; body: unknown; text: string }> {
  const answer = await fetch(`${server.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  return { status: answer.status, text, body: text.startsWith('{') && !text.includes('\n') ? JSON.parse(text) : text };
}

async function done(method: string, path: string, body?: unknown): Promise<unknown> {
  const answer = await ask(method, path, body);
  assert.equal(answer.status, 200, `${method} ${path}: ${answer.text}`);
  return answer.body;
}

const specOf = (path: string) => ({
  project: 'default',
  source: { repoURL, path, targetRevision: 'main' },
  destination: { server: 'https://kubernetes.default.svc', namespace: 'shop' },
});
const settled = () =>
  world.untilApplication('shop', (app) => app.operation === undefined && app.status?.sync?.status === 'Synced');

test('an application is made, synced, read, changed and rolled back by requests alone', async () => {
  const wrong = await ask('POST', at, { metadata: { name: 'shop' }, spec: specOf('nowhere') });
  assert.deepEqual([wrong.status, getString(wrong.body, 'error')?.includes('app path does not exist')], [400, true]);
  await done('POST', at, { metadata: { name: 'shop' }, spec: specOf('app') });
  assert.equal(
    (await ask('POST', at, { metadata: { name: 'shop' }, spec: specOf('app') })).status,
    200,
    'the same again',
  );
  assert.equal((await ask('POST', at, { metadata: { name: 'shop' }, spec: specOf('.') })).status, 400, 'another');
  const synced = await done('POST', `${at}/shop/sync`, {
    revision: commits[0],
    infos: [{ name: 'ticket', value: '7' }],
  });
  assert.equal(getString(synced, 'operation', 'sync', 'revision'), commits[0]);
  await world.untilApplication('shop', (app) => app.status?.operationState?.phase === 'Succeeded');
  await done('POST', `${at}/shop/sync`, {});
  const app = await settled();
  assert.deepEqual(
    app.status?.history?.map(({ revision }) => revision),
    commits,
  );
  const [first] = app.status?.history ?? [];
  await done('POST', `${at}/shop/rollback`, { id: first?.id });
  await world.untilApplication('shop', (now) => now.status?.history?.length === 3 && now.operation === undefined);
  assert.deepEqual((await world.get('v1', 'ConfigMap', 'a', 'shop'))?.['data'], { key: '1' });
  const patch = JSON.stringify([{ op: 'add', path: '/metadata/labels', value: { team: 'shop' } }]);
  await done('PATCH', `${at}/shop`, { patch, patchType: 'json' });
  const listed = await done('GET', `${at}?selector=team=shop&fields=items.metadata.name`);
  assert.deepEqual(listed, { items: [{ metadata: { name: 'shop' } }] });
});

test('its objects: tree, states, one of them, and no secret in any answer', async () => {
  const tree = await done('GET', `${at}/shop/resource-tree`);
  const kinds = getArray(tree, 'nodes').map((node) => getString(node, 'kind'));
  for (const kind of ['ConfigMap', 'Deployment', 'ReplicaSet', 'Pod', 'Secret']) assert.ok(kinds.includes(kind), kind);
  const paths = [
    'managed-resources',
    'manifests',
    'resource?kind=Secret&version=v1&namespace=shop&resourceName=s',
    'server-side-diff',
  ];
  for (const path of paths) {
    const { text } = await ask('GET', `${at}/shop/${path}`);
    assert.ok(text.includes('++++'), `${path} shows that there is a value`);
    assert.ok(!text.includes('hunter2') && !text.includes(Buffer.from('hunter2').toString('base64')), path);
  }
  const manifests = await done('GET', `${at}/shop/manifests?revision=${commits[1]}`);
  assert.ok(
    getArray(manifests, 'manifests').some((text) => String(text).includes('"key":"2"')),
    'of the asked revision',
  );
  const missing = await ask(
    'GET',
    `${at}/shop/resource?kind=ConfigMap&version=v1&namespace=shop&resourceName=kube-root-ca.crt`,
  );
  assert.equal(missing.status, 400, 'what is not its own is not shown');
});

test('its objects are patched, acted on and deleted', async () => {
  const of = (kind: string, group: string, name: string) =>
    `kind=${kind}&group=${group}&version=v1&namespace=shop&resourceName=${name}`;
  const raw = await fetch(
    `${server.url}${at}/shop/resource?${of('ConfigMap', '', 'a')}&patchType=application/merge-patch%2Bjson`,
    {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(JSON.stringify({ data: { more: 'x' } })),
    },
  );
  assert.equal(raw.status, 200, await raw.text());
  assert.deepEqual((await world.get('v1', 'ConfigMap', 'a', 'shop'))?.['data'], { key: '1', more: 'x' });
  const actions = await done('GET', `${at}/shop/resource/actions?${of('Deployment', 'apps', 'web')}`);
  assert.ok(getArray(actions, 'actions').some((action) => getString(action, 'name') === 'restart'));
  const restart = {
    namespace: 'shop',
    resourceName: 'web',
    group: 'apps',
    version: 'v1',
    kind: 'Deployment',
    action: 'restart',
  };
  await done('POST', `${at}/shop/resource/actions/v2`, restart);
  const web = await world.get('apps/v1', 'Deployment', 'web', 'shop');
  assert.ok(getString(web, 'spec', 'template', 'metadata', 'annotations', 'kubectl.kubernetes.io/restartedAt'));
  await done('DELETE', `${at}/shop/resource?${of('ConfigMap', '', 'a')}`);
  await world.until(
    'the object goes',
    () => world.get('v1', 'ConfigMap', 'a', 'shop'),
    (object) => object === undefined,
  );
});

test('revisions, windows, events and both streams', async () => {
  const metadata = await done('GET', `${at}/shop/revisions/${commits[1]}/metadata`);
  assert.deepEqual([getString(metadata, 'message'), isObject(metadata)], ['second', true]);
  const windows = [{ kind: 'deny', schedule: '* * * * *', duration: '2h', applications: ['*'] }];
  const destinations = [{ server: '*', namespace: '*' }];
  await done('POST', '/api/v1/projects', {
    project: { metadata: { name: 'closed' }, spec: { sourceRepos: ['*'], destinations, syncWindows: windows } },
  });
  await done('PUT', `${at}/shop/spec`, { ...specOf('app'), project: 'closed' });
  const state = await done('GET', `${at}/shop/syncwindows`);
  assert.deepEqual([isObject(state) && state['canSync'], getArray(state, 'activeWindows').length], [false, 1]);
  const held = await ask('POST', `${at}/shop/sync`, {});
  assert.deepEqual([held.status, getString(held.body, 'error')], [403, 'cannot sync: blocked by sync window']);
  assert.equal((await ask('DELETE', '/api/v1/projects/closed')).status, 400, 'it is in use');
  await done('PUT', `${at}/shop/spec`, specOf('app'));
  await done('GET', `${at}/shop/events?resourceName=web&resourceNamespace=shop`);
  for (const path of ['applications?name=shop', 'applications/shop/resource-tree']) {
    const answer = await fetch(`${server.url}/api/v1/stream/${path}`, {
      headers: { authorization: `Bearer ${token}` },
    });
    const reader = answer.body?.getReader();
    const chunk = new TextDecoder().decode((await reader?.read())?.value);
    await reader?.cancel();
    assert.ok(chunk.startsWith('{"result":{'), chunk.slice(0, 80));
  }
});

test('repositories and credentials are Secrets, whose values do not come back', async () => {
  const made = await done('POST', '/api/v1/repositories', {
    repo: repoURL,
    name: 'n',
    username: 'u',
    password: 'hunter2',
  });
  assert.equal(getString(made, 'connectionState', 'status'), 'Successful');
  const secrets = await world.kube.list(
    { group: '', version: 'v1', kind: 'Secret', plural: 'secrets', namespaced: true, verbs: [], subresources: [] },
    { namespace: 'argocd', labelSelector: 'argocd.argoproj.io/secret-type=repository' },
    AbortSignal.timeout(5000),
  );
  assert.equal(secrets.items.length, 1);
  const all = await ask('GET', '/api/v1/repositories');
  assert.ok(all.text.includes(repoURL) && !all.text.includes('hunter2'));
  const named = `/api/v1/repositories/${encodeURIComponent(repoURL)}`;
  assert.deepEqual(await done('GET', `${named}/refs`), { branches: ['main'], tags: [] });
  await done('DELETE', named);
  assert.equal((await ask('GET', named)).status, 404);
});

test('clusters are Secrets too: one is tried, made, changed and deleted', async () => {
  await using other = await OtherCluster.start();
  const declared = other.secret('other')['stringData'];
  const config = parseJson(getString(declared, 'config') ?? '', 'the config');
  const address = other.server;
  const nobody = { server: 'https://127.0.0.1:1', name: 'nobody', config: {} };
  assert.equal((await ask('POST', '/api/v1/clusters', nobody)).status, 503, 'one that does not answer is not made');
  const made = await done('POST', '/api/v1/clusters', { server: address, name: 'other', config });
  assert.deepEqual([getString(made, 'server'), getString(made, 'name')], [address, 'other']);
  const named = `/api/v1/clusters/${encodeURIComponent(address)}`;
  await world.until(
    'the cluster answers',
    () => ask('GET', named),
    ({ body }) => getString(body, 'connectionState', 'status') === 'Successful',
  );
  const { text } = await ask('GET', '/api/v1/clusters');
  assert.ok(text.includes('in-cluster') && text.includes(address));
  assert.ok(!text.includes(getString(config, 'bearerToken') ?? '-'), 'the way in is not shown');
  await done('PUT', `${named}?updatedFields=project`, { server: address, project: 'default', config: {} });
  assert.equal(getString(await done('GET', '/api/v1/clusters/other?id.type=name'), 'project'), 'default');
  const app = { ...specOf('app'), destination: { name: 'other', namespace: 'default' } };
  await done('POST', at, { metadata: { name: 'elsewhere' }, spec: app });
  await done('DELETE', `${at}/elsewhere?cascade=false`);
  await done('DELETE', named);
  assert.equal((await ask('GET', named)).status, 403);
  const gone = await ask('POST', at, { metadata: { name: 'elsewhere' }, spec: app });
  assert.equal(gone.status, 400, 'the destination is not known any more');
});

test('an application goes with what it made', async () => {
  await done('DELETE', `${at}/shop?cascade=true&propagationPolicy=foreground`);
  await world.until(
    'the application goes',
    () => world.get('argoproj.io/v1alpha1', 'Application', 'shop', 'argocd'),
    (object) => object === undefined,
  );
  assert.equal(await world.get('apps/v1', 'Deployment', 'web', 'shop'), undefined);
});
