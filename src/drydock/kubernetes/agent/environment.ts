import { getNumber, getObject, getPath, getString, isObject, type JsonObject } from '#base/json.ts';
import type { ApiObject } from '../api/port.ts';

export interface EnvironmentSources {
  pod: ApiObject;
  hostIp: string;
  configMap(name: string): ApiObject | undefined;
  secret(name: string): ApiObject | undefined;
}

/** A reference in the container's spec leads nowhere; the message is what the container status shows. */
export class MissingReference extends Error {
  override name = 'MissingReference';
}

/**
 * The variables of a container: `base` (image, ports, service links), then envFrom, then env in order with `$(NAME)`
 * expanded from what is known so far. Throws MissingReference.
 */
export function containerEnvironment(
  base: Record<string, string>,
  spec: { env: readonly JsonObject[]; envFrom: readonly JsonObject[] },
  sources: EnvironmentSources,
): Record<string, string> {
  const known: Record<string, string> = { ...base };
  for (const source of spec.envFrom) Object.assign(known, allOf(source, sources));
  for (const entry of spec.env) {
    const name = getString(entry, 'name') ?? '';
    const from = entry['valueFrom'];
    if (isObject(from)) {
      const value = referenced(from, sources);
      if (value !== undefined) known[name] = value;
    } else known[name] = expand(getString(entry, 'value') ?? '', known);
  }
  return known;
}

/** `$(NAME)` by its value when known, `$$` by `$`, everything else as it stands. */
export function expand(text: string, known: Record<string, string>): string {
  return text.replace(/\$(\$|\(([^()]*)\))/g, (whole, rest: string, name: string | undefined) => {
    if (rest === '$') return '$';
    return name !== undefined && known[name] !== undefined ? known[name] : whole;
  });
}

function allOf(source: JsonObject, sources: EnvironmentSources): Record<string, string> {
  const prefix = getString(source, 'prefix') ?? '';
  const found: Record<string, string> = {};
  for (const kind of ['configMap', 'secret'] as const) {
    const reference = source[`${kind}Ref`];
    if (!isObject(reference)) continue;
    const name = getString(reference, 'name') ?? '';
    const object = kind === 'configMap' ? sources.configMap(name) : sources.secret(name);
    if (!object && reference['optional'] !== true) throw missing(kind, name);
    for (const [key, value] of Object.entries(object ? dataOf(object) : {}))
      found[`${prefix}${key}`] = value.toString();
  }
  return found;
}

function referenced(from: JsonObject, sources: EnvironmentSources): string | undefined {
  for (const kind of ['configMap', 'secret'] as const) {
    const reference = from[`${kind}KeyRef`];
    if (!isObject(reference)) continue;
    const name = getString(reference, 'name') ?? '';
    const key = getString(reference, 'key') ?? '';
    const optional = reference['optional'] === true;
    const object = kind === 'configMap' ? sources.configMap(name) : sources.secret(name);
    const value = object ? dataOf(object)[key] : undefined;
    if (value !== undefined) return value.toString();
    if (optional) return undefined;
    if (!object) throw missing(kind, name);
    const namespace = sources.pod.metadata.namespace ?? '';
    throw new MissingReference(
      `couldn't find key ${key} in ${kind === 'configMap' ? 'ConfigMap' : 'Secret'} ${namespace}/${name}`,
    );
  }
  if (isObject(from['fieldRef'])) return fieldOf(getString(from, 'fieldRef', 'fieldPath') ?? '', sources);
  if (isObject(from['resourceFieldRef']))
    throw new MissingReference('env from resourceFieldRef is not supported: containers here have no resource limits');
  throw new MissingReference(`env source ${Object.keys(from).join(', ')} is not supported`);
}

function missing(kind: 'configMap' | 'secret', name: string): MissingReference {
  return new MissingReference(`${kind.toLowerCase()} "${name}" not found`);
}

/** data and binaryData of a ConfigMap, or the decoded data of a Secret. */
export function dataOf(object: ApiObject): Record<string, Buffer> {
  const found: Record<string, Buffer> = {};
  const encoded = object.kind === 'Secret' ? 'data' : 'binaryData';
  for (const [key, value] of Object.entries(getObject(object, encoded)))
    if (typeof value === 'string') found[key] = Buffer.from(value, 'base64');
  if (object.kind !== 'Secret')
    for (const [key, value] of Object.entries(getObject(object, 'data')))
      if (typeof value === 'string') found[key] = Buffer.from(value);
  return found;
}

/** A downward API field; throws MissingReference for one that is not known. */
export function fieldOf(path: string, sources: Pick<EnvironmentSources, 'pod' | 'hostIp'>): string {
  const { pod } = sources;
  const subscript = /^metadata\.(labels|annotations)\['([^']+)'\]$/.exec(path);
  if (subscript) return getString(pod, 'metadata', subscript[1] ?? '', subscript[2] ?? '') ?? '';
  switch (path) {
    case 'status.hostIP':
    case 'status.hostIPs':
      return sources.hostIp;
    case 'status.podIP':
    case 'status.podIPs':
      return getString(pod, 'status', 'podIP') ?? '';
    case 'metadata.labels':
    case 'metadata.annotations': {
      const map = Object.entries(getObject(pod, ...path.split('.')));
      return map
        .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
        .sort()
        .join('\n');
    }
    case 'metadata.name':
    case 'metadata.namespace':
    case 'metadata.uid':
    case 'spec.nodeName':
    case 'spec.serviceAccountName': {
      const value = getPath(pod, ...path.split('.'));
      return typeof value === 'string' ? value : String(getNumber(pod, ...path.split('.')) ?? '');
    }
    default:
      throw new MissingReference(`field path ${path} is not supported`);
  }
}
