import { globSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { AppError } from '#base/errors.ts';

const fileLimit = 10_000;

/** Content of the files below `root` that match the glob patterns (`!` excludes), in path order, for hashFiles(). */
export function hashableFiles(root: string, patterns: string[]): Buffer[] {
  const lines = patterns
    .flatMap((pattern) => pattern.split('\n'))
    .map((pattern) => pattern.trim())
    .filter(Boolean);
  const chosen = new Set<string>();
  for (const line of lines) {
    const negative = line.startsWith('!');
    for (const path of globSync(negative ? line.slice(1) : line, { cwd: root })) {
      if (negative) chosen.delete(path);
      else if (!path.startsWith('..')) chosen.add(path);
    }
  }
  if (chosen.size > fileLimit) throw new AppError('limit', `hashFiles() matched more than ${fileLimit} files`);
  return [...chosen]
    .sort()
    .filter((path) => statSync(join(root, path)).isFile())
    .map((path) => readFileSync(join(root, path)));
}
