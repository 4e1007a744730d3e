import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { getArray, getPath, getString, type JsonObject } from '#base/json.ts';
import {
  type Answer,
  configMap,
  configMaps,
  deployment,
  deployments,
  type TestCluster,
  testCluster,
} from '../api-fixture.test.ts';

let cluster: TestCluster;
before(async () => {
  cluster = await testCluster();
});
after(() => cluster[Symbol.asyncDispose]());

const pods = '/api/v1/namespaces/default/pods';
const message = (answer: Answer): string => getString(answer.body, 'message') ?? '';
const pod = (name: string, spec: JsonObject = {}): JsonObject => ({
  metadata: { name },
  spec: { containers: [{ name: 'c', image: 'x:1' }], ...spec },
});
const merge = (path: string, body: unknown): Promise<Answer> =>
  cluster.send('PATCH', path, { body, type: 'application/merge-patch+json' });

test('what nothing holds goes at once, and the answer says what went', async () => {
  const created = await cluster.send('POST', deployments, { body: deployment('d') });
  const deleted = await cluster.send('DELETE', `${deployments}/d`);
  assert.deepEqual(deleted.body, {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    details: { name: 'd', group: 'apps', kind: 'deployments', uid: getString(created.body, 'metadata', 'uid') },
  });
  assert.equal((await cluster.send('DELETE', `${deployments}/d`)).code, 404);
});

test('finalizers hold an object until the last is taken away', async () => {
  await cluster.send('POST', configMaps, { body: { metadata: { name: 'fin', finalizers: ['x.io/a', 'x.io/b'] } } });
  const first = await cluster.send('DELETE', `${configMaps}/fin`);
  assert.equal(getPath(first.body, 'metadata', 'deletionGracePeriodSeconds'), 0);
  const second = await cluster.send('DELETE', `${configMaps}/fin`);
  assert.equal(getPath(second.body, 'metadata', 'resourceVersion'), getPath(first.body, 'metadata', 'resourceVersion'));
  const added = await merge(`${configMaps}/fin`, { metadata: { finalizers: ['x.io/a', 'y.io/g'] } });
  assert.equal(
    message(added),
    'ConfigMap "fin" is invalid: metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"y.io/g"}',
  );
  assert.equal((await merge(`${configMaps}/fin`, { data: { still: 'editable' } })).code, 200);
  assert.equal((await merge(`${configMaps}/fin`, { metadata: { finalizers: ['x.io/b'] } })).code, 200);
  assert.equal((await cluster.send('GET', `${configMaps}/fin`)).code, 200);
  const last = await merge(`${configMaps}/fin`, { metadata: { finalizers: null } });
  assert.deepEqual([last.code, last.body['kind']], [200, 'ConfigMap']);
  assert.equal((await cluster.send('GET', `${configMaps}/fin`)).code, 404);
});

const policies: [string, string[] | undefined][] = [
  ['Foreground', ['foregroundDeletion']],
  ['Orphan', ['orphan']],
  ['Background', undefined],
];
for (const [policy, finalizers] of policies)
  test(`propagation policy ${policy}`, async () => {
    const name = policy.toLowerCase();
    await cluster.send('POST', configMaps, { body: configMap(name) });
    const deleted = await cluster.send('DELETE', `${configMaps}/${name}`, { body: { propagationPolicy: policy } });
    assert.deepEqual(getPath(deleted.body, 'metadata', 'finalizers'), finalizers);
  });

test('an unknown policy is refused', async () => {
  await cluster.send('POST', configMaps, { body: configMap('policy') });
  const refused = await cluster.send('DELETE', `${configMaps}/policy?propagationPolicy=Never`);
  assert.equal(refused.code, 422);
});

test('preconditions', async () => {
  await cluster.send('POST', deployments, { body: deployment('pre') });
  const uid = getString((await cluster.send('GET', `${deployments}/pre`)).body, 'metadata', 'uid');
  const refused = await cluster.send('DELETE', `${deployments}/pre`, { body: { preconditions: { uid: 'abc' } } });
  assert.deepEqual(
    [refused.code, message(refused)],
    [
      409,
      `Operation cannot be fulfilled on Deployment.apps "pre": the UID in the precondition (abc) does not match the UID in record (${uid}). The object might have been deleted and then recreated`,
    ],
  );
  assert.equal((await cluster.send('DELETE', `${deployments}/pre`, { body: { preconditions: { uid } } })).code, 200);
});

