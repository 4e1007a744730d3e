import { Hono } from 'hono';
import { AppError } from '#base/errors.ts';
import { getArray, getString, type JsonObject } from '#base/json.ts';
import { fromColumn } from '../database.ts';
import { type CommentRow, commentView, createIssue, type IssueRow, issueByNumber, issueView } from '../issues.ts';
import type { ForgeParts } from '../parts.ts';
import type { Repository } from '../repositories.ts';
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

const read = { access: 'read', scope: 'issues' } as const;
const write = { access: 'write', scope: 'issues' } as const;
const base = '/repos/:owner/:repo/issues';

/** Issues, labels and comments; comments of pull requests are here too, as on GitHub. */
export function issueRoutes(parts: ForgeParts): Hono<RestEnv> {
  const app = new Hono<RestEnv>();
  const { db, clock } = parts;
  const announce = (c: RestContext, repo: Repository, notice: { name: string; action: string; payload: JsonObject }) =>
    parts.events.append({ repo, ...actorIn(c), ...notice });
  app.get(base, (c) => {
    const repo = repositoryOf(parts, c, read);
    const state = c.req.query('state') ?? 'open';
    const rows = db.all<IssueRow>('SELECT * FROM issues WHERE repo_id = ? ORDER BY number DESC', repo.id);
    const fitting = rows.filter((row) => state === 'all' || row.state === state);
    return c.json(pageOf(c, fitting).map((row) => issueView(parts, repo, row)));
  });
  app.post(base, async (c) => {
    const repo = repositoryOf(parts, c, takeFrom(c));
    const { account } = actorOf(c);
    const body = await bodyOf(c);
    const labels = getArray(body, 'labels').map((label) =>
      typeof label === 'string' ? label : (getString(label, 'name') ?? ''),
    );
    const made = {
      title: requiredText(body, 'title'),
      body: optionalText(body, 'body'),
      userId: account.id,
      isPull: false,
      labels,
    };
    const view = db.transaction(() => {
      const issue = issueView(parts, repo, createIssue(parts, repo, made));
      announce(c, repo, { name: 'issues', action: 'opened', payload: { issue } });
      return issue;
    });
    return c.json(view, 201);
  });
  app.get(`${base}/:number`, (c) => {
    const repo = repositoryOf(parts, c, read);
    return c.json(issueView(parts, repo, issueByNumber(parts, repo, idParam(c, 'number'))));
  });
  app.patch(`${base}/:number`, async (c) => {
    const repo = repositoryOf(parts, c, write);
    const issue = issueByNumber(parts, repo, idParam(c, 'number'));
    const body = await bodyOf(c);
    const state = optionalText(body, 'state') ?? issue.state;
    const now = clock.now();
    const view = db.transaction(() => {
      db.run(
        'UPDATE issues SET title = ?, body = ?, state = ?, closed_at = ?, updated_at = ? WHERE id = ?',
        optionalText(body, 'title') ?? issue.title,
        optionalText(body, 'body') ?? issue.body,
        state === 'closed' ? 'closed' : 'open',
        state === 'closed' ? (issue.closed_at ?? now) : null,
        now,
        issue.id,
      );
      const changed = issueView(parts, repo, issueByNumber(parts, repo, issue.number));
      const action = state === issue.state ? 'edited' : state === 'closed' ? 'closed' : 'reopened';
      announce(c, repo, { name: 'issues', action, payload: { issue: changed } });
      return changed;
    });
    return c.json(view);
  });
  labelRoutes(app, parts);
  commentRoutes(app, parts, announce);
  return app;
}

/** Everybody who sees a repository may open issues and comment; a job needs the permission to write them. */
function takeFrom(c: RestContext) {
  return c.get('identity').kind === 'job' ? write : read;
}

function actorIn(c: RestContext) {
  const { account, byJob } = actorOf(c);
  return { actor: account, byJob };
}

