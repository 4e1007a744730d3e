import { CallError } from '../call-error.ts';
import { toText, toTexts } from '../cast.ts';
import { formatValue, quote } from '../format.ts';
import { type CallContext, type FunctionMap, fn, variadic } from '../function.ts';
import { byteLength, byteSlice, compareText, newMap, ofType } from '../value.ts';
import { swapCase, toJoinedCase, toPascalCase } from '../word-case.ts';

function repeat(text: string, count: number, context: CallContext): string {
  if (count < 0) throw new CallError('strings: negative Repeat count');
  context.spend(Math.ceil((text.length * count) / 16));
  return text.repeat(count);
}

function indent(spaces: number, text: string, context: CallContext): string {
  const pad = repeat(' ', spaces, context);
  context.spend(Math.ceil((text.split('\n').length * spaces) / 16));
  return pad + text.replaceAll('\n', `\n${pad}`);
}

/** Go's strings.Split: an empty separator gives the characters. */
function split(text: string, separator: string): string[] {
  return separator === '' ? [...text] : text.split(separator);
}

function splitN(text: string, separator: string, count: number): string[] {
  if (count === 0) return [];
  const parts = split(text, separator);
  if (count < 0 || parts.length <= count) return parts;
  return [...parts.slice(0, count - 1), parts.slice(count - 1).join(separator)];
}

function numbered(parts: readonly string[]): object {
  const map = newMap();
  parts.forEach((part, index) => {
    map[`_${index}`] = part;
  });
  return ofType(map, 'string');
}

function trimCharacters(text: string, cut: string): string {
  const characters = [...text];
  const set = new Set(cut);
  let [start, end] = [0, characters.length];
  while (start < end && set.has(characters[start] ?? '')) start += 1;
  while (end > start && set.has(characters[end - 1] ?? '')) end -= 1;
  return characters.slice(start, end).join('');
}

function bounded(text: string, start: number, end: number): string {
  const size = byteLength(text);
  if (start > end || end > size || start < 0 || end < 0)
    throw new CallError(
      start > end && end >= 0 && start >= 0
        ? `runtime error: slice bounds out of range [${start}:${end}]`
        : `runtime error: slice bounds out of range [:${end}]${end > size ? ` with length ${size}` : ''}`,
    );
  return byteSlice(text, start, end);
}

function substring(start: number, end: number, text: string): string {
  const size = byteLength(text);
  if (start < 0) return bounded(text, 0, end);
  if (end < 0 || end > size) {
    if (start > size) throw new CallError(`runtime error: slice bounds out of range [${start}:${size}]`);
    return byteSlice(text, start);
  }
  return bounded(text, start, end);
}

function truncate(count: number, text: string): string {
  const size = byteLength(text);
  if (count < 0 && size + count > 0) return byteSlice(text, size + count);
  return count >= 0 && size > count ? byteSlice(text, 0, count) : text;
}

/** With an ellipsis, and from an offset with one before it too. */
function abbreviate(text: string, offset: number, width: number): string {
  const size = byteLength(text);
  if (text === '' || size <= width) return text;
  if (width < 4) return '';
  let from = Math.min(offset, size);
  if (size - from < width - 3) from = size - (width - 3);
  if (from <= 4) return `${byteSlice(text, 0, width - 3)}...`;
  if (width < 7) return '';
  if (from + width - 3 < size) return `...${abbreviate(byteSlice(text, from), 0, width - 3)}`;
  return `...${byteSlice(text, size - (width - 3))}`;
}

function wrap(text: string, length: number, line: string, long: boolean): string {
  const width = Math.max(1, length);
  const newLine = line === '' ? '\n' : line;
  let out = '';
  let at = 0;
  while (text.length - at > width) {
    if (text[at] === ' ') {
      at += 1;
      continue;
    }
    const space = text.slice(at, at + width + 1).lastIndexOf(' ');
    if (space >= 0) {
      out += text.slice(at, at + space) + newLine;
      at += space + 1;
    } else if (long) {
      out += text.slice(at, at + width) + newLine;
      at += width;
    } else {
      const next = text.indexOf(' ', at + width);
      if (next < 0) return out + text.slice(at);
      out += text.slice(at, next) + newLine;
      at = next + 1;
    }
  }
  return out + text.slice(at);
}

function initials(text: string): string {
  return text
    .split(/\s+/u)
    .map((word) => [...word][0] ?? '')
    .join('');
}

function untitle(text: string): string {
  return text.replace(/(^|\s)(\S)/gu, (_all, before: string, first: string) => before + first.toLowerCase());
}

/** Go's strings.Title: after a space, and in ASCII after all but letters, digits and `_`. */
function title(text: string): string {
  return text.replace(
    /(^|[^\x80-\u{10ffff}a-zA-Z0-9_]|\s)([\p{L}\p{N}])/gu,
    (_all, before: string, first: string) => before + first.toUpperCase(),
  );
}

/** Base 32 of RFC 4648. */
const base32Letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

function encodeBase32(text: string): string {
  let bits = '';
  for (const byte of Buffer.from(text)) bits += byte.toString(2).padStart(8, '0');
  const letters = (bits.match(/.{1,5}/g) ?? []).map((five) => base32Letters[Number.parseInt(five.padEnd(5, '0'), 2)]);
  return letters.join('').padEnd(Math.ceil(letters.length / 8) * 8, '=');
}

