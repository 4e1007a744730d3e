import type { Clock } from '#base/clock.ts';
import { AppError, explain, isAppError } from '#base/errors.ts';
import { getPath, isObject } from '#base/json.ts';
import type { Logger } from '#base/log.ts';
import type { Outcome } from '#base/outcome.ts';
import { WorkQueue } from '#base/work-queue.ts';
import { evaluate, evaluateCondition, evaluateText, isTruthy, type Scope, type Value } from '../actions/expression.ts';
import { expandMatrix, type MatrixCell, matrixSuffix } from '../actions/matrix.ts';
import { literalString, member } from '../actions/template.ts';
import type { JobDefinition, Workflow } from '../actions/workflow.ts';
import type { Accounts } from './accounts.ts';
import type { Database } from './database.ts';
import { fromColumn } from './database.ts';
import { githubContext } from './job-contexts.ts';
import type { JobExecutor } from './job-executor.ts';
import type { Links } from './links.ts';
import type { Repositories, Repository } from './repositories.ts';
import {
  detailOf,
  failsFast,
  freeSlots,
  type JobStanding,
  type NeedsView,
  needsOf,
  runConclusion,
  standingOf,
} from './run-plan.ts';
import type { JobRow, NewJob, RunConclusion, RunDetail, RunRow, RunStore } from './run-store.ts';
import { reviewersOf, type Settings } from './settings.ts';
import { strategyContext } from './strategy-context.ts';
import type { WorkflowFiles } from './workflow-files.ts';

/** Finished runs kept in each repository. */
const keptRuns = 1000;

interface SchedulerDeps {
  db: Database;
  clock: Clock;
  logger: Logger;
  accounts: Accounts;
  repos: Repositories;
  runs: RunStore;
  files: WorkflowFiles;
  settings: Settings;
  links: Links;
  executor: JobExecutor;
  /** Announces a change of a run or job as webhook events; called inside the transaction that makes it. */
  announce: (run: RunRow, job: JobRow | undefined) => void;
}

/** Brings runs forward: decides which jobs exist, wait, start or are done. Level-based; works on one run at a time each. */
export class Scheduler {
  readonly #deps: SchedulerDeps;
  readonly #queue: WorkQueue;

