import { AppError } from '#base/errors.ts';

interface Folder {
  folders: Map<string, Folder>;
  files: Set<string>;
}

export function isGlob(path: string): boolean {
  return /[*?[]/.test(path);
}

/** The folder below which everything lies that a pattern can match. */
export function globBase(pattern: string): string {
  const parts = pattern.split('/');
  const first = parts.findIndex((part) => /[*?[{\\]/.test(part));
  return parts.slice(0, first < 0 ? parts.length - 1 : first).join('/');
}

function folderOf(paths: readonly string[]): Folder {
  const root: Folder = { folders: new Map(), files: new Set() };
  for (const path of paths) {
    const parts = path.split('/');
    let at = root;
    for (const part of parts.slice(0, -1)) {
      const next: Folder = at.folders.get(part) ?? { folders: new Map(), files: new Set() };
      at.folders.set(part, next);
      at = next;
    }
    at.files.add(parts.at(-1) ?? '');
  }
  return root;
}

/** Alternatives that span folders, as patterns of their own. */
function alternatives(pattern: string): string[] {
  const match = /\{([^{}]*\/[^{}]*)\}/.exec(pattern);
  if (!match) return [pattern];
  const before = pattern.slice(0, match.index);
  const after = pattern.slice(match.index + match[0].length);
  return (match[1] ?? '').split(',').flatMap((one) => alternatives(`${before}${one}${after}`));
}

function classSource(part: string, from: number): { source: string; next: number } | undefined {
  const end = part.indexOf(']', from + 2);
  if (end < 0) return undefined;
  const body = part.slice(from + 1, end);
  const negated = /^[!^]/.test(body);
  const source = body.slice(negated ? 1 : 0).replace(/[\\\]^[]/g, '\\$&');
  return { source: `[${negated ? '^' : ''}${source}]`, next: end + 1 };
}

function partMatcher(part: string, pattern: string): (name: string) => boolean {
  const bad = () =>
    new AppError('bad-input', `helm.valueFiles holds the pattern "${pattern}", which is not a valid one`, {
      hint: 'use * ? [abc] and **; put a backslash before a bracket that is part of a name',
    });
  let source = '';
  let depth = 0;
  for (let at = 0; at < part.length; at += 1) {
    const character = part[at] ?? '';
    if (character === '*') source += '[^/]*';
    else if (character === '?') source += '[^/]';
    else if (character === '{') {
      depth += 1;
      source += '(?:';
    } else if (character === '}' && depth > 0) {
      depth -= 1;
      source += ')';
    } else if (character === ',' && depth > 0) source += '|';
    else if (character === '[') {
      const found = classSource(part, at);
      if (!found) throw bad();
      source += found.source;
      at = found.next - 1;
    } else {
      if (character === '\\') at += 1;
      source += (part[at] ?? '').replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
    }
  }
  if (depth > 0) throw bad();
  try {
    const expression = new RegExp(`^${source}$`, 'u');
    return (name) => expression.test(name);
  } catch {
    throw bad();
  }
}

type Visit = (path: string) => void;

const inOrder = (names: Iterable<string>) => [...names].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));

function walkAll(folder: Folder, prefix: string, visit: Visit): void {
  for (const name of inOrder([...folder.folders.keys(), ...folder.files])) {
    const below = folder.folders.get(name);
    if (below) walkAll(below, `${prefix}${name}/`, visit);
    if (folder.files.has(name)) visit(`${prefix}${name}`);
  }
}

interface Place {
  folder: Folder;
  /** '' or a path that ends in a slash. */
  prefix: string;
}

interface Part {
  text: string;
  matches: (name: string) => boolean;
}

function childOf({ folder, prefix }: Place, name: string): Place | undefined {
  const below = folder.folders.get(name);
  return below && { folder: below, prefix: `${prefix}${name}/` };
}

/** Calls `last` for every folder in which the last of the parts is to be looked for, in order. */
function descend(at: Place, parts: readonly Part[], last: (at: Place, part: Part) => void): void {
  const [first, ...rest] = parts;
  if (!first) return;
  if (rest.length === 0) {
    last(at, first);
    return;
  }
  if (first.text === '**') descend(at, rest, last);
  for (const name of inOrder(at.folder.folders.keys())) {
    const child = childOf(at, name);
    if (!child) continue;
    if (first.text === '**') descend(child, parts, last);
    else if (first.matches(name)) descend(child, rest, last);
  }
}

function visitFiles(at: Place, part: Part, visit: Visit): void {
  if (part.text === '**') walkAll(at.folder, at.prefix, visit);
  else for (const name of inOrder(at.folder.files)) if (part.matches(name)) visit(`${at.prefix}${name}`);
}

/** Alternatives in a part put all that was found until there in the order of its paths. */
function walk(at: Place, parts: readonly Part[], visit: Visit): void {
  const turn = parts.findIndex(({ text }) => text.includes('{'));
  if (turn < 0) {
    descend(at, parts, (place, part) => visitFiles(place, part, visit));
    return;
  }
  const head = parts.slice(0, turn + 1);
  const rest = parts.slice(turn + 1);
  const found = new Map<string, Place | undefined>();
  descend(at, head, (place, part) => {
    if (rest.length === 0) visitFiles(place, part, (path) => found.set(path, undefined));
    else
      for (const name of place.folder.folders.keys())
        if (part.matches(name)) found.set(`${place.prefix}${name}`, childOf(place, name));
  });
  for (const path of inOrder(found.keys())) {
    const place = found.get(path);
    if (place) walk(place, rest, visit);
    else visit(path);
  }
}

/**
 * The paths that a pattern matches, in the order in which Argo CD merges them: by name, and of `**` the files of a folder
 * before those of the folders in it. `**` alone in a part stands for any number of folders. Throws AppError bad-input.
 */
export function expandGlob(pattern: string, paths: readonly string[]): string[] {
  const root = folderOf(paths);
  const spread = alternatives(pattern);
  const found = new Set<string>();
  for (const one of spread) {
    const parts = one
      .split('/')
      .map((text) => ({ text, matches: text === '**' ? () => true : partMatcher(text, pattern) }));
    walk({ folder: root, prefix: '' }, parts, (path) => found.add(path));
  }
  return spread.length > 1 ? inOrder(found) : [...found];
}
