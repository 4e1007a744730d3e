import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '#base/json.ts';
import { getArray, isObject, parseJson } from '#base/json.ts';
import type { ApiObject } from '../../api/port.ts';
import { validateDefinition } from './definition.ts';

const schema: JsonObject = {
  type: 'object',
  properties: {
    spec: { type: 'object', properties: { a: { type: 'string' }, n: { type: 'integer' } } },
    status: { type: 'object', properties: { n: { type: 'integer' }, s: { type: 'string' } } },
  },
};
const names = { plural: 'orders', singular: 'order', kind: 'Order', listKind: 'OrderList' };

function definition(): ApiObject {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'orders.shop.example' },
    spec: {
      group: 'shop.example',
      scope: 'Namespaced',
      names,
      conversion: { strategy: 'None' },
      versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: schema } }],
    },
  };
}

/** Objects are merged, everything else is replaced; null takes away. */
function changed(base: unknown, change: unknown): unknown {
  if (!isObject(base) || !isObject(change)) return change;
  const out: JsonObject = { ...base };
  for (const [name, value] of Object.entries(change)) {
    if (value === null) delete out[name];
    else out[name] = changed(base[name], value);
  }
  return out;
}

function apply(base: ApiObject, change: JsonObject): ApiObject {
  const { metadata, ...rest } = base;
  const out = changed(rest, change);
  return {
    apiVersion: base.apiVersion,
    kind: base.kind,
    ...(isObject(out) ? out : {}),
    metadata: { ...metadata, ...(isObject(change['metadata']) ? change['metadata'] : {}) },
  };
}

const texts = (errors: ReturnType<typeof validateDefinition>): string[] =>
  errors.map(({ field, message }) => `${field}: ${message}`).sort();

