import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Agent, request } from 'undici';
import { getArray, getObject, getPath, getString } from '#base/json.ts';
import { configMap, configMaps, deployment, deployments, type TestCluster, testCluster } from './api-fixture.test.ts';

let cluster: TestCluster;
before(async () => {
  cluster = await testCluster();
});
after(() => cluster[Symbol.asyncDispose]());

const message = (answer: { body: object }): string => getString(answer.body, 'message') ?? '';

test('create answers 201 with uid, version and time; a second create is refused', async () => {
  const created = await cluster.send('POST', configMaps, { body: configMap('one', { a: 'b' }) });
  assert.equal(created.code, 201);
  const { metadata } = created.body;
  assert.match(getString(metadata, 'uid') ?? '', /^[0-9a-f-]{36}$/);
  assert.match(getString(metadata, 'creationTimestamp') ?? '', /Z$/);
  const again = await cluster.send('POST', configMaps, { body: configMap('one') });
  assert.deepEqual(again.body, {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: 'configmaps "one" already exists',
    reason: 'AlreadyExists',
    details: { name: 'one', kind: 'configmaps' },
    code: 409,
  });
});

test('generateName adds five characters', async () => {
  const body = { metadata: { generateName: 'gen-' } };
  const created = await cluster.send('POST', configMaps, { body });
  assert.match(getString(created.body, 'metadata', 'name') ?? '', /^gen-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
});

test('a replace with a stale version conflicts; without a version it is unconditional', async () => {
  const first = await cluster.send('POST', configMaps, { body: configMap('stale', { a: '1' }) });
  const second = await cluster.send('PUT', `${configMaps}/stale`, { body: configMap('stale', { a: '2' }) });
  assert.equal(second.code, 200);
  const stale = await cluster.send('PUT', `${configMaps}/stale`, { body: first.body });
  assert.equal(stale.code, 409);
  assert.equal(
    message(stale),
    'Operation cannot be fulfilled on configmaps "stale": the object has been modified; please apply your changes to the latest version and try again',
  );
});

test('a write that changes nothing keeps the version', async () => {
  const created = await cluster.send('POST', deployments, { body: deployment('noop') });
  const put = await cluster.send('PUT', `${deployments}/noop`, { body: created.body });
  const patched = await cluster.send('PATCH', `${deployments}/noop`, {
    body: { spec: { replicas: 1 } },
    type: 'application/strategic-merge-patch+json',
  });
  const version = getString(created.body, 'metadata', 'resourceVersion');
  assert.deepEqual(
    [getString(put.body, 'metadata', 'resourceVersion'), getString(patched.body, 'metadata', 'resourceVersion')],
    [version, version],
  );
});

test('generation follows the spec, not labels or status', async () => {
  await cluster.send('POST', deployments, { body: deployment('gen', 1) });
  const generation = async (path: string, body: object): Promise<unknown> => {
    const answer = await cluster.send('PATCH', `${deployments}/${path}`, {
      body,
      type: 'application/merge-patch+json',
    });
    assert.equal(answer.code, 200, answer.text);
    return getPath(answer.body, 'metadata', 'generation');
  };
  assert.equal(await generation('gen', { metadata: { labels: { x: '1' } } }), 1);
  assert.equal(await generation('gen/status', { status: { replicas: 3 } }), 1);
  assert.equal(await generation('gen', { spec: { replicas: 2 } }), 2);
  const live = await cluster.send('GET', `${deployments}/gen`);
  assert.equal(getPath(live.body, 'status', 'replicas'), 3);
});

test('the main endpoint leaves the status alone and the status endpoint the spec', async () => {
  await cluster.send('POST', deployments, { body: { ...deployment('split', 2), status: { replicas: 9 } } });
  const status = await cluster.send('PATCH', `${deployments}/split/status`, {
    body: { spec: { replicas: 5 }, status: { readyReplicas: 1 } },
    type: 'application/merge-patch+json',
  });
  assert.equal(getPath(status.body, 'spec', 'replicas'), 2);
  assert.equal(getPath(status.body, 'status', 'replicas'), undefined);
  assert.equal(getPath(status.body, 'status', 'readyReplicas'), 1);
});

const refusals = [
  {
    name: 'unknown object',
    method: 'GET',
    path: `${deployments}/nope`,
    code: 404,
    want: 'deployments.apps "nope" not found',
  },
  {
    name: 'missing namespace',
    method: 'POST',
    path: '/api/v1/namespaces/nonexist/configmaps',
    body: configMap('x'),
    code: 404,
    want: 'namespaces "nonexist" not found',
  },
  {
    name: 'other namespace in the body',
    method: 'POST',
    path: configMaps,
    body: { metadata: { name: 'x', namespace: 'other' } },
    code: 400,
    want: 'the namespace of the provided object does not match the namespace sent on the request',
  },
  {
    name: 'other name in the body',
    method: 'PUT',
    path: `${configMaps}/a`,
    body: configMap('b'),
    code: 400,
    want: 'the name of the object (b) does not match the name on the URL (a)',
  },
  {
    name: 'unknown resource of a known version',
    method: 'GET',
    path: '/api/v1/nothings',
    code: 404,
    want: 'the server could not find the requested resource',
  },
  {
    name: 'method',
    method: 'POST',
    path: `${configMaps}/x`,
    body: {},
    code: 405,
    want: 'the server does not allow this method on the requested resource',
  },
  {
    name: 'field selector',
    method: 'GET',
    path: `${configMaps}?fieldSelector=data.x%3D1`,
    code: 400,
    want: '"data.x" is not a known field selector: only "metadata.name", "metadata.namespace"',
  },
  {
    name: 'label selector',
    method: 'GET',
    path: `${configMaps}?labelSelector=a%20in%20(!`,
    code: 400,
    want: "unable to parse requirement: found '!', expected: ',', ')' or identifier",
  },
  {
    name: 'version that is no number',
    method: 'GET',
    path: `${configMaps}?resourceVersion=abc`,
    code: 400,
    want: 'invalid resource version: resourceVersion: Invalid value: "abc": strconv.ParseUint: parsing "abc": invalid syntax',
  },
  {
    name: 'dryRun',
    method: 'POST',
    path: `${configMaps}?dryRun=Some`,
    body: configMap('x'),
    code: 422,
    want: 'CreateOptions.meta.k8s.io "" is invalid: dryRun: Unsupported value: []string{"Some"}: supported values: "All"',
  },
  {
    name: 'patch type',
    method: 'PATCH',
    path: `${configMaps}/x`,
    body: {},
    type: 'text/plain',
    code: 415,
    want: '415: Unsupported Media Type',
  },
  {
    name: 'match without version',
    method: 'GET',
    path: `${configMaps}?resourceVersionMatch=Exact`,
    code: 422,
    want: 'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided',
  },
  {
    name: 'empty body',
    method: 'POST',
    path: configMaps,
    body: '',
    code: 400,
    want: "the object provided is unrecognized (must be of type ConfigMap): couldn't get version/kind; json parse error: unexpected end of JSON input (<empty>)",
  },
  {
    name: 'apply without a manager',
    method: 'PATCH',
    path: `${configMaps}/x`,
    body: configMap('x'),
    type: 'application/apply-patch+yaml',
    code: 422,
    want: 'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
  },
  {
    name: 'nothing acceptable',
    method: 'GET',
    path: configMaps,
    accept: 'text/html',
    code: 406,
    want: '406: Not Acceptable\n\nAvailable representations: application/json, application/yaml, application/vnd.kubernetes.protobuf, application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch',
  },
];

for (const { name, method, path, code, want, ...sent } of refusals)
  test(`refuses: ${name}`, async () => {
    const answer = await cluster.send(method, path, sent);
    assert.deepEqual({ code: answer.code, message: message(answer) }, { code, message: want });
    assert.equal(answer.body['kind'], 'Status');
  });

test('unknown groups answer plain text', async () => {
  const answer = await cluster.send('GET', '/apis/nothing.example/v1/things');
  assert.deepEqual([answer.code, answer.text], [404, '404 page not found\n']);
});

test('fieldValidation: Strict refuses, Warn warns, Ignore is silent', async () => {
  const body = '{"metadata":{"name":"fv","name":"fv"},"dat":{"a":"b"}}';
  const strict = await cluster.send('POST', `${configMaps}?fieldValidation=Strict`, { body });
  assert.equal(
    message(strict),
    'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: duplicate field "metadata.name", unknown field "dat"',
  );
  const warned = await cluster.send('POST', `${configMaps}?dryRun=All`, { body });
  assert.deepEqual([warned.headers['warning']].flat(), [
    '299 - "duplicate field \\"metadata.name\\""',
    '299 - "unknown field \\"dat\\""',
  ]);
  const ignored = await cluster.send('POST', `${configMaps}?dryRun=All&fieldValidation=Ignore`, { body });
  assert.equal(ignored.headers['warning'], undefined);
});

test('dry run stores nothing', async () => {
  const created = await cluster.send('POST', `${configMaps}?dryRun=All`, { body: configMap('dry') });
  assert.equal(created.code, 201);
  assert.equal(getString(created.body, 'metadata', 'resourceVersion'), undefined);
  assert.equal((await cluster.send('GET', `${configMaps}/dry`)).code, 404);
  await cluster.send('POST', configMaps, { body: configMap('kept') });
  assert.equal((await cluster.send('DELETE', `${configMaps}/kept?dryRun=All`)).code, 200);
  assert.equal((await cluster.send('GET', `${configMaps}/kept`)).code, 200);
});

test('without credentials only health and version answer', async () => {
  const denied = await cluster.send('GET', configMaps, { token: '' });
  assert.equal(denied.code, 403);
  assert.equal(
    message(denied),
    'configmaps is forbidden: User "system:anonymous" cannot list resource "configmaps" in API group "" in the namespace "default"',
  );
  assert.deepEqual((await cluster.send('GET', '/api', { token: '' })).code, 403);
  const wrong = await cluster.send('GET', configMaps, { token: 'wrong' });
  assert.deepEqual([wrong.code, message(wrong)], [401, 'Unauthorized']);
  for (const path of ['/healthz', '/livez', '/readyz'])
    assert.equal((await cluster.send('GET', path, { token: '' })).text, 'ok');
  assert.match((await cluster.send('GET', '/readyz?verbose')).text, /\[\+\]ping ok\n(?:.*\n)*readyz check passed\n/);
  assert.match(getString((await cluster.send('GET', '/version', { token: '' })).body, 'gitVersion') ?? '', /^v1\.33\./);
});

test('the client certificate of the kubeconfig is the administrator, another one nobody', async () => {
  const read = (name: string, text: string): string =>
    Buffer.from(new RegExp(`${name}: (\\S+)`).exec(text)?.[1] ?? '', 'base64').toString();
  const whoami = async (kubeconfig: string): Promise<[number, unknown]> => {
    const agent = new Agent({
      connect: {
        ca: cluster.server.caPem,
        cert: read('client-certificate-data', kubeconfig),
        key: read('client-key-data', kubeconfig),
      },
    });
    const answer = await request(`${cluster.server.listening.url}/apis/authentication.k8s.io/v1/selfsubjectreviews`, {
      dispatcher: agent,
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{}',
    });
    const body = await answer.body.json();
    await agent.close();
    return [answer.statusCode, getPath(body, 'status', 'userInfo', 'username')];
  };
  assert.deepEqual(await whoami(cluster.server.kubeconfig()), [201, 'kubernetes-admin']);
  await using other = await testCluster();
  assert.deepEqual(await whoami(other.server.kubeconfig()), [401, undefined]);
});

test('a body above 3 MiB is refused', async () => {
  const answer = await cluster.send('POST', configMaps, { body: configMap('big', { a: 'x'.repeat(3_200_000) }) });
  assert.equal(answer.code, 413);
});

test('YAML bodies are read', async () => {
  const body = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: from-yaml}\ndata:\n  a: "yes"\n  day: 2024-01-01\n';
  const created = await cluster.send('POST', configMaps, { body, type: 'application/yaml' });
  assert.deepEqual(created.body['data'], { a: 'yes', day: '2024-01-01' });
});

