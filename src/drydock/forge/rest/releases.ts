import { Hono } from 'hono';
import { timestamp } from '#base/clock.ts';
import { AppError } from '#base/errors.ts';
import type { JsonObject } from '#base/json.ts';
import { findCommit } from '../commits.ts';
import type { ForgeParts } from '../parts.ts';
import type { Repository } from '../repositories.ts';
import { moveRef } from '../tree-writer.ts';
import { accountView, fullName, nodeId } from '../views.ts';
import { refsOf } from './repositories.ts';
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

interface ReleaseRow {
  id: number;
  repo_id: number;
  tag: string;
  target: string;
  name: string | null;
  body: string | null;
  draft: number;
  prerelease: number;
  author_id: number;
  created_at: number;
  published_at: number | null;
}

const read = { access: 'read', scope: 'contents' } as const;
const write = { access: 'write', scope: 'contents' } as const;
const base = '/repos/:owner/:repo/releases';

/** Releases; publishing one makes its tag when there is none yet. */
export function releaseRoutes(parts: ForgeParts): Hono<RestEnv> {
  const app = new Hono<RestEnv>();
  const { all, pick, byId } = releaseQueries(parts);
  app.get(base, (c) => {
    const repo = repositoryOf(parts, c, read);
    return c.json(pageOf(c, all(repo)).map((row) => releaseView(parts, repo, row)));
  });
  app.get(`${base}/latest`, (c) => {
    const repo = repositoryOf(parts, c, read);
    return c.json(
      releaseView(
        parts,
        repo,
        pick(repo, (row) => !row.draft && !row.prerelease),
      ),
    );
  });
  app.get(`${base}/tags/:tag{.+}`, (c) => {
    const repo = repositoryOf(parts, c, read);
    return c.json(
      releaseView(
        parts,
        repo,
        pick(repo, (row) => !row.draft && row.tag === c.req.param('tag')),
      ),
    );
  });
  app.get(`${base}/:release`, (c) => {
    const repo = repositoryOf(parts, c, read);
    return c.json(releaseView(parts, repo, byId(c, repo)));
  });
  releaseWrites(app, parts);
  return app;
}

function releaseQueries({ db }: ForgeParts) {
  const all = (repo: Repository) =>
    db.all<ReleaseRow>('SELECT * FROM releases WHERE repo_id = ? ORDER BY id DESC', repo.id);
  const pick = (repo: Repository, fits: (row: ReleaseRow) => boolean) => {
    const row = all(repo).find(fits);
    if (!row) throw new AppError('not-found', 'Not Found');
    return row;
  };
  const byId = (c: RestContext, repo: Repository) => pick(repo, (row) => row.id === idParam(c, 'release'));
  return { all, pick, byId };
}

