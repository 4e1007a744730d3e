import type { Budget } from './budget.ts';

/** A match: where it stands, and what its captures hold; a position capture is a number. */
export interface PatternMatch {
  start: number;
  end: number;
  captures: (string | number)[];
}

/** A pattern that is none; the caller adds where. */
export class PatternError extends Error {}

interface Capture {
  start: number;
  /** -1 while it is open, -2 for a position. */
  length: number;
}

const classes: Record<string, RegExp> = {
  a: /[A-Za-z]/,
  c: /[\x00-\x1f\x7f]/,
  d: /[0-9]/,
  g: /[\x21-\x7e]/,
  l: /[a-z]/,
  p: /[!-/:-@[-`{-~]/,
  s: /[\t-\r ]/,
  u: /[A-Z]/,
  w: /[A-Za-z0-9]/,
  x: /[A-Fa-f0-9]/,
  z: /\x00/,
};

function inClass(char: string, letter: string): boolean {
  const known = classes[letter.toLowerCase()];
  if (known === undefined) return letter === char;
  return known.test(char) === (letter === letter.toLowerCase());
}

/** Lua's patterns over a string of bytes, by backtracking as the language's manual describes them. */
class Matcher {
  captures: Capture[] = [];
  readonly #subject: string;
  readonly #pattern: string;
  readonly #budget: Budget;
  #depth = 0;

  constructor(subject: string, pattern: string, budget: Budget) {
    this.#subject = subject;
    this.#pattern = pattern;
    this.#budget = budget;
  }

  /** The end of the match of the pattern from `p` on at `s`; -1 when there is none. */
  match(start: number, from: number): number {
    this.#depth += 1;
    if (this.#depth > 200) throw new PatternError('pattern too complex');
    const end = this.#walk(start, from);
    this.#depth -= 1;
    return end;
  }

  #walk(start: number, from: number): number {
    let s = start;
    let p = from;
    for (;;) {
      this.#budget.step();
      if (p >= this.#pattern.length) return s;
      const char = this.#pattern[p];
      if (char === '(') return this.#open(s, p);
      if (char === ')') return this.#close(s, p + 1);
      if (char === '$' && p + 1 === this.#pattern.length) return s === this.#subject.length ? s : -1;
      if (char === '%') {
        const next = this.#pattern[p + 1] ?? '';
        if (next === 'b' || next === 'f' || /[0-9]/.test(next)) {
          const moved = this.#special(next, s, p);
          if (moved === undefined) return -1;
          [s, p] = moved;
          continue;
        }
      }
      const end = this.#itemEnd(p);
      const suffix = this.#pattern[end];
      if (suffix === '?') {
        if (this.#single(s, p, end)) {
          const matched = this.match(s + 1, end + 1);
          if (matched >= 0) return matched;
        }
        p = end + 1;
      } else if (suffix === '*' || suffix === '+') return this.#longest(s, p, end);
      else if (suffix === '-') return this.#shortest(s, p, end);
      else {
        if (!this.#single(s, p, end)) return -1;
        s += 1;
        p = end;
      }
    }
  }

  #special(letter: string, s: number, p: number): [number, number] | undefined {
    if (letter === 'b') {
      const end = this.#balanced(s, p + 2);
      return end < 0 ? undefined : [end, p + 4];
    }
    if (letter === 'f') {
      if (this.#pattern[p + 2] !== '[') throw new PatternError("missing '[' after '%f' in pattern");
      const end = this.#itemEnd(p + 2);
      const before = s === 0 ? '\0' : (this.#subject[s - 1] ?? '\0');
      const here = this.#subject[s] ?? '\0';
      return !this.#inSet(before, p + 2, end - 1) && this.#inSet(here, p + 2, end - 1) ? [s, end] : undefined;
    }
    const capture = this.captures[Number(letter) - 1];
    if (capture === undefined || capture.length < 0) throw new PatternError('invalid capture index');
    const text = this.#subject.slice(capture.start, capture.start + capture.length);
    return this.#subject.startsWith(text, s) ? [s + text.length, p + 2] : undefined;
  }

  #open(s: number, p: number): number {
    const position = this.#pattern[p + 1] === ')';
    if (this.captures.length >= 32) throw new PatternError('too many captures');
    this.captures.push({ start: s, length: position ? -2 : -1 });
    const end = this.match(s, position ? p + 2 : p + 1);
    if (end < 0) this.captures.pop();
    return end;
  }

  #close(s: number, p: number): number {
    const capture = this.captures.findLast(({ length }) => length === -1);
    if (capture === undefined) throw new PatternError('invalid pattern capture');
    capture.length = s - capture.start;
    const end = this.match(s, p);
    if (end < 0) capture.length = -1;
    return end;
  }

  #balanced(s: number, p: number): number {
    const open = this.#pattern[p];
    const close = this.#pattern[p + 1];
    if (open === undefined || close === undefined) throw new PatternError('unbalanced pattern');
    if (this.#subject[s] !== open) return -1;
    let depth = 1;
    for (let at = s + 1; at < this.#subject.length; at += 1) {
      this.#budget.step();
      const char = this.#subject[at];
      if (char === close) {
        depth -= 1;
        if (depth === 0) return at + 1;
      } else if (char === open) depth += 1;
    }
    return -1;
  }

  #itemEnd(from: number): number {
    let p = from + 1;
    const char = this.#pattern[from];
    if (char === '%') {
      if (p >= this.#pattern.length) throw new PatternError("malformed pattern (ends with '%')");
      return p + 1;
    }
    if (char !== '[') return p;
    if (this.#pattern[p] === '^') p += 1;
    do {
      const inside = this.#pattern[p];
      if (inside === undefined) throw new PatternError("malformed pattern (missing ']')");
      p += inside === '%' ? 2 : 1;
    } while (this.#pattern[p] !== ']');
    return p + 1;
  }

  #single(s: number, p: number, end: number): boolean {
    const char = this.#subject[s];
    if (char === undefined) return false;
    switch (this.#pattern[p]) {
      case '.':
        return true;
      case '%':
        return inClass(char, this.#pattern[p + 1] ?? '');
      case '[':
        return this.#inSet(char, p, end - 1);
      default:
        return this.#pattern[p] === char;
    }
  }

  #inSet(char: string, from: number, last: number): boolean {
    let p = from + 1;
    const negated = this.#pattern[p] === '^';
    if (negated) p += 1;
    let found = false;
    while (p < last) {
      const item = this.#pattern[p] ?? '';
      const to = this.#pattern[p + 2];
      if (item === '%') {
        found ||= inClass(char, this.#pattern[p + 1] ?? '');
        p += 2;
      } else if (this.#pattern[p + 1] === '-' && to !== undefined && p + 2 < last) {
        found ||= item <= char && char <= to;
        p += 3;
      } else {
        found ||= item === char;
        p += 1;
      }
    }
    return found !== negated;
  }

  #longest(s: number, p: number, end: number): number {
    let count = 0;
    while (this.#single(s + count, p, end)) count += 1;
    this.#budget.step(count);
    const least = this.#pattern[end] === '+' ? 1 : 0;
    for (; count >= least; count -= 1) {
      const matched = this.match(s + count, end + 1);
      if (matched >= 0) return matched;
    }
    return -1;
  }

  #shortest(from: number, p: number, end: number): number {
    for (let s = from; ; s += 1) {
      const matched = this.match(s, end + 1);
      if (matched >= 0) return matched;
      if (!this.#single(s, p, end)) return -1;
    }
  }
}

/** The first match of `pattern` in `subject` at or after `from`. Throws PatternError. */
export function matchPattern(
  subject: string,
  pattern: string,
  options: { from: number; budget: Budget },
): PatternMatch | undefined {
  const anchored = pattern.startsWith('^');
  for (let start = options.from; start <= subject.length; start += 1) {
    const matcher = new Matcher(subject, pattern, options.budget);
    const end = matcher.match(start, anchored ? 1 : 0);
    if (end >= 0) {
      const captures = matcher.captures.map((capture) => {
        if (capture.length === -1) throw new PatternError('unfinished capture');
        return capture.length === -2 ? capture.start + 1 : subject.slice(capture.start, capture.start + capture.length);
      });
      return { start, end, captures };
    }
    if (anchored) return undefined;
  }
  return undefined;
}
