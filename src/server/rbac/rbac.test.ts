import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { RbacResource } from './builtin.ts';
import { Enforcer, projectOf, projectPolicy } from './enforcer.ts';
import { parsePolicy, parseRbacSettings } from './policy.ts';

type Row = [subject: string, resource: RbacResource, action: string, object: string, want: boolean, groups?: string[]];

function check(enforcer: Enforcer, rows: Row[], policies: Record<string, ReturnType<typeof projectPolicy>> = {}): void {
  for (const [subject, resource, action, object, want, groups = []] of rows)
    test(`${subject || 'nobody'}${groups.length > 0 ? ` of ${groups.join(', ')}` : ''} ${action} ${resource} ${object}: ${want}`, () => {
      const got = enforcer.allows({ subject, groups }, { resource, action, object }, (name) => policies[name]);
      assert.equal(got, want);
    });
}

const policyEnforcer = (data: Record<string, string>) => new Enforcer(parseRbacSettings(data));

describe('the built-in roles', () => {
  check(policyEnforcer({}), [
    ['admin', 'applications', 'get', 'foo/bar', true],
    ['admin', 'applications', 'delete', 'foo/bar', true],
    ['admin', 'applications', 'update/apps/Deployment/ns/web', 'foo/bar', true],
    ['admin', 'applications', 'action/apps/Deployment/restart', 'foo/ns/bar', true],
    ['admin', 'exec', 'create', 'foo/bar', true],
    ['admin', 'accounts', 'create', 'x', false],
    ['admin', 'extensions', 'invoke', 'x', false],
    ['role:readonly', 'applications', 'get', 'foo/bar', true],
    ['role:readonly', 'logs', 'get', 'foo/bar', true],
    ['role:readonly', 'applications', 'create', 'foo/bar', false],
    ['role:readonly', 'applications', 'rollback', 'foo/bar', false],
    ['role:admin', 'applications', 'rollback', 'foo/bar', true],
    ['role:admin', 'clusters', 'get', 'https://c', true],
    ['bob', 'applications', 'get', 'foo/bar', false],
    ['', 'applications', 'get', 'foo/bar', false],
  ]);
});

describe('users, roles and groups', () => {
  const csv = `
# teams
p, role:foo-admin, *, *, foo/*, allow
p, role:bar-read, *, get, bar/*, allow
p, bob, repositories, *, "foo/https://git.example/a.git", allow
p, ops, applications, get, foo/secret, deny
g, alice, role:foo-admin
g, carol, role:deep
g, role:deep, role:bar-read
g, "team, one", role:bar-read
g, ops, role:foo-admin
p, lonely-group, applications, get, */*, allow`;
  check(policyEnforcer({ 'policy.csv': csv }), [
    ['alice', 'applications', 'delete', 'foo/obj', true],
    ['alice', 'applications', 'delete', 'foo/ns/obj', true],
    ['alice', 'applications', 'delete', 'bar/obj', false],
    ['carol', 'applications', 'get', 'bar/obj', true],
    ['carol', 'applications', 'sync', 'bar/obj', false],
    ['bob', 'repositories', 'delete', 'foo/https://git.example/a.git', true],
    ['bob', 'repositories', 'delete', 'foo/https://git.example/b.git', false],
    ['dave', 'applications', 'get', 'bar/x', true, ['team, one']],
    ['dave', 'applications', 'get', 'foo/x', false, ['team, one']],
    ['dave', 'applications', 'get', 'foo/x', false, ['lonely-group']],
    ['erin', 'applications', 'get', 'foo/x', true, ['ops']],
    ['erin', 'applications', 'get', 'foo/secret', false, ['ops']],
    ['erin', 'applications', 'get', 'foo/secret', true, ['ops', 'alice']],
  ]);
});

describe('a deny wins whatever the order; the default role decides first', () => {
  const csv = 'p, role:x, applications, sync, */*, allow\np, role:x, applications, sync, prod/*, deny\ng, kim, role:x';
  check(policyEnforcer({ 'policy.csv': csv }), [
    ['kim', 'applications', 'sync', 'dev/a', true],
    ['kim', 'applications', 'sync', 'prod/a', false],
  ]);
  check(policyEnforcer({ 'policy.csv': 'p, kim, applications, get, */*, deny', 'policy.default': 'role:readonly' }), [
    ['kim', 'applications', 'get', 'dev/a', true],
    ['', 'applications', 'get', 'dev/a', true],
    ['kim', 'applications', 'sync', 'dev/a', false],
  ]);
});

