import { type Issue, SyntaxIssue } from './syntax.ts';
import { type CelValue, uintOf } from './value.ts';

export interface Token {
  kind: 'name' | 'literal' | 'symbol' | 'end';
  at: number;
  text: string;
  /** Of literals. */
  value: CelValue;
}

const blank = /(?:[ \t\r\n\f]+|\/\/[^\n]*)*/y;
const name = /[A-Za-z_][A-Za-z0-9_]*/y;
const float = /(?:\d+\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+|\.\d+(?:[eE][+-]?\d+)?)/y;
const integer = /(?:0[xX]([0-9a-fA-F]+)|(\d+))([uU]?)/y;
const symbol = /(?:&&|\|\||==|!=|<=|>=|[<>!+\-*/%?:.,()[\]{}])/y;
const quote = /(?:[rR][bB]?|[bB][rR]?)?("""|'''|"|')/y;
const words = new Map<string, CelValue>([
  ['true', true],
  ['false', false],
  ['null', null],
]);

/** The tokens of a rule, with an `end` after the last. What is none goes to `issues` and is passed over. */
export function tokenize(source: string, issues: Issue[]): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  for (;;) {
    at += match(blank, source, at)?.[0].length ?? 0;
    if (at >= source.length) {
      tokens.push({ kind: 'end', at, text: '<EOF>', value: null });
      return tokens;
    }
    const wrong = unknownText(source, at);
    if (wrong !== undefined) {
      issues.push({ at, message: `Syntax error: token recognition error at: '${wrong}'` });
      at += wrong.length;
      continue;
    }
    const token = nextToken(source, at);
    tokens.push(token);
    at += token.text.length;
  }
}

const badEscape = /\\(?![abfnrtv\\?"'`]|x[0-9a-fA-F]{2}|X[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-3][0-7]{2})/;

/** The text at `at` that starts no token, as far as the real lexer reads it. */
function unknownText(source: string, at: number): string | undefined {
  const quoted = match(quote, source, at);
  if (quoted !== undefined) return unfinishedString(source, at, quoted);
  for (const pattern of [name, float, integer, symbol]) if (match(pattern, source, at) !== undefined) return undefined;
  const length = '=&|'.includes(source[at] ?? '') ? 2 : 1;
  return source.slice(at, at + length);
}

function unfinishedString(source: string, at: number, [opening, mark = '']: RegExpExecArray): string | undefined {
  const raw = opening.toLowerCase().includes('r');
  let end = at + opening.length;
  while (!source.startsWith(mark, end)) {
    const character = source[end];
    if (character === undefined) return source.slice(at);
    if (mark.length === 1 && (character === '\n' || character === '\r')) return source.slice(at, end + 1);
    if (
      character === '\\' &&
      !raw &&
      badEscape.test(source.slice(end, end + 10)) &&
      badEscape.exec(source.slice(end, end + 10))?.index === 0
    )
      return source.slice(at, end + 2);
    end += character === '\\' && !raw ? 2 : 1;
  }
  return undefined;
}

function nextToken(source: string, at: number): Token {
  const quoted = match(quote, source, at);
  if (quoted !== undefined) return stringToken(source, at, quoted);
  const word = match(name, source, at)?.[0];
  if (word !== undefined) {
    const value = words.get(word);
    return value === undefined
      ? { kind: 'name', at, text: word, value: null }
      : { kind: 'literal', at, text: word, value };
  }
  const decimal = match(float, source, at)?.[0];
  if (decimal !== undefined) return { kind: 'literal', at, text: decimal, value: Number(decimal) };
  const number = match(integer, source, at);
  if (number !== undefined) return integerToken(at, number);
  const sign = match(symbol, source, at)?.[0];
  if (sign !== undefined) return { kind: 'symbol', at, text: sign, value: null };
  throw new SyntaxIssue(at, 'Syntax error: unknown token');
}

function match(pattern: RegExp, source: string, at: number): RegExpExecArray | undefined {
  pattern.lastIndex = at;
  return pattern.exec(source) ?? undefined;
}

const largestInt = 2n ** 63n;

/** A minus before it may make 2^63 valid: the parser tells. */
function integerToken(at: number, [text, hex, decimal = '', unsigned]: RegExpExecArray): Token {
  const value = BigInt(hex === undefined ? decimal : `0x${hex}`);
  if (unsigned !== '') {
    if (value >= 2n * largestInt) throw new SyntaxIssue(at, 'invalid uint literal');
    return { kind: 'literal', at, text, value: uintOf(value) };
  }
  if (value > largestInt) throw new SyntaxIssue(at, 'invalid int literal');
  return { kind: 'literal', at, text, value };
}

function stringToken(source: string, at: number, [opening, mark = '']: RegExpExecArray): Token {
  const prefix = opening.slice(0, -mark.length).toLowerCase();
  const raw = prefix.includes('r');
  let end = at + opening.length;
  while (!source.startsWith(mark, end)) {
    end += source[end] === '\\' && !raw ? 2 : 1;
  }
  const text = source.slice(at, end + mark.length);
  const body = source.slice(at + opening.length, end);
  const isBytes = prefix.includes('b');
  const value = isBytes ? bytesOf(body, raw, at) : raw ? body : unescaped(body, at).join('');
  return { kind: 'literal', at, text, value };
}

function bytesOf(body: string, raw: boolean, at: number): Uint8Array {
  if (raw) return new TextEncoder().encode(body);
  const parts = unescaped(body, at, true).map((part) =>
    part.length === 1 && part.charCodeAt(0) < 256 && part.charCodeAt(0) > 127
      ? Uint8Array.of(part.charCodeAt(0))
      : new TextEncoder().encode(part),
  );
  return new Uint8Array(Buffer.concat(parts));
}

const escapeSequence =
  /\\(?:([abfnrtv\\?"'`])|x([0-9a-fA-F]{2})|X([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-3][0-7]{2}))/y;
/** What a letter after a backslash stands for. */
export const simpleEscapes: Record<string, string> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};

/** Character by character. In bytes the escapes of numbers stand for bytes. */
function unescaped(body: string, at: number, inBytes = false): string[] {
  const out: string[] = [];
  for (let index = 0; index < body.length; ) {
    const character = String.fromCodePoint(body.codePointAt(index) ?? 0);
    if (character !== '\\') {
      out.push(inBytes ? Buffer.from(character, 'utf8').toString('latin1') : character);
      index += character.length;
      continue;
    }
    const found = match(escapeSequence, body, index);
    if (found === undefined) throw new SyntaxIssue(at, 'unable to unescape string');
    const [whole, letter, hex, upperHex, short, long, octal] = found;
    const code = hex ?? upperHex ?? short ?? long;
    if (letter !== undefined) out.push(simpleEscapes[letter] ?? letter);
    else if (inBytes && (short !== undefined || long !== undefined))
      throw new SyntaxIssue(at, 'unable to unescape string');
    else
      out.push(String.fromCodePoint(octal === undefined ? Number.parseInt(code ?? '', 16) : Number.parseInt(octal, 8)));
    index += whole.length;
  }
  return inBytes ? [...out.join('')] : out;
}
