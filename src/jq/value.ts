import { isObject, type Json } from '#base/json.ts';

/** What a jq program raises: by `error`, or because an operation does not fit its operands. */
export class JqError extends Error {
  override name = 'JqError';
  readonly value: Json;

  constructor(value: Json) {
    super(typeof value === 'string' ? value : `error: ${toJson(value)}`);
    this.value = value;
  }
}

/** A limit was reached. No `try` of the program catches it. */
export class JqLimit extends Error {
  override name = 'JqLimit';
}

/** Strings and JSON texts that a program builds. */
export const maxTextLength = 4_000_000;

export function typeOf(value: Json): 'null' | 'boolean' | 'number' | 'string' | 'array' | 'object' {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  switch (typeof value) {
    case 'boolean':
      return 'boolean';
    case 'number':
      return 'number';
    case 'string':
      return 'string';
    default:
      return 'object';
  }
}

export function truthy(value: Json): boolean {
  return value !== null && value !== false;
}

/** Order of code points, which is the order of UTF-8 bytes. */
export function compareText(a: string, b: string): number {
  if (a === b) return 0;
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at += 1) {
    const [x, y] = [a.charCodeAt(at), b.charCodeAt(at)];
    if (x === y) continue;
    const [xHigh, yHigh] = [x >= 0xd800 && x < 0xe000, y >= 0xd800 && y < 0xe000];
    if (xHigh !== yHigh) return xHigh ? 1 : -1;
    return x - y;
  }
  return a.length - b.length;
}

export function sortedKeys(object: { [key: string]: Json }): string[] {
  return Object.keys(object).sort(compareText);
}

const rank = { null: 0, boolean: 1, number: 3, string: 4, array: 5, object: 6 };

/** Values that one comparison looks at: shared parts make a small value look huge. */
const maxCompared = 500_000;

/** jq's order of all values: null, false, true, numbers, strings, arrays, objects (by keys, then by values). */
export function compare(a: Json, b: Json): number {
  return ordered(a, b, { left: maxCompared });
}

function ordered(a: Json, b: Json, meter: { left: number }): number {
  meter.left -= 1;
  if (meter.left < 0) throw new JqLimit('values too large to be compared');
  const [ta, tb] = [typeOf(a), typeOf(b)];
  if (ta !== tb) return rank[ta] - rank[tb];
  if (typeof a === 'boolean') return Number(a) - Number(b);
  // A number that is none comes before all others, itself included.
  if (typeof a === 'number' && typeof b === 'number')
    return Number.isNaN(a) || a < b ? -1 : a > b ? 1 : a === b ? 0 : 1;
  if (typeof a === 'string' && typeof b === 'string') return compareText(a, b);
  if (Array.isArray(a) && Array.isArray(b)) return orderedLists(a, b, meter);
  if (!isObject(a) || !isObject(b)) return 0;
  const [ka, kb] = [sortedKeys(a), sortedKeys(b)];
  const order = orderedLists(ka, kb, meter);
  if (order !== 0) return order;
  for (const key of ka) {
    const below = ordered(a[key] ?? null, b[key] ?? null, meter);
    if (below !== 0) return below;
  }
  return 0;
}

function orderedLists(a: readonly Json[], b: readonly Json[], meter: { left: number }): number {
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at += 1) {
    const order = ordered(a[at] ?? null, b[at] ?? null, meter);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

function numberText(value: number): string {
  if (Number.isNaN(value)) return 'null';
  if (value === Number.POSITIVE_INFINITY) return '1.7976931348623157e+308';
  if (value === Number.NEGATIVE_INFINITY) return '-1.7976931348623157e+308';
  if (Object.is(value, -0)) return '-0';
  const text = String(value);
  return Math.abs(value) >= 1e17 && !text.includes('e') ? value.toExponential() : text;
}

/** JSON with sorted keys, as jq writes it. Throws JqLimit when it is longer than `most`. */
export function toJson(value: Json, most: number = maxTextLength): string {
  const parts: string[] = [];
  let length = 0;
  const put = (part: string): void => {
    length += part.length;
    if (length > most) throw new JqLimit(`a text of more than ${most} characters`);
    parts.push(part);
  };
  writeJson(value, put);
  return parts.join('');
}

function writeJson(value: Json, put: (part: string) => void): void {
  if (typeof value === 'number') put(numberText(value));
  else if (Array.isArray(value)) {
    put('[');
    for (const [at, item] of value.entries()) {
      if (at > 0) put(',');
      writeJson(item, put);
    }
    put(']');
  } else if (isObject(value)) {
    put('{');
    for (const [at, key] of sortedKeys(value).entries()) {
      put(`${at > 0 ? ',' : ''}${JSON.stringify(key)}:`);
      writeJson(value[key] ?? null, put);
    }
    put('}');
  } else put(JSON.stringify(value));
}

export function toText(value: Json): string {
  return typeof value === 'string' ? value : toJson(value);
}

const previewLength = 30;

/** Type and beginning of a value, for messages. */
export function shown(value: Json): string {
  if (value === null) return 'null';
  const text = beginning(value);
  if (text.length <= previewLength) return `${typeOf(value)} (${text})`;
  const end = typeof value === 'string' ? ' ..."' : Array.isArray(value) ? ' ...]' : isObject(value) ? ' ...}' : ' ...';
  return `${typeOf(value)} (${text.slice(0, previewLength - end.length)}${end})`;
}

/** Enough of the JSON to show; a value may be too large to be written whole. */
function beginning(value: Json): string {
  let text = '';
  const put = (part: string): void => {
    text += part;
    if (text.length > previewLength) throw new JqLimit('enough');
  };
  try {
    writeJson(value, put);
  } catch (error) {
    if (!(error instanceof JqLimit)) throw error;
  }
  return text;
}

export type JqObject = { [key: string]: Json };

export function isJqObject(value: Json): value is JqObject {
  return isObject(value);
}

/** A member of its own, never one that every object inherits. */
export function member(object: JqObject, key: string): Json {
  return Object.hasOwn(object, key) ? (object[key] ?? null) : null;
}
