import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isObject, parseJson } from '#base/json.ts';
import { checkSchemaDefinition } from './schema-definition.ts';

/** A schema, and what is wrong with it line by line; `$` stands for where the schema is. */
const rows: [string, string][] = [
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "string", "maxLength": 5, "default": "abc", "x-kubernetes-validations": [{"rule": "self != \\"abc\\""}]}}}}}`,
    `$.properties[spec].properties[a].default: Invalid value: "string": failed rule: self != "abc"`,
  ],
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "object", "properties": {"b": {"type": "integer"}}, "default": {"b": 1}, "x-kubernetes-validations": [{"rule": "self.b > 1", "message": "too small"}]}}}}}`,
    `$.properties[spec].properties[a].default: Invalid value: "object": too small`,
  ],
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "string", "maxLength": 10}, "n": {"type": "integer"}, "l": {"type": "array", "maxItems": 5, "items": {"type": "string", "maxLength": 5}}, "o": {"type": "object", "properties": {"x": {"type": "string"}, "a.b": {"type": "string"}}}, "m": {"type": "object", "additionalProperties": {"type": "string"}}}, "x-kubernetes-validations": [{"rule": ""}]}}}`,
    `$.properties[spec].x-kubernetes-validations[0].rule: Required value: rule is not specified`,
  ],
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "string", "maxLength": 10}, "n": {"type": "integer"}, "l": {"type": "array", "maxItems": 5, "items": {"type": "string", "maxLength": 5}}, "o": {"type": "object", "properties": {"x": {"type": "string"}, "a.b": {"type": "string"}}}, "m": {"type": "object", "additionalProperties": {"type": "string"}}}, "x-kubernetes-validations": [{"rule": " "}]}}}`,
    `$.properties[spec].x-kubernetes-validations[0].rule: Required value: rule is not specified`,
  ],
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "string", "maxLength": 10}, "n": {"type": "integer"}, "l": {"type": "array", "maxItems": 5, "items": {"type": "string", "maxLength": 5}}, "o": {"type": "object", "properties": {"x": {"type": "string"}, "a.b": {"type": "string"}}}, "m": {"type": "object", "additionalProperties": {"type": "string"}}}, "x-kubernetes-validations": [{"rule": "true", "message": " "}]}}}`,
    `$.properties[spec].x-kubernetes-validations[0].message: Invalid value: " ": message must be non-empty if specified`,
  ],
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "string", "maxLength": 10}, "n": {"type": "integer"}, "l": {"type": "array", "maxItems": 5, "items": {"type": "string", "maxLength": 5}}, "o": {"type": "object", "properties": {"x": {"type": "string"}, "a.b": {"type": "string"}}}, "m": {"type": "object", "additionalProperties": {"type": "string"}}}, "x-kubernetes-validations": [{"rule": "true", "message": "a\\nb"}]}}}`,
    `$.properties[spec].x-kubernetes-validations[0].message: Invalid value: "a\\nb": message must not contain line breaks`,
  ],
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "string", "maxLength": 10}, "n": {"type": "integer"}, "l": {"type": "array", "maxItems": 5, "items": {"type": "string", "maxLength": 5}}, "o": {"type": "object", "properties": {"x": {"type": "string"}, "a.b": {"type": "string"}}}, "m": {"type": "object", "additionalProperties": {"type": "string"}}}, "x-kubernetes-validations": [{"rule": "true\\n"}]}}}`,
    ``,
  ],
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "string", "maxLength": 10}, "n": {"type": "integer"}, "l": {"type": "array", "maxItems": 5, "items": {"type": "string", "maxLength": 5}}, "o": {"type": "object", "properties": {"x": {"type": "string"}, "a.b": {"type": "string"}}}, "m": {"type": "object", "additionalProperties": {"type": "string"}}}, "x-kubernetes-validations": [{"rule": "true ||\\ntrue"}]}}}`,
    `$.properties[spec].x-kubernetes-validations[0].message: Required value: message must be specified if rule contains line breaks`,
  ],
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "string", "maxLength": 10}, "n": {"type": "integer"}, "l": {"type": "array", "maxItems": 5, "items": {"type": "string", "maxLength": 5}}, "o": {"type": "object", "properties": {"x": {"type": "string"}, "a.b": {"type": "string"}}}, "m": {"type": "object", "additionalProperties": {"type": "string"}}}, "x-kubernetes-validations": [{"rule": "true ||\\ntrue", "message": "x"}]}}}`,
    ``,
  ],
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "string", "maxLength": 10}, "n": {"type": "integer"}, "l": {"type": "array", "maxItems": 5, "items": {"type": "string", "maxLength": 5}}, "o": {"type": "object", "properties": {"x": {"type": "string"}, "a.b": {"type": "string"}}}, "m": {"type": "object", "additionalProperties": {"type": "string"}}}, "x-kubernetes-validations": [{"rule": "true", "messageExpression": " "}]}}}`,
    `$.properties[spec].x-kubernetes-validations[0].messageExpression: Required value: messageExpression must be non-empty if specified`,
  ],
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "string", "maxLength": 10}, "n": {"type": "integer"}, "l": {"type": "array", "maxItems": 5, "items": {"type": "string", "maxLength": 5}}, "o": {"type": "object", "properties": {"x": {"type": "string"}, "a.b": {"type": "string"}}}, "m": {"type": "object", "additionalProperties": {"type": "string"}}}, "x-kubernetes-validations": [{"rule": "true", "messageExpression": "1"}]}}}`,
    `$.properties[spec].x-kubernetes-validations[0].messageExpression: Invalid value: apiextensions.ValidationRule{Rule:"true", Message:"", MessageExpression:"1", Reason:(*apiextensions.FieldValueErrorReason)(nil), FieldPath:"", OptionalOldSelf:(*bool)(nil)}: messageExpression must evaluate to a string`,
  ],
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "string", "maxLength": 10}, "n": {"type": "integer"}, "l": {"type": "array", "maxItems": 5, "items": {"type": "string", "maxLength": 5}}, "o": {"type": "object", "properties": {"x": {"type": "string"}, "a.b": {"type": "string"}}}, "m": {"type": "object", "additionalProperties": {"type": "string"}}}, "x-kubernetes-validations": [{"rule": "true", "messageExpression": "self.zz"}]}}}`,
    `$.properties[spec].x-kubernetes-validations[0].messageExpression: Invalid value: apiextensions.ValidationRule{Rule:"true", Message:"", MessageExpression:"self.zz", Reason:(*apiextensions.FieldValueErrorReason)(nil), FieldPath:"", OptionalOldSelf:(*bool)(nil)}: messageExpression compilation failed: ERROR: <input>:1:5: undefined field 'zz'
 | self.zz
 | ....^`,
  ],
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "string", "maxLength": 10}, "n": {"type": "integer"}, "l": {"type": "array", "maxItems": 5, "items": {"type": "string", "maxLength": 5}}, "o": {"type": "object", "properties": {"x": {"type": "string"}, "a.b": {"type": "string"}}}, "m": {"type": "object", "additionalProperties": {"type": "string"}}}, "x-kubernetes-validations": [{"rule": "true", "reason": "Foo"}]}}}`,
    `$.properties[spec].x-kubernetes-validations[0].reason: Unsupported value: "Foo": supported values: "FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"`,
  ],
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "string", "maxLength": 10}, "n": {"type": "integer"}, "l": {"type": "array", "maxItems": 5, "items": {"type": "string", "maxLength": 5}}, "o": {"type": "object", "properties": {"x": {"type": "string"}, "a.b": {"type": "string"}}}, "m": {"type": "object", "additionalProperties": {"type": "string"}}}, "x-kubernetes-validations": [{"rule": "true", "reason": "FieldValueRequired"}]}}}`,
    ``,
  ],
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "string", "maxLength": 10}, "n": {"type": "integer"}, "l": {"type": "array", "maxItems": 5, "items": {"type": "string", "maxLength": 5}}, "o": {"type": "object", "properties": {"x": {"type": "string"}, "a.b": {"type": "string"}}}, "m": {"type": "object", "additionalProperties": {"type": "string"}}}, "x-kubernetes-validations": [{"rule": "true", "fieldPath": ".a"}]}}}`,
    ``,
  ],
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "string", "maxLength": 10}, "n": {"type": "integer"}, "l": {"type": "array", "maxItems": 5, "items": {"type": "string", "maxLength": 5}}, "o": {"type": "object", "properties": {"x": {"type": "string"}, "a.b": {"type": "string"}}}, "m": {"type": "object", "additionalProperties": {"type": "string"}}}, "x-kubernetes-validations": [{"rule": "true", "fieldPath": ".zz"}]}}}`,
    `$.properties[spec].x-kubernetes-validations[0].fieldPath: Invalid value: ".zz": fieldPath must be a valid path`,
  ],
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "string", "maxLength": 10}, "n": {"type": "integer"}, "l": {"type": "array", "maxItems": 5, "items": {"type": "string", "maxLength": 5}}, "o": {"type": "object", "properties": {"x": {"type": "string"}, "a.b": {"type": "string"}}}, "m": {"type": "object", "additionalProperties": {"type": "string"}}}, "x-kubernetes-validations": [{"rule": "true", "fieldPath": "a"}]}}}`,
    `$.properties[spec].x-kubernetes-validations[0].fieldPath: Invalid value: "a": fieldPath must be a valid path`,
  ],
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "string", "maxLength": 10}, "n": {"type": "integer"}, "l": {"type": "array", "maxItems": 5, "items": {"type": "string", "maxLength": 5}}, "o": {"type": "object", "properties": {"x": {"type": "string"}, "a.b": {"type": "string"}}}, "m": {"type": "object", "additionalProperties": {"type": "string"}}}, "x-kubernetes-validations": [{"rule": "true", "fieldPath": ".o.x"}]}}}`,
    ``,
  ],
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "string", "maxLength": 10}, "n": {"type": "integer"}, "l": {"type": "array", "maxItems": 5, "items": {"type": "string", "maxLength": 5}}, "o": {"type": "object", "properties": {"x": {"type": "string"}, "a.b": {"type": "string"}}}, "m": {"type": "object", "additionalProperties": {"type": "string"}}}, "x-kubernetes-validations": [{"rule": "true", "fieldPath": ".o['a.b']"}]}}}`,
    ``,
  ],
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "string", "maxLength": 10}, "n": {"type": "integer"}, "l": {"type": "array", "maxItems": 5, "items": {"type": "string", "maxLength": 5}}, "o": {"type": "object", "properties": {"x": {"type": "string"}, "a.b": {"type": "string"}}}, "m": {"type": "object", "additionalProperties": {"type": "string"}}}, "x-kubernetes-validations": [{"rule": "true", "fieldPath": ".o.a.b"}]}}}`,
    `$.properties[spec].x-kubernetes-validations[0].fieldPath: Invalid value: ".o.a.b": fieldPath must be a valid path`,
  ],
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "string", "maxLength": 10}, "n": {"type": "integer"}, "l": {"type": "array", "maxItems": 5, "items": {"type": "string", "maxLength": 5}}, "o": {"type": "object", "properties": {"x": {"type": "string"}, "a.b": {"type": "string"}}}, "m": {"type": "object", "additionalProperties": {"type": "string"}}}, "x-kubernetes-validations": [{"rule": "true", "fieldPath": ".m.k"}]}}}`,
    ``,
  ],
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "string", "maxLength": 10}, "n": {"type": "integer"}, "l": {"type": "array", "maxItems": 5, "items": {"type": "string", "maxLength": 5}}, "o": {"type": "object", "properties": {"x": {"type": "string"}, "a.b": {"type": "string"}}}, "m": {"type": "object", "additionalProperties": {"type": "string"}}}, "x-kubernetes-validations": [{"rule": "true", "fieldPath": ".m['k']"}]}}}`,
    ``,
  ],
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "string", "maxLength": 10}, "n": {"type": "integer"}, "l": {"type": "array", "maxItems": 5, "items": {"type": "string", "maxLength": 5}}, "o": {"type": "object", "properties": {"x": {"type": "string"}, "a.b": {"type": "string"}}}, "m": {"type": "object", "additionalProperties": {"type": "string"}}}, "x-kubernetes-validations": [{"rule": "true", "fieldPath": ".m['k'].x"}]}}}`,
    `$.properties[spec].x-kubernetes-validations[0].fieldPath: Invalid value: ".m['k'].x": fieldPath must be a valid path`,
  ],
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "string", "maxLength": 10}, "n": {"type": "integer"}, "l": {"type": "array", "maxItems": 5, "items": {"type": "string", "maxLength": 5}}, "o": {"type": "object", "properties": {"x": {"type": "string"}, "a.b": {"type": "string"}}}, "m": {"type": "object", "additionalProperties": {"type": "string"}}}, "x-kubernetes-validations": [{"rule": "true", "fieldPath": ".l"}]}}}`,
    ``,
  ],
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "string", "maxLength": 10}, "n": {"type": "integer"}, "l": {"type": "array", "maxItems": 5, "items": {"type": "string", "maxLength": 5}}, "o": {"type": "object", "properties": {"x": {"type": "string"}, "a.b": {"type": "string"}}}, "m": {"type": "object", "additionalProperties": {"type": "string"}}}, "x-kubernetes-validations": [{"rule": "true", "fieldPath": ".l[0]"}]}}}`,
    `$.properties[spec].x-kubernetes-validations[0].fieldPath: Invalid value: ".l[0]": fieldPath must be a valid path`,
  ],
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "string", "maxLength": 10}, "n": {"type": "integer"}, "l": {"type": "array", "maxItems": 5, "items": {"type": "string", "maxLength": 5}}, "o": {"type": "object", "properties": {"x": {"type": "string"}, "a.b": {"type": "string"}}}, "m": {"type": "object", "additionalProperties": {"type": "string"}}}, "x-kubernetes-validations": [{"rule": "true", "fieldPath": ".l.x"}]}}}`,
    `$.properties[spec].x-kubernetes-validations[0].fieldPath: Invalid value: ".l.x": fieldPath must be a valid path`,
  ],
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "string", "maxLength": 10}, "n": {"type": "integer"}, "l": {"type": "array", "maxItems": 5, "items": {"type": "string", "maxLength": 5}}, "o": {"type": "object", "properties": {"x": {"type": "string"}, "a.b": {"type": "string"}}}, "m": {"type": "object", "additionalProperties": {"type": "string"}}}, "x-kubernetes-validations": [{"rule": "true", "fieldPath": " "}]}}}`,
    `$.properties[spec].x-kubernetes-validations[0].fieldPath: Invalid value: " ": fieldPath must be a valid path
