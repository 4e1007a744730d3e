/** Replaces the secrets of one job in the text it writes. */
export class SecretMask {
  readonly #values = new Set<string>();

  /** Each line of a secret is masked by itself, since output is read line by line. */
  add(value: string): void {
    for (const line of value.split(/\r?\n/)) {
      if (line.trim().length >= 2) this.#values.add(line);
    }
    this.#sorted = undefined;
  }

  apply(text: string): string {
    this.#sorted ??= [...this.#values].sort((a, b) => b.length - a.length);
    let out = text;
    for (const value of this.#sorted) if (out.includes(value)) out = out.replaceAll(value, '***');
    return out;
  }

  includesSecret(text: string): boolean {
    return this.apply(text) !== text;
  }

  #sorted: string[] | undefined;
}
