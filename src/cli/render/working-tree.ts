import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

/** What a folder on disk knows of its repository. */
export interface WorkingTree {
  root: string;
  remotes: string[];
  /** The commit that is checked out; undefined outside a repository. */
  head: string | undefined;
}

/** The folder that holds `.git`, upwards from `from`; `from` itself when there is none. */
export function findRoot(from: string): string {
  for (let at = resolve(from); ; at = dirname(at)) {
    if (existsSync(join(at, '.git'))) return at;
    if (dirname(at) === at) return resolve(from);
  }
}

/** Reads git's own files, which is enough for remotes and the commit. */
export function readWorkingTree(root: string): WorkingTree {
  const folder = gitFolder(root);
  if (folder === undefined) return { root, remotes: [], head: undefined };
  const config = read(join(folder, 'config')) ?? '';
  const remotes = [...config.matchAll(/^\s*url\s*=\s*(\S+)\s*$/gm)].map((match) => match[1] ?? '');
  const head = read(join(folder, 'HEAD'))?.trim() ?? '';
  if (!head.startsWith('ref: ')) return { root, remotes, head: head || undefined };
  const ref = head.slice(5);
  const loose = read(join(folder, ref))?.trim();
  const packed = new RegExp(`^([0-9a-f]{40}) ${ref.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`, 'm');
  return { root, remotes, head: loose ?? packed.exec(read(join(folder, 'packed-refs')) ?? '')?.[1] };
}

/** Of a linked work tree `.git` is a file that names the place; its config stands in the main one. */
function gitFolder(root: string): string | undefined {
  const own = join(root, '.git');
  if (!existsSync(own)) return undefined;
  const link = read(own);
  const named = /^gitdir: (.+)$/m.exec(link ?? '')?.[1];
  if (named === undefined) return own;
  const folder = resolve(root, named);
  const common = read(join(folder, 'commondir'))?.trim();
  return common === undefined ? folder : resolve(folder, common);
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'EISDIR'))
      return undefined;
    throw error;
  }
}

/** Addresses of the same repository in different spellings are equal. */
export function sameRepository(a: string, b: string): boolean {
  return plain(a) === plain(b);
}

function plain(url: string): string {
  return url
    .toLowerCase()
    .replace(/^[a-z+]+:\/\//, '')
    .replace(/^[^@/]*@/, '')
    .replace(/^([^/:]+):(?!\d+\/)/, '$1/')
    .replace(/\.git\/?$/, '')
    .replace(/\/+$/, '');
}
