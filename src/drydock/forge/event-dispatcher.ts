import type { Clock } from '#base/clock.ts';
import { getPath, getString, isObject } from '#base/json.ts';
import type { Logger } from '#base/log.ts';
import type { Outcome } from '#base/outcome.ts';
import { WorkQueue } from '#base/work-queue.ts';
import { asksToSkip, isTriggered, type TriggerEvent } from '../actions/trigger.ts';
import type { EventFilter, ParsedWorkflow } from '../actions/workflow.ts';
import { type Database, fromColumn } from './database.ts';
import type { EventDetail, EventOutbox, EventRow } from './events.ts';
import { type Git, zeroSha } from './git.ts';
import { refName } from './job-contexts.ts';
import type { Repositories, Repository } from './repositories.ts';
import type { NewRun, RunStore } from './run-store.ts';
import type { Webhooks } from './webhooks.ts';
import type { WorkflowFiles } from './workflow-files.ts';

export interface DispatcherDeps {
  db: Database;
  clock: Clock;
  logger: Logger;
  git: Git;
  repos: Repositories;
  events: EventOutbox;
  webhooks: Webhooks;
  files: WorkflowFiles;
  runs: RunStore;
  /** Lets pull requests follow a push before it is told; may be repeated for one event. */
  onPush: (repo: Repository, event: EventRow, signal: AbortSignal) => Promise<void>;
  /** Called after a run was created. */
  wakeRun: (runId: number) => void;
}

/** Tells webhooks and workflows of each event, in order for each repository, exactly once. */
export class EventDispatcher implements AsyncDisposable {
  readonly #deps: DispatcherDeps;
  readonly #queue: WorkQueue;

  constructor(deps: DispatcherDeps) {
    this.#deps = deps;
    this.#queue = new WorkQueue({
      name: 'forge-events',
      clock: deps.clock,
      logger: deps.logger,
      concurrency: 4,
      tick: (name, signal) => this.#tick(Number(name), signal),
      maxBackoffMs: 5_000,
    });
    deps.events.onAppend = (repoId) => this.#queue.add(String(repoId));
  }

  start(): void {
    for (const repoId of this.#deps.events.repositoriesWaiting()) this.#queue.add(String(repoId));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#deps.events.onAppend = () => {};
    await this.#queue[Symbol.asyncDispose]();
  }

  async #tick(repoId: number, signal: AbortSignal): Promise<Outcome> {
    const { db, events, repos, runs, webhooks, wakeRun } = this.#deps;
    const repo = repos.byId(repoId);
    for (let event = events.next(repoId); event; event = events.next(repoId)) {
      const current = event;
      if (current.name === 'push') await this.#deps.onPush(repo, current, signal);
      const starting = await this.#runsFor(current, repo, signal);
      const { hookIds, runIds } = db.transaction(() => {
        const hookIds = webhooks.enqueue(current, repo);
        const runIds = starting.map((run) => runs.createRun(repo, run).id);
        events.remove(current.id);
        return { hookIds, runIds };
      });
      webhooks.wake(hookIds);
      for (const id of runIds) wakeRun(id);
    }
    return { kind: 'done' };
  }

  async #runsFor(event: EventRow, repo: Repository, signal: AbortSignal): Promise<NewRun[]> {
    const detail = fromColumn<EventDetail>(event.detail_json);
    const payload = fromColumn<unknown>(event.payload_json);
    if (event.by_job && !['workflow_dispatch', 'repository_dispatch'].includes(event.name)) return [];
    if (['push', 'pull_request'].includes(event.name) && asksToSkip(detail.headMessage ?? '')) return [];
    if (!startsWorkflows(event, payload)) return [];
    const at = await this.#subject(event, repo, signal);
    if (!at) return [];
    const parsed = await this.#deps.files.list(repo, at.sha, signal);
    const trigger = triggerOf(event, payload);
    const hasPathFilter = parsed.some((file) => hasPaths(onOf(file)[event.name]));
    if (hasPathFilter) trigger.changedPaths = await this.#changedPaths(event, repo, signal);
    return parsed
      .filter((file) => isStarted(file, trigger, { detail, payload }))
      .map((file) => newRun(file, { event, repo, at, detail, payload }));
  }

  /** Ref and commit that runs of this event are about. */
  async #subject(
    event: EventRow,
    repo: Repository,
    signal: AbortSignal,
  ): Promise<{ ref: string; sha: string } | undefined> {
    if (event.ref !== null && event.sha !== null && event.sha !== zeroSha && event.name !== 'delete') {
      return { ref: event.ref, sha: event.sha };
    }
    if (event.name === 'push' || event.name === 'pull_request') return undefined;
    const ref = `refs/heads/${repo.default_branch}`;
    const { git, repos } = this.#deps;
    const call = { repository: repos.gitDir(repo) };
    const sha = (await git.maybeText(['rev-parse', '-q', '--verify', ref], call, signal))?.trim();
    return sha === undefined ? undefined : { ref, sha };
  }

  async #changedPaths(event: EventRow, repo: Repository, signal: AbortSignal): Promise<string[] | undefined> {
    const { before } = fromColumn<EventDetail>(event.detail_json);
    if (event.ref?.startsWith('refs/tags/') || event.sha === null || before === undefined) return undefined;
    const { git, repos } = this.#deps;
    const call = { repository: repos.gitDir(repo) };
    const range = before === zeroSha ? await this.#newBranchBase(event, repo, signal) : before;
    if (range === undefined) return undefined;
    const text = await git.maybeText(['diff', '--name-only', '-z', '--no-renames', range, event.sha], call, signal);
    return text?.split('\0').filter(Boolean);
  }

  /** A new branch is compared with where it left the default branch. */
  async #newBranchBase(event: EventRow, repo: Repository, signal: AbortSignal): Promise<string | undefined> {
    const { git, repos } = this.#deps;
    if (event.ref === `refs/heads/${repo.default_branch}`) return undefined;
    const args = ['merge-base', `refs/heads/${repo.default_branch}`, event.sha ?? ''];
    return (await git.maybeText(args, { repository: repos.gitDir(repo) }, signal))?.trim();
  }
}