$.properties[spec].x-kubernetes-validations[0].fieldPath: Invalid value: " ": fieldPath must be non-empty if specified`,
  ],
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "string", "maxLength": 10}, "n": {"type": "integer"}, "l": {"type": "array", "maxItems": 5, "items": {"type": "string", "maxLength": 5}}, "o": {"type": "object", "properties": {"x": {"type": "string"}, "a.b": {"type": "string"}}}, "m": {"type": "object", "additionalProperties": {"type": "string"}}}, "x-kubernetes-validations": [{"rule": "true", "fieldPath": ".a\\n"}]}}}`,
    `$.properties[spec].x-kubernetes-validations[0].fieldPath: Invalid value: ".a\\n": fieldPath must be a valid path
$.properties[spec].x-kubernetes-validations[0].fieldPath: Invalid value: ".a\\n": fieldPath must not contain line breaks`,
  ],
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "string", "maxLength": 10}, "n": {"type": "integer"}, "l": {"type": "array", "maxItems": 5, "items": {"type": "string", "maxLength": 5}}, "o": {"type": "object", "properties": {"x": {"type": "string"}, "a.b": {"type": "string"}}}, "m": {"type": "object", "additionalProperties": {"type": "string"}}}, "x-kubernetes-validations": [{"rule": "true", "fieldPath": "."}]}}}`,
    `$.properties[spec].x-kubernetes-validations[0].fieldPath: Invalid value: ".": fieldPath must be a valid path`,
  ],
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "string", "maxLength": 10}, "n": {"type": "integer"}, "l": {"type": "array", "maxItems": 5, "items": {"type": "string", "maxLength": 5}}, "o": {"type": "object", "properties": {"x": {"type": "string"}, "a.b": {"type": "string"}}}, "m": {"type": "object", "additionalProperties": {"type": "string"}}}, "x-kubernetes-validations": [{"rule": "true", "fieldPath": "..a"}]}}}`,
    `$.properties[spec].x-kubernetes-validations[0].fieldPath: Invalid value: "..a": fieldPath must be a valid path`,
  ],
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "string", "maxLength": 10}, "n": {"type": "integer"}, "l": {"type": "array", "maxItems": 5, "items": {"type": "string", "maxLength": 5}}, "o": {"type": "object", "properties": {"x": {"type": "string"}, "a.b": {"type": "string"}}}, "m": {"type": "object", "additionalProperties": {"type": "string"}}}, "x-kubernetes-validations": [{"rule": "true", "fieldPath": ".o[x]"}]}}}`,
    `$.properties[spec].x-kubernetes-validations[0].fieldPath: Invalid value: ".o[x]": fieldPath must be a valid path`,
  ],
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "string", "maxLength": 10}, "n": {"type": "integer"}, "l": {"type": "array", "maxItems": 5, "items": {"type": "string", "maxLength": 5}}, "o": {"type": "object", "properties": {"x": {"type": "string"}, "a.b": {"type": "string"}}}, "m": {"type": "object", "additionalProperties": {"type": "string"}}}, "x-kubernetes-validations": [{"rule": "true", "fieldPath": "["}]}}}`,
    `$.properties[spec].x-kubernetes-validations[0].fieldPath: Invalid value: "[": fieldPath must be a valid path`,
  ],
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "string", "maxLength": 10}, "n": {"type": "integer"}, "l": {"type": "array", "maxItems": 5, "items": {"type": "string", "maxLength": 5}}, "o": {"type": "object", "properties": {"x": {"type": "string"}, "a.b": {"type": "string"}}}, "m": {"type": "object", "additionalProperties": {"type": "string"}}}, "x-kubernetes-validations": [{"rule": "true", "fieldPath": ".a]"}]}}}`,
    `$.properties[spec].x-kubernetes-validations[0].fieldPath: Invalid value: ".a]": fieldPath must be a valid path`,
  ],
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "string", "maxLength": 10}, "n": {"type": "integer"}, "l": {"type": "array", "maxItems": 5, "items": {"type": "string", "maxLength": 5}}, "o": {"type": "object", "properties": {"x": {"type": "string"}, "a.b": {"type": "string"}}}, "m": {"type": "object", "additionalProperties": {"type": "string"}}}, "x-kubernetes-validations": [{"rule": "true", "fieldPath": ".o['a"}]}}}`,
    `$.properties[spec].x-kubernetes-validations[0].fieldPath: Invalid value: ".o['a": fieldPath must be a valid path`,
  ],
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "string", "maxLength": 10}, "n": {"type": "integer"}, "l": {"type": "array", "maxItems": 5, "items": {"type": "string", "maxLength": 5}}, "o": {"type": "object", "properties": {"x": {"type": "string"}, "a.b": {"type": "string"}}}, "m": {"type": "object", "additionalProperties": {"type": "string"}}}, "x-kubernetes-validations": [{"rule": "self == oldSelf"}]}}}`,
    ``,
  ],
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "string", "maxLength": 10}, "n": {"type": "integer"}, "l": {"type": "array", "maxItems": 5, "items": {"type": "string", "maxLength": 5}}, "o": {"type": "object", "properties": {"x": {"type": "string"}, "a.b": {"type": "string"}}}, "m": {"type": "object", "additionalProperties": {"type": "string"}}}, "x-kubernetes-validations": [{"rule": "true", "optionalOldSelf": true}]}}}`,
    `$.properties[spec].x-kubernetes-validations[0].optionalOldSelf: Invalid value: true: may not be set if oldSelf is not used in rule`,
  ],
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "string", "maxLength": 10}, "n": {"type": "integer"}, "l": {"type": "array", "maxItems": 5, "items": {"type": "string", "maxLength": 5}}, "o": {"type": "object", "properties": {"x": {"type": "string"}, "a.b": {"type": "string"}}}, "m": {"type": "object", "additionalProperties": {"type": "string"}}}, "x-kubernetes-validations": [{"rule": "oldSelf.hasValue()", "optionalOldSelf": true}]}}}`,
    ``,
  ],
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "string", "maxLength": 10}, "n": {"type": "integer"}, "l": {"type": "array", "maxItems": 5, "items": {"type": "string", "maxLength": 5}}, "o": {"type": "object", "properties": {"x": {"type": "string"}, "a.b": {"type": "string"}}}, "m": {"type": "object", "additionalProperties": {"type": "string"}}}, "x-kubernetes-validations": [{"rule": "true", "optionalOldSelf": false}]}}}`,
    `$.properties[spec].x-kubernetes-validations[0].optionalOldSelf: Invalid value: false: may not be set if oldSelf is not used in rule`,
  ],
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "string", "maxLength": 10}, "n": {"type": "integer"}, "l": {"type": "array", "maxItems": 5, "items": {"type": "string", "maxLength": 5}}, "o": {"type": "object", "properties": {"x": {"type": "string"}, "a.b": {"type": "string"}}}, "m": {"type": "object", "additionalProperties": {"type": "string"}}}, "x-kubernetes-validations": [{"rule": "oldSelf.n == 1", "optionalOldSelf": true}]}}}`,
    `$.properties[spec].x-kubernetes-validations[0].optionalOldSelf: Invalid value: true: may not be set if oldSelf is not used in rule
