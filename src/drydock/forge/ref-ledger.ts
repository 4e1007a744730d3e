import type { Clock } from '#base/clock.ts';
import type { JsonObject } from '#base/json.ts';
import { retry } from '#base/retry.ts';
import type { Account, Accounts, Identity } from './accounts.ts';
import type { Commit } from './commits.ts';
import { findCommit, listCommits } from './commits.ts';
import type { Database } from './database.ts';
import type { EventOutbox, NewEvent } from './events.ts';
import { type Git, zeroSha } from './git.ts';
import type { Links } from './links.ts';
import { KeyedLock } from './lock.ts';
import type { Repositories, Repository } from './repositories.ts';
import { fullName, pushedCommitView } from './views.ts';

interface LedgerDeps {
  db: Database;
  clock: Clock;
  git: Git;
  accounts: Accounts;
  repos: Repositories;
  events: EventOutbox;
  links: Links;
}

/** A branch or tag that moved; a zero sha stands for "not there". */
export interface RefUpdate {
  ref: string;
  before: string;
  after: string;
}

/** Commits listed in one push payload, as on GitHub. */
const payloadCommits = 2048;

/**
 * Keeps the last known refs of each repository. Whatever moves a ref does it through `change`, which finds out what
 * moved and records it together with its events. What a killed process left unrecorded is found by `reconcile`.
 */
export class RefLedger {
  readonly #deps: LedgerDeps;
  readonly #lock = new KeyedLock();

  constructor(deps: LedgerDeps) {
    this.#deps = deps;
  }

