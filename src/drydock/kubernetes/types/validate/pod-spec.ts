import { isIP } from 'node:net';
import type { JsonObject } from '#base/json.ts';
import type { FieldError } from '../../api/port.ts';
import { child, children } from '../defaults/fill.ts';
import { validateAffinity, validateSpreads } from './affinity.ts';
import { validateContainer } from './container.ts';
import { duplicate, forbidden, invalid, notSupported, oneOf, required } from './finding.ts';
import { validateAnnotations, validateLabels } from './metadata.ts';
import { labelValueErrors, nameErrors, qualifiedNameErrors } from './names.ts';
import { validateInitContainer, validatePodSecurityContext } from './security-context.ts';
import { validateVolume } from './volume.ts';

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
      const at = `${path}.${list}[${index}]`;
      errors.push(...validateContainer(container, at, context));
      if (list === 'initContainers') errors.push(...validateInitContainer(container, at));
      else if (list === 'containers' && container['restartPolicy'] !== undefined) {
        errors.push(forbidden(`${at}.restartPolicy`, 'may not be set for non-init containers'));
      }
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
  errors.push(
    ...validateSpreads(children(spec, 'topologySpreadConstraints'), `${path}.topologySpreadConstraints`),
    ...validateAffinity(child(spec, 'affinity'), `${path}.affinity`),
    ...validatePodSecurityContext(child(spec, 'securityContext'), `${path}.securityContext`),
    ...validateNetworking(spec, path),
  );
  return errors;
}

/** Upstream reports no more nameservers and hosts than these. */
const mostNameservers = 3;
const addressText = 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)';

function validateNetworking(spec: JsonObject, path: string): FieldError[] {
  const errors: FieldError[] = [];
  for (const [index, alias] of children(spec, 'hostAliases').entries()) {
    const at = `${path}.hostAliases[${index}]`;
    if (isIP(String(alias['ip'] ?? '')) === 0) errors.push(invalid(`${at}.ip`, alias['ip'] ?? '', addressText));
    const names: unknown[] = Array.isArray(alias['hostnames']) ? alias['hostnames'] : [];
    for (const [which, name] of names.entries()) {
      for (const why of nameErrors(String(name), 'subdomain'))
        errors.push(invalid(`${at}.hostnames[${which}]`, name, why));
    }
  }
  const servers: unknown[] = listOf(child(spec, 'dnsConfig')?.['nameservers']);
  const at = `${path}.dnsConfig.nameservers`;
  if (spec['dnsPolicy'] === 'None' && servers.length === 0) {
    const field = child(spec, 'dnsConfig') === undefined ? `${path}.dnsConfig` : at;
    errors.push(required(field, 'must provide at least one DNS nameserver when `dnsPolicy` is None'));
  }
  if (servers.length > mostNameservers) {
    errors.push(invalid(at, servers, `must not have more than ${mostNameservers} nameservers`));
  }
  for (const [index, server] of servers.entries()) {
    if (isIP(String(server)) === 0) errors.push(invalid(`${at}[${index}]`, server, addressText));
  }
  return [...errors, ...validateHostPorts(spec, path)];
}

/** Ports of the host, each once in a pod; with the host's network they are the container's own. */
function validateHostPorts(spec: JsonObject, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const taken = new Set<string>();
  for (const [index, container] of children(spec, 'containers').entries()) {
    for (const [at, port] of children(container, 'ports').entries()) {
      const field = `${path}.containers[${index}].ports[${at}]`;
      const { hostPort = 0, hostIP = '', protocol = 'TCP', containerPort } = port;
      if (spec['hostNetwork'] === true && hostPort !== 0 && hostPort !== containerPort) {
        errors.push(
          invalid(`${field}.containerPort`, containerPort, 'must match `hostPort` when `hostNetwork` is true'),
        );
      }
      if (hostPort === 0) continue;
      const key = `${String(protocol)}/${String(hostIP)}/${String(hostPort)}`;
      if (taken.has(key)) errors.push(duplicate(`${field}.hostPort`, key));
      taken.add(key);
    }
  }
  return errors;
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
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
  if (toleration['tolerationSeconds'] !== undefined && effect !== 'NoExecute') {
    errors.push(invalid(`${path}.effect`, effect ?? '', "effect must be 'NoExecute' when `tolerationSeconds` is set"));
  }
  if (operator !== 'Exists') {
    for (const why of labelValueErrors(String(value ?? ''))) errors.push(invalid(`${path}.operator`, value, why));
  }
  errors.push(...oneOf(`${path}.operator`, operator, ['Equal', 'Exists']));
  errors.push(...oneOf(`${path}.effect`, effect, ['NoSchedule', 'PreferNoSchedule', 'NoExecute']));
  return errors;
}
