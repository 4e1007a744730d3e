import { compare, hash } from 'bcryptjs';
import { decodeJwt, errors, type JWTPayload, jwtVerify, SignJWT } from 'jose';
import type { InstanceStore } from '#apps/port.ts';
import type { Clock, Entropy } from '#base/clock.ts';
import { sha256Hex } from '#base/digest.ts';
import { AppError } from '#base/errors.ts';
import { getArray, getString, isObject } from '#base/json.ts';
import { parseGoDuration } from '#model/argocd/duration.ts';
import { projectRoleOf } from '../rbac/enforcer.ts';
import { type Account, type Capability, parseAccounts } from './accounts.ts';
import { changeData } from './instance-secret.ts';
import { LoginFailures } from './login-limit.ts';

export const localIssuer = 'argocd';
const secretName = 'argocd-secret';
const revokedName = 'slipway-revoked-sessions';
const revokedMax = 5000;
const nameLengthMax = 32;
const defaultSessionMs = 24 * 3600 * 1000;
const hashCost = 10;

/** What a token that was found valid says. */
export interface Session {
  /** Account, `proj:<project>:<role>`, or the user of a single sign-on. */
  subject: string;
  /** What people call them. */
  username: string;
  issuer: string;
  groups: string[];
  id: string | undefined;
  issuedAt: number | undefined;
  expiresAt: number | undefined;
}

export interface SessionsDeps {
  instance: InstanceStore;
  clock: Clock;
  entropy: Entropy;
}

function invalidLogin(): AppError {
  return new AppError('unauthorized', 'Invalid username or password');
}

function refuse(why: string): never {
  throw new AppError('unauthorized', `invalid session: ${why}`, { hint: 'log in again' });
}

/** The entry of a project's role that makes a token of it valid: by its id, else by the second it was issued. */
function isListedToken(instance: InstanceStore, subject: string, claims: JWTPayload): boolean {
  const role = projectRoleOf(subject);
  const project = instance.projects().find(({ metadata }) => metadata.name === role?.project);
  const spec = project?.['spec'];
  const entry = getArray(spec, 'roles').find((candidate) => getString(candidate, 'name') === role?.role);
  const status = isObject(project?.['status']) ? project['status'] : {};
  const listed = [
    ...getArray(entry, 'jwtTokens'),
    ...getArray(status, 'jwtTokensByRole', role?.role ?? '', 'items'),
  ].filter(isObject);
  return listed.some((token) => (claims.jti ? token['id'] === claims.jti : token['iat'] === claims.iat));
}

/**
 * Local accounts and their tokens, as Argo CD makes and checks them: HS256 by `server.secretkey` of `argocd-secret`, so
 * tokens of an instance that moves here stay valid.
 */
export class Sessions {
  readonly #deps: SessionsDeps;
  readonly #failures: LoginFailures;
  /** Logins by `Success` and `Failed`. */
  readonly logins = new Map<string, number>();
  #ownKey: string | undefined;

  constructor(deps: SessionsDeps) {
    this.#deps = deps;
    this.#failures = new LoginFailures({ failuresMax: 5, windowMs: 300_000 });
  }

  accounts(): Map<string, Account> {
    const { instance } = this.#deps;
    return parseAccounts(instance.config('argocd-cm'), instance.secret(secretName));
  }

