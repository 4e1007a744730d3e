import { AppError } from '#base/errors.ts';

export type Token =
  | { kind: 'end'; at: number }
  | { kind: 'number'; at: number; value: number }
  | { kind: 'quote'; at: number }
  | { kind: 'name' | 'variable' | 'field' | 'format' | 'symbol'; at: number; text: string };

const symbols = [
  ...['//=', '..', '//', '|=', '+=', '-=', '*=', '/=', '%=', '==', '!=', '<=', '>='],
  ...['|', ',', '.', '[', ']', '(', ')', '{', '}', ':', ';', '=', '<', '>', '+', '-', '*', '/', '%', '?'],
];
const blank = /(?:[ \t\r\n]+|#[^\n]*)*/y;
const number = /(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?/y;
const name = /[A-Za-z_]\w*(?:::[A-Za-z_]\w*)*/y;
const variable = /\$[A-Za-z_]\w*(?:::[A-Za-z_]\w*)*/y;
const field = /\.[A-Za-z_]\w*/y;
const format = /@[A-Za-z_]\w*/y;

/** Reads tokens one at a time, since what stands in a string is a program again. */
export class Lexer {
  readonly text: string;
  #at = 0;

  constructor(text: string) {
    this.text = text;
  }

  fail(message: string, at: number): never {
    const near = this.text.slice(at, at + 20);
    throw new AppError('bad-input', `jq expression ${JSON.stringify(this.text)}: ${message} at offset ${at}`, {
      hint: near === '' ? 'the expression ends too early' : `look at ${JSON.stringify(near)}`,
    });
  }

  next(): Token {
    this.#take(blank);
    const at = this.#at;
    if (at >= this.text.length) return { kind: 'end', at };
    const digits = this.#take(number);
    if (digits !== undefined) return { kind: 'number', at, value: Number(digits) };
    for (const [kind, pattern] of [
      ['field', field],
      ['variable', variable],
      ['format', format],
      ['name', name],
    ] as const) {
      const text = this.#take(pattern);
      if (text !== undefined) return { kind, at, text: kind === 'field' || kind === 'variable' ? text.slice(1) : text };
    }
    if (this.text[at] === '"') {
      this.#at += 1;
      return { kind: 'quote', at };
    }
    const symbol = symbols.find((candidate) => this.text.startsWith(candidate, at));
    if (symbol === undefined) this.fail('unexpected character', at);
    this.#at += symbol.length;
    return { kind: 'symbol', at, text: symbol };
  }

  /** The characters of a string up to its end or to an interpolation, the opening quote being read already. */
  stringPart(): { text: string; ends: 'text' | 'program' } {
    let text = '';
    for (;;) {
      const character = this.text[this.#at];
      if (character === undefined) this.fail('a string does not end', this.#at);
      this.#at += 1;
      if (character === '"') return { text, ends: 'text' };
      if (character !== '\\') {
        text += character;
        continue;
      }
      const letter = this.text[this.#at] ?? '';
      this.#at += 1;
      if (letter === '(') return { text, ends: 'program' };
      text += this.#escaped(letter);
    }
  }

  #escaped(letter: string): string {
    const simple: Record<string, string> = {
      n: '\n',
      t: '\t',
      r: '\r',
      b: '\b',
      f: '\f',
      '"': '"',
      '\\': '\\',
      '/': '/',
    };
    const known = simple[letter];
    if (known !== undefined) return known;
    const hex = this.text.slice(this.#at, this.#at + 4);
    if (letter !== 'u' || !/^[0-9a-fA-F]{4}$/.test(hex)) this.fail('bad escape in a string', this.#at - 2);
    this.#at += 4;
    return String.fromCharCode(Number.parseInt(hex, 16));
  }

  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.text);
    if (!match) return undefined;
    this.#at = pattern.lastIndex;
    return match[0];
  }
}
