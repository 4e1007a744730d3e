import { JsonnetError, placeOf, type Source } from './error.ts';

export type TokenKind = 'identifier' | 'keyword' | 'string' | 'number' | 'operator' | 'symbol' | 'end';

export interface Token {
  kind: TokenKind;
  /** Of strings: what they say, escapes read. */
  text: string;
  at: number;
}

const keywords = new Set(
  'assert else error false for function if import importstr importbin in local null tailstrict then self super true'.split(
    ' ',
  ),
);
const operatorCharacters = '!$:~+-&|^=<>*/%';
const symbols = '{}[](),.;';
const numberText = /(?:0|[1-9](?:_?[0-9])*)(?:\.[0-9](?:_?[0-9])*)?(?:[eE][-+]?[0-9](?:_?[0-9])*)?/y;
const identifierText = /[A-Za-z_][A-Za-z0-9_]*/y;
const blank = /(?:[ \t\r\n]+|#[^\n]*|\/\/[^\n]*|\/\*[\s\S]*?\*\/)+/y;

const escapes: Record<string, string> = {
  '"': '"',
  "'": "'",
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};

function matchAt(expression: RegExp, text: string, at: number): string | undefined {
  expression.lastIndex = at;
  return expression.exec(text)?.[0];
}

/** The tokens of a program, the last of kind `end`. */
export function tokenize(source: Source): Token[] {
  const { text } = source;
  const tokens: Token[] = [];
  for (let at = 0; ; ) {
    at += matchAt(blank, text, at)?.length ?? 0;
    const character = text[at];
    if (character === undefined) {
      tokens.push({ kind: 'end', text: 'end of file', at });
      return tokens;
    }
    const { token, next } = readToken(source, at, character);
    tokens.push(token);
    at = next;
  }
}

function readToken(source: Source, at: number, character: string): { token: Token; next: number } {
  const { text } = source;
  const make = (kind: TokenKind, value: string, length: number) => ({
    token: { kind, text: value, at },
    next: at + length,
  });
  const word = matchAt(identifierText, text, at);
  if (word !== undefined) return make(keywords.has(word) ? 'keyword' : 'identifier', word, word.length);
  const digits = matchAt(numberText, text, at);
  if (digits !== undefined) {
    if (/[A-Za-z0-9_]/.test(text[at + digits.length] ?? ''))
      throw fault(source, at, `${JSON.stringify(digits + text[at + digits.length])} is no number`);
    if (!Number.isFinite(Number(digits.replaceAll('_', ''))))
      throw fault(source, at, `the number ${digits} is too large`);
    return make('number', digits.replaceAll('_', ''), digits.length);
  }
  if (character === '"' || character === "'") return quoted(source, at, character);
  if (character === '@' && (text[at + 1] === '"' || text[at + 1] === "'")) return verbatim(source, at);
  if (text.startsWith('|||', at)) return block(source, at);
  if (symbols.includes(character)) return make('symbol', character, 1);
  if (operatorCharacters.includes(character)) {
    const operator = operatorAt(text, at);
    return make('operator', operator, operator.length);
  }
  throw fault(source, at, `could not read the character ${JSON.stringify(character)}`);
}

/** The longest run of operator characters, up to a comment; but for single ones it may not end in a sign that can begin an operand. */
function operatorAt(text: string, at: number): string {
  let end = at;
  while (end < text.length && operatorCharacters.includes(text[end] ?? '')) {
    if (end > at && (/^\/[/*]/.test(text.slice(end, end + 2)) || text.startsWith('|||', end))) break;
    end += 1;
  }
  while (end > at + 1 && '+-~!$'.includes(text[end - 1] ?? '')) end -= 1;
  return text.slice(at, end);
}

function quoted(source: Source, at: number, quote: string): { token: Token; next: number } {
  const { text } = source;
  let value = '';
  for (let position = at + 1; ; position += 1) {
    const character = text[position];
    if (character === undefined) throw fault(source, at, 'this string has no end');
    if (character === quote) return { token: { kind: 'string', text: value, at }, next: position + 1 };
    if (character !== '\\') {
      value += character;
      continue;
    }
    position += 1;
    const letter = text[position] ?? '';
    if (letter === 'u') {
      const digits = text.slice(position + 1, position + 5);
      if (!/^[0-9a-fA-F]{4}$/.test(digits)) throw fault(source, position, 'after \\u stand four hex digits');
      value += String.fromCharCode(Number.parseInt(digits, 16));
      position += 4;
      continue;
    }
    const plain = escapes[letter];
    if (plain === undefined) throw fault(source, position, `\\${letter} is no escape in a string`);
    value += plain;
  }
}

function verbatim(source: Source, at: number): { token: Token; next: number } {
  const quote = source.text[at + 1] ?? '"';
  let value = '';
  for (let position = at + 2; ; ) {
    const end = source.text.indexOf(quote, position);
    if (end < 0) throw fault(source, at, 'this string has no end');
    value += source.text.slice(position, end);
    if (source.text[end + 1] !== quote) return { token: { kind: 'string', text: value, at }, next: end + 1 };
    value += quote;
    position = end + 2;
  }
}

/** `|||`: lines indented like the first of them; `|||-` drops the last line break. */
function block(source: Source, at: number): { token: Token; next: number } {
  const opening = matchAt(/\|\|\|-?[ \t\r]*\n/y, source.text, at);
  if (opening === undefined) throw fault(source, at, 'after ||| of a text block a new line begins');
  const chomp = opening.startsWith('|||-');
  let position = at + opening.length;
  let value = '';
  while (source.text[position] === '\n') {
    value += '\n';
    position += 1;
  }
  const indent = matchAt(/[ \t]+/y, source.text, position);
  if (indent === undefined) throw fault(source, position, 'the first line of a text block is indented');
  for (;;) {
    if (source.text.startsWith(indent, position)) position += indent.length;
    else if (source.text[position] !== '\n') break;
    const end = source.text.indexOf('\n', position);
    if (end < 0) throw fault(source, at, 'this text block has no end');
    value += source.text.slice(position, end + 1);
    position = end + 1;
  }
  const closing = matchAt(/[ \t]*\|\|\|/y, source.text, position);
  if (closing === undefined) throw fault(source, at, 'this text block has no end');
  return {
    token: { kind: 'string', text: chomp ? value.replace(/\n$/, '') : value, at },
    next: position + closing.length,
  };
}

function fault(source: Source, at: number, message: string): JsonnetError {
  return new JsonnetError(message, placeOf(source, at));
}

export interface Import {
  how: 'import' | 'importstr' | 'importbin';
  path: string;
}

/** What a program imports, found without parsing it: a few may be in parts that never run. */
export function importsOf(source: Source): Import[] {
  const tokens = tokenize(source);
  const out: Import[] = [];
  for (const [index, token] of tokens.entries()) {
    const next = tokens[index + 1];
    if (token.kind === 'keyword' && next?.kind === 'string' && isImport(token.text))
      out.push({ how: token.text, path: next.text });
  }
  return out;
}

function isImport(text: string): text is Import['how'] {
  return text === 'import' || text === 'importstr' || text === 'importbin';
}
