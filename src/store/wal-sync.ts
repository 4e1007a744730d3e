import { type FileHandle, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { AppError, messageOf } from '#base/errors.ts';

/**
 * Makes commits durable without holding the loop up: SQLite writes them to its write-ahead log, and this syncs the log
 * from a thread of the pool. What commits while a sync runs shares the next one.
 */
export class WalSync implements AsyncDisposable {
  readonly #path: string;
  #handle: FileHandle | undefined;
  #running: Promise<void> | undefined;
  #next: Promise<void> | undefined;
  #syncs = 0;

  /** `path` is the database's. */
  constructor(path: string) {
    this.#path = path;
  }

  /** Syncs so far. */
  get syncs(): number {
    return this.#syncs;
  }

  /** Resolves when everything that was committed before the call is on disk. Throws AppError `unavailable`. */
  async sync(): Promise<void> {
    if (!this.#running) {
      this.#running = this.#flush().finally(() => {
        this.#running = undefined;
      });
      return await this.#running;
    }
    this.#next ??= this.#running
      .catch(() => undefined)
      .then(() => {
        this.#next = undefined;
        return this.sync();
      });
    await this.#next;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (let last = this.#next ?? this.#running; last; last = this.#next ?? this.#running)
      await last.catch(() => undefined);
    await this.#handle?.close();
    this.#handle = undefined;
  }

  async #flush(): Promise<void> {
    this.#syncs += 1;
    try {
      this.#handle ??= await this.#open();
      await this.#handle.datasync();
    } catch (error) {
      throw new AppError('unavailable', `the store ${this.#path} cannot be written: ${messageOf(error)}`, {
        cause: error,
        hint: 'check free space and permissions of its folder',
      });
    }
  }

  /** The log, whose name in the folder is made durable first. SQLite holds no locks on it that a close could let go of. */
  async #open(): Promise<FileHandle> {
    const folder = await open(dirname(this.#path), 'r');
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
    return await open(`${this.#path}-wal`, 'r+');
  }
}
