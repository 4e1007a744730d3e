import { expandMacro } from './macro.ts';
import type { CallExpression, Expression, Issue, MapExpression } from './syntax.ts';
import { SyntaxIssue } from './syntax.ts';
import { type Token, tokenize } from './token.ts';
import { isTagged } from './value.ts';

const maxDepth = 250;
const reserved = new Set(
  'as break const continue else for function if import let loop package namespace return var void while'.split(' '),
);
const expected =
  "{'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}";

/** A rule's text to an expression with its macros expanded, or the mistakes in it. */
export function parse(source: string): { expression: Expression; issues: readonly Issue[] } {
  const issues: Issue[] = [];
  try {
    const state = { tokens: tokenize(source, issues), next: 0, depth: 0, issues };
    const expression = parseConditional(state);
    const rest = peek(state);
    if (rest.kind !== 'end') throw unexpected(rest, '<EOF>');
    return { expression, issues };
  } catch (error) {
    if (!(error instanceof SyntaxIssue)) throw error;
    issues.push({ at: error.at, message: error.message });
    return { expression: { kind: 'literal', at: 0, value: null }, issues };
  }
}

interface State {
  tokens: Token[];
  next: number;
  depth: number;
  issues: Issue[];
}

function peek(state: State): Token {
  return state.tokens[state.next] ?? { kind: 'end', at: 0, text: '<EOF>', value: null };
}

function take(state: State): Token {
  const token = peek(state);
  state.next += 1;
  return token;
}

function takeIf(state: State, text: string): Token | undefined {
  const token = peek(state);
  if (token.kind === 'literal' || token.kind === 'end' || token.text !== text) return undefined;
  return take(state);
}

function need(state: State, text: string): Token {
  const token = takeIf(state, text);
  if (token === undefined) throw unexpected(peek(state), `'${text}'`);
  return token;
}

function unexpected(token: Token, wanted = expected): SyntaxIssue {
  const kind = wanted === '<EOF>' || (wanted === expected && token.kind !== 'end') ? 'extraneous' : 'mismatched';
  if (kind === 'mismatched' && wanted !== expected && token.kind === 'end')
    return new SyntaxIssue(token.at, `Syntax error: missing ${wanted} at '${token.text}'`);
  return new SyntaxIssue(token.at, `Syntax error: ${kind} input '${token.text}' expecting ${wanted}`);
}

/** Runs one level deeper; too deep a rule is refused before the stack is. */
function nested<T>(state: State, run: (state: State) => T): T {
  state.depth += 1;
  if (state.depth > maxDepth) throw new SyntaxIssue(peek(state).at, `expression recursion limit exceeded: ${maxDepth}`);
  const result = run(state);
  state.depth -= 1;
  return result;
}

function parseConditional(state: State): Expression {
  return nested(state, () => {
    const condition = parseBinary(state, 0);
    const mark = takeIf(state, '?');
    if (mark === undefined) return condition;
    const yes = parseBinary(state, 0);
    need(state, ':');
    const no = parseConditional(state);
    return call(mark.at, '_?_:_', [condition, yes, no]);
  });
}

const levels: Record<string, string>[] = [
  { '||': '_||_' },
  { '&&': '_&&_' },
  { '<': '_<_', '<=': '_<=_', '>': '_>_', '>=': '_>=_', '==': '_==_', '!=': '_!=_', in: '@in' },
  { '+': '_+_', '-': '_-_' },
  { '*': '_*_', '/': '_/_', '%': '_%_' },
];

function parseBinary(state: State, level: number): Expression {
  const operators = levels[level];
  if (operators === undefined) return parseUnary(state);
  let left = parseBinary(state, level + 1);
  for (;;) {
    const token = peek(state);
    const name = token.kind === 'symbol' || token.text === 'in' ? operators[token.text] : undefined;
    if (name === undefined || token.kind === 'literal') return left;
    take(state);
    left = call(token.at, name, [left, parseBinary(state, level + 1)]);
  }
}

function parseUnary(state: State): Expression {
  const sign = peek(state);
  if (sign.kind !== 'symbol' || (sign.text !== '!' && sign.text !== '-')) return parseMember(state);
  let count = 0;
  while (takeIf(state, sign.text)) count += 1;
  const number = peek(state);
  if (sign.text === '-' && count === 1 && number.kind === 'literal') {
    const { value } = number;
    if (typeof value === 'bigint' || typeof value === 'number') {
      state.tokens[state.next] = { ...number, at: sign.at, value: -value };
      return parseMember(state);
    }
  }
  const operand = nested(state, parseMember);
  return count % 2 === 0 ? operand : call(sign.at, sign.text === '!' ? '!_' : '-_', [operand]);
}

