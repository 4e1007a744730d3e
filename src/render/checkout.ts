import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { AppError } from '#base/errors.ts';
import type { SourceTree } from './tree.ts';

const maxFiles = 20_000;
const maxBytes = 256 * 1024 * 1024;

/**
 * Writes the files below `from` of a tree into the folder `to`, by their path below `from` or, with `wholePath`, in the
 * repository. Symbolic links are refused: they could lead anywhere.
 */
export async function checkOut(
  tree: SourceTree,
  paths: { from: string; to: string; wholePath?: boolean },
  signal: AbortSignal,
): Promise<void> {
  const entries = await tree.listFiles(paths.from, signal);
  if (entries.length > maxFiles)
    throw new AppError('limit', `${paths.from || 'the repository'} holds more than ${maxFiles} files`);
  let bytes = 0;
  for (const entry of entries) {
    if (entry.type !== 'blob') continue;
    const relative = paths.from === '' || paths.wholePath ? entry.path : entry.path.slice(paths.from.length + 1);
    if (entry.mode === '120000')
      throw new AppError('unsupported', `${entry.path} in ${tree.url} is a symbolic link, which is not followed`, {
        hint: 'replace the link by a copy of the file',
      });
    const content = await tree.readBlob(entry.oid, signal);
    bytes += content.length;
    if (bytes > maxBytes)
      throw new AppError('limit', `${paths.from || 'the repository'} holds more than ${maxBytes} bytes`);
    const target = join(paths.to, relative);
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, content);
  }
}