  async change<T>(repo: Repository, who: Exclude<Identity, { kind: 'anonymous' }>, work: () => Promise<T>): Promise<T> {
    return this.#lock.hold(repo.id, async () => {
      const { db } = this.#deps;
      db.run(
        'INSERT OR REPLACE INTO push_intents (repo_id, user_id, by_job) VALUES (?, ?, ?)',
        repo.id,
        who.account.id,
        who.kind === 'job' ? 1 : 0,
      );
      try {
        return await work();
      } finally {
        // The refs have moved whatever became of the request, so its abort does not reach this far.
        const { signal } = new AbortController();
        const { clock } = this.#deps;
        const options = { clock, signal, attempts: 5, firstDelayMs: 50, retryIf: () => true };
        await retry(options, () => this.#record(repo, signal));
      }
    });
  }

  /** Records what moved without being recorded. Call at start, before requests are served. */
  async reconcile(signal: AbortSignal): Promise<void> {
    for (const repo of this.#deps.repos.all()) await this.#lock.hold(repo.id, () => this.#record(repo, signal));
  }

  async #record(repo: Repository, signal: AbortSignal): Promise<void> {
    const { db, clock, events, accounts } = this.#deps;
    const current = await this.#readRefs(repo, signal);
    const updates = diffRefs(this.#known(repo.id), current);
    const intent = db.get<{ user_id: number; by_job: number }>(
      'SELECT user_id, by_job FROM push_intents WHERE repo_id = ?',
      repo.id,
    );
    const account = intent ? accounts.byId(intent.user_id) : this.#unknownPusher();
    const actor = { account, byJob: intent?.by_job === 1 };
    const pending: NewEvent[] = [];
    for (const update of updates) pending.push(...(await this.#eventsOf(repo, update, actor, signal)));
    db.transaction(() => {
      for (const { ref, after } of updates) {
        if (after === zeroSha) db.run('DELETE FROM refs WHERE repo_id = ? AND name = ?', repo.id, ref);
        else db.run('INSERT OR REPLACE INTO refs (repo_id, name, sha) VALUES (?, ?, ?)', repo.id, ref, after);
      }
      db.run('DELETE FROM push_intents WHERE repo_id = ?', repo.id);
      if (updates.length === 0) return;
      db.run('UPDATE repos SET pushed_at = ? WHERE id = ?', clock.now(), repo.id);
      for (const event of pending) events.append(event);
    });
  }

  #known(repoId: number): Map<string, string> {
    const rows = this.#deps.db.all<{ name: string; sha: string }>(
      'SELECT name, sha FROM refs WHERE repo_id = ?',
      repoId,
    );
    return new Map(rows.map((row) => [row.name, row.sha]));
  }

  async #readRefs(repo: Repository, signal: AbortSignal): Promise<Map<string, string>> {
    const args = ['for-each-ref', '--format=%(objectname) %(refname)', 'refs/heads', 'refs/tags'];
    const text = await this.#deps.git.text(args, { repository: this.#deps.repos.gitDir(repo) }, signal);
    const lines = text.split('\n').filter(Boolean);
    return new Map(lines.map((line) => [line.slice(41), line.slice(0, 40)]));
  }

  #unknownPusher(): Account {
    return this.#deps.accounts.put({ login: 'ghost', name: 'Unknown', email: 'ghost@localhost', type: 'User' });
  }

  async #eventsOf(
    repo: Repository,
    update: RefUpdate,
    actor: { account: Account; byJob: boolean },
    signal: AbortSignal,
  ): Promise<NewEvent[]> {
    const { git, repos } = this.#deps;
    const { ref, before, after } = update;
    const directory = repos.gitDir(repo);
    const gone = after === zeroSha;
    const [head, commits, isFastForward] = await Promise.all([
      gone ? undefined : findCommit(git, directory, after, signal),
      gone ? [] : this.#pushedCommits(repo, update, signal),
      gone || before === zeroSha ? true : this.#isAncestor(repo, update, signal),
    ]);
    const forced = !isFastForward;
    const common = { repo, actor: actor.account, byJob: actor.byJob };
    const payload = this.#pushPayload(repo, { update, head, commits, forced, account: actor.account });
    const detail = { before, ...(head ? { headMessage: head.message } : {}) };
    const events: NewEvent[] = [{ ...common, name: 'push', ref, sha: head?.sha ?? after, payload, detail }];
    const created = before === zeroSha;
    if (created || after === zeroSha) {
      const isTag = ref.startsWith('refs/tags/');
      events.push({
        ...common,
        name: created ? 'create' : 'delete',
        ref,
        sha: head?.sha ?? before,
        payload: {
          ref: ref.replace(/^refs\/(heads|tags)\//, ''),
          ref_type: isTag ? 'tag' : 'branch',
          ...(created ? { master_branch: repo.default_branch, description: repo.description } : {}),
          pusher_type: 'user',
        },
      });
    }
    return events;
  }

  /** Commits the push brought; for a new branch or tag those that no other recorded ref has. */
  async #pushedCommits(repo: Repository, { ref, before, after }: RefUpdate, signal: AbortSignal): Promise<Commit[]> {
    const { git, repos } = this.#deps;
    const known = [...this.#known(repo.id)].filter(([name]) => name !== ref).map(([, sha]) => sha);
    const exclude = before !== zeroSha ? [`^${before}`] : [...new Set(known)].slice(0, 1000).map((sha) => `^${sha}`);
    const args = ['--reverse', `--max-count=${payloadCommits}`, after, ...exclude];
    return listCommits(git, repos.gitDir(repo), { args, withFiles: true }, signal);
  }

  async #isAncestor(repo: Repository, { before, after }: RefUpdate, signal: AbortSignal): Promise<boolean> {
    const { git, repos } = this.#deps;
    const call = { repository: repos.gitDir(repo), okCodes: [0, 1, 128] };
    return (await git.run(['merge-base', '--is-ancestor', before, after], call, signal)).code === 0;
  }

  #pushPayload(
    repo: Repository,
    push: { update: RefUpdate; head: Commit | undefined; commits: Commit[]; forced: boolean; account: Account },
  ): JsonObject {
    const { links } = this.#deps;
    const { update, head, commits, forced, account } = push;
    const { ref, before, after } = update;
    return {
      ref,
      before,
      after,
      base_ref: null,
      created: before === zeroSha,
      deleted: after === zeroSha,
      forced,
      compare: links.html(`${fullName(repo)}/compare/${before.slice(0, 12)}...${after.slice(0, 12)}`),
      commits: ref.startsWith('refs/heads/') ? commits.map((commit) => pushedCommitView(links, repo, commit)) : [],
      head_commit: head ? pushedCommitView(links, repo, head) : null,
      pusher: { name: account.login, email: account.email },
    };
  }
}

/** Branches and tags that differ, deletions first. */
export function diffRefs(known: Map<string, string>, current: Map<string, string>): RefUpdate[] {
  const updates: RefUpdate[] = [];
  for (const [ref, before] of known) if (!current.has(ref)) updates.push({ ref, before, after: zeroSha });
  for (const [ref, after] of current) {
    const before = known.get(ref) ?? zeroSha;
    if (before !== after) updates.push({ ref, before, after });
  }
  return updates;
}
