import type { Clock } from '#base/clock.ts';
import { type ContentDigest, digestText } from './names.ts';

/**
 * Who needs which content now, so that garbage can be collected while pushes go on. A content that was asked for or
 * written within `graceMs` is not removed: between a blob's arrival, or a client's question for it, and the manifest
 * that names it nothing else holds it.
 */
export class ContentUse {
  readonly #clock: Clock;
  readonly #graceMs: number;
  /** Last use, oldest first. */
  readonly #used = new Map<string, number>();
  readonly #removing = new Map<string, Promise<void>>();

  constructor(clock: Clock, graceMs: number) {
    this.#clock = clock;
    this.#graceMs = graceMs;
  }

  /** To be awaited before looking whether the content is there: a removal under way ends first, none begins after. */
  async use(digest: ContentDigest): Promise<void> {
    const key = digestText(digest);
    this.#forgetOld();
    this.#used.delete(key);
    this.#used.set(key, this.#clock.now());
    await this.#removing.get(key);
  }

  /** Runs `remove` unless the content is in use. Says whether it ran. */
  async removeUnused(digest: ContentDigest, remove: () => Promise<void>): Promise<boolean> {
    const key = digestText(digest);
    this.#forgetOld();
    if (this.#used.has(key)) return false;
    const removal = remove();
    this.#removing.set(
      key,
      removal.catch(() => undefined),
    );
    try {
      await removal;
    } finally {
      this.#removing.delete(key);
    }
    return true;
  }

  #forgetOld(): void {
    const before = this.#clock.now() - this.#graceMs;
    for (const [key, at] of this.#used) {
      if (at >= before) return;
      this.#used.delete(key);
    }
  }
}
