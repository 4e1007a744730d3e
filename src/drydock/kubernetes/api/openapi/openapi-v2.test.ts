import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { getObject } from '#base/json.ts';
import { testCluster } from '../api-fixture.test.ts';
import { swaggerSchema } from './openapi-v2.ts';
import { encodeDefinition, encodeDocument, encodePath } from './openapi-v2-protobuf.ts';

const schemas = [
  {
    name: 'a reference keeps its description and loses its default',
    schema: { allOf: [{ $ref: '#/components/schemas/io.x.Meta' }], description: 'about', default: {} },
    want: { $ref: '#/definitions/io.x.Meta', description: 'about' },
  },
  {
    name: 'members, items and additional properties are followed',
    schema: {
      type: 'object',
      required: ['a'],
      properties: {
        a: { type: 'array', items: { $ref: '#/components/schemas/X' } },
        b: { type: 'object', additionalProperties: { type: 'string', default: 'x' } },
      },
    },
    want: {
      type: 'object',
      required: ['a'],
      properties: {
        a: { type: 'array', items: { $ref: '#/definitions/X' } },
        b: { type: 'object', additionalProperties: { type: 'string' } },
      },
    },
  },
  {
    name: 'alternatives become a string, as for quantities',
    schema: { description: 'q', oneOf: [{ type: 'string' }, { type: 'number' }] },
    want: { description: 'q', type: 'string' },
  },
  {
    name: 'a number or a string of a custom resource has no type',
    schema: { 'x-kubernetes-int-or-string': true, anyOf: [{ type: 'integer' }, { type: 'string' }] },
    want: { 'x-kubernetes-int-or-string': true },
  },
  {
    name: 'an open object says nothing of its members',
    schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true, properties: { a: { type: 'string' } } },
    want: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
  },
  { name: 'what may be null has no type', schema: { type: 'string', nullable: true }, want: {} },
];

for (const { name, schema, want } of schemas)
  test(`OpenAPI v2: ${name}`, () => {
    assert.deepEqual(swaggerSchema(schema), want);
  });

test('the protobuf form has the field numbers of openapi.v2', () => {
  const definition = encodeDefinition('N', {
    type: 'object',
    required: ['a'],
    additionalProperties: { $ref: '#/definitions/M' },
    'x-y': [1],
  });
  // NamedSchema { name, value: Schema { type: [object], required, additional_properties { schema }, vendor_extension } }
  const schema = [
    ...[0xb2, 0x01, 8, 0x0a, 6, ...Buffer.from('object')],
    ...[0x9a, 0x01, 1, 0x61],
    ...[0xaa, 0x01, 19, 0x0a, 17, 0x0a, 15, ...Buffer.from('#/definitions/M')],
    ...[0xfa, 0x01, 12, 0x0a, 3, ...Buffer.from('x-y'), 0x12, 5, 0x12, 3, ...Buffer.from('[1]')],
  ];
  const want = [0x0a, 1, 0x4e, 0x12, schema.length, ...schema];
  assert.deepEqual([...definition], [0x0a, want.length, ...want]);

  const path = encodePath('/p', {
    get: { schemes: ['https'] },
    parameters: [{ name: 'n', in: 'path', required: true }],
  });
  const operation = [0x52, 5, ...Buffer.from('https')];
  const parameter = [
    0x0a,
    14,
    0x12,
    12,
    0x22,
    10,
    ...[0x22, 1, 0x6e],
    ...[0x12, 4, ...Buffer.from('path')],
    ...[0x08, 1],
  ];
  parameter.splice(1, 1, parameter.length - 2);
  parameter.splice(3, 1, parameter.length - 4);
  parameter.splice(5, 1, parameter.length - 6);
  const item = [0x12, operation.length, ...operation, 0x4a, parameter.length, ...parameter];
  const named = [0x0a, 2, ...Buffer.from('/p'), 0x12, item.length, ...item];
  assert.deepEqual([...path], [0x12, named.length, ...named]);

  const document = encodeDocument({ title: 'T', version: 'V' }, { definitions: [definition], paths: [path] });
  const head = [0x0a, 3, ...Buffer.from('2.0'), 0x12, 6, 0x0a, 1, 0x54, 0x12, 1, 0x56];
  assert.deepEqual([...document.subarray(0, head.length)], head);
});

const crd = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'widgets.example.com' },
  spec: {
    group: 'example.com',
    scope: 'Namespaced',
    names: { plural: 'widgets', kind: 'Widget' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: 'object', properties: { size: { type: 'integer', minimum: 1 } } } },
      },
    ],
  },
};

test('OpenAPI v2 is served as JSON with custom resources, and follows them', async () => {
  await using cluster = await testCluster();
  const before = await cluster.send('GET', '/openapi/v2');
  assert.equal(before.body['swagger'], '2.0');
  assert.equal(getObject(before.body, 'definitions')['com.example.v1.Widget'], undefined);
  assert.ok(getObject(before.body, 'paths')['/api/v1/namespaces/{namespace}/pods/{name}']);
  await cluster.send('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', { body: crd });
  const after = await cluster.send('GET', '/openapi/v2');
  const widget = getObject(after.body, 'definitions', 'com.example.v1.Widget');
  assert.deepEqual(getObject(widget, 'properties')['size'], { type: 'integer', minimum: 1 });
  assert.deepEqual(getObject(widget, 'properties')['metadata'], {
    $ref: '#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta',
  });
});

test('kubectl validates lists and unknown kinds by OpenAPI v2', async () => {
  await using cluster = await testCluster();
  const home = mkdtempSync(join(tmpdir(), 'drydock-openapi-'));
  try {
    const list = join(home, 'list.json');
    const item = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'in-list' } };
    writeFileSync(list, JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [item] }));
    const applied = await cluster.kubectl('apply', '-f', list);
    assert.equal(`${applied.out}${applied.err}`, 'configmap/in-list created\n');

    const bogus = { apiVersion: 'example.com/v1', kind: 'Bogus', metadata: { name: 'x' } };
    const refused = await cluster.kubectlIn(JSON.stringify(bogus), 'apply', '-f', '-');
    assert.match(refused.err, /no matches for kind "Bogus" in version "example.com\/v1"/);

    const explained = await cluster.kubectl('explain', 'pods.spec', '--output=plaintext-openapiv2');
    assert.equal(explained.code, 0, explained.err);
    assert.match(explained.out, /containers\s+<\[\]Object> -required-/);
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
});
