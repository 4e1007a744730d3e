import { AsyncLocalStorage } from 'node:async_hooks';

/**
 * Runs work one after the other, in the order of asking. A failure does not stop those behind it. Work that asks again from
 * inside runs at once: it has the turn already, and would wait for itself otherwise.
 */
export class Serial {
  readonly #inside = new AsyncLocalStorage<true>();
  #last: Promise<unknown> = Promise.resolve();

  run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#inside.getStore()) return work();
    const turn = () => this.#inside.run(true, work);
    const result = this.#last.then(turn, turn);
    this.#last = result.catch(() => {});
    return result;
  }

  /** Resolves when everything asked for until now has ended. */
  async idle(): Promise<void> {
    await this.#last;
  }
}
