import { lstat, mkdir, readlink, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '#base/errors.ts';

const maxLinks = 40;

/** The parts of a path inside a layer. Throws `corrupt-data` for one that leads out of it. */
export function layerPathParts(name: string): string[] {
  const parts: string[] = [];
  for (const part of name.split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..') throw leadsOut(name);
    if (part.includes('\0') || part.length > 255)
      throw new AppError('corrupt-data', 'a layer has an impossible file name');
    parts.push(part);
  }
  return parts;
}

/**
 * Where a symbolic link at `parts` leads, as parts below the root; absolute targets count from the root, as they would
 * for a process that has it as its own. Throws `corrupt-data` for a target above the root.
 */
export function linkTargetParts(parts: string[], target: string): string[] {
  const at = target.startsWith('/') ? [] : parts.slice(0, -1);
  for (const part of target.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') at.push(part);
    else if (at.pop() === undefined) throw leadsOut(`${parts.join('/')} -> ${target}`);
  }
  return at;
}

/**
 * A link's target written so that it stays below the root wherever the root lies on the machine. Throws `corrupt-data`
 * for one above it.
 */
export function relativeTarget(parts: string[], target: string): string {
  const to = linkTargetParts(parts, target);
  if (!target.startsWith('/')) return target;
  const text = [...parts.slice(0, -1).map(() => '..'), ...to].join('/');
  return text === '' ? '.' : text;
}

/**
 * The real directory for `parts` below `root`, with links followed inside the root only and missing directories made.
 * A file in the way gives place, as it does in a layered file system.
 */
export async function realDirectory(
  root: string,
  parts: string[],
  onMade: (path: string) => void = () => undefined,
): Promise<string> {
  const real: string[] = [];
  const todo = [...parts];
  for (let links = 0; todo.length > 0; ) {
    const part = todo.shift() ?? '';
    const path = join(root, ...real, part);
    const found = await lstatIfPresent(path);
    if (found?.isSymbolicLink()) {
      links += 1;
      if (links > maxLinks) throw new AppError('corrupt-data', `a layer has a loop of links at ${parts.join('/')}`);
      const target = linkTargetParts([...real, part], await readlink(path));
      real.length = 0;
      todo.unshift(...target);
      continue;
    }
    if (found && !found.isDirectory()) await rm(path);
    if (!found?.isDirectory()) {
      await mkdir(path, { mode: 0o755 });
      onMade(path);
    }
    real.push(part);
  }
  return join(root, ...real);
}

/**
 * `realDirectory` with a memory, for a root that nobody else changes meanwhile. What is remembered holds until something
 * is removed or hidden; then `forget` must be called. A new link takes the place of nothing that is remembered.
 */
export class RealDirectories {
  readonly #root: string;
  readonly #known = new Map<string, string>();
  readonly #fresh = new Set<string>();

  constructor(root: string) {
    this.#root = root;
  }

  async find(parts: string[]): Promise<string> {
    const key = parts.join('/');
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const name = parts.at(-1);
    if (name === undefined) return this.#root;
    const parent = await this.find(parts.slice(0, -1));
    const path = join(parent, name);
    const found = this.#fresh.has(parent) ? await makeFresh(path) : undefined;
    const real = found ?? (await realDirectory(this.#root, parts, (made) => this.#fresh.add(made)));
    if (found !== undefined) this.#fresh.add(found);
    this.#known.set(key, real);
    return real;
  }

  knows(parts: string[]): boolean {
    return parts.length === 0 || this.#known.has(parts.join('/'));
  }

  /** Whether the directory was made by us, so that only what we wrote is in it. */
  isFresh(path: string): boolean {
    return this.#fresh.has(path);
  }

  forget(): void {
    this.#known.clear();
    this.#fresh.clear();
  }
}

/** Undefined when something is there already, a link perhaps. */
async function makeFresh(path: string): Promise<string | undefined> {
  try {
    await mkdir(path, { mode: 0o755 });
    return path;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return undefined;
    throw error;
  }
}

export async function lstatIfPresent(path: string) {
  try {
    return await lstat(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR'))
      return undefined;
    throw error;
  }
}

function leadsOut(name: string): AppError {
  return new AppError('corrupt-data', `a layer has a path that leads out of the image: ${name}`, {
    hint: 'do not use this image',
  });
}
