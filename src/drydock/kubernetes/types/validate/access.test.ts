import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '#base/json.ts';
import { validateBinding, validateRole } from './access.ts';

const group = 'rbac.authorization.k8s.io';

function texts(errors: { field: string; message: string }[]): string[] {
  return errors.map(({ field, message }) => `${field}: ${message}`);
}

function object(kind: string, rest: JsonObject) {
  return { apiVersion: `${group}/v1`, kind, metadata: { name: 'x' }, ...rest };
}

const both = { verbs: ['get'], resources: ['pods'], nonResourceURLs: ['/a', '/b'] };
const roles = [
  { kind: 'Role', rest: { rules: [{ verbs: ['get'], apiGroups: [''], resources: ['pods'] }] }, want: [] },
  {
    kind: 'Role',
    rest: { rules: [{}] },
    want: [
      'rules[0].verbs: Required value: verbs must contain at least one value',
      'rules[0].apiGroups: Required value: resource rules must supply at least one api group',
      'rules[0].resources: Required value: resource rules must supply at least one resource',
    ],
  },
  {
    kind: 'Role',
    rest: { rules: [both] },
    want: [
      'rules[0].nonResourceURLs: Invalid value: []string{"/a", "/b"}: namespaced rules cannot apply to non-resource URLs',
      'rules[0].nonResourceURLs: Invalid value: []string{"/a", "/b"}: rules cannot apply to both regular resources and non-resource URLs',
    ],
  },
  { kind: 'ClusterRole', rest: { rules: [{ verbs: ['get'], nonResourceURLs: ['/a'] }] }, want: [] },
  {
    kind: 'ClusterRole',
    rest: { aggregationRule: {} },
    want: [
      'aggregationRule.clusterRoleSelectors: Required value: at least one clusterRoleSelector required if aggregationRule is non-nil',
    ],
  },
];

for (const { kind, rest, want } of roles)
  test(`a ${kind} with ${JSON.stringify(rest)}`, () => {
    assert.deepEqual(texts(validateRole(object(kind, rest))), want);
  });

const view = { apiGroup: group, kind: 'ClusterRole', name: 'view' };
const bindings = [
  { kind: 'RoleBinding', rest: { roleRef: view, subjects: [{ kind: 'ServiceAccount', name: 'a' }] }, want: [] },
  {
    kind: 'ClusterRoleBinding',
    rest: { roleRef: { ...view, kind: 'Role', name: 'a/b' }, subjects: [{ kind: 'ServiceAccount', name: 'a' }] },
    want: [
      'roleRef.kind: Unsupported value: "Role": supported values: "ClusterRole"',
      `roleRef.name: Invalid value: "a/b": may not contain '/'`,
      'subjects[0].namespace: Required value',
    ],
  },
  {
    kind: 'RoleBinding',
    rest: {
      roleRef: { kind: 'Role', name: '' },
      subjects: [
        { kind: 'User', apiGroup: 'other', name: 'u' },
        { kind: 'ServiceAccount', apiGroup: group, name: 's' },
        { kind: 'Robot', name: '' },
      ],
    },
    want: [
      `roleRef.apiGroup: Unsupported value: "": supported values: "${group}"`,
      'roleRef.name: Required value',
      `subjects[0].apiGroup: Unsupported value: "other": supported values: "${group}"`,
      `subjects[1].apiGroup: Unsupported value: "${group}": supported values: ""`,
      'subjects[2].name: Required value',
      'subjects[2].kind: Unsupported value: "Robot": supported values: "ServiceAccount", "User", "Group"',
    ],
  },
];

for (const { kind, rest, want } of bindings)
  test(`a ${kind} with ${JSON.stringify(rest)}`, () => {
    assert.deepEqual(texts(validateBinding(object(kind, rest), undefined)), want);
  });

test('the role of a binding stays the same', () => {
  const before = object('RoleBinding', { roleRef: view });
  const wanted = object('RoleBinding', { roleRef: { ...view, name: 'edit' } });
  assert.deepEqual(texts(validateBinding(wanted, before)), [
    `roleRef: Invalid value: rbac.RoleRef{APIGroup:"${group}", Kind:"ClusterRole", Name:"edit"}: cannot change roleRef`,
  ]);
});
