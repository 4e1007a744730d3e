import { constants } from 'node:fs';
import { chmod, copyFile, link, lstat, mkdir, readdir, readlink, symlink } from 'node:fs/promises';
import { join } from 'node:path';

/** From this size on a file is shared between the trees instead of copied. */
const sharedFromBytes = 1024 * 1024;

/**
 * Copies a directory tree. Big files become hard links, so that a base of hundreds of megabytes costs nothing; small
 * ones are copied, so that a program that rewrites its own configuration in place does not change other images.
 */
export async function cloneTree(from: string, to: string, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  await mkdir(to, { recursive: true });
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const source = join(from, entry.name);
    const target = join(to, entry.name);
    if (entry.isDirectory()) await cloneTree(source, target, signal);
    else if (entry.isSymbolicLink()) await symlink(await readlink(source), target);
    else if (entry.isFile()) {
      const { size, mode } = await lstat(source);
      if (size >= sharedFromBytes) await link(source, target);
      else {
        await copyFile(source, target, constants.COPYFILE_FICLONE);
        await chmod(target, mode & 0o777);
      }
    }
  }
  await chmod(to, (await lstat(from)).mode & 0o777);
}
