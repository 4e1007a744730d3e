import { define, type Overload } from '../overload.ts';
import { type CelValue, EvaluationError, goFloat, isTagged, noSuchOverload, typeNameOf } from '../value.ts';
import { checkedInt, checkedUint, durationOf, timestampOf } from './operator.ts';
import {
  durationText,
  notConvertible,
  parseDuration,
  parseTimestamp,
  timestampText,
  zoneMinutesOf,
} from './time-text.ts';

const second = 1_000_000_000n;

/** Conversions between the basic types: `int('1')`, `string(true)`, `timestamp('...')`. */
export const conversions: Overload[] = [
  ...define('type', 'A -> type(A)', ([value = null]) => ({ kind: 'type', name: typeNameOf(value) })),
  ...define('dyn', 'A -> dyn', ([value = null]) => value),
  ...define('bool', ['bool -> bool', 'string -> bool'], ([value = null]) => toBool(value)),
  ...define('bytes', ['bytes -> bytes', 'string -> bytes'], ([value = null]) =>
    typeof value === 'string' ? new Uint8Array(Buffer.from(value)) : value,
  ),
  ...define('double', ['double -> double', 'int -> double', 'string -> double', 'uint -> double'], ([value = null]) =>
    toDouble(value),
  ),
  ...define(
    'int',
    ['int -> int', 'double -> int', 'duration -> int', 'string -> int', 'timestamp -> int', 'uint -> int'],
    ([value = null]) => toInt(value),
  ),
  ...define('uint', ['uint -> uint', 'double -> uint', 'int -> uint', 'string -> uint'], ([value = null]) =>
    toUint(value),
  ),
  ...define(
    'string',
    [
      'string -> string',
      'bool -> string',
      'bytes -> string',
      'double -> string',
      'duration -> string',
      'int -> string',
      'timestamp -> string',
      'uint -> string',
    ],
    ([value = null]) => toText(value),
  ),
  ...define('duration', ['duration -> duration', 'int -> duration', 'string -> duration'], ([value = null]) => {
    if (typeof value === 'bigint') return durationOf(value);
    return typeof value === 'string' ? durationOf(parseDuration(value)) : value;
  }),
  ...define('timestamp', ['timestamp -> timestamp', 'int -> timestamp', 'string -> timestamp'], ([value = null]) => {
    if (typeof value === 'bigint') return timestampOf(value * second);
    return typeof value === 'string' ? timestampOf(parseTimestamp(value), zoneMinutesOf(value)) : value;
  }),
];

const trueWords = ['1', 't', 'true', 'TRUE', 'True'];
const falseWords = ['0', 'f', 'false', 'FALSE', 'False'];

function toBool(value: CelValue): boolean {
  if (typeof value === 'boolean') return value;
  if (typeof value !== 'string') throw noSuchOverload();
  if (trueWords.includes(value)) return true;
  if (falseWords.includes(value)) return false;
  throw notConvertible('bool');
}

function toDouble(value: CelValue): number {
  if (typeof value === 'number') return value;
  if (typeof value === 'bigint') return Number(value);
  if (isTagged(value, 'uint')) return Number(value.value);
  if (typeof value !== 'string') throw noSuchOverload();
  if (/^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(value)) return Number(value);
  if (/^[+-]?(?:inf|infinity)$/i.test(value)) return value.startsWith('-') ? -Infinity : Infinity;
  if (/^nan$/i.test(value)) return Number.NaN;
  throw notConvertible('double');
}

function toInt(value: CelValue): bigint {
  if (typeof value === 'bigint') return value;
  if (typeof value === 'number') {
    if (!Number.isFinite(value) || value <= -(2 ** 63) || value >= 2 ** 63)
      throw new EvaluationError('integer overflow');
    return BigInt(Math.trunc(value));
  }
  if (isTagged(value, 'uint')) return checkedInt(value.value);
  if (isTagged(value, 'duration')) return value.nanos;
  if (isTagged(value, 'timestamp')) return floorDivide(value.nanos, second);
  if (typeof value !== 'string') throw noSuchOverload();
  const parsed = parseInteger(value, /^[+-]?\d+$/, 'int');
  if (parsed < -(2n ** 63n) || parsed >= 2n ** 63n) throw notConvertible('int');
  return parsed;
}

function toUint(value: CelValue): CelValue {
  if (isTagged(value, 'uint')) return value;
  if (typeof value === 'bigint') return checkedUint(value);
  if (typeof value === 'number') {
    if (!Number.isFinite(value) || value < 0 || value >= 2 ** 64)
      throw new EvaluationError('unsigned integer overflow');
    return checkedUint(BigInt(Math.trunc(value)));
  }
  if (typeof value !== 'string') throw noSuchOverload();
  const parsed = parseInteger(value, /^\d+$/, 'uint');
  if (parsed >= 2n ** 64n) throw notConvertible('uint');
  return checkedUint(parsed);
}

function parseInteger(value: string, pattern: RegExp, type: string): bigint {
  if (!pattern.test(value)) throw notConvertible(type);
  return value.startsWith('+') ? BigInt(value.slice(1)) : BigInt(value);
}

function toText(value: CelValue): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean' || typeof value === 'bigint') return String(value);
  if (typeof value === 'number') return goFloat(value);
  if (isTagged(value, 'uint')) return String(value.value);
  if (isTagged(value, 'duration')) return durationText(value.nanos);
  if (isTagged(value, 'timestamp')) return timestampText(value);
  if (!(value instanceof Uint8Array)) throw noSuchOverload();
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(value);
  } catch {
    throw new EvaluationError('invalid UTF-8 in bytes, cannot convert to string');
  }
}

export function floorDivide(a: bigint, b: bigint): bigint {
  const quotient = a / b;
  return a % b < 0n ? quotient - 1n : quotient;
}
