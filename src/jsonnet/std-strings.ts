import { builtin, type Library } from './builtin.ts';
import { JsonnetError } from './error.ts';
import { formatText } from './format.ts';
import { quote, toText } from './manifest.ts';
import { arrayOf, integerOf, numberOf, textOf } from './operators.ts';
import { charactersOf, JsonnetArray, Thunk, type Value } from './values.ts';

function substring(text: Value, from: Value, length: Value): string {
  const start = integerOf(from, 'from');
  const count = integerOf(length, 'len');
  if (start < 0 || count < 0) throw new JsonnetError('std.substr takes a place and a length that are not negative');
  return charactersOf(textOf(text, 'str'))
    .slice(start, start + count)
    .join('');
}

function positions(pattern: string, text: string): number[] {
  const out: number[] = [];
  if (pattern === '') return out;
  const wanted = charactersOf(pattern);
  const characters = charactersOf(text);
  for (let at = 0; at + wanted.length <= characters.length; at += 1)
    if (wanted.every((character, index) => characters[at + index] === character)) out.push(at);
  return out;
}

/** At most `most` cuts; negative means all. */
function split(text: Value, separator: Value, options: { most: number; fromRight: boolean }): Value {
  const between = textOf(separator, 'c');
  if (between === '') throw new JsonnetError('std.split takes a separator that is not empty');
  const parts = textOf(text, 'str').split(between);
  const { most } = options;
  if (most < 0 || parts.length - 1 <= most) return JsonnetArray.of(parts);
  if (options.fromRight) {
    const kept = parts.length - most;
    return JsonnetArray.of([parts.slice(0, kept).join(between), ...parts.slice(kept)]);
  }
  return JsonnetArray.of([...parts.slice(0, most), parts.slice(most).join(between)]);
}

function strip(text: Value, set: Value, sides: { left: boolean; right: boolean }): string {
  const characters = charactersOf(textOf(text, 'str'));
  const dropped = new Set(
    typeof set === 'string'
      ? charactersOf(set)
      : arrayOf(set, 'chars')
          .values()
          .map((item) => textOf(item, 'a character')),
  );
  let from = 0;
  let to = characters.length;
  while (sides.left && from < to && dropped.has(characters[from] ?? '')) from += 1;
  while (sides.right && to > from && dropped.has(characters[to - 1] ?? '')) to -= 1;
  return characters.slice(from, to).join('');
}

const ascii = (from: string, change: (text: string) => string) => (value: Value) =>
  textOf(value, 'str').replace(new RegExp(`[${from}]`, 'g'), change);
const upper = ascii('a-z', (letter) => letter.toUpperCase());
const lower = ascii('A-Z', (letter) => letter.toLowerCase());

function parseDigits(value: Value, base: { digits: RegExp; radix: number; what: string }): number {
  const text = textOf(value, 'str');
  if (!base.digits.test(text)) throw new JsonnetError(`${JSON.stringify(text)} is not ${base.what}`);
  return Number.parseInt(text, base.radix);
}

function codePoint(value: Value): number {
  const characters = charactersOf(textOf(value, 'str'));
  const [only] = characters;
  if (only === undefined || characters.length !== 1)
    throw new JsonnetError(`codepoint takes a string of length 1, got length ${characters.length}`);
  return only.codePointAt(0) ?? 0;
}

function character(value: Value): string {
  const number = numberOf(value, 'n');
  if (!Number.isInteger(number) || number < 0 || number > 0x10ffff)
    throw new JsonnetError(`invalid unicode codepoint, got ${number}`);
  return String.fromCodePoint(number);
}

const xmlEscapes: Record<string, string> = { '<': '&lt;', '>': '&gt;', '&': '&amp;', '"': '&quot;', "'": '&apos;' };

function escapeXml(text: string): string {
  return text.replace(/[<>&"']/g, (found) => xmlEscapes[found] ?? found);
}

function replaceAll(text: Value, from: Value, to: Value): string {
  const pattern = textOf(from, 'from');
  if (pattern === '') throw new JsonnetError("'from' string must not be zero length");
  return textOf(text, 'str').replaceAll(pattern, () => textOf(to, 'to'));
}

export const stringLibrary: Library = new Map<string, Value>([
  ['toString', builtin('a', toText)],
  ['format', builtin('str, vals', (text, values) => formatText(textOf(text, 'str'), values))],
  ['substr', builtin('str, from, len', substring)],
  ['startsWith', builtin('a, b', (a, b) => textOf(a, 'a').startsWith(textOf(b, 'b')))],
  ['endsWith', builtin('a, b', (a, b) => textOf(a, 'a').endsWith(textOf(b, 'b')))],
  [
    'findSubstr',
    builtin('pat, str', (pattern, text) => JsonnetArray.of(positions(textOf(pattern, 'pat'), textOf(text, 'str')))),
  ],
  ['split', builtin('str, c', (text, c) => split(text, c, { most: -1, fromRight: false }))],
  [
    'splitLimit',
    builtin('str, c, maxsplits', (text, c, most) =>
      split(text, c, { most: integerOf(most, 'maxsplits'), fromRight: false }),
    ),
  ],
  [
    'splitLimitR',
    builtin('str, c, maxsplits', (text, c, most) =>
      split(text, c, { most: integerOf(most, 'maxsplits'), fromRight: true }),
    ),
  ],
  ['strReplace', builtin('str, from, to', replaceAll)],
  ['stripChars', builtin('str, chars', (text, set) => strip(text, set, { left: true, right: true }))],
  ['lstripChars', builtin('str, chars', (text, set) => strip(text, set, { left: true, right: false }))],
  ['rstripChars', builtin('str, chars', (text, set) => strip(text, set, { left: false, right: true }))],
  ['trim', builtin('str', (text) => strip(text, ' \t\n\f\r\u0085\u00a0', { left: true, right: true }))],
  ['asciiUpper', builtin('str', upper)],
  ['asciiLower', builtin('str', lower)],
  ['equalsIgnoreCase', builtin('str1, str2', (a, b) => lower(a) === lower(b))],
  ['isEmpty', builtin('str', (text) => textOf(text, 'str') === '')],
  ['stringChars', builtin('str', (text) => new JsonnetArray(charactersOf(textOf(text, 'str')).map(Thunk.of)))],
  ['codepoint', builtin('str', codePoint)],
  ['char', builtin('n', character)],
  [
    'parseInt',
    builtin('str', (text) => parseDigits(text, { digits: /^-?[0-9]+$/, radix: 10, what: 'a base 10 integer' })),
  ],
  [
    'parseOctal',
    builtin('str', (text) => parseDigits(text, { digits: /^[0-7]+$/, radix: 8, what: 'a base 8 integer' })),
  ],
  [
    'parseHex',
    builtin('str', (text) => parseDigits(text, { digits: /^[0-9a-fA-F]+$/, radix: 16, what: 'a base 16 integer' })),
  ],
  ['escapeStringJson', builtin('str_', (value) => quote(toText(value)))],
  ['escapeStringPython', builtin('str', (value) => quote(toText(value)))],
  ['escapeStringBash', builtin('str_', (value) => `'${toText(value).replaceAll("'", `'"'"'`)}'`)],
  ['escapeStringDollars', builtin('str_', (value) => toText(value).replaceAll('$', '$$$$'))],
  ['escapeStringXML', builtin('str_', (value) => escapeXml(toText(value)))],
]);
