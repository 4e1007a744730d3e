import { AppError } from '#base/errors.ts';
import type { JsonObject } from '#base/json.ts';
import type { ForgeParts } from '../parts.ts';
import type { Repository } from '../repositories.ts';
import type { JobRow, RunRow } from '../run-store.ts';
import { runView } from '../run-views.ts';
import { idParam, type RestContext } from './request.ts';

/** The run of `:run`, which must belong to the repository. */
export function runOf(parts: ForgeParts, c: RestContext, repo: Repository): RunRow {
  const run = parts.runs.findRun(idParam(c, 'run'));
  if (run?.repo_id !== repo.id) throw new AppError('not-found', 'Not Found');
  return run;
}

export function jobOf(parts: ForgeParts, c: RestContext, repo: Repository): { job: JobRow; run: RunRow } {
  const job = parts.runs.job(idParam(c, 'job'));
  const run = parts.runs.run(job.run_id);
  if (run.repo_id !== repo.id) throw new AppError('not-found', 'Not Found');
  return { job, run };
}

export function fullRunView(parts: ForgeParts, run: RunRow): JsonObject {
  const repo = parts.repos.byId(run.repo_id);
  return runView(parts.links, run, {
    repo,
    owner: parts.accounts.byId(repo.owner_id),
    actor: parts.accounts.byId(run.actor_id),
    triggeringActor: parts.accounts.byId(run.triggering_actor_id),
  });
}
