import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '#base/clock.ts';
import { sha256Hex } from '#base/digest.ts';
import { messageOf } from '#base/errors.ts';
import { isObject, type JsonObject } from '#base/json.ts';
import type { Logger } from '#base/log.ts';

export interface FileStoreDeps {
  folder: string;
  clock: Clock;
  logger: Logger;
  /** Of all files together; those used least recently are removed. */
  maxBytes?: number;
}

const sweepEvery = 32;
const maxRecords = 5000;

/**
 * Files by digest, and small records by name that speak of them, on disk. Both may vanish at any time: then they are made
 * again. A file that is damaged is removed and counts as absent.
 */
export class FileStore {
  readonly #deps: FileStoreDeps;
  #writes = 0;

  constructor(deps: FileStoreDeps) {
    this.#deps = deps;
  }

  /** Keeps bytes and returns their digest, 64 hex digits. */
  async put(bytes: Buffer): Promise<string> {
    const digest = sha256Hex(bytes);
    await this.#write(this.#file(digest), bytes);
    return digest;
  }

  async get(digest: string): Promise<Buffer | undefined> {
    const bytes = await this.#read(this.#file(digest));
    if (!bytes || sha256Hex(bytes) === digest) return bytes;
    this.#deps.logger.warn({ digest }, 'a damaged file is removed, to be brought again');
    await rm(this.#file(digest), { force: true });
    return undefined;
  }

  async has(digest: string): Promise<boolean> {
    return (await stat(this.#file(digest)).catch(() => undefined)) !== undefined;
  }

  async putRecord(name: string, record: JsonObject): Promise<void> {
    await this.#write(this.#record(name), Buffer.from(JSON.stringify({ ...record, of: sha256Hex(name) })));
  }

  async getRecord(name: string): Promise<JsonObject | undefined> {
    const bytes = await this.#read(this.#record(name));
    if (!bytes) return undefined;
    try {
      const record: unknown = JSON.parse(bytes.toString('utf8'));
      return isObject(record) && record['of'] === sha256Hex(name) ? record : undefined;
    } catch (error) {
      this.#deps.logger.warn({ file: this.#record(name) }, `a damaged record is made again: ${messageOf(error)}`);
      return undefined;
    }
  }

  async removeRecord(name: string): Promise<void> {
    await rm(this.#record(name), { force: true });
  }

  #file(digest: string): string {
    return join(this.#deps.folder, 'files', digest.slice(0, 2), digest);
  }

  #record(name: string): string {
    return join(this.#deps.folder, 'records', `${sha256Hex(name).slice(0, 40)}.json`);
  }

  async #read(file: string): Promise<Buffer | undefined> {
    try {
      const bytes = await readFile(file);
      const now = this.#deps.clock.now() / 1000;
      await utimes(file, now, now);
      return bytes;
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT'))
        this.#deps.logger.warn({ file }, `a file is brought again: ${messageOf(error)}`);
      return undefined;
    }
  }

  async #write(file: string, bytes: Buffer): Promise<void> {
    await mkdir(join(file, '..'), { recursive: true });
    this.#writes += 1;
    const temporary = `${file}.${process.pid}-${this.#writes}.tmp`;
    await writeFile(temporary, bytes, { mode: 0o600 });
    const now = this.#deps.clock.now() / 1000;
    await utimes(temporary, now, now);
    await rename(temporary, file);
    if (this.#writes % sweepEvery === 0) await this.#sweep();
  }

  async #sweep(): Promise<void> {
    const { folder, maxBytes = 1024 * 1024 * 1024 } = this.#deps;
    await sweepFolder(join(folder, 'files'), { maxBytes });
    await sweepFolder(join(folder, 'records'), { maxEntries: maxRecords });
  }
}

async function sweepFolder(folder: string, limit: { maxBytes?: number; maxEntries?: number }): Promise<void> {
  const { maxBytes = Number.POSITIVE_INFINITY, maxEntries = Number.POSITIVE_INFINITY } = limit;
  const names = await readdir(folder, { recursive: true }).catch(() => []);
  const found = await Promise.all(
    names.map(async (name) => ({ name, info: await stat(join(folder, name)).catch(() => undefined) })),
  );
  const files = found.flatMap(({ name, info }) =>
    info?.isFile() ? [{ name, size: info.size, at: info.mtimeMs }] : [],
  );
  files.sort((a, b) => b.at - a.at);
  let bytes = 0;
  for (const [index, { name, size }] of files.entries()) {
    bytes += size;
    if (bytes > maxBytes || index >= maxEntries) await rm(join(folder, name), { force: true });
  }
}
