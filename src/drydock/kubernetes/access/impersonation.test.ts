import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Store } from '../api/store/store.ts';
import { Authorizer } from './authorizer.ts';
import { type DistinctHeaders, impersonatedUser } from './impersonation.ts';
import { RoleIndex } from './role-index.ts';
import { administrator, type User } from './user.ts';

const nobodys = new Authorizer(new RoleIndex(new Store(undefined)));

const rows: { name: string; headers: DistinctHeaders; want: User | undefined }[] = [
  { name: 'no headers', headers: { accept: ['*/*'] }, want: undefined },
  { name: 'a user', headers: { 'impersonate-user': ['bob'] }, want: { name: 'bob', groups: ['system:authenticated'] } },
  {
    name: 'groups keep their order',
    headers: { 'impersonate-user': ['bob'], 'impersonate-group': ['b', 'a', ',,,c'] },
    want: { name: 'bob', groups: ['b', 'a', ',,,c', 'system:authenticated'] },
  },
  {
    name: 'the group of known users is not doubled',
    headers: { 'impersonate-user': ['bob'], 'impersonate-group': ['system:authenticated', 'a'] },
    want: { name: 'bob', groups: ['system:authenticated', 'a'] },
  },
  {
    name: 'an account has its own groups',
    headers: { 'impersonate-user': ['system:serviceaccount:shop:web'] },
    want: {
      name: 'system:serviceaccount:shop:web',
      groups: ['system:serviceaccounts', 'system:serviceaccounts:shop', 'system:authenticated'],
    },
  },
  {
    name: 'but not beside others',
    headers: { 'impersonate-user': ['system:serviceaccount:shop:web'], 'impersonate-group': ['x'] },
    want: { name: 'system:serviceaccount:shop:web', groups: ['x', 'system:authenticated'] },
  },
  {
    name: 'a name that no account can have is a user',
    headers: { 'impersonate-user': ['system:serviceaccount:Shop:web'] },
    want: { name: 'system:serviceaccount:Shop:web', groups: ['system:authenticated'] },
  },
  {
    name: 'the anonymous user stays unknown',
    headers: { 'impersonate-user': ['system:anonymous'] },
    want: { name: 'system:anonymous', groups: ['system:unauthenticated'] },
  },
  {
    name: 'uid and extras',
    headers: {
      'impersonate-user': ['bob'],
      'impersonate-uid': ['7'],
      'impersonate-extra-acme.com%2fproject': ['p', 'q'],
    },
    want: {
      name: 'bob',
      groups: ['system:authenticated'],
      uid: '7',
      extra: { 'acme.com/project': ['p', 'q'] },
    },
  },
];

for (const { name, headers, want } of rows)
  test(`impersonation: ${name}`, () => {
    assert.deepEqual(impersonatedUser(nobodys, administrator, headers), want);
  });

test('groups without a user are refused', () => {
  assert.throws(() => impersonatedUser(nobodys, administrator, { 'impersonate-group': ['a'] }), {
    code: 500,
    message: /requested \["a"\] without impersonating a user/,
  });
});

const refusals = [
  [
    'impersonate-user',
    'bob',
    'users "bob" is forbidden: User "eve" cannot impersonate resource "users" in API group "" at the cluster scope',
  ],
  [
    'impersonate-user',
    'system:serviceaccount:shop:web',
    'serviceaccounts "web" is forbidden: User "eve" cannot impersonate resource "serviceaccounts" in API group "" in the namespace "shop"',
  ],
] as const;

for (const [header, value, message] of refusals)
  test(`who may not impersonate ${value} is told so`, () => {
    const eve = { name: 'eve', groups: ['system:authenticated'] };
    assert.throws(() => impersonatedUser(nobodys, eve, { [header]: [value] }), { code: 403, message });
  });
