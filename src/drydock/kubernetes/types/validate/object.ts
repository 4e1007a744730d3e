import type { JsonObject } from '#base/json.ts';
import { isObject, jsonEqual } from '#base/json.ts';
import type { ApiObject, FieldError } from '../../api/port.ts';
import { child, children } from '../defaults/fill.ts';
import { compareQuantities, parseQuantity } from '../quantity.ts';
import { duplicate, forbidden, invalid, notSupported, oneOf, required, tooLong } from './finding.ts';
import { configKeyErrors } from './names.ts';
import { specOf } from './workload.ts';

const dataLimit = 1024 * 1024;
const frozen = 'field is immutable when `immutable` is set';

export function validateConfigMap(object: ApiObject, old: ApiObject | undefined): FieldError[] {
  const errors: FieldError[] = [];
  const binary = child(object, 'binaryData') ?? {};
  for (const key of Object.keys(child(object, 'data') ?? {})) {
    for (const why of configKeyErrors(key)) errors.push(invalid(`data[${key}]`, key, why));
    if (key in binary) errors.push(invalid(`data[${key}]`, key, 'duplicate of key present in binaryData'));
  }
  for (const key of Object.keys(binary)) {
    for (const why of configKeyErrors(key)) errors.push(invalid(`binaryData[${key}]`, key, why));
  }
  if (bytesOf(object) > dataLimit) errors.push(tooLong('[]', dataLimit));
  return [...errors, ...immutableData(object, old, ['data', 'binaryData'])];
}

function bytesOf(object: ApiObject): number {
  let size = 0;
  for (const value of Object.values(child(object, 'data') ?? {})) size += Buffer.byteLength(String(value));
  for (const value of Object.values(child(object, 'binaryData') ?? {})) size += decodedLength(value);
  return size;
}

function decodedLength(value: unknown): number {
  return typeof value === 'string' ? Buffer.byteLength(value, 'base64') : 0;
}

function immutableData(object: ApiObject, old: ApiObject | undefined, members: string[]): FieldError[] {
  if (old?.['immutable'] !== true) return [];
  const errors: FieldError[] = [];
  if (object['immutable'] !== true) errors.push(forbidden('immutable', frozen));
  for (const name of members) {
    if (!jsonEqual(object[name] ?? {}, old[name] ?? {})) errors.push(forbidden(name, frozen));
  }
  return errors;
}

/** Keys that a type of Secret must have. */
const secretKeys: Record<string, string[]> = {
  'kubernetes.io/tls': ['tls.crt', 'tls.key'],
  'kubernetes.io/dockerconfigjson': ['.dockerconfigjson'],
  'kubernetes.io/dockercfg': ['.dockercfg'],
  'kubernetes.io/ssh-auth': ['ssh-privatekey'],
};

export function validateSecret(object: ApiObject, old: ApiObject | undefined): FieldError[] {
  const errors: FieldError[] = [];
  const data = child(object, 'data') ?? {};
  let size = 0;
  for (const [key, value] of Object.entries(data)) {
    for (const why of configKeyErrors(key)) errors.push(invalid(`data[${key}]`, key, why));
    size += decodedLength(value);
  }
  if (size > dataLimit) errors.push(tooLong('data', dataLimit));
  for (const key of secretKeys[String(object['type'])] ?? []) {
    if (data[key] === undefined) errors.push(required(`data[${key}]`));
  }
  const docker = data['.dockerconfigjson'];
  if (object['type'] === 'kubernetes.io/dockerconfigjson' && typeof docker === 'string' && !isJson(docker)) {
    errors.push(invalid('data[.dockerconfigjson]', '<secret contents redacted>', 'invalid character'));
  }
  if (old === undefined) return errors;
  const before = old['type'];
  if (before !== undefined && object['type'] !== before)
    errors.push(invalid('type', object['type'], 'field is immutable'));
  return [...errors, ...immutableData(object, old, ['data'])];
}

function isJson(base64: string): boolean {
  try {
    JSON.parse(Buffer.from(base64, 'base64').toString('utf8'));
    return true;
  } catch {
    return false;
  }
}

const claimUpdate =
  'spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims';
const accessModes = ['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod'];

export function validateClaim(object: ApiObject, old: ApiObject | undefined): FieldError[] {
  const spec = specOf(object);
  const errors = validateAccessModes(spec);
  const storage = child(child(spec, 'resources'), 'requests')?.['storage'];
  if (storage === undefined) errors.push(required('spec.resources[storage]'));
  else errors.push(...positive(storage, 'spec.resources[storage]'));
  errors.push(...oneOf('spec.volumeMode', spec['volumeMode'], ['Block', 'Filesystem']));
  return old === undefined ? errors : [...errors, ...claimChanges(spec, specOf(old), child(old, 'status')?.['phase'])];
}

