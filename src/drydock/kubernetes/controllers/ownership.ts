import { isObject } from '#base/json.ts';
import type { ApiObject, ApiOwnerReference, ApiServer } from '../api/port.ts';
import { keyOf } from './key.ts';
import { type LabelSelector, matchesSelector } from './selector.ts';

/** The owner reference with `controller: true`. */
export function controllerOf(object: ApiObject): ApiOwnerReference | undefined {
  return object.metadata.ownerReferences?.find((owner) => owner.controller === true);
}

export function ownerReferenceTo(owner: ApiObject): ApiOwnerReference {
  return {
    apiVersion: owner.apiVersion,
    kind: owner.kind,
    name: owner.metadata.name,
    uid: owner.metadata.uid ?? '',
    controller: true,
    blockOwnerDeletion: true,
  };
}

/** Queue names of the controller of this kind that owns `object`. */
export function controllerKeys(object: ApiObject, kind: string): string[] {
  const owner = controllerOf(object);
  return owner?.kind === kind ? [`${object.metadata.namespace ?? ''}/${owner.name}`] : [];
}

/** The controlling owner's name, or, for an orphan, every owner of `resource` in the namespace whose selector matches. */
export function ownerOrAdopterKeys(
  api: ApiServer,
  object: ApiObject,
  owner: { kind: string; resource: string; selectorOf: (owner: ApiObject) => LabelSelector | undefined },
): string[] {
  const { namespace } = object.metadata;
  if (controllerOf(object)) return controllerKeys(object, owner.kind);
  if (namespace === undefined) return [];
  return api
    .list(owner.resource, { namespace })
    .filter((candidate) => matchesSelector(owner.selectorOf(candidate), object.metadata.labels))
    .map(keyOf);
}

export interface ClaimPlan {
  owned: ApiObject[];
  /** Orphans that match the selector. */
  adopt: ApiObject[];
  /** Owned objects that no longer match. */
  release: ApiObject[];
}

/** Which of `candidates` belong to `owner`, by controller reference first and selector second. */
export function planClaim(
  owner: ApiObject,
  selector: LabelSelector | undefined,
  candidates: readonly ApiObject[],
): ClaimPlan {
  const plan: ClaimPlan = { owned: [], adopt: [], release: [] };
  for (const candidate of candidates) {
    const controller = controllerOf(candidate);
    // Most candidates are of others: those cost nothing more.
    if (controller && controller.uid !== owner.metadata.uid) continue;
    const matches = matchesSelector(selector, candidate.metadata.labels);
    const deleting = candidate.metadata.deletionTimestamp !== undefined;
    if (controller) {
      if (matches || deleting) plan.owned.push(candidate);
      else plan.release.push(candidate);
    } else if (matches && !deleting && owner.metadata.deletionTimestamp === undefined) plan.adopt.push(candidate);
  }
  return plan;
}

/** Adopts and releases as planned; returns all that `owner` controls afterwards. */
export async function executeClaim(
  api: ApiServer,
  owner: ApiObject,
  input: { plan: ClaimPlan; resource: string; manager: string },
): Promise<ApiObject[]> {
  const { plan, resource, manager } = input;
  const patchOwners = (object: ApiObject, owners: ApiOwnerReference[]): Promise<ApiObject> =>
    api.mergePatch(
      resource,
      object.metadata.namespace,
      object.metadata.name,
      { metadata: { uid: object.metadata.uid, ownerReferences: owners.length > 0 ? owners : null } },
      { manager },
    );
  const adopted = await Promise.all(
    plan.adopt.map((orphan) =>
      patchOwners(orphan, [...(orphan.metadata.ownerReferences ?? []), ownerReferenceTo(owner)]),
    ),
  );
  await Promise.all(
    plan.release.map((object) =>
      patchOwners(
        object,
        (object.metadata.ownerReferences ?? []).filter((reference) => reference.uid !== owner.metadata.uid),
      ),
    ),
  );
  return [...plan.owned, ...adopted];
}

/** Labels, annotations or env-like maps: only its string members. */
export function stringMap(value: unknown): Record<string, string> {
  if (!isObject(value)) return {};
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}
