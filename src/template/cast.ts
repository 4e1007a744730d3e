import { formatValue } from './format.ts';
import { parseFloatLiteral, parseInteger } from './literal.ts';
import { GoInt } from './value.ts';

const int64Max = 2n ** 63n - 1n;
const int64Min = -(2n ** 63n);

/** Any value as int64: texts as Go literals, false and what is no number as 0. */
export function toInt64(value: unknown): bigint {
  if (value instanceof GoInt) return BigInt.asIntN(64, value.value);
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) return int64Min;
    const whole = BigInt(Math.trunc(value));
    return whole > int64Max || whole < int64Min ? int64Min : whole;
  }
  if (typeof value === 'boolean') return value ? 1n : 0n;
  if (typeof value !== 'string') return 0n;
  const parsed = parseInteger(value.replace(/^(.*[^.])\.0+$/, '$1'));
  return parsed === undefined || parsed > int64Max || parsed < int64Min ? 0n : parsed;
}

/** Any value as float64. */
export function toFloat64(value: unknown): number {
  if (typeof value === 'number') return value;
  if (value instanceof GoInt) return Number(value.value);
  if (typeof value === 'boolean') return value ? 1 : 0;
  if (typeof value !== 'string') return 0;
  const special = /^([-+]?)(inf|infinity|nan)$/i.exec(value);
  if (special) return special[2]?.toLowerCase() === 'nan' ? Number.NaN : special[1] === '-' ? -Infinity : Infinity;
  return parseFloatLiteral(value) ?? 0;
}

/** The text of any value, texts unchanged. */
export function toText(value: unknown): string {
  return typeof value === 'string' ? value : formatValue(value);
}

/** A list as texts without empty interfaces; anything else is a list of itself. */
export function toTexts(value: unknown): string[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) return [toText(value)];
  return value.filter((item) => item !== undefined && item !== null).map(toText);
}
