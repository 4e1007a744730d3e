import { writeFile } from 'node:fs/promises';

const maxPending = 16;

/** Small files being written while others are read; at most a few at a time. */
export class PendingWrites {
  readonly #pending = new Set<Promise<void>>();
  #failure: { error: unknown } | undefined;

  /** Returns when there is room for another one. `path` must not exist. */
  async add(path: string, content: Uint8Array, mode: number): Promise<void> {
    this.check();
    const work = writeFile(path, content, { mode, flag: 'wx' }).then(
      () => undefined,
      (error: unknown) => {
        this.#failure ??= { error };
      },
    );
    this.#pending.add(work);
    void work.then(() => this.#pending.delete(work));
    if (this.#pending.size >= maxPending) await Promise.race(this.#pending);
  }

  /** Waits until nothing is being written any more. */
  async settle(): Promise<void> {
    await Promise.all(this.#pending);
  }

  /** Throws what went wrong in any write. */
  check(): void {
    if (this.#failure) throw this.#failure.error;
  }
}
