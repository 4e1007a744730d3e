import { isPrintable, quote } from './format.ts';

export type TokenKind =
  | 'error'
  | 'eof'
  | 'text'
  | 'open'
  | 'close'
  | 'space'
  | 'assign'
  | 'declare'
  | 'pipe'
  | 'string'
  | 'raw'
  | 'char'
  | 'number'
  | 'complex'
  | 'field'
  | 'variable'
  | 'dot'
  | 'identifier'
  | 'bool'
  | 'nil'
  | 'keyword'
  | '('
  | ')'
  | 'other';

export interface Token {
  kind: TokenKind;
  at: number;
  text: string;
  line: number;
}

const keywords = new Set(['block', 'break', 'continue', 'define', 'else', 'end', 'if', 'range', 'template', 'with']);
const space = /[ \t\r\n]/;
const alphaNumeric = /[\p{L}\p{Nd}_]/u;

/** `U+0041 'A'`, as Go's `%#U`. */
function codePoint(character: string): string {
  const code = (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
  return `U+${code}${isPrintable(character) ? ` '${character}'` : ''}`;
}

/** Cuts a template's text into tokens by the rules of Go's text/template. The last is `eof` or `error`. */
export class Lexer {
  readonly #text: string;
  #at = 0;
  #start = 0;
  #line = 1;
  #startLine = 1;
  #inside = false;
  #parens = 0;
  #done: Token | undefined;

  constructor(text: string) {
    this.#text = text;
  }

  next(): Token {
    if (this.#done) return { kind: 'eof', at: this.#done.at, text: 'EOF', line: this.#done.line };
    const token = this.#inside ? this.#lexAction() : this.#lexText();
    if (token.kind === 'eof' || token.kind === 'error') this.#done = token;
    return token;
  }

  #token(kind: TokenKind): Token {
    const text = this.#text.slice(this.#start, this.#at);
    const token = { kind, at: this.#start, text, line: this.#startLine };
    this.#skip();
    return token;
  }

  /** Leaves out what lies between the start and here. */
  #skip(): void {
    for (let at = this.#start; at < this.#at; at += 1) if (this.#text[at] === '\n') this.#line += 1;
    this.#start = this.#at;
    this.#startLine = this.#line;
  }

  #error(text: string): Token {
    for (let at = this.#start; at < this.#at; at += 1) if (this.#text[at] === '\n') this.#line += 1;
    return { kind: 'error', at: this.#start, text, line: this.#startLine };
  }

  #peek(): string {
    const code = this.#text.codePointAt(this.#at);
    return code === undefined ? '' : String.fromCodePoint(code);
  }

  #lexText(): Token {
    for (;;) {
      const open = this.#text.indexOf('{{', this.#at);
      if (open < 0) {
        this.#at = this.#text.length;
        if (this.#at > this.#start) return this.#token('text');
        return { kind: 'eof', at: this.#at, text: 'EOF', line: this.#startLine };
      }
      if (open > this.#start) {
        const text = this.#text.slice(this.#start, open);
        const kept = this.#trimsLeft(open + 2) ? text.replace(/[ \t\r\n]+$/, '') : text;
        this.#at = this.#start + kept.length;
        const token = kept === '' ? undefined : this.#token('text');
        this.#at = open;
        this.#skip();
        if (token) return token;
      }
      const trim = this.#trimsLeft(open + 2) ? 2 : 0;
      this.#at = open + 2;
      if (!this.#text.startsWith('/*', this.#at + trim)) {
        const token = this.#token('open');
        this.#at += trim;
        this.#skip();
        this.#inside = true;
        this.#parens = 0;
        return token;
      }
      this.#at += trim;
      this.#skip();
      const wrong = this.#skipComment();
      if (wrong) return wrong;
    }
  }

  #trimsLeft(at: number): boolean {
    return this.#text[at] === '-' && space.test(this.#text[at + 1] ?? '');
  }

  #closes(at: number): 'plain' | 'trimming' | undefined {
    if (space.test(this.#text[at] ?? '') && this.#text.startsWith('-}}', at + 1)) return 'trimming';
    return this.#text.startsWith('}}', at) ? 'plain' : undefined;
  }

  #skipComment(): Token | undefined {
    const end = this.#text.indexOf('*/', this.#at + 2);
    if (end < 0) return this.#error('unclosed comment');
    this.#at = end + 2;
    const close = this.#closes(this.#at);
    if (!close) return this.#error('comment ends before closing delimiter');
    this.#at += close === 'trimming' ? 4 : 2;
    this.#skipSpaceIf(close === 'trimming');
    return undefined;
  }

  #skipSpaceIf(trims: boolean): void {
    if (trims) while (space.test(this.#text[this.#at] ?? '')) this.#at += 1;
    this.#skip();
  }

  #lexClose(close: 'plain' | 'trimming'): Token {
    if (close === 'trimming') {
      this.#at += 2;
      this.#skip();
    }
    this.#at += 2;
    const token = this.#token('close');
    this.#skipSpaceIf(close === 'trimming');
    this.#inside = false;
    return token;
  }

  #lexAction(): Token {
    const close = this.#closes(this.#at);
    if (close) return this.#parens === 0 ? this.#lexClose(close) : this.#error('unclosed left paren');
    const character = this.#peek();
    if (character === '') return this.#error('unclosed action');
    if (space.test(character)) return this.#lexSpace();
    const following = this.#text[this.#at + 1] ?? '';
    if (character === '.' && !/[0-9]/.test(following)) return this.#lexName('field');
    if (/[-+.0-9]/.test(character)) return this.#lexNumber();
    if (alphaNumeric.test(character)) return this.#lexIdentifier();
    this.#at += character.length;
    switch (character) {
      case '=':
        return this.#token('assign');
      case ':':
        this.#at += 1;
        return following === '=' ? this.#token('declare') : this.#error('expected :=');
      case '|':
        return this.#token('pipe');
      case '"':
        return this.#lexQuoted('"', 'string', 'unterminated quoted string');
      case "'":
        return this.#lexQuoted("'", 'char', 'unterminated character constant');
      case '`':
        return this.#lexRaw();
      case '$':
        this.#at -= 1;
        return this.#lexName('variable');
      case '(':
        this.#parens += 1;
        return this.#token('(');
      case ')':
        this.#parens -= 1;
        return this.#parens < 0 ? this.#error('unexpected right paren') : this.#token(')');
      default:
        if (/[\x20-\x7e]/.test(character)) return this.#token('other');
        return this.#error(`unrecognized character in action: ${codePoint(character)}`);
    }
  }

  #lexSpace(): Token {
    let count = 0;
    while (space.test(this.#text[this.#at] ?? '')) {
      this.#at += 1;
      count += 1;
    }
    if (this.#closes(this.#at - 1) === 'trimming') {
      this.#at -= 1;
      if (count === 1) return this.#lexClose('trimming');
    }
    return this.#token('space');
  }

  #run(): void {
    for (let character = this.#peek(); character !== '' && alphaNumeric.test(character); character = this.#peek())
      this.#at += character.length;
  }

  #terminated(): boolean {
    const character = this.#peek();
    return character === '' || /[ \t\r\n.,|:)(]/.test(character) || this.#text.startsWith('}}', this.#at);
  }

  #lexIdentifier(): Token {
    this.#run();
    if (!this.#terminated()) return this.#error(`bad character ${codePoint(this.#peek())}`);
    const word = this.#text.slice(this.#start, this.#at);
    if (keywords.has(word)) return this.#token('keyword');
    if (word === 'nil') return this.#token('nil');
    return this.#token(word === 'true' || word === 'false' ? 'bool' : 'identifier');
  }

  /** `.Name`, `$name`, or the dot or dollar alone. */
  #lexName(kind: 'field' | 'variable'): Token {
    this.#at += 1;
    if (this.#terminated()) return this.#token(kind === 'field' ? 'dot' : 'variable');
    this.#run();
    return this.#terminated() ? this.#token(kind) : this.#error(`bad character ${codePoint(this.#peek())}`);
  }

  #lexQuoted(end: string, kind: TokenKind, unterminated: string): Token {
    for (;;) {
      const character = this.#text[this.#at] ?? '';
      this.#at += 1;
      if (character === end) return this.#token(kind);
      const escaped = character === '\\' ? (this.#text[this.#at] ?? '') : character;
      if (escaped === '' || escaped === '\n') return this.#error(unterminated);
      if (character === '\\') this.#at += 1;
    }
  }

  #lexRaw(): Token {
    const end = this.#text.indexOf('`', this.#at);
    if (end < 0) return this.#error('unterminated raw quoted string');
    this.#at = end + 1;
    return this.#token('raw');
  }

  #lexNumber(): Token {
    const whole = this.#scanNumber();
    const sign = this.#text[this.#at] ?? '';
    const complex = whole && /[-+]/.test(sign) && sign !== '';
    if (complex) {
      if (this.#scanNumber() && this.#text[this.#at - 1] === 'i') return this.#token('complex');
    } else if (whole) return this.#token('number');
    return this.#error(`bad number syntax: ${quote(this.#text.slice(this.#start, this.#at))}`);
  }

  #scanNumber(): boolean {
    const number =
      /[-+]?(?:0[xX][0-9a-fA-F_]*(?:\.[0-9a-fA-F_]*)?(?:[pP][-+]?[0-9_]*)?|0[oO][0-7_]*(?:\.[0-7_]*)?|0[bB][01_]*(?:\.[01_]*)?|[0-9_]*(?:\.[0-9_]*)?(?:[eE][-+]?[0-9_]*)?)i?/y;
    number.lastIndex = this.#at;
    this.#at += number.exec(this.#text)?.[0].length ?? 0;
    const character = this.#peek();
    if (character === '' || !alphaNumeric.test(character)) return true;
    this.#at += character.length;
    return false;
  }
}
