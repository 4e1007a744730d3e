import { createRemoteJWKSet, customFetch, decodeJwt, errors, type JWTPayload, jwtVerify } from 'jose';
import { load } from 'js-yaml';
import { Agent, fetch as fetchBy } from 'undici';
import type { InstanceStore } from '#apps/port.ts';
import type { Clock } from '#base/clock.ts';
import { AppError, messageOf } from '#base/errors.ts';
import { getArray, getString, isObject, type JsonObject } from '#base/json.ts';
import { resolveReference } from './instance-secret.ts';
import type { Session } from './sessions.ts';

export interface OidcSettings {
  name: string;
  issuer: string;
  clientId: string;
  clientSecret: string | undefined;
  cliClientId: string | undefined;
  allowedAudiences: string[];
  skipAudienceCheckWithoutAudience: boolean;
  rootCa: string | undefined;
  scopes: string[];
  pkce: boolean;
  /** Where a browser goes after it was logged out here. */
  logoutUrl: string | undefined;
}

const answerMs = 10_000;
const discoveryKeptMs = 5 * 60_000;
const clockToleranceS = 30;
const answerBytesMax = 1024 * 1024;

/** `oidc.config` of `argocd-cm`; undefined when there is none. Throws `bad-input` for one that cannot be used. */
export function parseOidcSettings(instance: InstanceStore): OidcSettings | undefined {
  const text = instance.config('argocd-cm')['oidc.config'];
  if (text === undefined || text.trim() === '') return undefined;
  let config: unknown;
  try {
    config = load(text);
  } catch (cause) {
    throw new AppError('bad-input', `oidc.config of argocd-cm is no YAML: ${messageOf(cause)}`, { cause });
  }
  const value = (key: string) => {
    const given = getString(config, key);
    return given === undefined ? undefined : resolveReference(instance, given);
  };
  const issuer = value('issuer');
  const clientId = value('clientID');
  if (!isObject(config) || !issuer || !clientId)
    throw new AppError('bad-input', 'oidc.config of argocd-cm needs an issuer and a clientID');
  const audiences = getArray(config, 'allowedAudiences').filter((item) => typeof item === 'string');
  const cliClientId = value('cliClientID');
  const scopes = getArray(config, 'requestedScopes').filter((item) => typeof item === 'string');
  return {
    name: value('name') ?? 'OIDC',
    issuer,
    clientId,
    clientSecret: value('clientSecret'),
    cliClientId,
    allowedAudiences: audiences.length > 0 ? audiences : [clientId, ...(cliClientId ? [cliClientId] : [])],
    skipAudienceCheckWithoutAudience: config['skipAudienceCheckWhenTokenHasNoAudience'] === true,
    rootCa: value('rootCA'),
    scopes: scopes.length > 0 ? scopes : ['openid', 'profile', 'email', 'groups'],
    pkce: config['enablePKCEAuthentication'] === true,
    logoutUrl: value('logoutURL'),
  };
}

/** The values of the claims that name groups: lists of texts, or one text. */
export function groupsOf(claims: JsonObject, scopes: readonly string[]): string[] {
  return scopes.flatMap((scope) => {
    const value = claims[scope];
    if (typeof value === 'string') return [value];
    return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
  });
}

/** The user of a claim set: Dex's own id of the user where there is one, else the subject. */
export function subjectOf(claims: JsonObject): string {
  return getString(claims, 'federated_claims', 'user_id') ?? getString(claims, 'sub') ?? '';
}

interface Provider {
  issuer: string;
  rootCa: string | undefined;
  readAt: number;
  authorizeUrl: string | undefined;
  tokenUrl: string | undefined;
  keys: ReturnType<typeof createRemoteJWKSet>;
}

/** Checks the ID tokens of the issuer that `oidc.config` names, by its own discovery document and keys. */
export class OidcVerifier implements AsyncDisposable {
  readonly #instance: InstanceStore;
  readonly #clock: Clock;
  #provider: Provider | undefined;
  #agent: Agent | undefined;

  constructor({ instance, clock }: { instance: InstanceStore; clock: Clock }) {
    this.#instance = instance;
    this.#clock = clock;
  }

