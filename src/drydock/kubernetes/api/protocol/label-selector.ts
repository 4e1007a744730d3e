import { badRequest } from './status-error.ts';

export interface LabelRequirement {
  key: string;
  operator: 'in' | 'notin' | 'exists' | 'absent';
  values: string[];
}

type Token = { kind: 'word' | 'symbol' | 'end'; text: string };

const symbols = ['==', '!=', '=', '!', '(', ')', ',', '>', '<'];

/** Parses `a=b,c!=d,e in (f,g),h notin (i),j,!k`. Throws ApiError 400. */
export function parseLabelSelector(text: string): LabelRequirement[] {
  const tokens = tokenize(text);
  const requirements: LabelRequirement[] = [];
  let at = 0;
  const peek = (): Token => tokens[at] ?? { kind: 'end', text: '' };
  const next = (): Token => {
    const token = peek();
    at += 1;
    return token;
  };
  while (peek().kind !== 'end') {
    requirements.push(parseRequirement(peek, next));
    const separator = next();
    if (separator.kind === 'end') break;
    if (separator.text !== ',') throw unparsable(separator, "',' or 'end of string'");
    if (peek().kind === 'end') throw unparsable(peek(), 'identifier after ","');
  }
  return requirements;
}

export function matchesLabels(requirements: LabelRequirement[], labels: Record<string, string> | undefined): boolean {
  return requirements.every((requirement) => matchesLabel(requirement, labels?.[requirement.key]));
}

function matchesLabel({ operator, values }: LabelRequirement, value: string | undefined): boolean {
  switch (operator) {
    case 'in':
      return value !== undefined && values.includes(value);
    case 'notin':
      return value === undefined || !values.includes(value);
    case 'exists':
      return value !== undefined;
    case 'absent':
      return value === undefined;
  }
}

function parseRequirement(peek: () => Token, next: () => Token): LabelRequirement {
  const negated = peek().text === '!' && peek().kind === 'symbol';
  if (negated) next();
  const key = next();
  if (key.kind !== 'word') throw unparsable(key, negated ? 'identifier' : "'!', identifier, or 'end of string'");
  if (negated) return { key: key.text, operator: 'absent', values: [] };
  const operator = peek();
  if (operator.kind === 'end' || operator.text === ',') return { key: key.text, operator: 'exists', values: [] };
  next();
  switch (operator.text) {
    case '=':
    case '==':
      return { key: key.text, operator: 'in', values: [parseValue(peek, next)] };
    case '!=':
      return { key: key.text, operator: 'notin', values: [parseValue(peek, next)] };
    case 'in':
    case 'notin':
      return { key: key.text, operator: operator.text, values: parseValues(next) };
    default:
      throw unparsable(operator, 'in, notin, =, ==, !=, gt, lt');
  }
}

function parseValue(peek: () => Token, next: () => Token): string {
  const token = peek();
  if (token.kind === 'end' || token.text === ',') return '';
  next();
  if (token.kind !== 'word') throw unparsable(token, 'identifier');
  return token.text;
}

function parseValues(next: () => Token): string[] {
  const open = next();
  if (open.text !== '(') throw badRequest(`unable to parse requirement: found '${open.text}' expected: '('`);
  const values: string[] = [];
  for (let expectsValue = true; ; ) {
    const token = next();
    if (token.text === ')' && token.kind === 'symbol') {
      if (expectsValue) values.push('');
      return values;
    }
    if (token.text === ',' && token.kind === 'symbol') {
      if (expectsValue) values.push('');
      expectsValue = true;
    } else if (token.kind === 'word' && expectsValue) {
      values.push(token.text);
      expectsValue = false;
    } else {
      throw unparsable(token, "',', ')' or identifier");
    }
  }
}

function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < text.length) {
    const char = text[at] ?? '';
    if (/\s/.test(char)) {
      at += 1;
      continue;
    }
    const symbol = symbols.find((candidate) => text.startsWith(candidate, at));
    if (symbol !== undefined) {
      tokens.push({ kind: 'symbol', text: symbol });
      at += symbol.length;
      continue;
    }
    const word = /^[^\s=!(),<>]+/.exec(text.slice(at))?.[0] ?? char;
    tokens.push({ kind: 'word', text: word });
    at += word.length;
  }
  tokens.push({ kind: 'end', text: '' });
  return tokens;
}

function unparsable(found: Token, expected: string): Error {
  return badRequest(`unable to parse requirement: found '${found.text}', expected: ${expected}`);
}
