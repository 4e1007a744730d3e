import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkScale } from './scale.ts';

const scale = { specReplicasPath: '.spec.n', statusReplicasPath: '.status.n', labelSelectorPath: '.status.s' };

const rows: { name: string; spec: unknown; status: unknown; want: string[] }[] = [
  { name: 'numbers and a text', spec: { n: 1 }, status: { n: 2, s: 'a=b' }, want: [] },
  { name: 'nothing', spec: undefined, status: {}, want: [] },
  {
    name: 'a text for a number',
    spec: { n: '1' },
    status: { n: 1.5 },
    want: [
      '.spec.n: Invalid value: 0: .spec.n accessor error: 1 is of the type string, expected int64',
      '.status.n: Invalid value: 0: .status.n accessor error: 1.5 is of the type float64, expected int64',
    ],
  },
  {
    name: 'too few and too many',
    spec: { n: -1 },
    status: { n: 2147483648 },
    want: [
      '.spec.n: Invalid value: -1: should be a non-negative integer',
      '.status.n: Invalid value: 2147483648: should be less than or equal to 2147483647',
    ],
  },
  {
    name: 'a selector that is no text',
    spec: {},
    status: { s: true },
    want: ['.status.s: Invalid value: "": .status.s accessor error: true is of the type bool, expected string'],
  },
];

for (const { name, spec, status, want } of rows) {
  test(`scale of a custom resource: ${name}`, () => {
    const object = { apiVersion: 'a/v1', kind: 'K', metadata: { name: 'o' }, spec, status };
    assert.deepEqual(
      checkScale(scale, object).map(({ field, message }) => `${field}: ${message}`),
      want,
    );
  });
}