function decodeBase32(text: string): string {
  const bare = text.replace(/[\r\n]/g, '');
  const bad = /[^A-Z2-7=]/.exec(bare) ?? (bare.length % 8 === 0 ? null : { index: bare.length });
  if (bad) return `illegal base32 data at input byte ${bad.index}`;
  const bits = [...bare.replace(/=+$/, '')]
    .map((letter) => base32Letters.indexOf(letter).toString(2).padStart(5, '0'))
    .join('');
  const bytes = (bits.match(/.{8}/g) ?? []).map((eight) => Number.parseInt(eight, 2));
  return Buffer.from(bytes).toString('utf8');
}

function decodeBase64(text: string): string {
  const bare = text.replace(/[\r\n]/g, '');
  const letters = /^[A-Za-z0-9+/]*/.exec(bare)?.[0].length ?? 0;
  const padding = bare.slice(letters);
  const whole = bare.length % 4 === 0 && /^={0,2}$/.test(padding) && (padding === '' || letters % 4 >= 2);
  if (whole) return Buffer.from(bare, 'base64').toString('utf8');
  const at =
    /^=*$/.test(padding) && (letters + padding.length) % 4 !== 0 && padding.length < 3
      ? bare.length - (bare.length % 4)
      : letters;
  return `illegal base64 data at input byte ${at}`;
}

const b64 = fn(['string'], (text) => Buffer.from(text).toString('base64'));
const trimAll = fn(['string', 'string'], (cut, text) => trimCharacters(text, cut));
const notNothing = (value: unknown) => value !== null && value !== undefined;

export const textFunctions: FunctionMap = {
  hello: fn([], () => 'Hello!'),
  abbrev: fn(['int', 'string'], (width, text) => (width < 4 ? text : abbreviate(text, 0, width))),
  abbrevboth: fn(['int', 'int', 'string'], (left, right, text) =>
    right < 4 || (left > 0 && right < 7) ? text : abbreviate(text, left, right),
  ),
  b32dec: fn(['string'], decodeBase32),
  b32enc: fn(['string'], encodeBase32),
  b64dec: fn(['string'], decodeBase64),
  b64enc: b64,
  camelcase: fn(['string'], toPascalCase),
  cat: variadic([], 'any', (_none, values) => values.filter(notNothing).map(formatValue).join(' ').trim()),
  contains: fn(['string', 'string'], (part, text) => text.includes(part)),
  hasPrefix: fn(['string', 'string'], (part, text) => text.startsWith(part)),
  hasSuffix: fn(['string', 'string'], (part, text) => text.endsWith(part)),
  indent: fn(['int', 'string'], (spaces, text, context) => indent(spaces, text, context)),
  nindent: fn(['int', 'string'], (spaces, text, context) => `\n${indent(spaces, text, context)}`),
  initials: fn(['string'], initials),
  join: fn(['string', 'any'], (separator, list) => toTexts(list).join(separator)),
  kebabcase: fn(['string'], (text) => toJoinedCase(text, '-')),
  lower: fn(['string'], (text) => text.toLowerCase()),
  nospace: fn(['string'], (text) => text.replace(/\s/gu, '')),
  plural: fn(['string', 'string', 'int'], (one, many, count) => (count === 1 ? one : many)),
  quote: variadic([], 'any', (_none, values) =>
    values
      .filter(notNothing)
      .map((value) => quote(toText(value)))
      .join(' '),
  ),
  squote: variadic([], 'any', (_none, values) =>
    values
      .filter(notNothing)
      .map((value) => `'${formatValue(value)}'`)
      .join(' '),
  ),
  repeat: fn(['int', 'string'], (count, text, context) => repeat(text, count, context)),
  replace: fn(['string', 'string', 'string'], (from, to, text, context) => {
    const parts = from === '' ? ['', ...text, ''] : text.split(from);
    context.spend(Math.ceil((parts.length * to.length) / 64));
    return parts.join(to);
  }),
  shuffle: fn(['string'], (text, context) => {
    const rest = [...text];
    let out = '';
    while (rest.length > 0) out += rest.splice(Math.floor(context.entropy.fraction() * rest.length), 1).join('');
    return out;
  }),
  snakecase: fn(['string'], (text) => toJoinedCase(text, '_')),
  sortAlpha: fn(['any'], (list) => ofType(toTexts(list).sort(compareText), 'string')),
  split: fn(['string', 'string'], (separator, text) => numbered(split(text, separator))),
  splitList: fn(['string', 'string'], (separator, text) => ofType(split(text, separator), 'string')),
  splitn: fn(['string', 'int', 'string'], (separator, count, text) => numbered(splitN(text, separator, count))),
  substr: fn(['int', 'int', 'string'], substring),
  swapcase: fn(['string'], swapCase),
  title: fn(['string'], title),
  toString: fn(['any'], toText),
  toStrings: fn(['any'], (list) => ofType(toTexts(list), 'string')),
  trim: fn(['string'], (text) => text.replace(/^[\s\u0085]+|[\s\u0085]+$/gu, '')),
  trimAll,
  trimall: trimAll,
  trimPrefix: fn(['string', 'string'], (part, text) => (text.startsWith(part) ? text.slice(part.length) : text)),
  trimSuffix: fn(['string', 'string'], (part, text) =>
    part !== '' && text.endsWith(part) ? text.slice(0, -part.length) : text,
  ),
  trunc: fn(['int', 'string'], truncate),
  untitle: fn(['string'], untitle),
  upper: fn(['string'], (text) => text.toUpperCase()),
  wrap: fn(['int', 'string'], (length, text) => wrap(text, length, '', false)),
  wrapWith: fn(['int', 'string', 'string'], (length, line, text, context) => {
    context.spend(Math.ceil((text.length * line.length) / 64));
    return wrap(text, length, line, true);
  }),
};
