import { isIPv4, isIPv6 } from 'node:net';
import { parseRequestUrl } from './cel/functions/url.ts';

/** Seven bit units of Go's and Scala's durations, by what they begin with. */
const durationUnits: [string, bigint][] = [
  ['nano', 1n],
  ['micro', 1_000n],
  ['milli', 1_000_000n],
  ['sec', 1_000_000_000n],
  ['min', 60_000_000_000n],
  ['hour', 3_600_000_000_000n],
  ['day', 86_400_000_000_000n],
  ['week', 604_800_000_000_000n],
];
const shortUnits: Record<string, bigint> = {
  ns: 1n,
  us: 1_000n,
  µs: 1_000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
  hr: 3_600_000_000_000n,
  d: 86_400_000_000_000n,
  w: 604_800_000_000_000n,
  wk: 604_800_000_000_000n,
};
const goDuration = /^([+-]?)((?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+)$/;

/** Nanoseconds of `1h30m`, and of `2 days` as upstream also takes it. Undefined when it is no duration. */
export function durationNanos(text: string): bigint | undefined {
  if (/^[+-]?0$/.test(text)) return 0n;
  const go = goDuration.exec(text);
  let sum = 0n;
  if (go !== null) {
    for (const [, whole = '', fraction = '', unit = ''] of text.matchAll(/(\d*)\.?(\d*)(ns|us|µs|μs|ms|s|m|h)/g)) {
      const size = shortUnits[unit === 'μs' ? 'µs' : unit] ?? 0n;
      sum += BigInt(whole || '0') * size;
      if (fraction !== '') sum += (BigInt(fraction) * size) / 10n ** BigInt(fraction.length);
    }
    if (sum < 2n ** 63n) return go[1] === '-' ? -sum : sum;
    sum = 0n;
  }
  let found = false;
  for (const [, count = '', unit = ''] of text.matchAll(/(\d+)\s*([A-Za-zµ]+)/g)) {
    const name = unit.toLowerCase();
    const size = shortUnits[name] ?? durationUnits.find(([start]) => name.startsWith(start))?.[1];
    if (size === undefined) continue;
    found = true;
    sum += BigInt(count) * size;
  }
  return found ? sum : undefined;
}

const hostname =
  /^([a-zA-Z0-9\p{S}\p{L}]((-?[a-zA-Z0-9\p{S}\p{L}]{0,62})?)|([a-zA-Z0-9\p{S}\p{L}](([a-zA-Z0-9-\p{S}\p{L}]{0,61}[a-zA-Z0-9\p{S}\p{L}])?)(\.))+([a-zA-Z\p{L}]){2,63})$/u;
const card =
  /^(?:4[0-9]{12}(?:[0-9]{3})?|5[1-5][0-9]{14}|6(?:011|5[0-9][0-9])[0-9]{12}|3[47][0-9]{13}|3(?:0[0-5]|[68][0-9])[0-9]{11}|(?:2131|1800|35\d{3})\d{11})$/;
const colorPart = '(?:0|[1-9]\\d?|1\\d\\d?|2[0-4]\\d|25[0-5])';
const rgb = new RegExp(`^rgb\\(\\s*${colorPart}\\s*,\\s*${colorPart}\\s*,\\s*${colorPart}\\s*\\)$`);
const atom = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~\\u0080-\\uffff-]+";
const dotted = `${atom}(?:\\.${atom})*`;
const email = new RegExp(`^(?:${dotted}|"(?:[^"\\\\]|\\\\.)*")@(?:${dotted}|\\[[^[\\]]+\\])$`);

function uuid(version: string, variant: string): (text: string) => boolean {
  const pattern = new RegExp(
    `^[0-9a-f]{8}-?[0-9a-f]{4}-?${version}[0-9a-f]{3}-?${variant}[0-9a-f]{3}-?[0-9a-f]{12}$`,
    'i',
  );
  return (text) => pattern.test(text);
}

const any = '[0-9a-f]';
const rfc4122 = '[89ab]';

