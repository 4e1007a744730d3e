import type { CelValue } from './value.ts';

/** An expression. `at` is where errors about it point: an offset into the text. */
export type Expression =
  | LiteralExpression
  | { kind: 'ident'; at: number; name: string }
  | SelectExpression
  | CallExpression
  | ListExpression
  | MapExpression
  | { kind: 'struct'; at: number; name: string; values: Expression[] }
  | FoldExpression;

export interface LiteralExpression {
  kind: 'literal';
  at: number;
  value: CelValue;
}

/** `operand.field`; `test` for `has(operand.field)`, `optional` for `operand.?field`. */
export interface SelectExpression {
  kind: 'select';
  at: number;
  operand: Expression;
  field: string;
  mode: 'value' | 'test' | 'optional';
}

/** Operators are calls of functions that no text can name: `_+_`, `_[_]`, `!_`. */
export interface CallExpression {
  kind: 'call';
  at: number;
  name: string;
  target: Expression | undefined;
  args: Expression[];
}

export interface ListExpression {
  kind: 'list';
  at: number;
  items: { value: Expression; optional: boolean }[];
}

export interface MapExpression {
  kind: 'map';
  at: number;
  entries: { key: Expression; value: Expression; optional: boolean }[];
}

/** What all macros over lists and maps come to: a loop with one accumulator. */
export interface FoldExpression {
  kind: 'fold';
  at: number;
  range: Expression;
  variable: string;
  /** With two variables the first is the index or the key. */
  second: string | undefined;
  accumulator: string;
  initial: Expression;
  condition: Expression;
  step: Expression;
  result: Expression;
}

/** A mistake in a rule's text, at an offset of it. */
export interface Issue {
  at: number;
  message: string;
}

/** Thrown by the parser at the first mistake it cannot go on from. */
export class SyntaxIssue extends Error {
  override name = 'SyntaxIssue';
  readonly at: number;

  constructor(at: number, message: string) {
    super(message);
    this.at = at;
  }
}

/** Issues as cel-go prints them: place, message, the line, and a caret under the place. */
export function issuesText(source: string, issues: readonly Issue[]): string {
  const lines = source.split('\n');
  return issues
    .map((issue) => ({ ...issue, ...placeOf(source, issue.at) }))
    .sort((a, b) => a.line - b.line || a.column - b.column)
    .map(({ line, column, message }) => {
      const text = (lines[line] ?? '').replaceAll('\t', ' ');
      return `ERROR: <input>:${line + 1}:${column + 1}: ${message}\n | ${text}\n | ${'.'.repeat(column)}^`;
    })
    .join('\n');
}

/** Columns count code points. */
function placeOf(source: string, at: number): { line: number; column: number } {
  const before = source.slice(0, at);
  const start = before.lastIndexOf('\n') + 1;
  return { line: before.split('\n').length - 1, column: [...before.slice(start)].length };
}

/** Every part of an expression with the parts within. */
export function* partsOf(expression: Expression): Generator<Expression> {
  yield expression;
  switch (expression.kind) {
    case 'literal':
    case 'ident':
      return;
    case 'select':
      yield* partsOf(expression.operand);
      return;
    case 'call':
      if (expression.target !== undefined) yield* partsOf(expression.target);
      for (const argument of expression.args) yield* partsOf(argument);
      return;
    case 'list':
      for (const { value } of expression.items) yield* partsOf(value);
      return;
    case 'map':
      for (const { key, value } of expression.entries) {
        yield* partsOf(key);
        yield* partsOf(value);
      }
      return;
    case 'struct':
      for (const value of expression.values) yield* partsOf(value);
      return;
    case 'fold':
      for (const part of [expression.range, expression.initial, expression.condition, expression.step])
        yield* partsOf(part);
      yield* partsOf(expression.result);
      return;
  }
}
