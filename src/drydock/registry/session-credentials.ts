import { createHmac } from 'node:crypto';
import { jwtVerify, SignJWT } from 'jose';
import type { Clock, Entropy } from '#base/clock.ts';
import { registerSecret } from '#base/redact.ts';

/** A role taken on by somebody, until it expires. */
export interface RoleSession {
  roleArn: string;
  sessionName: string;
  /** The `sub` of the identity token it was given for. */
  subject: string;
  accessKeyId: string;
  expiresAt: number;
}

export interface Credentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken: string;
}

type Purpose = 'session' | 'registry-password';

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/**
 * Temporary credentials that need no table: the session stands signed in its own token and the secret follows from the
 * key, so they stay good over a restart and end by themselves.
 */
export class SessionCredentials {
  readonly #key: Buffer;
  readonly #clock: Clock;
  readonly #entropy: Entropy;

  constructor(options: { key: Buffer; clock: Clock; entropy: Entropy }) {
    this.#key = options.key;
    this.#clock = options.clock;
    this.#entropy = options.entropy;
  }

  async issue(session: Omit<RoleSession, 'accessKeyId'>): Promise<Credentials> {
    const letters = [...this.#entropy.bytes(16)].map((byte) => alphabet[byte % alphabet.length]);
    const accessKeyId = `ASIA${letters.join('')}`;
    const sessionToken = await this.#sign('session', { ...session, accessKeyId });
    const secretAccessKey = this.secretOf(accessKeyId);
    registerSecret(sessionToken);
    registerSecret(secretAccessKey);
    return { accessKeyId, secretAccessKey, sessionToken };
  }

  secretOf(accessKeyId: string): string {
    return createHmac('sha256', this.#derive('secret-keys')).update(accessKeyId).digest('base64').slice(0, 40);
  }

  /** The session of a session token; undefined when it is forged or over. */
  async session(token: string): Promise<RoleSession | undefined> {
    return await this.#read('session', token);
  }

  /** A password for the registry that ends with the session. */
  async password(session: RoleSession): Promise<string> {
    const password = await this.#sign('registry-password', session);
    registerSecret(password);
    return password;
  }

  async sessionOfPassword(password: string): Promise<RoleSession | undefined> {
    return await this.#read('registry-password', password);
  }

  async #sign(purpose: Purpose, session: RoleSession): Promise<string> {
    const { roleArn, sessionName, subject, accessKeyId, expiresAt } = session;
    return await new SignJWT({ role: roleArn, name: sessionName, key: accessKeyId })
      .setProtectedHeader({ alg: 'HS256' })
      .setSubject(subject)
      .setIssuedAt(Math.floor(this.#clock.now() / 1000))
      .setExpirationTime(Math.floor(expiresAt / 1000))
      .sign(this.#derive(purpose));
  }

  async #read(purpose: Purpose, token: string): Promise<RoleSession | undefined> {
    try {
      const currentDate = new Date(this.#clock.now());
      const options = { algorithms: ['HS256'], currentDate, requiredClaims: ['exp', 'sub'] };
      const { payload } = await jwtVerify(token, this.#derive(purpose), options);
      const { role, name, key, sub, exp } = payload;
      if (typeof role !== 'string' || typeof name !== 'string' || typeof key !== 'string') return undefined;
      return { roleArn: role, sessionName: name, accessKeyId: key, subject: sub ?? '', expiresAt: (exp ?? 0) * 1000 };
    } catch {
      // Forged, expired or not a token at all: to whoever asks it is simply no session.
      return undefined;
    }
  }

  /** Different keys for different purposes: a session token is never a password. */
  #derive(purpose: string): Buffer {
    return createHmac('sha256', this.#key).update(purpose).digest();
  }
}
