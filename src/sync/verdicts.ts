import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { messageOf } from '#base/errors.ts';
import { isObject } from '#base/json.ts';
import type { Logger } from '#base/log.ts';

export interface Verdict {
  /** Of the desired object and the ignore rules. */
  desired: string;
  /** Of the part of the live object that the desired one speaks about. */
  projection: string;
  modified: boolean;
  /** Of the desired object, the maps that are one value, as `atomicMapsOf` writes them. */
  atomic?: string | undefined;
}

const formatVersion = 2;
const maxEntries = 200_000;
const maxAtomic = 5000;

/**
 * The last comparison of each object, kept on disk so that a restart need not ask the API server again about what has
 * not changed. Losing the file only costs those questions.
 */
export class VerdictStore {
  readonly #path: string;
  readonly #logger: Logger;
  readonly #entries = new Map<string, Verdict>();
  readonly #atomic = new Map<string, string>();
  #dirty = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(path: string, logger: Logger) {
    this.#path = path;
    this.#logger = logger;
  }

  /** Reads what an earlier process kept; a file that cannot be read is started anew, with a warning. */
  async load(): Promise<void> {
    try {
      const parsed: unknown = JSON.parse(await readFile(this.#path, 'utf8'));
      if (!isObject(parsed) || parsed['version'] !== formatVersion || !isObject(parsed['entries'])) return;
      for (const [key, entry] of Object.entries(parsed['entries'])) {
        if (!Array.isArray(entry)) continue;
        const [desired, projection, modified, atomic] = entry;
        this.#entries.set(key, {
          desired: String(desired),
          projection: String(projection),
          modified: modified === true,
          atomic: typeof atomic === 'string' ? this.#shared(atomic) : undefined,
        });
      }
    } catch (error) {
      const absent = error instanceof Error && 'code' in error && error.code === 'ENOENT';
      if (!absent) this.#logger.warn({ file: this.#path }, `comparisons are made anew: ${messageOf(error)}`);
    }
  }

  get(key: string): Verdict | undefined {
    return this.#entries.get(key);
  }

  set(key: string, verdict: Verdict): void {
    const known = this.#entries.get(key);
    if (
      known?.desired === verdict.desired &&
      known.projection === verdict.projection &&
      known.modified === verdict.modified &&
      known.atomic === verdict.atomic
    )
      return;
    if (!known && this.#entries.size >= maxEntries) this.#entries.delete(this.#entries.keys().next().value ?? '');
    this.#entries.set(key, { ...verdict, atomic: this.#shared(verdict.atomic) });
    this.#saveLater();
  }

  delete(key: string): void {
    if (this.#entries.delete(key)) this.#saveLater();
  }

  /** Thousands of objects have the same few maps: one text for all. */
  #shared(atomic: string | undefined): string | undefined {
    if (atomic === undefined) return undefined;
    const known = this.#atomic.get(atomic);
    if (known !== undefined) return known;
    if (this.#atomic.size >= maxAtomic) this.#atomic.clear();
    this.#atomic.set(atomic, atomic);
    return atomic;
  }

  #saveLater(): void {
    this.#dirty = true;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#save().catch((error: unknown) => this.#logger.warn({ file: this.#path }, messageOf(error)));
    }, 2000);
    this.#timer.unref();
  }

  async #save(): Promise<void> {
    if (!this.#dirty) return;
    this.#dirty = false;
    const entries: Record<string, [string, string, boolean, string?]> = {};
    for (const [key, { desired, projection, modified, atomic }] of this.#entries)
      entries[key] = atomic === undefined ? [desired, projection, modified] : [desired, projection, modified, atomic];
    await mkdir(dirname(this.#path), { recursive: true });
    const temporary = `${this.#path}.${process.pid}.tmp`;
    await writeFile(temporary, JSON.stringify({ version: formatVersion, entries }));
    await rename(temporary, this.#path);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = undefined;
    await this.#save();
  }
}
