import { AppError } from '#base/errors.ts';
import { CallError } from './call-error.ts';
import { quote } from './format.ts';
import { Lexer, type Token, type TokenKind } from './lexer.ts';
import { parseFloatLiteral, parseInteger, unquote } from './literal.ts';
import { type Command, type Definition, type Expression, type Pipe, type Statement, sourceOf } from './nodes.ts';

const maxParens = 10_000;
const maxNesting = 500;
const firstWords = new Set<TokenKind>([
  'bool',
  'char',
  'complex',
  'dot',
  'field',
  'identifier',
  'number',
  'nil',
  'raw',
  'string',
  'variable',
  '(',
]);

function tokenText(token: Token): string {
  if (token.kind === 'eof') return 'EOF';
  if (token.kind === 'error') return token.text;
  if (token.kind === 'keyword' || token.kind === 'nil' || token.kind === 'dot') return `<${token.text}>`;
  const characters = [...token.text];
  return characters.length > 10 ? `${quote(characters.slice(0, 10).join(''))}...` : quote(token.text);
}

type Ending = { kind: 'end'; at: number } | { kind: 'else'; at: number; chained: boolean };

/** Reads a template's text; the definitions in it come first, the text itself, under `name`, last. Throws AppError bad-input in Go's words. */
export function parseTemplate(name: string, text: string, isFunction: (name: string) => boolean): Definition[] {
  return new Parser(name, text, isFunction).parse();
}

class Parser {
  readonly #name: string;
  readonly #lexer: Lexer;
  readonly #isFunction: (name: string) => boolean;
  /** Tokens that were looked at and not taken, next one last. */
  readonly #ahead: Token[] = [];
  #current: Token = { kind: 'eof', at: 0, text: '', line: 1 };
  #variables = ['$'];
  #ranges = 0;
  #parens = 0;
  #nesting = 0;
  #actionLine = 0;
  readonly #definitions: Definition[] = [];

  constructor(name: string, text: string, isFunction: (name: string) => boolean) {
    this.#name = name;
    this.#lexer = new Lexer(text);
    this.#isFunction = isFunction;
  }

  parse(): Definition[] {
    const body: Statement[] = [];
    for (let token = this.#peek(); token.kind !== 'eof'; token = this.#peek()) {
      if (token.kind === 'open') {
        const open = this.#next();
        const word = this.#nextNonSpace();
        if (word.kind === 'keyword' && word.text === 'define') {
          this.#define();
          continue;
        }
        this.#back(word);
        this.#back(open);
      }
      const found = this.#textOrAction();
      if ('ending' in found) this.#fail(`unexpected {{${found.ending.kind}}}`);
      body.push(found.statement);
    }
    this.#definitions.push({ name: this.#name, body });
    return this.#definitions;
  }

