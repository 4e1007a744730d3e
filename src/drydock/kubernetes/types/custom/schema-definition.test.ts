import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isObject, parseJson } from '#base/json.ts';
import { checkSchemaDefinition } from './schema-definition.ts';

/** A schema, and what is wrong with it line by line; `$` stands for where the schema is. */
const rows: [string, string][] = [
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "string"}, "n": {"type": "integer"}}}, "status": {"type": "object", "properties": {"n": {"type": "integer"}, "s": {"type": "string"}}}}}`,
    ``,
  ],
  [`{}`, `$.type: Required value: must not be empty at the root`],
  [`{"type": "string"}`, `$.type: Invalid value: "string": must be object at the root`],
  [`{"type": "object"}`, ``],
  [
    `{"type": "object", "properties": {"spec": {}}}`,
    `$.properties[spec].type: Required value: must not be empty for specified object fields`,
  ],
  [
    `{"type": "object", "additionalProperties": {"type": "string"}}`,
    `$.additionalProperties: Forbidden: must not be used at the root`,
  ],
  [`{"type": "object", "x-kubernetes-preserve-unknown-fields": true}`, ``],
  [`{"x-kubernetes-preserve-unknown-fields": true}`, ``],
  [
    `{"type": "object", "x-kubernetes-preserve-unknown-fields": false}`,
    `$.x-kubernetes-preserve-unknown-fields: Invalid value: false: must be true or undefined`,
  ],
  [`{"type": "object", "nullable": true}`, `$.nullable: Forbidden: nullable cannot be true at the root`],
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "array"}}}}}`,
    `$.properties[spec].properties[a].items: Required value: must be specified`,
  ],
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "array", "items": {}}}}}}`,
    `$.properties[spec].properties[a].items.type: Required value: must not be empty for specified array items`,
  ],
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "array", "items": {"type": "string"}, "uniqueItems": true}}}}}`,
    `$.properties[spec].properties[a].uniqueItems: Forbidden: uniqueItems cannot be set to true since the runtime complexity becomes quadratic`,
  ],
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "null"}}}}}`,
    `$.properties[spec].properties[a].type: Forbidden: type cannot be set to null, use nullable as an alternative
$.properties[spec].properties[a].type: Unsupported value: "null": supported values: "array", "boolean", "integer", "number", "object", "string"`,
  ],
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "foo"}}}}}`,
    `$.properties[spec].properties[a].type: Unsupported value: "foo": supported values: "array", "boolean", "integer", "number", "object", "string"`,
  ],
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"$ref": "#/x"}}}}}`,
    `$.properties[spec].properties[a].$ref: Forbidden: $ref is not supported`,
  ],
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "string", "pattern": "["}}}}}`,
    `$.properties[spec].properties[a].pattern: Invalid value: "[": must be a valid regular expression, but isn't: error parsing regexp: missing closing ]: \`[\``,
  ],
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "object", "properties": {"x": {"type": "string"}}, "additionalProperties": {"type": "string"}}}}}}`,
    `$.properties[spec].properties[a].additionalProperties: Forbidden: additionalProperties and properties are mutual exclusive`,
  ],
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "object", "properties": {"x": {"type": "string"}}, "additionalProperties": false}}}}}`,
    `$.properties[spec].properties[a].additionalProperties: Forbidden: additionalProperties and properties are mutual exclusive`,
  ],
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "object", "properties": {"x": {"type": "string"}}, "additionalProperties": true}}}}}`,
    ``,
  ],
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "string", "anyOf": [{"type": "string"}, {"minLength": 1}]}}}}}`,
    `$.properties[spec].properties[a].anyOf[0].type: Forbidden: must be empty to be structural`,
  ],
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "string", "allOf": [{"description": "x", "default": "y", "title": "t", "nullable": true}]}}}}}`,
    `$.properties[spec].properties[a].allOf[0].default: Forbidden: must be undefined to be structural
$.properties[spec].properties[a].allOf[0].description: Forbidden: must be empty to be structural
$.properties[spec].properties[a].allOf[0].nullable: Forbidden: must be false to be structural
$.properties[spec].properties[a].allOf[0].title: Forbidden: must be empty to be structural`,
  ],
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "object", "properties": {"x": {"type": "string"}}, "oneOf": [{"required": ["x"]}, {"properties": {"y": {"minLength": 1}}}]}}}}}`,
    ``,
  ],
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "object", "properties": {"x": {"type": "string"}}, "not": {"properties": {"x": {"type": "string"}}, "additionalProperties": {"type": "string"}}}}}}}`,
    `$.properties[spec].properties[a].not.additionalProperties: Forbidden: additionalProperties and properties are mutual exclusive
