import type { CelType } from './type.ts';

/**
 * Values at run time: `bigint` is int, `number` is double. Lists and maps are read through functions, so that parts of an
 * object are looked at only when a rule asks.
 */
export type CelValue =
  | null
  | boolean
  | bigint
  | number
  | string
  | Uint8Array
  | UintValue
  | ListValue
  | MapValue
  | OptionalValue
  | TimestampValue
  | DurationValue
  | TypeValue
  | OpaqueValue;

export interface UintValue {
  readonly kind: 'uint';
  readonly value: bigint;
}

export interface ListValue {
  readonly kind: 'list';
  readonly items: readonly CelValue[];
  /** How lists of a schema compare and add up: sets without order, maps by their keys. */
  readonly merge?: 'set' | { keyOf(item: CelValue): string };
}

export interface MapValue {
  readonly kind: 'map';
  readonly size: number;
  get(key: CelValue): CelValue | undefined;
  keys(): Iterable<CelValue>;
}

export interface OptionalValue {
  readonly kind: 'optional';
  readonly value: CelValue | undefined;
}

/** Nanoseconds since 1970, and the zone it was written in, which only shows when it is written again. */
export interface TimestampValue {
  readonly kind: 'timestamp';
  readonly nanos: bigint;
  readonly zoneMinutes: number;
}

export interface DurationValue {
  readonly kind: 'duration';
  readonly nanos: bigint;
}

export interface TypeValue {
  readonly kind: 'type';
  readonly name: string;
}

/** A value of the Kubernetes library. `size` is what costs are counted by. */
export interface OpaqueValue {
  readonly kind: 'opaque';
  readonly type: CelType;
  readonly size: number;
  readonly data: unknown;
  equals(other: OpaqueValue): boolean;
}

/** What a rule fails with at run time; `||` and `&&` may swallow it. */
export class EvaluationError extends Error {
  override name = 'EvaluationError';
}

export function noSuchOverload(): EvaluationError {
  return new EvaluationError('no such overload');
}

export function uintOf(value: bigint): UintValue {
  return { kind: 'uint', value };
}

export function listValue(items: readonly CelValue[]): ListValue {
  return { kind: 'list', items };
}

export const none: OptionalValue = { kind: 'optional', value: undefined };

export function optionalValue(value: CelValue): OptionalValue {
  return { kind: 'optional', value };
}

export function isTagged<K extends TaggedValue['kind']>(
  value: CelValue,
  kind: K,
): value is Extract<TaggedValue, { kind: K }> {
  return typeof value === 'object' && value !== null && !(value instanceof Uint8Array) && value.kind === kind;
}

type TaggedValue = Extract<CelValue, { kind: string }>;

/** A map from entries, of which the last of a key counts; keys are told apart by kind, numbers by value. */
export function mapValue(entries: Iterable<readonly [CelValue, CelValue]>): MapValue {
  const byKey = new Map<string, readonly [CelValue, CelValue]>();
  for (const entry of entries) byKey.set(keyText(entry[0]), entry);
  return {
    kind: 'map',
    size: byKey.size,
    get: (key) => byKey.get(keyText(key))?.[1],
    keys: () => [...byKey.values()].map(([key]) => key),
  };
}

/** Equal numbers of different kinds are one key. */
export function keyText(key: CelValue): string {
  if (typeof key === 'string') return `s${key}`;
  if (typeof key === 'boolean') return `b${key}`;
  if (typeof key === 'bigint') return `n${key}`;
  if (typeof key === 'number' && Number.isInteger(key)) return `n${BigInt(key)}`;
  if (isTagged(key, 'uint')) return `n${key.value}`;
  if (typeof key === 'number') return `d${key}`;
  throw new EvaluationError(`unsupported key type: ${typeNameOf(key)}`);
}

/** A value as runtime errors print it. */
export function plainText(value: CelValue): string {
  if (typeof value === 'string' || typeof value === 'bigint' || typeof value === 'boolean') return String(value);
  if (typeof value === 'number') return goFloat(value);
  if (value === null) return 'null';
  if (isTagged(value, 'uint')) return String(value.value);
  return typeNameOf(value);
}

/** The name that `type(value)` has. */
export function typeNameOf(value: CelValue): string {
  if (value === null) return 'null_type';
  switch (typeof value) {
    case 'boolean':
      return 'bool';
    case 'bigint':
      return 'int';
    case 'number':
      return 'double';
    case 'string':
      return 'string';
    default:
  }
  if (value instanceof Uint8Array) return 'bytes';
  switch (value.kind) {
    case 'timestamp':
      return 'google.protobuf.Timestamp';
    case 'duration':
      return 'google.protobuf.Duration';
    case 'optional':
      return 'optional_type';
    case 'opaque':
      return value.type.name;
    default:
      return value.kind;
  }
}

/** Go writes larger numbers with an exponent. */
const largestPlainExponent = 5;

/** Shortest decimal form as Go's %g prints it. */
export function goFloat(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  if (Object.is(value, -0)) return '-0';
  const [digits = '0', power = '0'] = value.toExponential().split('e');
  const exponent = Number(power);
  if (exponent < -4 || exponent > largestPlainExponent) {
    const sign = exponent < 0 ? '-' : '+';
    return `${digits}e${sign}${String(Math.abs(exponent)).padStart(2, '0')}`;
  }
  const text = String(value);
  return text.includes('e') ? value.toFixed(Math.max(0, digits.replace('-', '').length - 2 - exponent)) : text;
}
