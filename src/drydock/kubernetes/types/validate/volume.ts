import type { JsonObject } from '#base/json.ts';
import { isObject } from '#base/json.ts';
import type { FieldError } from '../../api/port.ts';
import { child, children } from '../defaults/fill.ts';
import { duplicate, forbidden, invalid, oneOf, required } from './finding.ts';
import { nameErrors } from './names.ts';

/** What each source cannot do without. */
const requiredOfVolume: Record<string, string[]> = {
  hostPath: ['path'],
  secret: ['secretName'],
  configMap: ['name'],
  persistentVolumeClaim: ['claimName'],
  nfs: ['server', 'path'],
  csi: ['driver'],
  gcePersistentDisk: ['pdName'],
  awsElasticBlockStore: ['volumeID'],
  glusterfs: ['endpoints', 'path'],
};

const hostPathTypes = [
  '',
  'BlockDevice',
  'CharDevice',
  'Directory',
  'DirectoryOrCreate',
  'File',
  'FileOrCreate',
  'Socket',
];

/** Checks one volume of a pod; adds its name to those seen. */
export function validateVolume(volume: JsonObject, path: string, names: Set<string>): FieldError[] {
  const errors: FieldError[] = [];
  const name = String(volume['name'] ?? '');
  if (name === '') errors.push(required(`${path}.name`));
  else for (const why of nameErrors(name, 'label')) errors.push(invalid(`${path}.name`, name, why));
  if (names.has(name) && name !== '') errors.push(duplicate(`${path}.name`, name));
  names.add(name);
  const sources = Object.keys(volume).filter((key) => isObject(volume[key]));
  if (sources.length === 0) errors.push(required(path, 'must specify a volume type'));
  for (const source of sources.slice(1)) {
    errors.push(forbidden(`${path}.${source}`, 'may not specify more than 1 volume type'));
  }
  const [source] = sources;
  return source === undefined ? errors : [...errors, ...validateSource(volume, source, path)];
}

function validateSource(volume: JsonObject, source: string, path: string): FieldError[] {
  const at = `${path}.${source}`;
  const given = child(volume, source) ?? {};
  const errors = (requiredOfVolume[source] ?? [])
    .filter((member) => (given[member] ?? '') === '')
    .map((member) => required(`${at}.${member}`));
  switch (source) {
    case 'hostPath':
      errors.push(...backsteps(given['path'], `${at}.path`));
      errors.push(...oneOf(`${at}.type`, given['type'], hostPathTypes));
      break;
    case 'secret':
    case 'configMap':
      errors.push(...validateMode(given['defaultMode'], `${at}.defaultMode`));
      errors.push(...validateItems(given, at));
      break;
    case 'projected':
      errors.push(...validateMode(given['defaultMode'], `${at}.defaultMode`));
      errors.push(...validateProjection(given, at));
      break;
    case 'downwardAPI':
      errors.push(...validateMode(given['defaultMode'], `${at}.defaultMode`));
      for (const [index, item] of children(given, 'items').entries()) {
        errors.push(...validateFilePath(item['path'], `${at}.items[${index}].path`));
      }
      break;
    case 'nfs':
      if (typeof given['path'] === 'string' && given['path'] !== '' && !given['path'].startsWith('/')) {
        errors.push(invalid(`${at}.path`, given['path'], 'must be an absolute path'));
      }
      break;
    default:
  }
  return errors;
}

function backsteps(path: unknown, field: string): FieldError[] {
  const parts = String(path ?? '').split('/');
  return parts.includes('..') ? [invalid(field, path, "must not contain '..'")] : [];
}

function validateMode(mode: unknown, path: string): FieldError[] {
  if (typeof mode !== 'number' || (mode >= 0 && mode <= 0o777)) return [];
  return [invalid(path, mode, 'must be a number between 0 and 0777 (octal), both inclusive')];
}

function validateItems(source: JsonObject, path: string): FieldError[] {
  return children(source, 'items').flatMap((item, index) => {
    const at = `${path}.items[${index}]`;
    return [
      ...((item['key'] ?? '') === '' ? [required(`${at}.key`)] : []),
      ...validateFilePath(item['path'], `${at}.path`),
      ...validateMode(item['mode'], `${at}.mode`),
    ];
  });
}

/** A file inside the volume: relative, and never above it. */
function validateFilePath(path: unknown, field: string): FieldError[] {
  if (typeof path !== 'string' || path === '') return [required(field)];
  const errors = path.startsWith('/') ? [invalid(field, path, 'must be a relative path')] : [];
  errors.push(...backsteps(path, field));
  if (path.startsWith('..') && !path.split('/').includes('..')) {
    errors.push(invalid(field, path, "must not start with '..'"));
  }
  return errors;
}

function validateProjection(projected: JsonObject, path: string): FieldError[] {
  return children(projected, 'sources').flatMap((source, index) => {
    const at = `${path}.sources[${index}]`;
    const kinds = Object.keys(source).filter((key) => isObject(source[key]));
    const errors: FieldError[] = [];
    if (kinds.length === 0) errors.push(required(at, 'must specify exactly one source'));
    for (const kind of kinds.slice(1)) {
      errors.push(forbidden(`${at}.${kind}`, 'may not specify more than 1 volume type per source'));
    }
    for (const kind of ['secret', 'configMap']) {
      const part = child(source, kind);
      if (part === undefined) continue;
      if ((part['name'] ?? '') === '') errors.push(required(`${at}.${kind}.name`));
      errors.push(...validateItems(part, `${at}.${kind}`));
    }
    const token = child(source, 'serviceAccountToken');
    if (token !== undefined) {
      const seconds = token['expirationSeconds'];
      if (typeof seconds === 'number' && seconds < 600) {
        const field = `${at}.serviceAccountToken.expirationSeconds`;
        errors.push(invalid(field, seconds, 'may not specify a duration less than 10 minutes'));
      }
      if ((token['path'] ?? '') === '') errors.push(required(`${at}.serviceAccountToken.path`));
    }
    return errors;
  });
}
