/** Runs work one after the other, in the order of asking. A failure does not stop those behind it. */
export class Serial {
  #last: Promise<unknown> = Promise.resolve();

  run<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work, work);
    this.#last = result.catch(() => {});
    return result;
  }

  /** Resolves when everything asked for until now has ended. */
  async idle(): Promise<void> {
    await this.#last;
  }
}
