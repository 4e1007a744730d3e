/** A semantic version as Masterminds' Go library reads one: `v` in front and missing parts are allowed. */
export interface Version {
  text: string;
  numbers: readonly [major: bigint, minor: bigint, patch: bigint];
  /** '' for a release. */
  prerelease: string;
}

export interface VersionConstraint {
  allows(version: Version): boolean;
}

const maxVersionLength = 256;
const maxConstraintLength = 512;
const maxGroups = 32;
const identifiers = '[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*';
const versionPattern = new RegExp(
  `^v?([0-9]+)(?:\\.([0-9]+))?(?:\\.([0-9]+))?(?:-(${identifiers}))?(?:\\+${identifiers})?$`,
);
const part = '[0-9xX*]+';
const written = `v?(?:${part})(?:\\.${part})?(?:\\.${part})?(?:-${identifiers})?(?:\\+${identifiers})?`;
const operators = '!=|>=|=>|<=|=<|~>|=|>|<|~|\\^|';
const rangePattern = new RegExp(`\\s*(${written})\\s+-\\s+(${written})\\s*`, 'g');
const groupPattern = new RegExp(
  `^\\s*(?:${operators})\\s*(?:${written})\\s*(?:(?:\\s+|,\\s*)(?:${operators})\\s*(?:${written})\\s*)*$`,
);
const termPattern = new RegExp(`(${operators})\\s*(${written})`, 'g');
const partsPattern = new RegExp(
  `^v?(${part})(?:\\.(${part}))?(?:\\.(${part}))?(-${identifiers})?(?:\\+${identifiers})?$`,
);

/** Undefined for a text that is no version. */
export function parseVersion(text: string): Version | undefined {
  if (text.length > maxVersionLength) return undefined;
  const match = versionPattern.exec(text);
  if (!match) return undefined;
  const [, major = '0', minor = '0', patch = '0', prerelease = ''] = match;
  if (prerelease.split('.').some((identifier) => /^0[0-9]+$/.test(identifier))) return undefined;
  const numbers = [BigInt(major), BigInt(minor), BigInt(patch)] as const;
  if (numbers.some((number) => number > 0xffff_ffff_ffff_ffffn)) return undefined;
  return { text, numbers, prerelease };
}

/** Negative when `a` comes first. Build metadata does not count. */
export function compareVersions(a: Version, b: Version): number {
  for (const index of [0, 1, 2] as const) {
    if (a.numbers[index] < b.numbers[index]) return -1;
    if (a.numbers[index] > b.numbers[index]) return 1;
  }
  return comparePrereleases(a.prerelease, b.prerelease);
}

function comparePrereleases(a: string, b: string): number {
  if (a === b) return 0;
  if (a === '') return 1;
  if (b === '') return -1;
  const left = a.split('.');
  const right = b.split('.');
  for (let at = 0; at < Math.max(left.length, right.length); at += 1) {
    const one = left[at];
    const other = right[at];
    if (one === other) continue;
    if (one === undefined) return -1;
    if (other === undefined) return 1;
    const numeric = [/^[0-9]+$/.test(one), /^[0-9]+$/.test(other)];
    if (numeric[0] && numeric[1]) return BigInt(one) < BigInt(other) ? -1 : 1;
    if (numeric[0] !== numeric[1]) return numeric[0] ? -1 : 1;
    return one < other ? -1 : 1;
  }
  return 0;
}

/** One comparison; parts that were left out or written as `x` are missing from the end. */
interface Term {
  operator: string;
  version: Version;
  /** How many of major, minor and patch were written: 0 to 3. */
  given: number;
}

function parseTerm(operator: string, text: string): Term | undefined {
  const match = partsPattern.exec(text);
  if (!match) return undefined;
  const parts = [match[1], match[2], match[3]];
  const open = parts.findIndex((value) => value === undefined || /^[xX*]$/.test(value));
  const given = open < 0 ? 3 : open;
  const numbers = parts.map((value, index) => (index < given ? (value ?? '') : '0'));
  const version = parseVersion(`${numbers.join('.')}${match[4] ?? ''}`);
  return version && { operator: operator === '=>' ? '>=' : operator === '=<' ? '<=' : operator, version, given };
}

