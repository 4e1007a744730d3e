import { createHash } from 'node:crypto';
import { data, Evaluator, Lexer, Parser } from '@actions/expressions';
import { AppError, messageOf } from '#base/errors.ts';
import { isObject } from '#base/json.ts';
import type { Template } from './template.ts';

export type Value = string | number | boolean | null | Value[] | { [key: string]: Value };

/** What an expression can see: contexts by name, how the work went so far, and files to hash. */
export interface Scope {
  contexts: Record<string, Value>;
  /** Answers success(), failure() and cancelled(); without it these functions do not exist. */
  status?: { success: boolean; failure: boolean; canceled: boolean } | undefined;
  /** Content of the workspace files that match the patterns, in path order. */
  hashFiles?: ((patterns: string[]) => Buffer[]) | undefined;
}

type FunctionDefinition =
  NonNullable<ConstructorParameters<typeof Evaluator>[2]> extends Map<string, infer F> ? F : never;

/** Evaluates `expression` (without `${{ }}`); a mistake in it is a bad-input error that quotes it. */
export function evaluateExpression(expression: string, scope: Scope): Value {
  const functions = functionsOf(scope);
  try {
    const tokens = new Lexer(expression).lex().tokens;
    const tree = new Parser(tokens, Object.keys(scope.contexts), functions).parse();
    const contexts = dictionary(scope.contexts);
    const byName = new Map(functions.map((definition) => [definition.name.toLowerCase(), definition]));
    return plainValue(new Evaluator(tree, contexts, byName).evaluate());
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    throw new AppError('bad-input', `cannot evaluate \${{ ${expression} }}: ${messageOf(cause)}`, { cause });
  }
}

export function evaluateCondition(expression: string, scope: Scope): boolean {
  return isTruthy(evaluateExpression(expression, scope));
}

export function evaluate(template: Template, scope: Scope): Value {
  switch (template.kind) {
    case 'literal':
      return template.value;
    case 'expression':
      return evaluateExpression(template.expression, scope);
    case 'text':
      return template.parts.map((part, at) => (at % 2 === 0 ? part : toText(evaluateExpression(part, scope)))).join('');
    case 'sequence':
      return template.items.map((item) => evaluate(item, scope));
    case 'mapping':
      return Object.fromEntries(
        template.entries.map(({ key, value }) => [toText(evaluate(key, scope)), evaluate(value, scope)]),
      );
  }
}

export function evaluateText(template: Template | undefined, scope: Scope): string | undefined {
  return template === undefined ? undefined : toText(evaluate(template, scope));
}

/** A mapping of names to text, as `env`, `with` and `outputs` are. */
export function evaluateTexts(template: Template | undefined, scope: Scope): Record<string, string> {
  if (template === undefined) return {};
  const value = evaluate(template, scope);
  if (!isObject(value)) return {};
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, toText(item)]));
}

/** Text of a value by GitHub's rules: null is empty, numbers are short, objects are named and not printed. */
export function toText(value: Value): string {
  return toData(value).coerceString();
}

export function isTruthy(value: Value): boolean {
  return !(value === null || value === false || value === '' || value === 0 || Number.isNaN(value));
}

function functionsOf(scope: Scope): FunctionDefinition[] {
  const bool = (name: string, answer: boolean): FunctionDefinition => ({
    name,
    minArgs: 0,
    maxArgs: 0,
    call: () => new data.BooleanData(answer),
  });
  const functions: FunctionDefinition[] = [];
  if (scope.status !== undefined) {
    const { success, failure, canceled } = scope.status;
    functions.push(
      bool('success', success),
      bool('failure', failure),
      bool('cancelled', canceled),
      bool('always', true),
    );
  }
  const { hashFiles } = scope;
  if (hashFiles !== undefined) {
    functions.push({
      name: 'hashFiles',
      minArgs: 1,
      maxArgs: 255,
      call: (...patterns) => new data.StringData(hashOf(hashFiles(patterns.map((pattern) => pattern.coerceString())))),
    });
  }
  return functions;
}

/** SHA-256 over the SHA-256 of each file; empty when nothing matched, as GitHub documents for hashFiles. */
function hashOf(files: Buffer[]): string {
  if (files.length === 0) return '';
  const total = createHash('sha256');
  for (const file of files) total.update(createHash('sha256').update(file).digest());
  return total.digest('hex');
}

type ExpressionData = ReturnType<Evaluator['evaluate']>;

function dictionary(values: Record<string, Value>): data.Dictionary {
  return new data.Dictionary(...Object.entries(values).map(([key, value]) => ({ key, value: toData(value) })));
}

function toData(value: Value | undefined): ExpressionData {
  if (value === undefined || value === null) return new data.Null();
  if (typeof value === 'string') return new data.StringData(value);
  if (typeof value === 'number') return new data.NumberData(value);
  if (typeof value === 'boolean') return new data.BooleanData(value);
  if (Array.isArray(value)) return new data.Array(...value.map(toData));
  return dictionary(value);
}

function plainValue(value: ExpressionData): Value {
  if (value instanceof data.StringData || value instanceof data.NumberData || value instanceof data.BooleanData) {
    return value.value;
  }
  if (value instanceof data.Dictionary) {
    return Object.fromEntries(value.pairs().map((pair) => [pair.key, plainValue(pair.value)]));
  }
  if (value instanceof data.Array) return value.values().map(plainValue);
  return null;
}

/** JSON from outside (an event payload) as a value of expressions. */
export function valueOfJson(json: unknown): Value {
  if (json === null || typeof json === 'string' || typeof json === 'number' || typeof json === 'boolean') return json;
  if (Array.isArray(json)) return json.map(valueOfJson);
  if (!isObject(json)) return null;
  return Object.fromEntries(Object.entries(json).map(([key, item]) => [key, valueOfJson(item)]));
}
