import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTPayload, jwtVerify } from 'jose';
import { request } from 'undici';
import type { Clock } from '#base/clock.ts';
import { AppError, messageOf } from '#base/errors.ts';
import { getArray, getString, isObject, parseJson } from '#base/json.ts';
import type { OidcProvider } from './trust-policy.ts';

export type FetchJson = (url: string, signal: AbortSignal) => Promise<unknown>;

interface Keys {
  set: ReturnType<typeof createLocalJWKSet>;
  fetchedAt: number;
}

const keysLifetimeMs = 10 * 60_000;
/** An unknown key id may be a fresh key, but must not let anybody make us ask the issuer on every request. */
const refetchAfterMs = 10_000;
const algorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'ES256', 'ES384', 'EdDSA'];

/** Verifies identity tokens against the keys their issuers publish. */
export class OidcKeys {
  readonly #fetchJson: FetchJson;
  readonly #clock: Clock;
  readonly #keys = new Map<string, Keys>();

  constructor(options: { clock: Clock; fetchJson?: FetchJson | undefined }) {
    this.#clock = options.clock;
    this.#fetchJson = options.fetchJson ?? fetchJson;
  }

  /** The claims of a token of this provider for one of its audiences, neither expired nor early. Throws `unauthorized` saying why not. */
  async verify(token: string, provider: OidcProvider, signal: AbortSignal): Promise<JWTPayload> {
    const keys = await this.#current(provider, signal);
    try {
      return await this.#check(token, provider, keys);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey) || this.#clock.now() - keys.fetchedAt < refetchAfterMs)
        throw rejected(error);
    }
    try {
      return await this.#check(token, provider, await this.#fetch(provider, signal));
    } catch (error) {
      throw rejected(error);
    }
  }

  async #check(token: string, provider: OidcProvider, keys: Keys): Promise<JWTPayload> {
    const { payload } = await jwtVerify(token, keys.set, {
      issuer: provider.issuer,
      audience: provider.clientIds,
      algorithms,
      requiredClaims: ['exp', 'sub'],
      clockTolerance: 30,
      currentDate: new Date(this.#clock.now()),
    });
    return payload;
  }

  async #current(provider: OidcProvider, signal: AbortSignal): Promise<Keys> {
    const kept = this.#keys.get(provider.issuer);
    if (kept && this.#clock.now() - kept.fetchedAt < keysLifetimeMs) return kept;
    return await this.#fetch(provider, signal);
  }

  async #fetch(provider: OidcProvider, signal: AbortSignal): Promise<Keys> {
    const { issuer } = provider;
    const about = await this.#fetchJson(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`, signal);
    if (getString(about, 'issuer') !== issuer)
      throw new AppError(
        'unavailable',
        `the identity provider at ${issuer} calls itself ${getString(about, 'issuer')}`,
      );
    const address = getString(about, 'jwks_uri');
    if (address === undefined)
      throw new AppError('unavailable', `the identity provider ${issuer} publishes no jwks_uri`);
    const set = parseKeySet(await this.#fetchJson(address, signal), issuer);
    const keys = { set: createLocalJWKSet(set), fetchedAt: this.#clock.now() };
    this.#keys.set(issuer, keys);
    return keys;
  }
}

function parseKeySet(value: unknown, issuer: string): JSONWebKeySet {
  const keys = getArray(value, 'keys').filter(isObject);
  if (keys.length === 0) throw new AppError('unavailable', `the identity provider ${issuer} publishes no keys`);
  return { keys: keys.map((key) => ({ ...key, kty: getString(key, 'kty') ?? '' })) };
}

function rejected(error: unknown): AppError {
  if (error instanceof AppError) return error;
  return new AppError('unauthorized', `the identity token is not accepted: ${messageOf(error)}`, { cause: error });
}

const maxDocumentBytes = 1024 * 1024;

async function fetchJson(url: string, signal: AbortSignal): Promise<unknown> {
  const timed = AbortSignal.any([signal, AbortSignal.timeout(5000)]);
  try {
    const response = await request(url, { signal: timed, headers: { accept: 'application/json' } });
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of response.body) {
      size += chunk.length;
      if (size > maxDocumentBytes) throw new AppError('limit', `${url} is longer than ${maxDocumentBytes} bytes`);
      chunks.push(chunk);
    }
    if (response.statusCode !== 200) throw new AppError('unavailable', `${url} answered ${response.statusCode}`);
    return parseJson(Buffer.concat(chunks).toString('utf8'), url);
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw new AppError('unavailable', `${url} cannot be read: ${messageOf(error)}`, { cause: error });
  }
}
