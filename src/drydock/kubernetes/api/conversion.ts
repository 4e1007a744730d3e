import { asVersion } from './metadata.ts';
import type { ApiObject } from './port.ts';
import { apiVersionOf, type ServedResource } from './served.ts';

/** A stored object as this resource shows it. */
export function fromStorage(resource: ServedResource, object: ApiObject): ApiObject {
  const apiVersion = apiVersionOf(resource);
  if (!resource.conversion) return asVersion(object, apiVersion);
  const served = Object.entries(resource.conversion.members).map(([name, stored]) => [stored, name] as const);
  return { ...renamed(object, Object.fromEntries(served)), apiVersion, kind: resource.kind };
}

/** An object of this resource as it is stored. */
export function toStorage(resource: ServedResource, object: ApiObject): ApiObject {
  if (resource.conversion) return { ...renamed(object, resource.conversion.members), ...resource.conversion.stored };
  if (!resource.custom) return object;
  return asVersion(object, apiVersionOf({ group: resource.group, version: resource.custom.storageVersion }));
}

/** The stored path of a field that is named in the served form. */
export function storedPath(resource: ServedResource, path: string): string {
  const [first = '', ...rest] = path.split('.');
  return [resource.conversion?.members[first] ?? first, ...rest].join('.');
}

function renamed(object: ApiObject, names: Record<string, string>): ApiObject {
  const entries = Object.entries(object).map(([name, value]) => [names[name] ?? name, value] as const);
  return {
    kind: object.kind,
    apiVersion: object.apiVersion,
    metadata: object.metadata,
    ...Object.fromEntries(entries),
  };
}
