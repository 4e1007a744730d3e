import { Hono } from 'hono';
import { AppError } from '#base/errors.ts';
import { getString, type JsonObject } from '#base/json.ts';
import { findCommit } from '../commits.ts';
import type { ForgeParts } from '../parts.ts';
import type { Repository } from '../repositories.ts';
import { changeFile, moveRef, signatureOf, writeCommit } from '../tree-writer.ts';
import { fullName } from '../views.ts';
import { viewOf } from './commits.ts';
import {
  bodyOf,
  optionalText,
  type RestContext,
  type RestEnv,
  repositoryOf,
  requiredText,
  signedIn,
} from './request.ts';

const fileLimit = 100 * 1024 * 1024;
const route = '/repos/:owner/:repo/contents/:path{.*}';

/** Files of a repository by path: read, write and remove, each write one commit. */
export function contentRoutes(parts: ForgeParts): Hono<RestEnv> {
  const app = new Hono<RestEnv>();
  const read = async (c: RestContext) => {
    const repo = repositoryOf(parts, c, { access: 'read', scope: 'contents' });
    const path = pathOf(c);
    const ref = c.req.query('ref') ?? repo.default_branch;
    if (ref.startsWith('-')) throw new AppError('not-found', 'Not Found');
    const entry = await entryAt(parts, repo, { ref, path }, c.req.raw.signal);
    if (!entry) throw new AppError('not-found', 'Not Found');
    if (entry.type === 'tree')
      return c.json(
        (await listTree(parts, repo, { ref, path }, c.req.raw.signal)).map((each) =>
          entryView(parts, repo, { ...each, ref }),
        ),
      );
    if (entry.size > fileLimit)
      throw new AppError('forbidden', 'This file is too large to be read with the contents API');
    const call = { repository: parts.repos.gitDir(repo) };
    const { stdout } = await parts.git.run(['cat-file', 'blob', entry.sha], call, c.req.raw.signal);
    if (c.req.header('accept')?.includes('raw'))
      return c.body(new Uint8Array(stdout), 200, { 'content-type': 'application/octet-stream' });
    const content = stdout.toString('base64').replace(/.{60}/g, '$&\n');
    return c.json({ ...entryView(parts, repo, { ...entry, path, ref }), encoding: 'base64', content: `${content}\n` });
  };
  app.get('/repos/:owner/:repo/contents', read);
  app.get(route, read);
  app.get('/repos/:owner/:repo/readme', async (c) => {
    const repo = repositoryOf(parts, c, { access: 'read', scope: 'contents' });
    const at = { ref: c.req.query('ref') ?? repo.default_branch, path: '' };
    const entry = (await listTree(parts, repo, at, c.req.raw.signal)).find((each) => /^readme(\.|$)/i.test(each.path));
    if (!entry) throw new AppError('not-found', 'Not Found');
    return c.redirect(
      `${parts.links.repo(fullName(repo))}/contents/${entry.path}?ref=${encodeURIComponent(at.ref)}`,
      302,
    );
  });
  app.put(route, async (c) => {
    const body = await bodyOf(c);
    const content = Buffer.from(requiredContent(body), 'base64');
    const { status, view } = await writeFile(parts, c, { body, content });
    return c.json(view, status);
  });
  app.delete(route, async (c) => {
    const { view } = await writeFile(parts, c, { body: await bodyOf(c), content: undefined });
    return c.json(view);
  });
  return app;
}

function requiredContent(body: JsonObject): string {
  const content = body['content'];
  if (typeof content !== 'string') throw new AppError('bad-input', 'Invalid request.\n\n"content" wasn\'t supplied.');
  return content;
}

function pathOf(c: RestContext): string {
  const path = (c.req.param('path') ?? '').replace(/^\/+|\/+$/g, '');
  if (path.split('/').some((part) => part === '..' || part === '.git'))
    throw new AppError('bad-input', 'path contains a malformed path component');
  return path;
}

interface Entry {
  path: string;
  type: 'blob' | 'tree' | 'commit';
  sha: string;
  size: number;
}

/** Entries directly in a directory; empty when it does not exist. */
async function listTree(
  parts: ForgeParts,
  repo: Repository,
  at: { ref: string; path: string },
  signal: AbortSignal,
): Promise<Entry[]> {
  const treeish = at.path === '' ? at.ref : `${at.ref}:${at.path}`;
  const text = await parts.git.maybeText(
    ['ls-tree', '-z', '-l', treeish],
    { repository: parts.repos.gitDir(repo) },
    signal,
  );
  return (text ?? '').split('\0').flatMap((line) => {
    const match = /^\d+ (blob|tree|commit) ([0-9a-f]{40})\s+(\d+|-)\t(.*)$/s.exec(line);
    if (!match) return [];
    const [, type = '', sha = '', size = '', name = ''] = match;
    const path = at.path === '' ? name : `${at.path}/${name}`;
    return [
      {
        path,
        type: type === 'tree' ? 'tree' : type === 'commit' ? 'commit' : 'blob',
        sha,
        size: Number(size) || 0,
      } satisfies Entry,
    ];
  });
}

