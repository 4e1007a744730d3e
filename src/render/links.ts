import { posix } from 'node:path';
import { sha256Hex } from '#base/digest.ts';
import { AppError } from '#base/errors.ts';
import type { TreeEntry } from '#git/port.ts';
import type { SourceTree } from './tree.ts';

export interface LinkedEntry extends TreeEntry {
  /** Reached through a symbolic link: to the file itself, or to a folder above it. */
  link?: 'file' | 'folder';
}

/**
 * A tree whose symbolic links are followed as long as they stay inside: a linked file is listed with the content of its
 * target, a linked folder with the files there. Ids of folders with links in them cover what the links lead to.
 */
export interface LinkedTree extends SourceTree {
  listFiles(path: string, signal: AbortSignal): Promise<LinkedEntry[]>;
  /** The path without links; undefined when nothing is there. Throws AppError for a link that leads out of the tree. */
  realPath(path: string, signal: AbortSignal): Promise<string | undefined>;
  /** Paths outside `path` that links at or below it lead to. */
  outside(path: string, signal: AbortSignal): Promise<string[]>;
}

const maxLinks = 40;
const maxListed = 100_000;
const linkMode = '120000';
const known = new WeakMap<SourceTree, LinkedTree>();
/** Folders (by object id) that hold no link: most of them. */
const withoutLinks = new Set<string>();
const maxRemembered = 50_000;

/** The same tree gives the same linked tree. */
export function followLinks(tree: SourceTree): LinkedTree {
  if (tree instanceof LinkFollower) return tree;
  let linked = known.get(tree);
  if (!linked) {
    linked = new LinkFollower(tree);
    known.set(tree, linked);
  }
  return linked;
}

class LinkFollower implements LinkedTree {
  readonly url: string;
  readonly revision: string;
  readonly place: string;
  readonly #tree: SourceTree;
  readonly #real = new Map<string, string | undefined>();

  constructor(tree: SourceTree) {
    this.#tree = tree;
    this.url = tree.url;
    this.revision = tree.revision;
    this.place = tree.place;
  }

