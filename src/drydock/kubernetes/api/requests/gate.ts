import type { Clock } from '#base/clock.ts';
import type { Logger } from '#base/log.ts';
import { type AuditEntry, auditEntry, isAudited } from '../../access/audit.ts';
import { type Authorizer, accessDenied } from '../../access/authorizer.ts';
import { impersonatedUser } from '../../access/impersonation.ts';
import type { AccessRequest } from '../../access/policy-rule.ts';
import { requestedAccess } from '../../access/requested-access.ts';
import { anonymous, type User } from '../../access/user.ts';
import { type Authenticator, unauthorized } from '../credential/authentication.ts';
import type { Exchange } from '../protocol/exchange.ts';
import type { ResourcePath } from '../protocol/request-path.ts';
import { isOpenToAll } from './health.ts';

export interface GateDeps {
  clock: Clock;
  logger: Logger;
  authenticator: Authenticator;
  authorizer: Authorizer;
  /** Gets every audit entry beside the log. */
  audit: ((entry: AuditEntry) => void) | undefined;
}

/** One request at the gate: what it asks for, and what became of it. */
export interface Visit {
  request: AccessRequest;
  impersonator: User | undefined;
  allowed: boolean;
  reason: string;
}

/** Every request passes here: who asks, in whose name, may he; and what was written is told to the log. */
export class Gate {
  readonly #deps: GateDeps;

  constructor(deps: GateDeps) {
    this.#deps = deps;
  }

  /** The request in the terms of rules, not let in yet. */
  visit({ method, url, query }: Exchange, path: ResourcePath | undefined): Visit {
    const request = requestedAccess({ method, pathname: url.pathname, query }, path);
    return { request, impersonator: undefined, allowed: false, reason: '' };
  }

  /** Sets the exchange's user. Throws 401 when he cannot be known and 403 when he may not. */
  admit(exchange: Exchange, visit: Visit): void {
    const { authenticator, authorizer } = this.#deps;
    const user = authenticator.authenticate(exchange.request);
    exchange.user = user;
    if (asksForAnother(exchange)) {
      const other = impersonatedUser(authorizer, user, exchange.request.headersDistinct);
      if (other) {
        exchange.user = other;
        visit.impersonator = user;
      }
    }
    const { request } = visit;
    const open = request.kind === 'path' && isOpenToAll(request.path);
    if (!open && user === anonymous && authorizer.mode === 'always-allow') throw unauthorized();
    Object.assign(visit, open ? { allowed: true } : authorizer.decide(exchange.user, request));
    if (!visit.allowed) throw accessDenied(exchange.user, request, visit.reason);
  }

  /** Called once the request is answered. */
  record(exchange: Exchange, visit: Visit): void {
    const { clock, logger, audit } = this.#deps;
    const code = exchange.response.statusCode;
    if (!isAudited(visit.request, code)) return;
    const entry = auditEntry({
      ...visit,
      now: clock.now(),
      user: exchange.user,
      createdName: exchange.createdName,
      code,
      dryRun: exchange.isDryRun,
      userAgent: exchange.header('user-agent'),
    });
    logger.info({ audit: entry }, 'audit');
    audit?.(entry);
  }
}

function asksForAnother({ request }: Exchange): boolean {
  for (const name in request.headers) if (name.startsWith('impersonate-')) return true;
  return false;
}
