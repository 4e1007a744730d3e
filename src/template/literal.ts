import { CallError } from './call-error.ts';

const simple: Record<string, string> = {
  a: '\u0007',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  "'": "'",
  '"': '"',
};

/** The text of a Go string or character literal with its quotes. Throws CallError `invalid syntax`. */
export function unquote(source: string): string {
  const mark = source[0];
  if (mark === '`') return source.slice(1, -1).replaceAll('\r', '');
  const bytes: Buffer[] = [];
  const body = source.slice(1, -1);
  const part = /\\(?:([abfnrtv\\'"])|x([0-9a-fA-F]{2})|([0-7]{3})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))|([^\\]+)|(\\)/gy;
  for (const match of body.matchAll(part)) {
    const [, letter, hex, octal, short, long, plain, broken] = match;
    if (broken !== undefined || (letter !== undefined && /['"]/.test(letter) && letter !== mark))
      throw new CallError('invalid syntax');
    if (letter !== undefined) bytes.push(Buffer.from(simple[letter] ?? ''));
    else if (hex !== undefined) bytes.push(Buffer.from([Number.parseInt(hex, 16)]));
    else if (octal !== undefined) {
      const code = Number.parseInt(octal, 8);
      if (code > 255) throw new CallError('invalid syntax');
      bytes.push(Buffer.from([code]));
    } else if (plain !== undefined) bytes.push(Buffer.from(plain));
    else bytes.push(Buffer.from(codePointText(Number.parseInt(short ?? long ?? '0', 16))));
  }
  return Buffer.concat(bytes).toString('utf8');
}

function codePointText(code: number): string {
  if (code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) throw new CallError('invalid syntax');
  return String.fromCodePoint(code);
}

/** An integer literal of Go, with `_`, 0x, 0o, 0b and a leading zero for octal. */
export function parseInteger(text: string): bigint | undefined {
  const match =
    /^([-+]?)(0[xX](?:_?[0-9a-fA-F])+|0[oO](?:_?[0-7])+|0[bB](?:_?[01])+|0(?:_?[0-7])*|[1-9](?:_?[0-9])*)$/.exec(text);
  if (!match) return undefined;
  let digits = (match[2] ?? '').replaceAll('_', '').toLowerCase();
  if (/^0[0-7]+$/.test(digits)) digits = `0o${digits.slice(1)}`;
  const value = BigInt(digits);
  return match[1] === '-' ? -value : value;
}

/** A decimal or hexadecimal floating-point literal of Go. */
export function parseFloatLiteral(text: string): number | undefined {
  const plain = text.replaceAll('_', '');
  const hex = /^([-+]?)0[xX]([0-9a-fA-F]*)\.?([0-9a-fA-F]*)[pP]([-+]?\d+)$/.exec(plain);
  if (hex) {
    const [, sign, whole = '', part = '', power] = hex;
    const value = Number.parseInt(whole + part || '0', 16) * 2 ** (Number(power) - 4 * part.length);
    return sign === '-' ? -value : value;
  }
  if (!/^[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?$/.test(plain)) return undefined;
  const value = Number(plain);
  return Number.isFinite(value) ? value : undefined;
}
