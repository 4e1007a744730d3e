import { getArray, getNumber, getObject, getPath, getString } from '#base/json.ts';
import type { ApiObject } from '../port.ts';
import { selectorText } from '../protocol/selector-text.ts';
import { integer, orNone, text } from './columns-core.ts';
import { selectorColumn } from './columns-pod.ts';
import type { TableColumn } from './table-columns.ts';

function ingressAddresses(object: ApiObject): string[] {
  return getArray(object, 'status', 'loadBalancer', 'ingress').map(
    (item) => getString(item, 'ip') ?? getString(item, 'hostname') ?? '',
  );
}

function externalIp(service: ApiObject): string {
  const given = getArray(service, 'spec', 'externalIPs').map(String);
  switch (getString(service, 'spec', 'type')) {
    case 'ExternalName':
      return getString(service, 'spec', 'externalName') ?? '';
    case 'LoadBalancer': {
      const all = [...ingressAddresses(service), ...given];
      return all.length > 0 ? all.join(',') : '<pending>';
    }
    default:
      return orNone(given.join(','));
  }
}

function servicePorts(service: ApiObject): string {
  const ports = getArray(service, 'spec', 'ports').map((port) => {
    const nodePort = getNumber(port, 'nodePort') ?? 0;
    const outside = nodePort === 0 ? '' : `:${nodePort}`;
    return `${getNumber(port, 'port') ?? 0}${outside}/${getString(port, 'protocol') ?? 'TCP'}`;
  });
  return orNone(ports.join(','));
}

function ingressHosts(ingress: ApiObject): string {
  const hosts = getArray(ingress, 'spec', 'rules')
    .map((rule) => getString(rule, 'host') ?? '')
    .filter((host) => host !== '');
  if (hosts.length === 0) return '*';
  const more = hosts.length > 3 ? ` + ${hosts.length - 3} more...` : '';
  return hosts.slice(0, 3).join(',') + more;
}

function some(list: string[], limit = 3): string {
  if (list.length === 0) return '<unset>';
  const more = list.length > limit ? ` + ${list.length - limit} more...` : '';
  return list.slice(0, limit).join(',') + more;
}

function numberOrPercent(value: unknown): string {
  return value === undefined ? 'N/A' : String(value);
}

export const networkColumns: Record<string, (TableColumn | 'age')[]> = {
  services: [
    text('Type', (service) => getString(service, 'spec', 'type') ?? ''),
    text('Cluster-IP', (service) => orNone(getString(service, 'spec', 'clusterIP'))),
    text('External-IP', externalIp),
    text('Port(s)', servicePorts),
    'age',
    selectorColumn('spec', 'selector'),
  ],
  'ingresses.networking.k8s.io': [
    text('Class', (ingress) => {
      const annotated = ingress.metadata.annotations?.['kubernetes.io/ingress.class'];
      return orNone(getString(ingress, 'spec', 'ingressClassName') ?? annotated);
    }),
    text('Hosts', ingressHosts),
    text('Address', (ingress) => ingressAddresses(ingress).join(',')),
    text('Ports', (ingress) => (getArray(ingress, 'spec', 'tls').length > 0 ? '80, 443' : '80')),
    'age',
  ],
  'ingressclasses.networking.k8s.io': [
    text('Controller', (object) => getString(object, 'spec', 'controller') ?? ''),
    text('Parameters', (object) => {
      const parameters = getObject(object, 'spec', 'parameters');
      if (parameters['kind'] === undefined) return '<none>';
      const group = parameters['apiGroup'] === undefined ? '' : `.${String(parameters['apiGroup'])}`;
      return `${String(parameters['kind'])}${group}/${String(parameters['name'])}`;
    }),
    'age',
  ],
  'networkpolicies.networking.k8s.io': [
    text('Pod-Selector', (object) => orNone(selectorText(getPath(object, 'spec', 'podSelector')))),
    'age',
  ],
  'endpointslices.discovery.k8s.io': [
    text('AddressType', (object) => getString(object, 'addressType') ?? ''),
    text('Ports', (object) => some(getArray(object, 'ports').map((port) => String(getNumber(port, 'port') ?? '*')))),
    text('Endpoints', (object) =>
      some(getArray(object, 'endpoints').flatMap((endpoint) => getArray(endpoint, 'addresses').map(String))),
    ),
    'age',
  ],
  'poddisruptionbudgets.policy': [
    text('Min Available', (object) => numberOrPercent(getPath(object, 'spec', 'minAvailable'))),
    text('Max Unavailable', (object) => numberOrPercent(getPath(object, 'spec', 'maxUnavailable'))),
    integer('Allowed Disruptions', (object) => getNumber(object, 'status', 'disruptionsAllowed') ?? 0),
    'age',
  ],
};
