import { parseConstraint, parseVersion, type Version } from '#base/version.ts';
import { CallError } from '../call-error.ts';
import { type FunctionMap, fn } from '../function.ts';
import { GoInt, GoObject } from '../value.ts';

function versionOf(text: string): Version {
  const version = parseVersion(text);
  if (!version) throw new CallError(text === '' ? 'version string empty' : 'invalid semantic version');
  return version;
}

function object(text: string): GoObject {
  const { numbers, prerelease } = versionOf(text);
  const [major, minor, patch] = numbers;
  const metadata = /\+(.*)$/.exec(text)?.[1] ?? '';
  const number = (value: bigint) => new GoInt(value, 'uint64');
  const plain = `${major}.${minor}.${patch}${prerelease === '' ? '' : `-${prerelease}`}${metadata === '' ? '' : `+${metadata}`}`;
  const fields = new Map<string, unknown>([
    ['Major', number(major)],
    ['Minor', number(minor)],
    ['Patch', number(patch)],
    ['Prerelease', prerelease],
    ['Metadata', metadata],
    ['Original', text],
    ['String', plain],
  ]);
  return new GoObject('*semver.Version', fields, plain);
}

export const semverFunctions: FunctionMap = {
  semver: fn(['string'], object),
  semverCompare: fn(['string', 'string'], (constraint, version) => {
    const parsed = parseConstraint(constraint);
    if (!parsed) throw new CallError(`improper constraint: ${constraint}`);
    return parsed.allows(versionOf(version));
  }),
};