function releaseWrites(app: Hono<RestEnv>, parts: ForgeParts): void {
  const { db, clock } = parts;
  const { all, pick, byId } = releaseQueries(parts);
  app.post(base, async (c) => {
    const repo = repositoryOf(parts, c, write);
    const body = await bodyOf(c);
    const tag = requiredText(body, 'tag_name');
    if (all(repo).some((row) => row.tag === tag))
      throw new AppError('bad-input', 'Validation Failed: already_exists tag_name');
    const target = optionalText(body, 'target_commitish') ?? repo.default_branch;
    const draft = body['draft'] === true;
    const sha = draft ? undefined : await ensureTag(parts, c, repo, { tag, target });
    const { account } = actorOf(c);
    const now = clock.now();
    const view = db.transaction(() => {
      const { id } = db.run(
        `INSERT INTO releases (repo_id, tag, target, name, body, draft, prerelease, author_id, created_at, published_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        repo.id,
        tag,
        target,
        optionalText(body, 'name') ?? null,
        optionalText(body, 'body') ?? null,
        draft ? 1 : 0,
        body['prerelease'] === true ? 1 : 0,
        account.id,
        now,
        draft ? null : now,
      );
      return announce(parts, c, repo, {
        row: pick(repo, (row) => row.id === id),
        actions: draft ? ['created'] : ['created', 'published', 'released'],
        sha,
      });
    });
    return c.json(view, 201);
  });
  app.patch(`${base}/:release`, async (c) => {
    const repo = repositoryOf(parts, c, write);
    const row = byId(c, repo);
    const body = await bodyOf(c);
    const draft = typeof body['draft'] === 'boolean' ? body['draft'] : row.draft === 1;
    const publishes = row.draft === 1 && !draft;
    const sha = publishes ? await ensureTag(parts, c, repo, row) : undefined;
    const view = db.transaction(() => {
      db.run(
        'UPDATE releases SET name = ?, body = ?, draft = ?, prerelease = ?, published_at = ? WHERE id = ?',
        optionalText(body, 'name') ?? row.name,
        optionalText(body, 'body') ?? row.body,
        draft ? 1 : 0,
        typeof body['prerelease'] === 'boolean' ? (body['prerelease'] ? 1 : 0) : row.prerelease,
        publishes ? clock.now() : row.published_at,
        row.id,
      );
      return announce(parts, c, repo, {
        row: pick(repo, (each) => each.id === row.id),
        actions: publishes ? ['published', 'released'] : ['edited'],
        sha,
      });
    });
    return c.json(view);
  });
  app.delete(`${base}/:release`, (c) => {
    const repo = repositoryOf(parts, c, write);
    db.run('DELETE FROM releases WHERE id = ?', byId(c, repo).id);
    return c.body(null, 204);
  });
}

/** Makes the tag if there is none, and answers the commit it stands on. */
async function ensureTag(
  parts: ForgeParts,
  c: RestContext,
  repo: Repository,
  { tag, target }: { tag: string; target: string },
): Promise<string> {
  const { git, repos, ledger } = parts;
  const { signal } = new AbortController();
  const exists = refsOf(parts, repo, 'refs/tags/').some((ref) => ref.name === tag);
  const commit = await findCommit(git, repos.gitDir(repo), exists ? `refs/tags/${tag}` : target, signal);
  if (!commit || !/^[^\s~^:?*[\\]+$/.test(tag)) {
    throw new AppError('bad-input', 'Validation Failed: target_commitish or tag_name is invalid');
  }
  if (!exists) {
    const move = { ref: `refs/tags/${tag}`, from: undefined, to: commit.sha };
    await ledger.change(repo, signedIn(c), () => moveRef(git, repos.gitDir(repo), move, signal));
  }
  return commit.sha;
}

function announce(
  parts: ForgeParts,
  c: RestContext,
  repo: Repository,
  { row, actions, sha }: { row: ReleaseRow; actions: string[]; sha: string | undefined },
): JsonObject {
  const { account, byJob } = actorOf(c);
  const release = releaseView(parts, repo, row);
  const about = sha === undefined ? {} : { ref: `refs/tags/${row.tag}`, sha };
  for (const action of actions)
    parts.events.append({ repo, name: 'release', action, actor: account, byJob, payload: { release }, ...about });
  return release;
}

function releaseView(parts: ForgeParts, repo: Repository, row: ReleaseRow): JsonObject {
  const { links, accounts } = parts;
  const api = `${links.repo(fullName(repo))}/releases/${row.id}`;
  return {
    url: api,
    html_url: links.html(`${fullName(repo)}/releases/tag/${row.tag}`),
    assets_url: `${api}/assets`,
    upload_url: `${api}/assets{?name,label}`,
    tarball_url: null,
    zipball_url: null,
    id: row.id,
    node_id: nodeId('Release', row.id),
    tag_name: row.tag,
    target_commitish: row.target,
    name: row.name,
    body: row.body,
    draft: row.draft === 1,
    prerelease: row.prerelease === 1,
    created_at: timestamp(row.created_at),
    published_at: row.published_at === null ? null : timestamp(row.published_at),
    author: accountView(links, accounts.byId(row.author_id)),
    assets: [],
  };
}