  #fail(message: string): never {
    throw new AppError('bad-input', `template: ${this.#name}:${this.#current.line}: ${message}`);
  }

  #unexpected(token: Token, context: string): never {
    if (token.kind !== 'error') this.#fail(`unexpected ${tokenText(token)} in ${context}`);
    if (this.#actionLine === 0 || this.#actionLine === token.line) this.#fail(token.text);
    const where = `started at ${this.#name}:${this.#actionLine}`;
    this.#fail(token.text.endsWith(' action') ? `${token.text} ${where}` : `${token.text} in action ${where}`);
  }

  #next(): Token {
    const token = this.#ahead.pop() ?? this.#lexer.next();
    this.#current = token;
    return token;
  }

  #back(token: Token): void {
    this.#ahead.push(token);
  }

  #peek(): Token {
    const token = this.#next();
    this.#back(token);
    return token;
  }

  #nextNonSpace(): Token {
    let token = this.#next();
    while (token.kind === 'space') token = this.#next();
    return token;
  }

  #peekNonSpace(): Token {
    const token = this.#nextNonSpace();
    this.#back(token);
    return token;
  }

  #expect(kind: TokenKind, context: string): Token {
    const token = this.#nextNonSpace();
    if (token.kind !== kind) this.#unexpected(token, context);
    return token;
  }

  #text(token: Token): string {
    try {
      return unquote(token.text);
    } catch (error) {
      if (error instanceof CallError) this.#fail(error.message);
      throw error;
    }
  }

  /** A definition sees none of the variables around it. */
  #scoped(name: string, context: string): void {
    const { variables, ranges } = { variables: this.#variables, ranges: this.#ranges };
    this.#variables = ['$'];
    this.#ranges = 0;
    const { body, ending } = this.#list();
    if (ending.kind !== 'end') this.#fail(`unexpected {{else}} in ${context}`);
    this.#variables = variables;
    this.#ranges = ranges;
    const other = this.#definitions.find((definition) => definition.name === name);
    const empty = (statements: Statement[]) => statements.every((one) => one.kind === 'text' && one.text.trim() === '');
    if (other && !empty(other.body) && !empty(body))
      this.#fail(`template: multiple definition of template ${quote(name)}`);
    if (other && !empty(body)) other.body = body;
    if (!other) this.#definitions.push({ name, body });
  }

  #define(): void {
    const token = this.#nextNonSpace();
    if (token.kind !== 'string' && token.kind !== 'raw') this.#unexpected(token, 'define clause');
    const name = this.#text(token);
    this.#expect('close', 'define clause');
    this.#scoped(name, 'define clause');
  }

  #list(): { body: Statement[]; ending: Ending } {
    const body: Statement[] = [];
    this.#nesting += 1;
    if (this.#nesting > maxNesting) this.#fail('max nesting exceeded');
    while (this.#peekNonSpace().kind !== 'eof') {
      const found = this.#textOrAction();
      if ('ending' in found) {
        this.#nesting -= 1;
        return { body, ending: found.ending };
      }
      body.push(found.statement);
    }
    return this.#fail('unexpected EOF');
  }

  #textOrAction(): { statement: Statement } | { ending: Ending } {
    const token = this.#nextNonSpace();
    if (token.kind === 'text') return { statement: { kind: 'text', at: token.at, text: token.text } };
    if (token.kind !== 'open') this.#unexpected(token, 'input');
    this.#actionLine = token.line;
    const found = this.#action();
    this.#actionLine = 0;
    return found;
  }

  #action(): { statement: Statement } | { ending: Ending } {
    const token = this.#nextNonSpace();
    if (token.kind !== 'keyword') {
      this.#back(token);
      return { statement: { kind: 'action', at: token.at, pipe: this.#pipeline('command', 'close') } };
    }
    switch (token.text) {
      case 'block':
        return { statement: this.#block() };
      case 'break':
      case 'continue':
        return { statement: this.#jump(token, token.text) };
      case 'else':
        return { ending: this.#else() };
      case 'end':
        return { ending: { kind: 'end', at: this.#expect('close', 'end').at } };
      case 'if':
      case 'range':
      case 'with':
        return { statement: this.#control(token.text) };
      case 'template':
        return { statement: this.#template() };
      default:
        return this.#unexpected(token, 'command');
    }
  }

  #jump(token: Token, kind: 'break' | 'continue'): Statement {
    const close = this.#nextNonSpace();
    if (close.kind !== 'close') this.#unexpected(close, `{{${kind}}}`);
    if (this.#ranges === 0) this.#fail(`{{${kind}}} outside {{range}}`);
    return { kind, at: token.at };
  }

  #else(): Ending {
    const token = this.#peekNonSpace();
    if (token.kind === 'keyword' && (token.text === 'if' || token.text === 'with'))
      return { kind: 'else', at: token.at, chained: true };
    return { kind: 'else', at: this.#expect('close', 'else').at, chained: false };
  }

  #control(kind: 'if' | 'with' | 'range'): Statement {
    const known = this.#variables.length;
    const pipe = this.#pipeline(kind, 'close');
    if (kind === 'range') this.#ranges += 1;
    const { body, ending } = this.#list();
    if (kind === 'range') this.#ranges -= 1;
    const otherwise = ending.kind === 'else' ? this.#otherwise(kind, ending.chained) : undefined;
    this.#variables.length = known;
    return { kind, at: pipe.at, pipe, body, otherwise };
  }

  #otherwise(kind: 'if' | 'with' | 'range', chained: boolean): Statement[] {
    const word = chained ? this.#peek() : undefined;
    if (word && word.text === kind && kind !== 'range') {
      this.#next();
      this.#nesting += 1;
      if (this.#nesting > maxNesting) this.#fail('max nesting exceeded');
      const inner = this.#control(kind);
      this.#nesting -= 1;
      return [inner];
    }
    const { body, ending } = this.#list();
    if (ending.kind !== 'end') this.#fail('expected end; found {{else}}');
    return body;
  }

  #templateName(token: Token, context: string): string {
    if (token.kind !== 'string' && token.kind !== 'raw') this.#unexpected(token, context);
    return this.#text(token);
  }

  #block(): Statement {
    const token = this.#nextNonSpace();
    const name = this.#templateName(token, 'block clause');
    const pipe = this.#pipeline('block clause', 'close');
    this.#scoped(name, 'block clause');
    return { kind: 'template', at: token.at, name, pipe };
  }

  #template(): Statement {
    const token = this.#nextNonSpace();
    const name = this.#templateName(token, 'template clause');
    const following = this.#nextNonSpace();
    if (following.kind === 'close') return { kind: 'template', at: token.at, name, pipe: undefined };
    this.#back(following);
    return { kind: 'template', at: token.at, name, pipe: this.#pipeline('template clause', 'close') };
  }

  #pipeline(context: string, end: TokenKind): Pipe {
    const pipe: Pipe = { at: this.#peekNonSpace().at, variables: [], assigns: false, commands: [] };
    while (this.#declaration(pipe, context));
    for (;;) {
      const token = this.#nextNonSpace();
      if (token.kind === end) break;
      if (!firstWords.has(token.kind)) this.#unexpected(token, context);
      this.#back(token);
      pipe.commands.push(this.#command());
    }
    if (pipe.commands.length === 0) this.#fail(`missing value for ${context}`);
    pipe.commands.slice(1).forEach((command, index) => {
      if (/^(?:bool|dot|nil|number|string)$/.test(command.words[0]?.kind ?? ''))
        this.#fail(`non executable command in pipeline stage ${index + 2}`);
    });
    return pipe;
  }

  /** Takes `$x :=`, `$x =` or `$x,`; true when one more variable may follow. */
  #declaration(pipe: Pipe, context: string): boolean {
    const variable = this.#peekNonSpace();
    if (variable.kind !== 'variable') return false;
    this.#next();
    const between = this.#peek();
    const following = this.#peekNonSpace();
    if (following.kind === 'assign' || following.kind === 'declare') {
      pipe.assigns = following.kind === 'assign';
      this.#nextNonSpace();
      pipe.variables.push(variable.text);
      this.#variables.push(variable.text);
      return false;
    }
    if (following.kind === 'other' && following.text === ',') {
      this.#nextNonSpace();
      pipe.variables.push(variable.text);
      this.#variables.push(variable.text);
      if (context !== 'range' || pipe.variables.length >= 2) this.#fail(`too many declarations in ${context}`);
      if (/^(?:variable|close|\))$/.test(this.#peekNonSpace().kind)) return true;
      this.#fail('range can only initialize variables');
    }
    if (between.kind === 'space') this.#back(between);
    this.#back(variable);
    return false;
  }

  #command(): Command {
    const command: Command = { kind: 'command', at: this.#peekNonSpace().at, words: [] };
    for (;;) {
      this.#peekNonSpace();
      const operand = this.#operand();
      if (operand) command.words.push(operand);
      const token = this.#next();
      if (token.kind === 'space') continue;
      if (token.kind === 'close' || token.kind === ')') this.#back(token);
      else if (token.kind !== 'pipe') this.#unexpected(token, 'operand');
      break;
    }
    if (command.words.length === 0) this.#fail('empty command');
    return command;
  }

  #operand(): Expression | undefined {
    const node = this.#term();
    if (!node || this.#peek().kind !== 'field') return node;
    const { at } = this.#peek();
    const names: string[] = [];
    while (this.#peek().kind === 'field') names.push(this.#next().text.slice(1));
    switch (node.kind) {
      case 'field':
        return { ...node, at, names: [...node.names, ...names] };
      case 'variable':
        return { ...node, at, names: [...node.names, ...names] };
      case 'call':
      case 'pipe':
      case 'chain':
        return { kind: 'chain', at, node, names };
      default:
        return this.#fail(`unexpected . after term ${quote(sourceOf(node))}`);
    }
  }

  #term(): Expression | undefined {
    const token = this.#nextNonSpace();
    const { at } = token;
    switch (token.kind) {
      case 'identifier':
        if (!this.#isFunction(token.text)) this.#fail(`function ${quote(token.text)} not defined`);
        return { kind: 'call', at, name: token.text };
      case 'dot':
        return { kind: 'dot', at };
      case 'nil':
        return { kind: 'nil', at };
      case 'variable':
        if (!this.#variables.includes(token.text)) this.#fail(`undefined variable ${quote(token.text)}`);
        return { kind: 'variable', at, name: token.text, names: [] };
      case 'field':
        return { kind: 'field', at, names: [token.text.slice(1)] };
      case 'bool':
        return { kind: 'bool', at, value: token.text === 'true' };
      case 'char':
      case 'complex':
      case 'number':
        return this.#number(token);
      case '(': {
        this.#parens += 1;
        if (this.#parens > Math.min(maxParens, maxNesting)) this.#fail('max expression depth exceeded');
        const pipe = this.#pipeline('parenthesized pipeline', ')');
        this.#parens -= 1;
        return { kind: 'pipe', at: pipe.at, pipe };
      }
      case 'string':
      case 'raw':
        return { kind: 'string', at, source: token.text, value: this.#text(token) };
      default:
        this.#back(token);
        return undefined;
    }
  }

  #number(token: Token): Expression {
    const { at, text } = token;
    if (token.kind === 'char') {
      const character = this.#text(token);
      if ([...character].length !== 1) this.#fail(`malformed character constant: ${text}`);
      const code = character.codePointAt(0) ?? 0;
      return { kind: 'number', at, text, integer: BigInt(code), float: code, ideal: 'int' };
    }
    if (text.endsWith('i')) this.#fail(`complex numbers are not supported: ${text}`);
    const whole = parseInteger(text);
    if (whole !== undefined) {
      if (BigInt.asIntN(64, whole) !== whole) this.#fail(`integer overflow: ${quote(text)}`);
      return { kind: 'number', at, text, integer: whole, float: Number(whole), ideal: 'int' };
    }
    const float = parseFloatLiteral(text);
    if (float === undefined) this.#fail(`illegal number syntax: ${quote(text)}`);
    const integer = Number.isSafeInteger(float) ? BigInt(float) : undefined;
    return { kind: 'number', at, text, integer, float, ideal: 'float' };
  }
}
