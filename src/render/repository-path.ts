import { posix } from 'node:path';
import { AppError } from '#base/errors.ts';

/** A path of a source as Git writes it: no leading `./`, no trailing `/`, '' for the root. Refuses to leave the repository. */
export function repositoryPath(path: string, what: string): string {
  const normal = posix.normalize(path === '' ? '.' : path).replace(/\/+$/, '');
  const inside = normal.replace(/^\/+/, '');
  if (inside === '..' || inside.startsWith('../'))
    throw new AppError('bad-input', `${what} "${path}" leads out of the repository`, {
      hint: 'name a path inside the repository',
    });
  return inside === '.' ? '' : inside;
}

/** A file named relative to a folder; a leading `/` means the root of the repository. */
export function fileInRepository(folder: string, file: string, what: string): string {
  return repositoryPath(file.startsWith('/') ? file : posix.join(folder === '' ? '.' : folder, file), what);
}

export function joinPath(folder: string, name: string): string {
  return folder === '' ? name : `${folder}/${name}`;
}
