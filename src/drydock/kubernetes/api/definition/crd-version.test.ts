import assert from 'node:assert/strict';
import { test } from 'node:test';
import { getArray, getObject, getPath, getString, type JsonObject } from '#base/json.ts';
import { type TestCluster, testCluster } from '../api-fixture.test.ts';

const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const boxes = (version: string): string => `/apis/sea.example/${version}/namespaces/default/boxes`;
const name = 'boxes.sea.example';

function version(name: string, properties: JsonObject, more: JsonObject = {}): JsonObject {
  const spec = { type: 'object', properties };
  const status = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
  const schema = { openAPIV3Schema: { type: 'object', properties: { spec, status } } };
  return { name, served: true, storage: false, schema, ...more };
}

function definition(versions: JsonObject[], names: JsonObject = {}): JsonObject {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name },
    spec: { group: 'sea.example', scope: 'Namespaced', names: { plural: 'boxes', kind: 'Box', ...names }, versions },
  };
}

const box = (version: string, spec: JsonObject): JsonObject => ({
  apiVersion: `sea.example/${version}`,
  kind: 'Box',
  metadata: { name: 'b' },
  spec,
});

async function patched(cluster: TestCluster, path: string, body: JsonObject): Promise<JsonObject> {
  const answer = await cluster.send('PATCH', path, { body, type: 'application/merge-patch+json' });
  assert.equal(answer.code, 200, answer.text);
  return answer.body;
}

/** Waits until the definition is such. */
async function until(cluster: TestCluster, enough: (definition: JsonObject) => boolean): Promise<JsonObject> {
  const path = `${definitions}?watch=true&fieldSelector=metadata.name%3D${name}`;
  const events = await cluster.watch(path, (all) => all.some((event) => enough(getObject(event, 'object'))));
  return getObject(events.at(-1), 'object');
}

function condition(body: JsonObject, type: string): string {
  const found = getArray(body, 'status', 'conditions').find((item) => getString(item, 'type') === type);
  return `${getString(found, 'status')} ${getString(found, 'reason')}`;
}

const established = (body: JsonObject): boolean => condition(body, 'Established').startsWith('True');
const text: JsonObject = { type: 'string' };

test('a definition whose rule does not compile is refused, as is an object that breaks a rule', async () => {
  await using cluster = await testCluster();
  const ruled = (rule: string): JsonObject => {
    const size = { type: 'integer', 'x-kubernetes-validations': [{ rule, message: 'size may only grow' }] };
    return definition([version('v1', { size, seal: text }, { storage: true, subresources: { status: {} } })]);
  };
  const refused = await cluster.send('POST', definitions, { body: ruled('self >= nope') });
  assert.equal(refused.code, 422);
  assert.deepEqual(
    getArray(refused.body, 'details', 'causes').map((cause) => getString(cause, 'field')),
    ['spec.validation.openAPIV3Schema.properties[spec].properties[size].x-kubernetes-validations[0].rule'],
  );
  assert.match(getString(refused.body, 'message') ?? '', /undeclared reference to 'nope' \(in container ''\)/);
  assert.equal((await cluster.send('POST', definitions, { body: ruled('self >= oldSelf') })).code, 201);
  assert.equal((await cluster.send('POST', boxes('v1'), { body: box('v1', { size: 5 }) })).code, 201);
  const smaller = await cluster.send('PATCH', `${boxes('v1')}/b`, {
    body: { spec: { size: 4 } },
    type: 'application/merge-patch+json',
  });
  assert.deepEqual(
    [smaller.code, getString(smaller.body, 'message')],
    [422, 'Box.sea.example "b" is invalid: spec.size: Invalid value: "integer": size may only grow'],
  );
  assert.equal(getPath(await patched(cluster, `${boxes('v1')}/b`, { spec: { size: 6 } }), 'spec', 'size'), 6);
  const viaApply = await cluster.kubectlIn(
    JSON.stringify(box('v1', { size: 1 })),
    'apply',
    '--server-side',
    '--force-conflicts',
    '-f',
    '-',
  );
  assert.match(viaApply.err, /spec\.size: Invalid value: "integer": size may only grow/);
});