$.properties[spec].properties[a].not.additionalProperties: Forbidden: must be undefined to be structural
$.properties[spec].properties[a].not.properties[x].type: Forbidden: must be empty to be structural`,
  ],
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "array", "items": {"type": "string"}, "anyOf": [{"items": {"minLength": 1}}, {"items": {"items": {"minLength": 1}}}]}}}}}`,
    ``,
  ],
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "object", "anyOf": [{"x-kubernetes-int-or-string": true, "x-kubernetes-preserve-unknown-fields": true, "x-kubernetes-list-type": "set", "x-kubernetes-map-type": "atomic", "x-kubernetes-list-map-keys": ["a"], "x-kubernetes-embedded-resource": true}]}}}}}`,
    `$.properties[spec].properties[a].anyOf[0].type: Required value: must be array if x-kubernetes-list-type is specified
$.properties[spec].properties[a].anyOf[0].type: Required value: must be object if x-kubernetes-map-type is specified
$.properties[spec].properties[a].anyOf[0].x-kubernetes-embedded-resource: Forbidden: must be false to be structural
$.properties[spec].properties[a].anyOf[0].x-kubernetes-int-or-string: Forbidden: must be false to be structural
$.properties[spec].properties[a].anyOf[0].x-kubernetes-list-map-keys: Forbidden: must be empty to be structural
$.properties[spec].properties[a].anyOf[0].x-kubernetes-list-type: Forbidden: must be undefined to be structural
$.properties[spec].properties[a].anyOf[0].x-kubernetes-list-type: Invalid value: "set": must be map if x-kubernetes-list-map-keys is non-empty
$.properties[spec].properties[a].anyOf[0].x-kubernetes-map-type: Forbidden: must be undefined to be structural
$.properties[spec].properties[a].anyOf[0].x-kubernetes-preserve-unknown-fields: Forbidden: must be false to be structural`,
  ],
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"x-kubernetes-int-or-string": true, "anyOf": [{"type": "integer"}, {"type": "string"}]}}}}}`,
    ``,
  ],
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"x-kubernetes-int-or-string": true, "allOf": [{"anyOf": [{"type": "integer"}, {"type": "string"}]}, {"minimum": 1}]}}}}}`,
    ``,
  ],
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"x-kubernetes-int-or-string": true, "anyOf": [{"type": "string"}, {"type": "integer"}]}}}}}`,
    `$.properties[spec].properties[a].anyOf[0].type: Forbidden: must be empty to be structural
$.properties[spec].properties[a].anyOf[1].type: Forbidden: must be empty to be structural`,
  ],
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"x-kubernetes-int-or-string": true, "x-kubernetes-preserve-unknown-fields": true, "x-kubernetes-embedded-resource": true}}}}}`,
    `$.properties[spec].properties[a].type: Required value: must be object if x-kubernetes-embedded-resource is true
$.properties[spec].properties[a].x-kubernetes-embedded-resource: Invalid value: true: must be false if x-kubernetes-int-or-string is true
$.properties[spec].properties[a].x-kubernetes-preserve-unknown-fields: Invalid value: true: must be false if x-kubernetes-int-or-string is true`,
  ],
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "string", "x-kubernetes-int-or-string": true}}}}}`,
    ``,
  ],
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"x-kubernetes-embedded-resource": true}}}}}`,
    `$.properties[spec].properties[a].properties: Required value: must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields
$.properties[spec].properties[a].type: Required value: must be object if x-kubernetes-embedded-resource is true`,
  ],
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "string", "x-kubernetes-embedded-resource": true}}}}}`,
    `$.properties[spec].properties[a].properties: Required value: must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields
$.properties[spec].properties[a].type: Invalid value: "string": must be object if x-kubernetes-embedded-resource is true`,
  ],
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "object", "x-kubernetes-embedded-resource": true}}}}}`,
    `$.properties[spec].properties[a].properties: Required value: must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields`,
  ],
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "object", "x-kubernetes-embedded-resource": true, "additionalProperties": {"type": "string"}}}}}}`,
    `$.properties[spec].properties[a].additionalProperties: Forbidden: must not be used if x-kubernetes-embedded-resource is set
$.properties[spec].properties[a].properties: Required value: must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields`,
  ],
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "object", "x-kubernetes-embedded-resource": true, "properties": {"kind": {"type": "integer"}, "apiVersion": {"type": "integer"}, "metadata": {"type": "string"}}}}}}}`,
    `$.properties[spec].properties[a].properties[apiVersion].type: Invalid value: "integer": must be string
