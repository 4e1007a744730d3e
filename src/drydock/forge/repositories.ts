import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '#base/clock.ts';
import { AppError } from '#base/errors.ts';
import type { Account, Accounts, Identity } from './accounts.ts';
import type { Database } from './database.ts';
import type { Git } from './git.ts';

export interface Repository {
  id: number;
  owner_id: number;
  name: string;
  /** Login of the owner, joined in. */
  owner: string;
  private: number;
  default_branch: string;
  description: string | null;
  created_at: number;
  pushed_at: number;
}

export type Access = 'none' | 'read' | 'write' | 'admin';

const columns = `r.id, r.owner_id, r.name, a.login AS owner, r.private, r.default_branch, r.description, r.created_at,
  r.pushed_at FROM repos r JOIN accounts a ON a.id = r.owner_id`;

interface RepositoriesDeps {
  db: Database;
  clock: Clock;
  git: Git;
  accounts: Accounts;
  /** Directory of the bare repositories. */
  directory: string;
}

const ranks: Record<Access, number> = { none: 0, read: 1, write: 2, admin: 3 };

/** The forge's repositories: rows, bare repositories on disk, and who may do what with them. */
export class Repositories {
  readonly #deps: RepositoriesDeps;

  constructor(deps: RepositoriesDeps) {
    this.#deps = deps;
  }

  find(owner: string, name: string): Repository | undefined {
    return this.#deps.db.get<Repository>(`SELECT ${columns} WHERE a.login = ? AND r.name = ?`, owner, name);
  }

  byId(id: number): Repository {
    const found = this.#deps.db.get<Repository>(`SELECT ${columns} WHERE r.id = ?`, id);
    if (!found) throw new AppError('not-found', `no repository ${id}`);
    return found;
  }

  all(): Repository[] {
    return this.#deps.db.all<Repository>(`SELECT ${columns} ORDER BY r.id`);
  }

  ofOwner(ownerId: number): Repository[] {
    return this.#deps.db.all<Repository>(`SELECT ${columns} WHERE r.owner_id = ? ORDER BY r.name`, ownerId);
  }

  gitDir(repo: Repository): string {
    return join(this.#deps.directory, `${repo.id}.git`);
  }

  /** Creates the repository, empty; one that exists is returned as it is. */
  async create(owner: Account, options: CreateRepository, signal: AbortSignal): Promise<Repository> {
    const { name, private: isPrivate = false, description = null, defaultBranch = 'main' } = options;
    if (!/^[A-Za-z0-9._-]{1,100}$/.test(name) || name === '.' || name === '..' || name.endsWith('.git')) {
      throw new AppError('bad-input', `${JSON.stringify(name)} is not a valid repository name`);
    }
    const known = this.find(owner.login, name);
    if (known) return known;
    const { db, clock, git } = this.#deps;
    const now = clock.now();
    const { seq } = db.get<{ seq: number }>('SELECT coalesce(max(id), 0) + 1 AS seq FROM repos') ?? { seq: 1 };
    const temporary = join(this.#deps.directory, `.new-${owner.login}-${name}`);
    await rm(temporary, { recursive: true, force: true });
    await mkdir(temporary, { recursive: true });
    await git.text(['init', '-q', '--bare', '-b', defaultBranch, temporary], {}, signal);
    for (const [key, value] of repositoryConfig)
      await git.text(['config', key, value], { repository: temporary }, signal);
    const raced = this.find(owner.login, name);
    if (raced) return raced;
    const { id } = db.run(
      `INSERT INTO repos (id, owner_id, name, private, default_branch, description, created_at, pushed_at)
       VALUES ((SELECT max(?, coalesce(max(id), 0) + 1) FROM repos), ?, ?, ?, ?, ?, ?, ?)`,
      seq,
      owner.id,
      name,
      isPrivate ? 1 : 0,
      defaultBranch,
      description,
      now,
      now,
    );
    const repo = this.byId(id);
    await rename(temporary, this.gitDir(repo));
    return repo;
  }

  addCollaborator(repo: Repository, userId: number, permission: Exclude<Access, 'none'>): void {
    this.#deps.db.run(
      `INSERT INTO collaborators (repo_id, user_id, permission) VALUES (?, ?, ?)
       ON CONFLICT DO UPDATE SET permission = excluded.permission`,
      repo.id,
      userId,
      permission,
    );
  }

  access(identity: Identity, repo: Repository): Access {
    const open: Access = repo.private ? 'none' : 'read';
    switch (identity.kind) {
      case 'anonymous':
        return open;
      case 'user':
        return highest([open, this.#userAccess(identity.account, repo)]);
      case 'job': {
        if (identity.repoId !== repo.id) return open;
        const contents = identity.permissions['contents'];
        return contents === 'write' ? 'write' : highest([open, contents === 'read' ? 'read' : 'none']);
      }
    }
  }

  #userAccess(account: Account, repo: Repository): Access {
    if (account.site_admin || account.id === repo.owner_id) return 'admin';
    const role = this.#deps.accounts.roleIn(repo.owner_id, account.id);
    const given = this.#deps.db.get<{ permission: Access }>(
      'SELECT permission FROM collaborators WHERE repo_id = ? AND user_id = ?',
      repo.id,
      account.id,
    )?.permission;
    return highest([role === 'admin' ? 'admin' : role === 'member' ? 'write' : 'none', given ?? 'none']);
  }
}

export interface CreateRepository {
  name: string;
  private?: boolean;
  description?: string | null;
  defaultBranch?: string;
}

function highest(all: Access[]): Access {
  return all.reduce((best, access) => (ranks[access] > ranks[best] ? access : best), 'none');
}

export function allows(access: Access, needed: Access): boolean {
  return ranks[access] >= ranks[needed];
}

const repositoryConfig: [string, string][] = [
  ['http.receivepack', 'true'],
  ['uploadpack.allowAnySHA1InWant', 'true'],
  ['uploadpack.allowFilter', 'true'],
  ['receive.hideRefs', 'refs/pull'],
  ['receive.autogc', 'false'],
  ['gc.auto', '0'],
  ['core.logAllRefUpdates', 'false'],
];