  constructor(deps: SchedulerDeps) {
    this.#deps = deps;
    this.#queue = new WorkQueue({
      name: 'workflow-runs',
      clock: deps.clock,
      logger: deps.logger,
      concurrency: 8,
      tick: (name, signal) => this.#tick(Number(name), signal),
    });
  }

  wake(runId: number): void {
    this.#queue.add(String(runId));
  }

  wakeAll(): void {
    for (const run of this.#deps.runs.openRuns()) this.wake(run.id);
  }

  /** A job ended: its own run goes on, and so may others of the repository that waited for it. */
  jobDone(runId: number): void {
    const { runs } = this.#deps;
    const repoId = runs.findRun(runId)?.repo_id;
    for (const run of runs.openRuns()) if (run.id === runId || run.repo_id === repoId) this.wake(run.id);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#queue[Symbol.asyncDispose]();
  }

  async #tick(runId: number, signal: AbortSignal): Promise<Outcome> {
    const { runs, repos, files } = this.#deps;
    const run = runs.findRun(runId);
    if (!run || run.status === 'completed') return { kind: 'done' };
    const repo = repos.byId(run.repo_id);
    const parsed = await files.get(repo, { sha: run.workflow_sha, path: run.path }, signal);
    if (parsed === undefined) return this.#fail(run, `${run.path} does not exist at ${run.workflow_sha}`);
    if (parsed.kind === 'invalid') return this.#fail(run, `Invalid workflow file\n${parsed.message}`);
    try {
      return this.#advance(run, repo, parsed.workflow);
    } catch (error) {
      if (isAppError(error)) return this.#fail(run, explain(error));
      throw error;
    }
  }

  #advance(run: RunRow, repo: Repository, workflow: Workflow): Outcome {
    if (this.#isHeldBack(run, repo, workflow)) return { kind: 'done' };
    const view = new RunView(this.#deps, run, repo, workflow);
    if (workflow.runName !== undefined && run.status === 'queued' && run.attempt === 1) {
      const title = evaluateText(workflow.runName, view.scope())?.trim();
      if (title) this.#deps.runs.updateRun(run.id, { title });
    }
    let recheckAfterMs: number | undefined;
    // Each pass can complete jobs at once (skipped ones), which makes others ready.
    for (let pass = 0; pass <= workflow.jobs.length; pass += 1) {
      const standings = view.standings();
      const created = workflow.jobs.filter((job) => this.#create(view, job, standings));
      if (run.cancel_requested) this.#cancelOpen(view);
      if (created.length === 0) break;
    }
    for (const standing of view.standings().values()) {
      if (failsFast(standing)) this.#cancelRows(standing.rows);
      const wait = this.#release(view, standing);
      if (wait !== undefined) recheckAfterMs = Math.min(wait, recheckAfterMs ?? wait);
    }
    this.#summarize(view);
    return recheckAfterMs === undefined ? { kind: 'done' } : { kind: 'done', recheckAfterMs };
  }

  /** Applies the workflow's concurrency group; true while another run of the group must end first. */
  #isHeldBack(run: RunRow, repo: Repository, workflow: Workflow): boolean {
    const { runs } = this.#deps;
    if (workflow.concurrency === undefined) return false;
    const scope = new RunView(this.#deps, run, repo, workflow).scope();
    const value = evaluate(workflow.concurrency, scope);
    const group = typeof value === 'string' ? value : String(getPath(value, 'group') ?? '');
    if (group === '') return false;
    if (run.concurrency_group !== group) runs.updateRun(run.id, { concurrency_group: group });
    const others = runs.openRunsInGroup(repo.id, group).filter((other) => other.id !== run.id);
    const active = others.filter((other) => other.status !== 'pending' && other.id < run.id);
    for (const older of others.filter((other) => other.status === 'pending' && other.id < run.id))
      this.#requestCancel(older);
    const cancelsRunning = isObject(value) && isTruthy(value['cancel-in-progress'] ?? false);
    if (cancelsRunning) for (const older of active) this.#requestCancel(older);
    if (active.length === 0 || run.cancel_requested) return false;
    if (run.status !== 'pending') this.#change(run, { status: 'pending' });
    return true;
  }

  #requestCancel(run: RunRow): void {
    this.#deps.runs.updateRun(run.id, { cancel_requested: 1 });
    this.wake(run.id);
  }

  /** Creates the rows of a job whose needs are complete; false when there is nothing to create. */
  #create(view: RunView, definition: JobDefinition, standings: Map<string, JobStanding>): boolean {
    if ((standings.get(definition.id)?.rows.length ?? 0) > 0) return false;
    const canceled = view.run.cancel_requested === 1;
    const needs = needsOf(definition, standings, { jobs: view.workflow.jobs, canceled });
    if (!needs) return false;
    const { db } = this.#deps;
    db.transaction(() => {
      for (const job of this.#newJobs(view, definition, needs)) {
        const row = this.#deps.runs.createJob(view.run, job);
        this.#deps.announce(view.run, row);
      }
    });
    return true;
  }

  #newJobs(view: RunView, definition: JobDefinition, needs: NeedsView): NewJob[] {
    const detail = { index: 0, total: 1, failFast: true, maxParallel: 256, continueOnError: false };
    const base = { key: definition.id, name: definition.id, cell: {}, detail, environment: undefined };
    try {
      const scope = view.scope(needs);
      const name = () => evaluateText(definition.name, scope) ?? definition.id;
      if (!evaluateCondition(definition.if, scope)) {
        return [
          { ...base, name: definition.strategy ? definition.id : name(), status: 'completed', conclusion: 'skipped' },
        ];
      }
      if (definition.uses !== undefined) {
        throw new AppError(
          'unsupported',
          `job ${definition.id} calls the reusable workflow ${definition.uses}, which this forge does not run`,
          {
            hint: 'copy the jobs into the workflow',
          },
        );
      }
      const cells = expandMatrix(evaluateMember(definition.strategy, 'matrix', scope));
      const failFast = evaluateMember(definition.strategy, 'fail-fast', scope) ?? true;
      const maxParallel = Number(evaluateMember(definition.strategy, 'max-parallel', scope) ?? cells.length);
      return cells.map((cell, index) =>
        this.#newJob(view, definition, {
          cell,
          needs,
          detail: {
            index,
            total: cells.length,
            failFast: isTruthy(failFast),
            maxParallel: Math.max(1, maxParallel),
            continueOnError: false,
          },
        }),
      );
    } catch (error) {
      if (!isAppError(error)) throw error;
      return [{ ...base, status: 'completed', conclusion: 'failure', message: explain(error) }];
    }
  }

  #newJob(
    view: RunView,
    definition: JobDefinition,
    made: { cell: MatrixCell; needs: NeedsView; detail: NewJob['detail'] },
  ): NewJob {
    const { cell, needs, detail } = made;
    const scope = view.scope(needs, cell, detail);
    const named = evaluateText(definition.name, scope);
    const environment = environmentName(definition, scope);
    if (environment !== undefined) this.#deps.settings.ensureEnvironment(view.repo, environment);
    const continueOnError =
      definition.continueOnError === undefined ? false : isTruthy(evaluate(definition.continueOnError, scope));
    return {
      key: definition.id,
      name:
        definition.name !== undefined && definition.name.kind !== 'literal' && named
          ? named
          : `${named ?? definition.id}${matrixSuffix(cell)}`,
      cell,
      detail: { ...detail, continueOnError, ...concurrencyOf(definition, scope) },
      environment,
      status: 'waiting',
    };
  }

  /** Queues waiting jobs that nothing holds back; answers after how long a timed wait ends. */
  #release(view: RunView, standing: JobStanding): number | undefined {
    const { runs, executor } = this.#deps;
    let slots = freeSlots(standing);
    let waitMs: number | undefined;
    for (const row of standing.rows.filter((job) => job.status === 'waiting')) {
      const hold = this.#environmentHold(view, row);
      if (hold.kind === 'rejected') {
        this.#completeJob(row, 'failure', hold.message);
        this.wake(view.run.id);
      } else if (hold.kind === 'open' && this.#groupIsBusy(view, row)) continue;
      else if (hold.kind === 'until') waitMs = Math.min(hold.ms, waitMs ?? hold.ms);
      else if (hold.kind === 'open' && slots > 0) {
        slots -= 1;
        runs.updateJob(row.id, { status: 'queued' });
        this.#deps.announce(view.run, runs.job(row.id));
      }
    }
    for (const row of view.rows(standing.id)) if (row.status === 'queued') executor.start(row.id);
    return waitMs;
  }

  /** Applies the concurrency group of a job; the newest waiting job of a group takes the place of older waiting ones. */
  #groupIsBusy(view: RunView, job: JobRow): boolean {
    const { runs, executor } = this.#deps;
    const { concurrency } = detailOf(job);
    if (!concurrency) return false;
    const others = runs.openJobsInGroup(view.repo.id, concurrency.group).filter((other) => other.id !== job.id);
    for (const older of others.filter((other) => other.status === 'waiting' && other.id < job.id)) {
      const message = `canceled: a newer job waits for the concurrency group ${concurrency.group}`;
      this.#completeJob(older, 'cancelled', message);
      this.wake(older.run_id);
    }
    const active = others.filter((other) => other.status === 'in_progress' || other.status === 'queued');
    if (concurrency.cancelInProgress) for (const other of active) executor.cancel(other.id);
    return active.length > 0 || others.some((other) => other.id > job.id);
  }

  #environmentHold(view: RunView, job: JobRow): Hold {
    const { settings, runs, clock, accounts } = this.#deps;
    if (job.environment === null) return { kind: 'open' };
    const environment = settings.ensureEnvironment(view.repo, job.environment);
    const approvals = runs
      .approvals(view.run.id)
      .filter((approval) => approval.run_attempt === view.run.attempt && approval.environment_id === environment.id);
    const rejected = approvals.find((approval) => approval.state === 'rejected');
    if (rejected) {
      const who = accounts.byId(rejected.user_id).login;
      return {
        kind: 'rejected',
        message: `${who} rejected the deployment to ${environment.name}: ${rejected.comment}`,
      };
    }
    if (reviewersOf(environment).length > 0 && approvals.length === 0) return { kind: 'review' };
    const remaining = job.created_at + environment.wait_minutes * 60_000 - clock.now();
    return remaining > 0 ? { kind: 'until', ms: remaining } : { kind: 'open' };
  }

  #cancelOpen(view: RunView): void {
    this.#cancelRows(view.jobs());
  }

  #cancelRows(rows: JobRow[]): void {
    for (const row of rows) {
      if (row.status === 'in_progress') this.#deps.executor.cancel(row.id);
      else if (row.status !== 'completed' && !(row.status === 'queued' && this.#deps.executor.isStarting(row.id))) {
        this.#completeJob(row, 'cancelled', null);
      }
    }
  }

  #completeJob(row: JobRow, conclusion: RunConclusion, message: string | null): void {
    const { db, runs, clock } = this.#deps;
    db.transaction(() => {
      const done = runs.updateJob(row.id, { status: 'completed', conclusion, message, completed_at: clock.now() });
      this.#deps.announce(runs.run(row.run_id), done);
    });
  }

  /** Sets the run's own status from those of its jobs. */
  #summarize(view: RunView): void {
    const standings = view.workflow.jobs.map((job) => standingOf(job, view.jobs()));
    const rows = standings.flatMap((standing) => standing.rows);
    if (standings.every((standing) => standing.complete)) {
      const conclusion = runConclusion(standings, view.run.cancel_requested === 1);
      this.#complete(view.run, conclusion, null);
      return;
    }
    const started = rows.some((row) => row.status === 'in_progress' || row.status === 'completed');
    const queued = rows.some((row) => row.status === 'queued');
    const active = rows.some((row) => row.status === 'in_progress');
    const waits = rows.some((row) => row.status === 'waiting') && !active && !queued;
    const status = waits ? 'waiting' : active || started ? 'in_progress' : 'queued';
    const current = this.#deps.runs.run(view.run.id);
    if (current.status !== status) this.#change(current, { status });
  }

  #fail(run: RunRow, message: string): Outcome {
    for (const job of this.#deps.runs.jobs(run.id, run.attempt))
      if (job.status === 'in_progress') this.#deps.executor.cancel(job.id);
    this.#complete(run, 'failure', message);
    return { kind: 'done' };
  }

  #complete(run: RunRow, conclusion: RunConclusion, message: string | null): void {
    this.#change(run, { status: 'completed', conclusion, message });
    const pruned = this.#deps.runs.prune(run.repo_id, keptRuns);
    if (pruned.length > 0) void this.#deps.executor.removeFiles(run.repo_id, pruned);
    const group = run.concurrency_group ?? this.#deps.runs.run(run.id).concurrency_group;
    if (group !== null) for (const other of this.#deps.runs.openRunsInGroup(run.repo_id, group)) this.wake(other.id);
  }

  #change(run: RunRow, change: Parameters<RunStore['updateRun']>[1]): void {
    this.#deps.db.transaction(() => {
      this.#deps.announce(this.#deps.runs.updateRun(run.id, change), undefined);
    });
  }
}

