import { Lexer, type Token } from './lexer.ts';
import { type PatternSource, parsePattern } from './pattern-syntax.ts';
import type { BinaryOperator, Definition, Node, Pattern, UpdateOperator } from './syntax.ts';

const comparisons = ['==', '!=', '<', '<=', '>', '>='];
const updates = ['=', '|=', '+=', '-=', '*=', '/=', '%=', '//='];
const keywords = new Set(
  'def if then elif else end as reduce foreach try catch label import include and or __loc__ null true false'.split(
    ' ',
  ),
);
/** Parentheses, brackets and operators within each other. */
const maxDepth = 200;

const identity: Node = { kind: 'identity' };

/** Reads a jq program. Throws AppError bad-input that says where it is wrong. */
export function parseJq(text: string): Node {
  const parser = new Parser(new Lexer(text));
  return parser.program();
}

/** Reads definitions only. */
export function parseDefinitions(text: string): Definition[] {
  return new Parser(new Lexer(text)).definitions();
}

/** A question mark concerns the last step only. */
function optional(node: Node): Node {
  if (node.kind === 'index' || node.kind === 'slice' || node.kind === 'iterate') return { ...node, optional: true };
  return { kind: 'try', body: node, handler: undefined };
}

class Parser implements PatternSource {
  readonly #lexer: Lexer;
  #ahead: Token | undefined;
  #depth = 0;

  constructor(lexer: Lexer) {
    this.#lexer = lexer;
  }

  program(): Node {
    const node = this.query();
    if (this.peek().kind !== 'end') this.unexpected();
    return node;
  }

  definitions(): Definition[] {
    const out: Definition[] = [];
    while (this.isName('def')) out.push(this.#definition());
    if (this.peek().kind !== 'end') this.unexpected();
    return out;
  }

  peek(): Token {
    this.#ahead ??= this.#lexer.next();
    return this.#ahead;
  }

  take(): Token {
    const token = this.peek();
    this.#ahead = undefined;
    return token;
  }

  unexpected(): never {
    const token = this.peek();
    const what =
      token.kind === 'end'
        ? 'the end'
        : token.kind === 'quote'
          ? 'a string'
          : `${'text' in token ? token.text : token.value}`;
    return this.#lexer.fail(`unexpected ${what}`, token.at);
  }

  isSymbol(text: string): boolean {
    const token = this.peek();
    return token.kind === 'symbol' && token.text === text;
  }

  isName(text: string): boolean {
    const token = this.peek();
    return token.kind === 'name' && token.text === text;
  }

  tookSymbol(text: string): boolean {
    if (!this.isSymbol(text)) return false;
    this.take();
    return true;
  }

  tookName(text: string): boolean {
    if (!this.isName(text)) return false;
    this.take();
    return true;
  }

  expectSymbol(text: string): void {
    if (!this.tookSymbol(text)) this.unexpected();
  }

  #expectName(text: string): void {
    if (!this.tookName(text)) this.unexpected();
  }