$.properties[spec].properties[a].properties[kind].type: Invalid value: "integer": must be string
$.properties[spec].properties[a].properties[metadata].type: Invalid value: "string": must be object`,
  ],
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "object", "x-kubernetes-embedded-resource": true, "properties": {"metadata": {"type": "object", "properties": {"e": {"type": "object", "x-kubernetes-embedded-resource": true, "x-kubernetes-preserve-unknown-fields": true}}}}}}}}}`,
    `$.properties[spec].properties[a].properties[metadata].properties[e].x-kubernetes-embedded-resource: Forbidden: must not be used inside of resource meta`,
  ],
  [`{"type": "object", "properties": {"metadata": {"type": "object"}}}`, ``],
  [
    `{"type": "object", "properties": {"metadata": {"type": "object", "properties": {"name": {"type": "string", "maxLength": 3}}}}}`,
    ``,
  ],
  [
    `{"type": "object", "properties": {"metadata": {"type": "object", "properties": {"labels": {"type": "object"}}}}}`,
    `$.properties[metadata]: Forbidden: must not specify anything other than name and generateName, but metadata is implicitly specified`,
  ],
  [
    `{"type": "object", "properties": {"metadata": {"type": "string"}}}`,
    `$.properties[metadata].type: Invalid value: "string": must be object`,
  ],
  [
    `{"type": "object", "properties": {"metadata": {"type": "object", "description": "x"}}}`,
    `$.properties[metadata]: Forbidden: must not specify anything other than name and generateName, but metadata is implicitly specified`,
  ],
  [
    `{"type": "object", "properties": {"kind": {"type": "integer"}, "apiVersion": {"type": "string"}}}`,
    `$.properties[kind].type: Invalid value: "integer": must be string`,
  ],
  [
    `{"type": "object", "properties": {"metadata": {"type": "object", "properties": {"name": {"type": "string", "default": "x"}}}}}`,
    `$.properties[metadata].properties[name].default: Forbidden: must not be set in top-level metadata`,
  ],
  [
    `{"type": "object", "default": {"spec": {}}, "properties": {"spec": {"type": "object"}}}`,
    `$.default.apiVersion: Required value: must not be empty
$.default.kind: Required value: must not be empty`,
  ],
  [
    `{"type": "object", "anyOf": [{"properties": {"metadata": {"required": ["name"]}}}], "properties": {"metadata": {"type": "object"}}}`,
    `$.anyOf[0].properties[metadata]: Forbidden: must not be specified in a nested context`,
  ],
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "string", "x-kubernetes-list-type": "set"}}}}}`,
    `$.properties[spec].properties[a].type: Invalid value: "string": must be array if x-kubernetes-list-type is specified`,
  ],
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"x-kubernetes-preserve-unknown-fields": true, "x-kubernetes-list-type": "set"}}}}}`,
    `$.properties[spec].properties[a].type: Required value: must be array if x-kubernetes-list-type is specified`,
  ],
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "foo"}}}}}`,
    `$.properties[spec].properties[a].x-kubernetes-list-type: Unsupported value: "foo": supported values: "atomic", "set", "map"`,
  ],
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "array", "items": {"type": "object", "properties": {"b": {"type": "string"}}}, "x-kubernetes-list-type": "set"}}}}}`,
    `$.properties[spec].properties[a].items.x-kubernetes-map-type: Invalid value: "null": must be atomic as item of a list with x-kubernetes-list-type=set`,
  ],
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "array", "items": {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"}, "x-kubernetes-list-type": "set"}}}}}`,
    `$.properties[spec].properties[a].items.x-kubernetes-list-type: Invalid value: "set": must be atomic as item of a list with x-kubernetes-list-type=set`,
  ],
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "array", "items": {"type": "string", "nullable": true}, "x-kubernetes-list-type": "set"}}}}}`,
    `$.properties[spec].properties[a].items.nullable: Forbidden: cannot be nullable when x-kubernetes-list-type is set`,
  ],
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "map"}}}}}`,
    `$.properties[spec].properties[a].items.type: Invalid value: "string": must be object if parent array's x-kubernetes-list-type is map
$.properties[spec].properties[a].x-kubernetes-list-map-keys: Required value: must not be empty if x-kubernetes-list-type is map`,
  ],
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "array", "items": {"type": "object", "properties": {"k": {"type": "string"}, "o": {"type": "object"}}}, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k", "z", "o", "k"]}}}}}`,
    `$.properties[spec].properties[a].items.properties[k].default: Required value: this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property
$.properties[spec].properties[a].items.properties[k].default: Required value: this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property
$.properties[spec].properties[a].items.properties[o].default: Required value: this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property
$.properties[spec].properties[a].items.properties[o].type: Invalid value: "object": must be a scalar type if parent array's x-kubernetes-list-type is map
$.properties[spec].properties[a].x-kubernetes-list-map-keys: Invalid value: []string{"k", "z", "o", "k"}: entries must all be names of item properties
$.properties[spec].properties[a].x-kubernetes-list-map-keys: Invalid value: []string{"k", "z", "o", "k"}: must not contain duplicate entries`,
  ],
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "array", "items": {"type": "object", "required": ["k"], "properties": {"k": {"type": "string", "nullable": true}}}, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k"]}}}}}`,
    `$.properties[spec].properties[a].items.properties[k].nullable: Forbidden: this property is in x-kubernetes-list-map-keys, so it cannot be nullable`,
  ],
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "array", "items": {"type": "object", "properties": {"k": {"type": "string", "default": "x"}}}, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k"]}}}}}`,
    ``,
  ],
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "array", "items": {"type": "object", "properties": {"k": {"type": "string"}}}, "x-kubernetes-list-map-keys": ["k"]}}}}}`,
    `$.properties[spec].properties[a].x-kubernetes-list-type: Required value: must be map if x-kubernetes-list-map-keys is non-empty`,
  ],
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "array", "items": {"type": "object", "properties": {"k": {"type": "string"}}}, "x-kubernetes-list-type": "set", "x-kubernetes-list-map-keys": ["k"]}}}}}`,
    `$.properties[spec].properties[a].items.x-kubernetes-map-type: Invalid value: "null": must be atomic as item of a list with x-kubernetes-list-type=set
$.properties[spec].properties[a].x-kubernetes-list-type: Invalid value: "set": must be map if x-kubernetes-list-map-keys is non-empty`,
  ],
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "string", "x-kubernetes-map-type": "atomic"}}}}}`,
    `$.properties[spec].properties[a].type: Invalid value: "string": must be object if x-kubernetes-map-type is specified`,
  ],
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "object", "x-kubernetes-map-type": "foo"}}}}}`,
    `$.properties[spec].properties[a].x-kubernetes-map-type: Unsupported value: "foo": supported values: "atomic", "granular"`,
  ],
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "integer", "default": "x"}}}}}`,
    `$.properties[spec].properties[a].default: Invalid value: "string":  in body must be of type integer: "string"`,
  ],
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "object", "properties": {"b": {"type": "string"}}, "default": {"b": "x", "c": "y"}}}}}}`,
    `$.properties[spec].properties[a].default: Invalid value: map[string]interface {}{"b":"x", "c":"y"}: must not have unknown fields`,
  ],
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "object", "properties": {"b": {"type": "string", "maxLength": 1}}, "required": ["c"], "default": {"b": "xx"}}}}}}`,
    `$.properties[spec].properties[a].default.b: Too long: may not be more than 1 bytes