$.properties[spec].x-kubernetes-validations[0].rule: Invalid value: apiextensions.ValidationRule{Rule:"oldSelf.n == 1", Message:"", MessageExpression:"", Reason:(*apiextensions.FieldValueErrorReason)(nil), FieldPath:"", OptionalOldSelf:(*bool)(0xc000000000)}: compilation failed: ERROR: <input>:1:11: found no matching overload for '_==_' applied to '(optional_type(int), int)'
 | oldSelf.n == 1
 | ..........^`,
  ],
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"l": {"type": "array", "maxItems": 10, "items": {"type": "object", "required": ["k"], "properties": {"k": {"type": "string"}, "v": {"type": "integer", "x-kubernetes-validations": [{"rule": "self >= oldSelf"}]}}}}}}}}`,
    `$.properties[spec].properties[l].items.properties[v].x-kubernetes-validations[0].rule: Invalid value: "self >= oldSelf": oldSelf cannot be used on the uncorrelatable portion of the schema within $.properties[spec].properties[l]`,
  ],
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"l": {"type": "array", "maxItems": 10, "items": {"type": "object", "required": ["k"], "properties": {"k": {"type": "string"}, "v": {"type": "integer", "x-kubernetes-validations": [{"rule": "self >= oldSelf"}]}}}, "x-kubernetes-list-type": "atomic"}}}}}`,
    `$.properties[spec].properties[l].items.properties[v].x-kubernetes-validations[0].rule: Invalid value: "self >= oldSelf": oldSelf cannot be used on the uncorrelatable portion of the schema within $.properties[spec].properties[l]`,
  ],
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"l": {"type": "array", "maxItems": 10, "items": {"type": "object", "required": ["k"], "properties": {"k": {"type": "string"}, "v": {"type": "integer", "x-kubernetes-validations": [{"rule": "self >= oldSelf"}]}}, "x-kubernetes-map-type": "atomic"}, "x-kubernetes-list-type": "set"}}}}}`,
    `$.properties[spec].properties[l].items.properties[v].x-kubernetes-validations[0].rule: Invalid value: "self >= oldSelf": oldSelf cannot be used on the uncorrelatable portion of the schema within $.properties[spec].properties[l]`,
  ],
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"l": {"type": "array", "maxItems": 10, "items": {"type": "object", "required": ["k"], "properties": {"k": {"type": "string"}, "v": {"type": "integer", "x-kubernetes-validations": [{"rule": "self >= oldSelf"}]}}}, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k"]}}}}}`,
    ``,
  ],
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"m": {"type": "object", "maxProperties": 5, "additionalProperties": {"type": "integer", "x-kubernetes-validations": [{"rule": "self >= oldSelf"}]}}}}}}`,
    ``,
  ],
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"m": {"type": "object", "x-kubernetes-map-type": "atomic", "properties": {"a": {"type": "integer", "x-kubernetes-validations": [{"rule": "self >= oldSelf"}]}}}}}}}`,
    ``,
  ],
  [
    `{"type": "object", "properties": {"spec": {"type": "object"}}, "x-kubernetes-validations": [{"rule": "self.metadata.name.startsWith('a')"}, {"rule": "self.metadata.labels.x == 'y'"}, {"rule": "self.kind == 'x' && self.apiVersion == 'y'"}, {"rule": "self.metadata.generateName == \\"\\""}]}`,
    `$.x-kubernetes-validations[1].rule: Invalid value: apiextensions.ValidationRule{Rule:"self.metadata.labels.x == 'y'", Message:"", MessageExpression:"", Reason:(*apiextensions.FieldValueErrorReason)(nil), FieldPath:"", OptionalOldSelf:(*bool)(nil)}: compilation failed: ERROR: <input>:1:14: undefined field 'labels'
 | self.metadata.labels.x == 'y'
 | .............^`,
  ],
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "string", "maxLength": 5, "allOf": [{"x-kubernetes-validations": [{"rule": "self == \\"x\\""}]}]}}}}}`,
    `$.properties[spec].properties[a].allOf[0].x-kubernetes-validations: Forbidden: must be empty to be structural`,
  ],
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "string", "anyOf": [{"x-kubernetes-validations": [{"rule": "self == \\"x\\""}]}]}}}}}`,
    `$.properties[spec].properties[a].anyOf[0].x-kubernetes-validations: Forbidden: must be empty to be structural`,
  ],
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"l": {"type": "array", "items": {"type": "string"}}}, "x-kubernetes-validations": [{"rule": "self.l.all(x, x.startsWith(\\"a\\"))"}]}}}`,
    ``,
  ],
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"l": {"type": "array", "items": {"type": "array", "items": {"type": "integer"}}}}, "x-kubernetes-validations": [{"rule": "self.l.all(x, x.all(y, y > 0))"}]}}}`,
    `$.properties[spec].x-kubernetes-validations[0].rule: Forbidden: contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema
$.properties[spec].x-kubernetes-validations[0].rule: Forbidden: estimated rule cost exceeds budget by factor of more than 100x (try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)
$: Forbidden: x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema exceeds budget by factor of more than 100x (try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)`,
  ],
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"l": {"type": "array", "items": {"type": "object", "properties": {"s": {"type": "string", "x-kubernetes-validations": [{"rule": "self.matches(\\"^[a-z]+$\\")"}]}}}}}}}}`,
    `$.properties[spec].properties[l].items.properties[s].x-kubernetes-validations[0].rule: Forbidden: contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema
