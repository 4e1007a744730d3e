import type { JsonObject } from '#base/json.ts';
import { isObject } from '#base/json.ts';
import type { FieldError } from '../../api/port.ts';
import { child, children } from '../defaults/fill.ts';
import { compareQuantities, parseQuantity } from '../quantity.ts';
import { duplicate, forbidden, invalid, notSupported, oneOf, required } from './finding.ts';
import { configKeyErrors, nameErrors, portNameErrors, qualifiedNameErrors, variableNameErrors } from './names.ts';
import { validateSecurityContext } from './security-context.ts';

interface ContainerContext {
  volumes: ReadonlySet<string>;
  /** Names of containers seen so far in the pod. */
  names: Set<string>;
}

export function validateContainer(container: JsonObject, path: string, context: ContainerContext): FieldError[] {
  const errors: FieldError[] = [];
  const name = String(container['name'] ?? '');
  if (name === '') errors.push(required(`${path}.name`));
  else for (const why of nameErrors(name, 'label')) errors.push(invalid(`${path}.name`, name, why));
  if (context.names.has(name) && name !== '') errors.push(duplicate(`${path}.name`, name));
  context.names.add(name);
  const image = String(container['image'] ?? '');
  if (image === '') errors.push(required(`${path}.image`));
  else if (image.trim() !== image) {
    errors.push(invalid(`${path}.image`, image, 'must not have leading or trailing whitespace'));
  }
  errors.push(...validatePorts(container, `${path}.ports`));
  errors.push(...validateEnv(container, path));
  errors.push(...validateMounts(container, `${path}.volumeMounts`, context.volumes));
  errors.push(...oneOf(`${path}.imagePullPolicy`, container['imagePullPolicy'], ['Always', 'IfNotPresent', 'Never']));
  for (const probe of ['livenessProbe', 'readinessProbe', 'startupProbe']) {
    errors.push(...validateProbe(child(container, probe), `${path}.${probe}`));
  }
  const lifecycle = child(container, 'lifecycle');
  for (const hook of ['postStart', 'preStop']) {
    const handler = child(lifecycle, hook);
    if (handler !== undefined) errors.push(...validateHandler(handler, `${path}.lifecycle.${hook}`, hookHandlers));
  }
  errors.push(...validateResources(child(container, 'resources'), `${path}.resources`));
  errors.push(...validateSecurityContext(child(container, 'securityContext'), `${path}.securityContext`));
  errors.push(
    ...oneOf(`${path}.terminationMessagePolicy`, container['terminationMessagePolicy'], [
      'FallbackToLogsOnError',
      'File',
    ]),
  );
  return errors;
}

export function validatePortNumber(port: unknown, path: string): FieldError[] {
  const number = typeof port === 'number' ? port : 0;
  return number >= 1 && number <= 65535 ? [] : [invalid(path, number, 'must be between 1 and 65535, inclusive')];
}

function validatePorts(container: JsonObject, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const names = new Set<string>();
  for (const [index, port] of children(container, 'ports').entries()) {
    const at = `${path}[${index}]`;
    const name = String(port['name'] ?? '');
    if (name !== '') {
      const problems = portNameErrors(name);
      for (const why of problems) errors.push(invalid(`${at}.name`, name, why));
      if (problems.length === 0 && names.has(name)) errors.push(duplicate(`${at}.name`, name));
      names.add(name);
    }
    if ((port['containerPort'] ?? 0) === 0) errors.push(required(`${at}.containerPort`));
    else errors.push(...validatePortNumber(port['containerPort'], `${at}.containerPort`));
    if ((port['hostPort'] ?? 0) !== 0) errors.push(...validatePortNumber(port['hostPort'], `${at}.hostPort`));
    errors.push(...oneOf(`${at}.protocol`, port['protocol'], ['SCTP', 'TCP', 'UDP']));
  }
  return errors;
}

