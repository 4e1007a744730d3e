import type { Token } from './lexer.ts';
import type { Node, Pattern } from './syntax.ts';

/** What reading a pattern needs of the parser. */
export interface PatternSource {
  peek(): Token;
  take(): Token;
  tookSymbol(text: string): boolean;
  expectSymbol(text: string): void;
  query(): Node;
  string(format: string | undefined): Node;
  unexpected(): never;
}

/** What stands after `as`: a variable, or the shape of an array or object with variables in it. */
export function parsePattern(source: PatternSource): Pattern {
  const token = source.peek();
  if (token.kind === 'variable') {
    source.take();
    return { kind: 'variable', name: token.text };
  }
  if (source.tookSymbol('[')) {
    const items: Pattern[] = [];
    do items.push(parsePattern(source));
    while (source.tookSymbol(','));
    source.expectSymbol(']');
    return { kind: 'array', items };
  }
  if (!source.tookSymbol('{')) source.unexpected();
  const entries: { variable?: string; key: Node; value?: Pattern }[] = [];
  do entries.push(entry(source));
  while (source.tookSymbol(','));
  source.expectSymbol('}');
  return { kind: 'object', entries };
}

function entry(source: PatternSource): { variable?: string; key: Node; value?: Pattern } {
  const token = source.peek();
  if (token.kind === 'variable') {
    source.take();
    const key: Node = { kind: 'literal', value: token.text };
    if (!source.tookSymbol(':')) return { variable: token.text, key };
    return { variable: token.text, key, value: parsePattern(source) };
  }
  const key = keyOf(source, token);
  source.expectSymbol(':');
  return { key, value: parsePattern(source) };
}

function keyOf(source: PatternSource, token: Token): Node {
  if (token.kind === 'quote') return source.string(undefined);
  if (token.kind === 'name') {
    source.take();
    return { kind: 'literal', value: token.text };
  }
  source.expectSymbol('(');
  const key = source.query();
  source.expectSymbol(')');
  return key;
}
