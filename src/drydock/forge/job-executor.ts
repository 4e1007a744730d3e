import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '#base/clock.ts';
import { AppError, explain, messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import type { Builtins } from '../actions/action.ts';
import type { Value } from '../actions/expression.ts';
import { defaultJobLimits, type JobLimits, type JobResult, type JobSpec } from '../actions/job.ts';
import { runJob } from '../actions/job-run.ts';
import type { JobDefinition, Workflow } from '../actions/workflow.ts';
import type { Accounts, Permissions } from './accounts.ts';
import { type Database, fromColumn } from './database.ts';
import { githubContext, githubEnv, idTokenClaims, type RunSubject } from './job-contexts.ts';
import { jobPermissions } from './job-permissions.ts';
import type { Links } from './links.ts';
import type { OidcIssuer } from './oidc.ts';
import type { Repositories } from './repositories.ts';
import { detailOf, needsOf, standingOf } from './run-plan.ts';
import type { JobRow, RunDetail, RunRow, RunStore } from './run-store.ts';
import type { Settings } from './settings.ts';
import { strategyContext } from './strategy-context.ts';
import { fullName } from './views.ts';
import type { WorkflowFiles } from './workflow-files.ts';

export interface RunnerOptions {
  /** Workspaces of running jobs, caches and artifacts. */
  workDir: string;
  /** The clean environment of every step; must have PATH. */
  env: Record<string, string>;
  builtins: Builtins;
  /** Jobs that run at once. */
  concurrency: number;
  /** Directories put before PATH. */
  extraPath: string[];
  limits?: Partial<JobLimits>;
}

interface ExecutorDeps {
  db: Database;
  clock: Clock;
  logger: Logger;
  accounts: Accounts;
  repos: Repositories;
  runs: RunStore;
  files: WorkflowFiles;
  settings: Settings;
  links: Links;
  oidc: OidcIssuer;
  logDir: string;
  options: RunnerOptions;
  announce: (run: RunRow, job: JobRow | undefined) => void;
}

/** Marks the processes of a job, so that those a killed forge left behind can be found. */
const trackingVariable = 'RUNNER_TRACKING_ID';

/** Runs queued jobs as local processes, a limited number at once, and records how they went. */
export class JobExecutor implements AsyncDisposable {
  readonly #deps: ExecutorDeps;
  readonly #queue: number[] = [];
  readonly #running = new Map<number, { cancel: AbortController; done: Promise<void> }>();
  readonly #stop = new AbortController();
  /** Called when a job ended or its slot became free. */
  onDone: (runId: number) => void = () => {};

  constructor(deps: ExecutorDeps) {
    this.#deps = deps;
  }

  start(jobId: number): void {
    if (this.#stop.signal.aborted || this.#running.has(jobId) || this.#queue.includes(jobId)) return;
    this.#queue.push(jobId);
    this.#pump();
  }

  isStarting(jobId: number): boolean {
    return this.#running.has(jobId);
  }

  cancel(jobId: number): void {
    const at = this.#queue.indexOf(jobId);
    if (at >= 0) this.#queue.splice(at, 1);
    this.#running.get(jobId)?.cancel.abort();
  }

  logFile(job: JobRow): string {
    return join(this.#deps.logDir, String(job.run_id), `${detailOf(job).copyOf ?? job.id}.log`);
  }

  /**
   * Puts jobs that a killed forge left running back to the start, as a new attempt of their run, and ends processes they
   * left behind. Call at start.
   */
  async recover(): Promise<void> {
    const { db, runs, clock, logger } = this.#deps;
    const interrupted = runs.runningJobs();
    if (interrupted.length === 0) return;
    await endLeftovers(interrupted.map((job) => job.id));
    for (const runId of new Set(interrupted.map((job) => job.run_id))) {
      db.transaction(() => {
        const run = runs.run(runId);
        for (const job of interrupted.filter((row) => row.run_id === runId)) {
          const message = 'The forge was stopped while the job ran; it starts again in the next attempt.';
          runs.updateJob(job.id, { status: 'completed', conclusion: 'cancelled', message, completed_at: clock.now() });
          this.#deps.accounts.revokeJobTokens(job.id);
        }
        if (run.status === 'completed') return;
        const lost = new Set(interrupted.map((job) => job.id));
        const next = runs.newAttempt(run, run.triggering_actor_id, (job) => !lost.has(job.id));
        runs.carryApprovals(next, run.attempt);
        logger.warn({ run: runId, attempt: next.attempt }, 'a workflow run was interrupted and starts again');
      });
    }
  }

  /** Removes logs and artifacts of runs that are no longer kept. */
  async removeFiles(repoId: number, runIds: number[]): Promise<void> {
    const { logDir, options, logger } = this.#deps;
    for (const id of runIds.map(String)) {
      const artifacts = join(options.workDir, 'state', String(repoId), 'artifacts', id);
      for (const path of [join(logDir, id), artifacts]) {
        await rm(path, { recursive: true, force: true }).catch((error: unknown) => {
          logger.warn({ path }, `files of an old run could not be removed: ${messageOf(error)}`);
        });
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    this.#queue.length = 0;
    await Promise.allSettled([...this.#running.values()].map((job) => job.done));
  }

  #pump(): void {
    while (this.#running.size < this.#deps.options.concurrency) {
      const jobId = this.#queue.shift();
      if (jobId === undefined) return;
      const cancel = new AbortController();
      const done = this.#run(jobId, cancel.signal).finally(() => {
        this.#running.delete(jobId);
        this.#pump();
        this.onDone(this.#deps.runs.job(jobId).run_id);
      });
      this.#running.set(jobId, { cancel, done });
    }
  }

  async #run(jobId: number, cancel: AbortSignal): Promise<void> {
    const { db, runs, clock, accounts, logger, announce } = this.#deps;
    const queued = runs.job(jobId);
    if (queued.status !== 'queued') return;
    const run = runs.run(queued.run_id);
    const job = db.transaction(() => {
      const started = runs.updateJob(jobId, { status: 'in_progress', started_at: clock.now() });
      const running = run.status === 'in_progress' ? run : runs.updateRun(run.id, { status: 'in_progress' });
      if (running !== run) announce(running, undefined);
      announce(running, started);
      return started;
    });
    let result: JobResult;
    try {
      result = await this.#execute(run, job, cancel);
    } catch (error) {
      logger.warn({ job: jobId }, messageOf(error));
      const failure = { level: 'failure' as const, message: explain(error), path: '.github', line: 1, title: '' };
      result = { conclusion: 'failure', outputs: {}, annotations: [failure], summary: '', environmentUrl: undefined };
    }
    accounts.revokeJobTokens(jobId);
    await endLeftovers([jobId]);
    // Stopping the forge ends jobs; they stay in progress in the database and begin again with the next start.
    if (this.#stop.signal.aborted) return;
    db.transaction(() => {
      const done = runs.updateJob(jobId, {
        status: 'completed',
        conclusion: result.conclusion,
        message: result.annotations.find((annotation) => annotation.level === 'failure')?.message ?? null,
        outputs_json: JSON.stringify(result.outputs),
        annotations_json: JSON.stringify(result.annotations),
        summary: result.summary,
        environment_url: result.environmentUrl ?? null,
        completed_at: clock.now(),
      });
      announce(runs.run(run.id), done);
    });
  }

  async #execute(run: RunRow, job: JobRow, cancel: AbortSignal): Promise<JobResult> {
    const { repos, files, options, clock, runs } = this.#deps;
    const repo = repos.byId(run.repo_id);
    const parsed = await files.get(repo, { sha: run.workflow_sha, path: run.path }, this.#stop.signal);
    const workflow = parsed?.kind === 'workflow' ? parsed.workflow : undefined;
    const definition = workflow?.jobs.find((candidate) => candidate.id === job.job_key);
    if (!workflow || !definition) throw new AppError('not-found', `${run.path} has no job ${job.job_key}`);
    const spec = await this.#spec({ run, job, workflow, definition });
    const env = { ...options.env, PATH: [...options.extraPath, options.env['PATH'] ?? ''].filter(Boolean).join(':') };
    const limits = { ...defaultJobLimits, ...options.limits };
    const tracked = { ...env, [trackingVariable]: tracking(job.id) };
    return runJob(
      { clock, builtins: options.builtins, env: tracked, runnerName: 'drydock', limits },
      { ...spec, onSteps: (steps) => void runs.updateJob(job.id, { steps_json: JSON.stringify(steps) }) },
      { cancel, stop: this.#stop.signal },
    );
  }

  async #spec(made: { run: RunRow; job: JobRow; workflow: Workflow; definition: JobDefinition }): Promise<JobSpec> {
    const { run, job, workflow, definition } = made;
    const { accounts, repos, settings, links, options, oidc, runs } = this.#deps;
    const repo = repos.byId(run.repo_id);
    const subject: RunSubject = {
      run,
      repo,
      actor: accounts.byId(run.actor_id),
      triggeringActor: accounts.byId(run.triggering_actor_id),
    };
    const permissions = jobPermissions(definition.permissions, workflow.permissions);
    const token = accounts.createJobToken({ jobId: job.id, repoId: repo.id, permissions });
    const environment = job.environment === null ? undefined : settings.environment(repo, job.environment);
    const github: Record<string, Value> = { ...githubContext(links, subject), token, job: job.job_key };
    const standings = new Map(
      workflow.jobs.map((other) => [other.id, standingOf(other, runs.jobs(run.id, run.attempt))]),
    );
    const needs = needsOf(definition, standings, { jobs: workflow.jobs, canceled: false });
    const stateDir = join(options.workDir, 'state', String(repo.id));
    await mkdir(stateDir, { recursive: true });
    return {
      workflow,
      job: definition,
      contexts: {
        github,
        vars: settings.valuesFor('variable', repo, environment),
        secrets: { ...settings.valuesFor('secret', repo, environment), GITHUB_TOKEN: token },
        needs: needs?.context ?? {},
        inputs: fromColumn<RunDetail>(run.detail_json).inputs,
        matrix: fromColumn<Record<string, Value>>(job.cell_json),
        strategy: strategyContext(detailOf(job)),
      },
      directory: join(options.workDir, 'jobs', String(job.id)),
      stateDir,
      logFile: this.logFile(job),
      githubEnv: { ...githubEnv(github, job.job_key), ...idTokenEnv(links, permissions, { job, token }) },
      idToken: async (audience) => {
        if (permissions['id-token'] !== 'write') {
          throw new AppError('forbidden', `job ${job.job_key} of ${fullName(repo)} may not have an identity token`, {
            hint: 'add `id-token: write` to the permissions of the job or workflow',
          });
        }
        return oidc.sign(idTokenClaims(subject, job.environment ?? undefined), audience);
      },
      onSteps: () => {},
    };
  }
}

function tracking(jobId: number): string {
  return `drydock_job_${jobId}`;
}

function idTokenEnv(
  links: Links,
  permissions: Permissions,
  { job, token }: { job: JobRow; token: string },
): Record<string, string> {
  if (permissions['id-token'] !== 'write') return {};
  return {
    ACTIONS_ID_TOKEN_REQUEST_URL: `${links.root}/_actions/jobs/${job.id}/id-token?api-version=2.0`,
    ACTIONS_ID_TOKEN_REQUEST_TOKEN: token,
  };
}

/** Ends processes of the given jobs by the mark in their environment. Where there is no /proc nothing is ended. */
async function endLeftovers(jobIds: number[]): Promise<void> {
  const marks = jobIds.map((id) => `${trackingVariable}=${tracking(id)}\0`);
  const entries = await readdir('/proc').catch(() => []);
  for (const entry of entries.filter((name) => /^\d+$/.test(name))) {
    // A process of somebody else, or one that just ended, cannot be read and is not ours to end.
    const environment = await readFile(`/proc/${entry}/environ`, 'latin1').catch(() => '');
    if (!marks.some((mark) => `${environment}\0`.includes(mark))) continue;
    try {
      process.kill(Number(entry), 'SIGKILL');
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
    }
  }
}
