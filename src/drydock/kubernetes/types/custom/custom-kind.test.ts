import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '#base/json.ts';
import type { ApiObject, KindType } from '../../api/port.ts';
import { createTypeRegistry } from '../registry.ts';

const registry = createTypeRegistry();
const gvk = { group: 'shop.example', version: 'v1', kind: 'Order' };

function order(spec: JsonObject, root: JsonObject = {}): KindType {
  return registry.custom({
    gvk,
    openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object', ...spec } }, ...root },
    preserveUnknownFields: false,
  });
}

function decoded(type: KindType, spec: unknown): ApiObject {
  const { object } = type.decode({ apiVersion: 'shop.example/v1', kind: 'Order', metadata: { name: 'o' }, spec });
  type.applyDefaults(object);
  return object;
}

function findings(type: KindType, spec: unknown, old?: unknown): string[] {
  const object = decoded(type, spec);
  const errors = old === undefined ? type.validateCreate(object) : type.validateUpdate(object, decoded(type, old));
  return errors.map(({ field, message }) => `${field}: ${message}`);
}

test('unknown fields are pruned and told, but not where the schema keeps them', () => {
  const type = order({
    properties: {
      a: { type: 'string' },
      open: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
      list: { type: 'array', items: { type: 'object', properties: { b: { type: 'string' } } } },
      map: { type: 'object', additionalProperties: { type: 'string' } },
    },
  });
  const { object, unknownFields } = type.decode({
    metadata: { name: 'o', labels: { x: '1' }, extra: 1 },
    spec: { a: '1', b: '2', open: { any: { thing: null } }, list: [{ b: '1', c: '2' }], map: { k: 'v' } },
    more: true,
  });
  assert.deepEqual(unknownFields, ['metadata.extra', 'more', 'spec.b', 'spec.list[0].c']);
  assert.deepEqual(object, {
    apiVersion: 'shop.example/v1',
    kind: 'Order',
    metadata: { name: 'o', labels: { x: '1' } },
    spec: { a: '1', open: { any: { thing: null } }, list: [{ b: '1' }], map: { k: 'v' } },
  });
});

test('without a schema everything is kept', () => {
  const type = registry.custom({ gvk, openAPIV3Schema: undefined, preserveUnknownFields: true });
  const { object, unknownFields } = type.decode({ metadata: { name: 'o' }, anything: [1, { a: 2 }] });
  assert.deepEqual(unknownFields, []);
  assert.deepEqual(object['anything'], [1, { a: 2 }]);
});

test('defaults fill what is absent, and nulls that may not be', () => {
  const type = order({
    default: {},
    properties: {
      size: { type: 'integer', default: 1 },
      mode: { type: 'string', default: 'a' },
      note: { type: 'string' },
      maybe: { type: 'string', nullable: true, default: 'x' },
      items: { type: 'array', items: { type: 'object', properties: { n: { type: 'string', default: 'd' } } } },
    },
  });
  const spec = decoded(type, { mode: null, note: null, maybe: null, items: [{}] })['spec'];
  assert.deepEqual(spec, { size: 1, mode: 'a', maybe: null, items: [{ n: 'd' }] });
  const { object } = type.decode({ metadata: { name: 'o' } });
  type.applyDefaults(object);
  assert.deepEqual(object['spec'], { size: 1, mode: 'a', maybe: 'x' });
});