async function entryAt(
  parts: ForgeParts,
  repo: Repository,
  at: { ref: string; path: string },
  signal: AbortSignal,
): Promise<Entry | undefined> {
  if (at.path === '') {
    const commit = await findCommit(parts.git, parts.repos.gitDir(repo), at.ref, signal);
    return commit ? { path: '', type: 'tree', sha: commit.tree, size: 0 } : undefined;
  }
  const parent = at.path.includes('/') ? at.path.slice(0, at.path.lastIndexOf('/')) : '';
  return (await listTree(parts, repo, { ref: at.ref, path: parent }, signal)).find((entry) => entry.path === at.path);
}

function entryView(parts: ForgeParts, repo: Repository, entry: Entry & { ref: string }): JsonObject {
  const name = fullName(repo);
  const url = `${parts.links.repo(name)}/contents/${entry.path}?ref=${encodeURIComponent(entry.ref)}`;
  const kind = entry.type === 'tree' ? 'trees' : 'blobs';
  const gitUrl = `${parts.links.repo(name)}/git/${kind}/${entry.sha}`;
  const html = parts.links.html(`${name}/${entry.type === 'tree' ? 'tree' : 'blob'}/${entry.ref}/${entry.path}`);
  return {
    name: entry.path.split('/').at(-1) ?? '',
    path: entry.path,
    sha: entry.sha,
    size: entry.size,
    url,
    html_url: html,
    git_url: gitUrl,
    download_url: null,
    type: entry.type === 'tree' ? 'dir' : entry.type === 'commit' ? 'submodule' : 'file',
    _links: { self: url, git: gitUrl, html },
  };
}

async function writeFile(
  parts: ForgeParts,
  c: RestContext,
  { body, content }: { body: JsonObject; content: Buffer | undefined },
): Promise<{ status: 200 | 201; view: JsonObject }> {
  const repo = repositoryOf(parts, c, { access: 'write', scope: 'contents' });
  const who = signedIn(c);
  const path = pathOf(c);
  const branch = optionalText(body, 'branch') ?? repo.default_branch;
  const message = requiredText(body, 'message');
  const directory = parts.repos.gitDir(repo);
  const { git } = parts;
  // A write that has begun is finished even when the client goes away, so that its commit is recorded.
  const { signal } = new AbortController();
  const written = await parts.ledger.change(repo, who, async () => {
    const base = (
      await git.maybeText(['rev-parse', '-q', '--verify', `refs/heads/${branch}`], { repository: directory }, signal)
    )?.trim();
    const before = base === undefined ? undefined : await entryAt(parts, repo, { ref: base, path }, signal);
    checkSha(path, before, optionalText(body, 'sha'), content !== undefined);
    const tree = await changeFile(parts, directory, { base, path, content }, signal);
    const author = { ...signatureOf(who.account), ...person(body, 'author') };
    const committer = { ...signatureOf(who.account), ...person(body, 'committer') };
    const sha = await writeCommit(
      git,
      directory,
      { tree, parents: base === undefined ? [] : [base], message, author, committer },
      signal,
    );
    await moveRef(git, directory, { ref: `refs/heads/${branch}`, from: base, to: sha }, signal);
    return { sha, existed: before !== undefined };
  });
  const [entry, commit] = await Promise.all([
    entryAt(parts, repo, { ref: written.sha, path }, signal),
    findCommit(git, directory, written.sha, signal),
  ]);
  const view = {
    content: entry ? entryView(parts, repo, { ...entry, ref: branch }) : null,
    commit: commit ? { ...viewOf(parts, repo, commit), ...flatCommit(commit) } : null,
  };
  return { status: written.existed ? 200 : 201, view };
}

function flatCommit(commit: { sha: string; message: string }): JsonObject {
  return { sha: commit.sha, message: commit.message };
}

/** An existing file is changed only by someone who names the version they saw. */
function checkSha(path: string, before: Entry | undefined, sha: string | undefined, isWrite: boolean): void {
  if (!before && !isWrite) throw new AppError('not-found', 'Not Found');
  if (before && sha === undefined) throw new AppError('bad-input', `Invalid request.\n\n"sha" wasn't supplied.`);
  if (sha !== undefined && before?.sha !== sha) throw new AppError('conflict', `${path} does not match ${sha}`);
}

function person(body: JsonObject, key: string): { name?: string; email?: string } {
  const name = getString(body, key, 'name');
  const email = getString(body, key, 'email');
  return { ...(name === undefined ? {} : { name }), ...(email === undefined ? {} : { email }) };
}
