import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '#base/errors.ts';
import type { TreeChange } from './commit-writer.ts';
import { type GitProgram, runGit } from './git-process.ts';
import type { ObjectReader, TreeDifference } from './object-reader.ts';
import type { CommitInfo, CommitSha, TreeEntry } from './port.ts';

export interface RevertDeps {
  reader: ObjectReader;
  program: GitProgram;
}

/** The message that `git revert` writes; reverting a revert is a reapply. */
export function revertMessage(commit: CommitInfo, trailer?: string): string {
  const undone = /^Revert "(?!Revert ")(.*)"$/.exec(commit.subject);
  const subject = undone ? `Reapply "${undone[1]}"` : `Revert "${commit.subject}"`;
  const merged = commit.parents.length > 1 ? `, reversing\nchanges made to ${commit.parents[0]}.` : '.';
  return `${subject}\n\nThis reverts commit ${commit.sha}${merged}\n${trailer ? `\n${trailer}\n` : ''}`;
}

/**
 * What takes `commit` back out of `head`, within `paths`: a three-way merge of every file it changed, against its first
 * parent. Throws AppError `conflict` naming the files that were changed again since.
 */
export async function planRevert(
  deps: RevertDeps,
  input: { commit: CommitSha; head: CommitSha; paths: string[] | undefined },
  signal: AbortSignal,
): Promise<TreeChange[]> {
  const { reader } = deps;
  const { info, tree } = await reader.commit(input.commit, signal);
  const parent = info.parents[0];
  const parentTree = parent && (await reader.commit(parent, signal)).tree;
  const differences = (await reader.difference(parentTree, tree, signal)).filter((difference) =>
    isWithin(difference.path, input.paths),
  );
  const changes: TreeChange[] = [];
  const conflicts: string[] = [];
  for (const difference of differences) {
    const ours = await reader.entry(input.head, difference.path, signal);
    const change = await mergePath(deps, difference, ours, signal);
    if (change === 'conflict') conflicts.push(difference.path);
    else if (change) changes.push(change);
  }
  if (conflicts.length > 0)
    throw new AppError(
      'conflict',
      `cannot revert ${input.commit.slice(0, 7)}: later commits changed ${conflicts.join(', ')}`,
      {
        hint: 'revert the later commits first, or edit these files by hand',
      },
    );
  return changes;
}

export function isWithin(path: string, paths: string[] | undefined): boolean {
  if (!paths) return true;
  return paths.some((folder) => {
    const clean = folder.replace(/^(\.?\/)+|\/+$/g, '');
    return clean === '' || clean === '.' || path === clean || path.startsWith(`${clean}/`);
  });
}

/** `before` is what to go back to, `after` what the commit made of it, `ours` what is there now. */
async function mergePath(
  deps: RevertDeps,
  { path, before, after }: TreeDifference,
  ours: TreeEntry | undefined,
  signal: AbortSignal,
): Promise<TreeChange | 'conflict' | undefined> {
  if (sameEntry(ours, before)) return undefined;
  if (sameEntry(ours, after))
    return before ? { path, kind: 'object', mode: before.mode, oid: before.oid } : { path, kind: 'delete' };
  if (!ours || !after || !before) return 'conflict';
  if (![ours, after, before].every((entry) => entry.mode.startsWith('100'))) return 'conflict';
  const mode = ours.mode === after.mode ? before.mode : ours.mode;
  if (before.oid === after.oid) return { path, kind: 'object', mode, oid: ours.oid };
  const [mine, base, theirs] = await Promise.all(
    [ours, after, before].map((entry) => deps.reader.blob(entry.oid, signal)),
  );
  if (!mine || !base || !theirs) return 'conflict';
  const data = await mergeText(deps.program, [mine, base, theirs], signal);
  return data ? { path, kind: 'content', mode, data } : 'conflict';
}

/** Undefined on a conflict or when one is binary. git merge-file only takes files. */
async function mergeText(
  program: GitProgram,
  contents: [mine: Buffer, base: Buffer, theirs: Buffer],
  signal: AbortSignal,
): Promise<Buffer | undefined> {
  const folder = await mkdtemp(join(program.home, 'merge-'));
  try {
    const files = ['mine', 'base', 'theirs'].map((name) => join(folder, name));
    await Promise.all(files.map((file, index) => writeFile(file, contents[index] ?? '')));
    const { code, stdout } = await runGit(program, { args: ['merge-file', '-p', '-q', ...files] }, signal);
    return code === 0 ? stdout : undefined;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function sameEntry(a: TreeEntry | undefined, b: TreeEntry | undefined): boolean {
  return a?.oid === b?.oid && a?.mode === b?.mode;
}
