import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareVersions, highestAllowed, parseConstraint, parseVersion } from './version.ts';

const versions = ['0.0.3', '0.1.0', '0.2.5', '1.0.0', '1.2.3', '1.2.9', '1.3.0', '2.0.0-rc.1', '2.0.0', '2.1.0-beta'];

const constraints: { text: string; want: string | undefined | 'none' }[] = [
  { text: '*', want: '2.0.0' },
  { text: 'x', want: '2.0.0' },
  { text: '>=1 <2', want: '1.3.0' },
  { text: '>=1, <1.3', want: '1.2.9' },
  { text: '1.2.x', want: '1.2.9' },
  { text: '1.2', want: '1.2.9' },
  { text: '1.2.3', want: '1.2.3' },
  { text: 'v1.2.3', want: '1.2.3' },
  { text: '~1.2.3', want: '1.2.9' },
  { text: '~>1', want: '1.3.0' },
  { text: '^1.2.3', want: '1.3.0' },
  { text: '^0.2', want: '0.2.5' },
  { text: '^0.0.3', want: '0.0.3' },
  { text: '>1.2', want: '2.0.0' },
  { text: '>2', want: undefined },
  { text: '<=1.2', want: '1.2.9' },
  { text: '1.0 - 1.2.3', want: '1.2.3' },
  { text: '1.0.0 || ^2', want: '2.0.0' },
  { text: '>1.0.0, !=2.0.0', want: '1.3.0' },
  { text: '>=2.0.0-0', want: '2.1.0-beta' },
  { text: '~2.1.0-alpha', want: '2.1.0-beta' },
  { text: '=> 1 =< 1.2.3', want: '1.2.3' },
  { text: '9.x', want: undefined },
  { text: 'latest', want: 'none' },
  { text: '', want: 'none' },
  { text: '>=', want: 'none' },
  { text: '1..2', want: 'none' },
];

test('a constraint chooses the highest version it allows; prereleases only when it names one', () => {
  for (const { text, want } of constraints) {
    const constraint = parseConstraint(text);
    assert.equal(constraint ? highestAllowed(constraint, [...versions, 'main', '']) : 'none', want, text);
  }
});

test('versions are read loosely and ordered', () => {
  const ordered = ['1.0.0-1', '1.0.0-2', '1.0.0-10', '1.0.0-a', '1.0.0-a.1', '1.0.0', 'v1.1', '2', '10.0.0+build'];
  const parsed = ordered.map((text) => parseVersion(text) ?? assert.fail(text));
  assert.deepEqual(
    [...parsed]
      .reverse()
      .sort(compareVersions)
      .map(({ text }) => text),
    ordered,
  );
  assert.equal(compareVersions(parsed[8] ?? assert.fail(), parseVersion('10.0.0') ?? assert.fail()), 0);
  for (const text of ['', 'v', '1.2.3.4', '1.0.0-01', 'main', '1.x', '99999999999999999999.0.0'])
    assert.equal(parseVersion(text), undefined, text);
});
