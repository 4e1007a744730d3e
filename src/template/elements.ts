import { elementType, GoInt, goInt } from './value.ts';

/** What texts and lists weigh, in steps: a thousand characters are as much work as a few calls. */
export function costOf(values: readonly unknown[]): number {
  let cost = 0;
  for (const value of values) {
    if (typeof value === 'string') cost += value.length >> 6;
    else if (Array.isArray(value)) cost += value.length >> 4;
  }
  return cost;
}

/** What a map gives for a key that it lacks, with missingkey=zero. */
export function zeroElement(map: object): unknown {
  switch (elementType(map)) {
    case 'string':
      return '';
    case 'int':
      return goInt(0);
    default:
      return null;
  }
}

/** 0, 1, 2 ... below an integer. */
export function* countTo(end: GoInt): Generator<[unknown, unknown]> {
  for (let value = 0n; value < end.value; value += 1n) yield [undefined, new GoInt(value, end.type)];
}

export function* entriesOf(map: Record<string, unknown>, keys: readonly string[]): Generator<[unknown, unknown]> {
  for (const key of keys) yield [key, map[key]];
}
