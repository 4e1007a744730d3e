import type { Clock, Entropy } from '#base/clock.ts';
import { sha256Hex } from '#base/digest.ts';
import { AppError } from '#base/errors.ts';
import { registerSecret } from '#base/redact.ts';
import { type Database, fromColumn } from './database.ts';

export interface Account {
  id: number;
  login: string;
  name: string;
  email: string;
  type: 'User' | 'Organization' | 'Bot';
  site_admin: number;
  created_at: number;
}

export type Permissions = Record<string, 'read' | 'write' | 'none'>;

/** Who makes a request. */
export type Identity =
  | { kind: 'anonymous' }
  | { kind: 'user'; account: Account }
  /** A workflow job with its own token: one repository, limited permissions. */
  | { kind: 'job'; account: Account; jobId: number; repoId: number; permissions: Permissions };

interface TokenRow {
  user_id: number;
  job_id: number | null;
  repo_id: number | null;
  permissions_json: string | null;
}

const actionsBot = 'github-actions[bot]';

/** Users, organisations and their tokens. Only hashes of tokens are kept. */
export class Accounts {
  readonly #db: Database;
  readonly #clock: Clock;
  readonly #entropy: Entropy;

  constructor(db: Database, clock: Clock, entropy: Entropy) {
    this.#db = db;
    this.#clock = clock;
    this.#entropy = entropy;
  }

  /** Creates the account, or brings name and e-mail of an existing one up to date. */
  put(account: Pick<Account, 'login' | 'name' | 'email' | 'type'> & { siteAdmin?: boolean }): Account {
    const { login, name, email, type, siteAdmin = false } = account;
    if (!/^[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})(?:\[bot\])?$/.test(login)) {
      throw new AppError('bad-input', `${JSON.stringify(login)} is not a valid login`, {
        hint: 'letters, digits and hyphens, at most 39',
      });
    }
    this.#db.run(
      `INSERT INTO accounts (login, name, email, type, site_admin, created_at) VALUES (?, ?, ?, ?, ?, ?)
       ON CONFLICT (login) DO UPDATE SET name = excluded.name, email = excluded.email, site_admin = excluded.site_admin`,
      login,
      name,
      email,
      type,
      siteAdmin ? 1 : 0,
      this.#clock.now(),
    );
    return this.byLogin(login);
  }

  find(login: string): Account | undefined {
    return this.#db.get<Account>('SELECT * FROM accounts WHERE login = ?', login);
  }

  byLogin(login: string): Account {
    const found = this.find(login);
    if (!found) throw new AppError('not-found', `no user or organisation ${login}`);
    return found;
  }

  byId(id: number): Account {
    const found = this.#db.get<Account>('SELECT * FROM accounts WHERE id = ?', id);
    if (!found) throw new AppError('not-found', `no account ${id}`);
    return found;
  }

  byEmail(email: string): Account | undefined {
    return this.#db.get<Account>('SELECT * FROM accounts WHERE email = ? ORDER BY id LIMIT 1', email);
  }

  addMember(org: string, login: string, role: 'admin' | 'member'): void {
    this.#db.run(
      'INSERT INTO members (org_id, user_id, role) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET role = excluded.role',
      this.byLogin(org).id,
      this.byLogin(login).id,
      role,
    );
  }

  roleIn(orgId: number, userId: number): string | undefined {
    return this.#db.get<{ role: string }>('SELECT role FROM members WHERE org_id = ? AND user_id = ?', orgId, userId)
      ?.role;
  }

  membersOf(orgId: number): Account[] {
    return this.#db.all<Account>(
      'SELECT a.* FROM accounts a JOIN members m ON m.user_id = a.id WHERE m.org_id = ? ORDER BY a.login',
      orgId,
    );
  }

  orgsOf(userId: number): Account[] {
    return this.#db.all<Account>(
      'SELECT a.* FROM accounts a JOIN members m ON m.org_id = a.id WHERE m.user_id = ? ORDER BY a.login',
      userId,
    );
  }

  /** A new personal token of the user; it cannot be read again later. */
  createToken(login: string, name: string): string {
    const token = `ghp_${this.#secret()}`;
    this.#keep(token, { userId: this.byLogin(login).id, name });
    return token;
  }

  /** Lets a given value act as a token of the user, for tokens that were made elsewhere and must stay the same. */
  adoptToken(login: string, name: string, token: string): void {
    this.#keep(token, { userId: this.byLogin(login).id, name });
  }

  /** The account behind job tokens and schedules. */
  bot(): Account {
    return this.put({ login: actionsBot, name: actionsBot, email: botEmail, type: 'Bot' });
  }

  createJobToken(job: { jobId: number; repoId: number; permissions: Permissions }): string {
    const token = `ghs_${this.#secret()}`;
    const bot = this.bot();
    this.#keep(token, { userId: bot.id, name: `job ${job.jobId}`, ...job });
    return token;
  }

  revokeJobTokens(jobId: number): void {
    this.#db.run('DELETE FROM tokens WHERE job_id = ?', jobId);
  }

  /** Undefined when the token is unknown or revoked. */
  identify(token: string): Exclude<Identity, { kind: 'anonymous' }> | undefined {
    const row = this.#db.get<TokenRow>(
      'SELECT user_id, job_id, repo_id, permissions_json FROM tokens WHERE hash = ?',
      sha256Hex(token),
    );
    if (!row) return undefined;
    const account = this.byId(row.user_id);
    if (row.job_id === null || row.repo_id === null) return { kind: 'user', account };
    const permissions = fromColumn<Permissions>(row.permissions_json ?? '{}');
    return { kind: 'job', account, jobId: row.job_id, repoId: row.repo_id, permissions };
  }

  #secret(): string {
    return this.#entropy.bytes(27).toString('base64url').replaceAll(/[-_]/g, 'x');
  }

  #keep(
    token: string,
    owner: { userId: number; name: string; jobId?: number; repoId?: number; permissions?: Permissions },
  ): void {
    registerSecret(token);
    this.#db.run(
      `INSERT OR REPLACE INTO tokens (hash, user_id, name, job_id, repo_id, permissions_json, created_at)
       VALUES (?, ?, ?, ?, ?, ?, ?)`,
      sha256Hex(token),
      owner.userId,
      owner.name,
      owner.jobId ?? null,
      owner.repoId ?? null,
      owner.permissions === undefined ? null : JSON.stringify(owner.permissions),
      this.#clock.now(),
    );
  }
}

const botEmail = '41898282+github-actions[bot]@users.noreply.github.com';
