/** Where a name lives, as one function sees it. */
export type Place =
  | { readonly at: 'local'; readonly slot: number }
  | { readonly at: 'captured'; readonly slot: number }
  | { readonly at: 'global' };

/** The names of one function while it is being read. */
export class Scope {
  readonly parent: Scope | undefined;
  readonly varargs: boolean;
  /** What a closure takes along: variables of the function around it, or what that one took. */
  readonly captures: { fromLocal: boolean; slot: number }[] = [];
  readonly #captured = new Map<string, number>();
  readonly #blocks: Map<string, number>[] = [new Map()];
  #slots = 0;

  constructor(parent: Scope | undefined, varargs: boolean) {
    this.parent = parent;
    this.varargs = varargs;
  }

  openBlock(): void {
    this.#blocks.push(new Map());
  }

  closeBlock(): void {
    this.#blocks.pop();
  }

  /** Every declaration has a slot of its own, so that what an older one held stays with the closures that took it. */
  declare(name: string): number {
    const slot = this.#slots;
    this.#slots += 1;
    this.#blocks.at(-1)?.set(name, slot);
    return slot;
  }

  resolve(name: string): Place {
    for (let depth = this.#blocks.length - 1; depth >= 0; depth -= 1) {
      const slot = this.#blocks[depth]?.get(name);
      if (slot !== undefined) return { at: 'local', slot };
    }
    const outer = this.parent?.resolve(name);
    if (outer === undefined || outer.at === 'global') return { at: 'global' };
    const key = `${outer.at} ${outer.slot}`;
    let slot = this.#captured.get(key);
    if (slot === undefined) {
      slot = this.captures.length;
      this.#captured.set(key, slot);
      this.captures.push({ fromLocal: outer.at === 'local', slot: outer.slot });
    }
    return { at: 'captured', slot };
  }
}
