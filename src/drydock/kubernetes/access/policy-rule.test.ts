import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseResourcePath } from '../api/protocol/request-path.ts';
import { type AccessRequest, type PolicyRule, parseRules, ruleAllows, urlCovers } from './policy-rule.ts';
import { requestedAccess } from './requested-access.ts';

function rule(parts: Partial<PolicyRule>): PolicyRule {
  return { verbs: ['get'], apiGroups: [''], resources: [], resourceNames: [], nonResourceURLs: [], ...parts };
}

function asked(method: string, target: string): AccessRequest {
  const url = new URL(`https://localhost${target}`);
  return requestedAccess({ method, pathname: url.pathname, query: url.searchParams }, parseResourcePath(url.pathname));
}

const pods = '/api/v1/namespaces/shop/pods';
const matches = [
  { name: 'the verb', rule: rule({ resources: ['pods'] }), ask: ['GET', `${pods}/a`], want: true },
  { name: 'another verb', rule: rule({ resources: ['pods'] }), ask: ['GET', pods], want: false },
  { name: 'any verb', rule: rule({ verbs: ['*'], resources: ['pods'] }), ask: ['DELETE', pods], want: true },
  {
    name: 'another group',
    rule: rule({ apiGroups: ['apps'], resources: ['*'] }),
    ask: ['GET', `${pods}/a`],
    want: false,
  },
  { name: 'any group', rule: rule({ apiGroups: ['*'], resources: ['*'] }), ask: ['GET', `${pods}/a`], want: true },
  {
    name: 'a subresource is another resource',
    rule: rule({ resources: ['pods'] }),
    ask: ['GET', `${pods}/a/log`],
    want: false,
  },
  { name: 'the subresource', rule: rule({ resources: ['pods/log'] }), ask: ['GET', `${pods}/a/log`], want: true },
  { name: 'the subresource of any', rule: rule({ resources: ['*/log'] }), ask: ['GET', `${pods}/a/log`], want: true },
  {
    name: 'any resource has its subresources',
    rule: rule({ resources: ['*'] }),
    ask: ['GET', `${pods}/a/log`],
    want: true,
  },
  {
    name: 'all subresources are not written so',
    rule: rule({ resources: ['pods/*'] }),
    ask: ['GET', `${pods}/a/log`],
    want: false,
  },
  {
    name: 'the named object',
    rule: rule({ resources: ['pods'], resourceNames: ['a'] }),
    ask: ['GET', `${pods}/a`],
    want: true,
  },
  {
    name: 'another object',
    rule: rule({ resources: ['pods'], resourceNames: ['a'] }),
    ask: ['GET', `${pods}/b`],
    want: false,
  },
  {
    name: 'a list by name is for that object',
    rule: rule({ verbs: ['list'], resources: ['pods'], resourceNames: ['a'] }),
    ask: ['GET', `${pods}?fieldSelector=metadata.name%3Da`],
    want: true,
  },
  {
    name: 'a list of all is not',
    rule: rule({ verbs: ['list'], resources: ['pods'], resourceNames: ['a'] }),
    ask: ['GET', pods],
    want: false,
  },
  {
    name: 'a list of all but one is not',
    rule: rule({ verbs: ['list'], resources: ['pods'], resourceNames: ['a'] }),
    ask: ['GET', `${pods}?fieldSelector=metadata.name!%3Da`],
    want: false,
  },
  {
    name: 'a creation has no name yet',
    rule: rule({ verbs: ['create'], resources: ['pods'], resourceNames: ['a'] }),
    ask: ['POST', pods],
    want: false,
  },
  { name: 'a path', rule: rule({ nonResourceURLs: ['/metrics'] }), ask: ['GET', '/metrics'], want: true },
  {
    name: 'a path by another method',
    rule: rule({ nonResourceURLs: ['/metrics'] }),
    ask: ['POST', '/metrics'],
    want: false,
  },
  { name: 'resources do not open paths', rule: rule({ resources: ['*'] }), ask: ['GET', '/metrics'], want: false },
] as const;

for (const { name, rule: given, ask, want } of matches)
  test(`a rule for ${name} ${want ? 'lets in' : 'refuses'}`, () => {
    assert.equal(ruleAllows(given, asked(ask[0], ask[1])), want);
  });

test('paths end in a star or are exact', () => {
  const rows = [
    ['/api', '/api', true],
    ['/api', '/api/v1', false],
    ['/api/*', '/api/v1', true],
    ['/api/*', '/api', false],
    ['/log*', '/logs', true],
    ['*', '/x', true],
  ] as const;
  for (const [pattern, path, want] of rows) assert.equal(urlCovers(pattern, path), want, `${pattern} ${path}`);
});

test('absent lists of a rule are empty', () => {
  assert.deepEqual(parseRules({ rules: [{ verbs: ['get'], nonResourceURLs: ['/x'] }] }), [
    { verbs: ['get'], apiGroups: [], resources: [], resourceNames: [], nonResourceURLs: ['/x'] },
  ]);
  assert.deepEqual(parseRules({ rules: null }), []);
});

const requests = [
  { ask: ['GET', '/api/v1/namespaces/shop'], want: 'get namespaces shop in shop' },
  { ask: ['PUT', '/api/v1/namespaces/shop/finalize'], want: 'update namespaces/finalize shop in shop' },
  { ask: ['GET', '/apis/x.io/v1/namespaces/shop'], want: 'get namespaces.x.io shop in shop' },
  { ask: ['GET', '/api/v1/namespaces?fieldSelector=metadata.name%3Dshop'], want: 'list namespaces shop in ' },
  { ask: ['POST', '/api/v1/namespaces'], want: 'create namespaces  in ' },
  { ask: ['GET', '/apis/apps/v1/deployments?watch=true'], want: 'watch deployments.apps  in ' },
  { ask: ['GET', '/api/v1/watch/namespaces/shop/pods'], want: 'watch pods  in shop' },
  { ask: ['GET', `${pods}/a?watch=true`], want: 'get pods a in shop' },
  { ask: ['HEAD', `${pods}/a`], want: 'get pods a in shop' },
  { ask: ['DELETE', `${pods}/a`], want: 'delete pods a in shop' },
  { ask: ['DELETE', pods], want: 'deletecollection pods  in shop' },
  {
    ask: ['PATCH', '/apis/apps/v1/namespaces/shop/deployments/web/scale'],
    want: 'patch deployments.apps/scale web in shop',
  },
  { ask: ['GET', `${pods}/a/proxy/x/y`], want: 'get pods/proxy a in shop' },
  { ask: ['POST', `${pods}/a/binding`], want: 'create pods/binding a in shop' },
  { ask: ['GET', '/apis/apps/v1'], want: 'get path /apis/apps/v1' },
  { ask: ['POST', '/version'], want: 'post path /version' },
] as const;

for (const { ask, want } of requests)
  test(`${ask[0]} ${ask[1]} asks to ${want}`, () => {
    const request = asked(ask[0], ask[1]);
    const shown =
      request.kind === 'path'
        ? `${request.verb} path ${request.path}`
        : `${request.verb} ${request.resource}${request.group === '' ? '' : `.${request.group}`}${request.subresource === '' ? '' : `/${request.subresource}`} ${request.name} in ${request.namespace}`;
    assert.equal(shown, want);
  });
