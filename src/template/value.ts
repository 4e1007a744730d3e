import { isObject, type JsonObject } from '#base/json.ts';

/**
 * Go's values as templates see them: `undefined` is no value at all, `null` an empty interface, a JS number float64, a
 * plain object a map with text keys, an array a slice.
 */
export type IntType = 'int' | 'int8' | 'int16' | 'int32' | 'int64' | 'uint8' | 'uint32' | 'uint64';

/** An integer of Go. It wraps at 64 bits. */
export class GoInt {
  readonly value: bigint;
  readonly type: IntType;

  constructor(value: bigint, type: IntType) {
    this.value = type.startsWith('u') ? BigInt.asUintN(64, value) : BigInt.asIntN(64, value);
    this.type = type;
  }
}

/** A moment in a place of the time zone database. */
export class GoTime {
  readonly ms: number;
  readonly zone: string;

  constructor(ms: number, zone: string) {
    this.ms = ms;
    this.zone = zone;
  }
}

/** A value with fields that only templates read, and the text that it prints as. */
export class GoObject {
  readonly type: string;
  readonly fields: ReadonlyMap<string, unknown>;
  readonly text: string;

  constructor(type: string, fields: ReadonlyMap<string, unknown>, text: string) {
    this.type = type;
    this.fields = fields;
    this.text = text;
  }
}

export function goInt(value: number | bigint): GoInt {
  return new GoInt(typeof value === 'bigint' ? value : BigInt(Math.trunc(value)), 'int');
}

export function goInt64(value: number | bigint): GoInt {
  return new GoInt(typeof value === 'bigint' ? value : BigInt(Math.trunc(value)), 'int64');
}

/** Slices and maps whose elements are of one type in Go; all others hold interfaces. */
const elements = new WeakMap<object, string>();

/** Marks a slice or map as one of texts (`map[string]string`), integers or slices. */
export function ofType<T extends object>(value: T, element: string): T {
  elements.set(value, element);
  return value;
}

export function elementType(value: object): string {
  return elements.get(value) ?? 'interface {}';
}

export function isMap(value: unknown): value is JsonObject {
  return isObject(value) && !(value instanceof GoInt) && !(value instanceof GoTime) && !(value instanceof GoObject);
}

/** An empty map without inherited members: every text can be a key. */
export function newMap(): JsonObject {
  const map: JsonObject = Object.create(null);
  return map;
}

export function sortedKeys(map: JsonObject): string[] {
  return Object.keys(map).sort(compareText);
}

/** By bytes of UTF-8, as Go orders texts. */
export function compareText(a: string, b: string): number {
  if (a === b) return 0;
  const surrogates = /[\ud800-\udfff]/;
  if (surrogates.test(a) || surrogates.test(b)) return Buffer.compare(Buffer.from(a), Buffer.from(b));
  return a < b ? -1 : 1;
}

/** The name of the type, as `%T` prints it. */
export function typeName(value: unknown): string {
  if (value === undefined || value === null) return '<nil>';
  if (typeof value === 'number') return 'float64';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'string') return 'string';
  if (value instanceof GoInt) return value.type;
  if (value instanceof GoTime) return 'time.Time';
  if (value instanceof GoObject) return value.type;
  if (Array.isArray(value)) return `[]${elementType(value)}`;
  return typeof value === 'object' ? `map[string]${elementType(value)}` : 'func()';
}

/** As reflect.Kind names it. */
export function kindName(value: unknown): string {
  if (value === undefined || value === null) return 'invalid';
  if (Array.isArray(value)) return 'slice';
  if (value instanceof GoTime) return 'struct';
  if (value instanceof GoObject) return value.type.startsWith('*') ? 'ptr' : 'struct';
  if (value instanceof GoInt) return value.type;
  return typeof value === 'object' ? 'map' : typeName(value);
}

/** What `if` holds for true. */
export function isTrue(value: unknown): boolean {
  if (value === undefined || value === null) return false;
  if (typeof value === 'boolean') return value;
  if (typeof value === 'number') return value !== 0;
  if (typeof value === 'string') return value !== '';
  if (value instanceof GoInt) return value.value !== 0n;
  if (Array.isArray(value)) return value.length > 0;
  if (isMap(value)) return Object.keys(value).length > 0;
  return true;
}

/** Deep equality with types, as reflect.DeepEqual. */
export function deepEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if ((a ?? null) === null || (b ?? null) === null) return (a ?? null) === (b ?? null);
  if (typeName(a) !== typeName(b)) return false;
  if (a instanceof GoInt && b instanceof GoInt) return a.value === b.value;
  if (a instanceof GoTime && b instanceof GoTime) return a.ms === b.ms && a.zone === b.zone;
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((item, index) => deepEqual(item, b[index]));
  if (!isMap(a) || !isMap(b)) return false;
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && deepEqual(a[key], b[key]))
  );
}

/** Length in bytes. */
export function byteLength(text: string): number {
  return Buffer.byteLength(text);
}

/** The bytes from `start` to `end`; a character that is cut becomes U+FFFD. */
export function byteSlice(text: string, start: number, end?: number): string {
  if (/^[\0-\x7f]*$/.test(text)) return text.slice(start, end);
  return Buffer.from(text).subarray(start, end).toString('utf8');
}