/** How a good definition is changed, and what is wrong with it then. */
const rows: [string, string, string][] = [
  [
    `name`,
    `{"metadata": {"name": "x"}}`,
    `metadata.name: Invalid value: "x": must be spec.names.plural+"."+spec.group`,
  ],
  [
    `group`,
    `{"metadata": {"name": "orders.x"}, "spec": {"group": "x"}}`,
    `spec.group: Invalid value: "x": should be a domain with at least one dot`,
  ],
  [
    `scope`,
    `{"spec": {"scope": "Foo"}}`,
    `spec.scope: Unsupported value: "Foo": supported values: "Cluster", "Namespaced"`,
  ],
  [`noscope`, `{"spec": {"scope": ""}}`, `spec.scope: Required value`],
  [
    `names singular`,
    `{"spec": {"names": {"singular": "Order"}}}`,
    `spec.names.singular: Invalid value: "Order": a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')`,
  ],
  [
    `names kind`,
    `{"spec": {"names": {"kind": "9x"}}}`,
    `spec.names.kind: Invalid value: "9x": may have mixed case, but should otherwise match: a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')`,
  ],
  [
    `names listKind`,
    `{"spec": {"names": {"listKind": "Order"}}}`,
    `spec.names.listKind: Invalid value: "Order": kind and listKind may not be the same`,
  ],
  [
    `shortNames`,
    `{"spec": {"names": {"shortNames": ["A", "b"], "categories": ["all", "B_"]}}}`,
    `spec.names.categories[1]: Invalid value: "B_": a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')
spec.names.shortNames[0]: Invalid value: "A": a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')`,
  ],
  [
    `version name`,
    `{"spec": {"versions": [{"name": "V1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "string"}, "n": {"type": "integer"}}}, "status": {"type": "object", "properties": {"n": {"type": "integer"}, "s": {"type": "string"}}}}}}}]}}`,
    `spec.version: Invalid value: "V1": a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')
spec.versions[0].name: Invalid value: "V1": a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')`,
  ],
  [
    `two identical`,
    `{"spec": {"versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "string"}, "n": {"type": "integer"}}}, "status": {"type": "object", "properties": {"n": {"type": "integer"}, "s": {"type": "string"}}}}}}}, {"name": "v2", "served": true, "storage": false, "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "string"}, "n": {"type": "integer"}}}, "status": {"type": "object", "properties": {"n": {"type": "integer"}, "s": {"type": "string"}}}}}}}]}}`,
    ``,
  ],
  [
    `two different`,
    `{"spec": {"versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "string"}, "n": {"type": "integer"}}}, "status": {"type": "object", "properties": {"n": {"type": "integer"}, "s": {"type": "string"}}}}}}}, {"name": "v2", "served": true, "storage": false, "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": {"type": "object", "properties": {"x": {}}}}}}}]}}`,
    `spec.versions[1].schema.openAPIV3Schema.properties[spec].properties[x].type: Required value: must not be empty for specified object fields`,
  ],
  [
    `two different cols`,
    `{"spec": {"versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "string"}, "n": {"type": "integer"}}}, "status": {"type": "object", "properties": {"n": {"type": "integer"}, "s": {"type": "string"}}}}}}, "additionalPrinterColumns": [{"name": "A", "type": "x", "jsonPath": "a"}]}, {"name": "v2", "served": true, "storage": false, "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": {"type": "object", "properties": {"x": {}}}}}}, "selectableFields": [{"jsonPath": ".spec.zz"}]}]}}`,
    `spec.versions[0].additionalPrinterColumns[0].JSONPath: Invalid value: "a": must be a simple json path starting with .
spec.versions[0].additionalPrinterColumns[0].type: Invalid value: "x": must be one of boolean,date,integer,number,string
spec.versions[1].schema.openAPIV3Schema.properties[spec].properties[x].type: Required value: must not be empty for specified object fields
spec.versions[1].selectableFields[0].jsonPath: Invalid value: ".spec.zz": is an invalid path: does not refer to a valid field`,
  ],
  [
    `noschema`,
    `{"spec": {"versions": [{"name": "v1", "served": true, "storage": true, "schema": null}]}}`,
    `spec.versions[0].schema.openAPIV3Schema: Required value: schemas are required`,
  ],
  [
    `deprecated`,
    `{"spec": {"versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "string"}, "n": {"type": "integer"}}}, "status": {"type": "object", "properties": {"n": {"type": "integer"}, "s": {"type": "string"}}}}}}, "deprecated": true, "deprecationWarning": "use v2"}]}}`,
    ``,
  ],
  [
    `dep not`,
    `{"spec": {"versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "string"}, "n": {"type": "integer"}}}, "status": {"type": "object", "properties": {"n": {"type": "integer"}, "s": {"type": "string"}}}}}}, "deprecationWarning": "use v2"}]}}`,
    `spec.versions[0].deprecationWarning: Invalid value: "use v2": can only be set for deprecated versions`,
  ],
  [
    `dep long`,
    `{"spec": {"versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "string"}, "n": {"type": "integer"}}}, "status": {"type": "object", "properties": {"n": {"type": "integer"}, "s": {"type": "string"}}}}}}, "deprecated": true, "deprecationWarning": "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}]}}`,
    `spec.versions[0].deprecationWarning: Invalid value: "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx": must be <= 256 characters long`,
  ],
  [
    `dep empty`,
    `{"spec": {"versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "string"}, "n": {"type": "integer"}}}, "status": {"type": "object", "properties": {"n": {"type": "integer"}, "s": {"type": "string"}}}}}}, "deprecated": true, "deprecationWarning": ""}]}}`,
    `spec.versions[0].deprecationWarning: Invalid value: "": must not be an empty string`,
  ],
  [
    `dep nl`,
    `{"spec": {"versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "string"}, "n": {"type": "integer"}}}, "status": {"type": "object", "properties": {"n": {"type": "integer"}, "s": {"type": "string"}}}}}}, "deprecated": true, "deprecationWarning": "a\\nb"}]}}`,
    `spec.versions[0].deprecationWarning: Invalid value: "a\\nb": must only contain printable UTF-8 characters; non-printable character found at index 1`,
  ],
  [
    `cols`,
    `{"spec": {"versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "string"}, "n": {"type": "integer"}}}, "status": {"type": "object", "properties": {"n": {"type": "integer"}, "s": {"type": "string"}}}}}}, "additionalPrinterColumns": [{"name": "A", "type": "string", "jsonPath": ".spec.a"}, {"name": "", "type": "", "jsonPath": ""}, {"name": "B", "type": "foo", "format": "bar", "jsonPath": "spec.a"}, {"name": "C", "type": "date", "format": "date-time", "jsonPath": ".x[?(@.y==\\"z\\")].w"}]}]}}`,
    `spec.additionalPrinterColumns[1].JSONPath: Required value
spec.additionalPrinterColumns[1].name: Required value
spec.additionalPrinterColumns[1].type: Required value: must be one of boolean,date,integer,number,string
spec.additionalPrinterColumns[2].JSONPath: Invalid value: "spec.a": must be a simple json path starting with .
spec.additionalPrinterColumns[2].format: Invalid value: "bar": must be one of byte,date,date-time,double,float,int32,int64,password
spec.additionalPrinterColumns[2].type: Invalid value: "foo": must be one of boolean,date,integer,number,string`,
  ],
  [
    `scale ok`,
    `{"spec": {"versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "string"}, "n": {"type": "integer"}}}, "status": {"type": "object", "properties": {"n": {"type": "integer"}, "s": {"type": "string"}}}}}}, "subresources": {"scale": {"specReplicasPath": ".spec.n", "statusReplicasPath": ".status.n", "labelSelectorPath": ".status.s"}, "status": {}}}]}}`,
    ``,
  ],
  [
    `scale bad`,
    `{"spec": {"versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "string"}, "n": {"type": "integer"}}}, "status": {"type": "object", "properties": {"n": {"type": "integer"}, "s": {"type": "string"}}}}}}, "subresources": {"scale": {"specReplicasPath": "spec.n", "statusReplicasPath": ".spec.n", "labelSelectorPath": ".metadata.s"}}}]}}`,
    `spec.subresources.scale.labelSelectorPath: Invalid value: ".metadata.s": should be a json path under either .spec or .status
spec.subresources.scale.specReplicasPath: Invalid value: "spec.n": must be a simple json path starting with .
spec.subresources.scale.statusReplicasPath: Invalid value: ".spec.n": should be a json path under .status`,
  ],
  [
    `scale empty`,
    `{"spec": {"versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "string"}, "n": {"type": "integer"}}}, "status": {"type": "object", "properties": {"n": {"type": "integer"}, "s": {"type": "string"}}}}}}, "subresources": {"scale": {"specReplicasPath": "", "statusReplicasPath": "", "labelSelectorPath": "x"}}}]}}`,
    `spec.subresources.scale.labelSelectorPath: Invalid value: "x": must be a simple json path starting with .
spec.subresources.scale.specReplicasPath: Required value
spec.subresources.scale.statusReplicasPath: Required value`,
  ],
  [
    `status root`,
    `{"spec": {"versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "string"}}}}, "required": ["spec"], "description": "x"}}, "subresources": {"status": {}}}]}}`,
    ``,
  ],
  [
    `sel ok`,
    `{"spec": {"versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {"type": "object", "properties": {"metadata": {"type": "object", "properties": {"name": {"type": "string"}}}, "spec": {"type": "object", "properties": {"a0": {"type": "string"}, "a1": {"type": "string"}, "a2": {"type": "string"}, "a3": {"type": "string"}, "a4": {"type": "string"}, "a5": {"type": "string"}, "a6": {"type": "string"}, "a7": {"type": "string"}, "a8": {"type": "string"}, "a9": {"type": "string"}, "o": {"type": "object", "properties": {"x": {"type": "boolean"}}}, "l": {"type": "array", "items": {"type": "string"}}, "num": {"type": "number"}}}}}}, "selectableFields": [{"jsonPath": ".spec.a1"}, {"jsonPath": ".spec.o.x"}]}]}}`,
    ``,
  ],
  [
    `sel bad`,
    `{"spec": {"versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {"type": "object", "properties": {"metadata": {"type": "object", "properties": {"name": {"type": "string"}}}, "spec": {"type": "object", "properties": {"a0": {"type": "string"}, "a1": {"type": "string"}, "a2": {"type": "string"}, "a3": {"type": "string"}, "a4": {"type": "string"}, "a5": {"type": "string"}, "a6": {"type": "string"}, "a7": {"type": "string"}, "a8": {"type": "string"}, "a9": {"type": "string"}, "o": {"type": "object", "properties": {"x": {"type": "boolean"}}}, "l": {"type": "array", "items": {"type": "string"}}, "num": {"type": "number"}}}}}}, "selectableFields": [{"jsonPath": ".spec.zz"}, {"jsonPath": "spec.a"}, {"jsonPath": ".spec.o"}, {"jsonPath": ".spec.num"}, {"jsonPath": ".spec.l[0]"}, {"jsonPath": ""}, {"jsonPath": ".metadata.name"}, {"jsonPath": ".spec.a1"}, {"jsonPath": ".spec.a1"}, {"jsonPath": ".spec[\\"a\\"]"}]}]}}`,
    `spec.selectableFields[0].jsonPath: Invalid value: ".spec.zz": is an invalid path: does not refer to a valid field
spec.selectableFields[1].jsonPath: Invalid value: "spec.a": is an invalid path: expected [ or . but got: spec
spec.selectableFields[2].jsonPath: Invalid value: ".spec.o": must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.
spec.selectableFields[3].jsonPath: Invalid value: ".spec.num": must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.
spec.selectableFields[4].jsonPath: Invalid value: ".spec.l[0]": is an invalid path: array notation is not allowed
spec.selectableFields[5].jsonPath: Required value
spec.selectableFields[6].jsonPath: Invalid value: ".metadata.name": must not point to fields in metadata
spec.selectableFields[8].jsonPath: Duplicate value: ".spec.a1"
spec.selectableFields[9].jsonPath: Invalid value: ".spec[\\"a\\"]": is an invalid path: array notation is not allowed`,
  ],
  [
    `sel many`,
    `{"spec": {"versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {"type": "object", "properties": {"metadata": {"type": "object", "properties": {"name": {"type": "string"}}}, "spec": {"type": "object", "properties": {"a0": {"type": "string"}, "a1": {"type": "string"}, "a2": {"type": "string"}, "a3": {"type": "string"}, "a4": {"type": "string"}, "a5": {"type": "string"}, "a6": {"type": "string"}, "a7": {"type": "string"}, "a8": {"type": "string"}, "a9": {"type": "string"}, "o": {"type": "object", "properties": {"x": {"type": "boolean"}}}, "l": {"type": "array", "items": {"type": "string"}}, "num": {"type": "number"}}}}}}, "selectableFields": [{"jsonPath": ".spec.a0"}, {"jsonPath": ".spec.a1"}, {"jsonPath": ".spec.a2"}, {"jsonPath": ".spec.a3"}, {"jsonPath": ".spec.a4"}, {"jsonPath": ".spec.a5"}, {"jsonPath": ".spec.a6"}, {"jsonPath": ".spec.a7"}, {"jsonPath": ".spec.a8"}]}]}}`,
    `spec.selectableFields: Too many: 9: must have at most 8 items`,
  ],
  [
    `conv none webhook`,
    `{"spec": {"conversion": {"webhook": {"conversionReviewVersions": ["v1"], "clientConfig": {"url": "https://x/"}}}}}`,
    `spec.conversion.conversionReviewVersions: Forbidden: should not be set when strategy is not set to Webhook
spec.conversion.webhookClientConfig: Forbidden: should not be set when strategy is not set to Webhook`,
  ],
  [
    `preserve`,
    `{"spec": {"preserveUnknownFields": true}}`,
    `spec.preserveUnknownFields: Invalid value: true: cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead`,
  ],
  [
    `appr x.k8s.io None`,
    `{"metadata": {"name": "orders.x.k8s.io"}, "spec": {"group": "x.k8s.io"}}`,
    `metadata.annotations[api-approved.kubernetes.io]: Required value: protected groups must have approval annotation "api-approved.kubernetes.io", see https://github.com/kubernetes/enhancements/pull/1111`,
  ],
  [
    `appr x.k8s.io unapproved, x`,
    `{"metadata": {"name": "orders.x.k8s.io", "annotations": {"api-approved.kubernetes.io": "unapproved, x"}}, "spec": {"group": "x.k8s.io"}}`,
    ``,
  ],
  [
    `appr x.k8s.io https://github.com/kubernetes/enhancements/pull/1`,
    `{"metadata": {"name": "orders.x.k8s.io", "annotations": {"api-approved.kubernetes.io": "https://github.com/kubernetes/enhancements/pull/1"}}, "spec": {"group": "x.k8s.io"}}`,
    ``,
  ],
  [
    `appr x.k8s.io foo`,
    `{"metadata": {"name": "orders.x.k8s.io", "annotations": {"api-approved.kubernetes.io": "foo"}}, "spec": {"group": "x.k8s.io"}}`,
    `metadata.annotations[api-approved.kubernetes.io]: Invalid value: "foo": protected groups must have approval annotation "api-approved.kubernetes.io" with either a URL or a reason starting with "unapproved", see https://github.com/kubernetes/enhancements/pull/1111`,
  ],
  [
    `appr kubernetes.io None`,
    `{"metadata": {"name": "orders.kubernetes.io"}, "spec": {"group": "kubernetes.io"}}`,
    `metadata.annotations[api-approved.kubernetes.io]: Required value: protected groups must have approval annotation "api-approved.kubernetes.io", see https://github.com/kubernetes/enhancements/pull/1111`,
  ],
  [
    `appr kubernetes.io unapproved, x`,
    `{"metadata": {"name": "orders.kubernetes.io", "annotations": {"api-approved.kubernetes.io": "unapproved, x"}}, "spec": {"group": "kubernetes.io"}}`,
    ``,
  ],
  [
    `appr kubernetes.io https://github.com/kubernetes/enhancements/pull/1`,
    `{"metadata": {"name": "orders.kubernetes.io", "annotations": {"api-approved.kubernetes.io": "https://github.com/kubernetes/enhancements/pull/1"}}, "spec": {"group": "kubernetes.io"}}`,
    ``,
  ],
  [
    `appr kubernetes.io foo`,
    `{"metadata": {"name": "orders.kubernetes.io", "annotations": {"api-approved.kubernetes.io": "foo"}}, "spec": {"group": "kubernetes.io"}}`,
    `metadata.annotations[api-approved.kubernetes.io]: Invalid value: "foo": protected groups must have approval annotation "api-approved.kubernetes.io" with either a URL or a reason starting with "unapproved", see https://github.com/kubernetes/enhancements/pull/1111`,
  ],
];

