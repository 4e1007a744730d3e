import type { Git } from './git.ts';

export interface Person {
  name: string;
  email: string;
  /** RFC 3339 with the person's own offset. */
  date: string;
}

export interface Commit {
  sha: string;
  tree: string;
  parents: string[];
  author: Person;
  committer: Person;
  message: string;
  files: { status: string; path: string }[];
}

const fields = ['%H', '%T', '%P', '%an', '%ae', '%aI', '%cn', '%ce', '%cI', '%B'];
const format = `--format=%x1e${fields.join('%x1f')}%x1d`;

export interface LogQuery {
  /** Revisions and options for `git log`, such as `a..b` or `--max-count=5`. */
  args: string[];
  withFiles: boolean;
  path?: string | undefined;
}

/** The commits `git log` lists; throws tool-failed when a revision does not exist. */
export async function listCommits(
  git: Git,
  repository: string,
  query: LogQuery,
  signal: AbortSignal,
): Promise<Commit[]> {
  const files = query.withFiles ? ['--name-status', '--no-renames', '-c'] : [];
  const path = query.path === undefined ? [] : [query.path];
  const args = ['log', format, '-z', '--encoding=UTF-8', ...files, ...query.args, '--', ...path];
  return parseLog(await git.text(args, { repository }, signal));
}

export async function findCommit(
  git: Git,
  repository: string,
  rev: string,
  signal: AbortSignal,
): Promise<Commit | undefined> {
  if (rev.startsWith('-')) return undefined;
  const args = ['log', format, '-z', '-1', '--name-status', '--no-renames', '-c', rev, '--'];
  const text = await git.maybeText(args, { repository }, signal);
  return text === undefined ? undefined : parseLog(text)[0];
}

function parseLog(text: string): Commit[] {
  return text
    .split('\x1e')
    .slice(1)
    .map((record) => {
      const [head = '', tail = ''] = record.split('\x1d');
      const [sha = '', tree = '', parents = '', an = '', ae = '', ad = '', cn = '', ce = '', cd = '', message = ''] =
        head.split('\x1f');
      return {
        sha,
        tree,
        parents: parents.split(' ').filter(Boolean),
        author: { name: an, email: ae, date: ad },
        committer: { name: cn, email: ce, date: cd },
        message: message.replace(/\n+$/, ''),
        files: parseFiles(tail),
      };
    });
}

/** `status NUL path NUL` pairs; a merge has one status letter for each parent. */
function parseFiles(text: string): { status: string; path: string }[] {
  const parts = text
    .split('\0')
    .map((part) => part.replace(/^\n/, ''))
    .filter((part) => part !== '');
  const files: { status: string; path: string }[] = [];
  for (let at = 0; at + 1 < parts.length; at += 2) {
    files.push({ status: (parts[at] ?? '').slice(0, 1), path: parts[at + 1] ?? '' });
  }
  return files;
}
