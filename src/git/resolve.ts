import { highestAllowed, parseConstraint, parseVersion } from '#base/version.ts';
import type { RefSnapshot } from './refs.ts';

export type Resolution =
  | { kind: 'ref'; name: string }
  | { kind: 'commit'; oid: string }
  | { kind: 'remote-ref'; name: string }
  | { kind: 'unknown'; close: string[] };

/**
 * What a revision means, in Argo CD's order: a full commit id; empty or HEAD the default branch; a semver constraint the
 * highest tag it allows (an exact version is a tag's name); a branch or tag by short or full name; a shortened commit id.
 */
export function resolveRevision(revision: string, snapshot: RefSnapshot): Resolution {
  if (/^[0-9a-f]{40}$/.test(revision)) return { kind: 'commit', oid: revision };
  if (revision === '' || revision === 'HEAD') {
    if (snapshot.head && snapshot.refs.has(snapshot.head)) return { kind: 'ref', name: snapshot.head };
    return { kind: 'unknown', close: [] };
  }
  const tag = highestTag(revision, snapshot);
  if (tag !== undefined) return { kind: 'ref', name: `refs/tags/${tag}` };
  for (const name of [`refs/heads/${revision}`, `refs/tags/${revision}`, revision])
    if (snapshot.refs.has(name)) return { kind: 'ref', name };
  if (revision.startsWith('refs/') && !/^refs\/(heads|tags)\//.test(revision))
    return { kind: 'remote-ref', name: revision };
  if (/^[0-9a-f]{7,39}$/.test(revision)) return { kind: 'commit', oid: revision };
  return { kind: 'unknown', close: closeNames(revision, snapshot) };
}

/** The highest tag that a constraint allows. Undefined when the text is no constraint or no tag fits. */
function highestTag(text: string, snapshot: RefSnapshot): string | undefined {
  if (parseVersion(text)) return undefined;
  const constraint = parseConstraint(text);
  if (!constraint) return undefined;
  const prefix = 'refs/tags/';
  const tags = [...snapshot.refs.keys()].filter((name) => name.startsWith(prefix));
  return highestAllowed(
    constraint,
    tags.map((name) => name.slice(prefix.length)),
  );
}

/** Branches and tags whose names are like `revision`, nearest first. */
function closeNames(revision: string, snapshot: RefSnapshot): string[] {
  const wanted = revision.toLowerCase();
  return [...snapshot.refs.keys()]
    .map((name) => name.replace(/^refs\/(heads|tags)\//, ''))
    .map((name) => ({ name, distance: nameDistance(wanted, name.toLowerCase()) }))
    .filter(({ name, distance }) => distance <= Math.ceil(name.length / 3))
    .sort((a, b) => a.distance - b.distance || (a.name < b.name ? -1 : 1))
    .slice(0, 5)
    .map(({ name }) => name);
}

function nameDistance(a: string, b: string): number {
  if (a.length >= 3 && (a.includes(b) || b.includes(a))) return 1;
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + cost));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
