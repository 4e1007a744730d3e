import { type FunctionMap, fn } from '../function.ts';
import { checkConstraint, parseConstraint, parseVersion, versionText } from '../semver.ts';
import { GoInt, GoObject } from '../value.ts';

function object(text: string): GoObject {
  const version = parseVersion(text);
  const number = (value: number) => new GoInt(BigInt(value), 'uint64');
  const fields = new Map<string, unknown>([
    ['Major', number(version.major)],
    ['Minor', number(version.minor)],
    ['Patch', number(version.patch)],
    ['Prerelease', version.prerelease],
    ['Metadata', version.metadata],
    ['Original', text],
    ['String', versionText(version)],
  ]);
  return new GoObject('*semver.Version', fields, versionText(version));
}

export const semverFunctions: FunctionMap = {
  semver: fn(['string'], object),
  semverCompare: fn(['string', 'string'], (constraint, version) =>
    checkConstraint(parseConstraint(constraint), parseVersion(version)),
  ),
};
