import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '#base/json.ts';
import type { ApiObject, KindType } from '../../api/port.ts';
import { createTypeRegistry } from '../registry.ts';

const registry = createTypeRegistry();
const gvk = { group: 'shop.example', version: 'v1', kind: 'Order' };

function order(spec: JsonObject): KindType {
  return registry.custom({
    gvk,
    openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object', ...spec } } },
    preserveUnknownFields: false,
  });
}

function decoded(type: KindType, spec: unknown): ApiObject {
  const { object } = type.decode({ apiVersion: 'shop.example/v1', kind: 'Order', metadata: { name: 'o' }, spec });
  type.applyDefaults(object);
  return object;
}

const rule = (text: string, more: JsonObject = {}): JsonObject => ({
  'x-kubernetes-validations': [{ rule: text, ...more }],
});
const integer: JsonObject = { type: 'integer' };

interface Row {
  name: string;
  schema: JsonObject;
  spec: unknown;
  old?: unknown;
  want: string[];
}

const rows: Row[] = [
  {
    name: 'a rule that holds',
    schema: { properties: { a: integer, b: integer }, ...rule('self.a <= self.b') },
    spec: { a: 1, b: 2 },
    want: [],
  },
  {
    name: 'a rule that does not, in its own words',
    schema: { properties: { a: integer, b: integer }, ...rule('self.a <= self.b') },
    spec: { a: 3, b: 2 },
    want: ['spec: Invalid value: "object": failed rule: self.a <= self.b'],
  },
  {
    name: 'message, reason and place',
    schema: {
      properties: { a: integer },
      ...rule('self.a > 1', { message: 'too few', reason: 'FieldValueForbidden', fieldPath: '.a' }),
    },
    spec: { a: 1 },
    want: ['spec.a: Forbidden: too few'],
  },
  {
    name: 'a message from the values',
    schema: {
      properties: { a: integer },
      ...rule('self.a > 1', { message: 'x', messageExpression: '"got " + string(self.a)' }),
    },
    spec: { a: 1 },
    want: ['spec: Invalid value: "object": got 1'],
  },
  {
    name: 'a message that fails gives way to the other',
    schema: {
      properties: { a: integer, l: { type: 'array', items: { type: 'string' } } },
      ...rule('self.a > 1', { message: 'x', messageExpression: 'self.l[0]' }),
    },
    spec: { a: 1, l: [] },
    want: ['spec: Invalid value: "object": x'],
  },
  {
    name: 'a rule that fails to run',
    schema: { properties: { m: { type: 'object', additionalProperties: integer } }, ...rule('self.m["x"] == 1') },
    spec: { m: {} },
    want: ['spec: Invalid value: "object": no such key: x evaluating rule: self.m["x"] == 1'],
  },
  {
    name: 'errors of the schema come first and keep rules from running',
    schema: { required: ['a'], properties: { a: integer, b: integer }, ...rule('self.a <= self.b') },
    spec: { b: 1 },
    want: [
      'spec.a: Required value',
      '<nil>: Invalid value: "null": some validation rules were not checked because the object was invalid; correct the existing errors to complete validation',
    ],
  },
  {
    name: 'rules on scalars, in lists and maps',
    schema: {
      properties: {
        l: { type: 'array', items: { type: 'string', ...rule('self != "x"') } },
        m: { type: 'object', additionalProperties: { ...integer, ...rule('self > 0') } },
      },
    },
    spec: { l: ['a', 'x'], m: { k: 0 } },
    want: [
      'spec.l[1]: Invalid value: "string": failed rule: self != "x"',
      'spec.m[k]: Invalid value: "integer": failed rule: self > 0',
    ],
  },
  {
    name: 'a transition is not looked at on create',
    schema: { properties: { a: { ...integer, ...rule('self == oldSelf') } } },
    spec: { a: 1 },
    want: [],
  },
  {
    name: 'a transition on update',
    schema: { properties: { a: { ...integer, ...rule('self == oldSelf', { message: 'a is immutable' }) } } },
    spec: { a: 2 },
    old: { a: 1 },
    want: ['spec.a: Invalid value: "integer": a is immutable'],
  },
  {
    name: 'a transition of what was not there is not looked at',
    schema: { properties: { a: { ...integer, ...rule('self == oldSelf') } } },
    spec: { a: 2 },
    old: {},
    want: [],
  },
  {
    name: 'unless it says that it wants to be',
    schema: {
      properties: {
        a: { ...integer, ...rule('oldSelf.hasValue() && oldSelf.value() == self', { optionalOldSelf: true }) },
      },
    },
    spec: { a: 2 },
    old: {},
    want: ['spec.a: Invalid value: "integer": failed rule: oldSelf.hasValue() && oldSelf.value() == self'],
  },
  {
    name: 'items of a map list are told by their key',
    schema: {
      properties: {
        l: {
          type: 'array',
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['k'],
          items: {
            type: 'object',
            required: ['k'],
            properties: { k: { type: 'string' }, v: { ...integer, ...rule('self >= oldSelf') } },
          },
        },
      },
    },
    spec: {
      l: [
        { k: 'b', v: 1 },
        { k: 'a', v: 5 },
      ],
    },
    old: {
      l: [
        { k: 'a', v: 4 },
        { k: 'b', v: 2 },
      ],
    },
    want: ['spec.l[0].v: Invalid value: "integer": failed rule: self >= oldSelf'],
  },
  {
    name: 'what did not change is tolerated',
    schema: {
      properties: { a: { ...integer, ...rule('self > 1') }, b: integer },
    },
    spec: { a: 1, b: 2 },
    old: { a: 1, b: 1 },
    want: [],
  },
  {
    name: 'a rule about a whole of which something changed is not',
    schema: { properties: { a: integer, b: integer }, ...rule('self.a > 1') },
    spec: { a: 1, b: 2 },
    old: { a: 1, b: 1 },
    want: ['spec: Invalid value: "object": failed rule: self.a > 1'],
  },
  {
    name: 'defaults are filled before',
    schema: { properties: { a: { ...integer, default: 7 } }, ...rule('self.a == 7') },
    spec: {},
    want: [],
  },
  {
    name: 'too much work ends it',
    schema: {
      properties: { l: { type: 'array', items: integer } },
      ...rule('self.l.all(a, self.l.all(b, self.l.all(c, a + b + c >= 0)))'),
    },
    spec: { l: Array.from({ length: 200 }, (_, index) => index) },
    want: [
      'spec: Invalid value: "object": \'operation cancelled: actual cost limit exceeded\': no further validation rules will be run due to call cost exceeds limit for rule: self.l.all(a, self.l.all(b, self.l.all(c, a + b + c >= 0)))',
    ],
  },
];

for (const { name, schema, spec, old, want } of rows) {
  test(`rules of a custom resource: ${name}`, () => {
    const type = order(schema);
    const object = decoded(type, spec);
    const errors = old === undefined ? type.validateCreate(object) : type.validateUpdate(object, decoded(type, old));
    assert.deepEqual(
      errors.map(({ field, message }) => `${field}: ${message}`),
      want,
    );
  });
}
