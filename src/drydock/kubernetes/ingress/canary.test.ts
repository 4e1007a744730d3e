import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testEntropy } from '../../../../test/clock.ts';
import { cookieValue, decideCanary, parseCanary } from './canary.ts';
import { WeightedChoice } from './weighted-choice.ts';

const rows: { name: string; rule: Record<string, string>; header?: string; cookie?: string; want: string }[] = [
  { name: 'nothing said', rule: {}, header: 'always', cookie: 'always', want: 'weight' },
  { name: 'header always', rule: { header: 'x' }, header: 'always', want: 'canary' },
  { name: 'header never', rule: { header: 'x', cookie: 'c' }, header: 'never', cookie: 'always', want: 'stable' },
  { name: 'header other', rule: { header: 'x', cookie: 'c' }, header: 'maybe', cookie: 'always', want: 'canary' },
  { name: 'header value', rule: { header: 'x', 'header-value': 'eu' }, header: 'eu', want: 'canary' },
  {
    name: 'a value takes the words away',
    rule: { header: 'x', 'header-value': 'eu' },
    header: 'never',
    want: 'weight',
  },
  { name: 'header pattern', rule: { header: 'x', 'header-pattern': '^(eu|us)-' }, header: 'us-1', want: 'canary' },
  { name: 'pattern unmatched', rule: { header: 'x', 'header-pattern': '^(eu|us)-' }, header: 'ap-1', want: 'weight' },
  {
    name: 'the value before the pattern',
    rule: { header: 'x', 'header-value': 'eu', 'header-pattern': '.' },
    header: 'us',
    want: 'weight',
  },
  { name: 'an unusable pattern', rule: { header: 'x', 'header-pattern': '(' }, header: '(', want: 'weight' },
  { name: 'cookie never', rule: { cookie: 'c' }, cookie: 'never', want: 'stable' },
  { name: 'cookie other', rule: { cookie: 'c' }, cookie: 'yes', want: 'weight' },
];

for (const { name, rule, header, cookie, want } of rows)
  test(`a canary is decided: ${name}`, () => {
    const annotations = Object.fromEntries(
      Object.entries(rule).map(([key, value]) => [`nginx.ingress.kubernetes.io/canary-by-${key}`, value]),
    );
    const { canary } = parseCanary(annotations, []);
    assert.equal(decideCanary(canary, { header: () => header, cookie: () => cookie }), want);
  });

test('weights: beyond the total is all of it, a total below 100 is 100, words are told', () => {
  const parse = (weight: string, total: string) => {
    const { canary, problems } = parseCanary(
      {
        'nginx.ingress.kubernetes.io/canary-weight': weight,
        'nginx.ingress.kubernetes.io/canary-weight-total': total,
      },
      [],
    );
    return [canary.weight, canary.weightTotal, problems.length];
  };
  assert.deepEqual(parse('20', ''), [20, 100, 0]);
  assert.deepEqual(parse('150', '100'), [100, 100, 0]);
  assert.deepEqual(parse('5', '50'), [5, 100, 0]);
  assert.deepEqual(parse('250', '1000'), [250, 1000, 0]);
  assert.deepEqual(parse('some', '-1'), [0, 100, 2]);
});

test('a cookie is found by its whole name', () => {
  assert.equal(cookieValue('xc=1; c=2; c2=3', 'c'), '2');
  assert.equal(cookieValue('xc=1', 'c'), undefined);
  assert.equal(cookieValue(undefined, 'c'), undefined);
});

test('shares are exact after each round, and new weights begin a new one', () => {
  const choice = new WeightedChoice(testEntropy);
  const count = (id: string, weights: number[], times: number): number[] => {
    const found = weights.map(() => 0);
    for (let at = 0; at < times; at += 1) {
      const index = choice.choose(id, weights);
      if (index !== undefined) found[index] = (found[index] ?? 0) + 1;
    }
    return found;
  };
  assert.deepEqual(count('a', [20, 80], 1000), [200, 800]);
  assert.deepEqual(count('a', [1, 999], 2000), [2, 1998]);
  assert.deepEqual(count('a', [0, 7], 10), [0, 10]);
  assert.deepEqual(count('a', [0, 0], 10), [0, 0]);
  assert.deepEqual(count('b', [1, 2, 3], 600), [100, 200, 300]);
  const [first = 0] = count('c', [30, 70], 95);
  assert.ok(first >= 25 && first <= 30, `${first} of 95`);
});
