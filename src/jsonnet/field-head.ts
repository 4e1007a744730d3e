import type { Parser } from './parser.ts';
import type { Node, Parameter, Visibility } from './syntax.ts';

export interface FieldHead {
  name: Node;
  plus: boolean;
  visibility: Visibility;
  parameters: Parameter[] | undefined;
}

const separators: Record<string, { plus: boolean; visibility: Visibility }> = {
  ':': { plus: false, visibility: 'inherit' },
  '::': { plus: false, visibility: 'hidden' },
  ':::': { plus: false, visibility: 'visible' },
  '+:': { plus: true, visibility: 'inherit' },
  '+::': { plus: true, visibility: 'hidden' },
  '+:::': { plus: true, visibility: 'visible' },
};

/** A field up to its value: `name:`, `"name"::`, `[name]+:`, `name(parameters):`. */
export function readFieldHead(parser: Parser): FieldHead {
  const name = readName(parser);
  const parameters = parser.is('(') ? parser.parameters() : undefined;
  const separator = parser.token.kind === 'operator' ? separators[parser.token.text] : undefined;
  if (!separator) throw parser.fault('expected ":" after the name of the field');
  parser.next();
  if (parameters && separator.plus) throw parser.fault('a method cannot be written with +:', name.at);
  return { name, parameters, ...separator };
}

function readName(parser: Parser): Node {
  const { token } = parser;
  if (token.kind === 'identifier' || token.kind === 'string') {
    parser.next();
    return { kind: 'literal', value: token.text, at: token.at };
  }
  if (!parser.take('[')) throw parser.fault(`expected the name of a field, found "${token.text}"`);
  const inner = parser.expression();
  parser.expect(']', 'after the name of the field');
  // Wrapped, so that it counts as computed: it may be null, and is not compared with the names written plainly.
  return { kind: 'local', bindings: [], body: inner, at: inner.at };
}
