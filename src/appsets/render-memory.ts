import type { JsonObject } from '#base/json.ts';
import type { ApplicationTemplate } from './application-template.ts';
import type { Params } from './params.ts';

function keyOf(identity: string, params: Params): string {
  const text = JSON.stringify(params, (_key, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value));
  return `${identity}\n${text}`;
}

/**
 * What a set rendered at its last look, so that the next one renders what changed alone. The same parameters give the
 * same object again; what a look did not ask for is forgotten.
 */
export class RenderMemory {
  #known = new Map<string, JsonObject>();
  #used = new Map<string, JsonObject>();
  /** Templates that were filled. */
  renders = 0;

  render(template: ApplicationTemplate, params: Params): JsonObject {
    const key = template.identity === undefined ? undefined : keyOf(template.identity, params);
    const known = key === undefined ? undefined : (this.#known.get(key) ?? this.#used.get(key));
    if (known && key !== undefined) {
      this.#used.set(key, known);
      return known;
    }
    this.renders += 1;
    const made = template.render(params);
    if (key !== undefined) this.#used.set(key, made);
    return made;
  }

  endRound(): void {
    this.#known = this.#used;
    this.#used = new Map();
  }
}
