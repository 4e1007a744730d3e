import { jwtVerify, SignJWT } from 'jose';
import type { Clock, Entropy } from '#base/clock.ts';
import { getArray, getString } from '#base/json.ts';
import {
  type Action,
  covers,
  formatScope,
  grantScopes,
  type Identity,
  mayDo,
  parseBasic,
  parseScopes,
  type RegistryUser,
  type Scope,
  sameSecret,
} from './access.ts';
import { answerJson, type Exchange, methodNotAllowed, readBody } from './exchange.ts';
import { RegistryError } from './registry-error.ts';

export interface GatekeeperOptions {
  clock: Clock;
  entropy: Entropy;
  users: RegistryUser[];
  anonymousPull: boolean;
  key: Uint8Array;
  tokenLifetimeMs: number;
  /** Recognises passwords that no user list holds, such as exchanged ones. */
  recognise: (name: string, password: string) => Promise<Identity | undefined>;
}

interface AccessToken {
  name: string;
  granted: Scope[];
  refused: Scope[];
}

const issuer = 'registry-token';

/** Decides who may do what: hands out scoped tokens against names and passwords, and checks them on every request. */
export class Gatekeeper {
  readonly #options: GatekeeperOptions;

  constructor(options: GatekeeperOptions) {
    this.#options = options;
  }

  /** Who asks. Throws UNAUTHORIZED with a challenge, or DENIED when a known identity may not do it. */
  async check(exchange: Exchange, repository: string, actions: Action[]): Promise<string> {
    let name = '';
    for (const action of actions) name = await this.#checkOne(exchange, repository, action, actions);
    return name;
  }

  /**
   * Whether a blob may be mounted from a repository. A client whose token was never asked about that repository is
   * challenged to get one that was.
   */
  async mayMount(exchange: Exchange, repository: string, from: string): Promise<boolean> {
    const header = exchange.request.headers.authorization ?? '';
    if (/^bearer /i.test(header) && !this.#options.anonymousPull) {
      const token = await this.#bearer(exchange, header);
      if (covers(token.granted, from, 'pull')) return true;
      if (token.name === '' || covers(token.refused, from, 'pull')) return false;
      const scopes: Scope[] = [
        { repository, actions: ['pull', 'push'] },
        { repository: from, actions: ['pull'] },
      ];
      throw this.#unauthorized(exchange, scopes, 'insufficient_scope');
    }
    try {
      await this.check(exchange, from, ['pull']);
      return true;
    } catch (error) {
      if (error instanceof RegistryError) return false;
      throw error;
    }
  }

