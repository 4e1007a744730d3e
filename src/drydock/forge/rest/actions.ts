import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { Hono } from 'hono';
import { AppError } from '#base/errors.ts';
import { isObject } from '#base/json.ts';
import { dispatchInputs } from '../dispatch-inputs.ts';
import type { ForgeParts } from '../parts.ts';
import type { Repository } from '../repositories.ts';
import { annotationsOf, type RunRow, type WorkflowRow } from '../run-store.ts';
import { jobView, workflowView } from '../run-views.ts';
import { zipOf } from '../zip.ts';
import {
  actorOf,
  bodyOf,
  idParam,
  pageOf,
  type RestContext,
  type RestEnv,
  repositoryOf,
  requiredText,
} from './request.ts';
import { fullRunView, jobOf, runOf } from './runs.ts';

const read = { access: 'read', scope: 'actions' } as const;
const write = { access: 'write', scope: 'actions' } as const;

/** Workflows, their runs, jobs and logs. */
export function actionRoutes(parts: ForgeParts): Hono<RestEnv> {
  const app = new Hono<RestEnv>();
  workflowRoutes(app, parts);
  runRoutes(app, parts);
  jobRoutes(app, parts);
  return app;
}

function workflowRoutes(app: Hono<RestEnv>, parts: ForgeParts): void {
  const { runs, links } = parts;
  const base = '/repos/:owner/:repo/actions/workflows';
  app.get(base, async (c) => {
    const repo = repositoryOf(parts, c, read);
    await syncWorkflows(parts, repo, c.req.raw.signal);
    const all = runs.workflows(repo);
    return c.json({
      total_count: all.length,
      workflows: pageOf(c, all).map((workflow) => workflowView(links, workflow, repo)),
    });
  });
  app.get(`${base}/:workflow`, async (c) => {
    const repo = repositoryOf(parts, c, read);
    return c.json(workflowView(links, await workflowOf(parts, c, repo), repo));
  });
  app.get(`${base}/:workflow/runs`, async (c) => {
    const repo = repositoryOf(parts, c, read);
    const workflow = await workflowOf(parts, c, repo);
    return listRuns(
      parts,
      c,
      parts.runs.runsOf(repo).filter((run) => run.workflow_id === workflow.id),
    );
  });
  app.post(`${base}/:workflow/dispatches`, async (c) => {
    const repo = repositoryOf(parts, c, write);
    const workflow = await workflowOf(parts, c, repo);
    const body = await bodyOf(c);
    const ref = await fullRef(parts, repo, requiredText(body, 'ref'), c.req.raw.signal);
    const parsed = await parts.files.get(repo, { sha: ref.sha, path: workflow.path }, c.req.raw.signal);
    if (parsed?.kind === 'invalid') throw new AppError('bad-input', `Invalid workflow file: ${parsed.message}`);
    if (parsed === undefined || parsed.workflow.on['workflow_dispatch'] === undefined) {
      throw new AppError('bad-input', "Workflow does not have 'workflow_dispatch' trigger");
    }
    const inputs = dispatchInputs(parsed.workflow.dispatchInputs, isObject(body['inputs']) ? body['inputs'] : {});
    const { account, byJob } = actorOf(c);
    parts.db.transaction(() => {
      parts.events.append({
        repo,
        name: 'workflow_dispatch',
        ref: ref.name,
        sha: ref.sha,
        actor: account,
        byJob,
        payload: { ref: ref.name, workflow: workflow.path, inputs },
        detail: { workflowPath: workflow.path },
      });
    });
    return c.body(null, 204);
  });
}

function runRoutes(app: Hono<RestEnv>, parts: ForgeParts): void {
  const { runs, scheduler, links } = parts;
  const base = '/repos/:owner/:repo/actions/runs';
  app.get(base, (c) => listRuns(parts, c, runs.runsOf(repositoryOf(parts, c, read))));
  app.get(`${base}/:run`, (c) => c.json(fullRunView(parts, runOf(parts, c, repositoryOf(parts, c, read)))));
  app.get(`${base}/:run/jobs`, (c) => {
    const repo = repositoryOf(parts, c, read);
    const run = runOf(parts, c, repo);
    const all = c.req.query('filter') === 'all' ? runs.allJobs(run.id) : runs.jobs(run.id, run.attempt);
    return c.json({ total_count: all.length, jobs: pageOf(c, all).map((job) => jobView(links, job, { run, repo })) });
  });
  app.get(`${base}/:run/attempts/:attempt/jobs`, (c) => {
    const repo = repositoryOf(parts, c, read);
    const run = runOf(parts, c, repo);
    const jobs = runs.jobs(run.id, idParam(c, 'attempt'));
    return c.json({ total_count: jobs.length, jobs: pageOf(c, jobs).map((job) => jobView(links, job, { run, repo })) });
  });
  app.get(`${base}/:run/logs`, async (c) => {
    const run = runOf(parts, c, repositoryOf(parts, c, read));
    const jobs = runs.jobs(run.id, run.attempt);
    const entries = await Promise.all(
      jobs.map(async (job, at) => ({
        name: `${at + 1}_${job.name.replaceAll(/[\\/:*?"<>|]/g, '_')}.txt`,
        content: await readFile(parts.executor.logFile(job)).catch(() => Buffer.alloc(0)),
      })),
    );
    return c.body(new Uint8Array(zipOf(entries)), 200, { 'content-type': 'application/zip' });
  });
  app.post(`${base}/:run/cancel`, (c) => {
    const run = runOf(parts, c, repositoryOf(parts, c, write));
    if (run.status === 'completed') throw new AppError('conflict', 'Cannot cancel a workflow run that is completed.');
    runs.updateRun(run.id, { cancel_requested: 1 });
    scheduler.wake(run.id);
    return c.json({}, 202);
  });
  const rerun = (c: RestContext, keep: (conclusion: string | null) => boolean) => {
    const run = runOf(parts, c, repositoryOf(parts, c, write));
    if (run.status !== 'completed') throw new AppError('forbidden', 'This workflow is already running');
    runs.newAttempt(run, actorOf(c).account.id, (job) => keep(job.conclusion));
    scheduler.wake(run.id);
    return c.json({}, 201);
  };
  app.post(`${base}/:run/rerun`, (c) => rerun(c, () => false));
  app.post(`${base}/:run/rerun-failed-jobs`, (c) => rerun(c, (conclusion) => conclusion === 'success'));
}

