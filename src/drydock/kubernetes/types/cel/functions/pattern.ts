import { RE2JS } from 're2js';
import { messageOf } from '#base/errors.ts';
import { define, integer, method, type Overload, text } from '../overload.ts';
import { EvaluationError, listValue } from '../value.ts';

const most = 500;
const compiled = new Map<string, RE2JS>();

/** A regular expression in Go's syntax; undefined when it has a mistake. Compiled ones are kept, a few hundred. */
export function compilePattern(pattern: string): RE2JS | undefined {
  const known = compiled.get(pattern);
  if (known !== undefined) return known;
  let made: RE2JS;
  try {
    made = RE2JS.compile(pattern);
  } catch {
    return undefined;
  }
  if (compiled.size >= most) compiled.clear();
  compiled.set(pattern, made);
  return made;
}

/** What is wrong with a pattern, in Go's words. */
export function patternMistake(pattern: string): string | undefined {
  try {
    RE2JS.compile(pattern);
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

const both = 'string, string -> bool';

/** `matches`, `find` and `findAll`, all unanchored. */
export const patternFunctions: Overload[] = [
  ...define('matches', both, ([value, pattern]) => needed(text(pattern), '').matcher(text(value)).find()),
  ...method('matches', both, ([value, pattern]) => needed(text(pattern), '').matcher(text(value)).find()),
  ...method('find', 'string, string -> string', ([value, pattern]) => {
    const matcher = needed(text(pattern), 'Illegal regex: ').matcher(text(value));
    return matcher.find() ? (matcher.group() ?? '') : '';
  }),
  ...method('findAll', ['string, string -> list(string)', 'string, string, int -> list(string)'], (args) => {
    const [value, pattern, limit] = args;
    const wanted = limit === undefined ? -1n : integer(limit);
    const matcher = needed(text(pattern), 'Illegal regex: ').matcher(text(value));
    const found: string[] = [];
    while ((wanted < 0n || BigInt(found.length) < wanted) && matcher.find()) found.push(matcher.group() ?? '');
    return listValue(found);
  }),
];

function needed(pattern: string, prefix: string): RE2JS {
  const made = compilePattern(pattern);
  if (made !== undefined) return made;
  throw new EvaluationError(`${prefix}${patternMistake(pattern) ?? ''}`);
}
