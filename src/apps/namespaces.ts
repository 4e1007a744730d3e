import { RE2JS } from 're2js';
import { globMatch } from '#base/glob.ts';

/** One of the patterns is the namespace, as a glob or, between slashes, a regular expression. */
export function matchesNamespace(patterns: readonly string[], namespace: string): boolean {
  return patterns.some((pattern) => {
    const expression = /^\/(.+)\/$/.exec(pattern)?.[1];
    return globMatch(pattern, namespace) || (expression !== undefined && matchesExpression(expression, namespace));
  });
}

const compiled = new Map<string, { test(text: string): boolean } | undefined>();

function matchesExpression(source: string, text: string): boolean {
  if (!compiled.has(source)) compiled.set(source, compile(source));
  return compiled.get(source)?.test(text) ?? false;
}

/** In linear time where it can be; with lookahead, which is usual to leave namespaces out, by backtracking. */
function compile(source: string): { test(text: string): boolean } | undefined {
  try {
    const expression = RE2JS.compile(source);
    return { test: (text) => expression.matcher(text).find() };
  } catch {
    try {
      return new RegExp(source, 'u');
    } catch {
      // One that cannot be read matches nothing.
      return undefined;
    }
  }
}
