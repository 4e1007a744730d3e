import { define, integer, list, method, type Overload, text } from '../overload.ts';
import { EvaluationError, listValue } from '../value.ts';
import { formatText } from './format-text.ts';
import { quoted } from './quoted.ts';

/** Functions of strings; positions count code points. */
export const stringFunctions: Overload[] = [
  ...method('contains', 'string, string -> bool', ([a, b]) => text(a).includes(text(b))),
  ...method('startsWith', 'string, string -> bool', ([a, b]) => text(a).startsWith(text(b))),
  ...method('endsWith', 'string, string -> bool', ([a, b]) => text(a).endsWith(text(b))),
  ...method('charAt', 'string, int -> string', ([a, at]) => charAt([...text(a)], Number(integer(at)))),
  ...method('indexOf', ['string, string -> int', 'string, string, int -> int'], ([a, b, from]) =>
    indexOf([...text(a)], [...text(b)], from === undefined ? undefined : Number(integer(from))),
  ),
  ...method('lastIndexOf', ['string, string -> int', 'string, string, int -> int'], ([a, b, from]) =>
    lastIndexOf([...text(a)], [...text(b)], from === undefined ? undefined : Number(integer(from))),
  ),
  ...method('join', ['list(string) -> string', 'list(string), string -> string'], ([items, separator]) =>
    list(items)
      .items.map((item) => text(item))
      .join(separator === undefined ? '' : text(separator)),
  ),
  ...method('lowerAscii', 'string -> string', ([a]) => text(a).replace(/[A-Z]+/g, (each) => each.toLowerCase())),
  ...method('upperAscii', 'string -> string', ([a]) => text(a).replace(/[a-z]+/g, (each) => each.toUpperCase())),
  ...method(
    'replace',
    ['string, string, string -> string', 'string, string, string, int -> string'],
    ([a, from, to, most]) =>
      replaced(text(a), { from: text(from), to: text(to), most: most === undefined ? -1 : Number(integer(most)) }),
  ),
  ...method('split', ['string, string -> list(string)', 'string, string, int -> list(string)'], ([a, by, most]) =>
    listValue(split(text(a), text(by), most === undefined ? -1 : Number(integer(most)))),
  ),
  ...method('substring', ['string, int -> string', 'string, int, int -> string'], ([a, start, end]) =>
    substring([...text(a)], Number(integer(start)), end === undefined ? undefined : Number(integer(end))),
  ),
  ...method('trim', 'string -> string', ([a]) => text(a).replace(/^[\s\u0085]+|[\s\u0085]+$/gu, '')),
  ...method('format', 'string, list(dyn) -> string', ([a, args]) => formatText(text(a), list(args).items)),
  ...define('strings.quote', 'string -> string', ([a]) => quoted(text(a))),
];

function charAt(characters: string[], at: number): string {
  if (at < 0 || at > characters.length) throw outOfRange(at);
  return characters[at] ?? '';
}

function outOfRange(at: number): EvaluationError {
  return new EvaluationError(`index out of range: ${at}`);
}

function indexOf(characters: string[], wanted: string[], from = 0): bigint {
  if (wanted.length === 0) return BigInt(from);
  if (from < 0) throw outOfRange(from);
  for (let at = from; at + wanted.length <= characters.length; at += 1)
    if (isAt(characters, wanted, at)) return BigInt(at);
  return -1n;
}

function lastIndexOf(characters: string[], wanted: string[], from?: number): bigint {
  if (wanted.length === 0) return BigInt(from ?? characters.length);
  if (from !== undefined && from < 0) throw outOfRange(from);
  if (from !== undefined && from >= characters.length) return -1n;
  const last = characters.length - wanted.length;
  for (let at = Math.min(from ?? last, last); at >= 0; at -= 1) if (isAt(characters, wanted, at)) return BigInt(at);
  return -1n;
}

function isAt(characters: string[], wanted: string[], at: number): boolean {
  return wanted.every((each, index) => characters[at + index] === each);
}

function replaced(whole: string, { from, to, most }: { from: string; to: string; most: number }): string {
  const parts = split(whole, from, most < 0 ? -1 : most + 1);
  if (from !== '' || most === 0) return parts.join(to);
  const characters = [...whole];
  const count = most < 0 ? characters.length + 1 : Math.min(most, characters.length + 1);
  return `${characters.map((each, index) => (index < count ? to : '') + each).join('')}${
    count > characters.length ? to : ''
  }`;
}

/** At most `most` parts, the last of which is the rest; all when it is negative. */
function split(whole: string, by: string, most: number): string[] {
  if (most === 0) return [];
  const all = by === '' ? [...whole] : whole.split(by);
  if (most < 0 || all.length <= most) return all;
  return [...all.slice(0, most - 1), all.slice(most - 1).join(by)];
}

function substring(characters: string[], start: number, end: number | undefined): string {
  const last = end ?? characters.length;
  if (start < 0 || start > characters.length) throw outOfRange(start);
  if (last < 0 || last > characters.length) throw outOfRange(last);
  if (start > last) throw new EvaluationError(`invalid substring range. start: ${start}, end: ${last}`);
  return characters.slice(start, last).join('');
}