const formats: Record<string, (text: string) => boolean> = {
  bsonobjectid: (text) => /^[0-9a-f]{24}$/i.test(text),
  uri: (text) => typeof parseRequestUrl(text) !== 'string',
  email: isEmail,
  hostname: (text) => text.length <= 255 && hostname.test(text) && text.split('.').every((part) => part.length <= 63),
  ipv4: isLooseIpv4,
  ipv6: (text) => isIPv6(text) && !text.includes('%'),
  cidr: isCidr,
  mac: (text) =>
    /^(?:[0-9a-f]{2}([:-])(?:[0-9a-f]{2}\1){4}(?:(?:[0-9a-f]{2}\1){2})?[0-9a-f]{2}|(?:[0-9a-f]{4}\.){2}(?:[0-9a-f]{4}\.)?[0-9a-f]{4}|[0-9a-f]{12}|[0-9a-f]{2}([:-])(?:[0-9a-f]{2}\2){18}[0-9a-f]{2})$/i.test(
      text,
    ),
  uuid: uuid(any, any),
  uuid3: uuid('3', any),
  uuid4: uuid('4', rfc4122),
  uuid5: uuid('5', rfc4122),
  isbn: (text) => isIsbn10(text) || isIsbn13(text),
  isbn10: isIsbn10,
  isbn13: isIsbn13,
  creditcard: isCreditCard,
  ssn: (text) => /^\d{3}[- ]\d{2}[- ]\d{4}$/.test(text),
  hexcolor: (text) => /^#?(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})$/.test(text),
  rgbcolor: (text) => rgb.test(text),
  byte: (text) => /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{4})$/.test(text),
  password: () => true,
  date: isDate,
  duration: (text) => durationNanos(text) !== undefined,
  datetime: isDateTime,
};

export function isKnownFormat(format: string): boolean {
  return Object.hasOwn(formats, format.replaceAll('-', ''));
}

/** Whether a text is of an OpenAPI format. Formats that upstream does not know are not checked. */
export function isOfFormat(format: string, text: string): boolean {
  const name = format.replaceAll('-', '');
  return Object.hasOwn(formats, name) ? (formats[name]?.(text) ?? true) : true;
}

function isEmail(text: string): boolean {
  const inBrackets = /^[^<>@]*<([^<>]+)>$/.exec(text.trim());
  return email.test(inBrackets?.[1] ?? text.trim());
}

/** Go takes leading zeros, and an IPv4 address written as IPv6. */
function isLooseIpv4(text: string): boolean {
  const mapped = /^::ffff:([0-9.]+)$/i.exec(text)?.[1] ?? text;
  return isIPv4(mapped.replace(/(^|\.)0+(?=\d)/g, '$1'));
}

function isCidr(text: string): boolean {
  const [, address = '', bits = ''] = /^(.+)\/(\d{1,3})$/.exec(text) ?? [];
  if (isIPv4(address)) return bits !== '' && Number(bits) <= 32;
  return isIPv6(address) && !address.includes('%') && bits !== '' && Number(bits) <= 128;
}

function isIsbn10(text: string): boolean {
  const digits = text.replace(/[\s-]+/g, '');
  if (!/^\d{9}[\dX]$/.test(digits)) return false;
  const sum = [...digits].reduce((total, digit, at) => total + (10 - at) * (digit === 'X' ? 10 : Number(digit)), 0);
  return sum % 11 === 0;
}

function isIsbn13(text: string): boolean {
  const digits = text.replace(/[\s-]+/g, '');
  if (!/^\d{13}$/.test(digits)) return false;
  return [...digits].reduce((total, digit, at) => total + (at % 2 === 0 ? 1 : 3) * Number(digit), 0) % 10 === 0;
}

function isCreditCard(text: string): boolean {
  const digits = text.replace(/[^0-9]+/g, '');
  if (!card.test(digits)) return false;
  const sum = [...digits].reverse().reduce((total, digit, at) => {
    const doubled = Number(digit) * (at % 2 === 0 ? 1 : 2);
    return total + (doubled > 9 ? doubled - 9 : doubled);
  }, 0);
  return sum % 10 === 0;
}

function isDate(text: string): boolean {
  const [, year, month, day] = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text) ?? [];
  if (year === undefined || Number(month) < 1 || Number(month) > 12) return false;
  return Number(day) >= 1 && Number(day) <= new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate();
}

function isDateTime(text: string): boolean {
  const [date = '', time = ''] = text.toLowerCase().split('t');
  const found = /^(\d{2}):(\d{2}):(\d{2})(?:.\d+)?(?:z|[+-]\d{2}:\d{2})$/.exec(time);
  if (found === null || !isDate(date)) return false;
  const [, hour = '', minute = '', second = ''] = found;
  return hour <= '23' && minute <= '59' && second <= '59';
}