test('versions differ by their schema: pruned and defaulted on the way', async () => {
  await using cluster = await testCluster();
  const versions = [
    version('v1', { a: text, old: text }, { storage: true }),
    version('v2', { a: text, b: { type: 'string', default: 'filled' } }),
  ];
  assert.equal((await cluster.send('POST', definitions, { body: definition(versions) })).code, 201);
  await until(cluster, established);
  await cluster.send('POST', boxes('v1'), { body: box('v1', { a: '1', old: '2' }) });
  const later = await cluster.send('GET', `${boxes('v2')}/b`);
  assert.deepEqual([later.body['apiVersion'], later.body['spec']], ['sea.example/v2', { a: '1', b: 'filled' }]);
  const list = await cluster.send('GET', boxes('v2'));
  assert.deepEqual(getPath(list.body, 'items', 0, 'spec'), { a: '1', b: 'filled' });
  // What the stored version does not know is not kept.
  await patched(cluster, `${boxes('v2')}/b`, { spec: { a: '3', b: 'mine' } });
  assert.deepEqual((await cluster.send('GET', `${boxes('v1')}/b`)).body['spec'], { a: '3' });
});

test('a default that a definition gets later is shown on objects from before', async () => {
  await using cluster = await testCluster();
  const before = definition([version('v1', { a: text }, { storage: true })]);
  assert.equal((await cluster.send('POST', definitions, { body: before })).code, 201);
  await until(cluster, established);
  await cluster.send('POST', boxes('v1'), { body: box('v1', { a: '1' }) });
  const versions = [version('v1', { a: text, c: { type: 'integer', default: 7 } }, { storage: true })];
  await patched(cluster, `${definitions}/${name}`, { spec: { versions } });
  assert.deepEqual((await cluster.send('GET', `${boxes('v1')}/b`)).body['spec'], { a: '1', c: 7 });
  const table = await cluster.send('GET', boxes('v1'));
  assert.deepEqual(getPath(table.body, 'items', 0, 'spec'), { a: '1', c: 7 });
});

test('a version that objects may still be stored in stays until its migration is recorded', async () => {
  await using cluster = await testCluster();
  const first = definition([version('v1', { a: text }, { storage: true }), version('v2', { a: text })]);
  assert.equal((await cluster.send('POST', definitions, { body: first })).code, 201);
  await until(cluster, established);
  await cluster.send('POST', boxes('v1'), { body: box('v1', { a: '1' }) });
  const second = [version('v1', { a: text }, { served: false }), version('v2', { a: text }, { storage: true })];
  const changed = await patched(cluster, `${definitions}/${name}`, { spec: { versions: second } });
  assert.deepEqual(getPath(changed, 'status', 'storedVersions'), ['v1', 'v2']);
  assert.equal((await cluster.send('GET', `${boxes('v1')}/b`)).code, 404);
  const alone = { spec: { versions: [version('v2', { a: text }, { storage: true })] } };
  const type = 'application/merge-patch+json';
  const refused = await cluster.send('PATCH', `${definitions}/${name}`, { body: alone, type });
  assert.equal(refused.code, 422);
  assert.match(
    getString(refused.body, 'message') ?? '',
    /status\.storedVersions\[0\]: Invalid value: "v1": missing from spec\.versions; v1 was previously a storage version/,
  );
  // The migration: every object is written once more, then the status says so.
  await patched(cluster, `${boxes('v2')}/b`, { metadata: { annotations: { migrated: 'yes' } } });
  await patched(cluster, `${definitions}/${name}/status`, { status: { storedVersions: ['v2'] } });
  const done = await patched(cluster, `${definitions}/${name}`, alone);
  assert.deepEqual(getPath(done, 'status', 'storedVersions'), ['v2']);
  assert.deepEqual((await cluster.send('GET', `${boxes('v2')}/b`)).body['spec'], { a: '1' });
});

test('a definition goes with its objects though no version is served', async () => {
  await using cluster = await testCluster();
  const one = definition([version('v1', { a: text }, { storage: true })]);
  assert.equal((await cluster.send('POST', definitions, { body: one })).code, 201);
  await until(cluster, established);
  await cluster.send('POST', boxes('v1'), { body: box('v1', { a: '1' }) });
  const hidden = { spec: { versions: [version('v1', { a: text }, { storage: true, served: false })] } };
  await patched(cluster, `${definitions}/${name}`, hidden);
  assert.equal((await cluster.send('GET', boxes('v1'))).code, 404);
  const gone = cluster.watch(`${definitions}?watch=true`, (all) => all.some((event) => event['type'] === 'DELETED'));
  const deleted = await cluster.send('DELETE', `${definitions}/${name}`);
  assert.equal(condition(deleted.body, 'Terminating'), 'True InstanceDeletionPending');
  await gone;
  assert.equal((await cluster.send('GET', `${definitions}/${name}`)).code, 404);
});

