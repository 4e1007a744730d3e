import { createHmac } from 'node:crypto';
import type { Context, MiddlewareHandler } from 'hono';
import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import type { InstanceStore } from '#apps/port.ts';
import { AppError, isAppError } from '#base/errors.ts';
import type { Actor } from '#trace/event.ts';
import { adminName } from './access/accounts.ts';
import type { Guard } from './access/guard.ts';
import type { OidcVerifier } from './access/oidc.ts';
import type { Session, Sessions } from './access/sessions.ts';
import type { Change } from './changes.ts';
import type { Identity } from './rbac/enforcer.ts';
import { sameSecret } from './same-secret.ts';

/** Who asks. Anonymous readers exist only when the server was started so on loopback, or where `argocd-cm` permits them. */
export interface Principal extends Identity {
  kind: 'token' | 'session' | 'anonymous';
  /** What people call them. */
  name: string;
  /** Undefined for the token of the server itself. */
  session: Session | undefined;
}

export type ServerEnv = { Variables: { principal: Principal; change: Change | undefined } };

export interface AuthOptions {
  token: string;
  anonymousRead: boolean;
  now: () => number;
  instance: InstanceStore;
  sessions: Sessions;
  oidc: OidcVerifier;
  guard: Guard;
}

const sessionMs = 30 * 24 * 3600 * 1000;

/** Browsers keep cookies by host alone: with the port in the name, two servers of one machine do not log each other out. */
function cookieName(c: Context): string {
  return `slipway_session_${/:(\d+)$/.exec(c.req.header('host') ?? '')?.[1] ?? 'default'}`;
}

/** `expiry.signature`: survives restarts, ends when the token changes, and does not contain the token. */
export function mintSession(token: string, expiresAt: number): string {
  return `${expiresAt}.${createHmac('sha256', token).update(`session:${expiresAt}`).digest('hex')}`;
}

export function isSession(session: string, token: string, now: number): boolean {
  const expiresAt = Number(session.split('.', 1)[0]);
  return Number.isSafeInteger(expiresAt) && expiresAt > now && sameSecret(session, mintSession(token, expiresAt));
}

/** Opening `/?token=...` once trades the token for a session cookie and takes it out of the address bar. */
export function tokenLink(options: AuthOptions): MiddlewareHandler<ServerEnv> {
  return async (c, next) => {
    const given = c.req.query('token');
    if (c.req.method !== 'GET' || c.req.path !== '/' || given === undefined) return next();
    if (!sameSecret(given, options.token)) {
      deleteCookie(c, cookieName(c));
      throw new AppError('unauthorized', 'the token in this link is not valid', {
        hint: 'open the link that the server printed when it started',
      });
    }
    setCookie(c, cookieName(c), mintSession(options.token, options.now() + sessionMs), {
      httpOnly: true,
      sameSite: 'Strict',
      path: '/',
      maxAge: sessionMs / 1000,
      secure: new URL(c.req.url).protocol === 'https:',
    });
    return c.redirect('/', 303);
  };
}

/** Sets the principal or refuses. What a principal may do is decided by each route. */
export function authenticate(options: AuthOptions): MiddlewareHandler<ServerEnv> {
  return async (c, next) => {
    const principal = await principalOf(c, options);
    const reading = c.req.method === 'GET' || c.req.method === 'HEAD';
    if (principal === undefined || (!reading && principal.subject === readerRole)) {
      throw new AppError('unauthorized', `${c.req.method} ${c.req.path} needs a token`, {
        hint: tokenHint,
      });
    }
    c.set('principal', principal);
    await next();
  };
}

/** Sets the principal, nobody in particular for whoever is not known. Never refuses. */
export function identify(options: AuthOptions): MiddlewareHandler<ServerEnv> {
  return async (c, next) => {
    let principal: Principal | undefined;
    try {
      principal = await principalOf(c, options);
    } catch (error) {
      if (!isAppError(error)) throw error;
    }
    c.set('principal', principal ?? { ...nobody, subject: '' });
    await next();
  };
}

const tokenHint = 'send "Authorization: Bearer <token>", or open the link that the server printed when it started';
const readerRole = 'role:readonly';
const nobody = { kind: 'anonymous', name: 'anonymous', groups: [], session: undefined } as const;

