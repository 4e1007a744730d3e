import type { Stats } from 'node:fs';
import { lstat, readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256Hex } from '#base/digest.ts';
import { AppError } from '#base/errors.ts';
import type { TreeEntry } from '#git/port.ts';
import { compareBytes } from './entry-order.ts';
import { joinPath } from './repository-path.ts';
import type { SourceTree } from './tree.ts';

const maxFiles = 50_000;

/**
 * A folder on disk as it is now, uncommitted files too; what stands in `.git` is left out. Read as it is asked for: the
 * folder must not change meanwhile.
 */
export function diskTree(root: string, names: { url: string; revision: string }): SourceTree {
  return new DiskTree(root, names);
}

class DiskTree implements SourceTree {
  readonly url: string;
  readonly revision: string;
  readonly place: string;
  readonly #root: string;
  readonly #files = new Map<string, string>();

  constructor(root: string, names: { url: string; revision: string }) {
    this.#root = root;
    this.url = names.url;
    this.revision = names.revision;
    this.place = `${root} on disk`;
  }

  async objectId(path: string, _signal: AbortSignal): Promise<string | undefined> {
    const entry = await this.#entry(path);
    if (!entry || entry.type === 'blob') return entry?.oid;
    const files = await this.#below(path, []);
    return sha256Hex(files.map((file) => `${file.mode} ${file.oid} ${file.path.slice(path.length)}`).join('\n'));
  }

  async mode(path: string, _signal: AbortSignal): Promise<string | undefined> {
    return (await this.#entry(path))?.mode;
  }

  async listFiles(path: string, _signal: AbortSignal): Promise<TreeEntry[]> {
    const entry = await this.#entry(path);
    if (!entry) throw new AppError('not-found', `${this.place} has no path ${JSON.stringify(path)}`);
    return entry.type === 'blob' ? [entry] : await this.#below(path, []);
  }

  async readFile(path: string, _signal: AbortSignal): Promise<Buffer | undefined> {
    const entry = await this.#entry(path);
    return entry?.type === 'blob' ? await this.#read(path, entry.mode) : undefined;
  }

  async readBlob(oid: string, _signal: AbortSignal): Promise<Buffer> {
    const path = this.#files.get(oid);
    if (path === undefined) throw new AppError('not-found', `no file of ${this.place} has the id ${oid}`);
    const [mode = '', name = ''] = path.split(/ (.*)/s);
    return await this.#read(name, mode);
  }

  async #read(path: string, mode: string): Promise<Buffer> {
    const full = join(this.#root, path);
    return mode === '120000' ? Buffer.from(await readlink(full)) : await readFile(full);
  }

  async #entry(path: string): Promise<TreeEntry | undefined> {
    const names = path.split('/').filter((name) => name !== '');
    if (names.includes('.git')) return undefined;
    // As in a repository, nothing stands behind a link.
    for (let count = 1; count < names.length; count += 1) {
      const above = await stat(join(this.#root, ...names.slice(0, count)));
      if (!above?.isDirectory()) return undefined;
    }
    const found = await stat(join(this.#root, path));
    if (!found) return undefined;
    if (found.isDirectory()) return { path, mode: '040000', type: 'tree', oid: '' };
    if (!found.isFile() && !found.isSymbolicLink()) return undefined;
    const mode = found.isSymbolicLink() ? '120000' : (found.mode & 0o100) !== 0 ? '100755' : '100644';
    const oid = sha256Hex(await this.#read(path, mode));
    this.#files.set(oid, `${mode} ${path}`);
    return { path, mode, type: 'blob', oid };
  }

  async #below(folder: string, out: TreeEntry[]): Promise<TreeEntry[]> {
    for (const name of (await readdir(join(this.#root, folder))).sort(compareBytes)) {
      if (name === '.git') continue;
      const path = joinPath(folder, name);
      const entry = await this.#entry(path);
      if (entry?.type === 'tree') await this.#below(path, out);
      else if (entry) out.push(entry);
      if (out.length > maxFiles)
        throw new AppError('limit', `${folder || '.'} in ${this.place} holds more than ${maxFiles} files`);
    }
    return out;
  }
}

async function stat(path: string): Promise<Stats | undefined> {
  try {
    return await lstat(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR'))
      return undefined;
    throw error;
  }
}
