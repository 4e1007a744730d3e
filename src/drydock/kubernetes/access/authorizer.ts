import { ApiError } from '../api/port.ts';
import { type AccessRequest, type PolicyRule, ruleAllows } from './policy-rule.ts';
import type { Grant, RoleIndex } from './role-index.ts';
import { isAdministrator, type User } from './user.ts';

export interface Decision {
  allowed: boolean;
  /** Why, as audit and access reviews tell it; '' when there is nothing to say. */
  reason: string;
}

/** `always-allow` lets in what no role allows, but nobody unknown: for tests of other things than rights. */
export type AuthorizationMode = 'rbac' | 'always-allow';

/** Decides by Roles and bindings who may do what. `system:masters` may do everything. */
export class Authorizer {
  readonly #roles: RoleIndex;
  readonly mode: AuthorizationMode;

  constructor(roles: RoleIndex, mode: AuthorizationMode = 'rbac') {
    this.#roles = roles;
    this.mode = mode;
  }

  decide(user: User, request: AccessRequest): Decision {
    if (isAdministrator(user)) return { allowed: true, reason: '' };
    const { granted, problems } = this.#roles.grantsOf(user, request.kind === 'resource' ? request.namespace : '');
    const grant = granted.find((item) => allows(item, request));
    if (grant) return { allowed: true, reason: `RBAC: allowed by ${grant.source}` };
    if (this.mode === 'always-allow') return { allowed: true, reason: '' };
    return { allowed: false, reason: problems.length === 0 ? '' : `RBAC: ${aggregate(problems)}` };
  }

  /** Throws 403 in the real server's words when the user may not. */
  require(user: User, request: AccessRequest): void {
    const { allowed, reason } = this.decide(user, request);
    if (!allowed) throw accessDenied(user, request, reason);
  }

  /** All rules that the user has in the namespace, and what could not be resolved. */
  rulesOf(user: User, namespace: string): { rules: PolicyRule[]; problems: string[] } {
    const { granted, problems } = this.#roles.grantsOf(user, namespace);
    return { rules: granted.flatMap((grant) => grant.rules), problems };
  }
}

function allows(grant: Grant, request: AccessRequest): boolean {
  return grant.rules.some((rule) => ruleAllows(rule, request));
}

/** Several errors as Go's aggregate prints them, each once. */
export function aggregate(problems: readonly string[]): string {
  const distinct = [...new Set(problems)];
  return distinct.length === 1 ? (distinct[0] ?? '') : `[${distinct.join(', ')}]`;
}

/** The refusal, in the real server's words. */
export function accessDenied(user: User, request: AccessRequest, reason: string): ApiError {
  const why = reason === '' ? '' : `: ${reason}`;
  const who = `User ${JSON.stringify(user.name)} cannot ${request.verb}`;
  if (request.kind === 'path')
    return new ApiError(403, 'Forbidden', `forbidden: ${who} path ${JSON.stringify(request.path)}${why}`, {});
  const { group, resource, subresource, name, namespace } = request;
  const about = group === '' ? resource : `${resource}.${group}`;
  const shown = name === '' ? about : `${about} ${JSON.stringify(name)}`;
  const full = subresource === '' ? resource : `${resource}/${subresource}`;
  const scope = namespace === '' ? 'at the cluster scope' : `in the namespace ${JSON.stringify(namespace)}`;
  const message = `${shown} is forbidden: ${who} resource ${JSON.stringify(full)} in API group ${JSON.stringify(group)} ${scope}${why}`;
  return new ApiError(403, 'Forbidden', message, {
    ...(name === '' ? {} : { name }),
    ...(group === '' ? {} : { group }),
    kind: resource,
  });
}
