import type { JsonObject } from '#base/json.ts';
import { formatValue } from '#template/format.ts';
import { elementType, isMap } from '#template/value.ts';

/** One set of values that a generator gives: with Go templates any shape, else flat texts. */
export type Params = JsonObject;

function flattenInto(out: Record<string, string>, prefix: string, value: unknown): void {
  if (isMap(value)) {
    for (const [key, member] of Object.entries(value))
      flattenInto(out, prefix === '' ? key : `${prefix}.${key}`, member);
  } else if (Array.isArray(value) && elementType(value) === 'interface {}') {
    for (const [index, item] of value.entries())
      flattenInto(out, prefix === '' ? String(index) : `${prefix}.${index}`, item);
  } else out[prefix] = formatValue(value);
}

/** `{a: {b: [1]}}` as `{'a.b.0': '1'}`; numbers as Go prints them. */
export function flattenParams(params: Params): Record<string, string> {
  const out: Record<string, string> = {};
  flattenInto(out, '', params);
  return out;
}
