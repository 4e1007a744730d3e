import { timestamp } from '#base/clock.ts';
import type { AccessRequest } from './policy-rule.ts';
import type { User } from './user.ts';

/** One write, or one refusal, as the log keeps it. It names the object and never holds any of its content. */
export interface AuditEntry {
  time: string;
  user: string;
  groups: readonly string[];
  /** Who asked, when it was in another's name. */
  impersonatedBy?: string;
  verb: string;
  /** `deployments.apps/scale`; a path for requests that are for no resource. */
  resource: string;
  namespace?: string;
  name?: string;
  code: number;
  decision: 'allow' | 'forbid';
  /** Which binding allowed it, or why not; absent for administrators. */
  reason?: string;
  dryRun?: true;
  userAgent?: string;
}

const reads = new Set(['get', 'list', 'watch']);
const questions = new Set(['authentication.k8s.io', 'authorization.k8s.io']);

/** Writes are kept, and whatever was refused; a review asks a question and changes nothing. */
export function isAudited(request: AccessRequest, code: number): boolean {
  if (code === 401 || code === 403) return true;
  if (request.kind === 'path' || reads.has(request.verb)) return false;
  return !questions.has(request.group);
}

export interface AuditFacts {
  now: number;
  user: User;
  impersonator: User | undefined;
  request: AccessRequest;
  /** The name the server gave, when the request has none. */
  createdName: string | undefined;
  code: number;
  allowed: boolean;
  reason: string;
  dryRun: boolean;
  userAgent: string | undefined;
}

export function auditEntry(facts: AuditFacts): AuditEntry {
  const { user, impersonator, request, createdName, reason, userAgent } = facts;
  const name = request.kind === 'resource' && request.name !== '' ? request.name : createdName;
  return {
    time: timestamp(facts.now),
    user: user.name,
    groups: user.groups,
    ...(impersonator ? { impersonatedBy: impersonator.name } : {}),
    verb: request.verb,
    resource: resourceText(request),
    ...(request.kind === 'resource' && request.namespace !== '' ? { namespace: request.namespace } : {}),
    ...(name === undefined ? {} : { name }),
    code: facts.code,
    decision: facts.allowed ? 'allow' : 'forbid',
    ...(reason === '' ? {} : { reason }),
    ...(facts.dryRun ? { dryRun: true } : {}),
    ...(userAgent === undefined ? {} : { userAgent }),
  };
}

function resourceText(request: AccessRequest): string {
  if (request.kind === 'path') return request.path;
  const { group, resource, subresource } = request;
  return `${resource}${group === '' ? '' : `.${group}`}${subresource === '' ? '' : `/${subresource}`}`;
}
