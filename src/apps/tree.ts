import type { Assess } from '#health/assess.ts';
import { type KubeObject, parseApiVersion } from '#kube/port.ts';
import { imagesOf } from '#sync/images.ts';
import { factsOf, networkingOf } from './node-facts.ts';
import type { ResourceNode } from './port.ts';

/** Kinds that are made for others, and so stand below them in a tree. */
export const ownedKinds = [
  { group: 'apps', version: 'v1', kind: 'ReplicaSet' },
  { group: '', version: 'v1', kind: 'Pod' },
  { group: 'batch', version: 'v1', kind: 'Job' },
  { group: 'discovery.k8s.io', version: 'v1', kind: 'EndpointSlice' },
];

function nodeOf(object: KubeObject, parentUid: string | undefined, assess: Assess): ResourceNode {
  const { group, version } = parseApiVersion(object.apiVersion);
  return {
    uid: object.metadata.uid ?? `${object.kind}/${object.metadata.namespace ?? ''}/${object.metadata.name}`,
    group,
    version,
    kind: object.kind,
    namespace: object.metadata.namespace,
    name: object.metadata.name,
    parentUid,
    createdAt: object.metadata.creationTimestamp,
    health: assess(object),
    images: imagesOf(object),
    resourceVersion: object.metadata.resourceVersion,
    info: factsOf(object),
    networking: networkingOf(object),
  };
}

/** The objects of an application and, below each, those it owns, parents before children. */
export function buildTree(roots: readonly KubeObject[], owned: Iterable<KubeObject>, assess: Assess): ResourceNode[] {
  const byOwner = new Map<string, KubeObject[]>();
  for (const object of owned)
    for (const owner of object.metadata.ownerReferences ?? [])
      byOwner.set(owner.uid, [...(byOwner.get(owner.uid) ?? []), object]);
  const out: ResourceNode[] = [];
  const seen = new Set<string>();
  const visit = (object: KubeObject, parentUid: string | undefined): void => {
    const node = nodeOf(object, parentUid, assess);
    if (seen.has(node.uid)) return;
    seen.add(node.uid);
    out.push(node);
    for (const child of byOwner.get(node.uid) ?? []) visit(child, node.uid);
  };
  for (const root of roots) visit(root, undefined);
  return out;
}
