import { Hono } from 'hono';
import { AppError } from '#base/errors.ts';
import type { JsonObject } from '#base/json.ts';
import type { Account } from '../accounts.ts';
import { changedFiles } from '../changes.ts';
import { listCommits } from '../commits.ts';
import type { ForgeParts } from '../parts.ts';
import {
  announcePull,
  isMergeable,
  mergePull,
  openPull,
  type Pull,
  pullByNumber,
  pullsOf,
  pullView,
} from '../pulls.ts';
import type { Repository } from '../repositories.ts';
import { accountView, fullName, nodeId } from '../views.ts';
import { viewOf } from './commits.ts';
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
  signedIn,
} from './request.ts';

const read = { access: 'read', scope: 'pull-requests' } as const;
const write = { access: 'write', scope: 'pull-requests' } as const;
const base = '/repos/:owner/:repo/pulls';

/** Of the newest; an older one is not found by its commits. */
const pullsSearched = 100;

/** Whether the commit came by this pull request: its merge, or one of the commits between its base and its head. */
async function broughtCommit(
  { git, repos }: ForgeParts,
  repo: Repository,
  { pull }: Pull,
  { sha, signal }: { sha: string; signal: AbortSignal },
): Promise<boolean> {
  if (sha === pull.merge_sha || sha === pull.head_sha) return true;
  const isBelow = async (tip: string) =>
    (await git.maybeText(['merge-base', '--is-ancestor', sha, tip], { repository: repos.gitDir(repo) }, signal)) !==
    undefined;
  return (await isBelow(pull.head_sha)) && !(await isBelow(pull.base_sha));
}

/** Pull requests, their files, commits, reviews and merge. */
export function pullRoutes(parts: ForgeParts): Hono<RestEnv> {
  const app = new Hono<RestEnv>();
  const found = (c: RestContext, need: typeof read | typeof write): { repo: Repository; pull: Pull } => {
    const repo = repositoryOf(parts, c, need);
    return { repo, pull: pullByNumber(parts, repo, idParam(c, 'number')) };
  };
  app.get(base, (c) => {
    const repo = repositoryOf(parts, c, read);
    const state = c.req.query('state') ?? 'open';
    const head = c.req.query('head');
    const fits = ({ issue, pull }: Pull) =>
      (state === 'all' || issue.state === state) &&
      (head === undefined || `${repo.owner}:${pull.head_ref}` === head || pull.head_ref === head) &&
      (c.req.query('base') === undefined || pull.base_ref === c.req.query('base'));
    return c.json(pageOf(c, pullsOf(parts, repo).filter(fits)).map((pull) => pullView(parts, repo, pull)));
  });
  app.get('/repos/:owner/:repo/commits/:sha/pulls', async (c) => {
    const repo = repositoryOf(parts, c, read);
    const pulls: Pull[] = [];
    for (const pull of pullsOf(parts, repo).slice(0, pullsSearched)) {
      if (await broughtCommit(parts, repo, pull, { sha: c.req.param('sha'), signal: c.req.raw.signal }))
        pulls.push(pull);
    }
    return c.json(pageOf(c, pulls).map((pull) => pullView(parts, repo, pull)));
  });
  app.post(base, async (c) => {
    const repo = repositoryOf(parts, c, write);
    const body = await bodyOf(c);
    const made = {
      title: requiredText(body, 'title'),
      body: optionalText(body, 'body'),
      head: requiredText(body, 'head'),
      base: requiredText(body, 'base'),
      draft: body['draft'] === true,
      actor: actorOf(c),
    };
    const pull = await openPull(parts, repo, made, c.req.raw.signal);
    return c.json(pullView(parts, repo, pull), 201);
  });
  app.get(`${base}/:number`, async (c) => {
    const { repo, pull } = found(c, read);
    const open = pull.issue.state === 'open';
    const mergeable = open ? await isMergeable(parts, repo, pull, c.req.raw.signal) : null;
    const state = mergeable === null ? 'unknown' : mergeable ? 'clean' : 'dirty';
    return c.json({ ...pullView(parts, repo, pull), mergeable, rebaseable: false, mergeable_state: state });
  });
  app.patch(`${base}/:number`, async (c) => {
    const { repo, pull } = found(c, write);
    const body = await bodyOf(c);
    const state = optionalText(body, 'state') ?? pull.issue.state;
    const now = parts.clock.now();
    parts.db.run(
      'UPDATE issues SET title = ?, body = ?, state = ?, closed_at = ?, updated_at = ? WHERE id = ?',
      optionalText(body, 'title') ?? pull.issue.title,
      optionalText(body, 'body') ?? pull.issue.body,
      state === 'closed' ? 'closed' : 'open',
      state === 'closed' ? now : null,
      now,
      pull.issue.id,
    );
    const changed = pullByNumber(parts, repo, pull.issue.number);
    const action = state === pull.issue.state ? 'edited' : state === 'closed' ? 'closed' : 'reopened';
    await announcePull(parts, repo, { ...changed, action, actor: actorOf(c) }, c.req.raw.signal);
    return c.json(pullView(parts, repo, changed));
  });
  mergeRoutes(app, parts, found);
  reviewRoutes(app, parts, found);
  return app;
}

