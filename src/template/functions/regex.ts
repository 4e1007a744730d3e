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

const pairs = {
  regexFind: fn(['string', 'string'], find),
  regexFindAll: fn(['string', 'string', 'int'], (pattern, text, limit) =>
    ofType(
      findAll(compileRegex(pattern), text, limit).map(({ groups }) => groups[0] ?? ''),
      'string',
    ),
  ),
  regexReplaceAll: fn(['string', 'string', 'string'], (pattern, text, replacement) =>
    replaceAll(compileRegex(pattern), text, replacement, false),
  ),
  regexReplaceAllLiteral: fn(['string', 'string', 'string'], (pattern, text, replacement) =>
    replaceAll(compileRegex(pattern), text, replacement, true),
  ),
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
