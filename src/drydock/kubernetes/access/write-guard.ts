import type { Authorizer } from './authorizer.ts';
import {
  certificateRequests,
  completeRequest,
  type RequestWrite,
  refuseApproval,
  refuseRequest,
} from './certificate-request.ts';
import { refuseEscalation } from './escalation.ts';
import type { RoleIndex } from './role-index.ts';

export interface GuardedWrite extends RequestWrite {
  namespace: string | undefined;
}

/**
 * What depends on who writes, beyond the right to write: nobody gives rights that he has not, and a certificate request
 * names who made it. Changes the object in place; throws 403. Without a user it is the server itself, which may all.
 */
export function guardWrite(deps: { authorizer: Authorizer; roles: RoleIndex }, write: GuardedWrite): void {
  const { resource, user } = write;
  if (resource.groupResource === certificateRequests) {
    completeRequest(write);
    refuseRequest(write);
    refuseApproval(deps.authorizer, write);
  }
  if (user) refuseEscalation(deps, { ...write, user });
}
