/**
 * Messages from one writer to one slow reader, bounded: when the reader is `limit` behind, the mailbox closes and its
 * reader is told by the end of the iteration, so it can come back and resume.
 */
export class Mailbox<T> {
  readonly #limit: number;
  #waiting: T[] = [];
  #wake: (() => void) | undefined;
  #closed = false;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** False when it is closed or the message was one too many, which closes it. */
  push(message: T): boolean {
    if (this.#closed) return false;
    if (this.#waiting.length >= this.#limit) {
      this.close();
      return false;
    }
    this.#waiting.push(message);
    this.#wake?.();
    return true;
  }

  close(): void {
    this.#closed = true;
    this.#wake?.();
  }

  /** The next message, or undefined after `timeoutMs` without one and once closed and empty (see `closed`). */
  async next(timeoutMs: number): Promise<T | undefined> {
    if (this.#waiting.length === 0 && !this.#closed) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, timeoutMs);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.#wake = undefined;
    }
    return this.#waiting.shift();
  }
}
