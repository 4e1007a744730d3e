import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isObject, type JsonObject, parseJson } from '#base/json.ts';
import type { ApiObject, KindType } from '../../api/port.ts';
import { createTypeRegistry } from '../registry.ts';

const registry = createTypeRegistry();

/** Per schema: the spec that is written, the one that was stored, and what is wrong, line by line. */
const groups: { schema: string; rows: [string, string, string][] }[] = [
  {
    schema: `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "integer"}, "o": {"type": "object", "properties": {"x.y": {"type": "integer"}}}, "m": {"type": "object", "additionalProperties": {"type": "integer"}}}, "x-kubernetes-validations": [{"rule": "self.a > 1", "message": "m"}]}, "status": {"type": "object", "properties": {"n": {"type": "integer"}}}}}`,
    rows: [[`{"a": 1}`, ``, `spec: Invalid value: "object": m`]],
  },
  {
    schema: `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "integer"}, "o": {"type": "object", "properties": {"x.y": {"type": "integer"}}}, "m": {"type": "object", "additionalProperties": {"type": "integer"}}}, "x-kubernetes-validations": [{"rule": "self.a > 1", "message": "m", "fieldPath": ".a"}]}, "status": {"type": "object", "properties": {"n": {"type": "integer"}}}}}`,
    rows: [[`{"a": 1}`, ``, `spec.a: Invalid value: "object": m`]],
  },
  {
    schema: `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "integer"}, "o": {"type": "object", "properties": {"x.y": {"type": "integer"}}}, "m": {"type": "object", "additionalProperties": {"type": "integer"}}}, "x-kubernetes-validations": [{"rule": "self.a > 1", "message": "m", "fieldPath": ".o['x.y']"}]}, "status": {"type": "object", "properties": {"n": {"type": "integer"}}}}}`,
    rows: [[`{"a": 1}`, ``, `spec.o.x.y: Invalid value: "object": m`]],
  },
  {
    schema: `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "integer"}, "o": {"type": "object", "properties": {"x.y": {"type": "integer"}}}, "m": {"type": "object", "additionalProperties": {"type": "integer"}}}, "x-kubernetes-validations": [{"rule": "self.a > 1", "message": "m", "fieldPath": ".m['k']"}]}, "status": {"type": "object", "properties": {"n": {"type": "integer"}}}}}`,
    rows: [[`{"a": 1}`, ``, `spec.m[k]: Invalid value: "object": m`]],
  },
  {
    schema: `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "integer"}, "o": {"type": "object", "properties": {"x.y": {"type": "integer"}}}, "m": {"type": "object", "additionalProperties": {"type": "integer"}}}, "x-kubernetes-validations": [{"rule": "self.a > 1", "message": "m", "fieldPath": ".m.k"}]}, "status": {"type": "object", "properties": {"n": {"type": "integer"}}}}}`,
    rows: [[`{"a": 1}`, ``, `spec.m[k]: Invalid value: "object": m`]],
  },
  {
    schema: `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "integer"}, "o": {"type": "object", "properties": {"x.y": {"type": "integer"}}}, "m": {"type": "object", "additionalProperties": {"type": "integer"}}}, "x-kubernetes-validations": [{"rule": "self.a > 1", "message": "m", "reason": "FieldValueInvalid"}]}, "status": {"type": "object", "properties": {"n": {"type": "integer"}}}}}`,
    rows: [[`{"a": 1}`, ``, `spec: Invalid value: "object": m`]],
  },
  {
    schema: `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "integer"}, "o": {"type": "object", "properties": {"x.y": {"type": "integer"}}}, "m": {"type": "object", "additionalProperties": {"type": "integer"}}}, "x-kubernetes-validations": [{"rule": "self.a > 1", "message": "m", "reason": "FieldValueInvalid", "fieldPath": ".a"}]}, "status": {"type": "object", "properties": {"n": {"type": "integer"}}}}}`,
    rows: [[`{"a": 1}`, ``, `spec.a: Invalid value: "object": m`]],
  },
  {
    schema: `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "integer"}, "o": {"type": "object", "properties": {"x.y": {"type": "integer"}}}, "m": {"type": "object", "additionalProperties": {"type": "integer"}}}, "x-kubernetes-validations": [{"rule": "self.a > 1", "message": "m", "reason": "FieldValueInvalid", "fieldPath": ".o['x.y']"}]}, "status": {"type": "object", "properties": {"n": {"type": "integer"}}}}}`,
    rows: [[`{"a": 1}`, ``, `spec.o.x.y: Invalid value: "object": m`]],
  },
  {
    schema: `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "integer"}, "o": {"type": "object", "properties": {"x.y": {"type": "integer"}}}, "m": {"type": "object", "additionalProperties": {"type": "integer"}}}, "x-kubernetes-validations": [{"rule": "self.a > 1", "message": "m", "reason": "FieldValueInvalid", "fieldPath": ".m['k']"}]}, "status": {"type": "object", "properties": {"n": {"type": "integer"}}}}}`,
    rows: [[`{"a": 1}`, ``, `spec.m[k]: Invalid value: "object": m`]],
  },
  {
    schema: `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "integer"}, "o": {"type": "object", "properties": {"x.y": {"type": "integer"}}}, "m": {"type": "object", "additionalProperties": {"type": "integer"}}}, "x-kubernetes-validations": [{"rule": "self.a > 1", "message": "m", "reason": "FieldValueInvalid", "fieldPath": ".m.k"}]}, "status": {"type": "object", "properties": {"n": {"type": "integer"}}}}}`,
    rows: [[`{"a": 1}`, ``, `spec.m[k]: Invalid value: "object": m`]],
  },
  {
    schema: `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "integer"}, "o": {"type": "object", "properties": {"x.y": {"type": "integer"}}}, "m": {"type": "object", "additionalProperties": {"type": "integer"}}}, "x-kubernetes-validations": [{"rule": "self.a > 1", "message": "m", "reason": "FieldValueForbidden"}]}, "status": {"type": "object", "properties": {"n": {"type": "integer"}}}}}`,
    rows: [[`{"a": 1}`, ``, `spec: Forbidden: m`]],
  },
  {
    schema: `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "integer"}, "o": {"type": "object", "properties": {"x.y": {"type": "integer"}}}, "m": {"type": "object", "additionalProperties": {"type": "integer"}}}, "x-kubernetes-validations": [{"rule": "self.a > 1", "message": "m", "reason": "FieldValueForbidden", "fieldPath": ".a"}]}, "status": {"type": "object", "properties": {"n": {"type": "integer"}}}}}`,
    rows: [[`{"a": 1}`, ``, `spec.a: Forbidden: m`]],
  },
  {
    schema: `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "integer"}, "o": {"type": "object", "properties": {"x.y": {"type": "integer"}}}, "m": {"type": "object", "additionalProperties": {"type": "integer"}}}, "x-kubernetes-validations": [{"rule": "self.a > 1", "message": "m", "reason": "FieldValueForbidden", "fieldPath": ".o['x.y']"}]}, "status": {"type": "object", "properties": {"n": {"type": "integer"}}}}}`,
    rows: [[`{"a": 1}`, ``, `spec.o.x.y: Forbidden: m`]],
  },
  {
    schema: `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "integer"}, "o": {"type": "object", "properties": {"x.y": {"type": "integer"}}}, "m": {"type": "object", "additionalProperties": {"type": "integer"}}}, "x-kubernetes-validations": [{"rule": "self.a > 1", "message": "m", "reason": "FieldValueForbidden", "fieldPath": ".m['k']"}]}, "status": {"type": "object", "properties": {"n": {"type": "integer"}}}}}`,
    rows: [[`{"a": 1}`, ``, `spec.m[k]: Forbidden: m`]],
  },
  {
    schema: `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "integer"}, "o": {"type": "object", "properties": {"x.y": {"type": "integer"}}}, "m": {"type": "object", "additionalProperties": {"type": "integer"}}}, "x-kubernetes-validations": [{"rule": "self.a > 1", "message": "m", "reason": "FieldValueForbidden", "fieldPath": ".m.k"}]}, "status": {"type": "object", "properties": {"n": {"type": "integer"}}}}}`,
    rows: [[`{"a": 1}`, ``, `spec.m[k]: Forbidden: m`]],
  },
  {
    schema: `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "integer"}, "o": {"type": "object", "properties": {"x.y": {"type": "integer"}}}, "m": {"type": "object", "additionalProperties": {"type": "integer"}}}, "x-kubernetes-validations": [{"rule": "self.a > 1", "message": "m", "reason": "FieldValueRequired"}]}, "status": {"type": "object", "properties": {"n": {"type": "integer"}}}}}`,
    rows: [[`{"a": 1}`, ``, `spec: Required value: m`]],
  },
  {
    schema: `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "integer"}, "o": {"type": "object", "properties": {"x.y": {"type": "integer"}}}, "m": {"type": "object", "additionalProperties": {"type": "integer"}}}, "x-kubernetes-validations": [{"rule": "self.a > 1", "message": "m", "reason": "FieldValueRequired", "fieldPath": ".a"}]}, "status": {"type": "object", "properties": {"n": {"type": "integer"}}}}}`,
    rows: [[`{"a": 1}`, ``, `spec.a: Required value: m`]],
  },
  {
    schema: `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "integer"}, "o": {"type": "object", "properties": {"x.y": {"type": "integer"}}}, "m": {"type": "object", "additionalProperties": {"type": "integer"}}}, "x-kubernetes-validations": [{"rule": "self.a > 1", "message": "m", "reason": "FieldValueRequired", "fieldPath": ".o['x.y']"}]}, "status": {"type": "object", "properties": {"n": {"type": "integer"}}}}}`,
    rows: [[`{"a": 1}`, ``, `spec.o.x.y: Required value: m`]],
  },
  {
    schema: `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "integer"}, "o": {"type": "object", "properties": {"x.y": {"type": "integer"}}}, "m": {"type": "object", "additionalProperties": {"type": "integer"}}}, "x-kubernetes-validations": [{"rule": "self.a > 1", "message": "m", "reason": "FieldValueRequired", "fieldPath": ".m['k']"}]}, "status": {"type": "object", "properties": {"n": {"type": "integer"}}}}}`,
    rows: [[`{"a": 1}`, ``, `spec.m[k]: Required value: m`]],
  },
  {
    schema: `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "integer"}, "o": {"type": "object", "properties": {"x.y": {"type": "integer"}}}, "m": {"type": "object", "additionalProperties": {"type": "integer"}}}, "x-kubernetes-validations": [{"rule": "self.a > 1", "message": "m", "reason": "FieldValueRequired", "fieldPath": ".m.k"}]}, "status": {"type": "object", "properties": {"n": {"type": "integer"}}}}}`,
    rows: [[`{"a": 1}`, ``, `spec.m[k]: Required value: m`]],
  },
  {
    schema: `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "integer"}, "o": {"type": "object", "properties": {"x.y": {"type": "integer"}}}, "m": {"type": "object", "additionalProperties": {"type": "integer"}}}, "x-kubernetes-validations": [{"rule": "self.a > 1", "message": "m", "reason": "FieldValueDuplicate"}]}, "status": {"type": "object", "properties": {"n": {"type": "integer"}}}}}`,
    rows: [[`{"a": 1}`, ``, `spec: Duplicate value: "object"`]],
  },
  {
    schema: `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "integer"}, "o": {"type": "object", "properties": {"x.y": {"type": "integer"}}}, "m": {"type": "object", "additionalProperties": {"type": "integer"}}}, "x-kubernetes-validations": [{"rule": "self.a > 1", "message": "m", "reason": "FieldValueDuplicate", "fieldPath": ".a"}]}, "status": {"type": "object", "properties": {"n": {"type": "integer"}}}}}`,
    rows: [[`{"a": 1}`, ``, `spec.a: Duplicate value: "object"`]],
  },
  {
    schema: `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "integer"}, "o": {"type": "object", "properties": {"x.y": {"type": "integer"}}}, "m": {"type": "object", "additionalProperties": {"type": "integer"}}}, "x-kubernetes-validations": [{"rule": "self.a > 1", "message": "m", "reason": "FieldValueDuplicate", "fieldPath": ".o['x.y']"}]}, "status": {"type": "object", "properties": {"n": {"type": "integer"}}}}}`,
    rows: [[`{"a": 1}`, ``, `spec.o.x.y: Duplicate value: "object"`]],
  },
  {
    schema: `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "integer"}, "o": {"type": "object", "properties": {"x.y": {"type": "integer"}}}, "m": {"type": "object", "additionalProperties": {"type": "integer"}}}, "x-kubernetes-validations": [{"rule": "self.a > 1", "message": "m", "reason": "FieldValueDuplicate", "fieldPath": ".m['k']"}]}, "status": {"type": "object", "properties": {"n": {"type": "integer"}}}}}`,
    rows: [[`{"a": 1}`, ``, `spec.m[k]: Duplicate value: "object"`]],
  },
  {
    schema: `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "integer"}, "o": {"type": "object", "properties": {"x.y": {"type": "integer"}}}, "m": {"type": "object", "additionalProperties": {"type": "integer"}}}, "x-kubernetes-validations": [{"rule": "self.a > 1", "message": "m", "reason": "FieldValueDuplicate", "fieldPath": ".m.k"}]}, "status": {"type": "object", "properties": {"n": {"type": "integer"}}}}}`,
    rows: [[`{"a": 1}`, ``, `spec.m[k]: Duplicate value: "object"`]],
  },
  {
    schema: `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "integer", "x-kubernetes-validations": [{"rule": "self >= oldSelf"}]}, "m": {"type": "object", "maxProperties": 9, "additionalProperties": {"type": "integer", "x-kubernetes-validations": [{"rule": "self >= oldSelf"}]}}, "ml": {"type": "array", "maxItems": 9, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k"], "items": {"type": "object", "required": ["k"], "properties": {"k": {"type": "string", "maxLength": 10}, "v": {"type": "integer", "x-kubernetes-validations": [{"rule": "self >= oldSelf"}]}}, "x-kubernetes-validations": [{"rule": "self.v - oldSelf.v < 5"}]}}, "op": {"type": "integer", "x-kubernetes-validations": [{"rule": "!oldSelf.hasValue() || oldSelf.value() < self", "optionalOldSelf": true}]}, "nu": {"type": "integer", "nullable": true, "x-kubernetes-validations": [{"rule": "self >= oldSelf"}]}, "l": {"type": "array", "maxItems": 5, "items": {"type": "integer"}, "x-kubernetes-validations": [{"rule": "self.all(x, x in oldSelf)"}]}}, "x-kubernetes-validations": [{"rule": "!has(oldSelf.a) || has(self.a)", "message": "a stays"}]}, "status": {"type": "object", "properties": {"n": {"type": "integer"}}}}}`,
    rows: [
      [`{"a": 1}`, `{"a": 2}`, `spec.a: Invalid value: "integer": failed rule: self >= oldSelf`],
      [`{"a": 2}`, `{"a": 1}`, ``],
      [`{"a": 2}`, `{}`, ``],
      [`{}`, `{"a": 1}`, `spec: Invalid value: "object": a stays`],
      [
        `{"m": {"x": 1, "y": 1}}`,
        `{"m": {"x": 2}}`,
        `spec.m[x]: Invalid value: "integer": failed rule: self >= oldSelf`,
      ],
      [
        `{"ml": [{"k": "b", "v": 1}, {"k": "a", "v": 1}]}`,
        `{"ml": [{"k": "a", "v": 2}]}`,
        `spec.ml[1].v: Invalid value: "integer": failed rule: self >= oldSelf`,
      ],
      [
        `{"ml": [{"k": "a", "v": 9}]}`,
        `{"ml": [{"k": "a", "v": 2}]}`,
        `spec.ml[0]: Invalid value: "object": failed rule: self.v - oldSelf.v < 5`,
      ],
      [`{"op": 1}`, `{}`, ``],
      [
        `{"op": 1}`,
        `{"op": 1}`,
        `spec.op: Invalid value: "integer": failed rule: !oldSelf.hasValue() || oldSelf.value() < self`,
      ],
      [`{"op": 2}`, `{"op": 1}`, ``],
      [`{"nu": null}`, `{"nu": 1}`, ``],
      [`{"nu": 1}`, `{"nu": null}`, ``],
      [`{"nu": 1}`, `{"nu": 2}`, `spec.nu: Invalid value: "integer": failed rule: self >= oldSelf`],
      [`{"l": [1, 2]}`, `{"l": [1]}`, `spec.l: Invalid value: "array": failed rule: self.all(x, x in oldSelf)`],
      [`{"l": [1]}`, `{"l": [1, 2]}`, ``],
      [`{"op": 1}`, ``, ``],
      [`{"a": 1}`, ``, ``],
      [`{"l": [1]}`, ``, ``],
    ],
  },
  {
    schema: `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "integer"}, "l": {"type": "array", "items": {"type": "string"}}, "s": {"type": "string", "maxLength": 10}}, "x-kubernetes-validations": [{"rule": "self.a > 1", "messageExpression": "self.l[9]"}]}, "status": {"type": "object", "properties": {"n": {"type": "integer"}}}}}`,
    rows: [
      [
        `{"a": 1, "l": [], "s": "q"}`,
        `{"a": 1, "l": [], "s": "w"}`,
        `spec: Invalid value: "object": failed rule: self.a > 1`,
      ],
    ],
  },
  {
    schema: `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "integer"}, "l": {"type": "array", "items": {"type": "string"}}, "s": {"type": "string", "maxLength": 10}}, "x-kubernetes-validations": [{"rule": "self.a > 1", "message": "plain", "messageExpression": "self.l[9]"}]}, "status": {"type": "object", "properties": {"n": {"type": "integer"}}}}}`,
    rows: [[`{"a": 1, "l": [], "s": "q"}`, ``, `spec: Invalid value: "object": plain`]],
  },
  {
    schema: `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "integer"}, "l": {"type": "array", "items": {"type": "string"}}, "s": {"type": "string", "maxLength": 10}}, "x-kubernetes-validations": [{"rule": "self.a > 1", "messageExpression": "\\"\\""}]}, "status": {"type": "object", "properties": {"n": {"type": "integer"}}}}}`,
    rows: [
      [
        `{"a": 1, "l": [], "s": "q"}`,
        `{"a": 1, "l": [], "s": "w"}`,
        `spec: Invalid value: "object": failed rule: self.a > 1`,
      ],
    ],
  },
  {
    schema: `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "integer"}, "l": {"type": "array", "items": {"type": "string"}}, "s": {"type": "string", "maxLength": 10}}, "x-kubernetes-validations": [{"rule": "self.a > 1", "message": "plain", "messageExpression": "\\"\\""}]}, "status": {"type": "object", "properties": {"n": {"type": "integer"}}}}}`,
    rows: [[`{"a": 1, "l": [], "s": "q"}`, ``, `spec: Invalid value: "object": plain`]],
  },
  {
    schema: `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "integer"}, "l": {"type": "array", "items": {"type": "string"}}, "s": {"type": "string", "maxLength": 10}}, "x-kubernetes-validations": [{"rule": "self.a > 1", "messageExpression": "\\" x \\""}]}, "status": {"type": "object", "properties": {"n": {"type": "integer"}}}}}`,
    rows: [[`{"a": 1, "l": [], "s": "q"}`, `{"a": 1, "l": [], "s": "w"}`, `spec: Invalid value: "object": x`]],
  },
  {
    schema: `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "integer"}, "l": {"type": "array", "items": {"type": "string"}}, "s": {"type": "string", "maxLength": 10}}, "x-kubernetes-validations": [{"rule": "self.a > 1", "message": "plain", "messageExpression": "\\" x \\""}]}, "status": {"type": "object", "properties": {"n": {"type": "integer"}}}}}`,
    rows: [[`{"a": 1, "l": [], "s": "q"}`, ``, `spec: Invalid value: "object": x`]],
  },
  {
    schema: `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "integer"}, "l": {"type": "array", "items": {"type": "string"}}, "s": {"type": "string", "maxLength": 10}}, "x-kubernetes-validations": [{"rule": "self.a > 1", "messageExpression": "\\"a\\\\nb\\""}]}, "status": {"type": "object", "properties": {"n": {"type": "integer"}}}}}`,
    rows: [
      [
        `{"a": 1, "l": [], "s": "q"}`,
        `{"a": 1, "l": [], "s": "w"}`,
        `spec: Invalid value: "object": failed rule: self.a > 1`,
      ],
    ],
  },
  {
    schema: `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "integer"}, "l": {"type": "array", "items": {"type": "string"}}, "s": {"type": "string", "maxLength": 10}}, "x-kubernetes-validations": [{"rule": "self.a > 1", "message": "plain", "messageExpression": "\\"a\\\\nb\\""}]}, "status": {"type": "object", "properties": {"n": {"type": "integer"}}}}}`,
    rows: [[`{"a": 1, "l": [], "s": "q"}`, ``, `spec: Invalid value: "object": plain`]],
  },
  {
    schema: `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "integer"}, "l": {"type": "array", "items": {"type": "string"}}, "s": {"type": "string", "maxLength": 10}}, "x-kubernetes-validations": [{"rule": "self.a > 1", "messageExpression": "oldSelf.s"}]}, "status": {"type": "object", "properties": {"n": {"type": "integer"}}}}}`,
    rows: [
      [
        `{"a": 1, "l": [], "s": "q"}`,
        `{"a": 1, "l": [], "s": "w"}`,
        `spec: Invalid value: "object": failed rule: self.a > 1`,
      ],
    ],
  },
  {
    schema: `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "integer"}, "l": {"type": "array", "items": {"type": "string"}}, "s": {"type": "string", "maxLength": 10}}, "x-kubernetes-validations": [{"rule": "self.a > 1", "message": "plain", "messageExpression": "oldSelf.s"}]}, "status": {"type": "object", "properties": {"n": {"type": "integer"}}}}}`,
    rows: [[`{"a": 1, "l": [], "s": "q"}`, ``, `spec: Invalid value: "object": plain`]],
  },
  {
    schema: `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "integer"}}}, "status": {"type": "object", "properties": {"n": {"type": "integer"}}}}, "x-kubernetes-validations": [{"rule": "self.metadata.name.startsWith('z')"}, {"rule": "self.kind == 'Order' && self.apiVersion == 'x'"}, {"rule": "has(self.status)"}, {"rule": "self.spec.a > 1", "fieldPath": ".spec.a"}]}`,
    rows: [
      [
        `{"a": 1}`,
        ``,
        `<nil>: Invalid value: "object": failed rule: has(self.status)
<nil>: Invalid value: "object": failed rule: self.kind == 'Order' && self.apiVersion == 'x'
<nil>: Invalid value: "object": failed rule: self.metadata.name.startsWith('z')
spec.a: Invalid value: "object": failed rule: self.spec.a > 1`,
      ],
    ],
  },
  {
    schema: `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"e": {"type": "object", "x-kubernetes-embedded-resource": true, "x-kubernetes-preserve-unknown-fields": true, "properties": {"spec": {"type": "object", "properties": {"x": {"type": "integer"}}}}, "x-kubernetes-validations": [{"rule": "self.metadata.name == 'q'"}, {"rule": "self.kind == 'Z'"}, {"rule": "self.spec.x > 1"}]}}}, "status": {"type": "object", "properties": {"n": {"type": "integer"}}}}}`,
    rows: [
      [
        `{"e": {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {"x": 1}}}`,
        ``,
        `spec.e: Invalid value: "object": failed rule: self.kind == 'Z'
spec.e: Invalid value: "object": failed rule: self.metadata.name == 'q'
spec.e: Invalid value: "object": failed rule: self.spec.x > 1`,
      ],
      [
        `{"e": {"apiVersion": "v1", "kind": "Pod"}}`,
        ``,
        `spec.e: Invalid value: "object": failed rule: self.kind == 'Z'
spec.e: Invalid value: "object": no such key: metadata evaluating rule: self.metadata.name == 'q'
spec.e: Invalid value: "object": no such key: spec evaluating rule: self.spec.x > 1`,
      ],
    ],
  },
  {
    schema: `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "integer", "maximum": 10, "x-kubernetes-validations": [{"rule": "self > 5"}]}, "s": {"type": "string", "maxLength": 5, "pattern": "^a"}}, "x-kubernetes-validations": [{"rule": "self.a > 6"}]}, "status": {"type": "object", "properties": {"n": {"type": "integer"}}}}}`,
    rows: [
      [`{"a": 11}`, ``, `spec.a: Invalid value: 11: spec.a in body should be less than or equal to 10`],
      [
        `{"a": "x"}`,
        ``,
        `<nil>: Invalid value: "null": some validation rules were not checked because the object was invalid; correct the existing errors to complete validation
spec.a: Invalid value: "string": spec.a in body must be of type integer: "string"`,
      ],
      [
        `{"s": "too long string"}`,
        ``,
        `<nil>: Invalid value: "null": some validation rules were not checked because the object was invalid; correct the existing errors to complete validation
spec.s: Too long: may not be more than 5 bytes`,
      ],
      [
        `{"s": "xxx", "a": 3}`,
        ``,
        `spec.a: Invalid value: "integer": failed rule: self > 5
spec.s: Invalid value: "xxx": spec.s in body should match '^a'
spec: Invalid value: "object": failed rule: self.a > 6`,
      ],
    ],
  },
  {
    schema: `{"type": "object", "properties": {"spec": {"type": "object", "properties": {"ios": {"x-kubernetes-int-or-string": true, "x-kubernetes-validations": [{"rule": "type(self) == int ? self > 5 : self.endsWith(\\"%\\")"}]}}}, "status": {"type": "object", "properties": {"n": {"type": "integer"}}}}}`,
    rows: [[`{"ios": "5%"}`, ``, ``]],
  },
];

function parsed(text: string): JsonObject {
  const value = parseJson(text, 'the row');
  assert.ok(isObject(value));
  return value;
}

function stored(type: KindType, spec: string): ApiObject {
  const { object } = type.decode({ metadata: { name: 'o', namespace: 'd' }, spec: parsed(spec) });
  type.applyDefaults(object);
  return object;
}

for (const { schema, rows } of groups) {
  const type = registry.custom({
    gvk: { group: 'shop.example', version: 'v1', kind: 'Order' },
    openAPIV3Schema: parsed(schema),
    preserveUnknownFields: false,
  });
  for (const [spec, old, want] of rows) {
    test(`${spec} after ${old} by ${schema}`, () => {
      const object = stored(type, spec);
      const errors = old === '' ? type.validateCreate(object) : type.validateUpdate(object, stored(type, old));
      assert.equal(
        errors
          .map(({ field, message }) => `${field}: ${message}`)
          .sort()
          .join('\n'),
        want,
      );
    });
  }
}