$.properties[spec].properties[l].items.properties[s].x-kubernetes-validations[0].rule: Forbidden: estimated rule cost exceeds budget by factor of more than 100x (try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)
$: Forbidden: x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema exceeds budget by factor of more than 100x (try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)`,
  ],
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"l": {"type": "array", "maxItems": 10, "items": {"type": "object", "properties": {"s": {"type": "string", "maxLength": 50, "x-kubernetes-validations": [{"rule": "self.matches(\\"^[a-z]+$\\")"}]}}}}}}}}`,
    ``,
  ],
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"l": {"type": "array", "items": {"type": "string", "maxLength": 100}}}, "x-kubernetes-validations": [{"rule": "self.l.all(x, self.l.exists_one(y, x == y))"}]}}}`,
    `$.properties[spec].x-kubernetes-validations[0].rule: Forbidden: contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema
$.properties[spec].x-kubernetes-validations[0].rule: Forbidden: estimated rule cost exceeds budget by factor of more than 100x (try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)
$: Forbidden: x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema exceeds budget by factor of more than 100x (try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)`,
  ],
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"l": {"type": "array", "maxItems": 50, "items": {"type": "string", "maxLength": 100}}}, "x-kubernetes-validations": [{"rule": "self.l.all(x, self.l.exists_one(y, x == y))"}]}}}`,
    ``,
  ],
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"m": {"type": "object", "maxProperties": 50, "additionalProperties": {"type": "string", "maxLength": 100, "x-kubernetes-validations": [{"rule": "self.matches(\\"^[a-z0-9-]*$\\")", "messageExpression": "\\"bad \\" + self"}]}}}}}}`,
    ``,
  ],
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"s": {"type": "string", "maxLength": 50000}}, "x-kubernetes-validations": [{"rule": "self.s.split(\\",\\").map(x, x.trim()).filter(x, x.size() > 0).all(x, x.contains(\\"abc\\"))"}]}}}`,
    ``,
  ],
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"l": {"type": "array", "maxItems": 50, "items": {"type": "object", "properties": {"a": {"type": "string", "maxLength": 64}, "b": {"type": "array", "maxItems": 8, "items": {"type": "string", "maxLength": 64}}}}}}, "x-kubernetes-validations": [{"rule": "self.l.all(x, has(x.a) && (x.a == \\"z\\" || x.b.exists(y, y.startsWith(x.a) && y.replace(\\"a\\",\\"bb\\").size() < 10)))"}, {"rule": "self.l.map(x, x.a).join(\\",\\").size() < 100"}, {"rule": "self.l.filter(x, x.a.lowerAscii() in [\\"a\\",\\"b\\"]).size() < 2 && self.l.transformMap(i, v, v.a).all(k, true)"}, {"rule": "self.l.map(x, x.b).exists(y, y.isSorted() && y.max() > \\"a\\" && y.indexOf(\\"q\\") > 0)"}]}}}`,
    `$.properties[spec].x-kubernetes-validations[0].rule: Forbidden: contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema
