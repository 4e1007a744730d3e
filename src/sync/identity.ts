import { type KubeObject, parseApiVersion } from '#kube/port.ts';
import type { ResourceKey } from '#model/argocd/application.ts';
import { annotations } from '#model/argocd/names.ts';
import type { Tracking } from '#model/argocd/settings.ts';

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

/** Letters, digits and what may stand between them, at most 63 of them, as a label's value has to be. */
function labelValue(text: string): string {
  return text.slice(0, 63).replace(/[^A-Za-z0-9]+$/, '');
}

export interface TrackingMark {
  /** The application's name as tracking ids hold it. */
  instance: string;
  /** Stands in the tracking id of objects without a namespace. */
  destinationNamespace: string;
  tracking: Tracking;
}

/** The labels and annotations by which an object says whose it is. A CustomResourceDefinition gets none. */
export function trackingMetadata(
  object: KubeObject,
  mark: TrackingMark,
): { labels: Record<string, string>; annotations: Record<string, string> } {
  const { instance, destinationNamespace, tracking } = mark;
  const { method, labelKey, installationId } = tracking;
  const own = { labels: {}, annotations: {} };
  if (object.kind === 'CustomResourceDefinition') return own;
  // A label alone is the name: a shortened one would be another's.
  if (method === 'label') return { ...own, labels: { [labelKey]: instance } };
  const id = trackingIdOf(instance, resourceKeyOf(object), destinationNamespace);
  return {
    labels: method === 'annotation+label' ? { [labelKey]: labelValue(instance) } : {},
    annotations: {
      [annotations.trackingId]: id,
      ...(installationId === undefined ? {} : { [annotations.installationId]: installationId }),
    },
  };
}

/**
 * The instance name of the application that tracks a live object; undefined when none of this installation does, or when
 * its tracking id names another object (a copied annotation).
 */
export function trackingApplication(object: KubeObject, tracking: Tracking): string | undefined {
  if (tracking.method === 'label') return object.metadata.labels?.[tracking.labelKey] || undefined;
  const notes = object.metadata.annotations;
  if (tracking.installationId !== undefined && notes?.[annotations.installationId] !== tracking.installationId)
    return undefined;
  const id = parseTrackingId(notes?.[annotations.trackingId]);
  if (!id) return undefined;
  const key = resourceKeyOf(object);
  const same =
    id.group === key.group &&
    id.kind === key.kind &&
    id.name === key.name &&
    (key.namespace === undefined || id.namespace === key.namespace);
  return same ? id.application : undefined;
}
