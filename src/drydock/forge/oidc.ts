import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { calculateJwkThumbprint, exportJWK, exportPKCS8, generateKeyPair, importPKCS8, type JWK, SignJWT } from 'jose';
import type { Clock, Entropy } from '#base/clock.ts';
import { AppError, messageOf } from '#base/errors.ts';
import type { JsonObject } from '#base/json.ts';
import type { Links } from './links.ts';

const lifetimeS = 300;

/** Signs the identity tokens of workflow jobs, as GitHub's issuer does; the key is kept in the data directory. */
export class OidcIssuer {
  readonly #clock: Clock;
  readonly #entropy: Entropy;
  readonly #links: Links;
  readonly #key: Awaited<ReturnType<typeof importPKCS8>>;
  readonly #public: JWK;

  private constructor(
    deps: { clock: Clock; entropy: Entropy; links: Links },
    key: Awaited<ReturnType<typeof importPKCS8>>,
    jwk: JWK,
  ) {
    this.#clock = deps.clock;
    this.#entropy = deps.entropy;
    this.#links = deps.links;
    this.#key = key;
    this.#public = jwk;
  }

  static async open(deps: { clock: Clock; entropy: Entropy; links: Links; dataDir: string }): Promise<OidcIssuer> {
    const file = join(deps.dataDir, 'oidc-key.pem');
    if (!existsSync(file)) {
      const { privateKey } = await generateKeyPair('RS256', { extractable: true });
      writeFileSync(`${file}.new`, await exportPKCS8(privateKey), { mode: 0o600 });
      renameSync(`${file}.new`, file);
    }
    try {
      const key = await importPKCS8(readFileSync(file, 'utf8'), 'RS256', { extractable: true });
      const { kty, n, e } = await exportJWK(key);
      const jwk: JWK = { kty: kty ?? 'RSA', n: n ?? '', e: e ?? '', use: 'sig', alg: 'RS256' };
      return new OidcIssuer(deps, key, { ...jwk, kid: await calculateJwkThumbprint(jwk) });
    } catch (cause) {
      throw new AppError('corrupt-data', `the key of the token issuer ${file} cannot be read: ${messageOf(cause)}`, {
        cause,
        hint: 'remove the file: a new key is made, and tokens signed with the old one are no longer accepted',
      });
    }
  }

  get issuer(): string {
    return this.#links.root;
  }

  configuration(): JsonObject {
    return {
      issuer: this.issuer,
      jwks_uri: `${this.issuer}/.well-known/jwks`,
      subject_types_supported: ['public', 'pairwise'],
      response_types_supported: ['id_token'],
      claims_supported: [
        'sub',
        'aud',
        'exp',
        'iat',
        'iss',
        'jti',
        'nbf',
        'ref',
        'sha',
        'repository',
        'repository_owner',
        'run_id',
        'run_number',
        'run_attempt',
        'actor',
        'workflow',
        'head_ref',
        'base_ref',
        'event_name',
        'ref_type',
        'environment',
        'job_workflow_ref',
      ],
      id_token_signing_alg_values_supported: ['RS256'],
      scopes_supported: ['openid'],
    };
  }

  jwks(): JsonObject {
    return { keys: [this.#public] };
  }

  async sign(claims: JsonObject, audience: string): Promise<string> {
    const nowS = Math.floor(this.#clock.now() / 1000);
    return new SignJWT({ ...claims })
      .setProtectedHeader({ alg: 'RS256', typ: 'JWT', kid: this.#public.kid ?? '' })
      .setIssuer(this.issuer)
      .setAudience(audience)
      .setJti(this.#entropy.uuid())
      .setIssuedAt(nowS)
      .setNotBefore(nowS - 30)
      .setExpirationTime(nowS + lifetimeS)
      .sign(this.#key);
  }
}