$.properties[spec].properties[a].default.c: Required value`,
  ],
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "array", "items": {"type": "string"}, "default": ["a", 1]}}}}}`,
    `$.properties[spec].properties[a].default.[1]: Invalid value: "integer": [1] in body must be of type string: "integer"`,
  ],
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "string", "enum": ["a"], "default": "b"}}}}}`,
    `$.properties[spec].properties[a].default: Unsupported value: "b": supported values: "a"`,
  ],
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "string", "default": null}}}}}`,
    ``,
  ],
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "string", "nullable": true, "default": null}}}}}`,
    ``,
  ],
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "array", "items": {"type": "string"}, "default": []}, "b": {"type": "object", "additionalProperties": {"type": "string"}, "default": {"x": "y"}}, "c": {"type": "object", "x-kubernetes-embedded-resource": true, "x-kubernetes-preserve-unknown-fields": true, "default": {"kind": "X"}}}}}}`,
    `$.properties[spec].properties[c].default.apiVersion: Required value: must not be empty`,
  ],
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "patternProperties": {"x": {"type": "string"}}, "dependencies": {"a": ["b"]}, "definitions": {"a": {"type": "string"}}, "additionalItems": {"type": "string"}, "id": "x"}}}`,
    `$.properties[spec].additionalItems: Forbidden: additionalItems is not supported
$.properties[spec].definitions: Forbidden: definitions is not supported
$.properties[spec].dependencies: Forbidden: dependencies is not supported
$.properties[spec].id: Forbidden: id is not supported
$.properties[spec].patternProperties: Forbidden: patternProperties is not supported`,
  ],
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "array", "items": [{"type": "string"}]}}}}}`,
    `$.properties[spec].properties[a].items: Forbidden: items must be a schema object and not an array`,
  ],
];

for (const [text, want] of rows) {
  test(`schema ${text}`, () => {
    const schema = parseJson(text, 'the schema');
    assert.ok(isObject(schema));
    const errors = checkSchemaDefinition(schema, '$', { costs: true });
    const found = errors.map(({ field, message }) => `${field}: ${message}`);
    assert.equal(found.sort().join('\n'), want);
  });
}
