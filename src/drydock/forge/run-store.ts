import type { Clock } from '#base/clock.ts';
import { AppError } from '#base/errors.ts';
import type { Annotation, StepState } from '../actions/job.ts';
import type { MatrixCell } from '../actions/matrix.ts';
import { type Database, fromColumn } from './database.ts';
import type { Repository } from './repositories.ts';

export type RunStatus = 'queued' | 'pending' | 'waiting' | 'in_progress' | 'completed';
export type RunConclusion = 'success' | 'failure' | 'cancelled' | 'skipped';
export type JobStatus = 'queued' | 'waiting' | 'in_progress' | 'completed';

export interface RunRow {
  id: number;
  repo_id: number;
  workflow_id: number;
  run_number: number;
  attempt: number;
  name: string;
  title: string;
  path: string;
  event: string;
  ref: string;
  sha: string;
  /** Commit the workflow file is read from. */
  workflow_sha: string;
  actor_id: number;
  triggering_actor_id: number;
  status: RunStatus;
  conclusion: RunConclusion | null;
  message: string | null;
  payload_json: string;
  detail_json: string;
  concurrency_group: string | null;
  cancel_requested: number;
  created_at: number;
  started_at: number;
  updated_at: number;
}

export interface RunDetail {
  headBranch: string;
  baseRef: string;
  headRef: string;
  inputs: Record<string, string | number | boolean>;
}

export interface JobRow {
  id: number;
  run_id: number;
  run_attempt: number;
  job_key: string;
  name: string;
  cell_json: string;
  status: JobStatus;
  conclusion: RunConclusion | null;
  message: string | null;
  environment: string | null;
  environment_url: string | null;
  outputs_json: string;
  steps_json: string;
  annotations_json: string;
  summary: string;
  detail_json: string;
  created_at: number;
  started_at: number | null;
  completed_at: number | null;
}

/** What the scheduler keeps of a job between its ticks. */
export interface JobDetail {
  index: number;
  total: number;
  failFast: boolean;
  maxParallel: number;
  continueOnError: boolean;
  /** Jobs of one group in a repository run one at a time. */
  concurrency?: { group: string; cancelInProgress: boolean };
}

export interface WorkflowRow {
  id: number;
  repo_id: number;
  path: string;
  name: string;
  state: string;
  last_run_number: number;
  created_at: number;
  updated_at: number;
}

export interface ApprovalRow {
  id: number;
  run_id: number;
  run_attempt: number;
  environment_id: number;
  user_id: number;
  state: 'approved' | 'rejected';
  comment: string;
  created_at: number;
}

export type NewRun = Pick<
  RunRow,
  'name' | 'title' | 'path' | 'event' | 'ref' | 'sha' | 'workflow_sha' | 'actor_id' | 'payload_json'
> & { detail: RunDetail };

export interface NewJob {
  key: string;
  name: string;
  cell: MatrixCell;
  detail: JobDetail;
  environment: string | undefined;
  status: JobStatus;
  conclusion?: RunConclusion;
  message?: string;
}

/** Rows of workflows, runs, jobs and approvals. */
export class RunStore {
  readonly #db: Database;
  readonly #clock: Clock;

  constructor(db: Database, clock: Clock) {
    this.#db = db;
    this.#clock = clock;
  }

