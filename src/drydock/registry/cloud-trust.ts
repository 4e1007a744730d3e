import { decodeJwt } from 'jose';
import { type Clock, type Entropy, timestamp } from '#base/clock.ts';
import { AppError, isAppError, messageOf } from '#base/errors.ts';
import type { JsonObject } from '#base/json.ts';
import type { Identity } from './access.ts';
import type { RegistryAudit, RegistryAuditRecord } from './audit.ts';
import { type FetchJson, OidcKeys } from './oidc-keys.ts';
import { type Credentials, type RoleSession, SessionCredentials } from './session-credentials.ts';
import { parseSigV4, type SignedRequest, sigV4Fault } from './sigv4.ts';
import {
  decideTrust,
  type OidcProvider,
  parseTrustDocument,
  type TrustPolicy,
  type TrustStatement,
} from './trust-policy.ts';

export interface TrustOptions {
  providers: OidcProvider[];
  policies: TrustPolicy[];
}

export interface CloudTrustOptions {
  clock: Clock;
  entropy: Entropy;
  key: Buffer;
  trust: TrustOptions;
  fetchJson?: FetchJson | undefined;
  audit: RegistryAudit;
}

/** A refusal as the client sees it: AWS's code and no reason. The reason is in the audit log. */
export class TrustRefusal extends Error {
  override name = 'TrustRefusal';
  readonly code: string;
  readonly status: number;

  constructor(code: string, message: string, status: number) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

export interface AssumedRole {
  session: RoleSession;
  credentials: Credentials;
  provider: OidcProvider;
  audience: string;
}

interface Role extends TrustPolicy {
  statements: TrustStatement[];
}

const defaultSessionMs = 15 * 60_000;

/** Gives roles to identity tokens by policy, and registry passwords to roles. */
export class CloudTrust {
  readonly #options: CloudTrustOptions;
  readonly #roles: Map<string, Role>;
  readonly #keys: OidcKeys;
  readonly #sessions: SessionCredentials;

  /** Throws `bad-input` when a policy cannot be read. */
  constructor(options: CloudTrustOptions) {
    this.#options = options;
    const { clock, entropy, key, fetchJson, trust } = options;
    const roles = trust.policies.map((policy) => ({
      ...policy,
      statements: parseTrustDocument(policy.document, policy.roleArn),
    }));
    this.#roles = new Map(roles.map((role) => [role.roleArn, role]));
    this.#keys = new OidcKeys({ clock, fetchJson });
    this.#sessions = new SessionCredentials({ key, clock, entropy });
  }

  async assumeRole(
    ask: { roleArn: string; sessionName: string; token: string; durationMs: number | undefined },
    signal: AbortSignal,
  ): Promise<AssumedRole> {
    const claims = unverifiedClaims(ask.token);
    const actor = typeof claims['sub'] === 'string' ? claims['sub'] : 'unknown';
    const entry = { action: 'assume-role' as const, actor, role: ask.roleArn };
    const refuse = (code: string, message: string, options: { status: number; reason: string }) => {
      this.#record({ ...entry, outcome: 'refused', reason: options.reason });
      return new TrustRefusal(code, message, options.status);
    };
    const denied = (reason: string) =>
      refuse('AccessDenied', 'Not authorized to perform sts:AssumeRoleWithWebIdentity', { status: 403, reason });
    const provider = this.#options.trust.providers.find((candidate) => candidate.issuer === claims['iss']);
    if (!provider) throw denied(`no provider has the issuer ${String(claims['iss'])}`);
    const verified = await this.#verify(ask.token, provider, signal).catch((error: AppError) => {
      if (error.code === 'unauthorized')
        throw refuse('InvalidIdentityToken', 'The identity token is not valid', { status: 400, reason: error.message });
      throw refuse('IDPCommunicationError', 'The identity provider cannot be asked', {
        status: 400,
        reason: error.message,
      });
    });
    const role = this.#roles.get(ask.roleArn);
    if (!role) throw denied('there is no such role');
    const decision = decideTrust(role.statements, provider, verified);
    if (!decision.allowed) throw denied(decision.reason);
    const longest = role.maxSessionMs ?? defaultSessionMs;
    const expiresAt = this.#options.clock.now() + Math.min(ask.durationMs ?? longest, longest);
    const subject = String(verified['sub']);
    const session = { roleArn: role.roleArn, sessionName: ask.sessionName, subject, expiresAt };
    const credentials = await this.#sessions.issue(session);
    this.#record({ ...entry, outcome: 'granted', actor: subject });
    const audience = [verified['aud']].flat().find((one) => provider.clientIds.includes(String(one)));
    return {
      session: { ...session, accessKeyId: credentials.accessKeyId },
      credentials,
      provider,
      audience: String(audience),
    };
  }

  /** The session that signed a request; throws a TrustRefusal when it is not signed rightly by a living one. */
  async signer(request: SignedRequest, service: string): Promise<RoleSession> {
    const refuse = (code: string, reason: string, actor = 'unknown') => {
      this.#record({ action: 'authorization-token', outcome: 'refused', actor, reason });
      return new TrustRefusal(code, 'The security token included in the request is invalid.', 403);
    };
    const scope = parseSigV4(header(request, 'authorization'));
    if (!scope) throw refuse('MissingAuthenticationToken', 'the request is not signed with Signature Version 4');
    const session = await this.#sessions.session(header(request, 'x-amz-security-token'));
    if (!session) throw refuse('UnrecognizedClientException', 'the session token is missing, forged or expired');
    if (session.accessKeyId !== scope.accessKeyId)
      throw refuse('UnrecognizedClientException', 'the key does not belong to the session token', session.subject);
    const secret = this.#sessions.secretOf(scope.accessKeyId);
    const fault = sigV4Fault(request, scope, { secret, service, now: this.#options.clock.now() });
    if (fault !== undefined) throw refuse('InvalidSignatureException', fault, session.subject);
    return session;
  }

  async registryPassword(session: RoleSession): Promise<string> {
    const { subject, roleArn } = session;
    if (!this.#roles.has(roleArn)) throw new TrustRefusal('AccessDeniedException', 'The role does not exist.', 400);
    this.#record({ action: 'authorization-token', outcome: 'granted', actor: subject, role: roleArn });
    return await this.#sessions.password(session);
  }

  /** Who logs in with a registry password. A role that was taken out of the policies has none any more. */
  async recognise(name: string, password: string): Promise<Identity | undefined> {
    const session = name === 'AWS' ? await this.#sessions.sessionOfPassword(password) : undefined;
    const role = session ? this.#roles.get(session.roleArn) : undefined;
    if (!session || !role) return undefined;
    return { name: `${role.roleArn}/${session.sessionName} (${session.subject})`, permissions: role.permissions };
  }

  async #verify(token: string, provider: OidcProvider, signal: AbortSignal): Promise<JsonObject> {
    try {
      return await this.#keys.verify(token, provider, signal);
    } catch (error) {
      if (isAppError(error)) throw error;
      throw new AppError('unavailable', messageOf(error), { cause: error });
    }
  }

  #record(record: Omit<RegistryAuditRecord, 'at'>): void {
    this.#options.audit({ at: timestamp(this.#options.clock.now()), ...record });
  }
}

/** Only to find the provider and to name the actor of a refusal; nothing is decided by it. */
function unverifiedClaims(token: string): JsonObject {
  try {
    return decodeJwt(token);
  } catch {
    return {};
  }
}

function header(request: SignedRequest, name: string): string {
  const value = request.headers[name];
  return Array.isArray(value) ? (value[0] ?? '') : (value ?? '');
}
