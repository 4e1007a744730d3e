import semver from 'semver';
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
  if (semver.valid(text) !== null || /^v?\d+(\.\d+){0,2}$/.test(text)) return undefined;
  const allows = parseConstraint(text);
  if (!allows) return undefined;
  let best: { tag: string; version: semver.SemVer } | undefined;
  for (const name of snapshot.refs.keys()) {
    if (!name.startsWith('refs/tags/')) continue;
    const tag = name.slice('refs/tags/'.length);
    const version = parseVersion(tag);
    if (!version || !allows(version)) continue;
    if (!best || semver.gt(version, best.version)) best = { tag, version };
  }
  return best?.tag;
}

/** `1`, `1.2` and `v1.2.3` are versions too: missing parts are zero. */
function parseVersion(tag: string): semver.SemVer | undefined {
  const match = /^v?(\d+)(?:\.(\d+))?(?:\.(\d+))?((?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?)$/.exec(tag);
  if (!match) return undefined;
  return semver.parse(`${match[1]}.${match[2] ?? 0}.${match[3] ?? 0}${match[4]}`) ?? undefined;
}

/** Commas mean "and", `!=` excludes, and prereleases count only for a constraint that names one. */
function parseConstraint(text: string): ((version: semver.SemVer) => boolean) | undefined {
  const groups = text.split('||').map((group) => {
    const excluded = [...group.matchAll(/!=\s*v?([0-9A-Za-z.+-]+)/g)].flatMap(
      (match) => parseVersion(match[1] ?? '') ?? [],
    );
    const rest = group
      .replace(/!=\s*v?[0-9A-Za-z.+-]+/g, ' ')
      .replaceAll(',', ' ')
      .trim();
    const includePrerelease = /\d-[0-9A-Za-z]/.test(rest);
    const range = rest === '' && excluded.length === 0 ? null : semver.validRange(rest, { includePrerelease });
    if (range === null) return undefined;
    return (version: semver.SemVer) =>
      semver.satisfies(version, range, { includePrerelease }) && !excluded.some((other) => semver.eq(other, version));
  });
  if (groups.some((group) => group === undefined)) return undefined;
  return (version) => groups.some((group) => group?.(version));
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
