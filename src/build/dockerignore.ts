import { pathPattern } from './path-pattern.ts';

interface Rule {
  pattern: RegExp;
  keeps: boolean;
}

export interface IgnoreRules {
  /** Whether a path of the context, with slashes and relative to it, is left out. */
  ignores(path: string): boolean;
  /** Whether something below an ignored directory may be kept all the same. */
  readonly mayKeepBelow: boolean;
}

/** Reads a `.dockerignore`: the last line that matches a path or one of its parents decides; `!` keeps. */
export function parseDockerignore(text: string): IgnoreRules {
  const rules: Rule[] = [];
  for (const raw of text.replace(/^\uFEFF/, '').split(/\r?\n/)) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    const keeps = line.startsWith('!');
    const cleaned = cleanPattern(keeps ? line.slice(1) : line);
    if (cleaned !== '') rules.push({ pattern: pathPattern(cleaned, { doubleStar: true }), keeps });
  }
  return {
    ignores: (path) => ignoredBy(rules, path),
    mayKeepBelow: rules.some((rule) => rule.keeps),
  };
}

function ignoredBy(rules: Rule[], path: string): boolean {
  const parts = path.split('/');
  const prefixes = parts.map((_, index) => parts.slice(0, index + 1).join('/'));
  let ignored = false;
  for (const rule of rules) {
    if (rule.keeps !== ignored) continue;
    if (prefixes.some((prefix) => rule.pattern.test(prefix))) ignored = !rule.keeps;
  }
  return ignored;
}

function cleanPattern(text: string): string {
  const parts: string[] = [];
  for (const part of text.trim().split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..') parts.pop();
    else parts.push(part);
  }
  return parts.join('/');
}