function parseMember(state: State): Expression {
  let left = parsePrimary(state);
  for (;;) {
    const dot = takeIf(state, '.');
    if (dot !== undefined) {
      left = parseSelection(state, left, dot.at);
      continue;
    }
    const bracket = takeIf(state, '[');
    if (bracket === undefined) return left;
    const optional = takeIf(state, '?') !== undefined;
    const index = parseConditional(state);
    need(state, ']');
    left = call(bracket.at, optional ? '_[?_]' : '_[_]', [left, index]);
  }
}

function parseSelection(state: State, operand: Expression, at: number): Expression {
  const optional = takeIf(state, '?') !== undefined;
  const name = peek(state);
  if (name.kind !== 'name') throw unexpected(name, 'IDENTIFIER');
  take(state);
  const open = optional ? undefined : takeIf(state, '(');
  if (open === undefined)
    return { kind: 'select', at, operand, field: name.text, mode: optional ? 'optional' : 'value' };
  return finishCall(state, { at: open.at, name: name.text, target: operand });
}

function parsePrimary(state: State): Expression {
  const token = take(state);
  if (token.kind === 'literal') {
    if (token.value === 2n ** 63n) throw new SyntaxIssue(token.at, 'invalid int literal');
    return { kind: 'literal', at: token.at, value: token.value };
  }
  if (token.kind === 'name' && token.text !== 'in') return parseName(state, token);
  if (token.kind === 'symbol') {
    switch (token.text) {
      case '(': {
        const inner = parseConditional(state);
        need(state, ')');
        return inner;
      }
      case '[':
        return parseList(state, token.at);
      case '{':
        return parseMap(state, token.at);
      case '.':
        if (peek(state).kind === 'name') return parseName(state, take(state));
        throw unexpected(peek(state), 'IDENTIFIER');
      default:
    }
  }
  throw unexpected(token);
}

function parseName(state: State, token: Token): Expression {
  const open = takeIf(state, '(');
  if (reserved.has(token.text)) state.issues.push({ at: token.at, message: `reserved identifier: ${token.text}` });
  if (open !== undefined) return finishCall(state, { at: open.at, name: token.text, target: undefined });
  const brace = takeIf(state, '{');
  if (brace === undefined) return { kind: 'ident', at: token.at, name: token.text };
  const { entries } = parseMap(state, brace.at);
  return { kind: 'struct', at: brace.at, name: token.text, values: entries.map(({ value }) => value) };
}

function finishCall(state: State, { at, name, target }: Pick<CallExpression, 'at' | 'name' | 'target'>): Expression {
  const args: Expression[] = [];
  while (takeIf(state, ')') === undefined) {
    if (args.length > 0) need(state, ',');
    args.push(parseConditional(state));
  }
  const written: CallExpression = { kind: 'call', at, name, target, args };
  return expandMacro(written, state.issues) ?? written;
}

function parseList(state: State, at: number): Expression {
  const items: { value: Expression; optional: boolean }[] = [];
  while (takeIf(state, ']') === undefined) {
    if (items.length > 0) {
      need(state, ',');
      if (takeIf(state, ']')) break;
    }
    const optional = takeIf(state, '?') !== undefined;
    items.push({ value: parseConditional(state), optional });
  }
  return { kind: 'list', at, items };
}

function parseMap(state: State, at: number): MapExpression {
  const entries: MapExpression['entries'] = [];
  while (takeIf(state, '}') === undefined) {
    if (entries.length > 0) {
      need(state, ',');
      if (takeIf(state, '}')) break;
    }
    const optional = takeIf(state, '?') !== undefined;
    const key = parseConditional(state);
    need(state, ':');
    entries.push({ key, value: parseConditional(state), optional });
  }
  return { kind: 'map', at, entries };
}

function call(at: number, name: string, args: Expression[]): Expression {
  return { kind: 'call', at, name, target: undefined, args };
}

/** The text of a string literal. */
export function literalText(expression: Expression | undefined): string | undefined {
  if (expression?.kind !== 'literal' || typeof expression.value !== 'string') return undefined;
  return isTagged(expression.value, 'list') ? undefined : expression.value;
}
