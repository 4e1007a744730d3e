import type { Json } from '#base/json.ts';

function clamp(bound: number, length: number): number {
  return Math.max(0, Math.min(length, bound < 0 ? bound + length : bound));
}

/** From the floor of `from` to the ceiling of `to`, negative ones counted from the end. */
export function sliceBounds(length: number, from: Json, to: Json): [number, number] {
  const first = typeof from === 'number' ? clamp(Math.floor(from), length) : 0;
  const last = typeof to === 'number' ? clamp(Math.ceil(to), length) : length;
  return [first, Math.max(first, last)];
}

export function arraySlice(list: Json[], from: Json, to: Json): Json[] {
  return list.slice(...sliceBounds(list.length, from, to));
}

/** By code points. */
export function textSlice(text: string, from: Json, to: Json): string {
  const points = Array.from(text);
  return points.slice(...sliceBounds(points.length, from, to)).join('');
}
