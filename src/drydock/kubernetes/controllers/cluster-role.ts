import { getArray, jsonEqual } from '#base/json.ts';
import type { ApiObject } from '../api/port.ts';
import type { Controller, ControllerDeps } from './loop.ts';
import { matchesSelector, parseLabelSelector } from './selector.ts';

const resource = 'clusterroles.rbac.authorization.k8s.io';
const manager = 'clusterrole-aggregation-controller';

/** Keeps the rules of ClusterRoles that collect those of others (such as `view`) equal to what they collect. */
export function clusterRoleController({ api }: ControllerDeps): Controller {
  const collectors = (): string[] =>
    api
      .list(resource)
      .filter((role) => selectorsOf(role).length > 0)
      .map((role) => role.metadata.name);
  return {
    name: 'cluster-role-aggregation',
    watches: [{ resource, names: collectors }],
    async tick(name) {
      const role = api.get(resource, undefined, name);
      if (!role || selectorsOf(role).length === 0) return { kind: 'done' };
      const rules = collectedRules(role, api.list(resource));
      const current = role['rules'] ?? [];
      if (!jsonEqual(current, rules))
        await api.mergePatch(resource, undefined, name, { rules: rules.length === 0 ? null : rules }, { manager });
      return { kind: 'done' };
    },
  };
}

/** The rules of the others that the role selects: selector by selector, by name, each rule once. */
export function collectedRules(role: ApiObject, all: readonly ApiObject[]): unknown[] {
  const ordered = all.toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  const rules: unknown[] = [];
  for (const selector of selectorsOf(role).map(parseLabelSelector)) {
    for (const other of ordered) {
      if (other.metadata.name === role.metadata.name || !matchesSelector(selector, other.metadata.labels)) continue;
      for (const rule of getArray(other, 'rules')) if (!rules.some((known) => jsonEqual(known, rule))) rules.push(rule);
    }
  }
  return rules;
}

function selectorsOf(role: ApiObject): unknown[] {
  return getArray(role, 'aggregationRule', 'clusterRoleSelectors');
}