test('discovery is aggregated, or in the old form, and answers 304 to its ETag', async () => {
  const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json';
  const first = await cluster.send('GET', '/apis', { accept });
  assert.equal(first.headers['content-type'], accept.split(',')[0]);
  assert.equal(first.body['kind'], 'APIGroupDiscoveryList');
  const etag = String(first.headers['etag']);
  const again = await cluster.send('GET', '/apis', { accept, headers: { 'if-none-match': etag } });
  assert.equal(again.code, 304);
  const old = await cluster.send('GET', '/apis/apps/v1');
  const deploymentsRow = getArray(old.body, 'resources').find((row) => getString(row, 'name') === 'deployments');
  assert.deepEqual(deploymentsRow, {
    name: 'deployments',
    singularName: 'deployment',
    namespaced: true,
    kind: 'Deployment',
    verbs: ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'],
    shortNames: ['deploy'],
    categories: ['all'],
    storageVersionHash: '8aSe+NMegvE=',
  });
  assert.equal(
    getArray((await cluster.send('GET', '/apis')).body, 'groups').some((group) => getString(group, 'name') === 'apps'),
    true,
  );
});

test('OpenAPI documents are found by hash; a wrong hash leads to the right one', async () => {
  const root = await cluster.send('GET', '/openapi/v3');
  const url = getString(getObject(root.body, 'paths', 'apis/apps/v1'), 'serverRelativeURL') ?? '';
  const document = await cluster.send('GET', url);
  assert.equal(document.code, 200);
  const patch = getObject(document.body, 'paths', '/apis/apps/v1/namespaces/{namespace}/deployments/{name}', 'patch');
  assert.deepEqual(patch['x-kubernetes-group-version-kind'], { group: 'apps', version: 'v1', kind: 'Deployment' });
  assert.ok(getArray(patch, 'parameters').some((parameter) => getString(parameter, 'name') === 'fieldValidation'));
  const wrong = await cluster.send('GET', '/openapi/v3/apis/apps/v1?hash=OLD');
  assert.deepEqual([wrong.code, wrong.headers['location']], [301, url]);
});

