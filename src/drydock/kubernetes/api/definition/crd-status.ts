import { getArray, getObject, getString, isObject, type JsonObject } from '#base/json.ts';
import type { ApiObject } from '../port.ts';
import type { ServedResource } from '../served.ts';

export interface NameConflict {
  reason: 'PluralConflict' | 'SingularConflict' | 'ShortNamesConflict' | 'KindConflict' | 'ListKindConflict';
  message: string;
}

/** Which of a definition's names are its own now, and why not all of them are. */
export interface AcceptedNames {
  names: JsonObject;
  conflict: NameConflict | undefined;
}

/** Names are taken when others of the group are served under them; a name once accepted stays. */
export function acceptNames(definition: ApiObject, served: ServedResource[]): AcceptedNames {
  const group = getString(definition, 'spec', 'group') ?? '';
  const wanted = getObject(definition, 'spec', 'names');
  const before = getObject(definition, 'status', 'acceptedNames');
  const others = served.filter((other) => other.group === group && other.plural !== getString(wanted, 'plural'));
  const resourceNames = new Set(others.flatMap((other) => [other.plural, other.singular, ...other.shortNames]));
  const kinds = new Set(others.flatMap((other) => [other.kind, other.listKind]));
  const names: JsonObject = { ...before };
  let conflict: NameConflict | undefined;
  const inUse = (name: unknown): string => `${JSON.stringify(name)} is already in use`;
  const accept = (member: string, taken: Set<string>, reason: NameConflict['reason']): void => {
    const name = wanted[member];
    if (typeof name === 'string' && name !== before[member] && taken.has(name))
      conflict = { reason, message: inUse(name) };
    else if (name !== undefined) names[member] = name;
  };
  accept('plural', resourceNames, 'PluralConflict');
  accept('singular', resourceNames, 'SingularConflict');
  const own = getArray(before, 'shortNames');
  const clashes = getArray(wanted, 'shortNames').filter(
    (name) => !own.includes(name) && typeof name === 'string' && resourceNames.has(name),
  );
  if (clashes.length > 0) {
    const texts = clashes.map(inUse);
    conflict = {
      reason: 'ShortNamesConflict',
      message: texts.length === 1 ? (texts[0] ?? '') : `[${texts.join(', ')}]`,
    };
  } else replace(names, wanted, 'shortNames');
  accept('kind', kinds, 'KindConflict');
  accept('listKind', kinds, 'ListKindConflict');
  replace(names, wanted, 'categories');
  names['plural'] ??= '';
  names['kind'] ??= '';
  return { names, conflict };
}

function replace(names: JsonObject, wanted: JsonObject, member: string): void {
  if (wanted[member] === undefined) delete names[member];
  else names[member] = wanted[member];
}

/** A definition is served from when all its names were accepted once. */
export function isEstablished(definition: ApiObject): boolean {
  return getArray(definition, 'status', 'conditions').some(
    (each) => getString(each, 'type') === 'Established' && getString(each, 'status') === 'True',
  );
}

interface Condition {
  type: string;
  status: 'True' | 'False';
  reason: string;
  message: string;
}

/** The status of a definition by its names and what else is known. Times of conditions that stay are kept. */
export function settledStatus(
  definition: ApiObject,
  { accepted, others, now }: { accepted: AcceptedNames; others: Condition[]; now: string },
): JsonObject {
  const { names, conflict } = accepted;
  const before = getArray(definition, 'status', 'conditions').filter(isObject);
  const conditions = [...before];
  const put = (condition: Condition): void => {
    const at = conditions.findIndex((item) => item['type'] === condition.type);
    const kept = conditions[at];
    const same = kept?.['status'] === condition.status;
    const { type, status, reason, message } = condition;
    const next = { type, status, lastTransitionTime: same ? kept['lastTransitionTime'] : now, reason, message };
    if (at < 0) conditions.push(next);
    else conditions[at] = next;
  };
  put(
    conflict === undefined
      ? { type: 'NamesAccepted', status: 'True', reason: 'NoConflicts', message: 'no conflicts found' }
      : { type: 'NamesAccepted', status: 'False', ...conflict },
  );
  if (!isEstablished(definition))
    put(
      conflict === undefined
        ? {
            type: 'Established',
            status: 'True',
            reason: 'InitialNamesAccepted',
            message: 'the initial names have been accepted',
          }
        : { type: 'Established', status: 'False', reason: 'NotAccepted', message: 'not all names are accepted' },
    );
  for (const other of others) put(other);
  if (definition.metadata.deletionTimestamp !== undefined) put(deletionInProgress);
  return { conditions, acceptedNames: names, storedVersions: storedVersions(definition) };
}

const deletionInProgress: Condition = {
  type: 'Terminating',
  status: 'True',
  reason: 'InstanceDeletionInProgress',
  message: 'CustomResource deletion is in progress',
};

/** The status of a definition at the moment that its deletion is asked for. */
export function markedForDeletion(definition: ApiObject, now: string): JsonObject {
  const status = getObject(definition, 'status');
  const conditions = getArray(status, 'conditions').filter((each) => getString(each, 'type') !== 'Terminating');
  const message = 'CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon';
  const reason = 'InstanceDeletionPending';
  return {
    ...status,
    conditions: [...conditions, { type: 'Terminating', status: 'True', lastTransitionTime: now, reason, message }],
  };
}

/** The versions that objects may be stored in, the present one included. */
export function storedVersions(definition: ApiObject): unknown[] {
  const known = getArray(definition, 'status', 'storedVersions');
  const storage = storageVersion(definition);
  return storage === '' || known.includes(storage) ? known : [...known, storage];
}

export function storageVersion(definition: ApiObject): string {
  const version = getArray(definition, 'spec', 'versions').find((item) => isObject(item) && item['storage'] === true);
  return getString(version, 'name') ?? '';
}
