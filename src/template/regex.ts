import { RE2JS } from 're2js';
import { CallError } from './call-error.ts';

const most = 500;
const compiled = new Map<string, RE2JS>();

/** A regular expression in Go's syntax. Throws CallError in Go's words. */
export function compileRegex(pattern: string): RE2JS {
  const known = compiled.get(pattern);
  if (known) return known;
  let made: RE2JS;
  try {
    made = RE2JS.compile(pattern);
  } catch (error) {
    throw new CallError(error instanceof Error ? error.message : String(error));
  }
  if (compiled.size >= most) compiled.clear();
  compiled.set(pattern, made);
  return made;
}

export interface Match {
  start: number;
  end: number;
  groups: (string | undefined)[];
  names: Record<string, number>;
}

/** At most `limit` matches, all when it is negative; an empty one beside a match before it does not count, as in Go. */
export function findAll(pattern: RE2JS, text: string, limit: number): Match[] {
  const matcher = pattern.matcher(text);
  const found: Match[] = [];
  let lastEnd = -1;
  while ((limit < 0 || found.length < limit) && matcher.find()) {
    const [start, end] = [matcher.start(), matcher.end()];
    if (start === end && start === lastEnd) continue;
    lastEnd = end;
    const groups: (string | undefined)[] = [];
    for (let index = 0; index <= matcher.groupCount(); index += 1) groups.push(matcher.group(index) ?? undefined);
    found.push({ start, end, groups, names: pattern.namedGroups() });
  }
  return found;
}

/** Go's Regexp.Expand: `$1`, `${name}`, `$$`. */
function expand(template: string, match: Match): string {
  return template.replace(/\$(?:\$|(\w+)|\{(\w+)\})/g, (all, bare: string | undefined, braced: string | undefined) => {
    const name = bare ?? braced;
    if (name === undefined) return all === '$$' ? '$' : all;
    const index = /^\d+$/.test(name) ? Number(name) : match.names[name];
    return (index === undefined ? undefined : match.groups[index]) ?? '';
  });
}

/** `spend` is told how long the result grows. */
export function replaceAll(
  pattern: RE2JS,
  text: string,
  replacement: { text: string; literal: boolean },
  spend: (characters: number) => void,
): string {
  let out = '';
  let last = 0;
  for (const match of findAll(pattern, text, -1)) {
    const filled = replacement.literal ? replacement.text : expand(replacement.text, match);
    spend(filled.length);
    out += text.slice(last, match.start) + filled;
    last = match.end;
  }
  return out + text.slice(last);
}

/** Go's Regexp.Split. */
export function splitBy(pattern: RE2JS, text: string, limit: number): string[] {
  if (limit === 0) return [];
  if (text === '') return [''];
  const parts: string[] = [];
  let begin = 0;
  let end = 0;
  for (const match of findAll(pattern, text, limit)) {
    if (limit > 0 && parts.length === limit - 1) break;
    end = match.start;
    if (match.end !== 0) parts.push(text.slice(begin, end));
    begin = match.end;
  }
  if (end !== text.length) parts.push(text.slice(begin));
  return parts;
}
