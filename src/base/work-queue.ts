import type { Clock } from './clock.ts';
import { messageOf } from './errors.ts';
import type { Logger } from './log.ts';
import type { Outcome } from './outcome.ts';

export interface WorkQueueOptions {
  name: string;
  clock: Clock;
  logger: Logger;
  /** How many names are worked on at once. */
  concurrency: number;
  /** Level-based: gets a name and looks at the world itself. */
  tick: (name: string, signal: AbortSignal) => Promise<Outcome>;
  firstBackoffMs?: number;
  maxBackoffMs?: number;
}

interface Entry {
  running: boolean;
  again: boolean;
  failures: number;
  timer: AbortController | undefined;
  dueAt: number;
}

/**
 * Names to look at, each at most once at a time. Adding a name that waits is a no-op; adding one that runs makes it run
 * once more afterwards. A tick that throws is retried with exponential back-off, one that returns is rescheduled as its
 * outcome says. Closing aborts running ticks and waits for them.
 */
export class WorkQueue {
  readonly #options: WorkQueueOptions;
  readonly #entries = new Map<string, Entry>();
  /** In the order of their coming. */
  readonly #ready = new Set<string>();
  readonly #running = new Set<Promise<void>>();
  readonly #abort = new AbortController();

  constructor(options: WorkQueueOptions) {
    this.#options = options;
  }

  /** Names that are ready or running now. */
  get depth(): number {
    return this.#ready.size + this.#running.size;
  }

  /** Names about which anything is kept: ready, running or scheduled. */
  get known(): number {
    return this.#entries.size;
  }

  add(name: string): void {
    this.addAfter(name, 0);
  }

  /** An earlier due time wins over a later one already set. */
  addAfter(name: string, delayMs: number): void {
    if (this.#abort.signal.aborted) return;
    const entry = this.#entries.get(name) ?? this.#newEntry(name);
    if (entry.running) {
      if (delayMs === 0) entry.again = true;
      else this.#schedule(name, entry, delayMs);
      return;
    }
    if (delayMs === 0) {
      this.#clearTimer(entry);
      this.#ready.add(name);
      this.#pump();
      return;
    }
    this.#schedule(name, entry, delayMs);
  }

  /** Drops a name: nothing scheduled for it will run. A running tick goes on. */
  forget(name: string): void {
    const entry = this.#entries.get(name);
    if (!entry) return;
    this.#clearTimer(entry);
    entry.again = false;
    this.#ready.delete(name);
    if (!entry.running) this.#entries.delete(name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort();
    for (const entry of this.#entries.values()) this.#clearTimer(entry);
    this.#ready.clear();
    await Promise.allSettled([...this.#running]);
    this.#entries.clear();
  }

  #newEntry(name: string): Entry {
    const entry: Entry = { running: false, again: false, failures: 0, timer: undefined, dueAt: 0 };
    this.#entries.set(name, entry);
    return entry;
  }

  #schedule(name: string, entry: Entry, delayMs: number): void {
    const dueAt = this.#options.clock.now() + delayMs;
    if (entry.timer && entry.dueAt <= dueAt) return;
    this.#clearTimer(entry);
    entry.dueAt = dueAt;
    const timer = new AbortController();
    entry.timer = timer;
    this.#options.clock.sleep(delayMs, timer.signal).then(
      () => {
        if (entry.timer !== timer) return;
        entry.timer = undefined;
        this.add(name);
      },
      // Only its own abort ends a sleep early.
      () => undefined,
    );
  }

  #clearTimer(entry: Entry): void {
    entry.timer?.abort();
    entry.timer = undefined;
  }

  #pump(): void {
    while (this.#running.size < this.#options.concurrency) {
      const [name] = this.#ready;
      if (name === undefined) return;
      this.#ready.delete(name);
      const entry = this.#entries.get(name) ?? this.#newEntry(name);
      entry.running = true;
      const work = this.#run(name, entry).finally(() => {
        this.#running.delete(work);
        this.#pump();
      });
      this.#running.add(work);
    }
  }

  async #run(name: string, entry: Entry): Promise<void> {
    const { tick, logger, firstBackoffMs = 50, maxBackoffMs = 30_000 } = this.#options;
    try {
      const outcome = await tick(name, this.#abort.signal);
      entry.failures = 0;
      entry.running = false;
      if (outcome.kind === 'waiting') this.addAfter(name, outcome.retryAfterMs);
      else if (outcome.kind === 'done' && outcome.recheckAfterMs !== undefined)
        this.addAfter(name, outcome.recheckAfterMs);
    } catch (error) {
      entry.running = false;
      if (this.#abort.signal.aborted) return;
      entry.failures += 1;
      const delayMs = Math.min(maxBackoffMs, firstBackoffMs * 2 ** Math.min(entry.failures - 1, 20));
      logger.warn({ queue: this.#options.name, name, failures: entry.failures, delayMs }, messageOf(error));
      this.addAfter(name, delayMs);
    }
    if (entry.again) {
      entry.again = false;
      this.add(name);
    } else if (!entry.running && !entry.timer && !this.#ready.has(name)) this.#entries.delete(name);
  }
}
