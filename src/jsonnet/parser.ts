import { JsonnetError, placeOf, type Source } from './error.ts';
import { type FieldHead, readFieldHead } from './field-head.ts';
import { type Token, tokenize } from './lexer.ts';
import {
  type Assertion,
  type Binding,
  type Field,
  isBinaryOperator,
  type Node,
  type Parameter,
  precedence,
  type Spec,
} from './syntax.ts';

const loosest = 15;

/** The tree of a program. Throws JsonnetError with the place. */
export function parseJsonnet(source: Source): Node {
  const parser = new Parser(source);
  const node = parser.expression();
  parser.end();
  return node;
}

/** Recursive descent; a deeply nested program ends in the RangeError of the engine's stack, which callers report. */
export class Parser {
  readonly #source: Source;
  readonly #tokens: Token[];
  #at = 0;

  constructor(source: Source) {
    this.#source = source;
    this.#tokens = tokenize(source);
  }

  get token(): Token {
    return this.#tokens[this.#at] as Token;
  }

  peek(ahead: number): Token {
    return this.#tokens[Math.min(this.#at + ahead, this.#tokens.length - 1)] as Token;
  }

  next(): Token {
    const { token } = this;
    if (token.kind !== 'end') this.#at += 1;
    return token;
  }

  is(text: string): boolean {
    const { token } = this;
    return token.text === text && token.kind !== 'string' && token.kind !== 'end';
  }

  take(text: string): boolean {
    if (!this.is(text)) return false;
    this.#at += 1;
    return true;
  }

  expect(text: string, after: string): void {
    if (!this.take(text)) throw this.fault(`expected ${text} ${after}, found ${this.#shown()}`);
  }

  name(what: string): string {
    if (this.token.kind !== 'identifier') throw this.fault(`expected ${what}, found ${this.#shown()}`);
    return this.next().text;
  }

  end(): void {
    if (this.token.kind !== 'end') throw this.fault(`expected the end of the program, found ${this.#shown()}`);
  }

  fault(message: string, at = this.token.at): JsonnetError {
    return new JsonnetError(message, placeOf(this.#source, at));
  }

  #shown(): string {
    return this.token.kind === 'string' ? 'a string' : `"${this.token.text}"`;
  }

  expression(): Node {
    return this.#binary(loosest);
  }

  #binary(limit: number): Node {
    const open = this.#open();
    if (open) return open;
    let left = this.#unary();
    for (;;) {
      const { token } = this;
      if (token.kind === 'string' || !isBinaryOperator(token.text)) return left;
      const binding = precedence[token.text];
      if (binding >= limit) return left;
      // `for x in` of a comprehension never comes here: its name is read before.
      this.next();
      if (token.text === 'in' && this.is('super') && !['.', '['].includes(this.peek(1).text)) {
        this.next();
        left = { kind: 'in-super', index: left, at: token.at };
        continue;
      }
      left = { kind: 'binary', operator: token.text, left, right: this.#binary(binding), at: token.at };
    }
  }

  /** Expressions that reach as far to the right as they can. */
  #open(): Node | undefined {
    const { token } = this;
    if (token.kind !== 'keyword') return undefined;
    const { at } = token;
    switch (token.text) {
      case 'local':
        this.next();
        return this.#local(at);
      case 'if': {
        this.next();
        const condition = this.expression();
        this.expect('then', 'after the condition of if');
        const then = this.expression();
        const otherwise = this.take('else') ? this.expression() : undefined;
        return { kind: 'if', condition, then, otherwise, at };
      }
      case 'function': {
        this.next();
        const parameters = this.parameters();
        return { kind: 'function', parameters, body: this.expression(), at };
      }
      case 'assert': {
        this.next();
        const assertion = this.assertion();
        this.expect(';', 'after assert');
        return { kind: 'assert', assertion, body: this.expression(), at };
      }
      case 'error':
        this.next();
        return { kind: 'error', message: this.expression(), at };
      case 'import':
      case 'importstr':
      case 'importbin': {
        this.next();
        if (this.token.kind !== 'string')
          throw this.fault(`${token.text} takes a string: computed imports are not allowed`);
        return { kind: 'import', what: { how: token.text, path: this.next().text }, at };
      }
      default:
        return undefined;
    }
  }

