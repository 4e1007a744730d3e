import { globMatch } from '#base/glob.ts';
import type { ApiResource, GroupVersionKind, KubeObject } from '#kube/port.ts';
import type { AppProject } from '#model/argocd/app-project.ts';
import { keyText, resourceKeyOf } from '#sync/identity.ts';
import { isKindPermitted } from './project.ts';

export interface OrphanSearch {
  /** Its `orphanedResources` say what does not count. */
  project: AppProject;
  namespace: string;
  /** Keys of what the application itself wants or has. */
  own: ReadonlySet<string>;
  /** Whether an application that exists says that the object is its own. */
  isTracked: (object: KubeObject) => boolean;
}

/** What every namespace has by itself. */
function isUsual(group: string, kind: string, name: string, namespace: string): boolean {
  if (group !== '') return false;
  if (kind === 'Service') return name === 'kubernetes' && namespace === 'default';
  return (kind === 'ServiceAccount' && name === 'default') || (kind === 'ConfigMap' && name === 'kube-root-ca.crt');
}

function isIgnored(project: AppProject, group: string, kind: string, name: string): boolean {
  return (project.orphanedResources?.ignore ?? []).some(
    (entry) =>
      (entry.kind === '' || globMatch(entry.kind, kind)) &&
      globMatch(entry.group, group) &&
      (entry.name === undefined || entry.name === '' || globMatch(entry.name, name)),
  );
}

/** The objects of a namespace that no application has and nothing owns, of kinds that the project permits. */
export function orphansOf(objects: Iterable<KubeObject>, search: OrphanSearch): KubeObject[] {
  const { project, namespace, own } = search;
  const found = new Map<string, KubeObject>();
  for (const object of objects) {
    if (object.metadata.namespace !== namespace || (object.metadata.ownerReferences ?? []).length > 0) continue;
    const key = resourceKeyOf(object);
    const { group, kind, name } = key;
    if (own.has(keyText(key)) || search.isTracked(object)) continue;
    if (isUsual(group, kind, name, namespace) || isIgnored(project, group, kind, name)) continue;
    if (isKindPermitted(project, { group, kind, name, namespaced: true })) found.set(keyText(key), object);
  }
  return [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, object]) => object);
}

/** The orphans and everything that they own, directly or not. */
export function withOwned(orphans: readonly KubeObject[], objects: Iterable<KubeObject>): KubeObject[] {
  const byOwner = new Map<string, KubeObject[]>();
  for (const object of objects)
    for (const { uid } of object.metadata.ownerReferences ?? [])
      byOwner.set(uid, [...(byOwner.get(uid) ?? []), object]);
  const seen = new Map<string, KubeObject>();
  const visit = (object: KubeObject): void => {
    const id = object.metadata.uid ?? keyText(resourceKeyOf(object));
    if (seen.has(id)) return;
    seen.set(id, object);
    for (const below of byOwner.get(id) ?? []) visit(below);
  };
  for (const orphan of orphans) visit(orphan);
  return [...seen.values()];
}

/** One version of every kind whose objects stand in namespaces and can be watched. */
export function namespacedKinds(resources: readonly ApiResource[]): GroupVersionKind[] {
  const kinds = new Map<string, GroupVersionKind>();
  for (const { group, version, kind, namespaced, verbs } of resources) {
    if (!namespaced || !verbs.includes('watch') || !verbs.includes('list')) continue;
    if (!kinds.has(`${group}/${kind}`)) kinds.set(`${group}/${kind}`, { group, version, kind });
  }
  return [...kinds.values()];
}
