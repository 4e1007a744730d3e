import { getArray, getPath, getString, isObject } from '#base/json.ts';
import type { ApiObject } from '../api/port.ts';

/** Something that a container names and that is not there. */
export interface MissingReference {
  kind: 'environment' | 'volume';
  message: string;
}

type Find = (kind: 'ConfigMap' | 'Secret', name: string) => ApiObject | undefined;

/** The first ConfigMap or Secret, or key of one, that the pod's volumes or the container's environment lack. */
export function missingReference(pod: ApiObject, container: string, find: Find): MissingReference | undefined {
  return missingInVolumes(pod, find) ?? missingInEnvironment(pod, container, find);
}

function missingInVolumes(pod: ApiObject, find: Find): MissingReference | undefined {
  for (const volume of getArray(pod, 'spec', 'volumes')) {
    const projected = getArray(volume, 'projected', 'sources');
    for (const source of [volume, ...projected])
      for (const [field, kind, nameField] of [
        ['configMap', 'ConfigMap', 'name'],
        ['secret', 'Secret', source === volume ? 'secretName' : 'name'],
      ] as const) {
        const name = getString(source, field, nameField);
        if (name === undefined || getPath(source, field, 'optional') === true || find(kind, name)) continue;
        const what = `${kind.toLowerCase()} "${name}" not found`;
        const volumeName = getString(volume, 'name') ?? '';
        return { kind: 'volume', message: `MountVolume.SetUp failed for volume "${volumeName}" : ${what}` };
      }
  }
  return undefined;
}

function missingInEnvironment(pod: ApiObject, name: string, find: Find): MissingReference | undefined {
  const namespace = pod.metadata.namespace ?? '';
  const all = [...getArray(pod, 'spec', 'containers'), ...getArray(pod, 'spec', 'initContainers')];
  const container = all.find((item) => getString(item, 'name') === name);
  for (const source of getArray(container, 'envFrom'))
    for (const [field, kind] of [
      ['configMapRef', 'ConfigMap'],
      ['secretRef', 'Secret'],
    ] as const) {
      const missing = lacking(getPath(source, field), kind, { find, namespace });
      if (missing) return missing;
    }
  for (const variable of getArray(container, 'env'))
    for (const [field, kind] of [
      ['configMapKeyRef', 'ConfigMap'],
      ['secretKeyRef', 'Secret'],
    ] as const) {
      const missing = lacking(getPath(variable, 'valueFrom', field), kind, { find, namespace });
      if (missing) return missing;
    }
  return undefined;
}

function lacking(
  reference: unknown,
  kind: 'ConfigMap' | 'Secret',
  { find, namespace }: { find: Find; namespace: string },
): MissingReference | undefined {
  const name = getString(reference, 'name');
  if (name === undefined || getPath(reference, 'optional') === true) return undefined;
  const found = find(kind, name);
  if (!found) return { kind: 'environment', message: `${kind.toLowerCase()} "${name}" not found` };
  const key = getString(reference, 'key');
  if (key === undefined) return undefined;
  const has = [found['data'], found['binaryData']].some((data) => isObject(data) && Object.hasOwn(data, key));
  if (has) return undefined;
  return { kind: 'environment', message: `couldn't find key ${key} in ${kind} ${namespace}/${name}` };
}
