import { hash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';
import { AppError } from '#base/errors.ts';
import { anonymous, knownUser, type User } from '../../access/user.ts';
import { ApiError } from '../port.ts';

/** A bearer token that the server is given at its start. Its bearer belongs to `system:authenticated` as well. */
export interface StaticToken {
  token: string;
  user: string;
  groups: readonly string[];
  uid?: string;
}

export function administratorToken(token: string): StaticToken {
  return { token, user: 'kubernetes-admin', groups: ['system:masters'] };
}

/** Who asks: by client certificate, else by bearer token, else the anonymous user, in upstream's order. */
export class Authenticator {
  /** By digest, so that how long a look-up takes says nothing about a token. */
  readonly #tokens: ReadonlyMap<string, User>;
  readonly #sockets = new WeakMap<TLSSocket, User | 'none' | 'unknown'>();

  /** Throws AppError bad-input for a token that no header can carry, or without a user. */
  constructor(tokens: readonly StaticToken[]) {
    for (const { token, user } of tokens)
      if (!/^\S+$/.test(token) || user === '')
        throw new AppError('bad-input', `a token needs characters without spaces, and the name of a user (${user})`);
    this.#tokens = new Map(
      tokens.map(({ token, user, groups, uid }) => [
        digest(token),
        knownUser({ name: user, groups: [...groups], ...(uid === undefined ? {} : { uid }) }),
      ]),
    );
  }

  /** Throws 401 for a token or certificate that nobody knows, when nothing else tells who asks. */
  authenticate(request: IncomingMessage): User {
    const { socket } = request;
    const certified = socket instanceof TLSSocket ? this.#userOfSocket(socket) : 'none';
    if (typeof certified === 'object') return certified;
    // Upstream knows no other scheme and passes it over.
    const token = /^bearer\s+(.+)$/i.exec(request.headers.authorization ?? '')?.[1];
    const user = token === undefined ? undefined : this.userOfToken(token);
    if (user) return user;
    if (token !== undefined || certified === 'unknown') throw unauthorized();
    return anonymous;
  }

  userOfToken(token: string): User | undefined {
    return this.#tokens.get(digest(token.trim()));
  }

  #userOfSocket(socket: TLSSocket): User | 'none' | 'unknown' {
    let found = this.#sockets.get(socket);
    if (found === undefined) {
      found = userOfCertificate(socket);
      this.#sockets.set(socket, found);
    }
    return found;
  }
}

function userOfCertificate(socket: TLSSocket): User | 'none' | 'unknown' {
  const certificate = socket.getPeerCertificate();
  const { subject, fingerprint256 } = certificate;
  if (!subject) return 'none';
  const name = [subject.CN ?? []].flat()[0] ?? '';
  if (!socket.authorized || name === '') return 'unknown';
  const credential = `X509SHA256=${fingerprint256.replaceAll(':', '').toLowerCase()}`;
  return knownUser({
    name,
    groups: [subject.O ?? []].flat(),
    extra: { 'authentication.kubernetes.io/credential-id': [credential] },
  });
}

function digest(token: string): string {
  return hash('sha256', token, 'base64');
}

export function unauthorized(): ApiError {
  return new ApiError(401, 'Unauthorized', 'Unauthorized');
}