function validateEnv(container: JsonObject, path: string): FieldError[] {
  const errors: FieldError[] = [];
  for (const [index, variable] of children(container, 'env').entries()) {
    const at = `${path}.env[${index}]`;
    const name = String(variable['name'] ?? '');
    if (name === '') errors.push(required(`${at}.name`));
    else for (const why of variableNameErrors(name)) errors.push(invalid(`${at}.name`, name, why));
    errors.push(...validateEnvSource(variable, at));
  }
  for (const [index, source] of children(container, 'envFrom').entries()) {
    const count = ['configMapRef', 'secretRef'].filter((name) => isObject(source[name])).length;
    const at = `${path}.envFrom[${index}]`;
    if (count === 0) errors.push(invalid(at, '', 'must specify one of: `configMapRef` or `secretRef`'));
    if (count > 1) errors.push(invalid(at, '', 'may not have more than one field specified at a time'));
  }
  return errors;
}

function validateEnvSource(variable: JsonObject, path: string): FieldError[] {
  const source = child(variable, 'valueFrom');
  if (source === undefined) return [];
  const at = `${path}.valueFrom`;
  const kinds = Object.keys(source).filter((name) => isObject(source[name]));
  const errors: FieldError[] = [];
  if (kinds.length === 0) {
    const choice = 'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`';
    errors.push(invalid(at, '', choice));
  } else if ((variable['value'] ?? '') !== '')
    errors.push(invalid(at, '', 'may not be specified when `value` is not empty'));
  else if (kinds.length > 1) errors.push(invalid(at, '', 'may not have more than one field specified at a time'));
  for (const name of ['configMapKeyRef', 'secretKeyRef']) {
    const reference = child(source, name);
    if (reference === undefined) continue;
    const key = String(reference['key'] ?? '');
    if (key === '') errors.push(required(`${at}.${name}.key`));
    else for (const why of configKeyErrors(key)) errors.push(invalid(`${at}.${name}.key`, key, why));
  }
  const fieldPath = child(source, 'fieldRef')?.['fieldPath'];
  if (isObject(source['fieldRef']))
    errors.push(...validateFieldPath(String(fieldPath ?? ''), `${at}.fieldRef.fieldPath`));
  return errors;
}

const fieldPaths = [
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'spec.nodeName',
  'spec.serviceAccountName',
  'status.hostIP',
  'status.hostIPs',
  'status.podIP',
  'status.podIPs',
];
const keyedPath = /^metadata\.(labels|annotations)\['[^']+'\]$/;

/** Upstream knows a few more fields of pods by label, and then does not support them here. */
const knownElsewhere = ['spec.restartPolicy', 'spec.schedulerName', 'status.phase', 'spec.hostNetwork'];

function validateFieldPath(fieldPath: string, path: string): FieldError[] {
  if (fieldPath === '') return [required(path)];
  if (fieldPaths.includes(fieldPath) || keyedPath.test(fieldPath)) return [];
  if (knownElsewhere.includes(fieldPath)) return [notSupported(path, fieldPath, fieldPaths)];
  return [invalid(path, fieldPath, `error converting fieldPath: field label not supported: ${fieldPath}`)];
}

function validateMounts(container: JsonObject, path: string, volumes: ReadonlySet<string>): FieldError[] {
  const errors: FieldError[] = [];
  const paths = new Set<string>();
  for (const [index, mount] of children(container, 'volumeMounts').entries()) {
    const at = `${path}[${index}]`;
    const name = String(mount['name'] ?? '');
    if (name === '') errors.push(required(`${at}.name`));
    else if (!volumes.has(name)) {
      errors.push({ field: `${at}.name`, reason: 'FieldValueNotFound', message: `Not found: ${JSON.stringify(name)}` });
    }
    const mountPath = String(mount['mountPath'] ?? '');
    if (mountPath === '') errors.push(required(`${at}.mountPath`));
    else if (paths.has(mountPath)) errors.push(invalid(`${at}.mountPath`, mountPath, 'must be unique'));
    paths.add(mountPath);
    const subPath = String(mount['subPath'] ?? '');
    if (subPath.startsWith('/')) errors.push(invalid(`${at}.subPath`, subPath, 'must be a relative path'));
    if (subPath.split('/').includes('..')) errors.push(invalid(`${at}.subPath`, subPath, "must not contain '..'"));
  }
  return errors;
}

const probeHandlers = ['exec', 'httpGet', 'tcpSocket', 'grpc'];
const hookHandlers = ['exec', 'httpGet', 'tcpSocket', 'sleep'];