/** A token of the instance's own, or of the issuer that it trusts. Throws `unauthorized` for any other. */
async function sessionOf(token: string, options: AuthOptions, signal: AbortSignal): Promise<Session> {
  const { sessions, oidc, guard, now } = options;
  if (token.split('.').length !== 3)
    throw new AppError('unauthorized', 'this needs a token of this server, and the one given is not', {
      hint: tokenHint,
    });
  if (sessions.isLocal(token)) return await sessions.verify(token);
  const session = await oidc.verify(token, guard.scopes, signal);
  if (session.id !== undefined && sessions.isRevoked(session.id, now()))
    throw new AppError('unauthorized', 'invalid session: the token is revoked', { hint: 'log in again' });
  return session;
}

function admin(kind: 'token' | 'session', name: string): Principal {
  return { kind, name, subject: adminName, groups: [], session: undefined };
}

async function principalOf(c: Context, options: AuthOptions): Promise<Principal | undefined> {
  const bearer = /^Bearer (.+)$/i.exec(c.req.header('authorization') ?? '')?.[1]?.trim();
  const cookie = bearer === undefined ? argocdCookie(getCookie(c)) : undefined;
  const given = bearer ?? cookie;
  if (given !== undefined) {
    const kind = bearer === undefined ? 'session' : 'token';
    if (cookie !== undefined) assertNotForeign(c);
    if (sameSecret(given, options.token)) return admin(kind, actorName(c.req.header('x-slipway-actor')));
    try {
      const session = await sessionOf(given, options, c.req.raw.signal);
      return { kind, name: session.username, subject: session.subject, groups: session.groups, session };
    } catch (error) {
      if (bearer !== undefined || !isAppError(error, 'unauthorized')) throw error;
    }
  }
  const session = getCookie(c, cookieName(c));
  if (session !== undefined && isSession(session, options.token, options.now())) {
    if (c.req.method !== 'GET' && c.req.method !== 'HEAD') assertSameOrigin(c);
    return admin('session', adminName);
  }
  if (/^true$/i.test(options.instance.config('argocd-cm')['users.anonymous.enabled'] ?? ''))
    return { ...nobody, subject: '' };
  // Without the check of the name, a foreign page could read through a host name of its own that points to loopback.
  if (options.anonymousRead && isLoopbackHost(c.req.header('host'))) return { ...nobody, subject: readerRole };
  return undefined;
}

/** Argo CD's cookie; a long token is cut: the first part then starts with the number of parts, `3:`. */
function argocdCookie(cookies: Record<string, string>): string | undefined {
  const first = cookies['argocd.token'];
  if (first === undefined || first === '') return undefined;
  const parts = /^(\d{1,2}):(.*)$/s.exec(first);
  if (!parts) return first;
  const more = Array.from({ length: Number(parts[1]) - 1 }, (_, at) => cookies[`argocd.token-${at + 1}`] ?? '');
  return [parts[2], ...more].join('');
}

/** A browser says where a request comes from; other programs that send the cookie say nothing. */
function assertNotForeign(c: Context): void {
  const reading = c.req.method === 'GET' || c.req.method === 'HEAD';
  if (!reading && (c.req.header('origin') !== undefined || c.req.header('sec-fetch-site') !== undefined))
    assertSameOrigin(c);
}

function actorName(claimed: string | undefined): string {
  return claimed !== undefined && /^[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}$/.test(claimed) ? claimed : 'admin';
}

export function isLoopbackHost(host: string | undefined): boolean {
  return /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$/.test(host ?? '');
}

function assertSameOrigin(c: Context): void {
  const origin = c.req.header('origin');
  if (origin !== undefined && URL.canParse(origin) && new URL(origin).host === c.req.header('host')) return;
  throw new AppError('forbidden', `a change was asked for from ${origin ?? 'an unnamed origin'}, not from this page`, {
    hint: 'use the page served here, or send the token as "Authorization: Bearer <token>"',
  });
}

export function actorOf(c: Context<ServerEnv>): Actor {
  return { kind: 'user', name: c.get('principal').name };
}