function validateAccessModes(spec: JsonObject): FieldError[] {
  const modes = Array.isArray(spec['accessModes']) ? spec['accessModes'] : [];
  if (modes.length === 0) return [required('spec.accessModes', 'at least 1 access mode is required')];
  return modes.flatMap((mode: unknown) =>
    accessModes.includes(String(mode)) ? [] : [notSupported('spec.accessModes', mode, accessModes)],
  );
}

function positive(amount: unknown, path: string): FieldError[] {
  const quantity = parseQuantity(String(amount));
  return quantity !== undefined && quantity.unscaled > 0n ? [] : [invalid(path, amount, 'must be greater than zero')];
}

/** Filled in by binding; a bound claim's request may grow. */
function claimChanges(spec: JsonObject, old: JsonObject, phase: unknown): FieldError[] {
  const errors: FieldError[] = [];
  const fixed = ({ resources: _r, volumeAttributesClassName: _v, ...rest }: JsonObject): JsonObject => {
    for (const name of ['volumeName', 'storageClassName']) if ((old[name] ?? '') === '') delete rest[name];
    return rest;
  };
  const amount = (of: JsonObject): unknown => child(child(of, 'resources'), 'requests')?.['storage'];
  const resized = !jsonEqual(amount(spec), amount(old));
  if (!jsonEqual(fixed({ ...spec }), fixed({ ...old })) || (resized && phase !== 'Bound')) {
    errors.push(forbidden('spec', claimUpdate));
  } else if (resized) {
    const now = parseQuantity(String(amount(spec)));
    const before = parseQuantity(String(amount(old)));
    if (now !== undefined && before !== undefined && compareQuantities(now, before) < 0) {
      errors.push(forbidden('spec.resources.requests.storage', 'field can not be less than status.capacity'));
    }
  }
  return errors;
}

export function validateVolume(object: ApiObject, old: ApiObject | undefined): FieldError[] {
  const spec = specOf(object);
  const errors = validateAccessModes(spec);
  const storage = child(spec, 'capacity')?.['storage'];
  if (storage === undefined) errors.push(required('spec.capacity'));
  else errors.push(...positive(storage, 'spec.capacity[storage]'));
  const others = new Set(['accessModes', 'capacity', 'claimRef', 'mountOptions', 'nodeAffinity']);
  const sources = Object.keys(spec).filter((key) => isObject(spec[key]) && !others.has(key));
  if (sources.length === 0) errors.push(required('spec', 'must specify a volume type'));
  for (const source of sources.slice(1))
    errors.push(forbidden(`spec.${source}`, 'may not specify more than 1 volume type'));
  const [source] = sources;
  if (old !== undefined && source !== undefined && !jsonEqual(spec[source], specOf(old)[source])) {
    errors.push(forbidden('spec.persistentvolumesource', 'spec.persistentvolumesource is immutable after creation'));
  }
  errors.push(
    ...oneOf('spec.persistentVolumeReclaimPolicy', spec['persistentVolumeReclaimPolicy'], [
      'Delete',
      'Recycle',
      'Retain',
    ]),
  );
  return errors;
}

export function validateStorageClass(object: ApiObject, old: ApiObject | undefined): FieldError[] {
  const errors: FieldError[] = [];
  if ((object['provisioner'] ?? '') === '') errors.push(required('provisioner'));
  errors.push(...oneOf('reclaimPolicy', object['reclaimPolicy'], ['Delete', 'Retain']));
  errors.push(...oneOf('volumeBindingMode', object['volumeBindingMode'], ['Immediate', 'WaitForFirstConsumer']));
  if (old === undefined) return errors;
  if (!jsonEqual(object['parameters'] ?? {}, old['parameters'] ?? {})) {
    errors.push(forbidden('parameters', 'updates to parameters are forbidden.'));
  }
  if (object['provisioner'] !== old['provisioner']) {
    errors.push(forbidden('provisioner', 'updates to provisioner are forbidden.'));
  }
  for (const name of ['reclaimPolicy', 'volumeBindingMode']) {
    if (object[name] !== old[name]) errors.push(invalid(name, object[name], 'field is immutable'));
  }
  return errors;
}

export function validatePriorityClass(object: ApiObject, old: ApiObject | undefined): FieldError[] {
  if (old === undefined) return [];
  return object['value'] === old['value'] ? [] : [forbidden('value', 'may not be changed in an update.')];
}

export function validateServiceAccount(object: ApiObject): FieldError[] {
  const seen = new Set<unknown>();
  return children(object, 'secrets').flatMap((secret, index) => {
    const again = seen.has(secret['name']);
    seen.add(secret['name']);
    return again ? [duplicate(`secrets[${index}].name`, secret['name'])] : [];
  });
}
