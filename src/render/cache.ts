import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import type { Clock } from '#base/clock.ts';
import { messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';

const compress = promisify(gzip);
const expand = promisify(gunzip);

export interface RenderCacheDeps {
  folder: string;
  clock: Clock;
  logger: Logger;
  maxEntries?: number;
}

const sweepEvery = 200;

/**
 * Results on disk by the digest of what they were made of. Files are written aside and renamed, so a reader never sees
 * half of one. The oldest used go when there are too many.
 */
export class RenderCache {
  readonly #deps: RenderCacheDeps;
  #writes = 0;

  constructor(deps: RenderCacheDeps) {
    this.#deps = deps;
  }

  async read(key: string): Promise<unknown> {
    const file = this.#file(key);
    let packed: Buffer;
    try {
      packed = await readFile(file);
    } catch (error) {
      if (!isAbsent(error)) this.#deps.logger.warn({ file }, `the render is made again: ${messageOf(error)}`);
      return undefined;
    }
    try {
      const value: unknown = JSON.parse((await expand(packed)).toString('utf8'));
      const now = this.#deps.clock.now() / 1000;
      await utimes(file, now, now);
      return value;
    } catch (error) {
      this.#deps.logger.warn({ file }, `a damaged render is made again: ${messageOf(error)}`);
      await rm(file, { force: true });
      return undefined;
    }
  }

  async write(key: string, value: unknown): Promise<void> {
    const file = this.#file(key);
    const folder = join(file, '..');
    await mkdir(folder, { recursive: true });
    this.#writes += 1;
    const temporary = `${file}.${process.pid}-${this.#writes}.tmp`;
    await writeFile(temporary, await compress(JSON.stringify(value), { level: 1 }));
    await rename(temporary, file);
    if (this.#writes % sweepEvery === 0) await this.#sweep();
  }

  #file(key: string): string {
    return join(this.#deps.folder, key.slice(0, 2), `${key}.json.gz`);
  }

  async #sweep(): Promise<void> {
    const { folder, maxEntries = 10_000 } = this.#deps;
    const names = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.gz'));
    if (names.length <= maxEntries) return;
    const aged = await Promise.all(
      names.map(async (name) => ({
        name,
        usedAt: (await stat(join(folder, name)).catch(() => undefined))?.mtimeMs ?? 0,
      })),
    );
    aged.sort((a, b) => a.usedAt - b.usedAt);
    for (const { name } of aged.slice(0, names.length - maxEntries)) await rm(join(folder, name), { force: true });
  }
}

function isAbsent(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
