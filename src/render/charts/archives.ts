import { AppError } from '#base/errors.ts';
import { Lru } from '#git/lru.ts';
import type { TreeEntry } from '#git/port.ts';
import { type ArchivedFile, chartFiles, readArchive } from './archive.ts';
import { archiveTree, contentsOf, listArchive } from './archive-tree.ts';
import type { FileStore } from './file-store.ts';
import type { ChartTree } from './port.ts';

export interface OpenArchive {
  /** Of the archive's bytes, 64 hex digits. */
  digest: string;
  /** Of a packaged chart: the folder that is the tree's root. '' for any other archive. */
  chart: string;
  url: string;
  revision: string;
  version: string;
  /** What messages call it. */
  place: string;
  /** Brings the archive again when it is no longer kept. */
  bring: (signal: AbortSignal) => Promise<Buffer>;
}

const keptEntries = 100_000;
const keptBytes = 24 * 1024 * 1024;

/** Trees of archives that a store keeps. Lists of files stay in memory, contents only those used last. */
export class Archives {
  readonly #store: FileStore;
  readonly #lists = new Lru<TreeEntry[]>(keptEntries, (entries) => entries.length + 1);
  readonly #contents = new Lru<Map<string, Buffer>>(keptBytes, weigh);

  constructor(store: FileStore) {
    this.#store = store;
  }

  async open(ask: OpenArchive, signal: AbortSignal): Promise<ChartTree> {
    const key = `${ask.digest} ${ask.chart}`;
    const entries = this.#lists.get(key) ?? listArchive(await this.#unpack(ask, signal));
    this.#lists.set(key, entries);
    const { url, revision, version, place } = ask;
    return archiveTree(entries, {
      url,
      revision,
      version,
      place,
      archive: (own) => this.#bytes(ask, own),
      load: async (own) => this.#contents.get(key) ?? contentsOf(await this.#unpack(ask, own)),
    });
  }

  async #unpack(ask: OpenArchive, signal: AbortSignal): Promise<ArchivedFile[]> {
    const files = await readArchive(await this.#bytes(ask, signal), ask.place, { signal });
    const inside = ask.chart === '' ? files : chartFiles(files, ask.chart, ask.place);
    this.#contents.set(`${ask.digest} ${ask.chart}`, contentsOf(inside));
    return inside;
  }

  async #bytes(ask: OpenArchive, signal: AbortSignal): Promise<Buffer> {
    const kept = await this.#store.get(ask.digest);
    if (kept) return kept;
    const bytes = await ask.bring(signal);
    const digest = await this.#store.put(bytes);
    if (digest === ask.digest) return bytes;
    throw new AppError('unavailable', `${ask.place} was published again with other content while it was read`, {
      hint: 'refresh the application; a version should never be published twice',
    });
  }
}

function weigh(contents: Map<string, Buffer>): number {
  let bytes = 1024;
  for (const content of contents.values()) bytes += content.length + 200;
  return bytes;
}