type Hold =
  | { kind: 'open' }
  | { kind: 'review' }
  | { kind: 'until'; ms: number }
  | { kind: 'rejected'; message: string };

function evaluateMember(template: JobDefinition['strategy'], key: string, scope: Scope): Value | undefined {
  if (template === undefined) return undefined;
  const direct = member(template, key);
  if (direct !== undefined) return evaluate(direct, scope);
  return template.kind === 'expression' ? (getPath(evaluate(template, scope), key) as Value | undefined) : undefined;
}

function concurrencyOf(definition: JobDefinition, scope: Scope): Pick<NewJob['detail'], 'concurrency'> {
  if (definition.concurrency === undefined) return {};
  const value = evaluate(definition.concurrency, scope);
  const group = typeof value === 'string' ? value : String(getPath(value, 'group') ?? '');
  const cancelInProgress = isObject(value) && isTruthy(value['cancel-in-progress'] ?? false);
  return group === '' ? {} : { concurrency: { group, cancelInProgress } };
}

function environmentName(definition: JobDefinition, scope: Scope): string | undefined {
  const { environment } = definition;
  if (environment === undefined) return undefined;
  const name = member(environment, 'name');
  const text =
    name === undefined ? (literalString(environment) ?? evaluateText(environment, scope)) : evaluateText(name, scope);
  return text === '' ? undefined : text;
}

