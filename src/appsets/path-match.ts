/** `[...]` from `at`, as a class of a regular expression; undefined when it has no end or nothing in it. */
function classAt(pattern: string, at: number, negations: string): { source: string; next: number } | undefined {
  let next = at + 1;
  let source = '[';
  if (negations.includes(pattern[next] ?? ' ')) {
    source += '^';
    next += 1;
  }
  const first = next;
  for (; next < pattern.length && (pattern[next] !== ']' || next === first); next += 1) {
    let character = pattern[next] ?? '';
    if (character === '\\') {
      next += 1;
      character = pattern[next] ?? '';
    }
    source += character === '-' && next > first ? '-' : character.replace(/[\\\]^-]/, '\\$&');
  }
  return pattern[next] === ']' ? { source: `${source}]`, next: next + 1 } : undefined;
}

interface Dialect {
  star: string;
  /** What `**` alone between slashes means; undefined: two stars. */
  deepStar: string | undefined;
  any: string;
  negations: string;
  braces: boolean;
}

function compile(pattern: string, dialect: Dialect): RegExp | undefined {
  let source = '';
  let depth = 0;
  for (let at = 0; at < pattern.length; ) {
    const character = pattern[at] ?? '';
    const deep =
      dialect.deepStar !== undefined &&
      /^\*\*(?:\/|$)/.test(pattern.slice(at)) &&
      (at === 0 || pattern[at - 1] === '/');
    if (deep) {
      const whole = pattern[at + 2] === '/';
      source += whole ? '(?:[^/]+/)*' : (dialect.deepStar ?? '');
      at += whole ? 3 : 2;
      continue;
    }
    const set = character === '[' ? classAt(pattern, at, dialect.negations) : undefined;
    if (character === '[' && !set) return undefined;
    if (set) {
      source += set.source;
      at = set.next;
      continue;
    }
    if (character === '*') source += dialect.star;
    else if (character === '?') source += dialect.any;
    else if (dialect.braces && character === '{') {
      depth += 1;
      source += '(?:';
    } else if (dialect.braces && depth > 0 && character === '}') {
      depth -= 1;
      source += ')';
    } else if (dialect.braces && depth > 0 && character === ',') source += '|';
    else if (character === '\\') {
      at += 1;
      if (at >= pattern.length) return undefined;
      source += RegExp.escape(pattern[at] ?? '');
    } else source += RegExp.escape(character);
    at += 1;
  }
  if (depth > 0) return undefined;
  try {
    return new RegExp(`^${source}$`, 'su');
  } catch {
    return undefined;
  }
}

export type PathMatcher = (path: string) => boolean;

const never: PathMatcher = () => false;

/** Go's path.Match: `*` and `?` stay within one part of a path. A pattern that is none matches nothing. */
export function goPathMatcher(pattern: string): PathMatcher {
  const expression = compile(pattern, {
    star: '[^/]*',
    deepStar: undefined,
    any: '[^/]',
    negations: '^',
    braces: false,
  });
  return expression ? (path) => expression.test(path) : never;
}

/** A git pathspec: `*` crosses `/`, and a folder's name stands for all that is in it. */
export function pathspecMatcher(pattern: string): PathMatcher {
  const clean = pattern.replace(/^(?:\.\/)+/, '');
  if (clean === '' || clean === '.') return () => true;
  const folder = clean.replace(/\/+$/, '');
  const expression = compile(clean, { star: '.*', deepStar: undefined, any: '.', negations: '^!', braces: false });
  return (path) =>
    path === clean || path === folder || path.startsWith(`${folder}/`) || expression?.test(path) === true;
}

/** Globs of doublestar: `*` stays within a part, `**` crosses, `{a,b}` chooses. */
export function doublestarMatcher(pattern: string): PathMatcher {
  const clean = pattern.replace(/^(?:\.?\/)+/, '');
  const expression = compile(clean, { star: '[^/]*', deepStar: '.*', any: '[^/]', negations: '^!', braces: true });
  return expression ? (path) => expression.test(path) : never;
}
