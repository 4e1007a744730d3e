import type { Clock } from '#base/clock.ts';
import { AppError } from '#base/errors.ts';
import { registerSecret } from '#base/redact.ts';
import { type Database, fromColumn } from './database.ts';
import type { Repository } from './repositories.ts';

export type SettingKind = 'variable' | 'secret';
/** Where a variable or secret is kept; the later ones win: organisation, repository, environment. */
export type SettingScope = { scope: 'org' | 'repo' | 'environment'; id: number };

export interface Setting {
  name: string;
  value: string;
  created_at: number;
  updated_at: number;
}

export interface Environment {
  id: number;
  repo_id: number;
  name: string;
  wait_minutes: number;
  prevent_self_review: number;
  reviewers_json: string;
  branch_policy_json: string | null;
  created_at: number;
  updated_at: number;
}

export interface EnvironmentRules {
  waitMinutes?: number;
  preventSelfReview?: boolean;
  /** Account ids of those who may approve. */
  reviewers?: number[];
}

const valueLimit = 48 * 1024;

/** Variables, secrets and environments. Values of secrets never leave by REST. */
export class Settings {
  readonly #db: Database;
  readonly #clock: Clock;

  constructor(db: Database, clock: Clock) {
    this.#db = db;
    this.#clock = clock;
  }

  put(kind: SettingKind, at: SettingScope, setting: { name: string; value: string }): void {
    const name = setting.name.toUpperCase();
    if (!/^[A-Z_][A-Z0-9_]*$/.test(name) || name.startsWith('GITHUB_')) {
      throw new AppError('bad-input', `${JSON.stringify(setting.name)} is not a valid name of a ${kind}`, {
        hint: 'letters, digits and underscores, not starting with a digit or GITHUB_',
      });
    }
    if (setting.value.length > valueLimit)
      throw new AppError('limit', `a ${kind} has at most ${valueLimit} characters`);
    if (kind === 'secret') registerSecret(setting.value);
    const now = this.#clock.now();
    this.#db.run(
      `INSERT INTO settings (kind, scope, scope_id, name, value, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at`,
      kind,
      at.scope,
      at.id,
      name,
      setting.value,
      now,
      now,
    );
  }

  list(kind: SettingKind, at: SettingScope): Setting[] {
    return this.#db.all<Setting>(
      'SELECT name, value, created_at, updated_at FROM settings WHERE kind = ? AND scope = ? AND scope_id = ? ORDER BY name',
      kind,
      at.scope,
      at.id,
    );
  }

  remove(kind: SettingKind, at: SettingScope, name: string): boolean {
    const sql = 'DELETE FROM settings WHERE kind = ? AND scope = ? AND scope_id = ? AND name = ?';
    return this.#db.run(sql, kind, at.scope, at.id, name.toUpperCase()).changes > 0;
  }

  /** What a job of the repository sees, in the given environment if any. */
  valuesFor(kind: SettingKind, repo: Repository, environment: Environment | undefined): Record<string, string> {
    const scopes: SettingScope[] = [
      { scope: 'org', id: repo.owner_id },
      { scope: 'repo', id: repo.id },
    ];
    if (environment) scopes.push({ scope: 'environment', id: environment.id });
    return Object.fromEntries(scopes.flatMap((at) => this.list(kind, at).map(({ name, value }) => [name, value])));
  }

  environments(repo: Repository): Environment[] {
    return this.#db.all<Environment>('SELECT * FROM environments WHERE repo_id = ? ORDER BY id', repo.id);
  }

  environment(repo: Repository, name: string): Environment | undefined {
    return this.#db.get<Environment>('SELECT * FROM environments WHERE repo_id = ? AND name = ?', repo.id, name);
  }

  environmentById(id: number): Environment | undefined {
    return this.#db.get<Environment>('SELECT * FROM environments WHERE id = ?', id);
  }

  /** Creates the environment, or replaces its rules. */
  putEnvironment(repo: Repository, name: string, rules: EnvironmentRules): Environment {
    const now = this.#clock.now();
    this.#db.run(
      `INSERT INTO environments (repo_id, name, wait_minutes, prevent_self_review, reviewers_json, created_at, updated_at)
       VALUES (?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (repo_id, name) DO UPDATE SET wait_minutes = excluded.wait_minutes,
       prevent_self_review = excluded.prevent_self_review, reviewers_json = excluded.reviewers_json,
       updated_at = excluded.updated_at`,
      repo.id,
      name,
      rules.waitMinutes ?? 0,
      rules.preventSelfReview ? 1 : 0,
      JSON.stringify(rules.reviewers ?? []),
      now,
      now,
    );
    const made = this.environment(repo, name);
    if (!made) throw new AppError('not-found', `no environment ${name}`);
    return made;
  }

  /** The environment a job names; GitHub creates it without rules when it does not exist. */
  ensureEnvironment(repo: Repository, name: string): Environment {
    return this.environment(repo, name) ?? this.putEnvironment(repo, name, {});
  }
}

export function reviewersOf(environment: Environment): number[] {
  return fromColumn<number[]>(environment.reviewers_json);
}