function onOf(file: ParsedWorkflow): Record<string, EventFilter> {
  return file.kind === 'workflow' ? file.workflow.on : file.on;
}

function hasPaths(filter: EventFilter | undefined): boolean {
  return filter?.paths !== undefined || filter?.['paths-ignore'] !== undefined;
}

/** Runs of workflows started by another run's end start no further ones, so that chains end. */
function startsWorkflows(event: EventRow, payload: unknown): boolean {
  if (event.name === 'workflow_job') return false;
  return event.name !== 'workflow_run' || getString(payload, 'workflow_run', 'event') !== 'workflow_run';
}

function triggerOf(event: EventRow, payload: unknown): TriggerEvent {
  const base = getString(payload, 'pull_request', 'base', 'ref');
  const action = event.name === 'push' ? undefined : (event.action ?? undefined);
  return {
    name: event.name,
    action,
    ref: base === undefined ? (event.ref ?? undefined) : `refs/heads/${base}`,
    changedPaths: undefined,
  };
}

function isStarted(
  file: ParsedWorkflow,
  trigger: TriggerEvent,
  { detail, payload }: { detail: EventDetail; payload: unknown },
): boolean {
  const on = onOf(file);
  const path = file.kind === 'workflow' ? file.workflow.path : file.path;
  if (trigger.name === 'workflow_dispatch' || trigger.name === 'schedule') return detail.workflowPath === path;
  if (file.kind === 'invalid' && Object.keys(on).length === 0) return trigger.name === 'push';
  if (trigger.name === 'workflow_run') {
    const names = on['workflow_run']?.workflows ?? [];
    if (!names.includes(getString(payload, 'workflow_run', 'name') ?? '')) return false;
  }
  return isTriggered(on, trigger);
}

interface Subject {
  event: EventRow;
  repo: Repository;
  at: { ref: string; sha: string };
  detail: EventDetail;
  payload: unknown;
}

function newRun(file: ParsedWorkflow, { event, repo, at, detail, payload }: Subject): NewRun {
  const { path, name } = file.kind === 'workflow' ? file.workflow : file;
  const inputs = getPath(payload, 'inputs');
  const subject = detail.headMessage?.split('\n')[0];
  const title =
    event.name === 'repository_dispatch' ? event.action : event.name === 'workflow_dispatch' ? name : subject;
  const headRef = getString(payload, 'pull_request', 'head', 'ref') ?? '';
  return {
    name,
    title: title ?? name,
    path,
    event: event.name,
    ref: at.ref,
    sha: at.sha,
    workflow_sha: at.sha,
    actor_id: event.actor_id,
    payload_json: event.payload_json,
    detail: {
      headBranch: headRef === '' ? refName(at.ref) || repo.default_branch : headRef,
      headRef,
      baseRef: getString(payload, 'pull_request', 'base', 'ref') ?? '',
      inputs: event.name === 'workflow_dispatch' && isObject(inputs) ? scalars(inputs) : {},
    },
  };
}

function scalars(inputs: { [key: string]: unknown }): Record<string, string | number | boolean> {
  return Object.fromEntries(
    Object.entries(inputs).flatMap(([name, value]) =>
      typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? [[name, value]] : [],
    ),
  );
}
