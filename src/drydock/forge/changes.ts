import type { Git } from './git.ts';

/** A changed file as GitHub lists it. */
export interface ChangedFile {
  sha: string | null;
  filename: string;
  status: 'added' | 'removed' | 'modified' | 'renamed';
  previous_filename?: string;
  additions: number;
  deletions: number;
  changes: number;
  patch?: string;
}

/** The tree of a repository without files. */
const emptyTree = '4b825dc642cb6eb9a060e54bf8d69288fbee4904';
const fileLimit = 3000;
const patchLimit = 64 * 1024;

const statuses: Record<string, ChangedFile['status']> = { A: 'added', D: 'removed', R: 'renamed' };

/** Files that differ between two commits, with their patches; without `from`, all files of `to`. */
export async function changedFiles(
  git: Git,
  repository: string,
  { from = emptyTree, to }: { from?: string | undefined; to: string },
  signal: AbortSignal,
): Promise<ChangedFile[]> {
  const call = { repository };
  const [raw, patches] = await Promise.all([
    git.text(['diff', '--raw', '--numstat', '-z', '-M', '--abbrev=40', from, to], call, signal),
    git.text(['diff', '-M', '--no-color', '--no-ext-diff', from, to], call, signal),
  ]);
  const files = parseRaw(raw).slice(0, fileLimit);
  const texts = splitPatches(patches);
  return files.map((file, at) => {
    const patch = texts[at];
    return patch === undefined || patch.length > patchLimit ? file : { ...file, patch };
  });
}

/** `:modes shas status NUL path NUL [path NUL]` records, then `added TAB deleted TAB path NUL` ones, in the same order. */
function parseRaw(text: string): ChangedFile[] {
  const parts = text.split('\0');
  const files: ChangedFile[] = [];
  let at = 0;
  for (; parts[at]?.startsWith(':'); at += 1) {
    const [, , , sha = '', status = 'M'] = (parts[at] ?? '').split(' ');
    at += 1;
    const first = parts[at] ?? '';
    const kind = statuses[status.slice(0, 1)] ?? 'modified';
    const file: ChangedFile = {
      sha: /^0+$/.test(sha) ? null : sha,
      filename: first,
      status: kind,
      additions: 0,
      deletions: 0,
      changes: 0,
    };
    if (kind === 'renamed') {
      at += 1;
      Object.assign(file, { filename: parts[at] ?? '', previous_filename: first });
    }
    files.push(file);
  }
  for (const file of files) {
    const [added = '0', deleted = '0', path] = (parts[at] ?? '').split('\t');
    at += path === '' ? 3 : 1;
    file.additions = Number(added) || 0;
    file.deletions = Number(deleted) || 0;
    file.changes = file.additions + file.deletions;
  }
  return files;
}

/** The hunks of each file of a diff; undefined for files without any, such as binary ones. */
function splitPatches(text: string): (string | undefined)[] {
  return text
    .split(/^(?=diff --git )/m)
    .filter(Boolean)
    .map((patch) => {
      const start = patch.search(/^@@ /m);
      return start < 0 ? undefined : patch.slice(start).replace(/\n$/, '');
    });
}
