import { CallError } from './call-error.ts';
import { formatTime } from './time.ts';
import { GoInt, GoObject, GoTime, isMap, sortedKeys } from './value.ts';

const hidden: Record<string, string> = {
  '<': '\\u003c',
  '>': '\\u003e',
  '&': '\\u0026',
  '\u2028': '\\u2028',
  '\u2029': '\\u2029',
};

function textOf(text: string, html: boolean): string {
  const quoted = JSON.stringify(text.toWellFormed());
  const pattern = html ? /[<>&\u2028\u2029]/g : /[\u2028\u2029]/g;
  return quoted.replace(pattern, (character) => hidden[character] ?? character);
}

interface Style {
  html: boolean;
  /** What each level is indented by; none writes one line. */
  indent: string | undefined;
}

/** As Go's encoding/json writes a value: members in order, `<`, `>` and `&` escaped unless told otherwise. */
export function toJsonText(value: unknown, style: Style, level = 0): string {
  if (value === undefined || value === null) return 'null';
  if (typeof value === 'string') return textOf(value, style.html);
  if (typeof value === 'boolean') return String(value);
  if (typeof value === 'number') {
    if (!Number.isFinite(value))
      throw new CallError(`json: unsupported value: ${value > 0 ? '+Inf' : value < 0 ? '-Inf' : 'NaN'}`);
    return Object.is(value, -0) ? '-0' : JSON.stringify(value);
  }
  if (value instanceof GoInt) return value.value.toString();
  if (value instanceof GoTime) return textOf(formatTime(value, '2006-01-02T15:04:05.999999999Z07:00'), style.html);
  if (value instanceof GoObject) return textOf(value.text, style.html);
  const within = (parts: string[], open: string, close: string) => {
    if (parts.length === 0) return open + close;
    if (style.indent === undefined) return open + parts.join(',') + close;
    const inner = `\n${style.indent.repeat(level + 1)}`;
    return `${open}${inner}${parts.join(`,${inner}`)}\n${style.indent.repeat(level)}${close}`;
  };
  if (Array.isArray(value))
    return within(
      value.map((item: unknown) => toJsonText(item, style, level + 1)),
      '[',
      ']',
    );
  if (!isMap(value)) return 'null';
  const colon = style.indent === undefined ? ':' : ': ';
  const members = sortedKeys(value).map(
    (key) => textOf(key, style.html) + colon + toJsonText(value[key], style, level + 1),
  );
  return within(members, '{', '}');
}
