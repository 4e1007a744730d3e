import { getArray, getObject, getString, isObject, type JsonObject } from '#base/json.ts';
import type { ApiObject } from './port.ts';
import type { ServedResource } from './served.ts';

export interface NameConflict {
  reason: 'PluralConflict' | 'SingularConflict' | 'ShortNamesConflict' | 'KindConflict' | 'ListKindConflict';
  message: string;
}

/** Why a definition's names cannot be accepted: others of its group are served under one of them. */
export function nameConflict(definition: ApiObject, served: ServedResource[]): NameConflict | undefined {
  const group = getString(definition, 'spec', 'group') ?? '';
  const names = getObject(definition, 'spec', 'names');
  const plural = getString(names, 'plural') ?? '';
  const others = served.filter((other) => other.group === group && other.plural !== plural);
  const resourceNames = new Set(others.flatMap((other) => [other.plural, other.singular, ...other.shortNames]));
  const kinds = new Set(others.flatMap((other) => [other.kind, other.listKind]));
  const clash = (taken: Set<string>, name: unknown): boolean => typeof name === 'string' && taken.has(name);
  const conflict = (reason: NameConflict['reason'], name: unknown): NameConflict => ({
    reason,
    message: `${JSON.stringify(name)} is already in use`,
  });
  // Upstream checks them the other way round and reports the last.
  if (clash(kinds, names['listKind'])) return conflict('ListKindConflict', names['listKind']);
  if (clash(kinds, names['kind'])) return conflict('KindConflict', names['kind']);
  const short = getArray(names, 'shortNames').findLast((name) => clash(resourceNames, name));
  if (short !== undefined) return conflict('ShortNamesConflict', short);
  if (clash(resourceNames, names['singular'])) return conflict('SingularConflict', names['singular']);
  if (clash(resourceNames, plural)) return conflict('PluralConflict', plural);
  return undefined;
}

/** The status of a definition whose names are accepted, or are not. Times of conditions that stay are kept. */
export function settledStatus(
  definition: ApiObject,
  { conflict, now }: { conflict: NameConflict | undefined; now: string },
): JsonObject {
  const before = getArray(definition, 'status', 'conditions').filter(isObject);
  const condition = (type: string, reason: string, message: string): JsonObject => {
    const status = conflict && type !== 'Terminating' ? 'False' : 'True';
    const kept = before.find((item) => item['type'] === type && item['status'] === status);
    return kept ?? { type, status, lastTransitionTime: now, reason, message };
  };
  const conditions = conflict
    ? [
        condition('NamesAccepted', conflict.reason, conflict.message),
        condition('Established', 'NotAccepted', 'not all names are accepted'),
      ]
    : [
        condition('NamesAccepted', 'NoConflicts', 'no conflicts found'),
        condition('Established', 'InitialNamesAccepted', 'the initial names have been accepted'),
      ];
  if (definition.metadata.deletionTimestamp !== undefined)
    conditions.push(condition('Terminating', 'InstanceDeletionInProgress', 'CustomResource deletion is in progress'));
  const names = getObject(definition, 'spec', 'names');
  return {
    conditions,
    acceptedNames: conflict ? { plural: '', kind: '' } : names,
    storedVersions: storedVersions(definition),
  };
}

function storedVersions(definition: ApiObject): unknown[] {
  const known = getArray(definition, 'status', 'storedVersions');
  const storage = storageVersion(definition);
  return known.includes(storage) ? known : [...known, storage];
}

export function storageVersion(definition: ApiObject): string {
  const version = getArray(definition, 'spec', 'versions').find((item) => isObject(item) && item['storage'] === true);
  return getString(version, 'name') ?? '';
}
