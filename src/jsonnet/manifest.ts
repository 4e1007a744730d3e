import { JsonnetError } from './error.ts';
import { numberText } from './operators.ts';
import { compareText, JsonnetArray, JsonnetFunction, JsonnetObject, typeOf, type Value } from './values.ts';

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

/** The value in full, hidden fields left out. `what` names it when it holds a function. */
export function toJson(value: Value, what = 'the result'): Json {
  if (value instanceof JsonnetFunction)
    throw new JsonnetError(`${what} is or holds a function, which cannot be written as JSON`);
  if (value instanceof JsonnetArray) return value.items.map((item, index) => toJson(item.force(), `${what}[${index}]`));
  if (value instanceof JsonnetObject) {
    value.check();
    const out: { [name: string]: Json } = {};
    for (const name of value.fields(false))
      Object.defineProperty(out, name, {
        value: toJson(value.get(name) ?? null, `${what}.${name}`),
        enumerable: true,
        configurable: true,
        writable: true,
      });
    return out;
  }
  return value;
}

/** The members in the language's order, which JavaScript does not keep for names that look like integers. */
export function membersOf(value: { [name: string]: Json }): [string, Json][] {
  return Object.entries(value).sort(([a], [b]) => compareText(a, b));
}

/** How JSON is laid out: `indent` undefined is one line. */
export interface Layout {
  indent: string | undefined;
  newline: string;
  colon: string;
  /** What stands between members on one line. */
  comma: string;
  emptyArray: string;
  emptyObject: string;
  number: (number: number) => string;
}

/** `toString` and `%s`. */
export const plainLayout: Layout = {
  indent: undefined,
  newline: '',
  colon: ': ',
  comma: ', ',
  emptyArray: '[ ]',
  emptyObject: '{ }',
  number: numberText,
};

export function jsonText(value: Json, layout: Layout, prefix = ''): string {
  if (typeof value === 'number') return layout.number(value);
  if (typeof value === 'string') return quote(value);
  if (value === null || typeof value === 'boolean') return String(value);
  const inner = prefix + (layout.indent ?? '');
  const lines = Array.isArray(value)
    ? value.map((item) => jsonText(item, layout, inner))
    : membersOf(value).map(([name, item]) => `${quote(name)}${layout.colon}${jsonText(item, layout, inner)}`);
  const [open, close] = Array.isArray(value) ? ['[', ']'] : ['{', '}'];
  if (layout.indent !== undefined && lines.length === 0)
    return `${open}${layout.newline}${layout.newline}${prefix}${close}`;
  if (lines.length === 0) return Array.isArray(value) ? layout.emptyArray : layout.emptyObject;
  if (layout.indent === undefined) return `${open}${lines.join(layout.comma)}${close}`;
  const separator = `,${layout.newline}${inner}`;
  return `${open}${layout.newline}${inner}${lines.join(separator)}${layout.newline}${prefix}${close}`;
}

const shortEscapes: Record<string, string> = { '\b': '\\b', '\f': '\\f', '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** A JSON string with the language's choice of escapes. */
export function quote(text: string): string {
  const escaped = text.replace(/["\\\u0000-\u001f\u007f-\u009f]/g, (character) => {
    if (character === '"' || character === '\\') return `\\${character}`;
    return shortEscapes[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
  return `"${escaped}"`;
}

/** A value as text, strings without quotes. */
export function toText(value: Value): string {
  if (typeof value === 'string') return value;
  if (value instanceof JsonnetFunction) throw new JsonnetError(`a ${typeOf(value)} cannot be made a string`);
  return jsonText(toJson(value, 'the value'), plainLayout);
}
