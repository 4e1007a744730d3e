import { mkdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Entropy } from '#base/clock.ts';
import type { ContentUse } from './content-use.ts';
import { ifPresent, publishFile, writeDurably } from './durable-file.ts';
import type { ContentDigest } from './names.ts';

/** Content by digest, shared by every repository. A file is complete and synced before it gets its name. */
export class BlobStore {
  readonly #directory: string;
  readonly #temporary: string;
  readonly #entropy: Entropy;
  readonly #use: ContentUse;

  constructor(options: { directory: string; temporary: string; entropy: Entropy; use: ContentUse }) {
    this.#directory = options.directory;
    this.#temporary = options.temporary;
    this.#entropy = options.entropy;
    this.#use = options.use;
  }

  /** Files of a process that was killed while writing are dropped: nobody was told of them. */
  async open(): Promise<void> {
    await rm(this.#temporary, { recursive: true, force: true });
    await mkdir(this.#temporary, { recursive: true });
    await mkdir(this.#directory, { recursive: true });
  }

  /** To be awaited before deciding by whether a content is there: from then on it is no garbage. */
  use(digest: ContentDigest): Promise<void> {
    return this.#use.use(digest);
  }

  path(digest: ContentDigest): string {
    return join(this.#directory, digest.algorithm, digest.hex.slice(0, 2), digest.hex);
  }

  temporaryPath(): string {
    return join(this.#temporary, this.#entropy.uuid());
  }

  async size(digest: ContentDigest): Promise<number | undefined> {
    return (await ifPresent(stat(this.path(digest))))?.size;
  }

  /** Takes over a synced file whose content has this digest. */
  async adopt(digest: ContentDigest, file: string): Promise<void> {
    await this.use(digest);
    await publishFile(file, this.path(digest));
  }

  /** Writes even what is there already: it may be damaged, and pushing again is how that is mended. */
  async write(digest: ContentDigest, content: Uint8Array): Promise<void> {
    await this.use(digest);
    await writeDurably(this.path(digest), content, this.temporaryPath());
  }
}
