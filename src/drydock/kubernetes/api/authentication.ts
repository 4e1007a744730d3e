import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';
import { ApiError } from './port.ts';

export interface User {
  name: string;
  groups: string[];
}

export const anonymous: User = { name: 'system:anonymous', groups: ['system:unauthenticated'] };
const administrator: User = { name: 'kubernetes-admin', groups: ['system:masters', 'system:authenticated'] };

/** Who asks, by bearer token or client certificate. A wrong token is 401; none at all is the anonymous user. */
export function authenticate(request: IncomingMessage, adminToken: string): User {
  const header = request.headers.authorization;
  if (header !== undefined) {
    const user = userOfToken(/^bearer\s+(.+)$/i.exec(header)?.[1] ?? '', adminToken);
    if (user) return user;
    throw new ApiError(401, 'Unauthorized', 'Unauthorized');
  }
  const { socket } = request;
  if (!(socket instanceof TLSSocket) || !socket.authorized) return anonymous;
  const subject = socket.getPeerCertificate().subject;
  if (!subject?.CN) return anonymous;
  const organizations = [subject.O ?? []].flat();
  return { name: [subject.CN].flat()[0] ?? '', groups: [...organizations, 'system:authenticated'] };
}

export function userOfToken(token: string, adminToken: string): User | undefined {
  const given = Buffer.from(token.trim());
  const wanted = Buffer.from(adminToken);
  return given.length === wanted.length && timingSafeEqual(given, wanted) ? administrator : undefined;
}

/** Only the administrators' group may do anything beyond health and version. */
export function isAdministrator(user: User): boolean {
  return user.groups.includes('system:masters');
}
