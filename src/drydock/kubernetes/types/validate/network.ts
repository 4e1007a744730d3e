import { isIP } from 'node:net';
import type { JsonObject } from '#base/json.ts';
import { isObject, jsonEqual } from '#base/json.ts';
import type { ApiObject, FieldError } from '../../api/port.ts';
import { child, children } from '../defaults/fill.ts';
import { goStringList } from '../go-format.ts';
import { validatePortNumber, validatePortReference } from './container.ts';
import { duplicate, forbidden, invalid, invalidGo, notSupported, oneOf, required } from './finding.ts';
import { validateLabels } from './metadata.ts';
import { nameErrors } from './names.ts';
import { validateSelector } from './selector.ts';
import { specOf } from './workload.ts';

const serviceTypes = ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort'];

export function validateService(object: ApiObject, old: ApiObject | undefined): FieldError[] {
  const spec = specOf(object);
  const { type } = spec;
  const errors: FieldError[] = [];
  const ports = children(spec, 'ports');
  const headless = spec['clusterIP'] === 'None';
  if (ports.length === 0 && !headless && type !== 'ExternalName') errors.push(required('spec.ports'));
  errors.push(...oneOf('spec.sessionAffinity', spec['sessionAffinity'], ['ClientIP', 'None']));
  if (type === 'ExternalName') errors.push(...validateExternalName(spec));
  else if (typeof type !== 'string' || !serviceTypes.includes(type)) {
    errors.push(notSupported('spec.type', type, serviceTypes));
  }
  if (type === 'LoadBalancer' && headless) {
    errors.push(
      invalidGo(
        'spec.clusterIPs[0]',
        goStringList(spec['clusterIPs']),
        "may not be set to 'None' for LoadBalancer services",
      ),
    );
  }
  if (type === 'NodePort' && headless) {
    const why = "may not be set to 'None' for NodePort services";
    errors.push(invalidGo('spec.clusterIPs[0]', goStringList(spec['clusterIPs']), why));
  }
  errors.push(...validateServicePorts(ports));
  errors.push(...validateNodePorts(ports, type));
  errors.push(...validateAffinityTimeout(spec));
  errors.push(...validateAddresses(spec));
  errors.push(...validateLabels(spec['selector'], 'spec.selector'));
  errors.push(...oneOf('spec.externalTrafficPolicy', spec['externalTrafficPolicy'], ['Cluster', 'Local']));
  errors.push(...oneOf('spec.internalTrafficPolicy', spec['internalTrafficPolicy'], ['Cluster', 'Local']));
  return old === undefined ? errors : [...errors, ...addressChanges(spec, specOf(old))];
}

/** Ports of the nodes belong to the types that have them, each once. */
function validateNodePorts(ports: readonly JsonObject[], type: unknown): FieldError[] {
  const errors: FieldError[] = [];
  const taken = new Set<string>();
  for (const [index, port] of ports.entries()) {
    const { nodePort = 0, protocol = 'TCP' } = port;
    if (nodePort === 0) continue;
    const path = `spec.ports[${index}].nodePort`;
    if (type === 'ClusterIP') {
      errors.push(forbidden(path, "may not be used when `type` is 'ClusterIP'"));
      continue;
    }
    const key = `${String(protocol)}/${String(nodePort)}`;
    if (taken.has(key)) errors.push(duplicate(path, nodePort));
    taken.add(key);
  }
  return errors;
}

const longestAffinity = 86_400;

function validateAffinityTimeout(spec: JsonObject): FieldError[] {
  const config = child(spec, 'sessionAffinityConfig');
  const path = 'spec.sessionAffinityConfig';
  if (spec['sessionAffinity'] !== 'ClientIP') {
    if (config === undefined) return [];
    return [forbidden(path, `must not be set when session affinity is ${String(spec['sessionAffinity'])}`)];
  }
  const seconds = child(config, 'clientIP')?.['timeoutSeconds'];
  const at = `${path}.clientIP.timeoutSeconds`;
  if (typeof seconds !== 'number' || (seconds > 0 && seconds <= longestAffinity)) return [];
  return [invalid(at, seconds, `must be greater than 0 and less than ${longestAffinity}`)];
}

