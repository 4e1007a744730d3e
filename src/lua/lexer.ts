import { bytesOf, LuaError, toNumber } from './value.ts';

export interface Token {
  /** `name`, `string`, `number`, `end of file`, or the keyword or sign itself. */
  kind: string;
  text: string;
  value: number;
  line: number;
}

const keywords = new Set(
  'and break do else elseif end false for function goto if in local nil not or repeat return then true until while'.split(
    ' ',
  ),
);
const signs = /\.\.\.|\.\.|==|~=|<=|>=|::|[-+*/%^#<>=(){}[\];:,.]/y;
const escapes: Record<string, string> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};

function syntaxError(line: number, what: string): LuaError {
  return new LuaError(`<string> line:${line}: ${what}`);
}

class Lexer {
  readonly #source: string;
  #at = 0;
  #line = 1;

  constructor(source: string) {
    this.#source = bytesOf(source);
    if (this.#source.startsWith('#')) this.#match(/[^\n]*/y);
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#source)?.[0];
    if (found === undefined) return undefined;
    this.#at += found.length;
    for (let at = found.indexOf('\n'); at >= 0; at = found.indexOf('\n', at + 1)) this.#line += 1;
    return found;
  }

  /** `[[...]]` with any number of `=`; undefined when the brackets do not stand here. */
  #longText(): string | undefined {
    const open = this.#match(/\[=*\[/y);
    if (open === undefined) return undefined;
    const line = this.#line;
    const close = open.replaceAll('[', ']');
    const end = this.#source.indexOf(close, this.#at);
    if (end < 0) throw syntaxError(line, 'unterminated multiline string');
    const text = this.#source.slice(this.#at, end);
    this.#line += text.split('\n').length - 1;
    this.#at = end + close.length;
    return text.replace(/^\r?\n/, '');
  }

  #skipBlanks(): void {
    for (;;) {
      this.#match(/\s+/y);
      if (this.#match(/--/y) === undefined) return;
      if (this.#longText() === undefined) this.#match(/[^\n]*/y);
    }
  }

  #quoted(quote: string): string {
    let text = '';
    for (;;) {
      const char = this.#source[this.#at];
      if (char === undefined || char === '\n') throw syntaxError(this.#line, 'unterminated string');
      this.#at += 1;
      if (char === quote) return text;
      text += char === '\\' ? this.#escape() : char;
    }
  }

  #escape(): string {
    const decimal = this.#match(/\d{1,3}/y);
    if (decimal !== undefined) return String.fromCharCode(Number(decimal) & 255);
    const char = this.#match(/\r\n|[\s\S]/y) ?? '';
    return escapes[char] ?? char.replace('\r\n', '\n');
  }

  next(): Token {
    this.#skipBlanks();
    const line = this.#line;
    const token = (kind: string, text: string, value = 0): Token => ({ kind, text, value, line });
    if (this.#at >= this.#source.length) return token('end of file', 'EOF');
    const name = this.#match(/[A-Za-z_]\w*/y);
    if (name !== undefined) return token(keywords.has(name) ? name : 'name', name);
    const number = this.#match(/0[xX][0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?/y);
    if (number !== undefined) return token('number', number, toNumber(number) ?? 0);
    const long = this.#longText();
    if (long !== undefined) return token('string', long);
    const quote = this.#match(/["']/y);
    if (quote !== undefined) return token('string', this.#quoted(quote));
    const sign = this.#match(signs);
    if (sign !== undefined) return token(sign, sign);
    throw syntaxError(line, `unexpected character '${this.#source[this.#at]}'`);
  }
}

/** The tokens of a chunk, the end included. Throws LuaError where the text is no Lua. */
export function tokensOf(source: string): Token[] {
  const lexer = new Lexer(source);
  const tokens: Token[] = [];
  for (;;) {
    const token = lexer.next();
    tokens.push(token);
    if (token.kind === 'end of file') return tokens;
  }
}
