import type { Entropy } from '#base/clock.ts';

interface Deck {
  weights: string;
  full: number[];
  left: number[];
  total: number;
}

const limit = 10_000;

/**
 * Chooses by weight like drawing cards without putting them back: as random as a client can tell, and yet after each
 * round of sum(weights) / gcd(weights) choices the shares are exact. New weights start a new round.
 */
export class WeightedChoice {
  readonly #entropy: Entropy;
  readonly #decks = new Map<string, Deck>();

  constructor(entropy: Entropy) {
    this.#entropy = entropy;
  }

  /** The index of the chosen weight; undefined when all are 0. `id` says which choices belong together. */
  choose(id: string, weights: readonly number[]): number | undefined {
    const deck = this.#deck(id, weights);
    if (!deck) return undefined;
    if (deck.total === 0) refill(deck);
    let at = Math.floor(this.#entropy.fraction() * deck.total);
    for (const [index, count] of deck.left.entries()) {
      if (at < count) {
        deck.left[index] = count - 1;
        deck.total -= 1;
        return index;
      }
      at -= count;
    }
    return undefined;
  }

  #deck(id: string, weights: readonly number[]): Deck | undefined {
    const text = weights.join(',');
    const known = this.#decks.get(id);
    if (known?.weights === text) return known;
    const unit = weights.reduce(greatestCommonDivisor, 0);
    if (unit === 0) return undefined;
    const deck = { weights: text, full: weights.map((weight) => weight / unit), left: [], total: 0 };
    this.#decks.delete(id);
    this.#decks.set(id, deck);
    if (this.#decks.size > limit) this.#decks.delete(this.#decks.keys().next().value ?? '');
    return deck;
  }
}

function refill(deck: Deck): void {
  deck.left = [...deck.full];
  deck.total = deck.full.reduce((sum, count) => sum + count, 0);
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
