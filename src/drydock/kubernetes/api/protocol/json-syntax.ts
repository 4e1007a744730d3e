import { goQuote } from '../../types/go-format.ts';

/**
 * What Go's encoding/json says is wrong with a text, which clients and their tests search for: `invalid character 'x'
 * looking for beginning of value`, `unexpected end of JSON input`. Undefined when the text is JSON.
 */
export function jsonSyntaxError(text: string): string | undefined {
  try {
    JSON.parse(text);
    return undefined;
  } catch {
    return new Scanner(text).problem() ?? endOfInput;
  }
}

const endOfInput = 'unexpected end of JSON input';
const literals: Record<string, string> = { t: 'true', f: 'false', n: 'null' };
const escapes = new Set(['b', 'f', 'n', 'r', 't', '\\', '/', '"']);

class Fault extends Error {}

/** Walks a text as Go's scanner does, up to the first character that cannot stand where it stands. */
class Scanner {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  problem(): string | undefined {
    try {
      this.#value();
      this.#space();
      if (this.#at < this.#text.length) this.#refuse('after top-level value');
      return undefined;
    } catch (error) {
      if (error instanceof Fault) return error.message;
      // Nested deeper than the stack: Go has a limit of its own.
      if (error instanceof RangeError) return 'exceeded max depth';
      throw error;
    }
  }

  #value(): void {
    this.#space();
    const first = this.#peek();
    if (first === '{') this.#object();
    else if (first === '[') this.#array();
    else if (first === '"') this.#string();
    else if (first === '-' || isDigit(first)) this.#number();
    else this.#literal(literals[first]);
  }

  #literal(word: string | undefined): void {
    if (word === undefined) this.#refuse('looking for beginning of value');
    this.#at += 1;
    for (const expected of word.slice(1)) {
      if (this.#within() !== expected) this.#refuse(`in literal ${word} (expecting ${quoted(expected)})`);
      this.#at += 1;
    }
  }

  #object(): void {
    this.#at += 1;
    this.#space();
    if (this.#peek() === '}') {
      this.#at += 1;
      return;
    }
    for (;;) {
      this.#space();
      if (this.#peek() !== '"') this.#refuse('looking for beginning of object key string');
      this.#string();
      this.#space();
      if (this.#peek() !== ':') this.#refuse('after object key');
      this.#at += 1;
      this.#value();
      if (this.#ends('}', 'after object key:value pair')) return;
    }
  }

  #array(): void {
    this.#at += 1;
    this.#space();
    if (this.#peek() === ']') {
      this.#at += 1;
      return;
    }
    for (;;) {
      this.#value();
      if (this.#ends(']', 'after array element')) return;
    }
  }

  /** After a member: true at the closing character, false at a comma. */
  #ends(closing: string, where: string): boolean {
    this.#space();
    const next = this.#peek();
    if (next !== closing && next !== ',') this.#refuse(where);
    this.#at += 1;
    return next === closing;
  }

  #string(): void {
    for (this.#at += 1; this.#peek() !== '"'; this.#at += 1) {
      if (this.#peek() < ' ') this.#refuse('in string literal');
      if (this.#peek() === '\\') this.#escape();
    }
    this.#at += 1;
  }

  #escape(): void {
    this.#at += 1;
    if (this.#within() !== 'u') {
      if (!escapes.has(this.#within())) this.#refuse('in string escape code');
      return;
    }
    for (let digit = 0; digit < 4; digit += 1) {
      this.#at += 1;
      if (!/^[0-9a-fA-F]$/.test(this.#within())) this.#refuse('in \\u hexadecimal character escape');
    }
  }

  #number(): void {
    if (this.#within() === '-') {
      this.#at += 1;
      if (!isDigit(this.#within())) this.#refuse('in numeric literal');
    }
    if (this.#within() === '0') this.#at += 1;
    else this.#digits();
    if (this.#text[this.#at] === '.') {
      this.#at += 1;
      if (!isDigit(this.#within())) this.#refuse('after decimal point in numeric literal');
      this.#digits();
    }
    if (this.#text[this.#at] !== 'e' && this.#text[this.#at] !== 'E') return;
    this.#at += 1;
    if (this.#within() === '+' || this.#within() === '-') this.#at += 1;
    if (!isDigit(this.#within())) this.#refuse('in exponent of numeric literal');
    this.#digits();
  }

  #digits(): void {
    while (isDigit(this.#text[this.#at] ?? '')) this.#at += 1;
  }

  #space(): void {
    while (' \t\r\n'.includes(this.#text[this.#at] ?? 'end')) this.#at += 1;
  }

  /** The next character; at the end of the text that is what is wrong. */
  #peek(): string {
    const code = this.#text.codePointAt(this.#at);
    if (code === undefined) throw new Fault(endOfInput);
    return String.fromCodePoint(code);
  }

  /** The same within a word or a number, where Go takes the end for a space. */
  #within(): string {
    return this.#at < this.#text.length ? this.#peek() : ' ';
  }

  #refuse(where: string): never {
    // Go scans bytes: of a character outside ASCII it names the first one.
    const byte = Buffer.from(this.#within(), 'utf8')[0] ?? 0;
    throw new Fault(`invalid character ${quoted(String.fromCharCode(byte))} ${where}`);
  }
}

function isDigit(character: string): boolean {
  return character >= '0' && character <= '9';
}

/** A character between single quotes, otherwise as %q shows it. */
function quoted(character: string): string {
  if (character === "'") return `'\\''`;
  return character === '"' ? `'"'` : `'${goQuote(character).slice(1, -1)}'`;
}
