import { CallError } from '../call-error.ts';
import { type FunctionMap, fn } from '../function.ts';
import { compileRegex, findAll, replaceAll, splitBy } from '../regex.ts';
import { ofType } from '../value.ts';

function match(pattern: string, text: string): boolean {
  return findAll(compileRegex(pattern), text, 1).length > 0;
}

function find(pattern: string, text: string): string {
  return findAll(compileRegex(pattern), text, 1)[0]?.groups[0] ?? '';
}

function replacing(literal: boolean) {
  return fn(['string', 'string', 'string'], (pattern, text, replacement, context) =>
    replaceAll(compileRegex(pattern), text, { text: replacement, literal }, (characters) =>
      context.spend(Math.ceil(characters / 64)),
    ),
  );
}

const pairs = {
  regexFind: fn(['string', 'string'], find),
  regexFindAll: fn(['string', 'string', 'int'], (pattern, text, limit) =>
    ofType(
      findAll(compileRegex(pattern), text, limit).map(({ groups }) => groups[0] ?? ''),
      'string',
    ),
  ),
  regexReplaceAll: replacing(false),
  regexReplaceAllLiteral: replacing(true),
  regexSplit: fn(['string', 'string', 'int'], (pattern, text, limit) =>
    ofType(splitBy(compileRegex(pattern), text, limit), 'string'),
  ),
};

export const regexFunctions: FunctionMap = {
  ...pairs,
  ...Object.fromEntries(Object.entries(pairs).map(([name, called]) => [`mustR${name.slice(1)}`, called])),
  mustRegexMatch: fn(['string', 'string'], match),
  regexMatch: fn(['string', 'string'], (pattern, text) => {
    try {
      return match(pattern, text);
    } catch (error) {
      if (error instanceof CallError) return false;
      throw error;
    }
  }),
  regexQuoteMeta: fn(['string'], (text) => text.replace(/[\\.+*?()|[\]{}^$]/g, (character) => `\\${character}`)),
};