test('a running pod gets its grace; the node ends it with grace 0; one without a node goes at once', async () => {
  await cluster.send('POST', pods, { body: pod('bound', { nodeName: 'n', terminationGracePeriodSeconds: 7 }) });
  const deleted = await cluster.send('DELETE', `${pods}/bound`);
  assert.deepEqual([deleted.code, deleted.body['kind']], [200, 'Pod']);
  assert.equal(getPath(deleted.body, 'metadata', 'deletionGracePeriodSeconds'), 7);
  assert.equal((await cluster.send('GET', `${pods}/bound`)).code, 200);
  await cluster.send('DELETE', `${pods}/bound`, { body: { gracePeriodSeconds: 0 } });
  assert.equal((await cluster.send('GET', `${pods}/bound`)).code, 404);
  await cluster.send('POST', pods, { body: pod('free') });
  await cluster.send('DELETE', `${pods}/free`);
  assert.equal((await cluster.send('GET', `${pods}/free`)).code, 404);
});

test('a Job deleted without a policy keeps its pods, and says so', async () => {
  const jobs = '/apis/batch/v1/namespaces/default/jobs';
  const template = { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'x:1' }] } };
  await cluster.send('POST', jobs, { body: { metadata: { name: 'j' }, spec: { template } } });
  const deleted = await cluster.send('DELETE', `${jobs}/j`);
  assert.deepEqual(getPath(deleted.body, 'metadata', 'finalizers'), ['orphan']);
  assert.match(String(deleted.headers['warning']), /child pods are preserved by default when jobs are deleted/);
});

test('a collection is deleted by selector', async () => {
  await cluster.send('POST', '/api/v1/namespaces', { body: { metadata: { name: 'many' } } });
  const path = '/api/v1/namespaces/many/configmaps';
  for (const name of ['a', 'b', 'c'])
    await cluster.send('POST', path, { body: configMap(name, {}, { odd: name === 'b' ? '0' : '1' }) });
  const deleted = await cluster.send('DELETE', `${path}?labelSelector=odd%3D1`);
  assert.equal(getArray(deleted.body, 'items').length, 2);
  const left = getArray((await cluster.send('GET', path)).body, 'items');
  assert.deepEqual(
    left.map((item) => getString(item, 'metadata', 'name')),
    ['b'],
  );
});

test('a namespace is Terminating until it is finalized, and takes nothing new', async () => {
  const path = '/api/v1/namespaces/ending';
  const created = await cluster.send('POST', '/api/v1/namespaces', { body: { metadata: { name: 'ending' } } });
  assert.deepEqual(getPath(created.body, 'metadata', 'labels'), { 'kubernetes.io/metadata.name': 'ending' });
  const deleted = await cluster.send('DELETE', path);
  assert.deepEqual(
    [getPath(deleted.body, 'status', 'phase'), getPath(deleted.body, 'spec', 'finalizers')],
    ['Terminating', ['kubernetes']],
  );
  const refused = await cluster.send('POST', `${path}/configmaps`, { body: configMap('y') });
  assert.equal(refused.code, 403);
  assert.equal(
    message(refused),
    'configmaps "y" is forbidden: unable to create new content in namespace ending because it is being terminated',
  );
  assert.equal(getPath(refused.body, 'details', 'causes', 0, 'reason'), 'NamespaceTerminating');
  const live = (await cluster.send('GET', path)).body;
  const finalized = await cluster.send('PUT', `${path}/finalize`, { body: { ...live, spec: { finalizers: [] } } });
  assert.equal(finalized.code, 200, finalized.text);
  assert.equal((await cluster.send('GET', path)).code, 404);
  assert.equal(
    message(await cluster.send('DELETE', '/api/v1/namespaces/default')),
    'namespaces "default" is forbidden: this namespace may not be deleted',
  );
});

test('binding puts a pod on a node once', async () => {
  await cluster.send('POST', pods, { body: pod('to-bind') });
  const body = { metadata: { name: 'to-bind' }, target: { kind: 'Node', name: 'n1' } };
  assert.equal((await cluster.send('POST', `${pods}/to-bind/binding`, { body })).code, 201);
  const bound = (await cluster.send('GET', `${pods}/to-bind`)).body;
  assert.equal(getPath(bound, 'spec', 'nodeName'), 'n1');
  assert.equal(getPath(bound, 'status', 'conditions', 0, 'type'), 'PodScheduled');
  assert.equal((await cluster.send('POST', `${pods}/to-bind/binding`, { body })).code, 409);
});

test('what this server does not do is said, not ignored', async () => {
  await cluster.send('POST', pods, { body: pod('no-exec') });
  const refused = await cluster.send('POST', `${pods}/no-exec/exec?command=ls`);
  assert.deepEqual([refused.code, message(refused)], [501, 'pods/exec is not implemented by this server']);
  assert.deepEqual((await cluster.send('GET', `${pods}/no-exec/log`)).text, '');
  await cluster.send('POST', pods, { body: pod('no-agent', { nodeName: 'n' }) });
  const log = await cluster.send('GET', `${pods}/no-agent/log`);
  assert.deepEqual([log.code, message(log)], [503, 'no node agent is running that could read the log of no-agent']);
});
