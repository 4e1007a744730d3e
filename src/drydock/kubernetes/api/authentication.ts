import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';
import { ApiError } from './port.ts';

export interface User {
  name: string;
  groups: string[];
}

/** A bearer token that the server is given at its start. */
export interface StaticToken {
  token: string;
  user: string;
  groups: readonly string[];
}

export const anonymous: User = { name: 'system:anonymous', groups: ['system:unauthenticated'] };

export function administratorToken(token: string): StaticToken {
  return { token, user: 'kubernetes-admin', groups: ['system:masters'] };
}

/** Who asks, by bearer token or client certificate. A wrong token is 401; none at all is the anonymous user. */
export function authenticate(request: IncomingMessage, tokens: readonly StaticToken[]): User {
  const header = request.headers.authorization;
  if (header !== undefined) {
    const user = userOfToken(/^bearer\s+(.+)$/i.exec(header)?.[1] ?? '', tokens);
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

export function userOfToken(token: string, tokens: readonly StaticToken[]): User | undefined {
  const given = Buffer.from(token.trim());
  const found = tokens.find((known) => {
    const wanted = Buffer.from(known.token);
    return given.length === wanted.length && timingSafeEqual(given, wanted);
  });
  return found && { name: found.user, groups: [...found.groups, 'system:authenticated'] };
}

/** Only the administrators' group may do anything beyond health and version. */
export function isAdministrator(user: User): boolean {
  return user.groups.includes('system:masters');
}
