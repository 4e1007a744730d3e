import { Hono } from 'hono';
import { timestamp } from '#base/clock.ts';
import { AppError } from '#base/errors.ts';
import { getObject, type JsonObject } from '#base/json.ts';
import { findCommit } from '../commits.ts';
import { fromColumn } from '../database.ts';
import type { ForgeParts } from '../parts.ts';
import type { Repository } from '../repositories.ts';
import { annotationsOf, type JobRow } from '../run-store.ts';
import { accountView, fullName, nodeId, repositoryView } from '../views.ts';
import {
  actorOf,
  bodyOf,
  idParam,
  optionalText,
  pageOf,
  type RestContext,
  type RestEnv,
  repositoryOf,
  requiredText,
} from './request.ts';

interface StatusRow {
  id: number;
  sha: string;
  state: string;
  context: string;
  description: string | null;
  target_url: string | null;
  creator_id: number;
  created_at: number;
}

interface CheckRow {
  id: number;
  sha: string;
  name: string;
  status: string;
  conclusion: string | null;
  details_url: string | null;
  external_id: string | null;
  output_json: string;
  started_at: number | null;
  completed_at: number | null;
}

const states = ['error', 'failure', 'pending', 'success'];
/** Ids of check runs made by API start here; below are those of workflow jobs, which have the id of their job. */
const ownChecks = 1_000_000_000;

/** Commit statuses and check runs; the jobs of workflows are check runs too. */
export function statusRoutes(parts: ForgeParts): Hono<RestEnv> {
  const app = new Hono<RestEnv>();
  commitStatusRoutes(app, parts);
  checkRoutes(app, parts);
  return app;
}

async function shaOf(parts: ForgeParts, repo: Repository, c: RestContext): Promise<string> {
  const rev = c.req.param('ref') ?? c.req.param('sha') ?? '';
  const commit = await findCommit(parts.git, parts.repos.gitDir(repo), rev, c.req.raw.signal);
  if (!commit) throw new AppError('bad-input', `No commit found for SHA: ${rev}`);
  return commit.sha;
}

function commitStatusRoutes(app: Hono<RestEnv>, parts: ForgeParts): void {
  const { db, clock, links, accounts } = parts;
  const rows = (repo: Repository, sha: string) =>
    db.all<StatusRow>('SELECT * FROM statuses WHERE repo_id = ? AND sha = ? ORDER BY id DESC', repo.id, sha);
  app.post('/repos/:owner/:repo/statuses/:sha', async (c) => {
    const repo = repositoryOf(parts, c, { access: 'write', scope: 'statuses' });
    const sha = await shaOf(parts, repo, c);
    const body = await bodyOf(c);
    const state = requiredText(body, 'state');
    if (!states.includes(state)) throw new AppError('bad-input', `state must be one of ${states.join(', ')}`);
    const { account, byJob } = actorOf(c);
    const made = db.transaction(() => {
      const { id } = db.run(
        'INSERT INTO statuses (repo_id, sha, state, context, description, target_url, creator_id, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
        repo.id,
        sha,
        state,
        optionalText(body, 'context') ?? 'default',
        optionalText(body, 'description') ?? null,
        optionalText(body, 'target_url') ?? null,
        account.id,
        clock.now(),
      );
      const status = rows(repo, sha).find((row) => row.id === id);
      if (!status) throw new AppError('not-found', 'Not Found');
      const shown = statusView(parts, repo, status);
      parts.events.append({
        repo,
        name: 'status',
        actor: account,
        byJob,
        payload: { ...shown, sha, name: fullName(repo) },
      });
      return shown;
    });
    return c.json(made, 201);
  });
  app.get('/repos/:owner/:repo/commits/:ref{.+}/statuses', async (c) => {
    const repo = repositoryOf(parts, c, { access: 'read', scope: 'statuses' });
    return c.json(pageOf(c, rows(repo, await shaOf(parts, repo, c))).map((row) => statusView(parts, repo, row)));
  });
  app.get('/repos/:owner/:repo/commits/:ref{.+}/status', async (c) => {
    const repo = repositoryOf(parts, c, { access: 'read', scope: 'statuses' });
    const sha = await shaOf(parts, repo, c);
    const latest = [
      ...new Map(
        rows(repo, sha)
          .reverse()
          .map((row) => [row.context, row]),
      ).values(),
    ];
    const has = (...some: string[]) => latest.some((row) => some.includes(row.state));
    const state = has('error', 'failure') ? 'failure' : has('pending') || latest.length === 0 ? 'pending' : 'success';
    const repository = repositoryView(links, repo, accounts.byId(repo.owner_id));
    const url = `${links.repo(fullName(repo))}/commits/${sha}`;
    return c.json({
      state,
      statuses: latest.map((row) => statusView(parts, repo, row)),
      sha,
      total_count: latest.length,
      repository,
      commit_url: url,
      url: `${url}/status`,
    });
  });
}

function statusView({ links, accounts }: ForgeParts, repo: Repository, row: StatusRow): JsonObject {
  return {
    url: `${links.repo(fullName(repo))}/statuses/${row.sha}`,
    id: row.id,
    node_id: nodeId('StatusContext', row.id),
    avatar_url: '',
    state: row.state,
    description: row.description,
    target_url: row.target_url,
    context: row.context,
    created_at: timestamp(row.created_at),
    updated_at: timestamp(row.created_at),
    creator: accountView(links, accounts.byId(row.creator_id)),
  };
}