  #local(at: number): Node {
    const bindings: Binding[] = [];
    do bindings.push(this.binding(bindings));
    while (this.take(','));
    this.expect(';', 'after local');
    return { kind: 'local', bindings, body: this.expression(), at };
  }

  binding(known: readonly Binding[]): Binding {
    const { at } = this.token;
    const name = this.name('a name after local');
    if (known.some((other) => other.name === name)) throw this.fault(`duplicate local: ${name}`, at);
    const parameters = this.is('(') ? this.parameters() : undefined;
    this.expect('=', `after local ${name}`);
    const body = this.expression();
    return { name, value: parameters ? { kind: 'function', parameters, body, at } : body };
  }

  parameters(): Parameter[] {
    this.expect('(', 'before parameters');
    const out: Parameter[] = [];
    while (!this.take(')')) {
      const { at } = this.token;
      const name = this.name('the name of a parameter');
      if (out.some((other) => other.name === name)) throw this.fault(`duplicate parameter: ${name}`, at);
      out.push({ name, fallback: this.take('=') ? this.expression() : undefined });
      if (!this.is(')')) this.expect(',', 'between parameters');
    }
    return out;
  }

  assertion(): Assertion {
    const condition = this.expression();
    return { condition, message: this.take(':') ? this.expression() : undefined };
  }

  #unary(): Node {
    const { token } = this;
    if (token.kind === 'operator' && ['+', '-', '!', '~'].includes(token.text)) {
      this.next();
      const operand = this.#open() ?? this.#unary();
      return { kind: 'unary', operator: token.text as '+' | '-' | '!' | '~', operand, at: token.at };
    }
    return this.#postfix(this.#primary());
  }

  #postfix(first: Node): Node {
    let node = first;
    for (;;) {
      const { at } = this.token;
      if (this.take('.')) {
        const name = this.name('a field after "."');
        node = { kind: 'index', target: node, index: { kind: 'literal', value: name, at }, at };
      } else if (this.take('[')) node = this.#bracket(node, at);
      else if (this.take('(')) node = this.#call(node, at);
      else if (this.is('{')) node = { kind: 'binary', operator: '+', left: node, right: this.#primary(), at };
      else return node;
    }
  }

  #bracket(target: Node, at: number): Node {
    const parts: (Node | undefined)[] = [undefined];
    let colons = 0;
    while (!this.take(']')) {
      if (this.take(':')) colons += 1;
      else if (this.take('::')) colons += 2;
      else if (parts[colons] === undefined) parts[colons] = this.expression();
      else throw this.fault(`expected ] after the index, found ${this.#shown()}`);
      if (colons > 2) throw this.fault('a slice has at most three parts');
    }
    const [from, to, step] = parts;
    if (colons > 0) return { kind: 'slice', target, from, to, step, at };
    if (!from) throw this.fault('an index stands between [ and ]');
    return { kind: 'index', target, index: from, at };
  }

  #call(target: Node, at: number): Node {
    const positional: Node[] = [];
    const named: Binding[] = [];
    while (!this.take(')')) {
      if (this.token.kind === 'identifier' && this.peek(1).text === '=' && this.peek(1).kind === 'operator') {
        const name = this.next().text;
        this.next();
        named.push({ name, value: this.expression() });
      } else if (named.length > 0) throw this.fault('a positional argument stands after a named one');
      else positional.push(this.expression());
      if (!this.is(')')) this.expect(',', 'between arguments');
    }
    return { kind: 'call', target, positional, named, strict: this.take('tailstrict'), at };
  }

  #primary(): Node {
    const token = this.next();
    const { at } = token;
    switch (token.kind) {
      case 'string':
        return { kind: 'literal', value: token.text, at };
      case 'number':
        return { kind: 'literal', value: Number(token.text), at };
      case 'identifier':
        return { kind: 'variable', name: token.text, at };
      case 'keyword':
        return this.#word(token);
      default:
        if (token.text === '$') return { kind: 'dollar', at };
        if (token.text === '(') {
          const inner = this.expression();
          this.expect(')', 'after the expression');
          return inner;
        }
        if (token.text === '[') return this.#array(at);
        if (token.text === '{') return this.#object(at);
        throw this.fault(`expected an expression, found "${token.text}"`, at);
    }
  }

  #word(token: Token): Node {
    const { at } = token;
    switch (token.text) {
      case 'null':
        return { kind: 'literal', value: null, at };
      case 'true':
        return { kind: 'literal', value: true, at };
      case 'false':
        return { kind: 'literal', value: false, at };
      case 'self':
        return { kind: 'self', at };
      case 'super': {
        if (this.take('.')) {
          const name = this.name('a field after "super."');
          return { kind: 'super-index', index: { kind: 'literal', value: name, at }, at };
        }
        this.expect('[', 'or . after super');
        const index = this.expression();
        this.expect(']', 'after the index of super');
        return { kind: 'super-index', index, at };
      }
      default:
        throw this.fault(`expected an expression, found "${token.text}"`, at);
    }
  }

  #array(at: number): Node {
    const items: Node[] = [];
    while (!this.take(']')) {
      items.push(this.expression());
      const comma = this.take(',');
      const [body] = items;
      if (items.length === 1 && body && this.is('for')) {
        const specs = this.specs();
        this.expect(']', 'after the comprehension');
        return { kind: 'array-comprehension', body, specs, at };
      }
      if (!comma && !this.is(']')) throw this.fault(`expected , or ] in the array, found ${this.#shown()}`);
    }
    return { kind: 'array', items, at };
  }

  specs(): Spec[] {
    const out: Spec[] = [];
    for (;;) {
      if (this.take('for')) {
        const name = this.name('a name after for');
        this.expect('in', 'after the name of for');
        out.push({ kind: 'for', name, over: this.expression() });
      } else if (out.length > 0 && this.take('if')) out.push({ kind: 'if', condition: this.expression() });
      else return out;
    }
  }

  #object(at: number): Node {
    const fields: Field[] = [];
    const locals: Binding[] = [];
    const assertions: Assertion[] = [];
    while (!this.take('}')) {
      if (this.take('local')) locals.push(this.binding(locals));
      else if (this.take('assert')) assertions.push(this.assertion());
      else fields.push(this.#field(readFieldHead(this), fields));
      const comma = this.take(',');
      if (this.is('for')) return this.#comprehension(at, { fields, locals, assertions });
      if (!comma && !this.is('}')) throw this.fault(`expected , or } in the object, found ${this.#shown()}`);
    }
    return { kind: 'object', fields, locals, assertions, at };
  }

  #field(head: FieldHead, known: readonly Field[]): Field {
    const { name, plus, visibility, parameters } = head;
    if (name.kind === 'literal')
      for (const { name: other } of known)
        if (other.kind === 'literal' && other.value === name.value)
          throw this.fault(`duplicate field: ${String(name.value)}`, name.at);
    const body = this.expression();
    const value: Node = parameters ? { kind: 'function', parameters, body, at: name.at } : body;
    return { name, plus, visibility, value };
  }

  #comprehension(at: number, parts: { fields: Field[]; locals: Binding[]; assertions: Assertion[] }): Node {
    const [field] = parts.fields;
    if (!field || parts.fields.length > 1) throw this.fault('an object comprehension has one field', at);
    if (parts.assertions.length > 0) throw this.fault('an object comprehension has no assert', at);
    if (field.name.kind === 'literal') throw this.fault('an object comprehension has a field of the form [name]', at);
    const specs = this.specs();
    this.expect('}', 'after the comprehension');
    return { kind: 'object-comprehension', field, locals: parts.locals, specs, at };
  }
}
