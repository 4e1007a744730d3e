import { getArray, isObject, jsonEqual } from '#base/json.ts';
import type { ApiObject } from '../api/port.ts';
import { forbidden, notFound } from '../api/protocol/status-error.ts';
import type { ServedResource } from '../api/served.ts';
import type { Authorizer } from './authorizer.ts';
import { type PolicyRule, parseRules } from './policy-rule.ts';
import { parseRoleRef, type RoleIndex } from './role-index.ts';
import { describeRules, goTexts, uncoveredRules } from './rule-cover.ts';
import { isAdministrator, type User } from './user.ts';

const group = 'rbac.authorization.k8s.io';
const everything: PolicyRule[] = [
  { verbs: ['*'], apiGroups: ['*'], resources: ['*'], resourceNames: [], nonResourceURLs: [] },
  { verbs: ['*'], apiGroups: [], resources: [], resourceNames: [], nonResourceURLs: ['*'] },
];

export interface RoleWrite {
  user: User;
  resource: Pick<ServedResource, 'group' | 'plural' | 'groupResource'>;
  namespace: string | undefined;
  object: ApiObject;
  live: ApiObject | undefined;
}

/**
 * Nobody gives rights that he has not: throws 403 for a role with more rules than its writer holds (but for the verb
 * `escalate`) and for a binding to such a role (but for the verb `bind`). Kinds that give no rights always pass.
 */
export function refuseEscalation(deps: { authorizer: Authorizer; roles: RoleIndex }, write: RoleWrite): void {
  const { user, resource, object, live } = write;
  if (resource.group !== group || isAdministrator(user)) return;
  if (live && sameButForCollection(object, live)) return;
  switch (resource.plural) {
    case 'roles':
    case 'clusterroles':
      checkRole(deps, write);
      return;
    case 'rolebindings':
    case 'clusterrolebindings':
      checkBinding(deps, write);
      return;
    default:
      return;
  }
}

function checkRole(deps: { authorizer: Authorizer; roles: RoleIndex }, write: RoleWrite): void {
  const { user, resource, namespace, object, live } = write;
  // On creation the request names no object.
  const name = live ? object.metadata.name : '';
  if (mayDo(deps, write, { verb: 'escalate', resource: resource.plural, name })) return;
  confirmHeld(deps, write, parseRules(object));
  if (!collectsRules(object) && !(live && collectsRules(live))) return;
  const held = deps.authorizer.rulesOf(user, namespace ?? '').rules;
  if (uncoveredRules(held, everything).length > 0)
    throw forbidden(resource, object.metadata.name, 'must have cluster-admin privileges to use the aggregationRule');
}

function checkBinding(deps: { authorizer: Authorizer; roles: RoleIndex }, write: RoleWrite): void {
  const { namespace, object } = write;
  const ref = parseRoleRef(object);
  const plural = ref.kind === 'Role' ? 'roles' : 'clusterroles';
  if (mayDo(deps, write, { verb: 'bind', resource: plural, name: ref.name })) return;
  const rules = deps.roles.rulesOf(ref, namespace ?? '');
  if (!rules) throw notFound({ group, plural, groupResource: `${plural}.${group}` }, ref.name);
  confirmHeld(deps, write, rules);
}

function mayDo(
  { authorizer }: { authorizer: Authorizer },
  { user, namespace }: RoleWrite,
  access: { verb: string; resource: string; name: string },
): boolean {
  const place = { kind: 'resource', group, version: 'v1', subresource: '', namespace: namespace ?? '' } as const;
  return authorizer.decide(user, { ...place, ...access }).allowed;
}

function confirmHeld(
  { authorizer }: { authorizer: Authorizer },
  write: RoleWrite,
  wanted: readonly PolicyRule[],
): void {
  const { user, resource, namespace, object } = write;
  const { rules, problems } = authorizer.rulesOf(user, namespace ?? '');
  const missing = uncoveredRules(rules, wanted);
  if (missing.length === 0) return;
  const unresolved = problems.length === 0 ? '' : `; resolution errors: [${problems.join(' ')}]`;
  const who = `user ${JSON.stringify(user.name)} (groups=${goTexts(user.groups)})`;
  const why = `${who} is attempting to grant RBAC permissions not currently held:\n${describeRules(missing)}${unresolved}`;
  throw forbidden(resource, object.metadata.name ?? '', why);
}

function collectsRules(role: ApiObject): boolean {
  const rule = role['aggregationRule'];
  return isObject(rule) && getArray(rule, 'clusterRoleSelectors').length > 0;
}

/** Owners and finalizers may change without the rights in the role: the garbage collector does so. */
function sameButForCollection(object: ApiObject, live: ApiObject): boolean {
  return jsonEqual(withoutCollection(object), withoutCollection(live));
}

function withoutCollection(object: ApiObject): unknown {
  const { ownerReferences: _owners, finalizers: _finalizers, managedFields: _managed, ...metadata } = object.metadata;
  const { resourceVersion: _version, ...rest } = metadata;
  return { ...object, metadata: rest };
}