const rows: { name: string; schema: JsonObject; spec: unknown; want: string[] }[] = [
  {
    name: 'enum',
    schema: { properties: { m: { type: 'string', enum: ['a', 'b'] } } },
    spec: { m: 'c' },
    want: ['spec.m: Unsupported value: "c": supported values: "a", "b"'],
  },
  {
    name: 'limits of a number',
    schema: { properties: { a: { type: 'integer', maximum: 10 }, b: { type: 'integer', minimum: 1 } } },
    spec: { a: 11, b: 0 },
    want: [
      'spec.a: Invalid value: 11: spec.a in body should be less than or equal to 10',
      'spec.b: Invalid value: 0: spec.b in body should be greater than or equal to 1',
    ],
  },
  {
    name: 'type',
    schema: { properties: { a: { type: 'integer' } } },
    spec: { a: 'x' },
    want: ['spec.a: Invalid value: "string": spec.a in body must be of type integer: "string"'],
  },
  {
    name: 'format of a time',
    schema: { properties: { t: { type: 'string', format: 'date-time' } } },
    spec: { t: 'later' },
    want: ['spec.t: Invalid value: "later": spec.t in body must be of type date-time: "later"'],
  },
  {
    name: 'length and pattern',
    schema: {
      properties: {
        a: { type: 'string', maxLength: 2 },
        b: { type: 'string', pattern: '^x+$' },
        c: { type: 'string', minLength: 1 },
      },
    },
    spec: { a: 'abc', b: 'y', c: '' },
    want: [
      'spec.a: Too long: may not be more than 2 bytes',
      'spec.b: Invalid value: "y": spec.b in body should match \'^x+$\'',
      'spec.c: Invalid value: "": spec.c in body should be at least 1 chars long',
    ],
  },
  {
    name: 'required',
    schema: { required: ['a'], properties: { a: { type: 'string' } } },
    spec: {},
    want: ['spec.a: Required value'],
  },
  {
    name: 'sets and maps hold each item once',
    schema: {
      properties: {
        s: { type: 'array', items: { type: 'string' }, 'x-kubernetes-list-type': 'set' },
        m: {
          type: 'array',
          items: { type: 'object', properties: { k: { type: 'string' } } },
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['k'],
        },
      },
    },
    spec: { s: ['a', 'a'], m: [{ k: 'x' }, { k: 'x' }] },
    want: ['spec.s[1]: Duplicate value: "a"', 'spec.m[1]: Duplicate value: map[string]interface {}{"k":"x"}'],
  },
  {
    name: 'int or string',
    schema: { properties: { p: { 'x-kubernetes-int-or-string': true } } },
    spec: { p: true },
    want: ['spec.p: Invalid value: "boolean": spec.p in body must be of type integer,string: "boolean"'],
  },
  {
    name: 'one of several',
    schema: {
      properties: { a: { type: 'string' }, b: { type: 'string' } },
      oneOf: [{ required: ['a'] }, { required: ['b'] }],
    },
    spec: {},
    want: [
      '<nil>: Invalid value: "": "spec" must validate one and only one schema (oneOf). Found none valid',
      'spec.a: Required value',
    ],
  },
  {
    name: 'places in lists',
    schema: { properties: { l: { type: 'array', maxItems: 1, items: { type: 'integer' } } } },
    spec: { l: [1, 'x'] },
    want: [
      'spec.l[1]: Invalid value: "string": spec.l[1] in body must be of type integer: "string"',
      'spec.l: Too many: 2: must have at most 1 items',
    ],
  },
];

for (const { name, schema, spec, want } of rows) {
  test(`custom resource: ${name}`, () => assert.deepEqual(findings(order(schema), spec), want));
}

test('what was wrong before and did not change is tolerated on update', () => {
  const type = order({
    properties: { a: { type: 'integer', maximum: 10 }, b: { type: 'string' } },
  });
  assert.deepEqual(findings(type, { a: 11, b: 'new' }, { a: 11, b: 'old' }), []);
  assert.deepEqual(findings(type, { a: 12 }, { a: 11 }), [
    'spec.a: Invalid value: 12: spec.a in body should be less than or equal to 10',
  ]);
});

