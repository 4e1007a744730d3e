import type { Json } from '#base/json.ts';
import { JqError, shown, toJson, toText } from './value.ts';

const entities: Record<string, string> = { '<': '&lt;', '>': '&gt;', '&': '&amp;', "'": '&#39;', '"': '&quot;' };

function row(format: string, value: Json, cell: (text: string) => string, separator: string): string {
  if (!Array.isArray(value)) throw new JqError(`${format} cannot be applied to: ${shown(value)}`);
  return value
    .map((item) => {
      if (item === null) return '';
      if (typeof item === 'string') return cell(item);
      if (typeof item === 'object') throw new JqError(`${format} cannot format an array including: ${shown(item)}`);
      return toJson(item);
    })
    .join(separator);
}

function shellWord(value: Json): string {
  if (typeof value === 'string') return `'${value.replaceAll("'", "'\\''")}'`;
  if (value !== null && typeof value === 'object')
    throw new JqError(`@sh cannot format an array including: ${shown(value)}`);
  return toJson(value);
}

function uri(text: string): string {
  return encodeURIComponent(text.toWellFormed()).replace(
    /[!'()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function fromUri(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new JqError(`@urid cannot be applied to: ${shown(text)}`);
  }
}

function fromBase64(text: string): string {
  const clean = text.replace(/=+$/, '');
  if (!/^[A-Za-z0-9+/]*$/.test(clean) || clean.length % 4 === 1)
    throw new JqError(`@base64d cannot be applied to: ${shown(text)}`);
  return Buffer.from(clean, 'base64').toString('utf8');
}

const tabs: Record<string, string> = { '\t': '\\t', '\r': '\\r', '\n': '\\n', '\\': '\\\\' };

const formats: Record<string, (value: Json) => string> = {
  '@text': toText,
  '@json': toJson,
  '@html': (value) => toText(value).replace(/[<>&'"]/g, (character) => entities[character] ?? character),
  '@uri': (value) => uri(toText(value)),
  '@urid': (value) => fromUri(toText(value)),
  '@csv': (value) => row('@csv', value, (text) => `"${text.replaceAll('"', '""')}"`, ','),
  '@tsv': (value) => row('@tsv', value, (text) => text.replace(/[\t\r\n\\]/g, (c) => tabs[c] ?? c), '\t'),
  '@sh': (value) => (Array.isArray(value) ? value.map(shellWord).join(' ') : shellWord(value)),
  '@base64': (value) => Buffer.from(toText(value)).toString('base64'),
  '@base64d': (value) => fromBase64(toText(value)),
};

export function isFormat(name: string): boolean {
  return Object.hasOwn(formats, name);
}

/** A value as `@name` writes it. */
export function formatText(name: string, value: Json): string {
  const format = formats[name];
  if (!format || !isFormat(name)) throw new JqError(`format not defined: ${name}`);
  return format(value);
}
