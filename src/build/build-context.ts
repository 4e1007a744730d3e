import { lstat, readdir, readFile, readlink, realpath, stat } from 'node:fs/promises';
import { join, posix, sep } from 'node:path';
import { AppError } from '#base/errors.ts';
import { type IgnoreRules, parseDockerignore } from './dockerignore.ts';
import { hasWildcard, pathPattern } from './path-pattern.ts';

export type ContextEntry =
  | { type: 'directory'; path: string }
  | { type: 'file'; path: string; file: string; size: number; executable: boolean }
  | { type: 'symlink'; path: string; target: string };

/** What a COPY source names: entries with their paths relative to it; a file's own path is empty. */
export interface FoundSource {
  name: string;
  directory: boolean;
  entries: ContextEntry[];
}

const maxEntries = 200_000;

/** The files of a build, seen through its `.dockerignore`. */
export class BuildContext {
  readonly root: string;
  readonly #rules: IgnoreRules;

  private constructor(root: string, rules: IgnoreRules) {
    this.root = root;
    this.#rules = rules;
  }

  /** A `<Dockerfile>.dockerignore` beside the Dockerfile comes before the context's own. */
  static async open(directory: string, dockerfile: string): Promise<BuildContext> {
    const root = await realpath(directory).catch((cause: unknown) => {
      throw new AppError('bad-input', `the build context ${directory} does not exist`, { cause });
    });
    const text =
      (await readOptional(`${dockerfile}.dockerignore`)) ?? (await readOptional(join(root, '.dockerignore')));
    return new BuildContext(root, parseDockerignore(text ?? ''));
  }

  /** Throws `bad-input` when the source leads out of the context or nothing is there; `line` is named in it. */
  async find(source: string, line: number): Promise<FoundSource[]> {
    const clean = posix.normalize(`./${source}`).replace(/\/$/, '');
    if (clean === '..' || clean.startsWith('../'))
      throw new AppError('bad-input', `Dockerfile line ${line}: COPY ${source} lies outside the build context`);
    const names = hasWildcard(clean) ? await this.#expand(clean) : [clean];
    const found = (await Promise.all(names.map((name) => this.#read(name)))).filter((entry) => entry !== undefined);
    if (found.length === 0)
      throw new AppError(
        'bad-input',
        `Dockerfile line ${line}: COPY ${source} matches no file of the build context ${this.root}`,
        {
          hint: 'check the path, and that .dockerignore does not leave it out',
        },
      );
    return found;
  }

  async #expand(pattern: string): Promise<string[]> {
    let names = [''];
    for (const part of pattern.split('/')) {
      const matcher = pathPattern(part, { doubleStar: false });
      const next: string[] = [];
      for (const name of names) {
        const children = hasWildcard(part) ? await this.#children(name) : [part];
        for (const child of children.sort())
          if (!hasWildcard(part) || matcher.test(child)) next.push(posix.join(name, child));
      }
      names = next;
    }
    return names;
  }

  async #children(name: string): Promise<string[]> {
    try {
      return await readdir(join(this.root, name));
    } catch (error) {
      if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return [];
      throw error;
    }
  }

  async #read(name: string): Promise<FoundSource | undefined> {
    const path = name === '.' ? '' : name;
    if (path !== '' && this.#rules.ignores(path) && !this.#rules.mayKeepBelow) return undefined;
    const real = await realpath(join(this.root, path)).catch(() => undefined);
    if (real === undefined) return undefined;
    if (real !== this.root && !real.startsWith(this.root + sep))
      throw new AppError('bad-input', `${name} is a link that leads out of the build context`);
    const info = await stat(real);
    if (!info.isDirectory()) {
      if (this.#rules.ignores(path)) return undefined;
      const entry = {
        type: 'file' as const,
        path: '',
        file: real,
        size: info.size,
        executable: (info.mode & 0o111) !== 0,
      };
      return { name: posix.basename(path), directory: false, entries: [entry] };
    }
    const entries: ContextEntry[] = [];
    await this.#walk({ at: path, real, below: '' }, entries);
    if (entries.length === 0 && path !== '' && this.#rules.ignores(path)) return undefined;
    return { name: posix.basename(path), directory: true, entries };
  }

  async #walk(place: { at: string; real: string; below: string }, entries: ContextEntry[]): Promise<void> {
    const children = (await readdir(place.real)).sort();
    for (const child of children) {
      const at = posix.join(place.at, child);
      const path = posix.join(place.below, child);
      const real = join(place.real, child);
      const info = await lstat(real);
      const ignored = this.#rules.ignores(at);
      if (ignored && !(info.isDirectory() && this.#rules.mayKeepBelow)) continue;
      if (entries.length >= maxEntries)
        throw new AppError('limit', `the build context ${this.root} has over ${maxEntries} files`, {
          hint: 'leave out what is not needed in .dockerignore',
        });
      if (info.isDirectory()) {
        const before = entries.length;
        if (!ignored) entries.push({ type: 'directory', path });
        await this.#walk({ at, real, below: path }, entries);
        if (ignored && entries.length > before) entries.splice(before, 0, { type: 'directory', path });
      } else if (info.isSymbolicLink()) entries.push({ type: 'symlink', path, target: await readlink(real) });
      else if (info.isFile())
        entries.push({ type: 'file', path, file: real, size: info.size, executable: (info.mode & 0o111) !== 0 });
      else throw new AppError('bad-input', `${at} in the build context is neither file, directory nor link`);
    }
  }
}

async function readOptional(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
