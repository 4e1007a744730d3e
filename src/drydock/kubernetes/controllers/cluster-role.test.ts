import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ApiObject } from '../api/port.ts';
import { collectedRules } from './cluster-role.ts';

function role(name: string, labels: Record<string, string>, ...verbs: string[]): ApiObject {
  const rules = verbs.map((verb) => ({ verbs: [verb], apiGroups: [''], resources: ['pods'] }));
  return { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name, labels }, rules };
}

function collector(name: string, ...selectors: Record<string, string>[]): ApiObject {
  const clusterRoleSelectors = selectors.map((matchLabels) => ({ matchLabels }));
  return { ...role(name, { a: '1' }, 'never'), aggregationRule: { clusterRoleSelectors } };
}

const rows = [
  {
    name: 'by name, each rule once',
    all: [role('z', { a: '1' }, 'list', 'get'), role('b', { a: '1' }, 'get', 'watch'), role('c', {}, 'delete')],
    collector: collector('m', { a: '1' }),
    want: ['get', 'watch', 'list'],
  },
  {
    name: 'selector by selector',
    all: [role('b', { x: '1' }, 'get'), role('z', { a: '1' }, 'list')],
    collector: collector('m', { a: '1' }, { x: '1' }),
    want: ['list', 'get'],
  },
  { name: 'not its own', all: [], collector: collector('m', { a: '1' }), want: [] },
];

for (const { name, all, collector: self, want } of rows)
  test(`rules are collected ${name}`, () => {
    const verbs = collectedRules(self, [...all, self]).map((rule) => Reflect.get(Object(rule), 'verbs')[0]);
    assert.deepEqual(verbs, want);
  });
