import { timestamp } from '#base/clock.ts';
import { AppError } from '#base/errors.ts';
import { getString, type JsonObject } from '#base/json.ts';
import type { Account, Identity } from './accounts.ts';
import { findCommit } from './commits.ts';
import { fromColumn } from './database.ts';
import type { EventRow } from './events.ts';
import { zeroSha } from './git.ts';
import { createIssue, type IssueRow, issueByNumber } from './issues.ts';
import type { ForgeParts } from './parts.ts';
import type { Repository } from './repositories.ts';
import { mergeTree, moveRef, signatureOf, writeCommit } from './tree-writer.ts';
import { accountView, fullName, nodeId, repositoryView } from './views.ts';

export interface PullRow {
  issue_id: number;
  head_ref: string;
  head_sha: string;
  base_ref: string;
  base_sha: string;
  draft: number;
  merged_at: number | null;
  merged_by: number | null;
  merge_sha: string | null;
}

export interface Pull {
  issue: IssueRow;
  pull: PullRow;
}

type PullParts = Omit<ForgeParts, 'scheduler' | 'executor' | 'oidc'>;

export function pullByNumber(parts: PullParts, repo: Repository, number: number): Pull {
  const issue = issueByNumber(parts, repo, number);
  const pull = parts.db.get<PullRow>('SELECT * FROM pulls WHERE issue_id = ?', issue.id);
  if (!pull) throw new AppError('not-found', 'Not Found');
  return { issue, pull };
}

export function pullsOf(parts: PullParts, repo: Repository): Pull[] {
  const issues = parts.db.all<IssueRow>(
    'SELECT * FROM issues WHERE repo_id = ? AND is_pull = 1 ORDER BY number DESC',
    repo.id,
  );
  return issues.map((issue) => pullByNumber(parts, repo, issue.number));
}

export interface NewPull {
  title: string;
  body: string | undefined;
  head: string;
  base: string;
  draft: boolean;
}

/** Opens a pull request between two branches of the repository. */
export async function openPull(
  parts: PullParts,
  repo: Repository,
  made: NewPull & { actor: { account: Account; byJob: boolean } },
  signal: AbortSignal,
): Promise<Pull> {
  const { db } = parts;
  const headRef = made.head.startsWith(`${repo.owner}:`) ? made.head.slice(repo.owner.length + 1) : made.head;
  const [head, base] = [branchSha(parts, repo, headRef), branchSha(parts, repo, made.base)];
  if (headRef === made.base || head === base) {
    throw new AppError('bad-input', `Validation Failed: No commits between ${made.base} and ${headRef}`);
  }
  const open = pullsOf(parts, repo).find(
    ({ issue, pull }) => issue.state === 'open' && pull.head_ref === headRef && pull.base_ref === made.base,
  );
  if (open)
    throw new AppError('bad-input', `Validation Failed: A pull request already exists for ${repo.owner}:${headRef}.`);
  const opened = db.transaction(() => {
    const { title, body, actor } = made;
    const issue = createIssue(parts, repo, { title, body, userId: actor.account.id, isPull: true });
    db.run(
      'INSERT INTO pulls (issue_id, head_ref, head_sha, base_ref, base_sha, draft) VALUES (?, ?, ?, ?, ?, ?)',
      issue.id,
      headRef,
      head,
      made.base,
      base,
      made.draft ? 1 : 0,
    );
    return pullByNumber(parts, repo, issue.number);
  });
  await announcePull(parts, repo, { ...opened, action: 'opened', actor: made.actor }, signal);
  return opened;
}

export function branchSha(parts: PullParts, repo: Repository, branch: string): string {
  const row = parts.db.get<{ sha: string }>(
    'SELECT sha FROM refs WHERE repo_id = ? AND name = ?',
    repo.id,
    `refs/heads/${branch}`,
  );
  if (!row) throw new AppError('bad-input', `Validation Failed: no branch ${branch}`);
  return row.sha;
}

interface PullNotice extends Pull {
  action: string;
  actor: { account: Account; byJob: boolean };
  extra?: JsonObject;
}

/** Brings refs/pull/N/head and /merge up to date and makes the event, which is about the merge commit. */
export async function announcePull(
  parts: PullParts,
  repo: Repository,
  notice: PullNotice,
  signal: AbortSignal,
): Promise<void> {
  const { git, repos, events, db } = parts;
  const directory = repos.gitDir(repo);
  const { issue, pull, action, actor } = notice;
  const base = currentSha(parts, repo, pull.base_ref) ?? pull.base_sha;
  await git.text(['update-ref', `refs/pull/${issue.number}/head`, pull.head_sha], { repository: directory }, signal);
  const merge = issue.state === 'open' ? await testMerge(parts, repo, { issue, pull }, signal) : pull.merge_sha;
  const head = await findCommit(git, directory, pull.head_sha, signal);
  const mergeBase = (
    await git.maybeText(['merge-base', base, pull.head_sha], { repository: directory }, signal)
  )?.trim();
  db.transaction(() => {
    events.append({
      repo,
      name: 'pull_request',
      action,
      ref: `refs/pull/${issue.number}/merge`,
      sha: merge ?? zeroSha,
      actor: actor.account,
      byJob: actor.byJob,
      payload: { number: issue.number, pull_request: pullView(parts, repo, { issue, pull }), ...notice.extra },
      detail: { ...(mergeBase === undefined ? {} : { before: mergeBase }), headMessage: head?.message ?? '' },
    });
  });
}

