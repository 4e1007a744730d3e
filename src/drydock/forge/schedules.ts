import { Cron } from 'croner';
import type { Clock } from '#base/clock.ts';
import { messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import type { Accounts } from './accounts.ts';
import type { Database } from './database.ts';
import type { EventOutbox } from './events.ts';
import type { Repositories, Repository } from './repositories.ts';
import type { WorkflowFiles } from './workflow-files.ts';

interface SchedulesDeps {
  db: Database;
  clock: Clock;
  logger: Logger;
  accounts: Accounts;
  repos: Repositories;
  events: EventOutbox;
  files: WorkflowFiles;
}

/** Node's timers hold no more than 2^31 ms; a later time is looked at again. */
const longestTimerMs = 24 * 3600 * 1000;

/** Starts workflows of default branches at the times their `schedule` says, in UTC. Times missed while stopped are left out. */
export class Schedules implements Disposable {
  readonly #deps: SchedulesDeps;
  readonly #timers = new Map<number, NodeJS.Timeout[]>();
  #closed = false;

  constructor(deps: SchedulesDeps) {
    this.#deps = deps;
  }

  async start(signal: AbortSignal): Promise<void> {
    for (const repo of this.#deps.repos.all()) await this.refresh(repo, signal);
  }

  /** Reads the schedules of the default branch anew. */
  async refresh(repo: Repository, signal: AbortSignal): Promise<void> {
    const files = await this.#deps.files.list(repo, `refs/heads/${repo.default_branch}`, signal);
    this.#clear(repo.id);
    if (this.#closed) return;
    for (const file of files) {
      if (file.kind !== 'workflow') continue;
      for (const { cron } of file.workflow.schedules) this.#arm(repo, { path: file.workflow.path, cron });
    }
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    for (const repoId of this.#timers.keys()) this.#clear(repoId);
  }

  #clear(repoId: number): void {
    for (const timer of this.#timers.get(repoId) ?? []) clearTimeout(timer);
    this.#timers.delete(repoId);
  }

  #arm(repo: Repository, at: { path: string; cron: string }): void {
    const { clock, logger } = this.#deps;
    let due: number | undefined;
    try {
      due = new Cron(at.cron, { paused: true, timezone: 'UTC' }).nextRun(new Date(clock.now()))?.getTime();
    } catch (error) {
      logger.warn({ workflow: at.path, cron: at.cron }, `the schedule cannot be read: ${messageOf(error)}`);
    }
    if (due === undefined) return;
    const fireAt = due;
    const wait = () => {
      const timers = (this.#timers.get(repo.id) ?? []).filter((timer) => timer !== current);
      const restMs = fireAt - clock.now();
      if (restMs <= 0) {
        this.#timers.set(repo.id, timers);
        this.#fire(repo, at);
        this.#arm(repo, at);
        return;
      }
      current = setTimeout(wait, Math.min(restMs, longestTimerMs));
      this.#timers.set(repo.id, [...timers, current]);
    };
    let current: NodeJS.Timeout | undefined;
    wait();
  }

  #fire(repo: Repository, { path, cron }: { path: string; cron: string }): void {
    const { db, accounts, events } = this.#deps;
    const actor = accounts.bot();
    db.transaction(() => {
      events.append({
        repo,
        name: 'schedule',
        actor,
        byJob: false,
        payload: { schedule: cron, workflow: path },
        detail: { workflowPath: path },
      });
    });
  }
}