function validateAddresses(spec: JsonObject): FieldError[] {
  const errors: FieldError[] = [];
  const external: unknown[] = Array.isArray(spec['externalIPs']) ? spec['externalIPs'] : [];
  for (const [index, ip] of external.entries()) {
    if (isIP(String(ip)) === 0) {
      const why = 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)';
      errors.push(invalid(`spec.externalIPs[${index}]`, ip, why));
    }
  }
  const outside = spec['type'] === 'NodePort' || spec['type'] === 'LoadBalancer' || external.length > 0;
  const policy = spec['externalTrafficPolicy'];
  if (policy !== undefined && !outside) {
    errors.push(invalid('spec.externalTrafficPolicy', policy, 'may only be set for externally-accessible services'));
  }
  const ranges: unknown[] = Array.isArray(spec['loadBalancerSourceRanges']) ? spec['loadBalancerSourceRanges'] : [];
  if (ranges.length > 0 && spec['type'] !== 'LoadBalancer') {
    errors.push(forbidden('spec.loadBalancerSourceRanges', "may only be used when `type` is 'LoadBalancer'"));
  }
  return errors;
}

function isCidr(text: string): boolean {
  const [address = '', bits = '', ...rest] = text.split('/');
  const family = isIP(address);
  return rest.length === 0 && family !== 0 && /^\d+$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128);
}

const cidrText = 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)';

/** An address range of a policy, and the parts left out of it, which must lie inside. */
function validateBlock(block: JsonObject, path: string): FieldError[] {
  const { cidr = '' } = block;
  if (cidr === '') return [required(`${path}.cidr`)];
  if (!isCidr(String(cidr))) return [invalid(`${path}.cidr`, cidr, cidrText)];
  const left: unknown[] = Array.isArray(block['except']) ? block['except'] : [];
  return left.flatMap((part, index) =>
    isCidr(String(part)) ? [] : [invalid(`${path}.except[${index}]`, part, cidrText)],
  );
}

function validatePolicyPorts(ports: readonly JsonObject[], path: string): FieldError[] {
  return ports.flatMap((port, index) => {
    const at = `${path}[${index}]`;
    const { protocol, port: number, endPort } = port;
    const errors = oneOf(`${at}.protocol`, protocol, ['SCTP', 'TCP', 'UDP']);
    if (number !== undefined) errors.push(...validatePortReference(number, `${at}.port`));
    if (endPort === undefined) return errors;
    if (number === undefined) errors.push(required(`${at}.port`, 'must be specified when `endPort` is specified'));
    else if (typeof number === 'string') {
      errors.push(invalid(`${at}.endPort`, endPort, 'may not be specified when `port` is non-numeric'));
    } else if (Number(endPort) < Number(number)) {
      errors.push(invalid(`${at}.endPort`, endPort, 'must be greater than or equal to `port`'));
    }
    return errors;
  });
}

function validateExternalName(spec: JsonObject): FieldError[] {
  const name = String(spec['externalName'] ?? '');
  if (name === '') return [required('spec.externalName')];
  return nameErrors(name.replace(/\.$/, ''), 'subdomain').map((why) => invalid('spec.externalName', name, why));
}

function validateServicePorts(ports: JsonObject[]): FieldError[] {
  const errors: FieldError[] = [];
  const names = new Set<string>();
  const numbers = new Set<string>();
  for (const [index, port] of ports.entries()) {
    const path = `spec.ports[${index}]`;
    const name = String(port['name'] ?? '');
    if (name === '') {
      if (ports.length > 1) errors.push(required(`${path}.name`));
    } else {
      for (const why of nameErrors(name, 'label')) errors.push(invalid(`${path}.name`, name, why));
      if (names.has(name)) errors.push(duplicate(`${path}.name`, name));
      names.add(name);
    }
    errors.push(...validatePortNumber(port['port'], `${path}.port`));
    errors.push(...oneOf(`${path}.protocol`, port['protocol'], ['SCTP', 'TCP', 'UDP']));
    errors.push(...validatePortReference(port['targetPort'], `${path}.targetPort`));
    const key = `${String(port['protocol'])}/${String(port['port'])}`;
    if (numbers.has(key)) {
      errors.push(invalidGoDuplicate(path, port));
    }
    numbers.add(key);
  }
  return errors;
}

function invalidGoDuplicate(path: string, port: JsonObject): FieldError {
  const shown = `core.ServicePort{Name:"", Protocol:${JSON.stringify(port['protocol'])}, AppProtocol:(*string)(nil), Port:${String(port['port'])}, TargetPort:intstr.IntOrString{Type:0, IntVal:0, StrVal:""}, NodePort:0}`;
  return { field: path, reason: 'FieldValueDuplicate', message: `Duplicate value: ${shown}` };
}

function addressChanges(spec: JsonObject, old: JsonObject): FieldError[] {
  const before = old['clusterIP'];
  if (spec['type'] === 'ExternalName' || old['type'] === 'ExternalName') return [];
  if (typeof before !== 'string' || before === '' || before === spec['clusterIP']) return [];
  const shown = goStringList(spec['clusterIPs'] ?? (spec['clusterIP'] === undefined ? undefined : [spec['clusterIP']]));
  return [invalidGo('spec.clusterIPs[0]', shown, 'may not change once set')];
}

