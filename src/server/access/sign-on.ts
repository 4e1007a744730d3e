import { createHash } from 'node:crypto';
import { type Context, Hono } from 'hono';
import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import { decodeJwt } from 'jose';
import type { InstanceStore } from '#apps/port.ts';
import type { Entropy } from '#base/clock.ts';
import { AppError } from '#base/errors.ts';
import { isObject } from '#base/json.ts';
import type { ServerEnv } from '../auth.ts';
import { sameSecret } from '../same-secret.ts';
import type { Guard } from './guard.ts';
import type { OidcVerifier } from './oidc.ts';
import type { Sessions } from './sessions.ts';

export interface SignOnDeps {
  instance: InstanceStore;
  oidc: OidcVerifier;
  sessions: Sessions;
  guard: Guard;
  entropy: Entropy;
}

const stateCookie = 'argocd.oauthstate';
const tokenCookie = 'argocd.token';
const stateSeconds = 10 * 60;
/** Browsers keep 4096 bytes of a cookie, name and attributes included. */
const cookieChars = 3800;
const partsMax = 20;

interface LoginState {
  state: string;
  nonce: string;
  verifier: string;
  returnTo: string;
}

/** A path of this server, whatever was asked for: nobody is sent elsewhere from here. */
export function localPath(text: string | undefined): string {
  return text !== undefined && /^\/(?![/\\])[\x20-\x7e]*$/.test(text) ? text : '/';
}

/** A token as cookies: one, or several with the number of them before the first. */
export function tokenCookies(token: string): [name: string, value: string][] {
  if (token.length <= cookieChars) return [[tokenCookie, token]];
  const parts = Array.from({ length: Math.ceil(token.length / cookieChars) }, (_, at) =>
    token.slice(at * cookieChars, (at + 1) * cookieChars),
  );
  if (parts.length > partsMax) throw new AppError('limit', 'the token of the issuer is too long for cookies');
  return parts.map((part, at) =>
    at === 0 ? [tokenCookie, `${parts.length}:${part}`] : [`${tokenCookie}-${at}`, part],
  );
}

function parseState(text: string | undefined): LoginState | undefined {
  if (text === undefined) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
  if (!isObject(value)) return undefined;
  const { state, nonce, verifier, returnTo } = value;
  const all = [state, nonce, verifier, returnTo];
  if (!all.every((item) => typeof item === 'string' && item !== '')) return undefined;
  return {
    state: String(state),
    nonce: String(nonce),
    verifier: String(verifier),
    returnTo: localPath(String(returnTo)),
  };
}

/** Logging in at the issuer of `oidc.config` with a browser: `/auth/login`, `/auth/callback`, `/auth/logout`. */
export function signOn({ instance, oidc, sessions, guard, entropy }: SignOnDeps): Hono<ServerEnv> {
  const app = new Hono<ServerEnv>();
  const random = () => entropy.bytes(32).toString('base64url');
  const isSecure = (c: Context) => ownUrl(c).startsWith('https:');

  /** Where browsers find this server: what `url` of `argocd-cm` says, which issuers must know. */
  function ownUrl(c: Context): string {
    return (instance.config('argocd-cm')['url'] || new URL(c.req.url).origin).replace(/\/+$/, '');
  }

  app.get('/auth/login', async (c) => {
    const { url, settings } = await oidc.authorizeUrl(c.req.raw.signal);
    const login: LoginState = {
      state: random(),
      nonce: random(),
      verifier: random(),
      returnTo: localPath(c.req.query('return_url')),
    };
    const target = new URL(url);
    const asked = {
      response_type: 'code',
      client_id: settings.clientId,
      redirect_uri: `${ownUrl(c)}/auth/callback`,
      scope: settings.scopes.join(' '),
      state: login.state,
      nonce: login.nonce,
      code_challenge: createHash('sha256').update(login.verifier).digest('base64url'),
      code_challenge_method: 'S256',
    };
    for (const [name, value] of Object.entries(asked)) target.searchParams.set(name, value);
    const kept = Buffer.from(JSON.stringify(login)).toString('base64url');
    setCookie(c, stateCookie, kept, {
      httpOnly: true,
      sameSite: 'Lax',
      path: '/auth',
      maxAge: stateSeconds,
      secure: isSecure(c),
    });
    return c.redirect(target.href, 303);
  });

  app.get('/auth/callback', async (c) => {
    const login = parseState(getCookie(c, stateCookie));
    deleteCookie(c, stateCookie, { path: '/auth' });
    const refused = c.req.query('error');
    if (refused !== undefined)
      throw new AppError('unauthorized', `the issuer refused: ${c.req.query('error_description') ?? refused}`);
    const code = c.req.query('code');
    if (!login || !code || !sameSecret(c.req.query('state') ?? '', login.state))
      throw new AppError('unauthorized', 'this login was not begun by this browser, or too long ago', {
        hint: 'open /auth/login again',
      });
    const form = { redirect_uri: `${ownUrl(c)}/auth/callback`, code_verifier: login.verifier };
    const token = await oidc.exchange(code, form, c.req.raw.signal);
    const session = await oidc.verify(token, guard.scopes, c.req.raw.signal);
    if (decodeJwt(token)['nonce'] !== login.nonce)
      throw new AppError('unauthorized', 'the token of the issuer is of another login', {
        hint: 'open /auth/login again',
      });
    const options = { httpOnly: true, sameSite: 'Lax', path: '/', secure: isSecure(c) } as const;
    const expires = session.expiresAt === undefined ? {} : { expires: new Date(session.expiresAt * 1000) };
    for (const [name, value] of tokenCookies(token)) setCookie(c, name, value, { ...options, ...expires });
    return c.redirect(login.returnTo, 303);
  });

  app.get('/auth/logout', async (c) => {
    const { session } = c.get('principal');
    if (session?.id !== undefined) await sessions.revoke(session.id, session.expiresAt, c.req.raw.signal);
    for (const name of Object.keys(getCookie(c)))
      if (name.startsWith(tokenCookie)) deleteCookie(c, name, { path: '/' });
    const target = await oidc.authorizeUrl(c.req.raw.signal).then(
      ({ settings }) => settings.logoutUrl,
      () => undefined,
    );
    return c.redirect(target?.replaceAll('{{logoutRedirectURL}}', ownUrl(c)).replaceAll('{{token}}', '') ?? '/', 303);
  });

  return app;
}
