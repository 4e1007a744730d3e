import { rm } from 'node:fs/promises';
import { Hono } from 'hono';
import { AppError } from '#base/errors.ts';
import { getArray, getString, type JsonObject } from '#base/json.ts';
import { findCommit } from '../commits.ts';
import type { ForgeParts } from '../parts.ts';
import type { Repository } from '../repositories.ts';
import { moveRef, signatureOf, writeCommit } from '../tree-writer.ts';
import { fullName } from '../views.ts';
import { refsOf } from './repositories.ts';
import {
  bodyOf,
  optionalText,
  pageOf,
  type RestContext,
  type RestEnv,
  repositoryOf,
  requiredText,
  signedIn,
} from './request.ts';

const read = { access: 'read', scope: 'contents' } as const;
const write = { access: 'write', scope: 'contents' } as const;
const base = '/repos/:owner/:repo/git';

/** Git's own objects and refs. */
export function gitDataRoutes(parts: ForgeParts): Hono<RestEnv> {
  const app = new Hono<RestEnv>();
  refRoutes(app, parts);
  blobRoutes(app, parts);
  treeRoutes(app, parts);
  commitObjectRoutes(app, parts);
  return app;
}

function refRoutes(app: Hono<RestEnv>, parts: ForgeParts): void {
  const { git, repos, ledger } = parts;
  const view = (repo: Repository, ref: { name: string; sha: string }) => ({
    ref: ref.name,
    node_id: '',
    url: `${parts.links.repo(fullName(repo))}/git/${ref.name}`,
    object: { type: 'commit', sha: ref.sha, url: `${parts.links.repo(fullName(repo))}/git/commits/${ref.sha}` },
  });
  const find = (repo: Repository, name: string) => refsOf(parts, repo, '').find((ref) => ref.name === name);
  app.get(`${base}/ref/:ref{.+}`, (c) => {
    const repo = repositoryOf(parts, c, read);
    const ref = find(repo, `refs/${c.req.param('ref')}`);
    if (!ref) throw new AppError('not-found', 'Not Found');
    return c.json(view(repo, ref));
  });
  app.get(`${base}/matching-refs/:ref{.+}`, (c) => {
    const repo = repositoryOf(parts, c, read);
    const matching = refsOf(parts, repo, '').filter((ref) => ref.name.startsWith(`refs/${c.req.param('ref')}`));
    return c.json(pageOf(c, matching).map((ref) => view(repo, ref)));
  });
  const move = async (c: RestContext, change: { name: string; from: string | undefined; to: string }) => {
    const repo = repositoryOf(parts, c, write);
    if (!/^refs\/(heads|tags)\/[^\s~^:?*[\\]+$/.test(change.name))
      throw new AppError('bad-input', 'Reference name must be below refs/heads/ or refs/tags/');
    const { signal } = new AbortController();
    if (!/^[0-9a-f]{40}$/.test(change.to)) throw new AppError('bad-input', 'sha must be 40 hexadecimal digits');
    const type = await git.maybeText(['cat-file', '-t', change.to], { repository: repos.gitDir(repo) }, signal);
    if (type === undefined) throw new AppError('bad-input', 'Object does not exist');
    await ledger.change(repo, signedIn(c), () =>
      moveRef(git, repos.gitDir(repo), { ref: change.name, from: change.from, to: change.to }, signal),
    );
    return view(repo, { name: change.name, sha: change.to });
  };
  app.post(`${base}/refs`, async (c) => {
    const repo = repositoryOf(parts, c, write);
    const body = await bodyOf(c);
    const name = requiredText(body, 'ref');
    if (find(repo, name)) throw new AppError('bad-input', 'Reference already exists');
    return c.json(await move(c, { name, from: undefined, to: requiredText(body, 'sha') }), 201);
  });
  app.patch(`${base}/refs/:ref{.+}`, async (c) => {
    const repo = repositoryOf(parts, c, write);
    const name = `refs/${c.req.param('ref')}`;
    const known = find(repo, name);
    if (!known) throw new AppError('bad-input', 'Reference does not exist');
    const body = await bodyOf(c);
    const to = requiredText(body, 'sha');
    if (!/^[0-9a-f]{40}$/.test(to)) throw new AppError('bad-input', 'sha must be 40 hexadecimal digits');
    const call = { repository: repos.gitDir(repo), okCodes: [0, 1, 128] };
    const { code } = await git.run(['merge-base', '--is-ancestor', known.sha, to], call, c.req.raw.signal);
    if (code !== 0 && body['force'] !== true) throw new AppError('bad-input', 'Update is not a fast forward');
    return c.json(await move(c, { name, from: known.sha, to }));
  });
  app.delete(`${base}/refs/:ref{.+}`, async (c) => {
    const repo = repositoryOf(parts, c, write);
    const name = `refs/${c.req.param('ref')}`;
    if (!find(repo, name)) throw new AppError('bad-input', 'Reference does not exist');
    if (name === `refs/heads/${repo.default_branch}`)
      throw new AppError('bad-input', 'Cannot delete the default branch');
    const { signal } = new AbortController();
    await ledger.change(repo, signedIn(c), () =>
      git.text(['update-ref', '-d', name], { repository: repos.gitDir(repo) }, signal),
    );
    return c.body(null, 204);
  });
}

function blobRoutes(app: Hono<RestEnv>, parts: ForgeParts): void {
  const { git, repos } = parts;
  const url = urlsOf(parts);
  app.get(`${base}/blobs/:sha`, async (c) => {
    const repo = repositoryOf(parts, c, read);
    const sha = shaParam(c);
    const { code, stdout } = await git.run(
      ['cat-file', 'blob', sha],
      { repository: repos.gitDir(repo), okCodes: [0, 128] },
      c.req.raw.signal,
    );
    if (code !== 0) throw new AppError('not-found', 'Not Found');
    return c.json({
      sha,
      node_id: '',
      size: stdout.length,
      url: url(repo, 'blobs', sha),
      content: stdout.toString('base64'),
      encoding: 'base64',
    });
  });
  app.post(`${base}/blobs`, async (c) => {
    const repo = repositoryOf(parts, c, write);
    const body = await bodyOf(c);
    const content = typeof body['content'] === 'string' ? body['content'] : '';
    const input = Buffer.from(content, body['encoding'] === 'base64' ? 'base64' : 'utf8');
    const sha = (
      await git.text(['hash-object', '-w', '--stdin'], { repository: repos.gitDir(repo), input }, c.req.raw.signal)
    ).trim();
    return c.json({ sha, url: url(repo, 'blobs', sha) }, 201);
  });
}

/** Addresses of objects. */
function urlsOf({ links }: ForgeParts) {
  return (repo: Repository, kind: string, sha: string) => `${links.repo(fullName(repo))}/git/${kind}/${sha}`;
}

function treeRoutes(app: Hono<RestEnv>, parts: ForgeParts): void {
  const { git, repos } = parts;
  const url = urlsOf(parts);
  app.get(`${base}/trees/:sha`, async (c) => {
    const repo = repositoryOf(parts, c, read);
    const rev = c.req.param('sha');
    if (rev.startsWith('-')) throw new AppError('not-found', 'Not Found');
    const call = { repository: repos.gitDir(repo) };
    const sha = (await git.maybeText(['rev-parse', '-q', '--verify', `${rev}^{tree}`], call, c.req.raw.signal))?.trim();
    if (sha === undefined) throw new AppError('not-found', 'Not Found');
    const recursive = c.req.query('recursive') === undefined ? [] : ['-r', '-t'];
    const text = await git.text(['ls-tree', '-z', '-l', ...recursive, sha], call, c.req.raw.signal);
    const tree = text.split('\0').flatMap((line) => {
      const match = /^(\d+) (blob|tree|commit) ([0-9a-f]{40})\s+(\d+|-)\t(.*)$/s.exec(line);
      if (!match) return [];
      const [, mode, type = '', object = '', size, path] = match;
      return [
        {
          path,
          mode,
          type,
          sha: object,
          ...(size === '-' ? {} : { size: Number(size) }),
          url: url(repo, `${type}s`, object),
        },
      ];
    });
    return c.json({ sha, url: url(repo, 'trees', sha), tree, truncated: false });
  });
  app.post(`${base}/trees`, async (c) => {
    const repo = repositoryOf(parts, c, write);
    const body = await bodyOf(c);
    const sha = await writeTree(parts, repo, body, c.req.raw.signal);
    return c.json({ sha, url: url(repo, 'trees', sha), tree: [], truncated: false }, 201);
  });
}

function commitObjectRoutes(app: Hono<RestEnv>, parts: ForgeParts): void {
  const { git, repos } = parts;
  const url = urlsOf(parts);
  app.get(`${base}/commits/:sha`, async (c) => {
    const repo = repositoryOf(parts, c, read);
    const commit = await findCommit(git, repos.gitDir(repo), shaParam(c), c.req.raw.signal);
    if (!commit) throw new AppError('not-found', 'Not Found');
    const { sha, author, committer, message, tree, parents } = commit;
    return c.json({
      sha,
      node_id: '',
      url: url(repo, 'commits', sha),
      author,
      committer,
      message,
      tree: { sha: tree, url: url(repo, 'trees', tree) },
      parents: parents.map((parent) => ({ sha: parent, url: url(repo, 'commits', parent) })),
    });
  });
  app.post(`${base}/commits`, async (c) => {
    const repo = repositoryOf(parts, c, write);
    const body = await bodyOf(c);
    const mine = signatureOf(signedIn(c).account);
    const author = {
      name: getString(body, 'author', 'name') ?? mine.name,
      email: getString(body, 'author', 'email') ?? mine.email,
    };
    const parents = getArray(body, 'parents').map(String);
    const [tree, message] = [requiredText(body, 'tree'), requiredText(body, 'message')];
    for (const object of [tree, ...parents])
      if (!/^[0-9a-f]{40}$/.test(object)) throw new AppError('bad-input', 'tree and parents must be shas');
    const sha = await writeCommit(
      git,
      repos.gitDir(repo),
      { tree, parents, message, author, committer: mine },
      c.req.raw.signal,
    );
    return c.json(
      {
        sha,
        url: url(repo, 'commits', sha),
        message,
        author,
        committer: mine,
        tree: { sha: tree },
        parents: parents.map((parent) => ({ sha: parent })),
      },
      201,
    );
  });
}

function shaParam(c: RestContext): string {
  const sha = c.req.param('sha') ?? '';
  if (!/^[0-9a-f]{4,40}$/.test(sha)) throw new AppError('not-found', 'Not Found');
  return sha;
}

/** A tree made of `base_tree` with entries put over it; an entry whose sha is null is removed. */
async function writeTree(parts: ForgeParts, repo: Repository, body: JsonObject, signal: AbortSignal): Promise<string> {
  const { git, entropy, repos } = parts;
  const repository = repos.gitDir(repo);
  const index = `${repository}/index-${entropy.uuid()}`;
  const call = { repository, env: { GIT_INDEX_FILE: index } };
  const lines: string[] = [];
  for (const entry of getArray(body, 'tree')) {
    const [path, mode, content] = [
      getString(entry, 'path'),
      getString(entry, 'mode') ?? '100644',
      getString(entry, 'content'),
    ];
    if (path === undefined || !/^\d{6}$/.test(mode)) throw new AppError('bad-input', 'tree entries need path and mode');
    const hash = ['hash-object', '-w', '--stdin'];
    const sha =
      content === undefined
        ? getString(entry, 'sha')
        : (await git.text(hash, { repository, input: content }, signal)).trim();
    lines.push(sha === undefined ? `0 ${'0'.repeat(40)}\t${path}` : `${mode} ${sha}\t${path}`);
  }
  try {
    const under = optionalText(body, 'base_tree');
    if (under?.startsWith('-')) throw new AppError('bad-input', 'base_tree must be a sha');
    await git.text(under === undefined ? ['read-tree', '--empty'] : ['read-tree', under], call, signal);
    await git.text(
      ['update-index', '-z', '--index-info'],
      { ...call, input: lines.map((line) => `${line}\0`).join('') },
      signal,
    );
    return (await git.text(['write-tree'], call, signal)).trim();
  } finally {
    await rm(index, { force: true });
  }
}
