import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Context, MiddlewareHandler } from 'hono';
import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import { sha256Hex } from '#base/digest.ts';
import { AppError } from '#base/errors.ts';
import type { Actor } from '#trace/event.ts';

/** Who asks. Anonymous readers exist only when the server was started so, on loopback. */
export interface Principal {
  kind: 'token' | 'session' | 'anonymous';
  name: string;
}

export type ServerEnv = { Variables: { principal: Principal } };

export interface AuthOptions {
  token: string;
  anonymousRead: boolean;
  now: () => number;
}

const sessionMs = 30 * 24 * 3600 * 1000;

/** Compares in a time that depends on neither content nor length. */
export function sameSecret(a: string, b: string): boolean {
  return timingSafeEqual(Buffer.from(sha256Hex(a)), Buffer.from(sha256Hex(b)));
}

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

/** Sets the principal or refuses; writing needs the token, or a session from a page of this very origin. */
export function authenticate(options: AuthOptions): MiddlewareHandler<ServerEnv> {
  return async (c, next) => {
    const principal = principalOf(c, options);
    const reading = c.req.method === 'GET' || c.req.method === 'HEAD';
    if (principal === undefined || (!reading && principal.kind === 'anonymous')) {
      throw new AppError('unauthorized', `${c.req.method} ${c.req.path} needs a token`, {
        hint: 'send "Authorization: Bearer <token>", or open the link that the server printed when it started',
      });
    }
    if (!reading && principal.kind === 'session') assertSameOrigin(c);
    c.set('principal', principal);
    await next();
  };
}

function principalOf(c: Context, options: AuthOptions): Principal | undefined {
  const bearer = /^Bearer (.+)$/.exec(c.req.header('authorization') ?? '')?.[1];
  // Argo CD's clients send their token in this cookie.
  const given = bearer ?? getCookie(c, 'argocd.token');
  if (bearer !== undefined && !sameSecret(bearer, options.token)) return undefined;
  if (given !== undefined && sameSecret(given, options.token))
    return { kind: bearer === undefined ? 'session' : 'token', name: actorName(c.req.header('x-slipway-actor')) };
  const session = getCookie(c, cookieName(c));
  if (session !== undefined && isSession(session, options.token, options.now()))
    return { kind: 'session', name: 'admin' };
  // Without the check of the name, a foreign page could read through a host name of its own that points to loopback.
  if (options.anonymousRead && isLoopbackHost(c.req.header('host'))) return { kind: 'anonymous', name: 'anonymous' };
  return undefined;
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
