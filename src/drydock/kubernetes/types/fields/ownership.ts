import { ApiError } from '../../api/port.ts';
import type { Comparison } from './compare.ts';
import type { FieldSet } from './field-set.ts';
import { intersect, isEmptySet, memberPaths, subtract, unite, withoutBranches } from './field-set.ts';
import type { Manager, Managers } from './managers.ts';

/** What a write took from others: their entries, by key. */
export function conflictsOf(managers: Managers, self: string | undefined, change: Comparison): Map<string, FieldSet> {
  const written = unite(change.modified, change.added);
  const conflicts = new Map<string, FieldSet>();
  for (const [key, manager] of managers) {
    if (key === self) continue;
    const taken = intersect(manager.set, written);
    if (!isEmptySet(taken)) conflicts.set(key, taken);
  }
  return conflicts;
}

/** All managers but `self` lose what the write changed or removed; empty ones go. In place. */
export function takeOwnership(managers: Managers, self: string | undefined, change: Comparison): void {
  const lost = unite(unite(change.modified, change.added), change.removed);
  if (isEmptySet(lost)) return;
  for (const [key, manager] of managers) {
    if (key === self) continue;
    const set = subtract(manager.set, lost);
    if (isEmptySet(set)) managers.delete(key);
    else managers.set(key, { ...manager, set });
  }
}

const neverOwned: FieldSet = {
  member: false,
  children: new Map([
    ['f:apiVersion', leaf()],
    ['f:kind', leaf()],
    [
      'f:metadata',
      {
        member: true,
        children: new Map(
          [
            'name',
            'namespace',
            'creationTimestamp',
            'selfLink',
            'uid',
            'clusterName',
            'generation',
            'managedFields',
            'resourceVersion',
          ].map((name) => [`f:${name}`, leaf()]),
        ),
      },
    ],
  ]),
};

function leaf(): FieldSet {
  return { member: true, children: new Map() };
}

export function withoutSystemFields(set: FieldSet): FieldSet {
  return subtract(set, neverOwned);
}

/** What the endpoint does not write is not owned through it. */
export function resetBranches(
  kind: { hasStatus: boolean; custom: boolean },
  subresource: string | undefined,
): readonly (readonly string[])[] {
  if (subresource === undefined) return kind.hasStatus ? [['f:status']] : [];
  if (subresource !== 'status') return [];
  return kind.custom ? [['f:spec']] : [['f:spec'], ['f:metadata', 'f:labels']];
}

export function withoutReset(change: Comparison, branches: readonly (readonly string[])[]): Comparison {
  if (branches.length === 0) return change;
  return {
    added: withoutBranches(change.added, branches),
    modified: withoutBranches(change.modified, branches),
    removed: withoutBranches(change.removed, branches),
  };
}

/** 409 with one cause per path, in the real server's words. */
export function conflictError(managers: Managers, conflicts: Map<string, FieldSet>): ApiError {
  const list = [...conflicts]
    .flatMap(([key, set]) => {
      const manager = managers.get(key);
      const name = manager === undefined ? key : printManager(manager);
      return memberPaths(set).map((path) => ({ name, path }));
    })
    .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  const causes = list.map(({ name, path }) => ({
    reason: 'FieldManagerConflict',
    message: `conflict with ${name}`,
    field: path,
  }));
  return new ApiError(409, 'Conflict', conflictMessage(list), { causes });
}

function conflictMessage(list: { name: string; path: string }[]): string {
  const [first] = list;
  if (list.length === 1 && first !== undefined) {
    return `Apply failed with 1 conflict: conflict with ${first.name}: ${first.path}`;
  }
  const lines: string[] = [];
  let current: string | undefined;
  for (const { name, path } of list) {
    if (name !== current) lines.push(`conflicts with ${name}:`);
    current = name;
    lines.push(`- ${path}`);
  }
  return `Apply failed with ${list.length} conflicts: ${lines.join('\n')}`;
}

function printManager(manager: Manager): string {
  const name = JSON.stringify(manager.manager);
  const place =
    manager.subresource === undefined ? name : `${name} with subresource ${JSON.stringify(manager.subresource)}`;
  return manager.operation === 'Update' ? `${place} using ${manager.apiVersion}` : place;
}
