import type { KubeObject } from '#kube/port.ts';
import { annotations } from '#model/argocd/names.ts';
import { type Health, health, isWorse } from './health.ts';

export interface AggregatedResource {
  group: string;
  kind: string;
  namespace: string | undefined;
  name: string;
  hook: boolean;
  live: KubeObject | undefined;
  health: Health | undefined;
  /** The object is the application that is being assessed. */
  self: boolean;
}

function counts(resource: AggregatedResource): boolean {
  if (resource.hook || resource.self || resource.health === undefined || resource.live === undefined) return false;
  if (resource.live.metadata.annotations?.[annotations.ignoreHealthcheck] === 'true') return false;
  const isChild = resource.group === 'argoproj.io' && resource.kind === 'Application';
  return !(isChild && (resource.health.status === 'Missing' || resource.health.status === 'Unknown'));
}

/**
 * Health of an application: the worst of its direct resources. A resource that is absent does not count, unless none is
 * there: then the application is Missing.
 */
export function aggregateHealth(resources: readonly AggregatedResource[]): Health {
  const direct = resources.filter((resource) => !resource.hook);
  if (direct.length > 0 && direct.every((resource) => resource.live === undefined)) return health('Missing');
  let worst: Health = health('Healthy');
  const causes: string[] = [];
  for (const resource of resources) {
    if (!counts(resource) || resource.health === undefined) continue;
    const place = `${resource.group === '' ? '' : `${resource.group}/`}${resource.kind}:${resource.namespace ? `${resource.namespace}/` : ''}${resource.name}`;
    if (isWorse(resource.health.status, worst.status)) {
      worst = health(resource.health.status);
      causes.length = 0;
      causes.push(place);
    } else if (resource.health.status === worst.status && worst.status !== 'Healthy') causes.push(place);
  }
  if (worst.status === 'Healthy' || causes.length === 0) return worst;
  const shown = causes.slice(0, 3).join(', ');
  return health(worst.status, `Caused by ${shown}${causes.length > 3 ? ` and ${causes.length - 3} more` : ''}`);
}