  /** An account by newer data of the Secret than the live copy has. */
  accountIn(name: string, secret: Readonly<Record<string, string>>): Account {
    const account = parseAccounts(this.#deps.instance.config('argocd-cm'), secret).get(name);
    if (account) return account;
    throw new AppError('not-found', `account '${name}' does not exist`);
  }

  /** A session token for an account's name and password. Counts failures; every refusal costs the same time. */
  async logIn(name: string, password: string, signal: AbortSignal): Promise<string> {
    const { clock } = this.#deps;
    if (password === '') throw new AppError('unauthorized', 'Blank passwords are not allowed');
    if (name.length > nameLengthMax)
      throw new AppError('bad-input', `Username is too long (${nameLengthMax} bytes max)`);
    await this.checkPassword(name, password);
    const account = this.accounts().get(name);
    if (!account?.enabled) throw new AppError('unauthorized', `Account ${name} is disabled`);
    if (!account.capabilities.includes('login'))
      throw new AppError('unauthorized', `Account ${name} does not have login capability`);
    this.#failures.succeed(name);
    this.#count('Success');
    const seconds = Math.floor(this.#sessionMs() / 1000);
    const id = this.#deps.entropy.uuid();
    return await this.issue({ subject: `${name}:login`, seconds, id, now: clock.now() }, signal);
  }

  /** Throws `unauthorized` unless it is the account's password. */
  async checkPassword(name: string, password: string): Promise<void> {
    const now = this.#deps.clock.now();
    if (this.#failures.isBlocked(name, now)) throw invalidLogin();
    const account = this.accounts().get(name);
    // An unknown account costs as much as a known one.
    const stored = account?.passwordHash ?? (await hash('an equal amount of work', hashCost));
    const right = await compare(password, stored);
    if (right && account?.passwordHash !== undefined) return;
    this.#failures.fail(name, now);
    this.#count('Failed');
    throw invalidLogin();
  }

  #count(status: string): void {
    this.logins.set(status, (this.logins.get(status) ?? 0) + 1);
  }

  async hashPassword(password: string): Promise<string> {
    return await hash(password, hashCost);
  }

  /** A signed token; without `seconds` it does not end by itself. */
  async issue(of: { subject: string; seconds: number; id: string; now: number }, signal: AbortSignal): Promise<string> {
    const issuedAt = Math.floor(of.now / 1000);
    const token = new SignJWT({})
      .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
      .setIssuer(localIssuer)
      .setSubject(of.subject)
      .setJti(of.id)
      .setIssuedAt(issuedAt)
      .setNotBefore(issuedAt);
    if (of.seconds > 0) token.setExpirationTime(issuedAt + of.seconds);
    return await token.sign(new TextEncoder().encode(await this.#key(signal)));
  }

  /** Whether a text looks like a token that this instance issued. */
  isLocal(token: string): boolean {
    try {
      return decodeJwt(token).iss === localIssuer;
    } catch {
      return false;
    }
  }

  /** Checks signature, times, revocation, and that account or project role still stand behind the token. */
  async verify(token: string): Promise<Session> {
    const { instance, clock } = this.#deps;
    const key = this.#knownKey();
    if (key === undefined) return refuse('this instance has not issued any token');
    const claims = await this.#claims(token, key);
    const { sub = '', jti, iat, exp } = claims;
    if (iat === undefined) refuse('the token does not say when it was issued');
    const common = { issuer: localIssuer, groups: [], id: jti, issuedAt: iat, expiresAt: exp };
    if (projectRoleOf(sub)) {
      if (!isListedToken(instance, sub, claims)) refuse(`the token of ${sub} is not listed in the project`);
      return { ...common, subject: sub, username: sub };
    }
    const [name = '', suffix] = sub.split(':');
    const capability: Capability = suffix === 'login' ? 'login' : 'apiKey';
    const account = this.accounts().get(name);
    if (!account) refuse(`account '${name}' does not exist`);
    if (!account.enabled) refuse(`account ${name} is disabled`);
    if (!account.capabilities.includes(capability)) refuse(`account ${name} does not have '${capability}' capability`);
    if (!jti) refuse('the token has no identifier (jti)');
    if (this.isRevoked(jti, clock.now())) refuse('the token is revoked');
    if (capability === 'apiKey' && !account.tokens.some(({ id }) => id === jti))
      refuse(`account ${name} does not have token with id ${jti}`);
    if (account.passwordChangedAt !== undefined && iat * 1000 < Math.floor(account.passwordChangedAt / 1000) * 1000)
      refuse('the password has changed since the token was issued');
    return { ...common, subject: name, username: name };
  }

  isRevoked(id: string, now: number): boolean {
    const until = this.#deps.instance.secret(revokedName)[sha256Hex(id)];
    return until !== undefined && Number(until) * 1000 > now;
  }

  /** The token is refused from now on, after restarts too. */
  async revoke(id: string, expiresAt: number | undefined, signal: AbortSignal): Promise<void> {
    const { instance, clock } = this.#deps;
    const seconds = Math.floor(clock.now() / 1000);
    const until = expiresAt ?? seconds + 10 * 365 * 24 * 3600;
    const change = (data: Record<string, string>) => {
      const kept = Object.entries(data).filter(([, end]) => Number(end) > seconds);
      if (kept.length >= revokedMax)
        kept.sort((a, b) => Number(a[1]) - Number(b[1])).splice(0, kept.length - revokedMax + 1);
      return { ...Object.fromEntries(kept), [sha256Hex(id)]: String(until) };
    };
    await changeData(instance, 'Secret', { name: revokedName, change }, signal);
  }

  async #claims(token: string, key: string): Promise<JWTPayload> {
    try {
      const options = { issuer: localIssuer, algorithms: ['HS256'], currentDate: new Date(this.#deps.clock.now()) };
      const { payload } = await jwtVerify(token, new TextEncoder().encode(key), options);
      return payload;
    } catch (error) {
      if (error instanceof errors.JWTExpired) return refuse('the token is expired');
      if (error instanceof errors.JOSEError) return refuse('the signature or the form of the token is wrong');
      throw error;
    }
  }

  #sessionMs(): number {
    const text = this.#deps.instance.config('argocd-cm')['users.session.duration'];
    if (text === undefined) return defaultSessionMs;
    try {
      return parseGoDuration(text);
    } catch {
      return defaultSessionMs;
    }
  }

  #knownKey(): string | undefined {
    return this.#deps.instance.secret(secretName)['server.secretkey'] || this.#ownKey;
  }

  /** The key of signatures; the first use of an instance without one makes it. */
  async #key(signal: AbortSignal): Promise<string> {
    const known = this.#knownKey();
    if (known !== undefined) return known;
    const { instance, entropy } = this.#deps;
    const labels = { 'app.kubernetes.io/name': secretName, 'app.kubernetes.io/part-of': 'argocd' };
    let key = entropy.bytes(32).toString('base64');
    const change = (data: Record<string, string>) => {
      const other = data['server.secretkey'];
      if (other) key = other;
      return other ? undefined : { ...data, 'server.secretkey': key };
    };
    await changeData(instance, 'Secret', { name: secretName, labels, change }, signal);
    this.#ownKey = key;
    return key;
  }
}
