import { cloneJson, getArray, getString, isObject, jsonEqual } from '#base/json.ts';
import type { ApiObject, FieldError } from '../port.ts';

/** What a write to a pod's `ephemeralcontainers` changes: that list and who owns it. */
export function withEphemeralContainers(wanted: ApiObject, live: ApiObject): ApiObject {
  const pod = cloneJson(live);
  const spec = isObject(pod['spec']) ? { ...pod['spec'] } : {};
  const containers = getArray(wanted, 'spec', 'ephemeralContainers');
  if (containers.length > 0) spec['ephemeralContainers'] = cloneJson(containers);
  else delete spec['ephemeralContainers'];
  const { managedFields, resourceVersion } = wanted.metadata;
  const metadata = { ...pod.metadata };
  if (managedFields !== undefined) metadata.managedFields = cloneJson(managedFields);
  if (resourceVersion !== undefined) metadata.resourceVersion = resourceVersion;
  return { ...pod, metadata, spec };
}

/** Ephemeral containers are only ever added. */
export function ephemeralContainerErrors(pod: ApiObject, live: ApiObject): FieldError[] {
  const wanted = getArray(pod, 'spec', 'ephemeralContainers');
  return getArray(live, 'spec', 'ephemeralContainers').flatMap((before) => {
    const name = getString(before, 'name') ?? '';
    const after = wanted.find((container) => getString(container, 'name') === name);
    if (jsonEqual(before, after)) return [];
    const what = after === undefined ? 'removed' : 'changed';
    return [
      {
        field: 'spec.ephemeralContainers',
        reason: 'FieldValueForbidden' as const,
        message: `Forbidden: existing ephemeral containers ${JSON.stringify(name)} may not be ${what}\n`,
      },
    ];
  });
}
