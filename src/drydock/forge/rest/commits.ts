import { Hono } from 'hono';
import { AppError } from '#base/errors.ts';
import type { JsonObject } from '#base/json.ts';
import { changedFiles } from '../changes.ts';
import { type Commit, findCommit, listCommits } from '../commits.ts';
import type { ForgeParts } from '../parts.ts';
import type { Repository } from '../repositories.ts';
import { commitView, fullName } from '../views.ts';
import { pageOf, type RestEnv, repositoryOf } from './request.ts';

const listLimit = 3000;
const need = { access: 'read', scope: 'contents' } as const;

/** Commits: list, one, compare. */
export function commitRoutes(parts: ForgeParts): Hono<RestEnv> {
  const { git, repos } = parts;
  const app = new Hono<RestEnv>();
  compareRoute(app, parts);
  app.get('/repos/:owner/:repo/commits', async (c) => {
    const repo = repositoryOf(parts, c, need);
    const rev = c.req.query('sha') ?? repo.default_branch;
    if (!(await findCommit(git, repos.gitDir(repo), rev, c.req.raw.signal))) {
      throw new AppError('conflict', 'Git Repository is empty.');
    }
    const filters = (['author', 'since', 'until'] as const).flatMap((name) => {
      const value = c.req.query(name);
      return value === undefined ? [] : [`--${name}=${value}`];
    });
    const query = { args: [`--max-count=${listLimit}`, ...filters, rev], withFiles: false, path: c.req.query('path') };
    const commits = await listCommits(git, repos.gitDir(repo), query, c.req.raw.signal);
    return c.json(pageOf(c, commits).map((commit) => viewOf(parts, repo, commit)));
  });
  app.get('/repos/:owner/:repo/commits/:ref{.+}', async (c, next) => {
    if (/\/(?:status|statuses|check-runs|pulls)$/.test(c.req.path)) return next();
    const repo = repositoryOf(parts, c, need);
    const commit = await findCommit(git, repos.gitDir(repo), c.req.param('ref'), c.req.raw.signal);
    if (!commit) throw new AppError('bad-input', `No commit found for SHA: ${c.req.param('ref')}`);
    if (c.req.header('accept')?.includes('sha')) return c.text(commit.sha);
    const files = await changedFiles(
      git,
      repos.gitDir(repo),
      { from: commit.parents[0], to: commit.sha },
      c.req.raw.signal,
    );
    const count = (key: 'additions' | 'deletions') => files.reduce((sum, file) => sum + file[key], 0);
    const [additions, deletions] = [count('additions'), count('deletions')];
    return c.json({
      ...viewOf(parts, repo, commit),
      stats: { additions, deletions, total: additions + deletions },
      files,
    });
  });
  return app;
}

function compareRoute(app: Hono<RestEnv>, parts: ForgeParts): void {
  const { git, repos, links } = parts;
  app.get('/repos/:owner/:repo/compare/:range{.+}', async (c) => {
    const repo = repositoryOf(parts, c, need);
    const [base = '', head = ''] = c.req.param('range').split(/\.\.\.?/);
    const directory = repos.gitDir(repo);
    const signal = c.req.raw.signal;
    const [baseCommit, headCommit] = await Promise.all(
      [base, head].map((rev) => findCommit(git, directory, rev, signal)),
    );
    if (!baseCommit || !headCommit) throw new AppError('not-found', 'Not Found');
    const mergeBase = (
      await git.maybeText(['merge-base', baseCommit.sha, headCommit.sha], { repository: directory }, signal)
    )?.trim();
    const mergeBaseCommit = mergeBase === undefined ? undefined : await findCommit(git, directory, mergeBase, signal);
    if (!mergeBaseCommit) throw new AppError('not-found', `No common ancestor between ${base} and ${head}.`);
    const range = { args: ['--reverse', `${baseCommit.sha}..${headCommit.sha}`], withFiles: false };
    const ahead = await listCommits(git, directory, range, signal);
    const behind = Number(
      (
        await git.text(
          ['rev-list', '--count', `${headCommit.sha}..${baseCommit.sha}`],
          { repository: directory },
          signal,
        )
      ).trim(),
    );
    const files = await changedFiles(git, directory, { from: mergeBaseCommit.sha, to: headCommit.sha }, signal);
    const status = ahead.length === 0 ? (behind === 0 ? 'identical' : 'behind') : behind === 0 ? 'ahead' : 'diverged';
    return c.json({
      url: `${links.repo(fullName(repo))}/compare/${base}...${head}`,
      html_url: links.html(`${fullName(repo)}/compare/${base}...${head}`),
      base_commit: viewOf(parts, repo, baseCommit),
      merge_base_commit: viewOf(parts, repo, mergeBaseCommit),
      status,
      ahead_by: ahead.length,
      behind_by: behind,
      total_commits: ahead.length,
      commits: ahead.slice(0, 250).map((commit) => viewOf(parts, repo, commit)),
      files,
    });
  });
}

/** GitHub's commit with the accounts that have its e-mail addresses. */
export function viewOf(parts: ForgeParts, repo: Repository, commit: Commit): JsonObject {
  return commitView(parts.links, repo, commit, {
    author: parts.accounts.byEmail(commit.author.email),
    committer: parts.accounts.byEmail(commit.committer.email),
  });
}
