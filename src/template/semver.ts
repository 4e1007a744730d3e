import { CallError } from './call-error.ts';

export interface Version {
  major: number;
  minor: number;
  patch: number;
  prerelease: string;
  metadata: string;
}

const versionShape =
  /^v?(\d+)(?:\.(\d+))?(?:\.(\d+))?(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?$/;

/** `1`, `v1.2` and `1.2.3-rc.1+build` are versions. Throws CallError in the words of Masterminds' semver. */
export function parseVersion(text: string): Version {
  const match = versionShape.exec(text);
  if (!match) throw new CallError(text === '' ? 'Version string empty' : 'Invalid Semantic Version');
  const [, major = '0', minor = '0', patch = '0', prerelease = '', metadata = ''] = match;
  if (prerelease.split('.').some((part) => /^0\d+$/.test(part))) throw new CallError('Version segment starts with 0');
  return { major: Number(major), minor: Number(minor), patch: Number(patch), prerelease, metadata };
}

export function versionText({ major, minor, patch, prerelease, metadata }: Version): string {
  return `${major}.${minor}.${patch}${prerelease === '' ? '' : `-${prerelease}`}${metadata === '' ? '' : `+${metadata}`}`;
}

function comparePart(a: string | undefined, b: string | undefined): number {
  if (a === undefined || b === undefined) return a === b ? 0 : a === undefined ? -1 : 1;
  const [x, y] = [/^\d+$/.test(a), /^\d+$/.test(b)];
  if (x && y) return Number(a) - Number(b);
  if (x !== y) return x ? -1 : 1;
  return a < b ? -1 : a > b ? 1 : 0;
}

function comparePrerelease(a: string, b: string): number {
  if (a === b) return 0;
  if (a === '' || b === '') return a === '' ? 1 : -1;
  const [x, y] = [a.split('.'), b.split('.')];
  for (let at = 0; at < Math.max(x.length, y.length); at += 1) {
    const order = comparePart(x[at], y[at]);
    if (order !== 0) return order;
  }
  return 0;
}

export function compareVersions(a: Version, b: Version): number {
  return a.major - b.major || a.minor - b.minor || a.patch - b.patch || comparePrerelease(a.prerelease, b.prerelease);
}

/** Which part of a constraint's version was left open (`1.x`, `1.2`), everything before it being given. */
type Open = 'nothing' | 'all' | 'minor' | 'patch';

interface Rule {
  operator: string;
  version: Version;
  open: Open;
}

export type Constraint = Rule[][];

const number = '[0-9xX*|]+';
const partial = `v?(?:${number})(?:\\.${number})?(?:\\.${number})?(?:-[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*)?(?:\\+[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*)?`;
const operators = '!=|>=|=>|<=|=<|~>|=|>|<|~|\\^|';
const wholeShape = new RegExp(
  `^\\s*(?:${operators})\\s*(?:${partial})\\s*(?:(?:\\s+|,\\s*)(?:${operators})\\s*(?:${partial})\\s*)*$`,
);
const ruleShape = new RegExp(`(${operators})\\s*(${partial})`, 'g');
const rangeShape = new RegExp(`(${partial})\\s+-\\s+(${partial})\\s*`, 'g');
const partsShape = /^v?([^.+-]+)(?:\.([^.+-]+))?(?:\.([^.+-]+))?(-[^+]*)?(\+.*)?$/;

function isOpen(part: string | undefined): boolean {
  return part === undefined || /^[xX*]$/.test(part);
}

function parseRule(operator: string, text: string): Rule {
  const [, major = '', minor, patch, prerelease = ''] = partsShape.exec(text) ?? [];
  const open: Open = isOpen(major) ? 'all' : isOpen(minor) ? 'minor' : isOpen(patch) ? 'patch' : 'nothing';
  const numbers = {
    nothing: text,
    all: `0.0.0${prerelease}`,
    minor: `${major}.0.0${prerelease}`,
    patch: `${major}.${minor}.0${prerelease}`,
  };
  try {
    return { operator, version: parseVersion(numbers[open]), open };
  } catch {
    throw new CallError('constraint Parser Error');
  }
}

/** `>= 1.2, < 2 || ^3.1`: commas and spaces mean "and". Throws CallError `improper constraint`. */
export function parseConstraint(text: string): Constraint {
  const plain = text.replace(rangeShape, '>= $1, <= $2 ');
  return plain.split('||').map((group) => {
    if (!wholeShape.test(group)) throw new CallError(`improper constraint: ${group}`);
    return [...group.matchAll(ruleShape)].map((match) => parseRule(match[1] ?? '', match[2] ?? ''));
  });
}

function allowsTilde(version: Version, { version: base, open }: Rule): boolean {
  if (compareVersions(version, base) < 0) return false;
  const zero = base.major === 0 && base.minor === 0 && base.patch === 0;
  if (zero && open !== 'minor' && open !== 'patch') return true;
  return version.major === base.major && (open === 'minor' || version.minor === base.minor);
}

function allowsCaret(version: Version, { version: base, open }: Rule): boolean {
  if (compareVersions(version, base) < 0) return false;
  if (base.major > 0 || open === 'minor') return version.major === base.major;
  if (version.major > 0) return false;
  if (base.minor > 0 || open === 'patch') return version.minor === base.minor;
  return version.minor === 0 && version.patch === base.patch;
}

function differs(version: Version, { version: base, open }: Rule): boolean {
  if (open === 'nothing') return compareVersions(version, base) !== 0;
  if (version.major !== base.major) return true;
  if (open === 'minor') return false;
  if (version.minor !== base.minor) return true;
  if (open === 'all') return version.patch !== base.patch;
  return comparePrerelease(version.prerelease, base.prerelease) !== 0;
}

function isAbove(version: Version, { version: base, open }: Rule): boolean {
  if (open === 'nothing' || open === 'all') return compareVersions(version, base) > 0;
  if (version.major !== base.major) return version.major > base.major;
  return open === 'patch' && version.minor > base.minor;
}

function isAtMost(version: Version, { version: base, open }: Rule): boolean {
  if (open === 'nothing') return compareVersions(version, base) <= 0;
  if (version.major !== base.major) return version.major < base.major;
  return version.minor <= base.minor || open === 'minor';
}

function allows(version: Version, rule: Rule): boolean {
  const release = version.prerelease !== '' && rule.version.prerelease === '';
  if (release && !(rule.operator === '!=' && rule.open === 'nothing')) return false;
  switch (rule.operator) {
    case '!=':
      return differs(version, rule);
    case '>':
      return isAbove(version, rule);
    case '<':
      return compareVersions(version, rule.version) < 0;
    case '>=':
    case '=>':
      return compareVersions(version, rule.version) >= 0;
    case '<=':
    case '=<':
      return isAtMost(version, rule);
    case '~':
    case '~>':
      return allowsTilde(version, rule);
    case '^':
      return allowsCaret(version, rule);
    default:
      return rule.open === 'nothing' ? compareVersions(version, rule.version) === 0 : allowsTilde(version, rule);
  }
}

/** Whether a version satisfies a constraint; a prerelease only one that names a prerelease. */
export function checkConstraint(constraint: Constraint, version: Version): boolean {
  return constraint.some((rules) => rules.every((rule) => allows(version, rule)));
}
