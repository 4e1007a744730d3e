import type { JsonObject } from '#base/json.ts';
import { jsonEqual } from '#base/json.ts';
import type { ApiObject, FieldError } from '../../api/port.ts';
import { child, children } from '../defaults/fill.ts';
import { goStringList } from '../go-format.ts';
import { invalid, invalidGo, notSupported, required } from './finding.ts';
import { nameErrors } from './names.ts';
import { validateSelector } from './selector.ts';

const group = 'rbac.authorization.k8s.io';

export function validateRole(object: ApiObject): FieldError[] {
  return [
    ...children(object, 'rules').flatMap((rule, index) => ruleErrors(rule, `rules[${index}]`, object.kind)),
    ...(object.kind === 'ClusterRole' ? aggregationErrors(child(object, 'aggregationRule')) : []),
  ];
}

function ruleErrors(rule: JsonObject, path: string, kind: string): FieldError[] {
  const texts = (name: string): string[] => (Array.isArray(rule[name]) ? rule[name].map(String) : []);
  const errors: FieldError[] = [];
  if (texts('verbs').length === 0) errors.push(required(`${path}.verbs`, 'verbs must contain at least one value'));
  const urls = texts('nonResourceURLs');
  if (urls.length > 0) {
    const refuse = (why: string): unknown => errors.push(invalidGo(`${path}.nonResourceURLs`, goStringList(urls), why));
    if (kind === 'Role') refuse('namespaced rules cannot apply to non-resource URLs');
    if (['apiGroups', 'resources', 'resourceNames'].some((name) => texts(name).length > 0))
      refuse('rules cannot apply to both regular resources and non-resource URLs');
    return errors;
  }
  if (texts('apiGroups').length === 0)
    errors.push(required(`${path}.apiGroups`, 'resource rules must supply at least one api group'));
  if (texts('resources').length === 0)
    errors.push(required(`${path}.resources`, 'resource rules must supply at least one resource'));
  return errors;
}

function aggregationErrors(rule: JsonObject | undefined): FieldError[] {
  if (!rule) return [];
  const path = 'aggregationRule.clusterRoleSelectors';
  const selectors = children(rule, 'clusterRoleSelectors');
  if (selectors.length === 0)
    return [required(path, 'at least one clusterRoleSelector required if aggregationRule is non-nil')];
  return selectors.flatMap((selector, index) => validateSelector(selector, `${path}[${index}]`));
}

export function validateBinding(object: ApiObject, old: ApiObject | undefined): FieldError[] {
  const errors: FieldError[] = [];
  const role = child(object, 'roleRef') ?? {};
  const kinds = object.kind === 'ClusterRoleBinding' ? ['ClusterRole'] : ['Role', 'ClusterRole'];
  const name = String(role['name'] ?? '');
  if (role['apiGroup'] !== group) errors.push(notSupported('roleRef.apiGroup', role['apiGroup'] ?? '', [group]));
  if (!kinds.includes(String(role['kind']))) errors.push(notSupported('roleRef.kind', role['kind'] ?? '', kinds));
  if (name === '') errors.push(required('roleRef.name'));
  for (const why of nameErrors(name, 'path')) errors.push(invalid('roleRef.name', name, why));
  const namespaced = object.kind === 'RoleBinding';
  for (const [index, subject] of children(object, 'subjects').entries())
    errors.push(...subjectErrors(subject, `subjects[${index}]`, namespaced));
  if (old !== undefined && !jsonEqual(role, old['roleRef'])) {
    const shown = `rbac.RoleRef{APIGroup:${q(role['apiGroup'])}, Kind:${q(role['kind'])}, Name:${q(role['name'])}}`;
    errors.push(invalidGo('roleRef', shown, 'cannot change roleRef'));
  }
  return errors;
}

function subjectErrors(subject: JsonObject, path: string, namespaced: boolean): FieldError[] {
  const errors: FieldError[] = [];
  const text = (member: string): string => String(subject[member] ?? '');
  if (text('name') === '') errors.push(required(`${path}.name`));
  switch (subject['kind']) {
    case 'ServiceAccount':
      for (const why of text('name') === '' ? [] : nameErrors(text('name'), 'subdomain'))
        errors.push(invalid(`${path}.name`, text('name'), why));
      if (text('apiGroup') !== '') errors.push(notSupported(`${path}.apiGroup`, text('apiGroup'), ['']));
      if (!namespaced && text('namespace') === '') errors.push(required(`${path}.namespace`));
      return errors;
    case 'User':
    case 'Group':
      if (text('apiGroup') !== group) errors.push(notSupported(`${path}.apiGroup`, text('apiGroup'), [group]));
      return errors;
    default:
      return [...errors, notSupported(`${path}.kind`, text('kind'), ['ServiceAccount', 'User', 'Group'])];
  }
}

function q(value: unknown): string {
  return JSON.stringify(value ?? '');
}
