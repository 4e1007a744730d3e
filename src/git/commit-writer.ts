import { createHash } from 'node:crypto';
import type { Clock } from '#base/clock.ts';
import { AppError } from '#base/errors.ts';
import type { ObjectReader } from './object-reader.ts';
import { type CommitSha, type FileChanges, parseCommitSha, type Signature } from './port.ts';
import type { Storage } from './storage.ts';

/** One path of a commit: gone, an object that exists, or new content. */
export type TreeChange =
  | { path: string; kind: 'delete' }
  | { path: string; kind: 'object'; mode: string; oid: string }
  | { path: string; kind: 'content'; mode: string; data: Buffer };

export interface NewCommit {
  parent: CommitSha;
  message: string;
  author: Signature;
  changes: TreeChange[];
}

const workRef = 'refs/slipway/commit';

/** What `changes` do to the tree of `head`: entries that are so already are left out, modes are kept. */
export async function planChanges(
  reader: ObjectReader,
  head: CommitSha,
  changes: FileChanges,
  signal: AbortSignal,
): Promise<TreeChange[]> {
  const planned: TreeChange[] = [];
  for (const [path, content] of changes) {
    checkPath(path);
    const entry = await reader.entry(head, path, signal);
    if (content === null) {
      if (entry && entry.type !== 'tree') planned.push({ path, kind: 'delete' });
      continue;
    }
    if (entry && entry.type === 'tree')
      throw new AppError('bad-input', `${path} is a folder, so no file can be written`);
    if (entry && entry.mode === '120000')
      throw new AppError('bad-input', `${path} is a symbolic link`, { hint: 'change the file it points at' });
    const data = Buffer.from(content);
    if (entry?.oid !== blobId(data)) planned.push({ path, kind: 'content', mode: entry?.mode ?? '100644', data });
  }
  return planned;
}

/** Writes blobs, trees and the commit in one run of `git fast-import`. Nothing is pushed, no branch moves. */
export async function writeCommit(
  storage: Storage,
  clock: Clock,
  commit: NewCommit,
  signal: AbortSignal,
): Promise<CommitSha> {
  const run = { args: ['fast-import', '--quiet', '--force', '--done'], stdin: fastImport(commit, clock.now()) };
  const { stdout } = await storage.git(run, signal);
  const sha = parseCommitSha(stdout.toString('utf8').trim());
  if (!sha) throw new AppError('tool-failed', 'git fast-import did not name the commit it made');
  return sha;
}

/** The stream that `git fast-import` reads; it prints the commit's id. */
export function fastImport({ parent, message, author, changes }: NewCommit, nowMs: number): Buffer {
  const parts: Buffer[] = [];
  const write = (text: string) => parts.push(Buffer.from(text));
  const data = (bytes: Buffer) => parts.push(Buffer.from(`data ${bytes.byteLength}\n`), bytes, Buffer.from('\n'));
  changes.forEach((change, index) => {
    if (change.kind !== 'content') return;
    write(`blob\nmark :${index + 1}\n`);
    data(change.data);
  });
  const who = `${clean(author.name)} <${clean(author.email)}> ${Math.floor(nowMs / 1000)} +0000`;
  const mark = `:${changes.length + 1}`;
  write(`commit ${workRef}\nmark ${mark}\nauthor ${who}\ncommitter ${who}\n`);
  data(Buffer.from(message.endsWith('\n') ? message : `${message}\n`));
  write(`from ${parent}\n`);
  // Deletions first: a file may have become a folder.
  for (const change of changes) if (change.kind === 'delete') write(`D ${quote(change.path)}\n`);
  changes.forEach((change, index) => {
    if (change.kind === 'content') write(`M ${change.mode} :${index + 1} ${quote(change.path)}\n`);
    if (change.kind === 'object') write(`M ${change.mode} ${change.oid} ${quote(change.path)}\n`);
  });
  write(`\nget-mark ${mark}\ndone\n`);
  return Buffer.concat(parts);
}

function checkPath(path: string): void {
  const bad = path
    .split('/')
    .some((name) => name === '' || name === '.' || name === '..' || name.toLowerCase() === '.git');
  if (bad || path.includes('\0'))
    throw new AppError('bad-input', `${JSON.stringify(path)} is not a path inside a repository`);
}

function blobId(data: Buffer): string {
  return createHash('sha1').update(`blob ${data.byteLength}\0`).update(data).digest('hex');
}

function quote(path: string): string {
  return `"${path.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`;
}

function clean(text: string): string {
  return text.replace(/[<>\0\n\r]/g, ' ').trim();
}