function jobRoutes(app: Hono<RestEnv>, parts: ForgeParts): void {
  const base = '/repos/:owner/:repo/actions/jobs/:job';
  app.get(base, (c) => {
    const repo = repositoryOf(parts, c, read);
    const { job, run } = jobOf(parts, c, repo);
    return c.json(jobView(parts.links, job, { run, repo }));
  });
  app.get(`${base}/logs`, async (c) => {
    const { job } = jobOf(parts, c, repositoryOf(parts, c, read));
    const file = parts.executor.logFile(job);
    const from = Math.max(0, Number(c.req.query('offset')) || 0);
    const size = await stat(file).then(
      (found) => found.size,
      () => undefined,
    );
    if (size === undefined) throw new AppError('not-found', 'Not Found');
    c.header('Content-Type', 'text/plain; charset=utf-8');
    // `offset` lets a reader follow the log of a running job without reading it again from the start.
    if (from >= size) return c.body('');
    return c.body(Readable.toWeb(createReadStream(file, { start: from, end: size - 1 })) as ReadableStream);
  });
  app.get('/repos/:owner/:repo/check-runs/:job/annotations', (c) => {
    const { job } = jobOf(parts, c, repositoryOf(parts, c, { access: 'read', scope: 'checks' }));
    const views = annotationsOf(job).map(({ level, message, path, line, title }) => ({
      path,
      start_line: line,
      end_line: line,
      start_column: null,
      end_column: null,
      annotation_level: level,
      title,
      message,
      raw_details: null,
      blob_href: '',
    }));
    return c.json(pageOf(c, views));
  });
}

function listRuns(parts: ForgeParts, c: RestContext, all: RunRow[]): Response {
  const query = (name: string) => c.req.query(name);
  const views = (run: RunRow) => fullRunView(parts, run);
  const status = query('status');
  const fits = (run: RunRow) =>
    (query('head_sha') === undefined || run.sha === query('head_sha')) &&
    (query('event') === undefined || run.event === query('event')) &&
    (query('branch') === undefined || views(run)['head_branch'] === query('branch')) &&
    (query('actor') === undefined || parts.accounts.byId(run.actor_id).login === query('actor')) &&
    (status === undefined || run.status === status || run.conclusion === status);
  const found = all.filter(fits);
  return c.json({ total_count: found.length, workflow_runs: pageOf(c, found).map(views) });
}

/** Makes rows for workflow files of the default branch that never ran. */
async function syncWorkflows(parts: ForgeParts, repo: Repository, signal: AbortSignal): Promise<void> {
  const files = await parts.files.list(repo, `refs/heads/${repo.default_branch}`, signal);
  for (const file of files) {
    const { path, name } = file.kind === 'workflow' ? file.workflow : file;
    parts.runs.putWorkflow(repo, path, name);
  }
}

/** By id or by file name, as GitHub accepts it. */
async function workflowOf(parts: ForgeParts, c: RestContext, repo: Repository): Promise<WorkflowRow> {
  await syncWorkflows(parts, repo, c.req.raw.signal);
  const key = c.req.param('workflow') ?? '';
  const found = parts.runs
    .workflows(repo)
    .find((workflow) => String(workflow.id) === key || workflow.path === key || workflow.path.endsWith(`/${key}`));
  if (!found) throw new AppError('not-found', 'Not Found');
  return found;
}

async function fullRef(
  parts: ForgeParts,
  repo: Repository,
  ref: string,
  signal: AbortSignal,
): Promise<{ name: string; sha: string }> {
  const call = { repository: parts.repos.gitDir(repo) };
  const candidates = ref.startsWith('refs/') ? [ref] : [`refs/heads/${ref}`, `refs/tags/${ref}`];
  for (const name of candidates) {
    const sha = (await parts.git.maybeText(['rev-parse', '-q', '--verify', `${name}^{commit}`], call, signal))?.trim();
    if (sha !== undefined) return { name, sha };
  }
  throw new AppError('bad-input', `No ref found for: ${ref}`);
}
