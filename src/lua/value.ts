import type { Machine } from './machine.ts';

/**
 * Lua 5.1 values. nil is `undefined`. A text is a string of bytes, one per character, as Lua's are: `bytesOf` and `textOf`
 * lead in and out.
 */
export type LuaValue = undefined | boolean | number | string | LuaTable | LuaFunction;

export interface LuaFunction {
  readonly call: (machine: Machine, args: readonly LuaValue[]) => LuaValue[];
}

/** An error that a script may catch with pcall; `value` is what `error` was given. */
export class LuaError extends Error {
  override name = 'LuaError';
  readonly value: LuaValue;

  constructor(value: LuaValue) {
    super(textOf(toText(value)));
    this.value = value;
  }
}

/** A limit was reached; no pcall catches it. */
export class LuaLimitError extends Error {
  override name = 'LuaLimitError';
}

/** The array part grows by appending; its keys come first in `next`, then the others in the order of their first use. */
export class LuaTable {
  metatable: LuaTable | undefined;
  readonly #array: LuaValue[] = [];
  readonly #keys: LuaValue[];
  readonly #values: LuaValue[];
  #places: Map<LuaValue, number> | undefined;

  /** Empty, or with the pairs of another one that has no array part. */
  constructor(like?: LuaTable) {
    this.#keys = like === undefined ? [] : [...like.#keys];
    this.#values = like === undefined ? [] : [...like.#values];
    this.#places = like === undefined ? undefined : new Map(like.#places);
  }

  get(key: LuaValue): LuaValue {
    if (typeof key === 'number') {
      const value = this.#array[key - 1];
      if (value !== undefined) return value;
    }
    const place = this.#places?.get(key);
    return place === undefined ? undefined : this.#values[place];
  }

  /** How many cells a write at `key` adds; an index beyond the end fills what lies between. */
  growth(key: LuaValue): number {
    if (isIndex(key)) return Math.max(0, key - this.#array.length);
    return this.#places?.has(key) === true ? 0 : 4;
  }

  set(key: LuaValue, value: LuaValue): void {
    if (isIndex(key)) {
      while (this.#array.length < key - 1) this.#array.push(undefined);
      this.#array[key - 1] = value;
      return;
    }
    const place = this.#places?.get(key);
    if (place !== undefined) {
      this.#values[place] = value;
      return;
    }
    if (value === undefined) return;
    this.#places ??= new Map();
    this.#places.set(key, this.#keys.length);
    this.#keys.push(key);
    this.#values.push(value);
  }

  /** What `#` says: the last index that holds a value. */
  get length(): number {
    let length = this.#array.length;
    while (length > 0 && this.#array[length - 1] === undefined) length -= 1;
    return length;
  }

  insert(position: number, value: LuaValue): void {
    this.#array.splice(position - 1, 0, value);
  }

  remove(position: number): LuaValue {
    if (position < 1 || position > this.#array.length) return undefined;
    return this.#array.splice(position - 1, 1)[0];
  }

  sort(compare: (a: LuaValue, b: LuaValue) => number): void {
    const length = this.length;
    this.#array.length = length;
    this.#array.sort(compare);
  }

  /** The pair after `key`; undefined at the end. */
  next(key: LuaValue): [LuaValue, LuaValue] | undefined {
    let at = 0;
    if (isIndex(key) && key <= this.#array.length) at = key;
    else if (key !== undefined) {
      const place = this.#places?.get(key);
      if (place === undefined) return undefined;
      at = this.#array.length + place + 1;
    }
    for (; at < this.#array.length; at += 1) if (this.#array[at] !== undefined) return [at + 1, this.#array[at]];
    for (let place = at - this.#array.length; place < this.#keys.length; place += 1) {
      if (this.#values[place] !== undefined) return [this.#keys[place], this.#values[place]];
    }
    return undefined;
  }
}

const maxIndex = 67_108_864;

function isIndex(key: LuaValue): key is number {
  return typeof key === 'number' && key > 0 && key < maxIndex && Number.isInteger(key);
}

export function isFunction(value: LuaValue): value is LuaFunction {
  return typeof value === 'object' && !(value instanceof LuaTable);
}

export function typeName(value: LuaValue): string {
  if (value === undefined) return 'nil';
  if (value instanceof LuaTable) return 'table';
  return typeof value === 'object' ? 'function' : typeof value;
}

export function truthy(value: LuaValue): boolean {
  return value !== undefined && value !== false;
}

/** Numbers as Go's `fmt` prints them: whole ones of 64 bits plain, others in the shortest form, from a million with an exponent. */
export function numberText(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  if (Number.isInteger(value) && value >= -(2 ** 63) && value < 2 ** 63) return BigInt(value).toString();
  const [digits = '', exponent = '0'] = value.toExponential().split('e');
  const power = Number(exponent);
  if (power >= -4 && power < 6) return String(value);
  return `${digits}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`;
}

export function toText(value: LuaValue): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return numberText(value);
  if (value === undefined) return 'nil';
  if (typeof value === 'boolean') return String(value);
  return value instanceof LuaTable ? 'table: 0x1' : 'function: 0x1';
}

/** A text as a number: decimal, with a fraction or an exponent, or hexadecimal; undefined where it is none. */
export function toNumber(value: LuaValue): number | undefined {
  if (typeof value === 'number') return value;
  if (typeof value !== 'string') return undefined;
  const text = value.trim();
  if (/^[-+]?0[xX][0-9a-fA-F]+$/.test(text))
    return text.startsWith('-') ? -Number(text.slice(1)) : Number(text.replace('+', ''));
  return /^[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?$/.test(text) ? Number(text) : undefined;
}

const ascii = /^[\x00-\x7f]*$/;

/** A text as Lua holds it: one character per byte of its UTF-8. */
export function bytesOf(text: string): string {
  return ascii.test(text) ? text : Buffer.from(text, 'utf8').toString('latin1');
}

/** The text that `bytes` are in UTF-8. */
export function textOf(bytes: string): string {
  return ascii.test(bytes) ? bytes : Buffer.from(bytes, 'latin1').toString('utf8');
}