function labelRoutes(app: Hono<RestEnv>, parts: ForgeParts): void {
  const set = (c: RestContext, change: (labels: string[]) => string[]) => {
    const repo = repositoryOf(parts, c, write);
    const issue = issueByNumber(parts, repo, idParam(c, 'number'));
    const labels = [...new Set(change(fromColumn<string[]>(issue.labels_json)))];
    parts.db.run('UPDATE issues SET labels_json = ? WHERE id = ?', JSON.stringify(labels), issue.id);
    return c.json(labels.map((name) => ({ name })));
  };
  app.post(`${base}/:number/labels`, async (c) => {
    const added = getArray(await bodyOf(c), 'labels').map(String);
    return set(c, (labels) => [...labels, ...added]);
  });
  app.put(`${base}/:number/labels`, async (c) => {
    const wanted = getArray(await bodyOf(c), 'labels').map(String);
    return set(c, () => wanted);
  });
  app.delete(`${base}/:number/labels/:name`, (c) =>
    set(c, (labels) => labels.filter((label) => label !== c.req.param('name'))),
  );
}

function commentRoutes(
  app: Hono<RestEnv>,
  parts: ForgeParts,
  announce: (c: RestContext, repo: Repository, notice: { name: string; action: string; payload: JsonObject }) => void,
): void {
  const { db, clock } = parts;
  const one = (repo: Repository, id: number): { comment: CommentRow; issue: IssueRow } => {
    const comment = db.get<CommentRow>('SELECT * FROM comments WHERE id = ?', id);
    const issue =
      comment && db.get<IssueRow>('SELECT * FROM issues WHERE id = ? AND repo_id = ?', comment.issue_id, repo.id);
    if (!comment || !issue) throw new AppError('not-found', 'Not Found');
    return { comment, issue };
  };
  const tell = (c: RestContext, repo: Repository, about: { comment: CommentRow; issue: IssueRow; action: string }) => {
    const view = commentView(parts, repo, about);
    announce(c, repo, {
      name: 'issue_comment',
      action: about.action,
      payload: { issue: issueView(parts, repo, about.issue), comment: view },
    });
    return view;
  };
  app.get(`${base}/:number/comments`, (c) => {
    const repo = repositoryOf(parts, c, read);
    const issue = issueByNumber(parts, repo, idParam(c, 'number'));
    const rows = db.all<CommentRow>('SELECT * FROM comments WHERE issue_id = ? ORDER BY id', issue.id);
    return c.json(pageOf(c, rows).map((comment) => commentView(parts, repo, { issue, comment })));
  });
  app.post(`${base}/:number/comments`, async (c) => {
    const repo = repositoryOf(parts, c, takeFrom(c));
    const issue = issueByNumber(parts, repo, idParam(c, 'number'));
    const text = requiredText(await bodyOf(c), 'body');
    const { account } = actorOf(c);
    const now = clock.now();
    const view = db.transaction(() => {
      const sql = 'INSERT INTO comments (issue_id, user_id, body, created_at, updated_at) VALUES (?, ?, ?, ?, ?)';
      const { id } = db.run(sql, issue.id, account.id, text, now, now);
      return tell(c, repo, { ...one(repo, id), action: 'created' });
    });
    return c.json(view, 201);
  });
  app.get(`${base}/comments/:comment`, (c) => {
    const repo = repositoryOf(parts, c, read);
    return c.json(commentView(parts, repo, one(repo, idParam(c, 'comment'))));
  });
  app.patch(`${base}/comments/:comment`, async (c) => {
    const repo = repositoryOf(parts, c, write);
    const { comment } = one(repo, idParam(c, 'comment'));
    const text = requiredText(await bodyOf(c), 'body');
    const view = db.transaction(() => {
      db.run('UPDATE comments SET body = ?, updated_at = ? WHERE id = ?', text, clock.now(), comment.id);
      return tell(c, repo, { ...one(repo, comment.id), action: 'edited' });
    });
    return c.json(view);
  });
  app.delete(`${base}/comments/:comment`, (c) => {
    const repo = repositoryOf(parts, c, write);
    const { comment, issue } = one(repo, idParam(c, 'comment'));
    db.transaction(() => {
      tell(c, repo, { comment, issue, action: 'deleted' });
      db.run('DELETE FROM comments WHERE id = ?', comment.id);
    });
    return c.body(null, 204);
  });
}
