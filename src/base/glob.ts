const cache = new Map<string, RegExp>();
const cacheLimit = 1000;

function escapeCharacter(character: string): string {
  return /[.+^$()|\\]/.test(character) ? `\\${character}` : character;
}

function classSource(pattern: string, from: number): { source: string; next: number } | undefined {
  const end = pattern.indexOf(']', from + 2);
  if (end < 0) return undefined;
  const body = pattern.slice(from + 1, end).replaceAll('\\', '\\\\');
  return { source: body.startsWith('!') ? `[^${body.slice(1)}]` : `[${body}]`, next: end + 1 };
}

/** Argo CD's globs: without a separator `*` crosses `/`; with one only `**` does. `{a,b}`, `[a-z]`, `[!a]`, `?`. */
function toRegExp(pattern: string, separator: string): RegExp {
  const any = separator === '' ? '[^]' : `[^${escapeCharacter(separator)}]`;
  let source = '';
  let depth = 0;
  for (let at = 0; at < pattern.length; ) {
    const character = pattern[at] ?? '';
    const set = character === '[' ? classSource(pattern, at) : undefined;
    if (set) {
      source += set.source;
      at = set.next;
      continue;
    }
    if (character === '*') {
      const double = pattern[at + 1] === '*';
      source += double ? '[^]*' : `${any}*`;
      at += double ? 2 : 1;
      continue;
    }
    if (character === '?') source += any;
    else if (character === '{') {
      depth += 1;
      source += '(?:';
    } else if (character === '}' && depth > 0) {
      depth -= 1;
      source += ')';
    } else if (character === ',' && depth > 0) source += '|';
    else if (character === '\\' && at + 1 < pattern.length) {
      at += 1;
      source += (pattern[at] ?? '').replace(/[.*+?^${}()|[\]\\/]/, '\\$&');
    } else
      source +=
        character === '[' || character === '}' || character === ']' ? `\\${character}` : escapeCharacter(character);
    at += 1;
  }
  return new RegExp(`^${source}${')'.repeat(depth)}$`, 'u');
}

/** Whole-text match of an Argo CD glob. */
export function globMatch(pattern: string, text: string, separator = ''): boolean {
  const id = `${separator}\n${pattern}`;
  let expression = cache.get(id);
  if (!expression) {
    expression = toRegExp(pattern, separator);
    if (cache.size >= cacheLimit) cache.clear();
    cache.set(id, expression);
  }
  return expression.test(text);
}
