import type { ApiObject, GroupResource } from '../port.ts';
import { apiVersionOf, type ServedResource } from '../served.ts';
import { asVersion } from './metadata.ts';

/** How a kind that is served in a second form is kept in the first one. Functions keep and change no input. */
export interface Conversion {
  storage: GroupResource;
  /** `apiVersion` and `kind` are the caller's to set. */
  toServed(object: ApiObject): ApiObject;
  toStored(object: ApiObject): ApiObject;
  /** The stored path of a field that is named in the served form. */
  storedPath(path: string): string;
}

/** A stored object as this resource shows it. */
export function fromStorage(resource: ServedResource, object: ApiObject): ApiObject {
  const apiVersion = apiVersionOf(resource);
  if (!resource.conversion) return asVersion(object, apiVersion);
  return { ...resource.conversion.toServed(object), apiVersion, kind: resource.kind };
}

/** An object of this resource as it is stored. */
export function toStorage(resource: ServedResource, object: ApiObject): ApiObject {
  if (resource.conversion) return resource.conversion.toStored(object);
  if (!resource.custom) return object;
  return asVersion(object, apiVersionOf({ group: resource.group, version: resource.custom.storageVersion }));
}

/** The stored path of a field that is named in the served form. */
export function storedPath(resource: ServedResource, path: string): string {
  return resource.conversion?.storedPath(path) ?? path;
}

export function asStored(object: ApiObject, apiVersion: string): ApiObject {
  return { ...object, apiVersion };
}

/** The part of a conversion that only gives top-level members other names: served name to stored name. */
export function memberRenaming(members: Record<string, string>): Omit<Conversion, 'storage'> {
  const served = Object.fromEntries(Object.entries(members).map(([name, stored]) => [stored, name]));
  return {
    toServed: (object) => renamed(object, served),
    toStored: (object) => renamed(object, members),
    storedPath(path) {
      const [first = '', ...rest] = path.split('.');
      return [members[first] ?? first, ...rest].join('.');
    },
  };
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
