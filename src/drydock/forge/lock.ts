/** One holder at a time for each key, in the order of asking. */
export class KeyedLock {
  readonly #tails = new Map<number, Promise<void>>();

  async hold<T>(key: number, work: () => Promise<T>): Promise<T> {
    const before = this.#tails.get(key) ?? Promise.resolve();
    const run = before.then(work);
    const tail = run.then(
      () => {},
      () => {},
    );
    this.#tails.set(key, tail);
    try {
      return await run;
    } finally {
      if (this.#tails.get(key) === tail) this.#tails.delete(key);
    }
  }
}
