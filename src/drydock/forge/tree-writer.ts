import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Entropy } from '#base/clock.ts';
import { AppError } from '#base/errors.ts';
import type { Account } from './accounts.ts';
import { type Git, zeroSha } from './git.ts';

export interface TreeWriterDeps {
  git: Git;
  entropy: Entropy;
}

export interface Signature {
  name: string;
  email: string;
}

export interface NewCommit {
  tree: string;
  parents: string[];
  message: string;
  author: Signature;
  committer?: Signature;
}

export function signatureOf(account: Account): Signature {
  return { name: account.name || account.login, email: account.email || `${account.login}@users.noreply` };
}

/** Writes the commit object and answers its sha. */
export async function writeCommit(
  git: Git,
  repository: string,
  commit: NewCommit,
  signal: AbortSignal,
): Promise<string> {
  const { author, committer = author } = commit;
  const parents = commit.parents.flatMap((parent) => ['-p', parent]);
  const env = {
    GIT_AUTHOR_NAME: author.name,
    GIT_AUTHOR_EMAIL: author.email,
    GIT_COMMITTER_NAME: committer.name,
    GIT_COMMITTER_EMAIL: committer.email,
  };
  const call = { repository, env, input: commit.message };
  return (await git.text(['commit-tree', ...parents, '-F', '-', commit.tree], call, signal)).trim();
}

/** Moves a ref from exactly `from` (undefined: it must not exist) to `to`; throws conflict when it is elsewhere. */
export async function moveRef(
  git: Git,
  repository: string,
  move: { ref: string; from: string | undefined; to: string },
  signal: AbortSignal,
): Promise<void> {
  const args = ['update-ref', move.ref, move.to, move.from ?? zeroSha];
  const { code } = await git.run(args, { repository, okCodes: [0, 1, 128] }, signal);
  if (code !== 0)
    throw new AppError('conflict', `${move.ref} is not at the expected commit`, { hint: 'read it again and retry' });
}

/** The tree of `base` with one file written (`content`) or removed (undefined). */
export async function changeFile(
  deps: TreeWriterDeps,
  repository: string,
  change: { base: string | undefined; path: string; content: Uint8Array | undefined },
  signal: AbortSignal,
): Promise<string> {
  const { git, entropy } = deps;
  const index = join(repository, `index-${entropy.uuid()}`);
  const call = { repository, env: { GIT_INDEX_FILE: index } };
  try {
    await git.text(change.base === undefined ? ['read-tree', '--empty'] : ['read-tree', change.base], call, signal);
    const hash = ['hash-object', '-w', '--stdin'];
    const entry =
      change.content === undefined
        ? `0 ${zeroSha}`
        : `100644 ${(await git.text(hash, { repository, input: change.content }, signal)).trim()}`;
    await git.text(['update-index', '-z', '--index-info'], { ...call, input: `${entry}\t${change.path}\0` }, signal);
    return (await git.text(['write-tree'], call, signal)).trim();
  } finally {
    await rm(index, { force: true });
  }
}

/** The tree that merging two commits gives; undefined when they conflict. */
export async function mergeTree(
  git: Git,
  repository: string,
  sides: { ours: string; theirs: string },
  signal: AbortSignal,
): Promise<string | undefined> {
  const args = ['merge-tree', '--write-tree', '--no-messages', sides.ours, sides.theirs];
  const { code, stdout } = await git.run(args, { repository, okCodes: [0, 1] }, signal);
  return code === 0 ? stdout.toString('utf8').trim() : undefined;
}
