/** Kubernetes quantities: exact, on BigInt; the suffix family is kept, as the real server stores them. */
export interface Quantity {
  /** The value is `unscaled * 10^scale`, exactly. */
  unscaled: bigint;
  scale: number;
  format: 'BinarySI' | 'DecimalSI' | 'DecimalExponent';
}

export const quantityPattern = '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$';

const binary = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'];
const decimal = new Map([
  ['n', -9],
  ['u', -6],
  ['m', -3],
  ['', 0],
  ['k', 3],
  ['M', 6],
  ['G', 9],
  ['T', 12],
  ['P', 15],
  ['E', 18],
]);
const decimalSuffix = new Map([...decimal].map(([suffix, power]) => [power, suffix]));
const nano = -9;
const canonicalCache = new Map<string, string>();

/** Undefined when the text is no quantity. What is finer than a nano is rounded up, away from zero. */
export function parseQuantity(text: string): Quantity | undefined {
  const match = /^([+-]?)(\d+(?:\.\d*)?|\.\d+)([A-Za-z]*)([-+]?\d*)$/.exec(text);
  if (match === null) return undefined;
  const [, sign, number = '', letters = '', digits = ''] = match;
  const [whole = '', fraction = ''] = number.split('.');
  const magnitude = BigInt(whole + fraction || '0');
  const unscaled = sign === '-' ? -magnitude : magnitude;
  const scale = -fraction.length;
  const binaryIndex = letters === '' ? -1 : binary.indexOf(letters);
  if (binaryIndex > 0 && digits === '') {
    return capped(roundUp({ unscaled: unscaled << BigInt(10 * binaryIndex), scale, format: 'BinarySI' }));
  }
  if ((letters === 'e' || letters === 'E') && /\d/.test(digits)) {
    return roundUp({ unscaled, scale: scale + Number(digits), format: 'DecimalExponent' });
  }
  const power = decimal.get(letters);
  if (power === undefined || digits !== '') return undefined;
  return roundUp({ unscaled, scale: scale + power, format: 'DecimalSI' });
}

/** The form the server stores: no fraction, the largest fitting suffix of the family. Undefined when it is no quantity. */
export function canonicalQuantity(text: string): string | undefined {
  const known = canonicalCache.get(text);
  if (known !== undefined) return known;
  const quantity = parseQuantity(text);
  if (quantity === undefined) return undefined;
  const canonical = keepsText(text, quantity) ? text : formatQuantity(quantity);
  if (canonicalCache.size < 10_000) canonicalCache.set(text, canonical);
  return canonical;
}

/** Upstream quirk: a text that looks canonical is stored as it came, so `+5` and `2.` stay. */
function keepsText(text: string, { format }: Quantity): boolean {
  const match = /^[+-]?0*(\d*)(\.?)(\d*)(.*)$/.exec(text);
  if (match === null) return false;
  const [, whole = '', , fraction = '', suffix = ''] = match;
  if (format === 'BinarySI') {
    const power = 10 * binary.indexOf(suffix);
    const room = 15 - whole.length - Math.trunc(power * 0.3) - 1;
    return fraction === '' && room >= 0 && whole !== '' && BigInt(whole) % 8n !== 0n;
  }
  const digits = (whole === '' ? '0' : whole) + fraction;
  const scale = (decimal.get(suffix) ?? Number(suffix.slice(1))) - fraction.length;
  return digits.length <= 18 && scale >= nano && scale % 3 === 0 && !digits.endsWith('000') && !digits.startsWith('0');
}

export function formatQuantity(quantity: Quantity): string {
  if (quantity.unscaled === 0n) return '0';
  const small = compareQuantities(absolute(quantity), { unscaled: 1024n, scale: 0, format: 'DecimalSI' }) < 0;
  if (quantity.format === 'BinarySI' && !small && isInteger(quantity)) return formatBinary(integerOf(quantity));
  return formatDecimal(quantity, quantity.format === 'DecimalExponent');
}

/** Negative, zero or positive, as `a` is below, equal to or above `b`. */
export function compareQuantities(a: Quantity, b: Quantity): number {
  const scale = Math.min(a.scale, b.scale);
  const left = a.unscaled * 10n ** BigInt(a.scale - scale);
  const right = b.unscaled * 10n ** BigInt(b.scale - scale);
  return left < right ? -1 : left > right ? 1 : 0;
}

function absolute(quantity: Quantity): Quantity {
  return quantity.unscaled < 0n ? { ...quantity, unscaled: -quantity.unscaled } : quantity;
}

const largest = 2n ** 63n - 1n;

/** A binary amount is at most the largest 64-bit number. */
function capped(quantity: Quantity): Quantity {
  const most: Quantity = { unscaled: largest, scale: 0, format: 'BinarySI' };
  if (compareQuantities(absolute(quantity), most) <= 0) return quantity;
  return quantity.unscaled < 0n ? { ...most, unscaled: -largest } : most;
}

function roundUp(quantity: Quantity): Quantity {
  if (quantity.scale >= nano) return quantity;
  const divisor = 10n ** BigInt(nano - quantity.scale);
  let unscaled = quantity.unscaled / divisor;
  if (unscaled * divisor !== quantity.unscaled) unscaled += quantity.unscaled < 0n ? -1n : 1n;
  return { ...quantity, unscaled, scale: nano };
}

function isInteger(quantity: Quantity): boolean {
  return quantity.scale >= 0 || quantity.unscaled % 10n ** BigInt(-quantity.scale) === 0n;
}

function integerOf(quantity: Quantity): bigint {
  if (quantity.scale >= 0) return quantity.unscaled * 10n ** BigInt(quantity.scale);
  return quantity.unscaled / 10n ** BigInt(-quantity.scale);
}

function formatBinary(value: bigint): string {
  let rest = value;
  let index = 0;
  while (index < binary.length - 1 && rest % 1024n === 0n) {
    rest /= 1024n;
    index += 1;
  }
  return `${rest}${binary[index]}`;
}

function formatDecimal(quantity: Quantity, exponent: boolean): string {
  let { unscaled, scale } = quantity;
  while (unscaled % 10n === 0n) {
    unscaled /= 10n;
    scale += 1;
  }
  const largest = exponent ? scale : 18;
  let power = Math.min(Math.floor(scale / 3) * 3, Math.floor(largest / 3) * 3);
  if (power < nano) power = nano;
  const digits = `${unscaled}${'0'.repeat(scale - power)}`;
  if (exponent) return power === 0 ? digits : `${digits}e${power}`;
  return `${digits}${decimalSuffix.get(power) ?? ''}`;
}