  /** Throws `unauthorized` for a token that is not right, `unavailable` when the issuer does not answer. */
  async verify(token: string, scopes: readonly string[], signal: AbortSignal): Promise<Session> {
    const settings = parseOidcSettings(this.#instance);
    if (!settings) throw new AppError('unauthorized', 'invalid session: no single sign-on is set up here');
    const { keys } = await this.#discover(settings, signal);
    const claims = await this.#claims(token, settings, keys);
    const subject = subjectOf(claims);
    if (subject === '') throw new AppError('unauthorized', 'invalid session: the token names no subject');
    return {
      subject,
      username: getString(claims, 'email') ?? getString(claims, 'preferred_username') ?? subject,
      issuer: settings.issuer,
      groups: groupsOf(claims, scopes),
      id: claims.jti ?? getString(claims, 'uti'),
      issuedAt: claims.iat,
      expiresAt: claims.exp,
    };
  }

  /** Where a browser is sent to log in. Throws `not-found` when no single sign-on is set up. */
  async authorizeUrl(signal: AbortSignal): Promise<{ url: string; settings: OidcSettings }> {
    const settings = parseOidcSettings(this.#instance);
    if (!settings)
      throw new AppError('not-found', 'no single sign-on is set up here', { hint: 'oidc.config of argocd-cm' });
    const { authorizeUrl } = await this.#discover(settings, signal);
    if (authorizeUrl === undefined)
      throw new AppError('unavailable', `${settings.issuer} names no authorization_endpoint`);
    return { url: authorizeUrl, settings };
  }

  /** The ID token that the issuer gives for the code of a browser. */
  async exchange(code: string, form: Record<string, string>, signal: AbortSignal): Promise<string> {
    const settings = parseOidcSettings(this.#instance);
    if (!settings) throw new AppError('not-found', 'no single sign-on is set up here');
    const { tokenUrl } = await this.#discover(settings, signal);
    if (tokenUrl === undefined) throw new AppError('unavailable', `${settings.issuer} names no token_endpoint`);
    const { clientId, clientSecret } = settings;
    const secret = clientSecret === undefined ? {} : { client_secret: clientSecret };
    const fields = { ...form, ...secret, grant_type: 'authorization_code', code, client_id: clientId };
    const init = {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
      body: new URLSearchParams(fields).toString(),
    };
    const answer = await this.#fetch(tokenUrl, AbortSignal.any([signal, AbortSignal.timeout(answerMs)]), init);
    const body: unknown = await answer.json();
    const token = getString(body, 'id_token');
    if (answer.status === 200 && token !== undefined) return token;
    const why =
      getString(body, 'error_description') ??
      getString(body, 'error') ??
      `status ${answer.status}, without an id_token`;
    throw new AppError('unauthorized', `${settings.issuer} did not give a token: ${why}`, { hint: 'log in again' });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#agent?.close();
  }

  async #claims(token: string, settings: OidcSettings, keys: Provider['keys']): Promise<JWTPayload> {
    const { issuer, allowedAudiences: audience } = settings;
    const common = { issuer, clockTolerance: clockToleranceS, currentDate: new Date(this.#clock.now()) };
    try {
      const bare = settings.skipAudienceCheckWithoutAudience && decodeJwt(token).aud === undefined;
      return (await jwtVerify(token, keys, bare ? common : { ...common, audience })).payload;
    } catch (error) {
      if (error instanceof AppError) throw error;
      if (error instanceof errors.JWTExpired)
        throw new AppError('unauthorized', 'invalid session: the token is expired', { hint: 'log in again' });
      if (error instanceof errors.JWKSTimeout)
        throw new AppError('timeout', `the keys of ${issuer} did not come in time`, { cause: error });
      if (error instanceof errors.JOSEError)
        throw new AppError('unauthorized', `invalid session: ${messageOf(error)}`, { cause: error });
      throw error;
    }
  }

  async #discover(settings: OidcSettings, signal: AbortSignal): Promise<Provider> {
    const { issuer, rootCa } = settings;
    const known = this.#provider;
    const now = this.#clock.now();
    if (known?.issuer === issuer && known.rootCa === rootCa && now - known.readAt < discoveryKeptMs) return known;
    if (known?.rootCa !== rootCa || this.#agent === undefined) {
      await this.#agent?.close();
      this.#agent = new Agent(rootCa === undefined ? {} : { connect: { ca: rootCa } });
    }
    const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
    const document = await this.#fetchJson(url, signal);
    if (getString(document, 'issuer')?.replace(/\/$/, '') !== issuer.replace(/\/$/, ''))
      throw new AppError('unauthorized', `${url} speaks for another issuer, ${getString(document, 'issuer')}`);
    const keysUrl = getString(document, 'jwks_uri');
    if (keysUrl === undefined) throw new AppError('unavailable', `${url} names no jwks_uri`);
    const keys = createRemoteJWKSet(new URL(keysUrl), {
      timeoutDuration: answerMs,
      [customFetch]: (address, init) => this.#fetch(address, init.signal),
    });
    const authorizeUrl = getString(document, 'authorization_endpoint');
    const tokenUrl = getString(document, 'token_endpoint');
    this.#provider = { issuer, rootCa, readAt: now, authorizeUrl, tokenUrl, keys };
    return this.#provider;
  }

  async #fetchJson(url: string, signal: AbortSignal): Promise<unknown> {
    const answer = await this.#fetch(url, AbortSignal.any([signal, AbortSignal.timeout(answerMs)]));
    if (answer.status !== 200)
      throw new AppError('unavailable', `${url} answered with ${answer.status}`, {
        hint: 'look at issuer in oidc.config of argocd-cm',
      });
    return await answer.json();
  }

  async #fetch(
    url: string,
    signal: AbortSignal,
    init: { method?: string; headers?: Record<string, string>; body?: string } = {},
  ): Promise<Response> {
    try {
      const answer = await fetchBy(url, {
        ...init,
        signal,
        redirect: 'error',
        ...(this.#agent ? { dispatcher: this.#agent } : {}),
      });
      const text = await answer.text();
      if (text.length > answerBytesMax)
        throw new AppError('limit', `${url} answered with more than ${answerBytesMax} bytes`);
      return new Response(text, { status: answer.status, headers: { 'content-type': 'application/json' } });
    } catch (cause) {
      if (cause instanceof AppError) throw cause;
      const why = cause instanceof Error && cause.cause instanceof Error ? cause.cause.message : messageOf(cause);
      throw new AppError('unavailable', `the issuer of single sign-on does not answer at ${url}: ${why}`, { cause });
    }
  }
}
