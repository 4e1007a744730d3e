import { type CommitSha, parseCommitSha } from './port.ts';

/** Every branch and tag by full name, with the object it points at; HEAD's branch when known. */
export interface RefSnapshot {
  /** `refs/heads/main` to object id. A tag's id may be that of a tag object. */
  refs: ReadonlyMap<string, CommitSha>;
  head: string | undefined;
}

/** Lines `<oid> <name>` as `git for-each-ref --format='%(objectname) %(refname)'` prints them. */
export function parseRefLines(text: string): Map<string, CommitSha> {
  const refs = new Map<string, CommitSha>();
  for (const line of text.split('\n')) {
    const oid = parseCommitSha(line.slice(0, 40));
    const name = line.slice(41).trim();
    if (oid && isMirrored(name)) refs.set(name, oid);
  }
  return refs;
}

/** `git ls-remote --symref`: `ref: refs/heads/main\tHEAD` and `<oid>\t<name>`; peeled entries are left out. */
export function parseLsRemote(text: string): RefSnapshot {
  const refs = new Map<string, CommitSha>();
  let head: string | undefined;
  for (const line of text.split('\n')) {
    const [left = '', name = ''] = line.split('\t');
    if (name === 'HEAD' && left.startsWith('ref: ')) head = left.slice(5);
    const oid = parseCommitSha(left);
    if (oid && isMirrored(name)) refs.set(name, oid);
  }
  return { refs, head };
}

/** Names that a mirror keeps. */
export function isMirrored(name: string): boolean {
  return (name.startsWith('refs/heads/') || name.startsWith('refs/tags/')) && !name.endsWith('^{}');
}

export function sameRefs(a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): boolean {
  if (a.size !== b.size) return false;
  for (const [name, oid] of a) if (b.get(name) !== oid) return false;
  return true;
}

const quickLimit = 20;

/** What to ask for when only a few refs moved. Undefined when refs went away, none is known yet, or it is too much. */
export function planQuickFetch(
  known: ReadonlyMap<string, CommitSha>,
  wanted: ReadonlyMap<string, CommitSha>,
): { wants: CommitSha[]; haves: CommitSha[]; moved: ReadonlyMap<string, CommitSha> } | undefined {
  for (const name of known.keys()) if (!wanted.has(name)) return undefined;
  const moved = new Map([...wanted].filter(([name, oid]) => known.get(name) !== oid));
  const before = new Set(known.values());
  const wants = [...new Set(moved.values())].filter((oid) => !before.has(oid));
  if (wants.length === 0 || moved.size > quickLimit) return undefined;
  const heads = [...known].filter(([name]) => moved.has(name) || name.startsWith('refs/heads/')).map(([, oid]) => oid);
  const first = [...moved.keys()].flatMap((name) => known.get(name) ?? []);
  const haves = [...new Set([...first, ...heads])].slice(0, quickLimit);
  return haves.length === 0 ? undefined : { wants, haves, moved };
}