export function validateIngress(object: ApiObject): FieldError[] {
  const spec = specOf(object);
  const errors: FieldError[] = [];
  const rules = children(spec, 'rules');
  const backend = child(spec, 'defaultBackend');
  if (rules.length === 0 && backend === undefined) {
    errors.push(
      invalidGo('spec', '[]networking.IngressRule(nil)', 'either `defaultBackend` or `rules` must be specified'),
    );
  }
  if (backend !== undefined) errors.push(...validateBackend(backend, 'spec.defaultBackend'));
  for (const [index, rule] of rules.entries()) errors.push(...validateRule(rule, `spec.rules[${index}]`));
  return errors;
}

function validateRule(rule: JsonObject, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const host = String(rule['host'] ?? '');
  if (host !== '') {
    const bare = host.startsWith('*.') ? host.slice(2) : host;
    for (const why of nameErrors(bare, 'subdomain')) errors.push(invalid(`${path}.host`, host, why));
  }
  const http = child(rule, 'http');
  if (http === undefined) return errors;
  const paths = children(http, 'paths');
  if (paths.length === 0) errors.push(required(`${path}.http.paths`));
  for (const [index, item] of paths.entries()) {
    const at = `${path}.http.paths[${index}]`;
    const { pathType, path: text = '' } = item;
    if (pathType === undefined || pathType === null)
      errors.push(required(`${at}.pathType`, 'pathType must be specified'));
    else errors.push(...oneOf(`${at}.pathType`, pathType, ['Exact', 'ImplementationSpecific', 'Prefix']));
    if ((pathType === 'Exact' || pathType === 'Prefix') && !String(text).startsWith('/')) {
      errors.push(invalid(`${at}.path`, text, 'must be an absolute path'));
    }
    errors.push(...validateBackend(child(item, 'backend') ?? {}, `${at}.backend`));
  }
  return errors;
}

function validateBackend(backend: JsonObject, path: string): FieldError[] {
  const service = child(backend, 'service');
  if (isObject(backend['resource'])) {
    return service === undefined ? [] : [invalid(path, '', 'cannot set both resource and service backends')];
  }
  if (service === undefined) return [required(path, 'resource or service backend is required')];
  const errors: FieldError[] = [];
  if ((service['name'] ?? '') === '') errors.push(required(`${path}.service.name`));
  const port = child(service, 'port') ?? {};
  const hasName = (port['name'] ?? '') !== '';
  const hasNumber = (port['number'] ?? 0) !== 0;
  if (hasName && hasNumber) errors.push(invalid(`${path}.service.port`, '', 'cannot set both port name & port number'));
  else if (!hasName && !hasNumber) errors.push(required(`${path}.service.port`, 'port name or number is required'));
  else if (hasNumber) errors.push(...validatePortNumber(port['number'], `${path}.service.port.number`));
  return errors;
}

export function validateNetworkPolicy(object: ApiObject): FieldError[] {
  const spec = specOf(object);
  const errors = validateSelector(spec['podSelector'], 'spec.podSelector');
  for (const [direction, peers] of [
    ['ingress', 'from'],
    ['egress', 'to'],
  ] as const) {
    for (const [index, rule] of children(spec, direction).entries()) {
      errors.push(...validatePolicyPorts(children(rule, 'ports'), `spec.${direction}[${index}].ports`));
      for (const [at, peer] of children(rule, peers).entries()) {
        const path = `spec.${direction}[${index}].${peers}[${at}]`;
        if (Object.keys(peer).length === 0) errors.push(required(path, 'must specify a peer'));
        if (isObject(peer['ipBlock']) && (isObject(peer['podSelector']) || isObject(peer['namespaceSelector']))) {
          errors.push(forbidden(path, 'may not specify both ipBlock and another peer'));
        }
        const block = child(peer, 'ipBlock');
        if (block !== undefined) errors.push(...validateBlock(block, `${path}.ipBlock`));
        errors.push(...validateSelector(peer['podSelector'], `${path}.podSelector`));
        errors.push(...validateSelector(peer['namespaceSelector'], `${path}.namespaceSelector`));
      }
    }
  }
  const types = Array.isArray(spec['policyTypes']) ? spec['policyTypes'] : [];
  for (const [index, type] of types.entries()) {
    errors.push(...oneOf(`spec.policyTypes[${index}]`, type, ['Egress', 'Ingress']));
  }
  return errors;
}

export function validateIngressClass(object: ApiObject, old: ApiObject | undefined): FieldError[] {
  const { controller } = specOf(object);
  if (old !== undefined && !jsonEqual(controller, specOf(old)['controller'])) {
    return [invalid('spec.controller', controller, 'field is immutable')];
  }
  return (controller ?? '') === '' ? [required('spec.controller')] : [];
}
