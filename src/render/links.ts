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

  constructor(tree: SourceTree) {
    this.#tree = tree;
    this.url = tree.url;
    this.revision = tree.revision;
    this.place = tree.place;
  }

  async objectId(path: string, signal: AbortSignal): Promise<string | undefined> {
    const own = await this.#tree.objectId(path, signal);
    if (own !== undefined && withoutLinks.has(own)) return own;
    const real = await this.realPath(path, signal);
    if (real === undefined) return undefined;
    const oid = await this.#tree.objectId(real, signal);
    if (oid === undefined || withoutLinks.has(oid)) return oid;
    const listed = await this.#tree.listFiles(real, signal);
    if (!listed.some(({ mode }) => mode === linkMode)) {
      // A file may have the bytes of a link elsewhere, so only folders are remembered.
      if (listed.length !== 1 || listed[0]?.path !== real) remember(oid);
      return oid;
    }
    const files = await this.listFiles(real, signal);
    return sha256Hex([oid, ...files.map((file) => `${file.mode} ${file.oid} ${file.path}`)].join('\n'));
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
    if (oid === undefined || withoutLinks.has(oid)) return [...found];
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
    const oid = await this.#tree.objectId(path, signal);
    if (oid !== undefined) {
      if (withoutLinks.has(oid)) return path;
      const [only, ...others] = await this.#tree.listFiles(path, signal);
      if (only?.mode !== linkMode || only.path !== path || others.length > 0) return path;
      return await this.#target(path, oid, signal);
    }
    const names = path.split('/');
    for (let count = 1; count < names.length; count += 1) {
      const above = names.slice(0, count).join('/');
      const id = await this.#tree.objectId(above, signal);
      if (id === undefined) return undefined;
      const [only] = await this.#tree.listFiles(above, signal);
      if (only?.path !== above) continue;
      if (only.mode !== linkMode) return undefined;
      return posix.join(await this.#target(above, id, signal), names.slice(count).join('/'));
    }
    return undefined;
  }

  async #target(path: string, oid: string, signal: AbortSignal): Promise<string> {
    const target = (await this.#tree.readBlob(oid, signal)).toString('utf8');
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