function validateHandler(handler: JsonObject, path: string, kinds: readonly string[]): FieldError[] {
  const errors: FieldError[] = [];
  const given = kinds.filter((name) => isObject(handler[name]));
  if (given.length === 0) errors.push(required(path, 'must specify a handler type'));
  for (const name of given.slice(1))
    errors.push(forbidden(`${path}.${name}`, 'may not specify more than 1 handler type'));
  for (const name of ['httpGet', 'tcpSocket']) {
    const action = child(handler, name);
    if (action !== undefined) errors.push(...validatePortReference(action['port'], `${path}.${name}.port`));
  }
  const grpc = child(handler, 'grpc');
  if (grpc !== undefined) errors.push(...validatePortNumber(grpc['port'], `${path}.grpc.port`));
  const exec = child(handler, 'exec');
  if (exec !== undefined && children0(exec['command']) === 0) errors.push(required(`${path}.exec.command`));
  const http = child(handler, 'httpGet');
  if (http === undefined) return errors;
  if ((http['path'] ?? '') === '') errors.push(required(`${path}.httpGet.path`));
  return [...errors, ...oneOf(`${path}.httpGet.scheme`, http['scheme'], ['HTTP', 'HTTPS'])];
}

function validateProbe(probe: JsonObject | undefined, path: string): FieldError[] {
  if (probe === undefined) return [];
  const errors = validateHandler(probe, path, probeHandlers);
  for (const name of [
    'initialDelaySeconds',
    'timeoutSeconds',
    'periodSeconds',
    'successThreshold',
    'failureThreshold',
  ]) {
    const value = probe[name];
    if (typeof value === 'number' && value < 0) {
      errors.push(invalid(`${path}.${name}`, value, 'must be greater than or equal to 0'));
    }
  }
  if (
    !path.endsWith('readinessProbe') &&
    typeof probe['successThreshold'] === 'number' &&
    probe['successThreshold'] > 1
  ) {
    errors.push(invalid(`${path}.successThreshold`, probe['successThreshold'], 'must be 1'));
  }
  return errors;
}

function children0(list: unknown): number {
  return Array.isArray(list) ? list.length : 0;
}

/** A port by number or by name. */
export function validatePortReference(port: unknown, path: string): FieldError[] {
  if (typeof port !== 'string') return validatePortNumber(port, path);
  return portNameErrors(port).map((why) => invalid(path, port, why));
}

const resourceNames = new Set(['cpu', 'memory', 'storage', 'ephemeral-storage']);

function validateResources(resources: JsonObject | undefined, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const limits = child(resources, 'limits') ?? {};
  const requests = child(resources, 'requests') ?? {};
  for (const [part, amounts] of [
    ['limits', limits],
    ['requests', requests],
  ] as const) {
    for (const [name, amount] of Object.entries(amounts))
      errors.push(...validateAmount(name, amount, `${path}.${part}`));
  }
  for (const [name, request] of Object.entries(requests)) {
    const limit = limits[name];
    if (limit === undefined) continue;
    const wanted = parseQuantity(String(request));
    const most = parseQuantity(String(limit));
    if (wanted === undefined || most === undefined || compareQuantities(wanted, most) <= 0) continue;
    errors.push(
      invalid(`${path}.requests`, request, `must be less than or equal to ${name} limit of ${String(limit)}`),
    );
  }
  return errors;
}

function validateAmount(name: string, amount: unknown, path: string): FieldError[] {
  const errors = qualifiedNameErrors(name).map((why) => invalid(path, name, why));
  if (errors.length === 0 && !name.includes('/') && !resourceNames.has(name) && !name.startsWith('hugepages-')) {
    errors.push(invalid(path, name, 'must be a standard resource type or fully qualified'));
    errors.push(invalid(path, name, 'must be a standard resource for containers'));
  }
  const quantity = parseQuantity(String(amount));
  if (quantity !== undefined && quantity.unscaled < 0n) {
    errors.push(invalid(`${path}[${name}]`, amount, 'must be greater than or equal to 0'));
  }
  return errors;
}

export function unsupportedRestart(policy: unknown, path: string, supported: readonly string[]): FieldError[] {
  return typeof policy === 'string' && supported.includes(policy) ? [] : [notSupported(path, policy, supported)];
}
