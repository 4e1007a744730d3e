import { CallError } from './call-error.ts';

/** An exact decimal: digits x 10^power. */
export interface Decimal {
  digits: bigint;
  power: number;
}

/** Of the shortest text that means the number. */
export function decimalOf(value: number): Decimal {
  if (!Number.isFinite(value)) throw new CallError(`Cannot create a Decimal from ${value}`);
  const [mantissa = '0', exponent = '0'] = value.toExponential().split('e');
  const [whole = '0', part = ''] = mantissa.split('.');
  return { digits: BigInt(whole + part), power: Number(exponent) - part.length };
}

export function toNumber({ digits, power }: Decimal): number {
  return Number(`${digits}e${power}`);
}

function aligned(a: Decimal, b: Decimal): { a: bigint; b: bigint; power: number } {
  const power = Math.min(a.power, b.power);
  const scale = (decimal: Decimal) => decimal.digits * 10n ** BigInt(decimal.power - power);
  return { a: scale(a), b: scale(b), power };
}

export function addDecimals(a: Decimal, b: Decimal): Decimal {
  const pair = aligned(a, b);
  return { digits: pair.a + pair.b, power: pair.power };
}

export function subtractDecimals(a: Decimal, b: Decimal): Decimal {
  return addDecimals(a, { digits: -b.digits, power: b.power });
}

export function multiplyDecimals(a: Decimal, b: Decimal): Decimal {
  return { digits: a.digits * b.digits, power: a.power + b.power };
}

const quotientDigits = 16;

/** To 16 digits after the point, half away from zero. */
export function divideDecimals(a: Decimal, b: Decimal): Decimal {
  if (b.digits === 0n) throw new CallError('decimal division by 0');
  const shift = quotientDigits + a.power - b.power;
  const top = shift >= 0 ? a.digits * 10n ** BigInt(shift) : a.digits;
  const bottom = shift >= 0 ? b.digits : b.digits * 10n ** BigInt(-shift);
  const size = (value: bigint) => (value < 0n ? -value : value);
  const quotient = size(top) / size(bottom);
  const rounded = 2n * (size(top) % size(bottom)) >= size(bottom) ? quotient + 1n : quotient;
  return { digits: top < 0n === bottom < 0n ? rounded : -rounded, power: -quotientDigits };
}