  #text(kind: 'name' | 'variable'): string {
    const token = this.peek();
    if (token.kind !== kind) this.unexpected();
    this.take();
    return token.text;
  }

  /** Pipes, the loosest of all. */
  query(): Node {
    this.#depth += 1;
    if (this.#depth > maxDepth) this.#lexer.fail('nested too deeply', this.peek().at);
    try {
      return this.#pipe();
    } finally {
      this.#depth -= 1;
    }
  }

  #pipe(): Node {
    if (this.isName('def')) {
      const definition = this.#definition();
      return { kind: 'define', definition, body: this.query() };
    }
    if (this.tookName('label')) {
      const name = this.#text('variable');
      this.expectSymbol('|');
      return { kind: 'label', name, body: this.query() };
    }
    let left = this.#element();
    while (this.tookSymbol(',')) left = { kind: 'comma', left, right: this.#element() };
    return this.tookSymbol('|') ? { kind: 'pipe', left, right: this.query() } : left;
  }

  /** One operand of a comma. A binding reaches as far to the right as it can. */
  #element(): Node {
    if (this.isName('def') || this.isName('label')) return this.query();
    const source = this.#alternative();
    if (!this.tookName('as')) return source;
    const patterns = this.#patterns();
    this.expectSymbol('|');
    return { kind: 'bind', source, patterns, body: this.query() };
  }

  #patterns(): Pattern[] {
    const patterns = [parsePattern(this)];
    while (this.tookSymbol('?')) {
      this.expectSymbol('//');
      patterns.push(parsePattern(this));
    }
    return patterns;
  }

  #definition(): Definition {
    this.#expectName('def');
    const name = this.#text('name');
    const parameters: string[] = [];
    if (this.tookSymbol('(')) {
      do {
        const token = this.take();
        if (token.kind === 'variable') parameters.push(`$${token.text}`);
        else if (token.kind === 'name') parameters.push(token.text);
        else this.#lexer.fail('a parameter is missing', token.at);
      } while (this.tookSymbol(';'));
      this.expectSymbol(')');
    }
    this.expectSymbol(':');
    const body = this.query();
    this.expectSymbol(';');
    return { name, parameters, body };
  }

  #alternative(): Node {
    const left = this.#update();
    if (!this.tookSymbol('//')) return left;
    return { kind: 'alternative', left, right: this.#alternative() };
  }

  #update(): Node {
    const left = this.#or();
    const token = this.peek();
    if (token.kind !== 'symbol' || !updates.includes(token.text)) return left;
    this.take();
    return { kind: 'update', operator: token.text as UpdateOperator, left, right: this.#alternative() };
  }

  #or(): Node {
    let left = this.#and();
    while (this.tookName('or')) left = { kind: 'or', left, right: this.#and() };
    return left;
  }

  #and(): Node {
    let left = this.#comparison();
    while (this.tookName('and')) left = { kind: 'and', left, right: this.#comparison() };
    return left;
  }

  #operator(among: readonly string[]): BinaryOperator | undefined {
    const token = this.peek();
    if (token.kind !== 'symbol' || !among.includes(token.text)) return undefined;
    this.take();
    return token.text as BinaryOperator;
  }

  #comparison(): Node {
    const left = this.#sum();
    const operator = this.#operator(comparisons);
    return operator ? { kind: 'binary', operator, left, right: this.#sum() } : left;
  }

  #sum(): Node {
    let left = this.#product();
    for (let operator = this.#operator(['+', '-']); operator; operator = this.#operator(['+', '-']))
      left = { kind: 'binary', operator, left, right: this.#product() };
    return left;
  }

  #product(): Node {
    const among = ['*', '/', '%'];
    let left = this.#postfix();
    for (let operator = this.#operator(among); operator; operator = this.#operator(among))
      left = { kind: 'binary', operator, left, right: this.#postfix() };
    return left;
  }

  #postfix(): Node {
    if (this.tookSymbol('-')) return { kind: 'negate', of: this.#postfix() };
    if (this.tookSymbol('+')) return this.#postfix();
    let node = this.#term();
    for (let suffixed = false; ; suffixed = true) {
      const token = this.peek();
      if (token.kind === 'field') {
        this.take();
        node = { kind: 'index', of: node, key: { kind: 'literal', value: token.text } };
      } else if (this.tookSymbol('?'))
        node = suffixed ? optional(node) : { kind: 'try', body: node, handler: undefined };
      else if (this.isSymbol('[')) node = this.#bracket(node);
      else if (this.tookSymbol('.')) node = this.#dotted(node);
      else return node;
    }
  }

  #dotted(of: Node): Node {
    if (this.isSymbol('[')) return this.#bracket(of);
    if (this.peek().kind !== 'quote') this.unexpected();
    return { kind: 'index', of, key: this.string(undefined) };
  }

  #bracket(of: Node): Node {
    this.expectSymbol('[');
    if (this.tookSymbol(']')) return { kind: 'iterate', of };
    if (this.tookSymbol(':')) {
      const to = this.query();
      this.expectSymbol(']');
      return { kind: 'slice', of, from: undefined, to };
    }
    const from = this.query();
    if (this.tookSymbol(']')) return { kind: 'index', of, key: from };
    this.expectSymbol(':');
    const to = this.isSymbol(']') ? undefined : this.query();
    this.expectSymbol(']');
    return { kind: 'slice', of, from, to };
  }

  #term(): Node {
    const token = this.peek();
    switch (token.kind) {
      case 'number':
        this.take();
        return { kind: 'literal', value: token.value };
      case 'quote':
        return this.string(undefined);
      case 'format':
        this.take();
        return this.peek().kind === 'quote' ? this.string(token.text) : { kind: 'format', format: token.text };
      case 'field':
        this.take();
        return { kind: 'index', of: identity, key: { kind: 'literal', value: token.text } };
      case 'variable':
        this.take();
        return { kind: 'variable', name: token.text };
      case 'symbol':
        return this.#symbolTerm(token.text);
      case 'name':
        return this.#nameTerm(token.text);
      default:
        return this.unexpected();
    }
  }

  #symbolTerm(text: string): Node {
    if (!['.', '..', '(', '[', '{'].includes(text)) this.unexpected();
    this.take();
    if (text === '..') return { kind: 'call', name: 'recurse', parameters: [] };
    if (text === '(') {
      const node = this.query();
      this.expectSymbol(')');
      return node;
    }
    if (text === '[') {
      if (this.tookSymbol(']')) return { kind: 'array', of: undefined };
      const of = this.query();
      this.expectSymbol(']');
      return { kind: 'array', of };
    }
    if (text === '{') return this.#object();
    if (this.isSymbol('[')) return this.#bracket(identity);
    return this.peek().kind === 'quote' ? { kind: 'index', of: identity, key: this.string(undefined) } : identity;
  }

  #nameTerm(text: string): Node {
    this.take();
    switch (text) {
      case 'null':
        return { kind: 'literal', value: null };
      case 'true':
        return { kind: 'literal', value: true };
      case 'false':
        return { kind: 'literal', value: false };
      case 'if':
        return this.#conditional();
      case 'try': {
        const body = this.#postfix();
        return { kind: 'try', body, handler: this.tookName('catch') ? this.#postfix() : undefined };
      }
      case 'reduce':
        return this.#reduce();
      case 'foreach':
        return this.#foreach();
      case 'break':
        return { kind: 'break', name: this.#text('variable') };
      default:
        if (keywords.has(text)) this.unexpected();
        return { kind: 'call', name: text, parameters: this.#parameters() };
    }
  }

  #parameters(): Node[] {
    const out: Node[] = [];
    if (!this.tookSymbol('(')) return out;
    do out.push(this.query());
    while (this.tookSymbol(';'));
    this.expectSymbol(')');
    return out;
  }

  #conditional(): Node {
    const condition = this.query();
    this.#expectName('then');
    const yes = this.query();
    if (this.tookName('elif')) return { kind: 'if', condition, yes, no: this.#conditional() };
    const no = this.tookName('else') ? this.query() : undefined;
    this.#expectName('end');
    return { kind: 'if', condition, yes, no };
  }

  #fold(): { source: Node; patterns: Pattern[]; initial: Node; update: Node } {
    const source = this.#alternative();
    this.#expectName('as');
    const patterns = this.#patterns();
    this.expectSymbol('(');
    const initial = this.query();
    this.expectSymbol(';');
    return { source, patterns, initial, update: this.query() };
  }

  #reduce(): Node {
    const fold = this.#fold();
    this.expectSymbol(')');
    return { kind: 'reduce', ...fold };
  }

  #foreach(): Node {
    const fold = this.#fold();
    const extract = this.tookSymbol(';') ? this.query() : undefined;
    this.expectSymbol(')');
    return { kind: 'foreach', ...fold, extract };
  }

  /** A string, its parts being text and programs. */
  string(format: string | undefined): Node {
    this.take();
    const parts: (string | Node)[] = [];
    for (;;) {
      const { text, ends } = this.#lexer.stringPart();
      if (text !== '') parts.push(text);
      if (ends === 'text') break;
      parts.push(this.query());
      // Not `take`: what follows the parenthesis is text again, and must not be read as a token.
      if (!this.isSymbol(')')) this.unexpected();
      this.#ahead = undefined;
    }
    const [only = ''] = parts;
    if (parts.length <= 1 && typeof only === 'string') return { kind: 'literal', value: only };
    return { kind: 'text', format, parts };
  }

  #object(): Node {
    const entries: { key: Node; value: Node }[] = [];
    while (!this.tookSymbol('}')) {
      entries.push(this.#entry());
      if (this.tookSymbol('}')) break;
      this.expectSymbol(',');
    }
    return { kind: 'object', entries };
  }

  #entry(): { key: Node; value: Node } {
    const token = this.peek();
    if (token.kind === 'variable') {
      this.take();
      const key: Node = { kind: 'literal', value: token.text };
      const variable: Node = { kind: 'variable', name: token.text };
      return this.tookSymbol(':') ? { key: variable, value: this.#value() } : { key, value: variable };
    }
    if (token.kind === 'symbol' && token.text === '(') {
      this.take();
      const key = this.query();
      this.expectSymbol(')');
      this.expectSymbol(':');
      return { key, value: this.#value() };
    }
    const key = this.#entryKey(token);
    if (this.tookSymbol(':')) return { key, value: this.#value() };
    return { key, value: { kind: 'index', of: identity, key } };
  }

  #entryKey(token: Token): Node {
    if (token.kind === 'quote') return this.string(undefined);
    if (token.kind !== 'name') this.unexpected();
    this.take();
    return { kind: 'literal', value: token.text };
  }

  #value(): Node {
    let node = this.#alternative();
    while (this.tookSymbol('|')) node = { kind: 'pipe', left: node, right: this.#alternative() };
    return node;
  }
}
