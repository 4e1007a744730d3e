import { Hono } from 'hono';
import { AppError } from '#base/errors.ts';
import { getArray } from '#base/json.ts';
import type { Account } from '../accounts.ts';
import type { ForgeParts } from '../parts.ts';
import type { Repository } from '../repositories.ts';
import type { RunRow } from '../run-store.ts';
import { environmentView } from '../run-views.ts';
import { type Environment, reviewersOf } from '../settings.ts';
import { accountView } from '../views.ts';
import { bodyOf, type RestContext, type RestEnv, repositoryOf, requiredText, signedIn } from './request.ts';
import { runOf } from './runs.ts';

const read = { access: 'read', scope: 'actions' } as const;

/** Deployments that wait for a reviewer, their approval or rejection, and the history of both. */
export function approvalRoutes(parts: ForgeParts): Hono<RestEnv> {
  const { accounts, links, runs, settings } = parts;
  const app = new Hono<RestEnv>();
  const base = '/repos/:owner/:repo/actions/runs/:run';
  app.get(`${base}/pending_deployments`, (c) => {
    const repo = repositoryOf(parts, c, read);
    const run = runOf(parts, c, repo);
    const { identity } = c.var;
    const viewer = identity.kind === 'user' ? identity.account : undefined;
    return c.json(
      pendingOf(parts, repo, run).map((environment) => pendingView(parts, { repo, run, environment, viewer })),
    );
  });
  app.post(`${base}/pending_deployments`, async (c) => {
    const repo = repositoryOf(parts, c, read);
    const run = runOf(parts, c, repo);
    const review = await reviewOf(c);
    const { account } = signedIn(c);
    const waiting = pendingOf(parts, repo, run);
    const chosen = review.environmentIds.map((id) => waiting.find((environment) => environment.id === id));
    parts.db.transaction(() => {
      for (const environment of chosen) {
        if (!environment) throw new AppError('bad-input', 'No pending deployment requests to approve or reject');
        const barred = barReason(environment, run, account);
        if (barred !== undefined) throw new AppError('forbidden', barred);
        runs.approve(run, {
          environment_id: environment.id,
          user_id: account.id,
          state: review.state,
          comment: review.comment,
        });
      }
    });
    parts.scheduler.wake(run.id);
    return c.json(
      chosen.flatMap((environment) => (environment ? [deploymentView(parts, repo, run, environment)] : [])),
    );
  });
  app.get(`${base}/approvals`, (c) => {
    const repo = repositoryOf(parts, c, read);
    const run = runOf(parts, c, repo);
    return c.json(
      runs.approvals(run.id).map((approval) => {
        const environment = settings.environmentById(approval.environment_id);
        return {
          state: approval.state,
          comment: approval.comment,
          environments: environment ? [environmentView(links, environment, { repo, reviewers: [] })] : [],
          user: accountView(links, accounts.byId(approval.user_id)),
          created_at: new Date(approval.created_at).toISOString(),
        };
      }),
    );
  });
  return app;
}

async function reviewOf(
  c: RestContext,
): Promise<{ environmentIds: number[]; state: 'approved' | 'rejected'; comment: string }> {
  const body = await bodyOf(c);
  const environmentIds = getArray(body, 'environment_ids').map(Number);
  const state = requiredText(body, 'state');
  if (state !== 'approved' && state !== 'rejected')
    throw new AppError('bad-input', 'state must be approved or rejected');
  if (environmentIds.length === 0)
    throw new AppError('bad-input', 'environment_ids must name at least one environment');
  const comment = typeof body['comment'] === 'string' ? body['comment'] : '';
  return { environmentIds, state, comment };
}

/** Environments for which jobs of the run wait and nobody has decided yet. */
function pendingOf(parts: ForgeParts, repo: Repository, run: RunRow): Environment[] {
  const waiting = parts.runs
    .jobs(run.id, run.attempt)
    .filter((job) => job.status === 'waiting' && job.environment !== null);
  const names = [...new Set(waiting.map((job) => job.environment ?? ''))];
  const decided = parts.runs
    .approvals(run.id)
    .filter((approval) => approval.run_attempt === run.attempt)
    .map((approval) => approval.environment_id);
  return names
    .flatMap((name) => parts.settings.environment(repo, name) ?? [])
    .filter((environment) => !decided.includes(environment.id) && reviewersOf(environment).length > 0);
}

/** Why this account may not decide on the deployment; undefined when it may. */
function barReason(environment: Environment, run: RunRow, account: Account): string | undefined {
  if (!reviewersOf(environment).includes(account.id)) {
    return `${account.login} is not a required reviewer of the environment ${environment.name}`;
  }
  if (environment.prevent_self_review === 1 && run.triggering_actor_id === account.id) {
    return `${account.login} started this run, and ${environment.name} does not allow approving one's own deployment`;
  }
  return undefined;
}

interface Pending {
  repo: Repository;
  run: RunRow;
  environment: Environment;
  viewer: Account | undefined;
}

function pendingView(parts: ForgeParts, { repo, run, environment, viewer }: Pending) {
  const { accounts, links } = parts;
  const full = environmentView(links, environment, { repo, reviewers: [] });
  return {
    environment: {
      id: environment.id,
      node_id: full['node_id'],
      name: environment.name,
      url: full['url'],
      html_url: full['html_url'],
    },
    wait_timer: environment.wait_minutes,
    wait_timer_started_at: new Date(run.started_at).toISOString(),
    current_user_can_approve: viewer !== undefined && barReason(environment, run, viewer) === undefined,
    reviewers: reviewersOf(environment).map((id) => ({
      type: 'User',
      reviewer: accountView(links, accounts.byId(id)),
    })),
  };
}

function deploymentView(parts: ForgeParts, repo: Repository, run: RunRow, environment: Environment) {
  const created = new Date(run.created_at).toISOString();
  return {
    id: run.id,
    sha: run.sha,
    ref: run.ref.replace(/^refs\/(heads|tags)\//, ''),
    task: 'deploy',
    payload: {},
    environment: environment.name,
    original_environment: environment.name,
    description: null,
    creator: accountView(parts.links, parts.accounts.byId(run.actor_id)),
    created_at: created,
    updated_at: created,
    repository_url: parts.links.repo(`${repo.owner}/${repo.name}`),
  };
}
