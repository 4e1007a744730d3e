import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canonicalQuantity, compareQuantities, parseQuantity } from './quantity.ts';

const canonical: [string, string][] = [
  ['0.5', '500m'],
  ['1024Mi', '1Gi'],
  ['1000m', '1'],
  ['1', '1'],
  ['0', '0'],
  ['0Gi', '0'],
  ['-0.5', '-500m'],
  ['+3', '+3'],
  ['.25', '250m'],
  ['2.', '2.'],
  ['02', '02'],
  ['+2000', '2k'],
  ['1500m', '1500m'],
  ['1000', '1k'],
  ['1000000', '1M'],
  ['1100', '1100'],
  ['1.5Gi', '1536Mi'],
  ['0.5Mi', '512Ki'],
  ['512', '512'],
  ['0.5Ki', '512'],
  ['1025Ki', '1025Ki'],
  ['100G', '100G'],
  ['1e3', '1e3'],
  ['12e2', '1200'],
  ['1E3', '1E3'],
  ['1E', '1E'],
  ['0.0000000001', '1n'],
  ['0.000001', '1u'],
  ['1.1Ki', '1126400m'],
  ['9007199254740993', '9007199254740993'],
  ['16Ei', '9223372036854775807'],
];

for (const [text, want] of canonical) {
  test(`quantity ${text} is stored as ${want}`, () => assert.equal(canonicalQuantity(text), want));
}

for (const text of ['', 'abc', '1x', '1.2.3', '1 Gi', '--1', '1ki', '1Kib', 'Gi']) {
  test(`quantity ${JSON.stringify(text)} is refused`, () => assert.equal(canonicalQuantity(text), undefined));
}

test('a canonical quantity is its own canonical form', () => {
  for (const [, want] of canonical) assert.equal(canonicalQuantity(want), want);
});

test('quantities compare by value across families', () => {
  const rows: [string, string, number][] = [
    ['1Gi', '1G', 1],
    ['1Ki', '1024', 0],
    ['100m', '0.1', 0],
    ['100m', '0.2', -1],
    ['1e3', '1k', 0],
  ];
  for (const [a, b, want] of rows) {
    const left = parseQuantity(a);
    const right = parseQuantity(b);
    assert.ok(left && right);
    assert.equal(Math.sign(compareQuantities(left, right)), want, `${a} to ${b}`);
  }
});
