import { AppError } from '#base/errors.ts';

/**
 * A matcher for Go's `filepath.Match` patterns: `*` and `?` stop at slashes, `[a-z]` is a class, a backslash takes the next
 * character literally; with `doubleStar`, `**` crosses slashes as in `.dockerignore`.
 */
export function pathPattern(pattern: string, options: { doubleStar: boolean }): RegExp {
  if (pattern.length > 1000) throw new AppError('bad-input', `the pattern ${pattern.slice(0, 40)}... is too long`);
  let out = '';
  for (let at = 0; at < pattern.length; at += 1) {
    const char = pattern[at] ?? '';
    if (char === '*' && options.doubleStar && pattern[at + 1] === '*') {
      at += 1;
      if (pattern[at + 1] === '/') {
        out += '(?:.*/)?';
        at += 1;
      } else out += '.*';
    } else if (char === '*') out += '[^/]*';
    else if (char === '?') out += '[^/]';
    else if (char === '[') {
      const end = pattern.indexOf(']', at + 2);
      if (end < 0) throw new AppError('bad-input', `the pattern ${pattern} has a [ without ]`);
      const inner = pattern
        .slice(at + 1, end)
        .replace(/^[!^]/, '^')
        .replace(/[\\\]]/g, '\\$&');
      out += `(?!/)[${inner}]`;
      at = end;
    } else {
      if (char === '\\') at += 1;
      out += (pattern[at] ?? '\\').replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&');
    }
  }
  return new RegExp(`^${out}$`, 's');
}

export function hasWildcard(text: string): boolean {
  return /[*?[]/.test(text);
}