function currentSha(parts: PullParts, repo: Repository, branch: string): string | undefined {
  return parts.db.get<{ sha: string }>(
    'SELECT sha FROM refs WHERE repo_id = ? AND name = ?',
    repo.id,
    `refs/heads/${branch}`,
  )?.sha;
}

/** The merge commit workflows of the pull request run on; undefined when the branches conflict. */
async function testMerge(
  parts: PullParts,
  repo: Repository,
  { issue, pull }: Pull,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { git, repos } = parts;
  const directory = repos.gitDir(repo);
  const base = currentSha(parts, repo, pull.base_ref) ?? pull.base_sha;
  const tree = await mergeTree(git, directory, { ours: base, theirs: pull.head_sha }, signal);
  if (tree === undefined) return undefined;
  const message = `Merge ${pull.head_sha} into ${base}`;
  const author = signatureOf(parts.accounts.byId(issue.user_id));
  const commit = { tree, parents: [base, pull.head_sha], message, author };
  const sha = await writeCommit(git, directory, commit, signal);
  await git.text(['update-ref', `refs/pull/${issue.number}/merge`, sha], { repository: directory }, signal);
  return sha;
}

/** Whether the branches merge without conflict now. */
export async function isMergeable(
  parts: PullParts,
  repo: Repository,
  { pull }: Pull,
  signal: AbortSignal,
): Promise<boolean> {
  const base = currentSha(parts, repo, pull.base_ref);
  if (base === undefined) return false;
  const sides = { ours: base, theirs: pull.head_sha };
  return (await mergeTree(parts.git, parts.repos.gitDir(repo), sides, signal)) !== undefined;
}

export interface MergeRequest {
  method: 'merge' | 'squash';
  title: string | undefined;
  message: string | undefined;
  /** Sha the head must still have. */
  sha: string | undefined;
}

/** Merges the pull request into its base branch and closes it. */
export async function mergePull(
  parts: PullParts,
  repo: Repository,
  { target, request, who }: { target: Pull; request: MergeRequest; who: Exclude<Identity, { kind: 'anonymous' }> },
  signal: AbortSignal,
): Promise<string> {
  const { git, repos, ledger, db, clock } = parts;
  const { issue, pull } = target;
  if (issue.state !== 'open') throw new AppError('unsupported', 'Pull Request is not mergeable');
  if (request.sha !== undefined && request.sha !== pull.head_sha)
    throw new AppError('conflict', 'Head branch was modified. Review and try the merge again.');
  const directory = repos.gitDir(repo);
  const sha = await ledger.change(repo, who, async () => {
    const base = (
      await git.text(['rev-parse', `refs/heads/${pull.base_ref}`], { repository: directory }, signal)
    ).trim();
    const tree = await mergeTree(git, directory, { ours: base, theirs: pull.head_sha }, signal);
    if (tree === undefined) throw new AppError('conflict', 'Merge conflict');
    const parents = request.method === 'merge' ? [base, pull.head_sha] : [base];
    const author = signatureOf(request.method === 'merge' ? who.account : parts.accounts.byId(issue.user_id));
    const commit = {
      tree,
      parents,
      author,
      committer: signatureOf(who.account),
      message: mergeMessage(repo, target, request),
    };
    const made = await writeCommit(git, directory, commit, signal);
    await moveRef(git, directory, { ref: `refs/heads/${pull.base_ref}`, from: base, to: made }, signal);
    db.transaction(() => markMerged(parts, target, { sha: made, by: who.account.id, at: clock.now() }));
    return made;
  });
  const actor = { account: who.account, byJob: who.kind === 'job' };
  await announcePull(parts, repo, { ...pullByNumber(parts, repo, issue.number), action: 'closed', actor }, signal);
  return sha;
}

function mergeMessage(repo: Repository, { issue, pull }: Pull, request: MergeRequest): string {
  const isMerge = request.method === 'merge';
  const title =
    request.title ??
    (isMerge
      ? `Merge pull request #${issue.number} from ${repo.owner}/${pull.head_ref}`
      : `${issue.title} (#${issue.number})`);
  const body = request.message ?? (isMerge ? issue.title : (issue.body ?? ''));
  return body === '' ? title : `${title}\n\n${body}`;
}