  async objectId(path: string, signal: AbortSignal): Promise<string | undefined> {
    const real = await this.realPath(path, signal);
    if (real === undefined) return undefined;
    const oid = await this.#tree.objectId(real, signal);
    if (oid === undefined || (await this.#isPlain(real, oid, signal))) return oid;
    const files = await this.listFiles(real, signal);
    return sha256Hex([oid, ...files.map((file) => `${file.mode} ${file.oid} ${file.path}`)].join('\n'));
  }

  async mode(path: string, signal: AbortSignal): Promise<string | undefined> {
    const real = await this.realPath(path, signal);
    return real === undefined ? undefined : await this.#tree.mode(real, signal);
  }

  async listFiles(path: string, signal: AbortSignal): Promise<LinkedEntry[]> {
    const real = await this.realPath(path, signal);
    if (real === undefined) return await this.#tree.listFiles(path, signal);
    const files: LinkedEntry[] = [];
    await this.#list({ real, shown: path, into: files, above: [real] }, signal);
    return files;
  }

  async readFile(path: string, signal: AbortSignal): Promise<Buffer | undefined> {
    const real = await this.realPath(path, signal);
    return real === undefined ? undefined : await this.#tree.readFile(real, signal);
  }

  readBlob(oid: string, signal: AbortSignal): Promise<Buffer> {
    return this.#tree.readBlob(oid, signal);
  }

  async realPath(path: string, signal: AbortSignal): Promise<string | undefined> {
    if (this.#real.has(path)) return this.#real.get(path);
    const real = await this.#findReal(path, signal);
    if (this.#real.size >= maxRemembered) this.#real.clear();
    this.#real.set(path, real);
    return real;
  }

  /** Whether a file or folder is what it is without any link in it. */
  async #isPlain(real: string, oid: string, signal: AbortSignal): Promise<boolean> {
    if (withoutLinks.has(oid)) return true;
    const mode = await this.#tree.mode(real, signal);
    // A file may have the bytes of a link elsewhere, so only folders are remembered.
    if (mode !== '040000') return mode !== linkMode;
    const listed = await this.#tree.listFiles(real, signal);
    if (listed.some((entry) => entry.mode === linkMode)) return false;
    remember(oid);
    return true;
  }

  async #findReal(path: string, signal: AbortSignal): Promise<string | undefined> {
    let at = path;
    for (let left = maxLinks; left > 0; left -= 1) {
      const step = await this.#step(at, signal);
      if (step === undefined || step === at) return step;
      at = step;
    }
    throw new AppError('bad-input', `${path} in ${this.url} leads through more than ${maxLinks} symbolic links`, {
      hint: 'are there links that lead to each other?',
    });
  }

  async outside(path: string, signal: AbortSignal): Promise<string[]> {
    const real = await this.realPath(path, signal);
    if (real === undefined) return [];
    const found = new Set(real === path ? [] : [real]);
    const oid = await this.#tree.objectId(real, signal);
    if (oid === undefined || (await this.#isPlain(real, oid, signal))) return [...found];
    for (const entry of await this.#tree.listFiles(real, signal)) {
      if (entry.mode !== linkMode) continue;
      const target = await this.realPath(entry.path, signal);
      if (target === undefined || isBelow(target, real)) continue;
      found.add(target);
      for (const further of await this.outside(target, signal)) found.add(further);
    }
    return [...found].sort();
  }

  /** The path with its first link replaced; itself when there is none, undefined when nothing is there. */
  async #step(path: string, signal: AbortSignal): Promise<string | undefined> {
    if (path === '') return path;
    const names = path.split('/');
    // Nothing stands behind a link: only the deepest that is there can be one.
    for (let count = names.length; count > 0; count -= 1) {
      const there = names.slice(0, count).join('/');
      const mode = await this.#tree.mode(there, signal);
      if (mode === undefined) continue;
      if (mode !== linkMode) return count === names.length ? path : undefined;
      return posix.join(await this.#target(there, signal), names.slice(count).join('/'));
    }
    return undefined;
  }

  async #target(path: string, signal: AbortSignal): Promise<string> {
    const target = (await this.#tree.readFile(path, signal))?.toString('utf8') ?? '';
    const normal = posix.normalize(posix.join(posix.dirname(path), target)).replace(/\/+$/, '');
    if (target.startsWith('/') || normal === '..' || normal.startsWith('../'))
      throw new AppError('bad-input', `${path} in ${this.url} is a symbolic link to ${target}, out of the repository`, {
        hint: 'let the link lead to a file inside the repository, or replace it by a copy',
      });
    return normal === '.' ? '' : normal;
  }

  async #list(
    walk: { real: string; shown: string; into: LinkedEntry[]; above: string[]; link?: 'folder' },
    signal: AbortSignal,
  ): Promise<void> {
    for (const entry of await this.#tree.listFiles(walk.real, signal)) {
      const below = walk.real === '' ? entry.path : entry.path.slice(walk.real.length).replace(/^\//, '');
      const path = walk.shown === '' ? below : below === '' ? walk.shown : `${walk.shown}/${below}`;
      if (walk.into.length >= maxListed)
        throw new AppError(
          'limit',
          `${walk.shown || 'the repository'} lists more than ${maxListed} files with its links`,
        );
      if (entry.mode !== linkMode) {
        walk.into.push({ ...entry, path, ...(walk.link ? { link: walk.link } : {}) });
        continue;
      }
      const target = await this.realPath(entry.path, signal);
      // A link to nothing is nothing.
      if (target === undefined) continue;
      if (walk.above.some((folder) => isBelow(entry.path, target) || folder === target))
        throw new AppError('bad-input', `${entry.path} in ${this.url} is a symbolic link to a folder that it is in`, {
          hint: 'remove the link: following it has no end',
        });
      const [only] = await this.#tree.listFiles(target, signal);
      if (only?.path === target) walk.into.push({ ...only, path, link: walk.link ?? 'file' });
      else
        await this.#list(
          { real: target, shown: path, into: walk.into, above: [...walk.above, target], link: 'folder' },
          signal,
        );
    }
  }
}

function remember(oid: string): void {
  if (withoutLinks.size >= maxRemembered) withoutLinks.clear();
  withoutLinks.add(oid);
}

/** The path itself, or something under it. */
export function isBelow(path: string, folder: string): boolean {
  return folder === '' || path === folder || path.startsWith(`${folder}/`);
}
