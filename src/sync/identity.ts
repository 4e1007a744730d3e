import { type KubeObject, parseApiVersion } from '#kube/port.ts';
import type { ResourceKey } from '#model/argocd/application.ts';
import { annotations } from '#model/argocd/names.ts';

export function resourceKeyOf(object: KubeObject): ResourceKey {
  const namespace = object.metadata.namespace;
  const key = { group: parseApiVersion(object.apiVersion).group, kind: object.kind, name: object.metadata.name };
  return namespace === undefined || namespace === '' ? key : { ...key, namespace };
}

/** One text per object of a cluster, the version of its API left out. */
export function keyText(key: ResourceKey): string {
  return `${key.group}/${key.kind}:${key.namespace ?? ''}/${key.name}`;
}

export function objectKeyText(object: KubeObject): string {
  return keyText(resourceKeyOf(object));
}

/** How a person names it: `apps/Deployment/web`. */
export function displayName(key: ResourceKey): string {
  return `${key.group === '' ? '' : `${key.group}/`}${key.kind}/${key.name}`;
}

/** `<app>:<group>/<kind>:<namespace>/<name>`; a cluster-scoped object carries the destination's namespace. */
export function trackingIdOf(application: string, key: ResourceKey, destinationNamespace: string): string {
  return `${application}:${key.group}/${key.kind}:${key.namespace ?? destinationNamespace}/${key.name}`;
}

export interface TrackingId {
  application: string;
  group: string;
  kind: string;
  namespace: string;
  name: string;
}

export function parseTrackingId(text: string | undefined): TrackingId | undefined {
  const match = /^([^:]+):([^/:]*)\/([^:]+):([^/]*)\/(.+)$/.exec(text ?? '');
  if (!match) return undefined;
  const [, application = '', group = '', kind = '', namespace = '', name = ''] = match;
  return { application, group, kind, namespace, name };
}

/**
 * The application that tracks a live object; undefined when none does, or when its tracking id names another object (a
 * copied annotation).
 */
export function trackingApplication(object: KubeObject): string | undefined {
  const id = parseTrackingId(object.metadata.annotations?.[annotations.trackingId]);
  if (!id) return undefined;
  const key = resourceKeyOf(object);
  const same =
    id.group === key.group &&
    id.kind === key.kind &&
    id.name === key.name &&
    (key.namespace === undefined || id.namespace === key.namespace);
  return same ? id.application : undefined;
}