$.properties[spec].x-kubernetes-validations[1].rule: Forbidden: contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema
$.properties[spec].x-kubernetes-validations[1].rule: Forbidden: estimated rule cost exceeds budget by factor of more than 100x (try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)
$: Forbidden: x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema exceeds budget by factor of more than 100x (try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)`,
  ],
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"l": {"type": "array", "maxItems": 400, "items": {"type": "string", "maxLength": 100}}}, "x-kubernetes-validations": [{"rule": "self.l.all(x, self.l.exists_one(y, x == y))"}]}}}`,
    ``,
  ],
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"m": {"type": "object", "maxProperties": 400, "additionalProperties": {"type": "string", "maxLength": 100, "x-kubernetes-validations": [{"rule": "self.matches(\\"^[a-z0-9-]*$\\")", "messageExpression": "\\"bad \\" + self"}]}}}}}}`,
    ``,
  ],
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"s": {"type": "string", "maxLength": 400000}}, "x-kubernetes-validations": [{"rule": "self.s.split(\\",\\").map(x, x.trim()).filter(x, x.size() > 0).all(x, x.contains(\\"abc\\"))"}]}}}`,
    `$.properties[spec].x-kubernetes-validations[0].rule: Forbidden: estimated rule cost exceeds budget by factor of 5.3x (try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)`,
  ],
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"l": {"type": "array", "maxItems": 400, "items": {"type": "object", "properties": {"a": {"type": "string", "maxLength": 64}, "b": {"type": "array", "maxItems": 8, "items": {"type": "string", "maxLength": 64}}}}}}, "x-kubernetes-validations": [{"rule": "self.l.all(x, has(x.a) && (x.a == \\"z\\" || x.b.exists(y, y.startsWith(x.a) && y.replace(\\"a\\",\\"bb\\").size() < 10)))"}, {"rule": "self.l.map(x, x.a).join(\\",\\").size() < 100"}, {"rule": "self.l.filter(x, x.a.lowerAscii() in [\\"a\\",\\"b\\"]).size() < 2 && self.l.transformMap(i, v, v.a).all(k, true)"}, {"rule": "self.l.map(x, x.b).exists(y, y.isSorted() && y.max() > \\"a\\" && y.indexOf(\\"q\\") > 0)"}]}}}`,
    `$.properties[spec].x-kubernetes-validations[0].rule: Forbidden: contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema
