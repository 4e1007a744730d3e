import type { Json } from '#base/json.ts';
import { splitText } from './arithmetic.ts';
import type { ValueFunction } from './builtins.ts';
import { formatText } from './formats.ts';
import { isJqObject, JqError, JqLimit, maxTextLength, shown, toJson, toText } from './value.ts';

function textOf(value: Json, name: string): string {
  if (typeof value !== 'string') throw new JqError(`${name} cannot be applied to: ${shown(value)}`);
  return value;
}

function pair(name: string, run: (text: string, other: string) => Json): ValueFunction {
  return (input, [other = null]) => {
    if (typeof input !== 'string' || typeof other !== 'string')
      throw new JqError(`${name}(${shown(other)}) cannot be applied to: ${shown(input)}`);
    return run(input, other);
  };
}

function withoutStart(text: string, part: string): string {
  return text.startsWith(part) ? text.slice(part.length) : text;
}

function withoutEnd(text: string, part: string): string {
  return part !== '' && text.endsWith(part) ? text.slice(0, -part.length) : text;
}

function join(input: Json, separator: Json): Json {
  if (!Array.isArray(input) && !isJqObject(input)) throw new JqError(`join cannot be applied to: ${shown(input)}`);
  const list: Json[] = Array.isArray(input) ? input : Object.values(input);
  if (list.length === 0) return '';
  if (typeof separator !== 'string')
    throw new JqError(`join(${shown(separator)}) cannot be applied to: ${shown(input)}`);
  const parts = list.map((item) => {
    if (item !== null && typeof item === 'object') throw new JqError(`join cannot be applied to: ${shown(item)}`);
    return item === null ? '' : toText(item);
  });
  return limited(parts.join(separator));
}

function limited(text: string): string {
  if (text.length > maxTextLength) throw new JqLimit(`a text of more than ${maxTextLength} characters`);
  return text;
}

function implode(input: Json): Json {
  if (!Array.isArray(input)) throw new JqError(`implode cannot be applied to: ${shown(input)}`);
  return input
    .map((point) => {
      if (typeof point !== 'number') throw new JqError(`implode cannot be applied to: ${shown(input)}`);
      const valid = Number.isInteger(point) && point >= 0 && point <= 0x10ffff && !(point >= 0xd800 && point < 0xe000);
      return valid ? String.fromCodePoint(point) : '\ufffd';
    })
    .join('');
}

function fromJson(input: Json): Json {
  const text = textOf(input, 'fromjson');
  if (text === 'nan') return Number.NaN;
  try {
    const value: Json = JSON.parse(text);
    return value;
  } catch (error) {
    throw new JqError(
      `fromjson cannot be applied to ${JSON.stringify(text)}: ${error instanceof Error ? error.message : ''}`,
    );
  }
}

const lower = (text: string) => text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
const upper = (text: string) => text.replace(/[a-z]/g, (letter) => letter.toUpperCase());
const space = '[ \\t\\n\\v\\f\\r\\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]';
const leading = new RegExp(`^${space}+`);
const trailing = new RegExp(`${space}+$`);

export const texts: Record<string, ValueFunction> = {
  'startswith/1': pair('startswith', (text, part) => text.startsWith(part)),
  'endswith/1': pair('endswith', (text, part) => text.endsWith(part)),
  'ltrimstr/1': pair('ltrimstr', withoutStart),
  'rtrimstr/1': pair('rtrimstr', withoutEnd),
  'trimstr/1': pair('trimstr', (text, part) => withoutEnd(withoutStart(text, part), part)),
  'ltrim/0': (input) => textOf(input, 'ltrim').replace(leading, ''),
  'rtrim/0': (input) => textOf(input, 'rtrim').replace(trailing, ''),
  'trim/0': (input) => textOf(input, 'trim').replace(leading, '').replace(trailing, ''),
  'split/1': pair('split', splitText),
  'join/1': (input, [separator = null]) => join(input, separator),
  'ascii_downcase/0': (input) => lower(textOf(input, 'ascii_downcase')),
  'ascii_upcase/0': (input) => upper(textOf(input, 'ascii_upcase')),
  'explode/0': (input) => Array.from(textOf(input, 'explode'), (character) => character.codePointAt(0) ?? 0),
  'implode/0': implode,
  'tojson/0': (input) => limited(toJson(input)),
  'fromjson/0': fromJson,
  'utf8bytelength/0': (input) => Buffer.byteLength(textOf(input, 'utf8bytelength')),
  'format/1': (input, [name = null]) => formatText(`@${textOf(name, 'format')}`, input),
};
