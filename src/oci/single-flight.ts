import { throwIfAborted } from '#base/errors.ts';

interface Flight<T> {
  work: Promise<T>;
  abort: AbortController;
  waiting: number;
}

/**
 * Work by key that concurrent callers share. A caller that aborts leaves alone; the work is aborted when the last one
 * has left.
 */
export class SingleFlight<T> {
  readonly #flights = new Map<string, Flight<T>>();

  async run(key: string, start: (signal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<T> {
    throwIfAborted(signal);
    const flight = this.#flights.get(key) ?? this.#start(key, start);
    flight.waiting += 1;
    const left = Promise.withResolvers<never>();
    const leave = () => left.reject(signal.reason);
    signal.addEventListener('abort', leave, { once: true });
    try {
      return await Promise.race([flight.work, left.promise]);
    } catch (error) {
      throwIfAborted(signal);
      throw error;
    } finally {
      signal.removeEventListener('abort', leave);
      flight.waiting -= 1;
      if (flight.waiting === 0) {
        flight.abort.abort();
        if (this.#flights.get(key) === flight) this.#flights.delete(key);
      }
    }
  }

  #start(key: string, start: (signal: AbortSignal) => Promise<T>): Flight<T> {
    const abort = new AbortController();
    const flight: Flight<T> = { work: start(abort.signal), abort, waiting: 0 };
    // The callers see the failure; when all have left, nobody does, and that is no crash.
    flight.work.catch(() => undefined);
    this.#flights.set(key, flight);
    return flight;
  }
}
