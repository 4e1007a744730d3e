import type { JsonObject } from '#base/json.ts';
import { isObject } from '#base/json.ts';
import type { FieldError } from '../../api/port.ts';
import { child, children } from '../defaults/fill.ts';
import { validateContainer } from './container.ts';
import { duplicate, forbidden, invalid, notSupported, oneOf, required } from './finding.ts';
import { validateAnnotations, validateLabels } from './metadata.ts';
import { nameErrors, qualifiedNameErrors } from './names.ts';
import { validateSelector } from './selector.ts';

export const restartPolicies = ['Always', 'OnFailure', 'Never'];

export function validateTemplate(template: JsonObject | undefined, path: string): FieldError[] {
  const metadata = child(template, 'metadata');
  return [
    ...validateLabels(metadata?.['labels'], `${path}.labels`),
    ...validateAnnotations(metadata?.['annotations'], `${path}.annotations`),
    ...validatePodSpec(child(template, 'spec') ?? {}, `${path}.spec`),
  ];
}

export function validatePodSpec(spec: JsonObject, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const volumes = new Set<string>();
  for (const [index, volume] of children(spec, 'volumes').entries()) {
    errors.push(...validateVolume(volume, `${path}.volumes[${index}]`, volumes));
  }
  const context = { volumes, names: new Set<string>() };
  const containers = children(spec, 'containers');
  if (containers.length === 0) errors.push(required(`${path}.containers`));
  for (const list of ['containers', 'initContainers', 'ephemeralContainers']) {
    for (const [index, container] of children(spec, list).entries()) {
      errors.push(...validateContainer(container, `${path}.${list}[${index}]`, context));
    }
  }
  errors.push(...restartErrors(spec['restartPolicy'], `${path}.restartPolicy`));
  errors.push(
    ...oneOf(`${path}.dnsPolicy`, spec['dnsPolicy'], ['ClusterFirst', 'ClusterFirstWithHostNet', 'Default', 'None']),
  );
  errors.push(...validateLabels(spec['nodeSelector'], `${path}.nodeSelector`));
  errors.push(...validateNames(spec, path));
  const grace = spec['terminationGracePeriodSeconds'];
  if (typeof grace === 'number' && grace < 0) {
    errors.push(invalid(`${path}.terminationGracePeriodSeconds`, grace, 'must be greater than or equal to 0'));
  }
  const deadline = spec['activeDeadlineSeconds'];
  if (typeof deadline === 'number' && (deadline < 1 || deadline > 2147483647)) {
    errors.push(invalid(`${path}.activeDeadlineSeconds`, deadline, 'must be between 1 and 2147483647, inclusive'));
  }
  for (const [index, toleration] of children(spec, 'tolerations').entries()) {
    errors.push(...validateToleration(toleration, `${path}.tolerations[${index}]`));
  }
  for (const [index, constraint] of children(spec, 'topologySpreadConstraints').entries()) {
    errors.push(...validateSpread(constraint, `${path}.topologySpreadConstraints[${index}]`));
  }
  return errors;
}

function restartErrors(policy: unknown, path: string): FieldError[] {
  if (typeof policy !== 'string' || policy === '') return [required(path)];
  return restartPolicies.includes(policy) ? [] : [notSupported(path, policy, restartPolicies)];
}

function validateNames(spec: JsonObject, path: string): FieldError[] {
  const errors: FieldError[] = [];
  for (const [name, rule] of [
    ['serviceAccountName', 'subdomain'],
    ['nodeName', 'subdomain'],
    ['priorityClassName', 'subdomain'],
    ['hostname', 'label'],
    ['subdomain', 'label'],
  ] as const) {
    const value = spec[name];
    if (typeof value !== 'string' || value === '') continue;
    for (const why of nameErrors(value, rule)) errors.push(invalid(`${path}.${name}`, value, why));
  }
  for (const [index, secret] of children(spec, 'imagePullSecrets').entries()) {
    if ((secret['name'] ?? '') === '') errors.push(required(`${path}.imagePullSecrets[${index}].name`));
  }
  return errors;
}

/** What each source cannot do without. */
const requiredOfVolume: Record<string, string[]> = {
  hostPath: ['path'],
  secret: ['secretName'],
  configMap: ['name'],
  persistentVolumeClaim: ['claimName'],
  nfs: ['server', 'path'],
  csi: ['driver'],
};

function validateVolume(volume: JsonObject, path: string, names: Set<string>): FieldError[] {
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
  if (source === undefined) return errors;
  for (const member of requiredOfVolume[source] ?? []) {
    if ((child(volume, source)?.[member] ?? '') === '') errors.push(required(`${path}.${source}.${member}`));
  }
  return errors;
}

function validateToleration(toleration: JsonObject, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const { key, operator, value, effect } = toleration;
  if (typeof key === 'string' && key !== '') {
    for (const why of qualifiedNameErrors(key)) errors.push(invalid(`${path}.key`, key, why));
  } else if (operator !== 'Exists') {
    errors.push(
      invalid(
        `${path}.operator`,
        operator ?? '',
        'operator must be Exists when `key` is empty, which means "match all values and all keys"',
      ),
    );
  }
  if (operator === 'Exists' && (value ?? '') !== '') {
    errors.push(invalid(`${path}.operator`, toleration, "value must be empty when `operator` is 'Exists'"));
  }
  errors.push(...oneOf(`${path}.operator`, operator, ['Equal', 'Exists']));
  errors.push(...oneOf(`${path}.effect`, effect, ['NoSchedule', 'PreferNoSchedule', 'NoExecute']));
  return errors;
}

function validateSpread(constraint: JsonObject, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const { maxSkew, topologyKey, whenUnsatisfiable } = constraint;
  if (typeof maxSkew !== 'number' || maxSkew <= 0) {
    errors.push(invalid(`${path}.maxSkew`, maxSkew ?? 0, 'must be greater than zero'));
  }
  if ((topologyKey ?? '') === '') errors.push(required(`${path}.topologyKey`, 'can not be empty'));
  errors.push(...oneOf(`${path}.whenUnsatisfiable`, whenUnsatisfiable, ['DoNotSchedule', 'ScheduleAnyway']));
  errors.push(...validateSelector(constraint['labelSelector'], `${path}.labelSelector`));
  return errors;
}
