import { sha256Hex } from '#base/digest.ts';
import { AppError } from '#base/errors.ts';
import type { TreeEntry } from '#git/port.ts';
import type { ArchivedFile } from './archive.ts';
import type { ChartTree } from './port.ts';

export interface ArchiveTreeOptions {
  url: string;
  revision: string;
  version: string;
  /** What messages call it. */
  place: string;
  /** The contents by their ids; the tree itself keeps none. */
  load: (signal: AbortSignal) => Promise<ReadonlyMap<string, Buffer>>;
  archive: (signal: AbortSignal) => Promise<Buffer>;
}

/** Ids of an archive's files, by which trees of equal content are equal, whenever and however they were packed. */
export function listArchive(files: readonly ArchivedFile[]): TreeEntry[] {
  return files.map(({ path, mode, content }) => ({ path, mode, type: 'blob', oid: sha256Hex(content) }));
}

export function contentsOf(files: readonly ArchivedFile[]): Map<string, Buffer> {
  return new Map(files.map(({ content }) => [sha256Hex(content), content]));
}

/** The tree of an archive whose files were listed. */
export function archiveTree(entries: readonly TreeEntry[], options: ArchiveTreeOptions): ChartTree {
  const { url, revision, version, place, load, archive } = options;
  const ids = new Map<string, string>();
  const byPath = new Map(entries.map((entry) => [entry.path, entry]));
  const below = (path: string) =>
    path === '' ? entries : entries.filter((entry) => entry.path.startsWith(`${path}/`));

  async function readBlob(oid: string, signal: AbortSignal): Promise<Buffer> {
    const content = (await load(signal)).get(oid);
    if (!content) throw new AppError('corrupt-data', `${place} has no file ${oid}`);
    return content;
  }

  async function objectId(path: string): Promise<string | undefined> {
    const file = byPath.get(path);
    if (file) return file.oid;
    const known = ids.get(path);
    if (known !== undefined) return known;
    const inside = below(path);
    if (inside.length === 0) return undefined;
    const offset = path === '' ? 0 : path.length + 1;
    const id = sha256Hex(inside.map((entry) => `${entry.mode} ${entry.oid} ${entry.path.slice(offset)}`).join('\n'));
    ids.set(path, id);
    return id;
  }

  return {
    url,
    revision,
    version,
    place,
    archive,
    readBlob,
    objectId,
    mode: async (path) => byPath.get(path)?.mode ?? (below(path).length > 0 ? '040000' : undefined),
    async listFiles(path) {
      const file = byPath.get(path);
      const inside = file ? [file] : below(path);
      if (inside.length === 0) throw new AppError('not-found', `${place} has no ${path}`);
      return [...inside];
    },
    async readFile(path, signal) {
      const entry = byPath.get(path);
      return entry && (await readBlob(entry.oid, signal));
    },
  };
}
