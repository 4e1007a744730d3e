import { type LuaValue, numberText, textOf, toNumber, toText } from './value.ts';

const directive = /%([-+ #0]*)(\d{0,2})(?:\.(\d{0,2}))?([A-Za-z%])/g;

interface Shape {
  flags: string;
  width: number;
  precision: number | undefined;
}

function pad(text: string, shape: Shape, numeric: boolean): string {
  const missing = shape.width - [...textOf(text)].length;
  if (missing <= 0) return text;
  if (shape.flags.includes('-')) return text + ' '.repeat(missing);
  if (!numeric || !shape.flags.includes('0')) return ' '.repeat(missing) + text;
  const sign = /^[-+ ]/.exec(text)?.[0] ?? '';
  return sign + '0'.repeat(missing) + text.slice(sign.length);
}

function signed(text: string, flags: string): string {
  if (text.startsWith('-')) return text;
  if (flags.includes('+')) return `+${text}`;
  return flags.includes(' ') ? ` ${text}` : text;
}

function exponent(text: string): string {
  return text.replace(/e([-+])(\d)$/, 'e$10$2');
}

/** Rounds to the nearest, ties to even, as Go does. */
function fixed(value: number, digits: number): string {
  const scaled = Math.abs(value) * 10 ** digits;
  if (scaled % 1 !== 0.5 || scaled > 2 ** 51) return value.toFixed(digits);
  const even = Math.floor(scaled) % 2 === 0 ? Math.floor(scaled) : Math.ceil(scaled);
  return ((Math.sign(value) * even) / 10 ** digits).toFixed(digits);
}

function general(value: number, precision: number): string {
  const digits = precision === 0 ? 1 : precision;
  const power = value === 0 ? 0 : Number(value.toExponential(digits - 1).split('e')[1]);
  if (power < -4 || power >= digits)
    return exponent(
      value
        .toExponential(digits - 1)
        .replace(/(\.\d*?)0+e/, '$1e')
        .replace('.e', 'e'),
    );
  const fixed = value.toFixed(Math.max(0, digits - 1 - power));
  return fixed.includes('.') ? fixed.replace(/0+$/, '').replace(/\.$/, '') : fixed;
}

function integer(value: number): string {
  return Number.isFinite(value) ? BigInt(Math.trunc(value)).toString() : '-9223372036854775808';
}

function real(verb: string, value: number, precision: number | undefined): string {
  if (!Number.isFinite(value)) return numberText(value);
  switch (verb.toLowerCase()) {
    case 'f':
      return fixed(value, precision ?? 6);
    case 'e':
      return exponent(value.toExponential(precision ?? 6));
    default:
      return precision === undefined ? numberText(value) : general(value, precision);
  }
}

function quoted(text: string): string {
  return JSON.stringify(text);
}

function formatOne(verb: string, value: LuaValue, shape: Shape): string {
  const number = toNumber(value);
  switch (verb) {
    case 'd':
    case 'i':
      if (number === undefined) return pad(toText(value), shape, false);
      return pad(signed(integer(number), shape.flags), shape, true);
    case 'x':
    case 'X':
    case 'o': {
      const text = BigInt(Math.trunc(number ?? 0)).toString(verb === 'o' ? 8 : 16);
      return pad(verb === 'X' ? text.toUpperCase() : text, shape, true);
    }
    case 'c':
      return pad(String.fromCharCode((number ?? 0) & 255), shape, false);
    case 'e':
    case 'E':
    case 'f':
    case 'F':
    case 'g':
    case 'G': {
      const text = signed(real(verb, number ?? 0, shape.precision), shape.flags);
      return pad(verb === 'E' || verb === 'G' ? text.toUpperCase() : text, shape, true);
    }
    case 'q':
      return pad(quoted(toText(value)), shape, false);
    case 's':
    case 'v':
      return pad(toText(value).slice(0, shape.precision), shape, false);
    default:
      return `%!${verb}(${toText(value)})`;
  }
}

/** `string.format`: the C directives as Go's `fmt` writes them, which is what checks of Argo CD were written against. */
export function formatText(template: string, given: readonly LuaValue[]): string {
  let used = 0;
  return template.replace(directive, (_, flags: string, width: string, precision: string | undefined, verb: string) => {
    if (verb === '%') return '%';
    if (used >= given.length) return `%!${verb}(MISSING)`;
    const value = given[used];
    used += 1;
    return formatOne(verb, value, {
      flags,
      width: Number(width),
      precision: precision === undefined ? undefined : Number(precision),
    });
  });
}
