import type { Entropy } from '#base/clock.ts';
import { isObject, type JsonObject } from '#base/json.ts';
import type { ApiObject } from '../api/port.ts';
import { ownerReferenceTo, stringMap } from './ownership.ts';

const suffixAlphabet = 'bcdfghjklmnpqrstvwxz2456789';

/** Five characters, as the API server adds to a generateName. */
export function nameSuffix(entropy: Entropy): string {
  return [...entropy.bytes(5)].map((byte) => suffixAlphabet[byte % suffixAlphabet.length]).join('');
}

export interface PodNaming {
  name: string;
  generateName?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  finalizers?: string[];
}

/** A pod of `owner` from its template. */
export function podFromTemplate(owner: ApiObject, template: JsonObject, naming: PodNaming): ApiObject {
  const metadata = isObject(template['metadata']) ? template['metadata'] : {};
  const labels = { ...stringMap(metadata['labels']), ...naming.labels };
  const annotations = { ...stringMap(metadata['annotations']), ...naming.annotations };
  const finalizers = [
    ...(Array.isArray(metadata['finalizers'])
      ? metadata['finalizers'].filter((item): item is string => typeof item === 'string')
      : []),
    ...(naming.finalizers ?? []),
  ];
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: naming.name,
      ...(naming.generateName === undefined ? {} : { generateName: naming.generateName }),
      ...(owner.metadata.namespace === undefined ? {} : { namespace: owner.metadata.namespace }),
      ...(Object.keys(labels).length > 0 ? { labels } : {}),
      ...(Object.keys(annotations).length > 0 ? { annotations } : {}),
      ...(finalizers.length > 0 ? { finalizers } : {}),
      ownerReferences: [ownerReferenceTo(owner)],
    },
    spec: isObject(template['spec']) ? template['spec'] : {},
  };
}
