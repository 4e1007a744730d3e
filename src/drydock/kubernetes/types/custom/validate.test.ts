import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '#base/json.ts';
import { createTypeRegistry } from '../registry.ts';

const registry = createTypeRegistry();

function findings(schema: JsonObject, spec: JsonObject, old?: JsonObject): string[] {
  const type = registry.custom({
    gvk: { group: 'shop.example', version: 'v1', kind: 'Order' },
    openAPIV3Schema: {
      type: 'object',
      properties: { spec: { type: 'object', properties: { v: schema, w: { type: 'integer' } } } },
    },
    preserveUnknownFields: false,
  });
  const stored = (value: JsonObject) => {
    const { object } = type.decode({ metadata: { name: 'o' }, spec: structuredClone(value) });
    type.applyDefaults(object);
    return object;
  };
  const errors = old === undefined ? type.validateCreate(stored(spec)) : type.validateUpdate(stored(spec), stored(old));
  return errors.map(({ field, message }) => `${field}: ${message}`).sort();
}

const rows: [JsonObject, unknown, string[]][] = [
  [
    { type: 'integer', minimum: 1 },
    0,
    ['spec.v: Invalid value: 0: spec.v in body should be greater than or equal to 1'],
  ],
  [
    { type: 'integer', minimum: 1, exclusiveMinimum: true },
    1,
    ['spec.v: Invalid value: 1: spec.v in body should be greater than 1'],
  ],
  [{ type: 'integer', maximum: 5 }, 6, ['spec.v: Invalid value: 6: spec.v in body should be less than or equal to 5']],
  [
    { type: 'integer', maximum: 5, exclusiveMaximum: true },
    5,
    ['spec.v: Invalid value: 5: spec.v in body should be less than 5'],
  ],
  [{ type: 'integer', multipleOf: 3 }, 4, ['spec.v: Invalid value: 4: spec.v in body should be a multiple of 3']],
  [{ type: 'integer', multipleOf: 3 }, 6, []],
  [{ type: 'integer', format: 'int32' }, 2147483648, []],
  [{ type: 'integer', format: 'int32' }, -2147483649, []],
  [{ type: 'integer', format: 'int64' }, 9007199254740991, []],
  [{ type: 'integer' }, 1.5, ['spec.v: Invalid value: "number": spec.v in body must be of type integer: "number"']],
  [{ type: 'integer' }, '1', ['spec.v: Invalid value: "string": spec.v in body must be of type integer: "string"']],
  [{ type: 'integer' }, true, ['spec.v: Invalid value: "boolean": spec.v in body must be of type integer: "boolean"']],
  [{ type: 'integer' }, null, []],
  [{ type: 'integer', nullable: true }, null, []],
  [{ type: 'integer', enum: [1, 2] }, 3, ['spec.v: Unsupported value: 3: supported values: "1", "2"']],
  [{ type: 'integer', enum: [1, 2] }, 2, []],
  [{ type: 'number' }, 1, []],
  [
    { type: 'number', minimum: 0.5 },
    0.25,
    ['spec.v: Invalid value: 0.25: spec.v in body should be greater than or equal to 0.5'],
  ],
  [{ type: 'number', maximum: 1.5 }, 2, ['spec.v: Invalid value: 2: spec.v in body should be less than or equal to 1']],
  [
    { type: 'number', multipleOf: 0.1 },
    0.35,
    ['spec.v: Invalid value: 0.35: spec.v in body should be a multiple of 0.1'],
  ],
  [{ type: 'number', multipleOf: 0.5 }, 1.5, []],
  [{ type: 'number', format: 'float' }, 1e300, []],
  [{ type: 'number', enum: [1.5] }, 2, ['spec.v: Unsupported value: 2: supported values: "1.5"']],
  [{ type: 'number' }, 'x', ['spec.v: Invalid value: "string": spec.v in body must be of type number: "string"']],
  [
    { type: 'string', minLength: 2 },
    'a',
    ['spec.v: Invalid value: "a": spec.v in body should be at least 2 chars long'],
  ],
  [{ type: 'string', maxLength: 2 }, 'abc', ['spec.v: Too long: may not be more than 2 bytes']],
  [{ type: 'string', maxLength: 2 }, '\u00e9\u00e9', []],
  [{ type: 'string', pattern: '^a+$' }, 'b', ['spec.v: Invalid value: "b": spec.v in body should match \'^a+$\'']],
  [
    { type: 'string', minLength: 3, pattern: '^a+$' },
    'b',
    ['spec.v: Invalid value: "b": spec.v in body should be at least 3 chars long'],
  ],
  [
    { type: 'string', maxLength: 1, pattern: '^a+$', enum: ['q'] },
    'bb',
    ['spec.v: Too long: may not be more than 1 bytes', 'spec.v: Unsupported value: "bb": supported values: "q"'],
  ],
  [{ type: 'string', enum: ['a', 'b'] }, 'c', ['spec.v: Unsupported value: "c": supported values: "a", "b"']],
  [{ type: 'string' }, 1, ['spec.v: Invalid value: "integer": spec.v in body must be of type string: "integer"']],
  [{ type: 'string' }, ['a'], ['spec.v: Invalid value: "array": spec.v in body must be of type string: "array"']],
  [{ type: 'string' }, { a: 1 }, ['spec.v: Invalid value: "object": spec.v in body must be of type string: "object"']],
  [
    { type: 'string', format: 'date', minLength: 20 },
    'x',
    [
      'spec.v: Invalid value: "x": spec.v in body must be of type date: "x"',
      'spec.v: Invalid value: "x": spec.v in body should be at least 20 chars long',
    ],
  ],
  [
    { type: 'string', format: 'date' },
    5,
    ['spec.v: Invalid value: "int64": spec.v in body must be of type date: "int64"'],
  ],
  [{ type: 'boolean' }, 'true', ['spec.v: Invalid value: "string": spec.v in body must be of type boolean: "string"']],
  [{ type: 'boolean' }, 1, ['spec.v: Invalid value: "integer": spec.v in body must be of type boolean: "integer"']],
  [
    { type: 'array', items: { type: 'string' }, minItems: 1 },
    [],
    ['spec.v: Invalid value: 0: spec.v in body should have at least 1 items'],
  ],
  [
    { type: 'array', items: { type: 'string' }, maxItems: 1 },
    ['a', 'b'],
    ['spec.v: Too many: 2: must have at most 1 items'],
  ],
  [
    { type: 'array', items: { type: 'string', maxLength: 1 }, maxItems: 1 },
    ['aa', 'b'],
    ['spec.v: Too many: 2: must have at most 1 items', 'spec.v[0]: Too long: may not be more than 1 bytes'],
  ],
  [
    { type: 'array', items: { type: 'string' } },
    'a',
    ['spec.v: Invalid value: "string": spec.v in body must be of type array: "string"'],
  ],
  [
    { type: 'array', items: { type: 'string' } },
    [1, 'a', null],
    [
      'spec.v[0]: Invalid value: "integer": spec.v[0] in body must be of type string: "integer"',
      'spec.v[2]: Invalid value: "null": spec.v[2] in body must be of type string: "null"',
    ],
  ],
  [{ type: 'array', items: { type: 'string' } }, null, []],
  [{ type: 'array', items: { type: 'string', nullable: true } }, [null], []],
  [
    { type: 'array', items: { type: 'string' }, 'x-kubernetes-list-type': 'set' },
    ['a', 'a', 'a'],
    ['spec.v[1]: Duplicate value: "a"'],
  ],
  [
    { type: 'array', items: { type: 'integer' }, 'x-kubernetes-list-type': 'set' },
    [1, 2, 1],
    ['spec.v[2]: Duplicate value: 1'],
  ],
  [
    { type: 'array', items: { type: 'array', items: { type: 'integer' } }, 'x-kubernetes-list-type': 'set' },
    [[1], [1]],
    ['spec.v[1]: Duplicate value: []interface {}{1}'],
  ],
  [
    {
      type: 'array',
      items: { type: 'object', 'x-kubernetes-map-type': 'atomic', properties: { a: { type: 'string' } } },
      'x-kubernetes-list-type': 'set',
    },
    [{ a: '1' }, { a: '1' }],
    ['spec.v[1]: Duplicate value: map[string]interface {}{"a":"1"}'],
  ],
  [
    {
      type: 'array',
      items: {
        type: 'object',
        required: ['a'],
        properties: { a: { type: 'string' }, b: { type: 'integer', default: 1 }, c: { type: 'string' } },
      },
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['a', 'b'],
    },
    [{ a: '1' }, { a: '1', b: 1 }, { a: '1', b: 2 }],
    ['spec.v[1]: Duplicate value: map[string]interface {}{"a":"1", "b":1}'],
  ],
  [
    { type: 'object', properties: { a: { type: 'string' } }, required: ['a', 'b'] },
    {},
    ['spec.v.a: Required value', 'spec.v.b: Required value'],
  ],
  [
    { type: 'object', minProperties: 1, additionalProperties: { type: 'string' } },
    {},
    ['spec.v: Invalid value: 0: spec.v in body should have at least 1 properties'],
  ],
  [
    { type: 'object', maxProperties: 1, additionalProperties: { type: 'string' } },
    { a: '1', b: '2' },
    ['spec.v: Too many: 2: must have at most 1 items'],
  ],
  [
    { type: 'object', additionalProperties: { type: 'string' } },
    { a: 1 },
    ['spec.v.a: Invalid value: "integer": spec.v.a in body must be of type string: "integer"'],
  ],
  [
    {
      type: 'object',
      additionalProperties: { type: 'object', required: ['z'], properties: { z: { type: 'string' } } },
    },
    { a: {}, 'b.c': { z: 1 } },
    [
      'spec.v.a.z: Required value',
      'spec.v.b.c.z: Invalid value: "integer": spec.v.b.c.z in body must be of type string: "integer"',
    ],
  ],
  [{ type: 'object', additionalProperties: true }, { a: 1 }, []],
  [{ type: 'object' }, [], ['spec.v: Invalid value: "array": spec.v in body must be of type object: "array"']],
  [{ type: 'object' }, 'x', ['spec.v: Invalid value: "string": spec.v in body must be of type object: "string"']],
  [{ 'x-kubernetes-int-or-string': true }, 1, []],
  [{ 'x-kubernetes-int-or-string': true }, '1', []],
  [
    { 'x-kubernetes-int-or-string': true },
    1.5,
    ['spec.v: Invalid value: "number": spec.v in body must be of type integer,string: "number"'],
  ],
  [
    { 'x-kubernetes-int-or-string': true },
    true,
    ['spec.v: Invalid value: "boolean": spec.v in body must be of type integer,string: "boolean"'],
  ],
  [
    { 'x-kubernetes-int-or-string': true, pattern: '^\\d+%$' },
    '5',
    ['spec.v: Invalid value: "5": spec.v in body should match \'^\\d+%$\''],
  ],
  [
    { 'x-kubernetes-int-or-string': true, maximum: 3 },
    5,
    ['spec.v: Invalid value: 5: spec.v in body should be less than or equal to 3'],
  ],
  [{ 'x-kubernetes-int-or-string': true, anyOf: [{ type: 'integer' }, { type: 'string' }] }, 'x', []],
  [
    { 'x-kubernetes-int-or-string': true, anyOf: [{ type: 'integer' }, { type: 'string' }] },
    true,
    [
      '<nil>: Invalid value: "": "spec.v" must validate at least one schema (anyOf)',
      'spec.v: Invalid value: "boolean": spec.v in body must be of type integer,string: "boolean"',
      'spec.v: Invalid value: "boolean": spec.v in body must be of type integer: "boolean"',
    ],
  ],
  [{ 'x-kubernetes-preserve-unknown-fields': true }, { a: [1, null] }, []],
  [{ 'x-kubernetes-preserve-unknown-fields': true }, null, []],
  [{ type: 'object', 'x-kubernetes-preserve-unknown-fields': true }, { a: null }, []],
  [
    { type: 'string', anyOf: [{ minLength: 5 }, { pattern: '^x' }] },
    'abc',
    [
      '<nil>: Invalid value: "": "spec.v" must validate at least one schema (anyOf)',
      'spec.v: Invalid value: "abc": spec.v in body should be at least 5 chars long',
    ],
  ],
  [
    { type: 'string', oneOf: [{ minLength: 1 }, { maxLength: 9 }] },
    'abc',
    ['<nil>: Invalid value: "": "spec.v" must validate one and only one schema (oneOf). Found 2 valid alternatives'],
  ],
  [
    { type: 'string', oneOf: [{ minLength: 5 }, { pattern: '^x' }] },
    'abc',
    [
      '<nil>: Invalid value: "": "spec.v" must validate one and only one schema (oneOf). Found none valid',
      'spec.v: Invalid value: "abc": spec.v in body should be at least 5 chars long',
    ],
  ],
  [
    { type: 'string', allOf: [{ minLength: 5 }, { pattern: '^x' }] },
    'abc',
    [
      '<nil>: Invalid value: "": "spec.v" must validate all the schemas (allOf). None validated',
      'spec.v: Invalid value: "abc": spec.v in body should be at least 5 chars long',
      'spec.v: Invalid value: "abc": spec.v in body should match \'^x\'',
    ],
  ],
  [
    { type: 'string', allOf: [{ minLength: 5 }, { pattern: '^a' }] },
    'abc',
    [
      '<nil>: Invalid value: "": "spec.v" must validate all the schemas (allOf)',
      'spec.v: Invalid value: "abc": spec.v in body should be at least 5 chars long',
    ],
  ],
  [
    { type: 'string', not: { minLength: 2 } },
    'abc',
    ['<nil>: Invalid value: "": "spec.v" must not validate the schema (not)'],
  ],
  [
    { type: 'string', not: { enum: ['abc'] } },
    'abc',
    ['<nil>: Invalid value: "": "spec.v" must not validate the schema (not)'],
  ],
  [
    { type: 'integer', anyOf: [{ minimum: 5 }, { maximum: 1 }] },
    3,
    [
      '<nil>: Invalid value: "": "spec.v" must validate at least one schema (anyOf)',
      'spec.v: Invalid value: 3: spec.v in body should be greater than or equal to 5',
    ],
  ],
  [
    {
      type: 'object',
      properties: { a: { type: 'string' }, b: { type: 'string' } },
      oneOf: [{ required: ['a'] }, { required: ['b'] }],
    },
    {},
    [
      '<nil>: Invalid value: "": "spec.v" must validate one and only one schema (oneOf). Found none valid',
      'spec.v.a: Required value',
    ],
  ],
  [
    {
      type: 'object',
      properties: { a: { type: 'string' }, b: { type: 'string' } },
      oneOf: [{ required: ['a'] }, { required: ['b'] }],
    },
    { a: '1', b: '2' },
    ['<nil>: Invalid value: "": "spec.v" must validate one and only one schema (oneOf). Found 2 valid alternatives'],
  ],
  [
    {
      type: 'object',
      properties: { a: { type: 'string' }, b: { type: 'string' } },
      anyOf: [{ required: ['a'] }, { required: ['b'] }],
    },
    {},
    ['<nil>: Invalid value: "": "spec.v" must validate at least one schema (anyOf)', 'spec.v.a: Required value'],
  ],
  [
    { type: 'object', properties: { a: { type: 'string' }, b: { type: 'string' } }, not: { required: ['a'] } },
    { a: '1' },
    ['<nil>: Invalid value: "": "spec.v" must not validate the schema (not)'],
  ],
  [
    {
      type: 'object',
      properties: { a: { type: 'string' } },
      anyOf: [{ properties: { a: { enum: ['x'] } } }, { properties: { a: { enum: ['y'] } } }],
    },
    { a: 'q' },
    [
      '<nil>: Invalid value: "": "spec.v" must validate at least one schema (anyOf)',
      'spec.v.a: Unsupported value: "q": supported values: "x"',
    ],
  ],
  [
    { type: 'array', items: { type: 'string' }, allOf: [{ items: { enum: ['x'] } }] },
    ['q'],
    [
      '<nil>: Invalid value: "": "spec.v" must validate all the schemas (allOf). None validated',
      'spec.v[0]: Unsupported value: "q": supported values: "x"',
    ],
  ],
  [
    { type: 'object', 'x-kubernetes-embedded-resource': true, 'x-kubernetes-preserve-unknown-fields': true },
    { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'x' }, spec: { a: 1 } },
    [],
  ],
  [
    { type: 'object', 'x-kubernetes-embedded-resource': true, 'x-kubernetes-preserve-unknown-fields': true },
    {},
    ['spec.v.apiVersion: Required value: must not be empty', 'spec.v.kind: Required value: must not be empty'],
  ],
  [
    { type: 'object', 'x-kubernetes-embedded-resource': true, 'x-kubernetes-preserve-unknown-fields': true },
    { apiVersion: 'a/b/c', kind: '9x', metadata: { name: 'a/b', labels: { 'a b': 'c' } } },
    [
      'spec.v.apiVersion: Invalid value: "a/b/c": unexpected GroupVersion string: a/b/c',
      "spec.v.kind: Invalid value: \"9x\": may have mixed case, but should otherwise match: a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')",
      "spec.v.metadata.labels: Invalid value: \"a b\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
      'spec.v.metadata.name: Invalid value: "a/b": may not contain \'/\'',
    ],
  ],
  [
    { type: 'object', 'x-kubernetes-embedded-resource': true, 'x-kubernetes-preserve-unknown-fields': true },
    { apiVersion: '', kind: '' },
    ['spec.v.apiVersion: Invalid value: "": must not be empty', 'spec.v.kind: Invalid value: "": must not be empty'],
  ],
  [
    {
      type: 'object',
      'x-kubernetes-embedded-resource': true,
      properties: { spec: { type: 'object', properties: { a: { type: 'string' } } } },
    },
    { apiVersion: 'v1', kind: 'X', spec: { a: '1', b: 2 }, z: 1 },
    [],
  ],
  [{ type: 'string', default: 'x' }, null, []],
  [{ type: 'object', properties: { a: { type: 'integer', default: 3 } }, default: {} }, null, []],
  [{ type: 'string', default: 'x', nullable: true }, null, []],
];

