import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
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
  maxBytes?: number;
}

const defaultMaxEntries = 10_000;
const defaultMaxBytes = 512 * 1024 * 1024;
/** A result of more than this, unpacked, is damage: no render gives as much. */
const maxUnpacked = 512 * 1024 * 1024;

/** Larger texts are packed: below, packing costs more than it saves. */
const packedFrom = 16 * 1024;
/** Files say when they were used, if only to the day: a later process starts from that. */
const touchEveryMs = 24 * 60 * 60 * 1000;

interface Entry {
  bytes: number;
  usedAt: number;
  /** What the file says. */
  touchedAt: number;
}

/**
 * Results on disk by the digest of what they were made of. Files are written aside and renamed, so a reader never sees
 * half of one; one that a crash damaged is made again. The longest unused go when there are too many, or too large ones.
 */
export class RenderCache {
  readonly #deps: RenderCacheDeps;
  #writes = 0;
  /** What is on disk, known from the first write on. */
  #entries: Promise<Map<string, Entry>> | undefined;
  /** Read before that. */
  readonly #earlyReads = new Map<string, number>();
  #bytes = 0;

  constructor(deps: RenderCacheDeps) {
    this.#deps = deps;
  }

  async read(key: string): Promise<unknown> {
    const file = this.#file(key);
    let content: Buffer;
    try {
      content = await readFile(file);
    } catch (error) {
      if (!isAbsent(error)) this.#deps.logger.warn({ file }, `the render is made again: ${messageOf(error)}`);
      return undefined;
    }
    try {
      const text = isPacked(content) ? await expand(content, { maxOutputLength: maxUnpacked }) : content;
      const value: unknown = JSON.parse(text.toString('utf8'));
      await this.#used(key, file);
      return value;
    } catch (error) {
      this.#deps.logger.warn({ file }, `a damaged render is made again: ${messageOf(error)}`);
      await rm(file, { force: true });
      return undefined;
    }
  }

  async write(key: string, value: unknown): Promise<void> {
    const entries = await this.#known();
    const file = this.#file(key);
    this.#writes += 1;
    const temporary = `${file}.${process.pid}-${this.#writes}.tmp`;
    const text = Buffer.from(JSON.stringify(value));
    const content = text.length < packedFrom ? text : await compress(text, { level: 1 });
    await writeInFolder(temporary, content);
    await rename(temporary, file);
    const now = this.#deps.clock.now();
    this.#bytes += content.length - (entries.get(key)?.bytes ?? 0);
    entries.set(key, { bytes: content.length, usedAt: now, touchedAt: now });
    await this.#shrink(entries);
  }

  #file(key: string): string {
    return join(this.#deps.folder, key.slice(0, 2), `${key}.render`);
  }

  async #used(key: string, file: string): Promise<void> {
    const now = this.#deps.clock.now();
    if (!this.#entries) {
      if (this.#earlyReads.size < defaultMaxEntries) this.#earlyReads.set(key, now);
      return;
    }
    const entry = (await this.#entries).get(key);
    if (entry) await touch(file, entry, now);
  }

  #known(): Promise<Map<string, Entry>> {
    this.#entries ??= this.#look();
    return this.#entries;
  }

  /** Finds what earlier runs left, and removes what one that was killed left half, or another version wrote. */
  async #look(): Promise<Map<string, Entry>> {
    const { folder } = this.#deps;
    const entries = new Map<string, Entry>();
    await mkdir(folder, { recursive: true });
    for (const name of await readdir(folder, { recursive: true })) {
      const file = join(folder, name);
      if (/\.(?:tmp|gz)$/.test(name)) await rm(file, { force: true });
      const key = /([0-9a-f]{64})\.render$/.exec(name)?.[1];
      if (key === undefined) continue;
      const found = await stat(file).catch((error: unknown) => {
        if (isAbsent(error)) return undefined;
        throw error;
      });
      if (!found) continue;
      const entry = { bytes: found.size, usedAt: found.mtimeMs, touchedAt: found.mtimeMs };
      entries.set(key, entry);
      this.#bytes += found.size;
      const read = this.#earlyReads.get(key);
      if (read !== undefined) await touch(file, entry, read);
    }
    this.#earlyReads.clear();
    return entries;
  }

  /** Down to nine tenths of the limits, so that not every write has to. */
  async #shrink(entries: Map<string, Entry>): Promise<void> {
    const { maxEntries = defaultMaxEntries, maxBytes = defaultMaxBytes } = this.#deps;
    if (entries.size <= maxEntries && this.#bytes <= maxBytes) return;
    const oldest = [...entries].sort(([, a], [, b]) => a.usedAt - b.usedAt);
    for (const [key, entry] of oldest) {
      if (entries.size <= maxEntries * 0.9 && this.#bytes <= maxBytes * 0.9) return;
      entries.delete(key);
      this.#bytes -= entry.bytes;
      await rm(this.#file(key), { force: true });
    }
  }
}

async function touch(file: string, entry: Entry, now: number): Promise<void> {
  entry.usedAt = Math.max(entry.usedAt, now);
  if (now - entry.touchedAt < touchEveryMs) return;
  entry.touchedAt = now;
  // Another process may have removed it meanwhile.
  await utimes(file, now / 1000, now / 1000).catch((error: unknown) => {
    if (!isAbsent(error)) throw error;
  });
}

async function writeInFolder(file: string, content: Uint8Array): Promise<void> {
  try {
    await writeFile(file, content);
  } catch (error) {
    if (!isAbsent(error)) throw error;
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, content);
  }
}

/** JSON never begins as gzip does. */
function isPacked(content: Uint8Array): boolean {
  return content[0] === 0x1f && content[1] === 0x8b;
}

function isAbsent(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
