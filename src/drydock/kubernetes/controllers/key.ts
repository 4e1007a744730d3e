import type { ApiObject } from '../api/port.ts';

/** `namespace/name`, or `/name` for cluster-scoped objects: how work queues call an object. */
export function keyOf(object: ApiObject): string {
  return `${object.metadata.namespace ?? ''}/${object.metadata.name}`;
}

export function splitKey(key: string): { namespace: string | undefined; name: string } {
  const slash = key.indexOf('/');
  return { namespace: slash > 0 ? key.slice(0, slash) : undefined, name: key.slice(slash + 1) };
}
