/**
 * GitHub's filter patterns for branches, tags and paths: `*` stops at a slash, `**` does not, `?` and `+` repeat what
 * precedes them, `[]` is a set, `!` at the start takes matches away again.
 * https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax#filter-pattern-cheat-sheet
 */
export function matchesPatterns(patterns: string[], name: string): boolean {
  let matched = false;
  for (const pattern of patterns) {
    const negative = pattern.startsWith('!');
    if (regexOf(negative ? pattern.slice(1) : pattern).test(name)) matched = !negative;
  }
  return matched;
}

const cache = new Map<string, RegExp>();
const cacheLimit = 1000;

function regexOf(pattern: string): RegExp {
  const known = cache.get(pattern);
  if (known) return known;
  if (cache.size >= cacheLimit) cache.clear();
  const regex = new RegExp(`^${sourceOf(pattern)}$`, 'u');
  cache.set(pattern, regex);
  return regex;
}

/** Only these pieces are built, so the expression has no nested repetition and cannot run away. */
function sourceOf(pattern: string): string {
  let source = '';
  for (let at = 0; at < pattern.length; at += 1) {
    const char = pattern[at] ?? '';
    if (char === '*' && pattern[at + 1] === '*') {
      at += 1;
      const wholeFolder = pattern[at + 1] === '/' && (at === 1 || pattern[at - 2] === '/');
      if (wholeFolder) at += 1;
      source += wholeFolder ? '(?:.*/)?' : '.*';
    } else if (char === '*') source += '[^/]*';
    else if (char === '?' || char === '+') source += isRepeatable(source) ? char : escapeRegex(char);
    else if (char === '[' && /^\[[A-Za-z0-9-]+\]/.test(pattern.slice(at))) {
      const end = pattern.indexOf(']', at);
      source += pattern.slice(at, end + 1);
      at = end;
    } else if (char === '\\' && at + 1 < pattern.length) {
      at += 1;
      source += escapeRegex(pattern[at] ?? '');
    } else source += escapeRegex(char);
  }
  return source;
}

function isRepeatable(source: string): boolean {
  return source !== '' && !/[*?+]$/.test(source);
}

function escapeRegex(char: string): string {
  return /[\\^$.*+?()[\]{}|/]/.test(char) ? `\\${char}` : char;
}