$.properties[spec].x-kubernetes-validations[1].rule: Forbidden: contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema
$.properties[spec].x-kubernetes-validations[1].rule: Forbidden: estimated rule cost exceeds budget by factor of more than 100x (try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)
$: Forbidden: x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema exceeds budget by factor of more than 100x (try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)`,
  ],
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"l": {"type": "array", "maxItems": 2000, "items": {"type": "string", "maxLength": 100}}}, "x-kubernetes-validations": [{"rule": "self.l.all(x, self.l.exists_one(y, x == y))"}]}}}`,
    `$.properties[spec].x-kubernetes-validations[0].rule: Forbidden: contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema
$.properties[spec].x-kubernetes-validations[0].rule: Forbidden: estimated rule cost exceeds budget by factor of 17.6x (try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)
$: Forbidden: x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema exceeds budget by factor of 1.8x (try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)`,
  ],
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"m": {"type": "object", "maxProperties": 2000, "additionalProperties": {"type": "string", "maxLength": 100, "x-kubernetes-validations": [{"rule": "self.matches(\\"^[a-z0-9-]*$\\")", "messageExpression": "\\"bad \\" + self"}]}}}}}}`,
    ``,
  ],
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"s": {"type": "string", "maxLength": 2000000}}, "x-kubernetes-validations": [{"rule": "self.s.split(\\",\\").map(x, x.trim()).filter(x, x.size() > 0).all(x, x.contains(\\"abc\\"))"}]}}}`,
    `$.properties[spec].x-kubernetes-validations[0].rule: Forbidden: contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema
$.properties[spec].x-kubernetes-validations[0].rule: Forbidden: estimated rule cost exceeds budget by factor of 26.6x (try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)
$: Forbidden: x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema exceeds budget by factor of 2.7x (try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)`,
  ],
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"l": {"type": "array", "maxItems": 2000, "items": {"type": "object", "properties": {"a": {"type": "string", "maxLength": 64}, "b": {"type": "array", "maxItems": 8, "items": {"type": "string", "maxLength": 64}}}}}}, "x-kubernetes-validations": [{"rule": "self.l.all(x, has(x.a) && (x.a == \\"z\\" || x.b.exists(y, y.startsWith(x.a) && y.replace(\\"a\\",\\"bb\\").size() < 10)))"}, {"rule": "self.l.map(x, x.a).join(\\",\\").size() < 100"}, {"rule": "self.l.filter(x, x.a.lowerAscii() in [\\"a\\",\\"b\\"]).size() < 2 && self.l.transformMap(i, v, v.a).all(k, true)"}, {"rule": "self.l.map(x, x.b).exists(y, y.isSorted() && y.max() > \\"a\\" && y.indexOf(\\"q\\") > 0)"}]}}}`,
    `$.properties[spec].x-kubernetes-validations[0].rule: Forbidden: contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema
$.properties[spec].x-kubernetes-validations[0].rule: Forbidden: estimated rule cost exceeds budget by factor of 4.5x (try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)
$.properties[spec].x-kubernetes-validations[1].rule: Forbidden: contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema
$.properties[spec].x-kubernetes-validations[1].rule: Forbidden: estimated rule cost exceeds budget by factor of more than 100x (try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)
$: Forbidden: x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema exceeds budget by factor of more than 100x (try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)`,
  ],
  [
    `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "string", "x-kubernetes-validations": [{"rule": "size(self) > 1"}]}, "b": {"x-kubernetes-int-or-string": true, "x-kubernetes-validations": [{"rule": "type(self) == int ? self > 1 : self.endsWith(\\"%\\")"}]}, "c": {"type": "boolean", "x-kubernetes-validations": [{"rule": "self"}]}, "d": {"type": "array", "items": {"type": "string"}, "x-kubernetes-validations": [{"rule": "self.size() > 1"}]}}}}}`,
    ``,
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
