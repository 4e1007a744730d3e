import { JsonnetError } from './error.ts';
import { toText } from './manifest.ts';
import { integerOf, numberOf, numberText } from './operators.ts';
import { charactersOf, JsonnetArray, JsonnetObject, typeOf, type Value } from './values.ts';

interface Directive {
  key: string | undefined;
  flags: string;
  width: string | undefined;
  precision: string | undefined;
  conversion: string;
}

const directive = /%(?:\(([^)]*)\))?([#0\- +]*)(\*|\d+)?(?:\.(\*|\d*))?[hlL]?([diouxXeEfFgGcrsa%])/y;
const widest = 10_000;

/** Python's `%` on texts, as far as the language has it. */
export function formatText(template: string, value: Value): string {
  const values = value instanceof JsonnetArray ? value.values() : [value];
  const source = value instanceof JsonnetObject ? value : undefined;
  let used = 0;
  const nextValue = (): Value => {
    const next = values[used];
    if (next === undefined) throw new JsonnetError(`not enough values to format, expected more than ${values.length}`);
    used += 1;
    return next;
  };
  let out = '';
  for (let at = 0; at < template.length; ) {
    const percent = template.indexOf('%', at);
    if (percent < 0) {
      out += template.slice(at);
      break;
    }
    out += template.slice(at, percent);
    directive.lastIndex = percent;
    const match = directive.exec(template);
    if (!match) throw new JsonnetError(`truncated or unknown format code in ${JSON.stringify(template)}`);
    at = directive.lastIndex;
    const [, key, flags = '', width, precision, conversion = '%'] = match;
    if (source && (width === '*' || precision === '*')) throw new JsonnetError('cannot use * with an object');
    const found: Directive = {
      key,
      flags,
      width: width === '*' ? String(integerOf(nextValue(), 'a width')) : width,
      precision: precision === '*' ? String(integerOf(nextValue(), 'a precision')) : precision,
      conversion,
    };
    if (Number(found.width ?? 0) > widest || Number(found.precision ?? 0) > widest)
      throw new JsonnetError(`a format is wider than ${widest}`);
    out += conversion === '%' ? pad('%', found) : convert(found, source ? member(source, key) : nextValue());
  }
  if (!source && used < values.length)
    throw new JsonnetError(`too many values to format: ${values.length}, expected ${used}`);
  return out;
}

function member(source: JsonnetObject, key: string | undefined): Value {
  if (key === undefined) throw new JsonnetError('mapping keys required');
  const value = source.get(key);
  if (value === undefined) throw new JsonnetError(`no such field: ${key}`);
  return value;
}

function pad(text: string, found: Directive): string {
  const missing = Number(found.width ?? 0) - charactersOf(text).length;
  if (missing <= 0) return text;
  const space = ' '.repeat(missing);
  return found.flags.includes('-') ? text + space : space + text;
}

function convert(found: Directive, value: Value): string {
  const { conversion, precision } = found;
  if (conversion === 's' || conversion === 'r' || conversion === 'a') return pad(toText(value), found);
  if (conversion === 'c') return pad(character(value), found);
  const number = numberOf(value, `the value of %${conversion}`);
  const negative = number < 0 || Object.is(number, -0);
  const size = Math.abs(number);
  const digits = digitsOf(found, size, precision === undefined ? undefined : Number(precision));
  const sign = negative ? '-' : found.flags.includes('+') ? '+' : found.flags.includes(' ') ? ' ' : '';
  const prefix = prefixOf(found, size);
  const width = Number(found.width ?? 0) - sign.length - prefix.length;
  const zeros = found.flags.includes('0') && !found.flags.includes('-') ? digits.padStart(width, '0') : digits;
  return pad(`${sign}${prefix}${zeros}`, found);
}

function prefixOf(found: Directive, size: number): string {
  if (!found.flags.includes('#')) return '';
  switch (found.conversion) {
    case 'o':
      return size === 0 ? '' : '0';
    case 'x':
      return '0x';
    case 'X':
      return '0X';
    default:
      return '';
  }
}

function digitsOf(found: Directive, size: number, precision: number | undefined): string {
  const alternate = found.flags.includes('#');
  switch (found.conversion) {
    case 'd':
    case 'i':
    case 'u':
      return numberText(Math.floor(size)).padStart(precision ?? 0, '0');
    case 'o':
      return Math.floor(size)
        .toString(8)
        .padStart(precision ?? 0, '0');
    case 'x':
    case 'X': {
      const text = Math.floor(size)
        .toString(16)
        .padStart(precision ?? 0, '0');
      return found.conversion === 'X' ? text.toUpperCase() : text;
    }
    case 'f':
    case 'F':
      return fixed(size, precision ?? 6, alternate);
    case 'e':
    case 'E':
      return exponential(size, precision ?? 6, { alternate, upper: found.conversion === 'E' });
    default: {
      const upper = found.conversion === 'G';
      const wanted = Math.max(1, precision ?? 6);
      const power = size === 0 ? 0 : Math.floor(Math.log(size) / Math.LN10);
      const strip = (text: string) =>
        alternate ? text : text.replace(/(\.\d*?)0+(?=e|E|$)/, '$1').replace(/\.(?=e|E|$)/, '');
      if (power < -4 || power >= wanted) return strip(exponential(size, wanted - 1, { alternate, upper }));
      return strip(fixed(size, Math.max(0, wanted - 1 - power), alternate));
    }
  }
}

function fixed(size: number, precision: number, alternate: boolean): string {
  const text = size < 1e21 ? size.toFixed(Math.min(precision, 100)) : `${BigInt(size)}.${'0'.repeat(precision)}`;
  return alternate && precision === 0 ? `${text}.` : text;
}

function exponential(size: number, precision: number, style: { alternate: boolean; upper: boolean }): string {
  const [mantissa = '', exponent = ''] = size.toExponential(Math.min(precision, 100)).split('e');
  const power = Number(exponent);
  const dot = style.alternate && precision === 0 ? '.' : '';
  const text = `${mantissa}${dot}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`;
  return style.upper ? text.toUpperCase() : text;
}

function character(value: Value): string {
  if (typeof value === 'number') return String.fromCodePoint(value);
  if (typeof value === 'string' && charactersOf(value).length === 1) return value;
  throw new JsonnetError(`%c expects a number or one character, got ${typeOf(value)}`);
}
