import { dump } from 'js-yaml';
import type { KubeObject } from '#kube/port.ts';
import { maskSecrets } from '#sync/mask.ts';
import { contentOf } from '#sync/normalize.ts';
import type { ComparedResource } from './comparison.ts';
import type { ManagedResource, ResourceStates } from './port.ts';

function text(object: KubeObject | undefined): string | undefined {
  return object && dump(object, { lineWidth: -1, noRefs: true, sortKeys: true });
}

/** Members that the desired object sets, over what is live: what a person would see if the server made no defaults. */
function overlay(live: unknown, desired: unknown): unknown {
  if (desired === null || typeof desired !== 'object' || Array.isArray(desired)) return desired;
  const out: Record<string, unknown> =
    live !== null && typeof live === 'object' && !Array.isArray(live) ? { ...live } : {};
  for (const [key, value] of Object.entries(desired)) out[key] = overlay(out[key], value);
  return out;
}

function desiredForm(resource: ComparedResource): KubeObject | undefined {
  const { desired, live, difference, status } = resource;
  if (!desired) return undefined;
  if (!live) return contentOf(desired.object);
  if (status === 'Synced') return contentOf(live);
  if (difference?.predicted) return contentOf(difference.predicted);
  return overlay(contentOf(live), desired.object) as KubeObject;
}

export interface ManagedResourceOptions {
  /** Annotations whose values are masked. */
  sensitive: readonly string[];
  states?: boolean;
}

/** A compared object as the faces show it: both forms as YAML, Secrets masked so that equal values look equal. */
export function managedResourceOf(resource: ComparedResource, options: ManagedResourceOptions): ManagedResource {
  const { sensitive } = options;
  const [live, desired] = maskSecrets([resource.live && contentOf(resource.live), desiredForm(resource)], sensitive);
  const { group, kind, namespace, name } = resource.key;
  return {
    group,
    version: resource.version,
    kind,
    namespace,
    name,
    sync: resource.status ?? 'Unknown',
    health: resource.health,
    requiresPruning: resource.requiresPruning,
    hook: resource.hook,
    liveText: text(live),
    desiredText: text(desired),
    ...(options.states ? { states: statesOf(resource, sensitive) } : {}),
  };
}

/**
 * The forms of a compared object as Argo CD's clients read them. What is ignored or was not asked of the server is predicted as
 * it is live.
 */
function statesOf(resource: ComparedResource, sensitive: readonly string[]): ResourceStates {
  const { desired, live } = resource;
  const [target, whole, normalizedLive, predictedLive] = maskSecrets(
    [desired?.object, live, live && contentOf(live), desiredForm(resource)],
    sensitive,
  );
  return { target, live: whole, normalizedLive, predictedLive, resourceVersion: live?.metadata.resourceVersion ?? '' };
}

export function manifestTexts(objects: readonly KubeObject[], sensitive: readonly string[]): string[] {
  return objects.map((object) => text(maskSecrets([object], sensitive)[0]) ?? '');
}
