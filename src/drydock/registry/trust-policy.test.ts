import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isAppError } from '#base/errors.ts';
import type { JsonObject } from '#base/json.ts';
import { matchesWildcard } from './names.ts';
import { decideTrust, parseTrustDocument } from './trust-policy.ts';

const provider = {
  name: 'token.actions.githubusercontent.com',
  issuer: 'https://issuer.example.com',
  clientIds: ['sts.amazonaws.com'],
};
const key = (claim: string) => `token.actions.githubusercontent.com:${claim}`;
const claims = { aud: 'sts.amazonaws.com', sub: 'repo:shop/api:ref:refs/heads/main', environment: 'production' };

function statement(condition: JsonObject, more: JsonObject = {}): JsonObject {
  return {
    Effect: 'Allow',
    Principal: { Federated: 'arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com' },
    Action: 'sts:AssumeRoleWithWebIdentity',
    Condition: condition,
    ...more,
  };
}

interface Case {
  name: string;
  statements: JsonObject[];
  /** Undefined when it is allowed. */
  reason?: RegExp;
}

const equalsAudience = { StringEquals: { [key('aud')]: 'sts.amazonaws.com' } };
const cases: Case[] = [
  {
    name: 'audience and branch',
    statements: [statement({ ...equalsAudience, StringLike: { [key('sub')]: 'repo:shop/api:ref:refs/heads/main' } })],
  },
  { name: 'a pattern', statements: [statement({ StringLike: { [key('sub')]: 'repo:shop/*' } })] },
  {
    name: 'one of several',
    statements: [statement({ StringLike: { [key('sub')]: ['repo:x/*', 'repo:shop/???:*'] } })],
  },
  { name: 'no condition', statements: [statement({})] },
  {
    name: 'another branch',
    statements: [statement({ StringLike: { [key('sub')]: 'repo:shop/api:ref:refs/heads/dev' } })],
    reason: /StringLike .*:sub wants "repo:shop\/api:ref:refs\/heads\/dev", the token has "repo:shop\/api/,
  },
  { name: 'an environment', statements: [statement({ StringEquals: { [key('environment')]: 'production' } })] },
  {
    name: 'a claim that is not there',
    statements: [statement({ StringEquals: { [key('actor')]: 'ada' } })],
    reason: /the token has no such claim/,
  },
  { name: 'IfExists on a missing claim', statements: [statement({ StringEqualsIfExists: { [key('actor')]: 'ada' } })] },
  {
    name: 'equality is not a pattern',
    statements: [statement({ StringEquals: { [key('sub')]: 'repo:shop/*' } })],
    reason: /StringEquals/,
  },
  {
    name: 'a key of another provider',
    statements: [statement({ StringEquals: { 'gitlab.com:aud': 'sts.amazonaws.com' } })],
    reason: /no such claim/,
  },
  {
    name: 'another provider',
    statements: [statement({}, { Principal: { Federated: 'arn:aws:iam::1:oidc-provider/gitlab.com' } })],
    reason: /no statement trusts/,
  },
  {
    name: 'the second statement',
    statements: [statement({ StringEquals: { [key('sub')]: 'x' } }), statement(equalsAudience)],
  },
  {
    name: 'a denial beats an allowance',
    statements: [statement({}), statement({ StringLike: { [key('sub')]: 'repo:shop/*' } }, { Effect: 'Deny' })],
    reason: /Deny/,
  },
  {
    name: 'a negated operator',
    statements: [statement({ StringNotLike: { [key('sub')]: '*refs/heads/main' } })],
    reason: /StringNotLike/,
  },
  { name: 'another action', statements: [statement({}, { Action: 'sts:AssumeRole' })], reason: /no statement/ },
];

describe('decideTrust', () => {
  for (const { name, statements, reason } of cases)
    it(`${reason ? 'refuses' : 'allows'}: ${name}`, () => {
      const parsed = parseTrustDocument({ Version: '2012-10-17', Statement: statements }, 'a role');
      const decision = decideTrust(parsed, provider, claims);
      assert.equal(decision.allowed, reason === undefined);
      if (!decision.allowed) assert.match(decision.reason, reason ?? /^$/);
    });
});

describe('parseTrustDocument refuses', () => {
  const bad: { name: string; document: unknown; message: RegExp }[] = [
    { name: 'text', document: 'x', message: /not an object/ },
    { name: 'no statement', document: {}, message: /no Statement/ },
    {
      name: 'an unknown operator',
      document: { Statement: statement({ IpAddress: { 'aws:SourceIp': '::1' } }) },
      message: /IpAddress is not supported/,
    },
    {
      name: 'an unknown element',
      document: { Statement: statement({}, { NotPrincipal: {} }) },
      message: /NotPrincipal/,
    },
    {
      name: 'no principal',
      document: { Statement: statement({}, { Principal: {} }) },
      message: /Principal\.Federated/,
    },
  ];
  for (const { name, document, message } of bad)
    it(name, () => {
      assert.throws(
        () => parseTrustDocument(document, 'a role'),
        (error: unknown) => isAppError(error, 'bad-input') && message.test(error.message),
      );
    });
});

describe('matchesWildcard', () => {
  const table: [pattern: string, text: string, want: boolean][] = [
    ['*', '', true],
    ['a*c', 'abbc', true],
    ['a*c', 'abb', false],
    ['a?c', 'abc', true],
    ['a?c', 'ac', false],
    ['*a*b*', 'xxaxxbxx', true],
    ['a.c', 'abc', false],
    ['', '', true],
    ['', 'a', false],
  ];
  for (const [pattern, text, want] of table)
    it(`${pattern} ${want ? 'matches' : 'does not match'} "${text}"`, () =>
      assert.equal(matchesWildcard(pattern, text), want));

  it('takes no exponential time', () => {
    assert.equal(matchesWildcard(`${'a*'.repeat(50)}b`, 'a'.repeat(2000)), false);
  });
});