function checkRoutes(app: Hono<RestEnv>, parts: ForgeParts): void {
  const { db, clock } = parts;
  const own = (repo: Repository, id: number) => {
    const row = db.get<CheckRow>('SELECT * FROM check_runs WHERE id = ? AND repo_id = ?', id - ownChecks, repo.id);
    if (!row) throw new AppError('not-found', 'Not Found');
    return row;
  };
  app.get('/repos/:owner/:repo/commits/:ref{.+}/check-runs', async (c) => {
    const repo = repositoryOf(parts, c, { access: 'read', scope: 'checks' });
    const sha = await shaOf(parts, repo, c);
    const jobs = db.all<JobRow>(
      'SELECT j.* FROM jobs j JOIN runs r ON r.id = j.run_id AND r.attempt = j.run_attempt WHERE r.repo_id = ? AND r.sha = ? ORDER BY j.id',
      repo.id,
      sha,
    );
    const checks = db.all<CheckRow>('SELECT * FROM check_runs WHERE repo_id = ? AND sha = ? ORDER BY id', repo.id, sha);
    const all = [
      ...jobs.map((job) => jobCheckView(parts, repo, job, sha)),
      ...checks.map((row) => checkView(parts, repo, row)),
    ];
    return c.json({ total_count: all.length, check_runs: pageOf(c, all) });
  });
  app.post('/repos/:owner/:repo/check-runs', async (c) => {
    const repo = repositoryOf(parts, c, { access: 'write', scope: 'checks' });
    const body = await bodyOf(c);
    const { id } = db.run(
      `INSERT INTO check_runs (repo_id, sha, name, status, conclusion, details_url, external_id, output_json, started_at, completed_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      repo.id,
      requiredText(body, 'head_sha'),
      requiredText(body, 'name'),
      ...checkState(body),
      optionalText(body, 'details_url') ?? null,
      optionalText(body, 'external_id') ?? null,
      JSON.stringify(getObject(body, 'output')),
      clock.now(),
      optionalText(body, 'conclusion') === undefined ? null : clock.now(),
    );
    return c.json(checkView(parts, repo, own(repo, id + ownChecks)), 201);
  });
  app.patch('/repos/:owner/:repo/check-runs/:check', async (c) => {
    const repo = repositoryOf(parts, c, { access: 'write', scope: 'checks' });
    const row = own(repo, idParam(c, 'check'));
    const body = {
      status: row.status,
      ...(row.conclusion === null ? {} : { conclusion: row.conclusion }),
      ...(await bodyOf(c)),
    };
    db.run(
      'UPDATE check_runs SET status = ?, conclusion = ?, output_json = ?, completed_at = ? WHERE id = ?',
      ...checkState(body),
      'output' in body ? JSON.stringify(getObject(body, 'output')) : row.output_json,
      optionalText(body, 'conclusion') === undefined ? null : (row.completed_at ?? clock.now()),
      row.id,
    );
    return c.json(checkView(parts, repo, own(repo, row.id + ownChecks)));
  });
  app.get('/repos/:owner/:repo/check-runs/:check', (c) => {
    const repo = repositoryOf(parts, c, { access: 'read', scope: 'checks' });
    const id = idParam(c, 'check');
    if (id >= ownChecks) return c.json(checkView(parts, repo, own(repo, id)));
    const job = parts.runs.job(id);
    const run = parts.runs.run(job.run_id);
    if (run.repo_id !== repo.id) throw new AppError('not-found', 'Not Found');
    return c.json(jobCheckView(parts, repo, job, run.sha));
  });
}

/** A conclusion means completed. */
function checkState(body: JsonObject): [status: string, conclusion: string | null] {
  const conclusion = optionalText(body, 'conclusion');
  return conclusion === undefined ? [optionalText(body, 'status') ?? 'queued', null] : ['completed', conclusion];
}

function checkView(parts: ForgeParts, repo: Repository, row: CheckRow): JsonObject {
  const id = row.id + ownChecks;
  const output = fromColumn<JsonObject>(row.output_json);
  const time = (ms: number | null) => (ms === null ? null : timestamp(ms));
  return {
    id,
    node_id: nodeId('CheckRun', id),
    head_sha: row.sha,
    external_id: row.external_id ?? '',
    url: `${parts.links.repo(fullName(repo))}/check-runs/${id}`,
    html_url: parts.links.html(`${fullName(repo)}/runs/${id}`),
    details_url: row.details_url,
    status: row.status,
    conclusion: row.conclusion,
    started_at: time(row.started_at),
    completed_at: time(row.completed_at),
    output: { title: null, summary: null, text: null, annotations_count: 0, ...output },
    name: row.name,
    check_suite: { id },
    app: null,
    pull_requests: [],
  };
}

function jobCheckView(parts: ForgeParts, repo: Repository, job: JobRow, sha: string): JsonObject {
  const annotations = annotationsOf(job);
  const time = (ms: number | null) => (ms === null ? null : timestamp(ms));
  const status = job.status === 'waiting' ? 'queued' : job.status;
  return {
    id: job.id,
    node_id: nodeId('CheckRun', job.id),
    head_sha: sha,
    external_id: String(job.id),
    url: `${parts.links.repo(fullName(repo))}/check-runs/${job.id}`,
    html_url: parts.links.html(`${fullName(repo)}/actions/runs/${job.run_id}/job/${job.id}`),
    details_url: parts.links.html(`${fullName(repo)}/actions/runs/${job.run_id}/job/${job.id}`),
    status,
    conclusion: job.conclusion,
    started_at: time(job.started_at ?? job.created_at),
    completed_at: time(job.completed_at),
    output: {
      title: null,
      summary: job.summary === '' ? null : job.summary,
      text: null,
      annotations_count: annotations.length,
    },
    name: job.name,
    check_suite: { id: job.run_id },
    app: { id: 15368, slug: 'github-actions', name: 'GitHub Actions' },
    pull_requests: [],
  };
}