/** One run with its workflow, and the scopes its expressions are evaluated in. */
class RunView {
  readonly run: RunRow;
  readonly repo: Repository;
  readonly workflow: Workflow;
  readonly #deps: SchedulerDeps;

  constructor(deps: SchedulerDeps, run: RunRow, repo: Repository, workflow: Workflow) {
    this.#deps = deps;
    this.run = run;
    this.repo = repo;
    this.workflow = workflow;
  }

  jobs(): JobRow[] {
    return this.#deps.runs.jobs(this.run.id, this.run.attempt);
  }

  rows(key: string): JobRow[] {
    return this.jobs().filter((job) => job.job_key === key);
  }

  standings(): Map<string, JobStanding> {
    const jobs = this.jobs();
    return new Map(this.workflow.jobs.map((job) => [job.id, standingOf(job, jobs)]));
  }

  scope(
    needs?: NeedsView,
    cell: MatrixCell = {},
    detail?: { index: number; total: number; failFast: boolean; maxParallel: number },
  ): Scope {
    const { accounts, links, settings } = this.#deps;
    const { run, repo } = this;
    const actor = accounts.byId(run.actor_id);
    const triggeringActor = accounts.byId(run.triggering_actor_id);
    return {
      contexts: {
        github: githubContext(links, { run, repo, actor, triggeringActor }),
        inputs: fromColumn<RunDetail>(run.detail_json).inputs,
        vars: settings.valuesFor('variable', repo, undefined),
        needs: needs?.context ?? {},
        matrix: cell,
        strategy: strategyContext(detail),
      },
      status: needs?.status ?? { success: true, failure: false, canceled: false },
    };
  }
}
