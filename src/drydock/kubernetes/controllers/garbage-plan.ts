import type { ApiObject, ApiOwnerReference } from '../api/port.ts';

export const foregroundFinalizer = 'foregroundDeletion';
export const orphanFinalizer = 'orphan';

/** `unknown`: the owner's kind is not served, so nothing can be said. */
export type OwnerState = 'solid' | 'absent' | 'waiting' | 'unknown';

export type GarbageAction =
  | { kind: 'delete'; propagationPolicy: 'Foreground' | 'Background' | 'Orphan' }
  | { kind: 'keep-owners'; owners: ApiOwnerReference[] }
  | { kind: 'delete-dependents'; dependents: ApiObject[] }
  | { kind: 'orphan-dependents'; dependents: ApiObject[] }
  | { kind: 'remove-finalizer'; finalizer: string };

/** What garbage collection does for one object now: as an owner that is being deleted, or as a dependent. */
export function planGarbage(
  object: ApiObject,
  ownerStates: readonly OwnerState[],
  dependents: readonly ApiObject[],
): GarbageAction[] {
  if (object.metadata.deletionTimestamp !== undefined) return planOwner(object, dependents);
  const owners = object.metadata.ownerReferences ?? [];
  const inState = (state: OwnerState) => owners.filter((_owner, index) => ownerStates[index] === state);
  if (owners.length === 0 || inState('unknown').length > 0) return [];
  const solid = inState('solid');
  if (solid.length > 0) return solid.length < owners.length ? [{ kind: 'keep-owners', owners: solid }] : [];
  if (inState('waiting').length > 0)
    return [{ kind: 'delete', propagationPolicy: dependents.length > 0 ? 'Foreground' : 'Background' }];
  const finalizers = object.metadata.finalizers ?? [];
  if (finalizers.includes(orphanFinalizer)) return [{ kind: 'delete', propagationPolicy: 'Orphan' }];
  if (finalizers.includes(foregroundFinalizer)) return [{ kind: 'delete', propagationPolicy: 'Foreground' }];
  return [{ kind: 'delete', propagationPolicy: 'Background' }];
}

function planOwner(object: ApiObject, dependents: readonly ApiObject[]): GarbageAction[] {
  const finalizers = object.metadata.finalizers ?? [];
  if (finalizers.includes(orphanFinalizer)) {
    const release: GarbageAction = { kind: 'remove-finalizer', finalizer: orphanFinalizer };
    return dependents.length > 0 ? [{ kind: 'orphan-dependents', dependents: [...dependents] }, release] : [release];
  }
  if (!finalizers.includes(foregroundFinalizer)) return [];
  const blocking = dependents.filter((dependent) =>
    dependent.metadata.ownerReferences?.some(
      (owner) => owner.uid === object.metadata.uid && owner.blockOwnerDeletion === true,
    ),
  );
  const undeleted = dependents.filter((dependent) => dependent.metadata.deletionTimestamp === undefined);
  const actions: GarbageAction[] = [];
  if (undeleted.length > 0) actions.push({ kind: 'delete-dependents', dependents: undeleted });
  if (blocking.length === 0) actions.push({ kind: 'remove-finalizer', finalizer: foregroundFinalizer });
  return actions;
}
