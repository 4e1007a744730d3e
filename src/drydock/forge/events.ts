import type { Clock } from '#base/clock.ts';
import type { JsonObject } from '#base/json.ts';
import type { Account, Accounts } from './accounts.ts';
import type { Database } from './database.ts';
import type { Links } from './links.ts';
import type { Repository } from './repositories.ts';
import { accountView, repositoryView } from './views.ts';

/** Something that happened in a repository, before hooks and workflows have been told. */
export interface EventRow {
  id: number;
  repo_id: number;
  name: string;
  action: string | null;
  ref: string | null;
  sha: string | null;
  actor_id: number;
  by_job: number;
  payload_json: string;
  detail_json: string;
  created_at: number;
}

/** What workflows need to know beyond the payload. */
export interface EventDetail {
  /** Commit before the push, or of the pull request's base. */
  before?: string;
  headMessage?: string;
  /** Workflow to start, for workflow_dispatch. */
  workflowPath?: string;
  headBranch?: string;
  pullNumbers?: number[];
}

export interface NewEvent {
  repo: Repository;
  name: string;
  action?: string | undefined;
  ref?: string | undefined;
  sha?: string | undefined;
  actor: Account;
  /** Events caused with a job's own token start no workflows. */
  byJob: boolean;
  payload: JsonObject;
  detail?: EventDetail;
}

interface OutboxDeps {
  db: Database;
  clock: Clock;
  accounts: Accounts;
  links: Links;
}

/** Events on their way to webhooks and workflows: kept in the database until both have been told. */
export class EventOutbox {
  readonly #deps: OutboxDeps;
  /** Set by whoever handles events; called with the id of a repository that has new ones. */
  onAppend: (repoId: number) => void = () => {};

  constructor(deps: OutboxDeps) {
    this.#deps = deps;
  }

  /** Call inside the transaction that makes the change, so that change and event exist together or not at all. */
  append(event: NewEvent): void {
    const { db, clock, accounts, links } = this.#deps;
    const owner = accounts.byId(event.repo.owner_id);
    const payload: JsonObject = {
      ...(event.action === undefined ? {} : { action: event.action }),
      ...event.payload,
      repository: repositoryView(links, event.repo, owner),
      ...(owner.type === 'Organization' ? { organization: organizationView(links, owner) } : {}),
      sender: accountView(links, event.actor),
    };
    db.run(
      `INSERT INTO events (repo_id, name, action, ref, sha, actor_id, by_job, payload_json, detail_json, created_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      event.repo.id,
      event.name,
      event.action ?? null,
      event.ref ?? null,
      event.sha ?? null,
      event.actor.id,
      event.byJob ? 1 : 0,
      JSON.stringify(payload),
      JSON.stringify(event.detail ?? {}),
      clock.now(),
    );
    setImmediate(() => this.onAppend(event.repo.id));
  }

  next(repoId: number): EventRow | undefined {
    return this.#deps.db.get<EventRow>('SELECT * FROM events WHERE repo_id = ? ORDER BY id LIMIT 1', repoId);
  }

  remove(id: number): void {
    this.#deps.db.run('DELETE FROM events WHERE id = ?', id);
  }

  repositoriesWaiting(): number[] {
    return this.#deps.db.all<{ repo_id: number }>('SELECT DISTINCT repo_id FROM events').map((row) => row.repo_id);
  }
}

function organizationView(links: Links, owner: Account): JsonObject {
  return { login: owner.login, id: owner.id, url: `${links.api}/orgs/${owner.login}`, description: owner.name };
}