test('large answers are compressed when asked for', async () => {
  await cluster.send('POST', configMaps, { body: configMap('large', { a: 'x'.repeat(200_000) }) });
  const plain = await cluster.send('GET', `${configMaps}/large`);
  assert.equal(plain.headers['content-encoding'], undefined);
  const small = await cluster.send('GET', `${configMaps}/large`, { headers: { 'accept-encoding': 'gzip' } });
  assert.equal(small.headers['content-encoding'], 'gzip');
});

test('an Event is the same in both of its groups', async () => {
  const core = '/api/v1/namespaces/default/events';
  const event = {
    metadata: { name: 'e', namespace: 'default' },
    involvedObject: { kind: 'Pod', name: 'p', namespace: 'default' },
    reason: 'Because',
    message: 'it is so',
    type: 'Normal',
  };
  assert.equal((await cluster.send('POST', core, { body: event })).code, 201);
  const grouped = '/apis/events.k8s.io/v1/namespaces/default/events';
  const seen = await cluster.send('GET', `${grouped}/e`);
  assert.deepEqual(
    [seen.body['apiVersion'], seen.body['note'], getPath(seen.body, 'regarding', 'name'), seen.body['message']],
    ['events.k8s.io/v1', 'it is so', 'p', undefined],
  );
  const selected = await cluster.send('GET', `${grouped}?fieldSelector=regarding.name%3Dp`);
  assert.equal(getPath(selected.body, 'items', 0, 'note'), 'it is so');
  const patched = await cluster.send('PATCH', `${grouped}/e`, {
    body: { note: 'changed' },
    type: 'application/merge-patch+json',
  });
  assert.equal(patched.code, 200, patched.text);
  assert.equal((await cluster.send('GET', `${core}/e`)).body['message'], 'changed');
  const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io';
  const cells = async (path: string): Promise<unknown[]> =>
    getArray((await cluster.send('GET', path, { accept })).body, 'rows', 0, 'cells').slice(1);
  assert.deepEqual(await cells(grouped), await cells(core));
  assert.equal((await cells(core))[2], 'pod/p');
});