  /** `GET /v2/`: clients learn here how to authenticate, so it is closed even where pulling is open. */
  async checkBase(exchange: Exchange): Promise<string> {
    const header = exchange.request.headers.authorization;
    if (header === undefined) throw this.#unauthorized(exchange, []);
    if (parseBasic(header)) return (await this.#basic(exchange, header)).name;
    return (await this.#bearer(exchange, header)).name;
  }

  /** The list of all repositories is for known names only. */
  async checkCatalog(exchange: Exchange): Promise<string> {
    const name = await this.checkBase(exchange);
    if (name === '') throw this.#unauthorized(exchange, [], 'insufficient_scope');
    return name;
  }

  /** The token endpoint: GET with Basic credentials, or a form POST with a password grant. */
  async serveToken(exchange: Exchange): Promise<void> {
    const { clock, tokenLifetimeMs } = this.#options;
    const asked = await this.#tokenRequest(exchange);
    const granted = grantScopes(asked.identity, asked.scopes);
    const refused = asked.scopes
      .map(({ repository, actions }) => ({
        repository,
        actions: actions.filter((action) => !covers(granted, repository, action)),
      }))
      .filter(({ actions }) => actions.length > 0);
    const token = await this.#sign({ name: asked.identity.name, granted, refused });
    answerJson(
      exchange,
      200,
      {
        token,
        access_token: token,
        expires_in: Math.floor(tokenLifetimeMs / 1000),
        issued_at: new Date(clock.now()).toISOString(),
      },
      { 'Cache-Control': 'no-store' },
    );
  }

  async #checkOne(exchange: Exchange, repository: string, action: Action, wanted: Action[]): Promise<string> {
    const header = exchange.request.headers.authorization;
    const scope = { repository, actions: wanted.includes('pull') ? wanted : (['pull', ...wanted] satisfies Action[]) };
    if (header === undefined) {
      if (this.#options.anonymousPull && action === 'pull') return '';
      throw this.#unauthorized(exchange, [scope]);
    }
    const denied = new RegistryError('DENIED', `requested access to '${repository}' is denied`);
    if (/^basic /i.test(header)) {
      const identity = await this.#basic(exchange, header);
      if (!mayDo(identity.permissions, repository, action)) throw denied;
      return identity.name;
    }
    const token = await this.#bearer(exchange, header, scope);
    if (covers(token.granted, repository, action)) return token.name;
    if (this.#options.anonymousPull && action === 'pull') return token.name;
    if (token.name !== '' && covers(token.refused, repository, action)) throw denied;
    throw this.#unauthorized(exchange, [scope], 'insufficient_scope');
  }

  async #basic(exchange: Exchange, header: string): Promise<Identity> {
    const credentials = parseBasic(header);
    const identity = credentials ? await this.#identify(credentials) : undefined;
    if (!identity) throw this.#unauthorized(exchange, [], 'invalid_token');
    return identity;
  }

  async #identify(credentials: { name: string; password: string }): Promise<Identity | undefined> {
    const { name, password } = credentials;
    const user = this.#options.users.find((candidate) => candidate.name === name);
    if (user && sameSecret(user.password, password)) return { name, permissions: user.scopes };
    return await this.#options.recognise(name, password);
  }

  async #tokenRequest(exchange: Exchange): Promise<{ identity: Identity; scopes: Scope[] }> {
    const scopesOf = (parameters: URLSearchParams) => parameters.getAll('scope').flatMap(parseScopes).slice(0, 100);
    const wrong = new RegistryError('UNAUTHORIZED', 'incorrect username or password');
    if (exchange.method === 'POST') {
      const form = new URLSearchParams((await readBody(exchange.request, 64 * 1024)).toString('utf8'));
      if (form.get('grant_type') !== 'password')
        throw new RegistryError('UNSUPPORTED', 'only grant_type=password is supported', { status: 400 });
      const identity = await this.#identify({ name: form.get('username') ?? '', password: form.get('password') ?? '' });
      if (!identity) throw wrong;
      return { identity, scopes: scopesOf(form) };
    }
    if (exchange.method !== 'GET') throw methodNotAllowed('GET, POST');
    const header = exchange.request.headers.authorization;
    if (header === undefined) return { identity: this.#anonymous(), scopes: scopesOf(exchange.query) };
    const credentials = parseBasic(header);
    const identity = credentials ? await this.#identify(credentials) : undefined;
    if (!identity) throw wrong;
    return { identity, scopes: scopesOf(exchange.query) };
  }

  #anonymous(): Identity {
    return { name: '', permissions: this.#options.anonymousPull ? [{ repository: '*', actions: ['pull'] }] : [] };
  }

  async #sign(token: AccessToken): Promise<string> {
    const { clock, entropy, key, tokenLifetimeMs } = this.#options;
    const now = Math.floor(clock.now() / 1000);
    return await new SignJWT({
      access: token.granted.map(({ repository, actions }) => ({ type: 'repository', name: repository, actions })),
      refused: token.refused.map(formatScope),
    })
      .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
      .setIssuer(issuer)
      .setSubject(token.name)
      .setJti(entropy.uuid())
      .setIssuedAt(now)
      .setNotBefore(now - 5)
      .setExpirationTime(now + Math.floor(tokenLifetimeMs / 1000))
      .sign(key);
  }

  async #bearer(exchange: Exchange, header: string, scope?: Scope): Promise<AccessToken> {
    const text = /^Bearer\s+(\S+)$/i.exec(header)?.[1] ?? '';
    try {
      const currentDate = new Date(this.#options.clock.now());
      const { payload } = await jwtVerify(text, this.#options.key, { issuer, algorithms: ['HS256'], currentDate });
      return {
        name: payload.sub ?? '',
        granted: getArray(payload, 'access').flatMap((entry) => {
          const actions = getArray(entry, 'actions').filter((action) => typeof action === 'string');
          return parseScopes(`repository:${getString(entry, 'name') ?? ''}:${actions.join(',')}`);
        }),
        refused: getArray(payload, 'refused').flatMap((entry) => (typeof entry === 'string' ? parseScopes(entry) : [])),
      };
    } catch {
      // Whatever is wrong with a token (form, signature, age), the answer is the same: get another one.
      throw this.#unauthorized(exchange, scope ? [scope] : [], 'invalid_token');
    }
  }

  #unauthorized(exchange: Exchange, scopes: Scope[], error?: string): RegistryError {
    const service = new URL(exchange.origin).host;
    const parts = [`realm="${exchange.origin}/token"`, `service="${service}"`];
    if (scopes.length > 0) parts.push(`scope="${scopes.map(formatScope).join(' ')}"`);
    if (error !== undefined) parts.push(`error="${error}"`);
    return new RegistryError('UNAUTHORIZED', 'authentication required', {
      headers: { 'WWW-Authenticate': `Bearer ${parts.join(',')}` },
    });
  }
}
