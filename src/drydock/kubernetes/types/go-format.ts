import { isObject } from '#base/json.ts';

/** As Go's `%v` prints decoded JSON: `map[a:1 b:[x y]]`, keys sorted. */
export function goValue(value: unknown): string {
  if (value === null || value === undefined) return '<nil>';
  if (Array.isArray(value)) return `[${value.map(goValue).join(' ')}]`;
  if (!isObject(value)) return String(value);
  const members = Object.keys(value)
    .sort()
    .map((key) => `${key}:${goValue(value[key])}`);
  return `map[${members.join(' ')}]`;
}

/** As Go's `%#v` prints a `map[string]string`. */
export function goStringMap(value: unknown): string {
  if (!isObject(value)) return 'map[string]string(nil)';
  const members = Object.keys(value)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${JSON.stringify(value[key])}`);
  return `map[string]string{${members.join(', ')}}`;
}

/** As Go's `%#v` prints a `[]string`, of the named type when given. */
export function goStringList(value: unknown, type = '[]string'): string {
  if (!Array.isArray(value)) return `${type}(nil)`;
  return `${type}{${value.map((item: unknown) => JSON.stringify(item)).join(', ')}}`;
}

/** Characters that have a letter of their own between double quotes in Go, and in CEL. */
export const quotedEscapes: Record<string, string> = {
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

const printable = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u;

/** True for what Go's unicode.IsPrint holds for printable. */
export function isPrintable(character: string): boolean {
  return printable.test(character);
}

/** A text as Go's %q prints it. */
export function goQuote(text: string): string {
  return `"${[...text].map(escaped).join('')}"`;
}

function escaped(character: string): string {
  const known = quotedEscapes[character];
  if (known !== undefined) return known;
  if (isPrintable(character)) return character;
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x80) return `\\x${code.toString(16).padStart(2, '0')}`;
  if (code > 0xffff) return `\\U${code.toString(16).padStart(8, '0')}`;
  return `\\u${code.toString(16).padStart(4, '0')}`;
}

/** What Go's encoding/json calls a decoded value: `array`, `bool`, `null`, `number`, `object`, `string`. */
export function goJsonKind(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  if (value === null) return 'null';
  return typeof value === 'boolean' ? 'bool' : typeof value;
}
