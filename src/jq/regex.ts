import { RE2JS } from 're2js';
import type { Json } from '#base/json.ts';
import type { ValueFunction } from './builtins.ts';
import { JqError, shown } from './value.ts';

const cache = new Map<string, RE2JS>();
const maxCached = 200;

/** Go's regular expressions, which take linear time. */
function compile(pattern: string, flags: string): RE2JS {
  const key = `${flags} ${pattern}`;
  const known = cache.get(key);
  if (known) return known;
  let mode = 0;
  if (flags.includes('i')) mode |= RE2JS.CASE_INSENSITIVE;
  if (flags.includes('s')) mode |= RE2JS.DOTALL;
  let compiled: RE2JS;
  try {
    compiled = RE2JS.compile(RE2JS.translateRegExp(pattern), mode);
  } catch (error) {
    throw new JqError(
      `invalid regular expression ${JSON.stringify(pattern)}: ${error instanceof Error ? error.message : ''}`,
    );
  }
  if (cache.size >= maxCached) cache.clear();
  cache.set(key, compiled);
  return compiled;
}

interface Search {
  text: string;
  expression: RE2JS;
  /** Whether all matches are wanted, and whether empty ones are left out. */
  global: boolean;
  nonEmpty: boolean;
}

function searchOf(input: Json, pattern: Json, flags: Json, name: string): Search {
  if (typeof input !== 'string') throw new JqError(`${name} cannot be applied to: ${shown(input)}`);
  if (typeof pattern !== 'string')
    throw new JqError(`${name}(${shown(pattern)}) cannot be applied to: ${shown(input)}`);
  if (flags !== null && typeof flags !== 'string')
    throw new JqError(`${name}(${shown(pattern)}; ${shown(flags)}) cannot be applied to: ${shown(input)}`);
  const letters = flags ?? '';
  const unknown = [...letters].find((letter) => !'gimnpslx'.includes(letter));
  if (unknown !== undefined) throw new JqError(`unsupported regular expression flag: ${JSON.stringify(letters)}`);
  return {
    text: input,
    expression: compile(pattern, letters),
    global: letters.includes('g'),
    nonEmpty: letters.includes('n'),
  };
}

const length = (text: string) => Array.from(text).length;

function matches({ text, expression, global, nonEmpty }: Search): Json[] {
  const out: Json[] = [];
  const matcher = expression.matcher(text);
  const names = new Map(Object.entries(expression.namedGroups()).map(([name, group]) => [group, name]));
  let end = -1;
  while (matcher.find()) {
    const all = matcher.group() ?? '';
    // As in Go, an empty match right after another one is none.
    const adjacent = all === '' && matcher.start() === end;
    end = matcher.end();
    if (adjacent || (all === '' && nonEmpty)) continue;
    const captures: Json[] = [];
    for (let group = 1; group <= matcher.groupCount(); group += 1) {
      const string = matcher.group(group) ?? null;
      const offset = string === null ? -1 : length(text.slice(0, matcher.start(group)));
      captures.push({ name: names.get(group) ?? null, offset, length: string === null ? 0 : length(string), string });
    }
    out.push({ captures, length: length(all), offset: length(text.slice(0, matcher.start())), string: all });
    if (!global) break;
  }
  return out;
}

export const regexes: Record<string, ValueFunction> = {
  '_match/2': (input, [pattern = null, flags = null]) => matches(searchOf(input, pattern, flags, 'match')),
  '_test/2': (input, [pattern = null, flags = null]) => {
    const search = searchOf(input, pattern, flags, 'test');
    return search.expression.matcher(search.text).find();
  },
};
