import type { Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Clock, Entropy } from '#base/clock.ts';
import { isAppError } from '#base/errors.ts';
import { getNumber, getString, parseJson } from '#base/json.ts';
import { ifPresent, writeDurably } from './durable-file.ts';
import { type ContentDigest, type DigestAlgorithm, newHash } from './names.ts';
import { RegistryError } from './registry-error.ts';

export interface UploadLimits {
  maxBlobBytes: number;
  maxUploads: number;
  uploadLifetimeMs: number;
}

interface Progress {
  /** Hash of the first `size` bytes; absent after a restart, then the file is read again at the end. */
  hash: Hash | undefined;
  size: number;
}

/** Uploads under way, each a directory with what has arrived so far; they survive a restart and can be resumed. */
export class UploadStore {
  readonly #directory: string;
  readonly #clock: Clock;
  readonly #entropy: Entropy;
  readonly #limits: UploadLimits;
  readonly #progress = new Map<string, Progress>();
  readonly #busy = new Set<string>();

  constructor(options: { directory: string; clock: Clock; entropy: Entropy; limits: UploadLimits }) {
    this.#directory = options.directory;
    this.#clock = options.clock;
    this.#entropy = options.entropy;
    this.#limits = options.limits;
  }

  async open(): Promise<void> {
    await mkdir(this.#directory, { recursive: true });
    await this.removeExpired();
  }

  async start(repository: string): Promise<string> {
    if ((await this.#count()) >= this.#limits.maxUploads) {
      await this.removeExpired();
      if ((await this.#count()) >= this.#limits.maxUploads)
        throw new RegistryError(
          'TOOMANYREQUESTS',
          `${this.#limits.maxUploads} uploads are under way; finish or cancel some`,
        );
    }
    const id = this.#entropy.uuid();
    return await this.#exclusive(id, async () => {
      await mkdir(join(this.#directory, id));
      await (await open(this.file(id), 'w', 0o600)).close();
      const about = JSON.stringify({ repository, startedAt: this.#clock.now() });
      await writeDurably(this.#aboutPath(id), about, `${this.#aboutPath(id)}.new`);
      this.#progress.set(id, { hash: newHash('sha256'), size: 0 });
      return id;
    });
  }

  file(id: string): string {
    return join(this.#directory, id, 'data');
  }

  /** Bytes received so far. Throws BLOB_UPLOAD_UNKNOWN when there is no such upload in this repository. */
  async size(repository: string, id: string): Promise<number> {
    const unknown = new RegistryError('BLOB_UPLOAD_UNKNOWN', 'blob upload unknown to registry');
    if (!/^[0-9a-f-]{36}$/.test(id)) throw unknown;
    if (getString(await this.#about(id), 'repository') !== repository) throw unknown;
    const found = await ifPresent(stat(this.file(id)));
    if (!found) throw unknown;
    return found.size;
  }

  /**
   * Appends a body and returns the new size. What arrived before a broken connection stays, so that the client can ask
   * for the size and go on from there.
   */
  async append(repository: string, id: string, body: AsyncIterable<Uint8Array>): Promise<number> {
    return this.#exclusive(id, async () => {
      const before = await this.size(repository, id);
      const known = this.#progress.get(id);
      const progress: Progress = known && known.size === before ? known : { hash: undefined, size: before };
      this.#progress.set(id, progress);
      const handle = await open(this.file(id), 'a', 0o600);
      try {
        await this.#copy(body, handle, progress);
      } finally {
        await handle.close();
      }
      return progress.size;
    });
  }

  /** Syncs the upload and hands its file to `adopt` when the content has the digest; the upload is over either way. */
  async finish(
    repository: string,
    id: string,
    work: { digest: ContentDigest; adopt: (file: string) => Promise<void> },
  ) {
    return this.#exclusive(id, async () => {
      const size = await this.size(repository, id);
      const hex = await this.#hash(id, work.digest.algorithm, size);
      if (hex !== work.digest.hex) {
        await this.#forget(id);
        throw new RegistryError('DIGEST_INVALID', 'provided digest did not match uploaded content', {
          detail: { size, received: `${work.digest.algorithm}:${hex}` },
        });
      }
      const handle = await open(this.file(id), 'r+');
      try {
        await handle.sync();
      } finally {
        await handle.close();
      }
      await work.adopt(this.file(id));
      await this.#forget(id);
    });
  }

  async cancel(repository: string, id: string): Promise<void> {
    await this.size(repository, id);
    await this.#exclusive(id, () => this.#forget(id));
  }

  async #copy(body: AsyncIterable<Uint8Array>, handle: FileHandle, progress: Progress): Promise<void> {
    for await (const chunk of body) {
      if (progress.size + chunk.length > this.#limits.maxBlobBytes)
        throw new RegistryError('SIZE_INVALID', `a blob may have ${this.#limits.maxBlobBytes} bytes at most`, {
          status: 413,
        });
      let written = 0;
      while (written < chunk.length) written += (await handle.write(chunk, written)).bytesWritten;
      progress.hash?.update(chunk);
      progress.size += chunk.length;
    }
  }

  async #hash(id: string, algorithm: DigestAlgorithm, size: number): Promise<string> {
    const progress = this.#progress.get(id);
    if (algorithm === 'sha256' && progress?.hash && progress.size === size) return progress.hash.copy().digest('hex');
    const hash = newHash(algorithm);
    await pipeline(createReadStream(this.file(id)), hash);
    return hash.digest('hex');
  }

  async #exclusive<T>(id: string, work: () => Promise<T>): Promise<T> {
    if (this.#busy.has(id))
      throw new RegistryError('BLOB_UPLOAD_INVALID', 'another request is writing to this upload', { status: 409 });
    this.#busy.add(id);
    try {
      return await work();
    } finally {
      this.#busy.delete(id);
    }
  }

  async #forget(id: string): Promise<void> {
    this.#progress.delete(id);
    await rm(join(this.#directory, id), { recursive: true, force: true });
  }

  async #count(): Promise<number> {
    return (await readdir(this.#directory)).length;
  }

  /** Gives up uploads that began longer ago than their lifetime, unless a request is at them right now. */
  async removeExpired(): Promise<void> {
    for (const id of await readdir(this.#directory)) {
      // One that is being started has no record yet, and is busy.
      if (this.#busy.has(id)) continue;
      const startedAt = getNumber(await this.#about(id), 'startedAt');
      const over = startedAt === undefined || startedAt + this.#limits.uploadLifetimeMs < this.#clock.now();
      if (over && !this.#busy.has(id)) await this.#exclusive(id, () => this.#forget(id));
    }
  }

  /** Undefined for an upload that does not exist, or whose record is damaged: then it can only be started again. */
  async #about(id: string): Promise<unknown> {
    const text = await ifPresent(readFile(this.#aboutPath(id), 'utf8'));
    try {
      return text === undefined ? undefined : parseJson(text, 'upload record');
    } catch (error) {
      if (isAppError(error, 'bad-input')) return undefined;
      throw error;
    }
  }

  #aboutPath(id: string): string {
    return join(this.#directory, id, 'about.json');
  }
}