for (const [name, change, want] of rows) {
  test(`a definition: ${name}`, () => {
    const parsed = parseJson(change, 'the change');
    assert.ok(isObject(parsed));
    assert.equal(texts(validateDefinition(apply(definition(), parsed), undefined)).join('\n'), want);
  });
}

test('a conversion webhook is refused', () => {
  const object = apply(definition(), { spec: { conversion: { strategy: 'Webhook' } } });
  assert.deepEqual(texts(validateDefinition(object, undefined)), [
    'spec.conversion.strategy: Unsupported value: "Webhook": supported values: "None"',
  ]);
});

const status = {
  storedVersions: ['v1'],
  conditions: [{ type: 'Established', status: 'True', reason: 'x', message: 'y' }],
};

const updates: [string, JsonObject, string[]][] = [
  ['nothing', {}, []],
  ['short names', { spec: { names: { shortNames: ['o'] } } }, []],
  [
    'group and scope',
    { spec: { group: 'other.example', scope: 'Cluster' } },
    [
      'spec.group: Invalid value: "other.example": field is immutable',
      'spec.scope: Invalid value: "Cluster": field is immutable',
    ],
  ],
  [
    'names',
    { spec: { names: { plural: 'things', kind: 'Thing', listKind: 'ThingList', singular: 'thing' } } },
    [
      'spec.names.kind: Invalid value: "Thing": field is immutable',
      'spec.names.plural: Invalid value: "things": field is immutable',
    ],
  ],
  [
    'a stored version away',
    {
      spec: { versions: [{ name: 'v2', served: true, storage: true, schema: { openAPIV3Schema: schema } }] },
      status: { storedVersions: ['v1', 'v2'] },
    },
    [
      'status.storedVersions[0]: Invalid value: "v1": missing from spec.versions; v1 was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in v1 and removes v1 from status.storedVersions',
    ],
  ],
];

for (const [name, change, want] of updates) {
  test(`a changed definition: ${name}`, () => {
    const old = apply(definition(), { status });
    assert.deepEqual(texts(validateDefinition(apply(old, change), old)), want);
  });
}

test('what a rule may cost is not asked again of a schema that stays', () => {
  const costly = {
    type: 'object',
    properties: {
      l: { type: 'array', items: { type: 'array', items: { type: 'integer' } } },
    },
    'x-kubernetes-validations': [{ rule: 'self.l.all(x, x.all(y, y > 0))' }],
  };
  const version = { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: costly } };
  const old = apply(definition(), { spec: { versions: [version] } });
  assert.equal(texts(validateDefinition(old, undefined)).length, 3);
  const renamed = apply(old, { spec: { names: { shortNames: ['o'] } } });
  const errors = texts(validateDefinition(renamed, old));
  assert.equal(errors.length, 2);
  assert.ok(errors.every((error) => error.includes('entire OpenAPIv3 schema')));
  assert.equal(getArray(old, 'spec', 'versions').length, 1);
});
