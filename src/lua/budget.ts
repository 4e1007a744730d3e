import { LuaLimitError } from './value.ts';

export interface LuaLimits {
  /** Calls, loop rounds, matched characters: time as a count, so that a script ends at the same place on any machine. */
  steps: number;
  /** Bytes that the script may ask for in all, freed ones included. */
  bytes: number;
  /** Nested calls. */
  depth: number;
}

/** Of about a second, and of what no check needs. */
export const defaultLimits: LuaLimits = { steps: 5_000_000, bytes: 16 * 1024 * 1024, depth: 160 };

/** What one run of a script has used. */
export class Budget {
  /** The line of the call that is being made, for errors of built-in functions. */
  line = 0;
  #steps = 0;
  #bytes = 0;
  #depth = 0;
  readonly #limits: LuaLimits;

  constructor(limits: LuaLimits) {
    this.#limits = limits;
  }

  step(count = 1): void {
    this.#steps += count;
    if (this.#steps > this.#limits.steps) throw this.#over('context deadline exceeded');
  }

  allocate(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes > this.#limits.bytes)
      throw this.#over(`more than ${this.#limits.bytes} bytes of memory were asked for`);
  }

  enter(): void {
    this.step();
    this.#depth += 1;
    if (this.#depth > this.#limits.depth) throw this.#over('stack overflow');
  }

  leave(): void {
    this.#depth -= 1;
  }

  get depth(): number {
    return this.#depth;
  }

  /** Back to a depth of before, after an error was caught. */
  unwind(depth: number): void {
    this.#depth = depth;
  }

  #over(what: string): LuaLimitError {
    return new LuaLimitError(`<string>:${this.line}: ${what}`);
  }
}
