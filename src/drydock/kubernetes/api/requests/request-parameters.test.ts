import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { getArray, getString, isObject } from '#base/json.ts';
import {
  configMap,
  configMaps,
  definition,
  definitions,
  type Sent,
  type TestCluster,
  testCluster,
} from '../api-fixture.test.ts';

let cluster: TestCluster;
const boats = '/apis/example.com/v1/namespaces/default/boats';
const boat = { apiVersion: 'example.com/v1', kind: 'Boat', metadata: { name: 'a' } };
const table = 'application/json;as=Table;v=v1;g=meta.k8s.io';

before(async () => {
  cluster = await testCluster();
  await cluster.send('POST', definitions, {
    body: definition({ group: 'example.com', plural: 'boats', kind: 'Boat' }),
  });
  await cluster.send('POST', boats, { body: boat });
  await cluster.send('POST', configMaps, { body: configMap('a', { on: 'yes', n: '1' }) });
});
after(() => cluster[Symbol.asyncDispose]());

const withVersion = (resourceVersion: string) => ({ ...boat, metadata: { name: 'a', resourceVersion } });
const missing = { ...boat, metadata: { name: 'nope' } };
const key = (start: string): string =>
  Buffer.from(JSON.stringify({ v: 'meta.k8s.io/v1', rv: 2, start })).toString('base64url');

interface Row {
  name: string;
  method?: string;
  path: string;
  sent?: Sent;
  want: [code: number, message: string | RegExp];
}

const rows: Row[] = [
  {
    name: 'a creation that names a version',
    method: 'POST',
    path: boats,
    sent: { body: { ...boat, metadata: { name: 'b', resourceVersion: '5' } } },
    want: [500, 'resourceVersion should not be set on objects to be created'],
  },
  {
    name: 'a replacement of what is not there, before its version counts',
    method: 'PUT',
    path: `${boats}/nope`,
    sent: { body: missing },
    want: [404, 'boats.example.com "nope" not found'],
  },
  {
    name: 'a replacement of a custom resource without a version',
    method: 'PUT',
    path: `${boats}/a`,
    sent: { body: boat },
    want: [
      422,
      'boats.example.com "a" is invalid: metadata.resourceVersion: Invalid value: 0x0: must be specified for an update',
    ],
  },
  {
    name: 'version 0 is none',
    method: 'PUT',
    path: `${boats}/a`,
    sent: { body: withVersion('0') },
    want: [422, /0x0: must be specified for an update$/],
  },
  {
    name: 'a version that is no number',
    method: 'PUT',
    path: `${boats}/a`,
    sent: { body: withVersion('abc') },
    want: [500, 'strconv.ParseUint: parsing "abc": invalid syntax'],
  },
  {
    name: 'one object of the future',
    path: `${configMaps}/a?resourceVersion=99999`,
    want: [504, /^Timeout: Too large resource version: 99999, current: \d+$/],
  },
  {
    name: 'a continue token that is no JSON',
    path: `${configMaps}?continue=abc`,
    want: [
      400,
      "invalid continue token: continue key is not valid: invalid character 'i' looking for beginning of value",
    ],
  },
  {
    name: 'a continue token that leads elsewhere',
    path: `${configMaps}?continue=${key('../a')}`,
    want: [400, 'invalid continue token: continue key is not valid: ../a'],
  },
  {
    name: 'rows with something unknown',
    path: `${configMaps}?includeObject=Wrong`,
    sent: { accept: table },
    want: [
      400,
      `Unable to convert to Table as requested: includeObject: Invalid value: "Wrong": must be 'Metadata', 'Object', 'None', or empty`,
    ],
  },
  {
    name: 'a custom resource as XML',
    path: boats,
    sent: { accept: 'text/xml' },
    want: [
      406,
      'only the following media types are accepted: application/json, application/yaml, application/vnd.kubernetes.protobuf',
    ],
  },
  {
    name: 'a replacement of a collection of custom resources',
    method: 'PUT',
    path: boats,
    sent: { body: boat },
    want: [400, 'name must be provided'],
  },
  {
    name: 'a method that nobody has, of a custom resource',
    method: 'OPTIONS',
    path: boats,
    want: [405, ' is not supported on resources of kind "boats.example.com"'],
  },
  {
    name: 'the same of a built-in',
    method: 'OPTIONS',
    path: configMaps,
    want: [405, 'the server does not allow this method on the requested resource'],
  },
  {
    name: 'a grace period that is no number',
    method: 'DELETE',
    path: `${configMaps}/a?gracePeriodSeconds=x`,
    want: [400, 'strconv.ParseInt: parsing "x": invalid syntax'],
  },
  {
    name: 'a kind nobody knows',
    method: 'POST',
    path: configMaps,
    sent: { body: { ...configMap('x'), kind: 'Foo' } },
    want: [
      400,
      'Foo in version "v1" cannot be handled as a ConfigMap: no kind "Foo" is registered for version "v1" in scheme "pkg/api/legacyscheme/scheme.go:30"',
    ],
  },
  {
    name: 'a merge that makes a built-in unreadable',
    method: 'PATCH',
    path: `${configMaps}/a`,
    sent: { body: { immutable: 'x' }, type: 'application/merge-patch+json' },
    want: [
      422,
      /^ "" is invalid: patch: Invalid value: "\{.*\}": json: cannot unmarshal string into Go struct field ConfigMap\.immutable of type bool$/,
    ],
  },
  {
    name: 'a strategic merge patch that is a text',
    method: 'PATCH',
    path: `${configMaps}/a`,
    sent: { body: '"x"', type: 'application/strategic-merge-patch+json' },
    want: [400, 'json: cannot unmarshal string into Go value of type map[string]interface {}'],
  },
  {
    name: 'a strategic merge patch that is cut off',
    method: 'PATCH',
    path: `${configMaps}/a`,
    sent: { body: '{', type: 'application/strategic-merge-patch+json' },
    want: [400, 'unexpected end of JSON input'],
  },
  {
    name: 'a resource that a group does not have',
    path: '/apis/apps/v1/nopes',
    want: [404, 'the server could not find the requested resource'],
  },
];

