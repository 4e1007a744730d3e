import { formatFloat, formatGoSyntax, formatValue, quote } from './format.ts';
import { GoInt, GoObject, GoTime, isMap, sortedKeys, typeName } from './value.ts';

interface Verb {
  flags: string;
  width: number | undefined;
  precision: number | undefined;
  letter: string;
}

const directive = /%([-+# 0]*)(\*|\d+)?(?:(\.)(\*|\d+)?)?(.)?/gsu;
const widest = 10_000;

/** As fmt.Sprintf, without argument indexes. */
export function sprintf(format: string, values: readonly unknown[]): string {
  let next = 0;
  const take = () => values[next++];
  const star = (text: string | undefined) => {
    if (text !== '*') return text === undefined ? undefined : Math.min(Number(text), widest);
    const value = take();
    return value instanceof GoInt ? Math.max(-widest, Math.min(Number(value.value), widest)) : undefined;
  };
  const out = format.replace(directive, (_all, flags: string, width, dot, precision, letter: string | undefined) => {
    const wide = star(width);
    const digits = dot === undefined ? undefined : (star(precision) ?? 0);
    if (letter === undefined) return '%!(NOVERB)';
    if (letter === '%') return '%';
    if (next >= values.length) return `%!${letter}(MISSING)`;
    const verb = { flags: wide !== undefined && wide < 0 ? `${flags}-` : flags, precision: digits, letter };
    return formatVerb(take(), { ...verb, width: wide === undefined ? undefined : Math.abs(wide) });
  });
  if (next >= values.length) return out;
  const extra = values.slice(next).map((value) => describe(value));
  return `${out}%!(EXTRA ${extra.join(', ')})`;
}

function describe(value: unknown): string {
  return value === undefined || value === null ? '<nil>' : `${typeName(value)}=${formatValue(value)}`;
}

function wrong(value: unknown, letter: string): string {
  return value === undefined || value === null ? `%!${letter}(<nil>)` : `%!${letter}(${describe(value)})`;
}

function pad(text: string, verb: Verb, zeros = true): string {
  if (verb.width === undefined) return text;
  const missing = verb.width - [...text].length;
  if (missing <= 0) return text;
  if (verb.flags.includes('-')) return text + ' '.repeat(missing);
  if (!verb.flags.includes('0') || !zeros) return ' '.repeat(missing) + text;
  return /^[-+]/.test(text) ? text[0] + '0'.repeat(missing) + text.slice(1) : '0'.repeat(missing) + text;
}

function formatVerb(value: unknown, verb: Verb): string {
  if (verb.letter === 'T') return pad(typeName(value), verb);
  if (verb.letter === 'v' && verb.flags.includes('#')) return pad(formatGoSyntax(value), verb);
  if (value === undefined || value === null)
    return verb.letter === 'v' ? pad('<nil>', verb, false) : wrong(value, verb.letter);
  if (Array.isArray(value)) return `[${value.map((item: unknown) => formatElement(item, verb)).join(' ')}]`;
  if (isMap(value)) {
    const member = (key: string) => `${formatVerb(key, verb)}:${formatElement(value[key], verb)}`;
    return `map[${sortedKeys(value).map(member).join(' ')}]`;
  }
  if (typeof value === 'string') return formatText(value, verb);
  if (typeof value === 'boolean')
    return verb.letter === 'v' || verb.letter === 't' ? pad(String(value), verb, false) : wrong(value, verb.letter);
  if (typeof value === 'number') return formatNumber(value, verb);
  if (value instanceof GoInt) return formatInteger(value, verb);
  if (value instanceof GoTime || value instanceof GoObject) return formatText(formatValue(value), verb);
  return wrong(value, verb.letter);
}

/** Within a collection nothing is `<nil>` for every verb. */
function formatElement(value: unknown, verb: Verb): string {
  return value === undefined || value === null ? '<nil>' : formatVerb(value, verb);
}

function formatText(value: string, verb: Verb): string {
  const cut = verb.precision === undefined ? value : [...value].slice(0, verb.precision).join('');
  const hex = () => Buffer.from(cut).toString('hex');
  switch (verb.letter) {
    case 'v':
    case 's':
      return pad(cut, verb);
    case 'q':
      return pad(verb.flags.includes('#') && !cut.includes('`') ? `\`${cut}\`` : quote(cut), verb);
    case 'x':
      return pad(hex(), verb);
    case 'X':
      return pad(hex().toUpperCase(), verb);
    default:
      return wrong(value, verb.letter);
  }
}

function signed(text: string, negative: boolean, flags: string): string {
  if (negative) return `-${text}`;
  return flags.includes('+') ? `+${text}` : flags.includes(' ') ? ` ${text}` : text;
}

const bases: Record<string, { radix: number; prefix: string }> = {
  v: { radix: 10, prefix: '' },
  d: { radix: 10, prefix: '' },
  b: { radix: 2, prefix: '0b' },
  o: { radix: 8, prefix: '0' },
  O: { radix: 8, prefix: '0o' },
  x: { radix: 16, prefix: '0x' },
  X: { radix: 16, prefix: '0X' },
};

function formatInteger(value: GoInt, verb: Verb): string {
  const base = bases[verb.letter];
  const code = Number(value.value);
  const character = () => (code >= 0 && code <= 0x10ffff ? String.fromCodePoint(code) : '\ufffd');
  if (verb.letter === 'c') return pad(character(), verb);
  if (verb.letter === 'q')
    return pad(`'${quote(character()).slice(1, -1).replaceAll('\\"', '"').replace(/^'$/, "\\'")}'`, verb);
  if (verb.letter === 'U') return pad(`U+${code.toString(16).toUpperCase().padStart(4, '0')}`, verb);
  if (!base) return wrong(value, verb.letter);
  const negative = value.value < 0n;
  let digits = (negative ? -value.value : value.value).toString(base.radix);
  if (verb.letter === 'X') digits = digits.toUpperCase();
  if (verb.precision !== undefined) digits = digits.padStart(verb.precision, '0');
  const prefix = verb.flags.includes('#') || verb.letter === 'O' ? base.prefix : '';
  return pad(signed(prefix + digits, negative, verb.flags), verb, verb.precision === undefined);
}

function exponentText(text: string): string {
  return text.replace(/e([-+])(\d)$/, 'e$10$2');
}

/** `toFixed` rounds exactly below 1e21 and is good to 100 digits. */
function formatNumber(value: number, verb: Verb): string {
  const negative = value < 0 || Object.is(value, -0);
  const size = Math.abs(value);
  const finite = Number.isFinite(value);
  const digits = Math.min(verb.precision ?? 6, 100);
  let text: string;
  switch (verb.letter) {
    case 'v':
    case 'g':
    case 'G':
      text = verb.precision === undefined || !finite ? formatFloat(size) : significant(size, digits || 1);
      break;
    case 'f':
    case 'F':
      text = finite
        ? size < 1e21
          ? fixed(size, digits)
          : `${BigInt(size)}${digits > 0 ? `.${'0'.repeat(digits)}` : ''}`
        : formatFloat(size);
      break;
    case 'e':
    case 'E':
      text = finite ? exponentText(size.toExponential(digits)) : formatFloat(size);
      break;
    default:
      return wrong(value, verb.letter);
  }
  if (/[EG]/.test(verb.letter)) text = text.toUpperCase();
  const plain = text.startsWith('+') ? text.slice(1) : text;
  return pad(finite || negative ? signed(plain, negative, verb.flags) : text, verb, finite);
}

/** Rounds a tie to the even digit, as Go does; JavaScript rounds it up. */
function fixed(size: number, digits: number): string {
  const rounded = size.toFixed(digits);
  const exact = size.toFixed(Math.min(100, digits + 40)).slice(digits === 0 ? rounded.length + 1 : rounded.length);
  if (!/^50*$/.test(exact) || !/[13579]$/.test(rounded)) return rounded;
  const even = (BigInt(rounded.replace('.', '')) - 1n).toString().padStart(digits + 1, '0');
  return digits === 0 ? even : `${even.slice(0, -digits)}.${even.slice(-digits)}`;
}

/** `%.3g`. */
function significant(size: number, digits: number): string {
  if (size === 0) return '0';
  const [mantissa = '', power = '0'] = size.toExponential(digits - 1).split('e');
  const exponent = Number(power);
  const trim = (text: string) => (text.includes('.') ? text.replace(/\.?0+$/, '') : text);
  if (exponent < -4 || exponent >= digits)
    return exponentText(`${trim(mantissa)}e${exponent < 0 ? '-' : '+'}${Math.abs(exponent)}`);
  return trim(size.toFixed(Math.max(0, digits - 1 - exponent)));
}