test('server-side apply follows list and map types of the schema', () => {
  const type = order({
    properties: {
      items: {
        type: 'array',
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['name'],
        items: { type: 'object', properties: { name: { type: 'string' }, v: { type: 'string' } } },
      },
      tags: { type: 'array', 'x-kubernetes-list-type': 'set', items: { type: 'string' } },
      plain: { type: 'array', items: { type: 'string' } },
      whole: { type: 'object', 'x-kubernetes-map-type': 'atomic', properties: { a: { type: 'string' } } },
    },
  });
  const apply = (live: ApiObject | undefined, spec: JsonObject, manager: string): ApiObject =>
    registry.fields.apply({
      type,
      live,
      applied: { apiVersion: 'shop.example/v1', kind: 'Order', metadata: { name: 'o' }, spec },
      manager,
      force: false,
      now: '2026-01-01T00:00:00Z',
    });
  const first = apply(
    undefined,
    { items: [{ name: 'a', v: '1' }], tags: ['x'], plain: ['p'], whole: { a: '1' } },
    'one',
  );
  assert.deepEqual(first.metadata.managedFields?.[0]?.fieldsV1, {
    'f:spec': {
      'f:items': { 'k:{"name":"a"}': { '.': {}, 'f:name': {}, 'f:v': {} } },
      'f:plain': {},
      'f:tags': { 'v:"x"': {} },
      'f:whole': {},
    },
  });
  const second = apply(first, { items: [{ name: 'b' }], tags: ['y'] }, 'two');
  assert.deepEqual(second['spec'], {
    items: [{ name: 'a', v: '1' }, { name: 'b' }],
    tags: ['x', 'y'],
    plain: ['p'],
    whole: { a: '1' },
  });
  assert.throws(() => apply(second, { plain: ['q'] }, 'two'), /conflict with "one": \.spec\.plain/);
  assert.throws(() => apply(second, { bogus: 1 }, 'two'), {
    code: 500,
    message:
      'failed to create typed patch object (/o; shop.example/v1, Kind=Order): .spec.bogus: field not declared in schema',
  });
});

test('what a schema leaves open is owned map by map, lists as a whole', () => {
  const type = order({ 'x-kubernetes-preserve-unknown-fields': true });
  const object = registry.fields.recordUpdate({
    type,
    old: undefined,
    updated: decoded(type, { a: { b: 1 }, l: [1, 2] }),
    manager: 'm',
    now: '2026-01-01T00:00:00Z',
  });
  assert.deepEqual(object.metadata.managedFields?.[0]?.fieldsV1, {
    'f:spec': { '.': {}, 'f:a': { '.': {}, 'f:b': {} }, 'f:l': {} },
  });
});

const sets: JsonObject = {
  properties: {
    tags: { type: 'array', 'x-kubernetes-list-type': 'set', items: { type: 'string' } },
    note: { type: 'string' },
    size: { type: 'integer', default: 3 },
    list: { type: 'array', items: { type: 'string' } },
  },
};

test('a list that its type makes no sense of is for the validation to find, not for the ownership', () => {
  const type = order(sets);
  const updated = decoded(type, { tags: [null] });
  const object = registry.fields.recordUpdate({ type, old: undefined, updated, manager: 'm', now: '' });
  assert.equal(object.metadata.managedFields, undefined);
  assert.deepEqual(
    type.validateCreate(object).map(({ field }) => field),
    ['spec.tags[0]'],
  );
});

test('nulls go when a body is read, but stay where an apply leaves them', () => {
  const type = order(sets);
  assert.deepEqual(decoded(type, { note: null, size: null, list: null })['spec'], { size: 3 });
  const applied = { apiVersion: 'shop.example/v1', kind: 'Order', metadata: { name: 'o' }, spec: { list: null } };
  const object = registry.fields.apply({ type, live: undefined, applied, manager: 'm', force: false, now: '' });
  type.applyDefaults(object);
  assert.deepEqual(object['spec'], { list: null, size: 3 });
  assert.deepEqual(
    type.validateCreate(object).map(({ field, message }) => `${field}: ${message}`),
    ['spec.list: Invalid value: "null": spec.list in body must be of type array: "null"'],
  );
});
