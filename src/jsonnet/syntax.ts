import type { Import } from './lexer.ts';

export interface Parameter {
  name: string;
  fallback: Node | undefined;
}

export interface Binding {
  name: string;
  value: Node;
}

/** `inherit` is `:`, which keeps what a lower object says. */
export type Visibility = 'inherit' | 'hidden' | 'visible';

export interface Field {
  name: Node;
  plus: boolean;
  visibility: Visibility;
  value: Node;
}

export interface Assertion {
  condition: Node;
  message: Node | undefined;
}

export type Spec = { kind: 'for'; name: string; over: Node } | { kind: 'if'; condition: Node };

type Shape =
  | { kind: 'literal'; value: null | boolean | number | string }
  | { kind: 'self' }
  | { kind: 'dollar' }
  | { kind: 'variable'; name: string }
  | { kind: 'array'; items: Node[] }
  | { kind: 'array-comprehension'; body: Node; specs: Spec[] }
  | { kind: 'object'; fields: Field[]; locals: Binding[]; assertions: Assertion[] }
  | { kind: 'object-comprehension'; field: Field; locals: Binding[]; specs: Spec[] }
  | { kind: 'index'; target: Node; index: Node }
  | { kind: 'super-index'; index: Node }
  | { kind: 'in-super'; index: Node }
  | { kind: 'slice'; target: Node; from: Node | undefined; to: Node | undefined; step: Node | undefined }
  | { kind: 'call'; target: Node; positional: Node[]; named: Binding[]; strict: boolean }
  | { kind: 'local'; bindings: Binding[]; body: Node }
  | { kind: 'if'; condition: Node; then: Node; otherwise: Node | undefined }
  | { kind: 'binary'; operator: BinaryOperator; left: Node; right: Node }
  | { kind: 'unary'; operator: UnaryOperator; operand: Node }
  | { kind: 'function'; parameters: Parameter[]; body: Node }
  | { kind: 'assert'; assertion: Assertion; body: Node }
  | { kind: 'import'; what: Import }
  | { kind: 'error'; message: Node };

export type Node = Shape & { at: number };

export type UnaryOperator = '+' | '-' | '!' | '~';

/** How tightly an operator binds: smaller is tighter. */
export const precedence = {
  '*': 5,
  '/': 5,
  '%': 5,
  '+': 6,
  '-': 6,
  '<<': 7,
  '>>': 7,
  '<': 8,
  '>': 8,
  '<=': 8,
  '>=': 8,
  in: 8,
  '==': 9,
  '!=': 9,
  '&': 10,
  '^': 11,
  '|': 12,
  '&&': 13,
  '||': 14,
} as const;

export type BinaryOperator = keyof typeof precedence;

export function isBinaryOperator(text: string): text is BinaryOperator {
  return Object.hasOwn(precedence, text);
}