test('a name that is taken does not take away what was accepted before', async () => {
  await using cluster = await testCluster();
  const other = {
    ...definition([version('v1', {}, { storage: true })], { plural: 'crates', kind: 'Crate', shortNames: ['cr'] }),
    metadata: { name: 'crates.sea.example' },
  };
  assert.equal((await cluster.send('POST', definitions, { body: other })).code, 201);
  const own = definition([version('v1', {}, { storage: true })], { shortNames: ['bx'] });
  assert.equal((await cluster.send('POST', definitions, { body: own })).code, 201);
  await until(cluster, established);
  await patched(cluster, `${definitions}/${name}`, { spec: { names: { shortNames: ['bx', 'cr'] } } });
  const status = await until(cluster, (body) => condition(body, 'NamesAccepted').startsWith('False'));
  assert.deepEqual(
    [condition(status, 'NamesAccepted'), condition(status, 'Established')],
    ['False ShortNamesConflict', 'True InitialNamesAccepted'],
  );
  assert.deepEqual(getPath(status, 'status', 'acceptedNames', 'shortNames'), ['bx']);
  const resources = getArray((await cluster.send('GET', '/apis/sea.example/v1')).body, 'resources');
  const served = resources.find((each) => getString(each, 'name') === 'boxes');
  assert.deepEqual(getPath(served, 'shortNames'), ['bx']);
});

test('a group of Kubernetes itself needs an approval', async () => {
  await using cluster = await testCluster();
  const body = definition([version('v1', {}, { storage: true })]);
  const inGroup = (annotations: JsonObject): JsonObject => ({
    ...body,
    metadata: { name: 'boxes.sea.k8s.io', annotations },
    spec: { ...getObject(body, 'spec'), group: 'sea.k8s.io' },
  });
  const refused = await cluster.send('POST', definitions, { body: inGroup({}) });
  assert.match(
    getString(refused.body, 'message') ?? '',
    /metadata\.annotations\[api-approved\.kubernetes\.io\]: Required/,
  );
  const bypassed = inGroup({ 'api-approved.kubernetes.io': 'unapproved, a trial' });
  assert.equal((await cluster.send('POST', definitions, { body: bypassed })).code, 201);
  const path = `${definitions}?watch=true&fieldSelector=metadata.name%3Dboxes.sea.k8s.io`;
  const type = 'KubernetesAPIApprovalPolicyConformant';
  const events = await cluster.watch(path, (all) =>
    all.some((event) => condition(getObject(event, 'object'), type).startsWith('False')),
  );
  assert.equal(condition(getObject(events.at(-1), 'object'), type), 'False UnapprovedAnnotation');
});

test('a column shows what is of its type', async () => {
  await using cluster = await testCluster();
  const column = (path: string, type: string): JsonObject => ({ name: `${path} ${type}`, type, jsonPath: path });
  const open = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
  const columns: [string, string, unknown][] = [
    ['.spec.o.n', 'integer', 5],
    ['.spec.o.n', 'boolean', null],
    ['.spec.o.f', 'integer', 1],
    ['.spec.o.f', 'number', 1.5],
    ['.spec.o.t', 'date', '<invalid>'],
    ['.spec.o.none', 'date', null],
    ['.spec.o.none', 'string', null],
    ['.spec.o.null', 'string', '<no value>'],
    ['.spec.o.m', 'string', '{"a":1,"b":2}'],
    ['.spec.o.b', 'boolean', true],
    ['.spec.o.b', 'string', 'true'],
  ];
  const more = { storage: true, additionalPrinterColumns: columns.map(([path, type]) => column(path, type)) };
  const body = definition([version('v1', { o: open }, more)]);
  assert.equal((await cluster.send('POST', definitions, { body })).code, 201);
  await until(cluster, established);
  const o = { n: 5, f: 1.5, t: 'never', null: null, m: { b: 2, a: 1 }, b: true };
  assert.equal((await cluster.send('POST', boxes('v1'), { body: box('v1', { o }) })).code, 201);
  const table = await cluster.send('GET', boxes('v1'), { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' });
  const cells = getArray(table.body, 'rows', 0, 'cells').slice(1);
  assert.deepEqual(
    cells.map((cell, index) => [columns[index]?.[0], columns[index]?.[1], cell]),
    columns,
  );
});
