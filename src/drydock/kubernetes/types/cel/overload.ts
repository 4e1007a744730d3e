import { type CelType, parseType, splitTypes } from './type.ts';
import {
  type CelValue,
  type DurationValue,
  isTagged,
  type ListValue,
  type MapValue,
  noSuchOverload,
  type OpaqueValue,
  type OptionalValue,
  type TimestampValue,
} from './value.ts';

/** One way to call a function. The receiver of a method is its first argument. */
export interface Overload {
  readonly name: string;
  readonly method: boolean;
  readonly args: readonly CelType[];
  readonly result: CelType;
  readonly call: Implementation;
}

export type Implementation = (args: readonly CelValue[]) => CelValue;

/** `signature` is `string, int -> bool`: arguments and result. */
export function define(name: string, signatures: string | readonly string[], call: Implementation): Overload[] {
  return overloads({ name, method: false, signatures, call });
}

/** Like `define`, called as `first.name(rest)`. */
export function method(name: string, signatures: string | readonly string[], call: Implementation): Overload[] {
  return overloads({ name, method: true, signatures, call });
}

function overloads(input: {
  name: string;
  method: boolean;
  signatures: string | readonly string[];
  call: Implementation;
}): Overload[] {
  const { name, method: isMethod, signatures, call } = input;
  return (typeof signatures === 'string' ? [signatures] : signatures).map((signature) => {
    const [args = '', result = 'dyn'] = signature.split('->');
    return { name, method: isMethod, args: splitTypes(args).map(parseType), result: parseType(result.trim()), call };
  });
}

/** Whether a value is of a type, as far as its outermost kind tells. */
export function isOfType(value: CelValue, type: CelType): boolean {
  switch (type.kind) {
    case 'dyn':
    case 'error':
    case 'param':
      return true;
    case 'null':
      return value === null;
    case 'bool':
      return typeof value === 'boolean';
    case 'int':
      return typeof value === 'bigint';
    case 'double':
      return typeof value === 'number';
    case 'string':
      return typeof value === 'string';
    case 'bytes':
      return value instanceof Uint8Array;
    case 'object':
      return isTagged(value, 'map');
    case 'opaque':
      return isTagged(value, 'opaque') && value.type.name === type.name;
    default:
      return isTagged(value, type.kind);
  }
}

export function text(value: CelValue | undefined): string {
  if (typeof value !== 'string') throw noSuchOverload();
  return value;
}

export function integer(value: CelValue | undefined): bigint {
  if (typeof value !== 'bigint') throw noSuchOverload();
  return value;
}

export function list(value: CelValue | undefined): ListValue {
  if (value === undefined || !isTagged(value, 'list')) throw noSuchOverload();
  return value;
}

export function map(value: CelValue | undefined): MapValue {
  if (value === undefined || !isTagged(value, 'map')) throw noSuchOverload();
  return value;
}

export function optional(value: CelValue | undefined): OptionalValue {
  if (value === undefined || !isTagged(value, 'optional')) throw noSuchOverload();
  return value;
}

export function time(value: CelValue | undefined): TimestampValue {
  if (value === undefined || !isTagged(value, 'timestamp')) throw noSuchOverload();
  return value;
}

export function span(value: CelValue | undefined): DurationValue {
  if (value === undefined || !isTagged(value, 'duration')) throw noSuchOverload();
  return value;
}

export function opaqueOf(value: CelValue | undefined, type: CelType): OpaqueValue {
  if (value === undefined || !isTagged(value, 'opaque') || value.type.name !== type.name) throw noSuchOverload();
  return value;
}
