import { formatTime } from './time.ts';
import { compareText, elementType, GoInt, GoObject, GoTime, isMap, sortedKeys, typeName } from './value.ts';

/** A float64 as `%v` and `%g` print it: shortest digits, an exponent from 1e+06 or below 1e-04. */
export function formatFloat(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  if (value === 0) return Object.is(value, -0) ? '-0' : '0';
  const [digits = '', power = '0'] = value.toExponential().split('e');
  const exponent = Number(power);
  if (exponent >= -4 && exponent < 6) return plainNumber(value, digits, exponent);
  return `${digits}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`;
}

function plainNumber(value: number, digits: string, exponent: number): string {
  if (exponent >= 0) return value.toString();
  const bare = digits.replace('-', '').replace('.', '');
  return `${value < 0 ? '-' : ''}0.${'0'.repeat(-exponent - 1)}${bare}`;
}

/** As `%v` prints a value. */
export function formatValue(value: unknown): string {
  if (value === undefined || value === null) return '<nil>';
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return formatFloat(value);
  if (typeof value === 'boolean') return String(value);
  if (value instanceof GoInt) return value.value.toString();
  if (value instanceof GoTime) return formatTime(value, '2006-01-02 15:04:05.999999999 -0700 MST');
  if (value instanceof GoObject) return value.text;
  if (Array.isArray(value)) return `[${value.map(formatValue).join(' ')}]`;
  if (isMap(value))
    return `map[${sortedKeys(value)
      .map((key) => `${key}:${formatValue(value[key])}`)
      .join(' ')}]`;
  return '';
}

/** As `%#v` prints a value. */
export function formatGoSyntax(value: unknown): string {
  if (value === undefined || value === null) return '<nil>';
  if (typeof value === 'string') return quote(value);
  if (value instanceof GoInt) return value.type.startsWith('u') ? `0x${value.value.toString(16)}` : `${value.value}`;
  if (Array.isArray(value))
    return `${typeName(value)}{${value.map((item) => goSyntaxElement(item, value)).join(', ')}}`;
  if (!isMap(value)) return formatValue(value);
  const members = Object.keys(value)
    .sort(compareText)
    .map((key) => `${quote(key)}:${goSyntaxElement(value[key], value)}`);
  return `${typeName(value)}{${members.join(', ')}}`;
}

function goSyntaxElement(item: unknown, holder: object): string {
  const empty = item === undefined || item === null;
  return empty && elementType(holder) === 'interface {}' ? 'interface {}(nil)' : formatGoSyntax(item);
}

const escapes: Record<string, string> = {
  '\u0007': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '\\': '\\\\',
  '"': '\\"',
};

export function isPrintable(character: string): boolean {
  return /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u.test(character);
}

/** As `%q` prints a text. */
export function quote(text: string): string {
  let out = '"';
  for (const character of text) {
    const known = escapes[character];
    if (known !== undefined) out += known;
    else if (isPrintable(character)) out += character;
    else out += escapedCode(character.codePointAt(0) ?? 0);
  }
  return `${out}"`;
}

function escapedCode(code: number): string {
  if (code < 0x80) return `\\x${code.toString(16).padStart(2, '0')}`;
  if (code > 0xffff) return `\\U${code.toString(16).padStart(8, '0')}`;
  return `\\u${code.toString(16).padStart(4, '0')}`;
}

/** As fmt.Sprint: a space between two operands of which neither is a text. */
export function sprint(values: readonly unknown[]): string {
  let out = '';
  values.forEach((value, index) => {
    if (index > 0 && typeof value !== 'string' && typeof values[index - 1] !== 'string') out += ' ';
    out += formatValue(value);
  });
  return out;
}

/** As fmt.Sprintln. */
export function sprintln(values: readonly unknown[]): string {
  return `${values.map(formatValue).join(' ')}\n`;
}
