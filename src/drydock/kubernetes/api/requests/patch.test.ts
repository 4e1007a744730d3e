import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { getPath } from '#base/json.ts';
import { configMap, configMaps, definition, definitions, type TestCluster, testCluster } from '../api-fixture.test.ts';

let cluster: TestCluster;
const ships = '/apis/sea.example/v1/namespaces/default/ships';
const apply = 'application/apply-patch+yaml';
const merge = 'application/merge-patch+json';
const json = 'application/json-patch+json';

before(async () => {
  cluster = await testCluster();
  await cluster.send('POST', definitions, {
    body: definition({ group: 'sea.example', plural: 'ships', kind: 'Ship' }),
  });
  await cluster.send('POST', configMaps, { body: configMap('a', { x: '1' }) });
  await cluster.send('POST', ships, { body: { apiVersion: 'sea.example/v1', kind: 'Ship', metadata: { name: 'a' } } });
});
after(() => cluster[Symbol.asyncDispose]());

/** Answers of the real server, 1.33. */
const refusals: [what: string, path: string, type: string, body: unknown, code: number, message: string | RegExp][] = [
  [
    'a strategic merge patch of a custom resource',
    `${ships}/a`,
    'application/strategic-merge-patch+json',
    {},
    415,
    'the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml',
  ],
  [
    'a patch of no known type, for a custom resource',
    `${ships}/a`,
    'application/json',
    {},
    415,
    /^the body of the request was in an unknown format/,
  ],
  ['and for a built-in', `${configMaps}/a`, 'application/json', {}, 415, '415: Unsupported Media Type'],
  [
    'a merge patch that is not JSON',
    `${configMaps}/a`,
    merge,
    'x',
    400,
    `error decoding patch: invalid character 'x' looking for beginning of value`,
  ],
  [
    'a JSON patch that is cut off',
    `${configMaps}/a`,
    json,
    '[',
    400,
    'error decoding patch: unexpected end of JSON input',
  ],
  [
    'a JSON patch that is no list',
    `${configMaps}/a`,
    json,
    {},
    400,
    'error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp',
  ],
  [
    'force on what is no apply',
    `${configMaps}/a?force=true`,
    merge,
    {},
    422,
    'PatchOptions.meta.k8s.io "" is invalid: force: Forbidden: may not be specified for non-apply patch',
  ],
  [
    'a field manager with a control character',
    `${configMaps}/a?fieldManager=a%07b`,
    merge,
    {},
    422,
    'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Invalid value: "a\\ab": invalid character U+0007 (at position 1)',
  ],
  [
    'a field manager that is too long in bytes',
    `${configMaps}/a?fieldManager=${encodeURIComponent('é'.repeat(65))}`,
    merge,
    {},
    422,
    'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Too long: may not be more than 128 bytes',
  ],
  [
    'an apply that is no YAML',
    `${configMaps}/a?fieldManager=m`,
    apply,
    'x: [',
    400,
    /^error decoding YAML: error converting YAML to JSON: yaml: /,
  ],
  [
    'an apply of another kind',
    `${ships}/a?fieldManager=m`,
    apply,
    { apiVersion: 'sea.example/v1', kind: 'Boat', metadata: { name: 'a' } },
    400,
    'invalid object type: sea.example/v1, Kind=Boat',
  ],
  [
    'an apply of another version',
    `${ships}/a?fieldManager=m`,
    apply,
    { apiVersion: 'sea.example/v9', kind: 'Ship', metadata: { name: 'a' } },
    400,
    'invalid object type: sea.example/v9, Kind=Ship',
  ],
  ['an apply of nothing', `${ships}/a?fieldManager=m`, apply, 'a: b', 400, 'invalid object type: /, Kind='],
];

for (const [what, path, type, body, code, message] of refusals)
  test(`refused: ${what}`, async () => {
    const answer = await cluster.send('PATCH', path, { body, type });
    const said = String(getPath(answer.body, 'message'));
    assert.equal(answer.code, code, said);
    if (typeof message === 'string') assert.equal(said, message);
    else assert.match(said, message);
  });

test('two ways to say what becomes of dependents are one too many', async () => {
  const answer = await cluster.send('DELETE', `${configMaps}/a`, {
    body: { propagationPolicy: 'Orphan', orphanDependents: true },
  });
  assert.equal(
    getPath(answer.body, 'message'),
    'DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: Invalid value: "Orphan": orphanDependents and deletionPropagation cannot be both set',
  );
});

test('without force, what another manager owns is a conflict', async () => {
  const apply = 'application/apply-patch+yaml';
  const owned = (x: string) => ({ ...configMap('b', { x }), kind: 'ConfigMap', apiVersion: 'v1' });
  const send = (manager: string, x: string, more = '') =>
    cluster.send('PATCH', `${configMaps}/b?fieldManager=${manager}${more}`, { body: owned(x), type: apply });
  assert.equal((await send('one', '1')).code, 201);
  for (const more of ['', '&force=false', '&force=0']) assert.equal((await send('two', '2', more)).code, 409, more);
  for (const more of ['&force=true', '&force=1']) assert.equal((await send('two', '2', more)).code, 200, more);
});

test('another uid: a whole object is of another object, a patch changes what nothing changes', async () => {
  await cluster.send('POST', configMaps, { body: configMap('c') });
  const metadata = { name: 'c', uid: 'other', resourceVersion: '1' };
  const whole = await cluster.send('PUT', `${configMaps}/c`, { body: { ...configMap('c'), metadata } });
  assert.equal(whole.code, 409);
  assert.match(
    String(getPath(whole.body, 'message')),
    /Key: \/registry\/configmaps\/default\/c, .* UID in precondition: other,/,
  );
  const part = await cluster.send('PATCH', `${configMaps}/c`, { body: { metadata: { uid: 'other' } }, type: merge });
  assert.equal(part.code, 422);
  assert.equal(
    getPath(part.body, 'message'),
    'ConfigMap "c" is invalid: metadata.uid: Invalid value: "other": field is immutable',
  );
});

test('a patch of a custom resource may not take its version away; one of a built-in may', async () => {
  const body = [{ op: 'remove', path: '/metadata/resourceVersion' }];
  const custom = await cluster.send('PATCH', `${ships}/a`, { body, type: json });
  assert.equal(custom.code, 422);
  assert.equal(
    getPath(custom.body, 'message'),
    'ships.sea.example "a" is invalid: metadata.resourceVersion: Invalid value: 0x0: must be specified for an update',
  );
  assert.equal((await cluster.send('PATCH', `${configMaps}/a`, { body, type: json })).code, 200);
});

test('metadata of a custom resource that is no object', async () => {
  const body = { apiVersion: 'sea.example/v1', kind: 'Ship', metadata: 'x' };
  const answer = await cluster.send('POST', ships, { body });
  assert.equal(
    getPath(answer.body, 'message'),
    'Ship in version "v1" cannot be handled as a Ship: json: cannot unmarshal string into Go value of type v1.ObjectMeta',
  );
});
