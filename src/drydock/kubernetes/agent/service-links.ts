import { getArray, getNumber, getString } from '#base/json.ts';
import type { ApiObject } from '../api/port.ts';

/** Where a service port can be reached on this machine; undefined when it is not offered. */
export type AddressOf = (service: ApiObject, port: number) => { host: string; port: number } | undefined;

/**
 * The docker-links style variables of the services a container can see. Hosts and ports are the loopback ones that
 * forward to the service, because cluster IPs lead nowhere here.
 */
export function serviceLinks(services: readonly ApiObject[], addressOf: AddressOf): Record<string, string> {
  const links: Record<string, string> = {};
  for (const service of services) {
    const clusterIp = getString(service, 'spec', 'clusterIP');
    if (clusterIp === undefined || clusterIp === '' || clusterIp === 'None') continue;
    const prefix = service.metadata.name.toUpperCase().replaceAll('-', '_');
    for (const [index, entry] of getArray(service, 'spec', 'ports').entries()) {
      const port = getNumber(entry, 'port') ?? 0;
      const protocol = (getString(entry, 'protocol') ?? 'TCP').toLowerCase();
      const address = protocol === 'tcp' ? addressOf(service, port) : undefined;
      if (!address) continue;
      const url = `tcp://${address.host}:${address.port}`;
      if (index === 0) {
        links[`${prefix}_SERVICE_HOST`] = address.host;
        links[`${prefix}_SERVICE_PORT`] = String(address.port);
        links[`${prefix}_PORT`] = url;
      }
      const name = getString(entry, 'name');
      if (name) links[`${prefix}_SERVICE_PORT_${name.toUpperCase().replaceAll('-', '_')}`] = String(address.port);
      const long = `${prefix}_PORT_${port}_TCP`;
      links[long] = url;
      links[`${long}_PROTO`] = 'tcp';
      links[`${long}_PORT`] = String(address.port);
      links[`${long}_ADDR`] = address.host;
    }
  }
  return links;
}
