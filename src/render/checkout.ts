import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { AppError } from '#base/errors.ts';
import { followLinks } from './links.ts';
import type { SourceTree } from './tree.ts';

const maxFiles = 20_000;
const maxBytes = 256 * 1024 * 1024;

export interface CheckOutPaths {
  from: string;
  to: string;
  /** Files stand by their path in the repository, else by that below `from`. */
  wholePath?: boolean;
  /** Files keep that they can be run. */
  modes?: boolean;
  /** Refused unless told: without its files the result would be another. */
  submodules?: 'refuse' | 'leave-out';
}

/** Writes the files below `from` of a tree into the folder `to`; linked files as copies. */
export async function checkOut(tree: SourceTree, paths: CheckOutPaths, signal: AbortSignal): Promise<void> {
  const entries = await followLinks(tree).listFiles(paths.from, signal);
  const place = `${paths.from || 'the repository'} (${tree.place})`;
  if (entries.length > maxFiles) throw new AppError('limit', `${place} holds more than ${maxFiles} files`);
  let bytes = 0;
  for (const entry of entries) {
    const relative = paths.from === '' || paths.wholePath ? entry.path : entry.path.slice(paths.from.length + 1);
    if (entry.type === 'commit') {
      if (paths.submodules === 'leave-out') continue;
      throw new AppError('unsupported', `${entry.path} in ${tree.place} is a submodule; submodules are not fetched`, {
        hint: 'copy its files into the repository, or use its own repository as a source',
      });
    }
    if (entry.type !== 'blob') continue;
    const content = await tree.readBlob(entry.oid, signal);
    bytes += content.length;
    if (bytes > maxBytes) throw new AppError('limit', `${place} holds more than ${maxBytes} bytes`);
    const target = join(paths.to, relative);
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, content, { mode: paths.modes && entry.mode === '100755' ? 0o755 : 0o644 });
  }
}