for (const [schema, value, want] of rows) {
  test(`${JSON.stringify(value)} by ${JSON.stringify(schema)}`, () =>
    assert.deepEqual(findings(schema, { v: value }), want));
}

/** What is written, what was stored, and what is wrong with the change. */
const updates: [JsonObject, unknown, unknown, string[]][] = [
  [{ type: 'integer', maximum: 5 }, 9, 9, []],
  [
    { type: 'integer', maximum: 5 },
    9,
    8,
    ['spec.v: Invalid value: 9: spec.v in body should be less than or equal to 5'],
  ],
  [{ type: 'array', items: { type: 'integer', maximum: 5 } }, [9], [9], []],
  [
    { type: 'array', items: { type: 'integer', maximum: 5 } },
    [9, 1],
    [9],
    ['spec.v[0]: Invalid value: 9: spec.v[0] in body should be less than or equal to 5'],
  ],
  [
    {
      type: 'array',
      items: {
        type: 'object',
        required: ['k'],
        properties: { k: { type: 'string' }, v: { type: 'integer', maximum: 5 } },
      },
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['k'],
    },
    [
      { k: 'a', v: 9 },
      { k: 'b', v: 1 },
    ],
    [{ k: 'a', v: 9 }],
    [],
  ],
  [
    {
      type: 'array',
      items: {
        type: 'object',
        required: ['k'],
        properties: { k: { type: 'string' }, v: { type: 'integer', maximum: 5 } },
      },
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['k'],
    },
    [
      { k: 'b', v: 9 },
      { k: 'a', v: 9 },
    ],
    [{ k: 'a', v: 9 }],
    ['spec.v[0].v: Invalid value: 9: spec.v[0].v in body should be less than or equal to 5'],
  ],
  [
    {
      type: 'array',
      items: {
        type: 'object',
        required: ['k'],
        properties: { k: { type: 'string' }, v: { type: 'integer', maximum: 5 } },
      },
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['k'],
    },
    [{ k: 'a' }, { k: 'a' }],
    [{ k: 'a' }, { k: 'a' }],
    [],
  ],
  [
    {
      type: 'array',
      items: {
        type: 'object',
        required: ['k'],
        properties: { k: { type: 'string' }, v: { type: 'integer', maximum: 5 } },
      },
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['k'],
    },
    [{ k: 'a' }, { k: 'a' }],
    [{ k: 'a' }],
    ['spec.v[1]: Duplicate value: map[string]interface {}{"k":"a"}'],
  ],
  [
    { type: 'object', properties: { a: { type: 'string' }, b: { type: 'string' } }, required: ['a'] },
    { b: '1' },
    { b: '1' },
    [],
  ],
  [
    { type: 'object', properties: { a: { type: 'string' }, b: { type: 'string' } }, required: ['a'] },
    { b: '2' },
    { b: '1' },
    ['spec.v.a: Required value'],
  ],
  [{ type: 'object', additionalProperties: { type: 'integer', maximum: 5 } }, { x: 9, y: 1 }, { x: 9 }, []],
  [
    {
      type: 'object',
      properties: { a: { type: 'integer' }, b: { type: 'integer' } },
      anyOf: [{ required: ['a'] }, { properties: { b: { minimum: 3 } } }],
    },
    { b: 1 },
    { b: 1 },
    [],
  ],
  [
    {
      type: 'object',
      properties: { a: { type: 'integer' }, b: { type: 'integer', maximum: 5 } },
      anyOf: [{ required: ['a'] }, { properties: { b: { minimum: 30 } } }],
    },
    { b: 9 },
    { b: 9 },
    [],
  ],
];

for (const [schema, value, old, want] of updates) {
  test(`from ${JSON.stringify(old)} to ${JSON.stringify(value)} by ${JSON.stringify(schema)}`, () =>
    assert.deepEqual(findings(schema, { v: value, w: 2 }, { v: old, w: 1 }), want));
}
