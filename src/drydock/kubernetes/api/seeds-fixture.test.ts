/** A small generator with a seed, so that a failure can be repeated. */
export type Pick = (limit: number) => number;

export function seeded(seed: number): Pick {
  let state = seed * 7919 + 1;
  return (limit) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}

/** `few` of them in the ordinary test run; as many as `SLIPWAY_PROPERTY_SEEDS` says in the long one. */
export function seeds(few: number): number[] {
  return Array.from({ length: Number(process.env['SLIPWAY_PROPERTY_SEEDS'] ?? few) }, (_, n) => n + 1);
}