function tilde(version: Version, { version: base, given }: Term): boolean {
  if (compareVersions(version, base) < 0) return false;
  const zero = base.numbers.every((number) => number === 0n);
  if (zero && (given === 0 || given === 3)) return true;
  if (version.numbers[0] !== base.numbers[0]) return false;
  return given === 1 || version.numbers[1] === base.numbers[1];
}

function caret(version: Version, { version: base, given }: Term): boolean {
  if (compareVersions(version, base) < 0) return false;
  const [major, minor, patch] = base.numbers;
  if (version.numbers[0] !== major) return given === 0 && version.numbers[0] === major;
  if (major > 0n || given === 1) return true;
  if (minor > 0n || given === 2) return version.numbers[1] === minor;
  return version.numbers[1] === minor && version.numbers[2] === patch;
}

function greater(version: Version, { version: base, given }: Term): boolean {
  if (given === 3 || given === 0) {
    if (given === 0 && version.numbers[0] !== base.numbers[0]) return version.numbers[0] > base.numbers[0];
    return compareVersions(version, base) > 0;
  }
  if (version.numbers[0] !== base.numbers[0]) return version.numbers[0] > base.numbers[0];
  return given === 2 && version.numbers[1] > base.numbers[1];
}

function lessOrEqual(version: Version, { version: base, given }: Term): boolean {
  if (given === 3) return compareVersions(version, base) <= 0;
  if (version.numbers[0] !== base.numbers[0]) return version.numbers[0] < base.numbers[0];
  return given === 1 || version.numbers[1] <= base.numbers[1];
}

function differs(version: Version, { version: base, given }: Term): boolean {
  if (given === 3 || given === 0) return compareVersions(version, base) !== 0;
  if (version.numbers[0] !== base.numbers[0]) return true;
  if (given === 1) return false;
  if (version.numbers[1] !== base.numbers[1]) return true;
  return comparePrereleases(version.prerelease, base.prerelease) !== 0;
}

function holds(term: Term, version: Version): boolean {
  switch (term.operator) {
    case '!=':
      return differs(version, term);
    case '>':
      return greater(version, term);
    case '<':
      return compareVersions(version, term.version) < 0;
    case '>=':
      return compareVersions(version, term.version) >= 0;
    case '<=':
      return lessOrEqual(version, term);
    case '~':
    case '~>':
      return tilde(version, term);
    case '^':
      return caret(version, term);
    default:
      return term.given === 3 ? compareVersions(version, term.version) === 0 : tilde(version, term);
  }
}

/**
 * A constraint as helm and Argo CD read one: `,` and blanks mean and, `||` or, `1 - 2` is a range, and a group allows
 * prereleases only when it names one. Undefined for a text that is none.
 */
export function parseConstraint(text: string): VersionConstraint | undefined {
  if (text.length > maxConstraintLength) return undefined;
  const groups: { terms: Term[]; prereleases: boolean }[] = [];
  for (const group of text.replace(rangePattern, '>= $1, <= $2 ').split('||')) {
    if (!groupPattern.test(group) || groups.length === maxGroups) return undefined;
    const terms: Term[] = [];
    for (const [, operator = '', version = ''] of group.matchAll(termPattern)) {
      const term = parseTerm(operator, version);
      if (!term) return undefined;
      terms.push(term);
    }
    groups.push({ terms, prereleases: terms.some(({ version }) => version.prerelease !== '') });
  }
  return {
    allows: (version) =>
      groups.some(
        ({ terms, prereleases }) =>
          (prereleases || version.prerelease === '') && terms.every((term) => holds(term, version)),
      ),
  };
}

/** The highest of `texts` that a constraint allows; those that are no versions do not count. */
export function highestAllowed(constraint: VersionConstraint, texts: Iterable<string>): string | undefined {
  let best: Version | undefined;
  for (const text of texts) {
    const version = parseVersion(text);
    if (version && constraint.allows(version) && (!best || compareVersions(version, best) > 0)) best = version;
  }
  return best?.text;
}
