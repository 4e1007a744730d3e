import type { Value } from '../actions/expression.ts';
import type { JobDefinition } from '../actions/workflow.ts';
import { fromColumn } from './database.ts';
import type { JobDetail, JobRow, RunConclusion } from './run-store.ts';

/** How one job of the workflow file stands, over all cells of its matrix. */
export interface JobStanding {
  id: string;
  rows: JobRow[];
  complete: boolean;
  /** Set when complete: what `needs.<job>.result` says. */
  result: RunConclusion | undefined;
  outputs: Record<string, string>;
}

export function standingOf(definition: JobDefinition, jobs: JobRow[]): JobStanding {
  const rows = jobs.filter((job) => job.job_key === definition.id);
  const complete = rows.length > 0 && rows.every((job) => job.status === 'completed');
  const outputs: Record<string, string> = {};
  for (const row of rows) {
    for (const [name, value] of Object.entries(fromColumn<Record<string, string>>(row.outputs_json))) {
      if (value !== '' || outputs[name] === undefined) outputs[name] = value;
    }
  }
  return { id: definition.id, rows, complete, result: complete ? resultOf(rows) : undefined, outputs };
}

/** Failures that `continue-on-error` allows count as success. */
function resultOf(rows: JobRow[]): RunConclusion {
  const conclusions = rows.map((row) =>
    row.conclusion === 'failure' && detailOf(row).continueOnError ? 'success' : row.conclusion,
  );
  for (const conclusion of ['failure', 'cancelled', 'success'] as const)
    if (conclusions.includes(conclusion)) return conclusion;
  return 'skipped';
}

/** What the scheduler keeps of the job, and the job it is a copy of in a later attempt. */
export function detailOf(job: JobRow): JobDetail & { copyOf?: number } {
  return fromColumn<JobDetail & { copyOf?: number }>(job.detail_json);
}

export interface NeedsView {
  /** The `needs` context. */
  context: { [key: string]: Value };
  /** Answers of success(), failure() and cancelled() in the job's condition. */
  status: { success: boolean; failure: boolean; canceled: boolean };
}

/** What a job sees of those before it; undefined while one of them is not complete. */
export function needsOf(
  definition: JobDefinition,
  standings: Map<string, JobStanding>,
  run: { jobs: JobDefinition[]; canceled: boolean },
): NeedsView | undefined {
  const direct = definition.needs.map((id) => standings.get(id));
  if (direct.some((standing) => !standing?.complete)) return undefined;
  const context = Object.fromEntries(
    direct.flatMap((standing) =>
      standing ? [[standing.id, { result: standing.result ?? '', outputs: standing.outputs }]] : [],
    ),
  );
  const results = [...ancestorsOf(definition, run.jobs)].map((id) => standings.get(id)?.result);
  const directSkipped = direct.some((standing) => standing?.result === 'skipped');
  const failure = results.includes('failure');
  const canceled = run.canceled || results.includes('cancelled');
  return {
    context,
    status: {
      success: !failure && !canceled && !directSkipped,
      failure: failure && !run.canceled,
      canceled: run.canceled,
    },
  };
}

function ancestorsOf(definition: JobDefinition, jobs: JobDefinition[]): Set<string> {
  const found = new Set<string>();
  const visit = (id: string) => {
    if (found.has(id)) return;
    found.add(id);
    for (const need of jobs.find((job) => job.id === id)?.needs ?? []) visit(need);
  };
  for (const need of definition.needs) visit(need);
  return found;
}

/** Waiting jobs of a matrix that may be queued now, given its max-parallel. */
export function freeSlots(standing: JobStanding): number {
  const [first] = standing.rows;
  if (!first) return 0;
  const active = standing.rows.filter((row) => row.status === 'in_progress' || row.status === 'queued').length;
  return Math.max(0, detailOf(first).maxParallel - active);
}

/** Whether the rest of a matrix is to be canceled because one cell failed. */
export function failsFast(standing: JobStanding): boolean {
  return standing.rows.some(
    (row) => row.conclusion === 'failure' && detailOf(row).failFast && !detailOf(row).continueOnError,
  );
}

export function runConclusion(standings: JobStanding[], canceled: boolean): RunConclusion {
  const results = standings.map((standing) => standing.result);
  if (results.includes('failure')) return 'failure';
  if (canceled || results.includes('cancelled')) return 'cancelled';
  return results.every((result) => result === 'skipped') ? 'skipped' : 'success';
}