describe('regular expressions', () => {
  const csv =
    'p, role:x, applications, (get|sync), ^(dev|test)/.+$, allow\np, kim, logs, [, dev/a, allow\ng, kim, role:x';
  check(policyEnforcer({ 'policy.csv': csv, 'policy.matchMode': 'regex' }), [
    ['kim', 'applications', 'sync', 'dev/a', true],
    ['kim', 'applications', 'sync', 'prod/a', false],
    ['kim', 'applications', 'delete', 'dev/a', false],
    ['kim', 'logs', '[', 'dev/a', false],
    ['admin', 'applications', 'delete', 'dev/a', true],
  ]);
});

describe('project roles', () => {
  const shop = projectPolicy('shop', [
    { name: 'ci', policies: ['p, proj:shop:ci, applications, sync, shop/*, allow'], groups: ['shop-team'] },
    { name: 'no', policies: ['p, proj:shop:no, applications, sync, shop/a, deny'], groups: ['no-team'] },
  ]);
  const policies = { shop, other: projectPolicy('other', []), broken: parsePolicy('nonsense') };
  check(
    policyEnforcer({ 'policy.csv': 'p, boss, applications, get, broken/*, allow' }),
    [
      ['proj:shop:ci', 'applications', 'sync', 'shop/a', true],
      ['proj:shop:ci', 'projects', 'get', 'shop', true],
      ['proj:shop:ci', 'projects', 'get', 'other', false],
      ['proj:shop:ci', 'applications', 'sync', 'other/a', false],
      ['proj:shop:ci', 'applications', 'delete', 'shop/a', false],
      ['kim', 'applications', 'sync', 'shop/a', true, ['shop-team']],
      ['kim', 'applications', 'sync', 'shop/a', false, ['no-team']],
      ['boss', 'applications', 'get', 'broken/a', true],
    ],
    policies,
  );
});

test('a policy with a mistake gives nothing to anybody but the built-in roles', () => {
  const data = { 'policy.csv': 'p, kim, applications, get, */*, allow\np, kim, oops', 'policy.default': 'role:admin' };
  const enforcer = policyEnforcer(data);
  const request = { resource: 'applications', action: 'get', object: 'a/b' } as const;
  assert.match(enforcer.settings.policy.problems.join(), /^line 2: .*p, kim, oops$/);
  assert.equal(
    enforcer.allows({ subject: 'kim', groups: [] }, request, () => undefined),
    false,
  );
  assert.equal(
    enforcer.allows({ subject: 'admin', groups: [] }, request, () => undefined),
    true,
  );
});

test('policies are joined in the order of their keys, and scopes are words', () => {
  const lines = {
    'policy.b.csv': 'p, b, x, x, x, allow',
    'policy.a.csv': 'p, a, x, x, x, allow',
    'policy.csv': 'g, u, r',
  };
  const settings = parseRbacSettings({ ...lines, scopes: '[groups, email]', other: 'p, no' });
  assert.deepEqual(
    settings.policy.permissions.map(({ subject }) => subject),
    ['a', 'b'],
  );
  assert.deepEqual(settings.scopes, ['groups', 'email']);
  assert.deepEqual(parseRbacSettings({}).scopes, ['groups']);
  assert.deepEqual(parseRbacSettings({ scopes: '- cognito:groups\n- email' }).scopes, ['cognito:groups', 'email']);
});

const csvRows: [string, string][] = [
  ['p, a, b, c, d, allow', ''],
  ['p,a,b,c,"d, ""e""",deny', ''],
  ['p, a, b, c, d, perhaps', 'no policy'],
  ['p, a, b, c, d', 'no policy'],
  ['g, a, b, c', 'no policy'],
  ['x, a, b', 'no policy'],
  ['p, "a, b, c, d, allow', 'a quote is not closed'],
];
for (const [line, problem] of csvRows)
  test(`policy line ${line}`, () => {
    const { problems } = parsePolicy(line);
    assert.equal(problems.length, problem === '' ? 0 : 1);
    assert.ok(problems.join('').includes(problem));
  });

test('the project of a request', () => {
  assert.equal(projectOf({ resource: 'applications', action: 'get', object: 'shop/ns/a' }), 'shop');
  assert.equal(projectOf({ resource: 'projects', action: 'get', object: 'shop' }), 'shop');
  assert.equal(projectOf({ resource: 'accounts', action: 'get', object: 'shop/x' }), undefined);
  assert.equal(projectOf({ resource: 'clusters', action: 'get', object: '*' }), undefined);
});
