import type { Token } from './lexer.ts';
import { Scope } from './scope.ts';
import { LuaError } from './value.ts';

const maxNesting = 190;

/** The place in the tokens that a parser has reached, and the function it is in. */
export class Reader {
  scope: Scope = new Scope(undefined, true);
  readonly #tokens: readonly Token[];
  #at = 0;
  #nesting = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  get token(): Token {
    const token = this.#tokens[this.#at];
    if (token === undefined) throw new LuaError('<string>: unexpected end of file');
    return token;
  }

  get line(): number {
    return this.token.line;
  }

  /** The token after this one is of that kind. */
  followedBy(kind: string): boolean {
    return this.#tokens[this.#at + 1]?.kind === kind;
  }

  take(): Token {
    const token = this.token;
    if (token.kind !== 'end of file') this.#at += 1;
    return token;
  }

  is(kind: string): boolean {
    return this.token.kind === kind;
  }

  takes(kind: string): boolean {
    if (!this.is(kind)) return false;
    this.take();
    return true;
  }

  expect(kind: string): Token {
    if (!this.is(kind)) throw this.error('syntax error');
    return this.take();
  }

  error(what: string): LuaError {
    return new LuaError(`<string> line:${this.line} near '${this.token.text}': ${what}`);
  }

  nested<T>(read: () => T): T {
    this.#nesting += 1;
    if (this.#nesting > maxNesting) throw this.error('nested too deeply');
    const result = read();
    this.#nesting -= 1;
    return result;
  }
}