for (const { name, method = 'GET', path, sent, want } of rows)
  test(`refused: ${name}`, async () => {
    const { code, body } = await cluster.send(method, path, sent);
    assert.equal(code, want[0]);
    if (typeof want[1] === 'string') assert.equal(body['message'], want[1]);
    else assert.match(String(body['message']), want[1]);
  });

test('custom resources of all namespaces are not deleted at once', async () => {
  const answer = await cluster.send('DELETE', '/apis/example.com/v1/boats');
  assert.deepEqual([answer.code, answer.text], [404, '404 page not found\n']);
});

test('paths below groups of custom resources, and versions nobody serves, are plainly not there', async () => {
  const paths = ['/apis/example.com/v1/nopes', '/apis/example.com/v2', '/apis/apps/v2', '/api/v2'];
  for (const path of paths) {
    const { code, text } = await cluster.send('GET', path);
    assert.deepEqual([path, code, text], [path, 404, '404 page not found\n']);
  }
});

test('a replacement creates where upstream lets it', async () => {
  const lease = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name: 'l' }, spec: {} };
  const path = '/apis/coordination.k8s.io/v1/namespaces/default/leases/l';
  assert.equal((await cluster.send('PUT', path, { body: lease })).code, 201);
  assert.equal((await cluster.send('PUT', path, { body: lease })).code, 422);
  assert.equal((await cluster.send('PUT', `${configMaps}/nope`, { body: configMap('nope') })).code, 404);
});

test('watch counts for nothing on one object', async () => {
  const { code, body } = await cluster.send('GET', `${configMaps}/a?watch=true`);
  assert.deepEqual([code, body['kind']], [200, 'ConfigMap']);
});

test('a table shows no object when none is asked for', async () => {
  const { body } = await cluster.send('GET', `${configMaps}/a?includeObject=None`, { accept: table });
  const row = getArray(body, 'rows')[0];
  assert.ok(isObject(row));
  assert.equal(row['object'], null);
});

test('answers are YAML for who asks for it first, and errors too', async () => {
  const { headers, text } = await cluster.send('GET', `${configMaps}/a`, { accept: 'application/yaml' });
  assert.equal(headers['content-type'], 'application/yaml');
  assert.match(text, /^apiVersion: v1\ndata:\n {2}"n": "1"\n {2}"on": "yes"\nkind: ConfigMap\nmetadata:\n/);
  assert.match(text, /\n {2}managedFields:\n {2}- apiVersion: v1\n/);
  const lost = await cluster.send('GET', `${configMaps}/nope`, { accept: 'application/yaml' });
  assert.match(lost.text, /^apiVersion: v1\ncode: 404\n/);
  const watched = await cluster.send('GET', `${configMaps}?watch=1`, { accept: 'application/yaml' });
  assert.match(watched.text, /\ncode: 406\n/);
  const json = await cluster.send('GET', `${configMaps}/a`, { accept: 'application/json, application/yaml' });
  assert.equal(json.headers['content-type'], 'application/json');
  const made = await cluster.send('POST', configMaps, { body: configMap('y'), accept: 'application/yaml' });
  assert.deepEqual([made.code, getString(made.body, 'kind')], [201, undefined]);
});

test('a custom resource with finalizers of no domain is created with a warning', async () => {
  const warned = async (finalizers: string[]): Promise<unknown> => {
    const body = { ...boat, metadata: { name: 'f', finalizers } };
    return (await cluster.send('POST', `${boats}?dryRun=All`, { body })).headers['warning'];
  };
  const text = (name: string, path = ''): string =>
    `299 - "metadata.finalizers: \\"${name}\\": prefer a domain-qualified finalizer name${path} to avoid accidental conflicts with other finalizer writers"`;
  assert.deepEqual(await warned(['a', 'b']), [text('a'), text('b')]);
  assert.deepEqual(await warned(['x.io']), text('x.io', ' including a path (/)'));
  assert.deepEqual(await warned(['x.io/a', 'orphan']), undefined);
});