function markMerged(parts: PullParts, { issue }: Pull, merge: { sha: string; by: number; at: number }): void {
  const { db } = parts;
  db.run(
    "UPDATE issues SET state = 'closed', closed_at = ?, updated_at = ? WHERE id = ?",
    merge.at,
    merge.at,
    issue.id,
  );
  const sql = 'UPDATE pulls SET merged_at = ?, merged_by = ?, merge_sha = ? WHERE issue_id = ?';
  db.run(sql, merge.at, merge.by, merge.sha, issue.id);
}

/** Lets open pull requests follow a push to their branches: new commits, a merge done by hand, a deleted head. */
export async function followPush(
  parts: PullParts,
  repo: Repository,
  event: EventRow,
  signal: AbortSignal,
): Promise<void> {
  const { db, clock, accounts, git, repos } = parts;
  const branch = event.ref?.startsWith('refs/heads/') ? event.ref.slice('refs/heads/'.length) : undefined;
  const after = getString(fromColumn<unknown>(event.payload_json), 'after') ?? zeroSha;
  if (branch === undefined) return;
  const actor = { account: accounts.byId(event.actor_id), byJob: event.by_job === 1 };
  for (const { issue, pull } of pullsOf(parts, repo).filter((each) => each.issue.state === 'open')) {
    const notice = (action: string, extra?: JsonObject) =>
      announcePull(
        parts,
        repo,
        { ...pullByNumber(parts, repo, issue.number), action, actor, ...(extra ? { extra } : {}) },
        signal,
      );
    if (pull.head_ref === branch && after === zeroSha) {
      db.run("UPDATE issues SET state = 'closed', closed_at = ? WHERE id = ?", clock.now(), issue.id);
      await notice('closed');
    } else if (pull.head_ref === branch && pull.head_sha !== after) {
      db.run('UPDATE pulls SET head_sha = ? WHERE issue_id = ?', after, issue.id);
      db.run('UPDATE issues SET updated_at = ? WHERE id = ?', clock.now(), issue.id);
      await notice('synchronize', { before: pull.head_sha, after });
    } else if (pull.base_ref === branch && after !== zeroSha) {
      const args = ['merge-base', '--is-ancestor', pull.head_sha, after];
      const { code } = await git.run(args, { repository: repos.gitDir(repo), okCodes: [0, 1, 128] }, signal);
      if (code !== 0) continue;
      db.transaction(() => markMerged(parts, { issue, pull }, { sha: after, by: actor.account.id, at: clock.now() }));
      await notice('closed');
    }
  }
}

export function pullView(parts: PullParts, repo: Repository, { issue, pull }: Pull): JsonObject {
  const { links, accounts } = parts;
  const owner = accounts.byId(repo.owner_id);
  const name = fullName(repo);
  const api = `${links.repo(name)}/pulls/${issue.number}`;
  const html = links.html(`${name}/pull/${issue.number}`);
  const time = (ms: number | null) => (ms === null ? null : timestamp(ms));
  const side = (ref: string, sha: string) => ({
    label: `${repo.owner}:${ref}`,
    ref,
    sha,
    user: accountView(links, owner),
    repo: repositoryView(links, repo, owner),
  });
  return {
    url: api,
    id: issue.id,
    node_id: nodeId('PullRequest', issue.id),
    html_url: html,
    diff_url: `${html}.diff`,
    patch_url: `${html}.patch`,
    issue_url: `${links.repo(name)}/issues/${issue.number}`,
    commits_url: `${api}/commits`,
    review_comments_url: `${api}/comments`,
    review_comment_url: `${links.repo(name)}/pulls/comments{/number}`,
    comments_url: `${links.repo(name)}/issues/${issue.number}/comments`,
    statuses_url: `${links.repo(name)}/statuses/${pull.head_sha}`,
    number: issue.number,
    state: issue.state,
    locked: false,
    title: issue.title,
    user: accountView(links, accounts.byId(issue.user_id)),
    body: issue.body,
    labels: fromColumn<string[]>(issue.labels_json).map((label) => ({ name: label })),
    milestone: null,
    active_lock_reason: null,
    created_at: timestamp(issue.created_at),
    updated_at: timestamp(issue.updated_at),
    closed_at: time(issue.closed_at),
    merged_at: time(pull.merged_at),
    merge_commit_sha: pull.merge_sha,
    assignee: null,
    assignees: [],
    requested_reviewers: [],
    requested_teams: [],
    head: side(pull.head_ref, pull.head_sha),
    base: side(pull.base_ref, pull.base_sha),
    author_association: 'MEMBER',
    auto_merge: null,
    draft: pull.draft === 1,
    merged: pull.merged_at !== null,
    merged_by: pull.merged_by === null ? null : accountView(links, accounts.byId(pull.merged_by)),
  };
}
