import { getArray, getString, jsonEqual } from '#base/json.ts';
import type { ApiObject, ApiOwnerReference } from '../api/port.ts';
import { ownerReferenceTo } from './ownership.ts';

export interface ClaimOwners {
  claim: ApiObject;
  owners: ApiOwnerReference[];
}

/**
 * Which claims of a StatefulSet's pods must change owner, so that garbage collection deletes them as its retention
 * policy says: with the set, or with a pod that scaling down takes away. Owners of other kinds stay.
 */
export function planClaimOwners(
  set: ApiObject,
  claims: readonly ApiObject[],
  condemned: ReadonlyMap<string, ApiObject>,
): ClaimOwners[] {
  const policy = (when: string): boolean =>
    getString(set, 'spec', 'persistentVolumeClaimRetentionPolicy', when) === 'Delete';
  const withSet = policy('whenDeleted');
  const withPod = policy('whenScaled');
  return claims.flatMap((claim) => {
    const before = claim.metadata.ownerReferences ?? [];
    const pod = condemned.get(claim.metadata.name);
    const others = before.filter(({ uid, kind, name }) => uid !== set.metadata.uid && !isPodOf(set, { kind, name }));
    const owner = pod && withPod ? pod : withSet && !(pod && withPod) ? set : undefined;
    const owners = owner ? [...others, ownerReferenceTo(owner)] : others;
    return jsonEqual(before, owners) ? [] : [{ claim, owners }];
  });
}

function isPodOf(set: ApiObject, { kind, name }: { kind: string; name: string }): boolean {
  const prefix = `${set.metadata.name}-`;
  return kind === 'Pod' && name.startsWith(prefix) && /^\d+$/.test(name.slice(prefix.length));
}

/** The names of the claims that a pod of the set has. */
export function claimNames(set: ApiObject, pod: string): string[] {
  return getArray(set, 'spec', 'volumeClaimTemplates').map(
    (template) => `${getString(template, 'metadata', 'name') ?? ''}-${pod}`,
  );
}