  putWorkflow(repo: Repository, path: string, name: string): WorkflowRow {
    const now = this.#clock.now();
    this.#db.run(
      `INSERT INTO workflows (repo_id, path, name, state, created_at, updated_at) VALUES (?, ?, ?, 'active', ?, ?)
       ON CONFLICT (repo_id, path) DO UPDATE SET name = excluded.name`,
      repo.id,
      path,
      name,
      now,
      now,
    );
    const row = this.#db.get<WorkflowRow>('SELECT * FROM workflows WHERE repo_id = ? AND path = ?', repo.id, path);
    if (!row) throw new AppError('not-found', `no workflow ${path}`);
    return row;
  }

  workflows(repo: Repository): WorkflowRow[] {
    return this.#db.all<WorkflowRow>('SELECT * FROM workflows WHERE repo_id = ? ORDER BY id', repo.id);
  }

  createRun(repo: Repository, run: NewRun): RunRow {
    const now = this.#clock.now();
    const workflow = this.putWorkflow(repo, run.path, run.name);
    this.#db.run('UPDATE workflows SET last_run_number = last_run_number + 1 WHERE id = ?', workflow.id);
    const { id } = this.#db.run(
      `INSERT INTO runs (repo_id, workflow_id, run_number, attempt, name, title, path, event, ref, sha, workflow_sha, actor_id,
       triggering_actor_id, status, payload_json, detail_json, created_at, started_at, updated_at)
       VALUES (?, ?, ?, 1, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'queued', ?, ?, ?, ?, ?)`,
      repo.id,
      workflow.id,
      workflow.last_run_number + 1,
      run.name,
      run.title,
      run.path,
      run.event,
      run.ref,
      run.sha,
      run.workflow_sha,
      run.actor_id,
      run.actor_id,
      run.payload_json,
      JSON.stringify(run.detail),
      now,
      now,
      now,
    );
    return this.run(id);
  }

  run(id: number): RunRow {
    const found = this.findRun(id);
    if (!found) throw new AppError('not-found', `no workflow run ${id}`);
    return found;
  }

  findRun(id: number): RunRow | undefined {
    return this.#db.get<RunRow>('SELECT * FROM runs WHERE id = ?', id);
  }

  runsOf(repo: Repository): RunRow[] {
    return this.#db.all<RunRow>('SELECT * FROM runs WHERE repo_id = ? ORDER BY id DESC', repo.id);
  }

  openRuns(): RunRow[] {
    return this.#db.all<RunRow>("SELECT * FROM runs WHERE status <> 'completed' ORDER BY id");
  }

  openRunsInGroup(repoId: number, group: string): RunRow[] {
    const sql = `SELECT * FROM runs WHERE status <> 'completed' AND repo_id = ? AND concurrency_group = ? ORDER BY id`;
    return this.#db.all<RunRow>(sql, repoId, group);
  }

  updateRun(
    id: number,
    change: Partial<
      Pick<
        RunRow,
        | 'status'
        | 'conclusion'
        | 'message'
        | 'attempt'
        | 'title'
        | 'concurrency_group'
        | 'cancel_requested'
        | 'started_at'
        | 'triggering_actor_id'
      >
    >,
  ): RunRow {
    this.#update('runs', id, { ...change, updated_at: this.#clock.now() });
    return this.run(id);
  }

  createJob(run: RunRow, job: NewJob): JobRow {
    const now = this.#clock.now();
    const { id } = this.#db.run(
      `INSERT INTO jobs (run_id, run_attempt, job_key, name, cell_json, status, conclusion, message, environment, detail_json,
       created_at, completed_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      run.id,
      run.attempt,
      job.key,
      job.name,
      JSON.stringify(job.cell),
      job.status,
      job.conclusion ?? null,
      job.message ?? null,
      job.environment ?? null,
      JSON.stringify(job.detail),
      now,
      job.status === 'completed' ? now : null,
    );
    return this.job(id);
  }

  job(id: number): JobRow {
    const found = this.#db.get<JobRow>('SELECT * FROM jobs WHERE id = ?', id);
    if (!found) throw new AppError('not-found', `no job ${id}`);
    return found;
  }

  jobs(runId: number, attempt: number): JobRow[] {
    return this.#db.all<JobRow>('SELECT * FROM jobs WHERE run_id = ? AND run_attempt = ? ORDER BY id', runId, attempt);
  }

  /** Unfinished jobs of the repository in the concurrency group. */
  openJobsInGroup(repoId: number, group: string): JobRow[] {
    return this.#db.all<JobRow>(
      `SELECT j.* FROM jobs j JOIN runs r ON r.id = j.run_id WHERE r.repo_id = ? AND r.attempt = j.run_attempt
       AND j.status <> 'completed' AND json_extract(j.detail_json, '$.concurrency.group') = ? ORDER BY j.id`,
      repoId,
      group,
    );
  }

  /** Removes all but the newest `keep` finished runs of the repository, and answers the ids of those removed. */
  prune(repoId: number, keep: number): number[] {
    const old = this.#db.all<{ id: number }>(
      "SELECT id FROM runs WHERE repo_id = ? AND status = 'completed' ORDER BY id DESC LIMIT -1 OFFSET ?",
      repoId,
      keep,
    );
    this.#db.transaction(() => {
      for (const { id } of old) {
        for (const table of ['approvals', 'jobs']) this.#db.run(`DELETE FROM ${table} WHERE run_id = ?`, id);
        this.#db.run('DELETE FROM runs WHERE id = ?', id);
      }
    });
    return old.map((row) => row.id);
  }

  allJobs(runId: number): JobRow[] {
    return this.#db.all<JobRow>('SELECT * FROM jobs WHERE run_id = ? ORDER BY id', runId);
  }

  runningJobs(): JobRow[] {
    return this.#db.all<JobRow>("SELECT * FROM jobs WHERE status = 'in_progress'");
  }

  updateJob(id: number, change: Partial<Omit<JobRow, 'id' | 'run_id' | 'run_attempt' | 'job_key'>>): JobRow {
    this.#update('jobs', id, change);
    return this.job(id);
  }

  /** Begins a new attempt of the run; jobs that `keep` accepts stand in it with the results they have. */
  newAttempt(run: RunRow, actorId: number, keep: (job: JobRow) => boolean): RunRow {
    return this.#db.transaction(() => {
      const now = this.#clock.now();
      const kept = this.jobs(run.id, run.attempt).filter(keep);
      const next = this.updateRun(run.id, {
        attempt: run.attempt + 1,
        status: 'queued',
        conclusion: null,
        message: null,
        cancel_requested: 0,
        started_at: now,
        triggering_actor_id: actorId,
      });
      for (const job of kept) {
        this.#db.run(
          `INSERT INTO jobs (run_id, run_attempt, job_key, name, cell_json, status, conclusion, message, environment,
           environment_url, outputs_json, steps_json, annotations_json, summary, detail_json, created_at, started_at, completed_at)
           SELECT run_id, ?, job_key, name, cell_json, status, conclusion, message, environment, environment_url, outputs_json,
           steps_json, annotations_json, summary, json_set(detail_json, '$.copyOf', id), created_at, started_at, completed_at
           FROM jobs WHERE id = ?`,
          next.attempt,
          job.id,
        );
      }
      return next;
    });
  }

  approve(run: RunRow, approval: Pick<ApprovalRow, 'environment_id' | 'user_id' | 'state' | 'comment'>): void {
    this.#db.run(
      `INSERT INTO approvals (run_id, run_attempt, environment_id, user_id, state, comment, created_at)
       VALUES (?, ?, ?, ?, ?, ?, ?)`,
      run.id,
      run.attempt,
      approval.environment_id,
      approval.user_id,
      approval.state,
      approval.comment,
      this.#clock.now(),
    );
  }

  approvals(runId: number): ApprovalRow[] {
    return this.#db.all<ApprovalRow>('SELECT * FROM approvals WHERE run_id = ? ORDER BY id', runId);
  }

  /** A run that starts over because the runner was stopped keeps the approvals it has. */
  carryApprovals(run: RunRow, fromAttempt: number): void {
    this.#db.run(
      'UPDATE approvals SET run_attempt = ? WHERE run_id = ? AND run_attempt = ?',
      run.attempt,
      run.id,
      fromAttempt,
    );
  }

  #update(table: 'runs' | 'jobs', id: number, change: Record<string, string | number | null>): void {
    const entries = Object.entries(change);
    if (entries.length === 0) return;
    const columns = entries.map(([name]) => `${name} = ?`).join(', ');
    this.#db.run(`UPDATE ${table} SET ${columns} WHERE id = ?`, ...entries.map(([, value]) => value), id);
  }
}

export function stepsOf(job: JobRow): StepState[] {
  return fromColumn<StepState[]>(job.steps_json);
}

export function annotationsOf(job: JobRow): Annotation[] {
  return fromColumn<Annotation[]>(job.annotations_json);
}
