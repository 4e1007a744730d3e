/** Requests and streams together take about this much of one turn; what is left waits for the next. */
const turnMs = 4;

/**
 * Keeps the turns of the event loop short. Who is about to work asks `enter` first: it goes on at once while the turn
 * has time left, else on a later turn, in order. Undefined is not awaited, or all who ask in one go would be told that
 * there is time. What follows must itself be short.
 */
export class Turns {
  readonly #waiting: (() => void)[] = [];
  #began: number | undefined;

  /** The time of this turn is used up: who can go on later should. */
  get spent(): boolean {
    return performance.now() - this.#start() >= turnMs;
  }

  enter(): Promise<void> | undefined {
    if (this.#waiting.length === 0 && !this.spent) return undefined;
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #start(): number {
    if (this.#began === undefined) {
      this.#began = performance.now();
      setImmediate(() => {
        this.#began = undefined;
        if (this.#waiting.length > 0) this.#admit();
      });
    }
    return this.#began;
  }

  /** Lets in one after another; a tick runs only when all that the one before had to do in this turn is done. */
  #admit(): void {
    if (this.spent) return;
    this.#waiting.shift()?.();
    if (this.#waiting.length > 0) queueMicrotask(() => process.nextTick(() => this.#admit()));
  }
}
