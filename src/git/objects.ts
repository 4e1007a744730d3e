import { AppError } from '#base/errors.ts';
import { type CommitInfo, type CommitSha, parseCommitSha, type Signature, type TreeEntry } from './port.ts';

/** One entry of a tree object; `path` is its name alone. */
export type TreeItem = TreeEntry;

/** Entries of a tree object in their order. Names that would lead out of the tree are refused: a hostile repository can hold them. */
export function parseTree(data: Buffer): TreeItem[] {
  const items: TreeItem[] = [];
  let at = 0;
  while (at < data.length) {
    const space = data.indexOf(32, at);
    const end = data.indexOf(0, space);
    if (space < 0 || end < 0 || end + 21 > data.length) throw new AppError('corrupt-data', 'a tree object is cut off');
    const mode = data.toString('latin1', at, space).padStart(6, '0');
    const type = mode === '040000' ? 'tree' : mode === '160000' ? 'commit' : 'blob';
    const path = data.toString('utf8', space + 1, end);
    if (path === '' || path === '.' || path === '..' || path.includes('/') || path.toLowerCase() === '.git')
      throw new AppError('bad-input', `a folder of the repository holds an entry named ${JSON.stringify(path)}`, {
        hint: 'git fsck shows the commit that brought it',
      });
    items.push({ path, mode, type, oid: data.toString('hex', end + 1, end + 21) });
    at = end + 21;
  }
  return items;
}

export interface ParsedCommit {
  tree: string;
  info: CommitInfo;
}

/** A commit object. Headers it does not know (signatures, encodings) are skipped. */
export function parseCommit(sha: CommitSha, data: Buffer): ParsedCommit {
  const text = data.toString('utf8');
  const split = text.indexOf('\n\n');
  const headers = split < 0 ? text : text.slice(0, split);
  const message = split < 0 ? '' : text.slice(split + 2);
  const parents: CommitSha[] = [];
  let tree = '';
  let author = parseSignature('');
  let committer = parseSignature('');
  for (const line of headers.split('\n')) {
    const space = line.indexOf(' ');
    const value = line.slice(space + 1);
    switch (line.slice(0, space)) {
      case 'tree':
        tree = value;
        break;
      case 'parent':
        parents.push(parseParent(value));
        break;
      case 'author':
        author = parseSignature(value);
        break;
      case 'committer':
        committer = parseSignature(value);
        break;
    }
  }
  const { subject, body } = splitMessage(message);
  const info: CommitInfo = {
    sha,
    parents,
    author: author.who,
    authoredAt: author.at,
    committer: committer.who,
    committedAt: committer.at,
    subject,
    body,
  };
  return { tree, info };
}

/** The subject is the first paragraph on one line, as git shows it. */
export function splitMessage(message: string): { subject: string; body: string } {
  const text = message.replace(/^\n+/, '').replace(/\s+$/, '');
  const end = text.search(/\n[ \t]*\n/);
  const subject = (end < 0 ? text : text.slice(0, end)).split('\n').join(' ').trim();
  return {
    subject,
    body:
      end < 0
        ? ''
        : text
            .slice(end)
            .replace(/^\s*\n/, '')
            .replace(/^\n+/, ''),
  };
}

function parseParent(text: string): CommitSha {
  const sha = parseCommitSha(text);
  if (!sha) throw new AppError('corrupt-data', `a commit names ${JSON.stringify(text)} as a parent`);
  return sha;
}

function parseSignature(text: string): { who: Signature; at: number } {
  const match = /^(.*?) ?<([^>]*)> (-?\d+)/.exec(text);
  return { who: { name: match?.[1] ?? '', email: match?.[2] ?? '' }, at: Number(match?.[3] ?? 0) * 1000 };
}
