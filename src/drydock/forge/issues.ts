import { type Clock, timestamp } from '#base/clock.ts';
import { AppError } from '#base/errors.ts';
import type { JsonObject } from '#base/json.ts';
import type { Accounts } from './accounts.ts';
import { type Database, fromColumn } from './database.ts';
import type { Links } from './links.ts';
import type { Repository } from './repositories.ts';
import { accountView, fullName, nodeId } from './views.ts';

export interface IssueRow {
  id: number;
  repo_id: number;
  number: number;
  title: string;
  body: string | null;
  state: 'open' | 'closed';
  user_id: number;
  labels_json: string;
  is_pull: number;
  created_at: number;
  updated_at: number;
  closed_at: number | null;
}

export interface CommentRow {
  id: number;
  issue_id: number;
  user_id: number;
  body: string;
  created_at: number;
  updated_at: number;
}

interface IssueParts {
  db: Database;
  clock: Clock;
  accounts: Accounts;
  links: Links;
}

/** Issues and pull requests share one sequence of numbers in a repository. */
export function createIssue(
  parts: IssueParts,
  repo: Repository,
  made: { title: string; body: string | undefined; userId: number; isPull: boolean; labels?: string[] },
): IssueRow {
  const { db, clock } = parts;
  const now = clock.now();
  return db.transaction(() => {
    const row = db.get<{ next_number: number }>('SELECT next_number FROM repos WHERE id = ?', repo.id);
    const number = row?.next_number ?? 1;
    db.run('UPDATE repos SET next_number = next_number + 1 WHERE id = ?', repo.id);
    db.run(
      `INSERT INTO issues (repo_id, number, title, body, state, user_id, labels_json, is_pull, created_at, updated_at)
       VALUES (?, ?, ?, ?, 'open', ?, ?, ?, ?, ?)`,
      repo.id,
      number,
      made.title,
      made.body ?? null,
      made.userId,
      JSON.stringify(made.labels ?? []),
      made.isPull ? 1 : 0,
      now,
      now,
    );
    return issueByNumber(parts, repo, number);
  });
}

export function issueByNumber(parts: IssueParts, repo: Repository, number: number): IssueRow {
  const row = parts.db.get<IssueRow>('SELECT * FROM issues WHERE repo_id = ? AND number = ?', repo.id, number);
  if (!row) throw new AppError('not-found', 'Not Found');
  return row;
}

export function issueView(parts: IssueParts, repo: Repository, issue: IssueRow): JsonObject {
  const { links, accounts, db } = parts;
  const api = `${links.repo(fullName(repo))}/issues/${issue.number}`;
  const html = links.html(`${fullName(repo)}/${issue.is_pull ? 'pull' : 'issues'}/${issue.number}`);
  const comments = db.get<{ n: number }>('SELECT count(*) AS n FROM comments WHERE issue_id = ?', issue.id)?.n ?? 0;
  const pull = `${links.repo(fullName(repo))}/pulls/${issue.number}`;
  return {
    id: issue.id,
    node_id: nodeId('Issue', issue.id),
    url: api,
    repository_url: links.repo(fullName(repo)),
    labels_url: `${api}/labels{/name}`,
    comments_url: `${api}/comments`,
    events_url: `${api}/events`,
    html_url: html,
    number: issue.number,
    state: issue.state,
    state_reason: null,
    title: issue.title,
    body: issue.body,
    user: accountView(links, accounts.byId(issue.user_id)),
    labels: fromColumn<string[]>(issue.labels_json).map((name) => ({ id: 0, name, color: 'ededed', default: false })),
    assignee: null,
    assignees: [],
    milestone: null,
    locked: false,
    comments,
    ...(issue.is_pull ? { pull_request: { url: pull, html_url: html } } : {}),
    closed_at: issue.closed_at === null ? null : timestamp(issue.closed_at),
    created_at: timestamp(issue.created_at),
    updated_at: timestamp(issue.updated_at),
    author_association: 'MEMBER',
  };
}

export function commentView(
  parts: IssueParts,
  repo: Repository,
  about: { issue: IssueRow; comment: CommentRow },
): JsonObject {
  const { links, accounts } = parts;
  const { issue, comment } = about;
  const html = links.html(
    `${fullName(repo)}/${issue.is_pull ? 'pull' : 'issues'}/${issue.number}#issuecomment-${comment.id}`,
  );
  return {
    id: comment.id,
    node_id: nodeId('IssueComment', comment.id),
    url: `${links.repo(fullName(repo))}/issues/comments/${comment.id}`,
    html_url: html,
    issue_url: `${links.repo(fullName(repo))}/issues/${issue.number}`,
    body: comment.body,
    user: accountView(links, accounts.byId(comment.user_id)),
    created_at: timestamp(comment.created_at),
    updated_at: timestamp(comment.updated_at),
    author_association: 'MEMBER',
  };
}
