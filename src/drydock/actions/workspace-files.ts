import { globSync, readFileSync, statSync } from 'node:fs';
import { isAbsolute, join, relative } from 'node:path';
import { AppError } from '#base/errors.ts';

const fileLimit = 10_000;

/** Content of the files that match, in path order, for hashFiles(). */
export function hashableFiles(root: string, patterns: string[]): Buffer[] {
  return matchingPaths(
    root,
    patterns.flatMap((pattern) => pattern.split('\n')),
  ).map((path) => readFileSync(join(root, path)));
}

/** Files below `root`, relative to it and sorted, that match the glob patterns; `!` excludes, a directory means all in it. */
export function matchingPaths(root: string, patterns: string[]): string[] {
  const chosen = new Set<string>();
  for (const line of patterns.map((pattern) => pattern.trim()).filter(Boolean)) {
    const negative = line.startsWith('!');
    const written = negative ? line.slice(1) : line;
    const pattern = isAbsolute(written) ? relative(root, written) || '.' : written;
    for (const path of globSync(pattern, { cwd: root })) {
      for (const file of filesAt(root, path)) {
        if (negative) chosen.delete(file);
        else chosen.add(file);
      }
      if (chosen.size > fileLimit) throw new AppError('limit', `${line} matches more than ${fileLimit} files`);
    }
  }
  return [...chosen].sort();
}

function filesAt(root: string, path: string): string[] {
  if (path === '..' || path.startsWith('../')) return [];
  if (statSync(join(root, path)).isFile()) return [path];
  return globSync('**', { cwd: join(root, path) })
    .map((inner) => join(path, inner))
    .filter((inner) => statSync(join(root, inner)).isFile());
}