type FindPull = (c: RestContext, need: typeof read | typeof write) => { repo: Repository; pull: Pull };

function mergeRoutes(app: Hono<RestEnv>, parts: ForgeParts, found: FindPull): void {
  const { git, repos } = parts;
  app.get(`${base}/:number/files`, async (c) => {
    const { repo, pull } = found(c, read);
    const directory = repos.gitDir(repo);
    const args = ['merge-base', pull.pull.base_sha, pull.pull.head_sha];
    const from = (await git.text(args, { repository: directory }, c.req.raw.signal)).trim();
    return c.json(pageOf(c, await changedFiles(git, directory, { from, to: pull.pull.head_sha }, c.req.raw.signal)));
  });
  app.get(`${base}/:number/commits`, async (c) => {
    const { repo, pull } = found(c, read);
    const args = ['--reverse', '--max-count=250', `${pull.pull.base_sha}..${pull.pull.head_sha}`];
    const commits = await listCommits(git, repos.gitDir(repo), { args, withFiles: false }, c.req.raw.signal);
    return c.json(pageOf(c, commits).map((commit) => viewOf(parts, repo, commit)));
  });
  app.get(`${base}/:number/merge`, (c) => c.body(null, found(c, read).pull.pull.merged_at === null ? 404 : 204));
  app.put(`${base}/:number/merge`, async (c) => {
    const { repo, pull } = found(c, write);
    repositoryOf(parts, c, { access: 'write', scope: 'contents' });
    const body = await bodyOf(c);
    const method = optionalText(body, 'merge_method') ?? 'merge';
    if (method !== 'merge' && method !== 'squash')
      throw new AppError('unsupported', `merge_method ${method} is not supported by this forge`);
    const request = {
      method,
      title: optionalText(body, 'commit_title'),
      message: optionalText(body, 'commit_message'),
      sha: optionalText(body, 'sha'),
    } as const;
    const sha = await mergePull(parts, repo, { target: pull, request, who: signedIn(c) }, c.req.raw.signal);
    return c.json({ sha, merged: true, message: 'Pull Request successfully merged' });
  });
}

interface ReviewRow {
  id: number;
  issue_id: number;
  user_id: number;
  body: string;
  state: string;
  sha: string;
  created_at: number;
}

const reviewStates: Record<string, string> = {
  APPROVE: 'APPROVED',
  REQUEST_CHANGES: 'CHANGES_REQUESTED',
  COMMENT: 'COMMENTED',
};

function reviewRoutes(app: Hono<RestEnv>, parts: ForgeParts, found: FindPull): void {
  const { db, clock, accounts } = parts;
  app.get(`${base}/:number/reviews`, (c) => {
    const { repo, pull } = found(c, read);
    const rows = db.all<ReviewRow>('SELECT * FROM reviews WHERE issue_id = ? ORDER BY id', pull.issue.id);
    return c.json(
      pageOf(c, rows).map((row) => reviewView(parts, { repo, pull, row, author: accounts.byId(row.user_id) })),
    );
  });
  app.post(`${base}/:number/reviews`, async (c) => {
    const { repo, pull } = found(c, c.get('identity').kind === 'job' ? write : read);
    const { account, byJob } = actorOf(c);
    const body = await bodyOf(c);
    const event = requiredText(body, 'event');
    const state = reviewStates[event];
    if (state === undefined) throw new AppError('bad-input', 'event must be APPROVE, REQUEST_CHANGES or COMMENT');
    if (account.id === pull.issue.user_id && state !== 'COMMENTED') {
      throw new AppError('bad-input', 'Review Can not approve your own pull request');
    }
    const row = db.transaction(() => {
      const { id } = db.run(
        'INSERT INTO reviews (issue_id, user_id, body, state, sha, created_at) VALUES (?, ?, ?, ?, ?, ?)',
        pull.issue.id,
        account.id,
        optionalText(body, 'body') ?? '',
        state,
        pull.pull.head_sha,
        clock.now(),
      );
      const made = db.get<ReviewRow>('SELECT * FROM reviews WHERE id = ?', id);
      if (!made) throw new AppError('not-found', 'Not Found');
      const payload = {
        review: reviewView(parts, { repo, pull, row: made, author: account }),
        pull_request: pullView(parts, repo, pull),
      };
      parts.events.append({ repo, name: 'pull_request_review', action: 'submitted', actor: account, byJob, payload });
      return made;
    });
    return c.json(reviewView(parts, { repo, pull, row, author: account }));
  });
}

function reviewView(
  parts: ForgeParts,
  about: { repo: Repository; pull: Pull; row: ReviewRow; author: Account },
): JsonObject {
  const { repo, pull, row, author } = about;
  return {
    id: row.id,
    node_id: nodeId('PullRequestReview', row.id),
    user: accountView(parts.links, author),
    body: row.body,
    state: row.state,
    html_url: parts.links.html(`${fullName(repo)}/pull/${pull.issue.number}#pullrequestreview-${row.id}`),
    pull_request_url: `${parts.links.repo(fullName(repo))}/pulls/${pull.issue.number}`,
    submitted_at: new Date(row.created_at).toISOString(),
    commit_id: row.sha,
    author_association: 'MEMBER',
  };
}
