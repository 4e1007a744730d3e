import { getArray, getNumber, getPath, getString } from '#base/json.ts';
import type { ApiObject, ApiServer } from '../api/port.ts';
import { serviceNameLabel } from '../controllers/endpoint-plan.ts';
import type { AddressTable } from './address-table.ts';
import { type Backend, backendId } from './proxy-connection.ts';

export interface ServicePort {
  namespace: string;
  name: string;
  /** As EndpointSlices call it; '' for the only port without a name. */
  portName: string;
}

/** Which pods answer for a service port now, and whose turn it is. Shared by everything that sends them traffic. */
export class EndpointDirectory {
  readonly #api: ApiServer;
  readonly #addresses: AddressTable;
  readonly #draining = new Set<string>();
  readonly #turns = new Map<string, number>();

  constructor(api: ApiServer, addresses: AddressTable) {
    this.#api = api;
    this.#addresses = addresses;
  }

  /** The next ready one in turn that is not in `tried` and not being drained. */
  pick(port: ServicePort, tried: ReadonlySet<string>): Backend | undefined {
    const turnId = `${port.namespace}/${port.name}|${port.portName}`;
    const ready = this.ready(port);
    const turn = this.#turns.get(turnId) ?? 0;
    for (let step = 0; step < ready.length; step += 1) {
      const backend = ready[(turn + step) % ready.length];
      if (!backend || tried.has(backendId(backend)) || this.isDraining(backend)) continue;
      this.#turns.set(turnId, (turn + step + 1) % ready.length);
      return backend;
    }
    return undefined;
  }

  ready({ namespace, name, portName }: ServicePort): Backend[] {
    const labels = { [serviceNameLabel]: name };
    const found = new Map<string, Backend>();
    for (const slice of this.#api.list('endpointslices.discovery.k8s.io', { namespace, labels })) {
      const port = portOf(slice, portName);
      if (port === undefined) continue;
      for (const endpoint of getArray(slice, 'endpoints')) {
        if (getPath(endpoint, 'conditions', 'ready') === false) continue;
        const podIp = getString(endpoint, 'addresses', 0);
        if (podIp === undefined) continue;
        // Slices that others write may name several ports of one address.
        found.set(`${podIp}:${port}`, { podIp, ...this.#addresses.resolve(podIp, port) });
      }
    }
    return [...found.values()].sort((a, b) => (a.podIp < b.podIp || (a.podIp === b.podIp && a.port < b.port) ? -1 : 1));
  }

  isDraining(backend: Backend): boolean {
    return this.#draining.has(backend.podIp);
  }

  /** Nothing new goes to the pod. */
  drain(podIp: string): void {
    this.#draining.add(podIp);
  }

  /** The pod's address may be given to another pod. */
  forget(podIp: string): void {
    this.#draining.delete(podIp);
  }

  forgetService(namespace: string, name: string): void {
    for (const id of this.#turns.keys()) if (id.startsWith(`${namespace}/${name}|`)) this.#turns.delete(id);
  }
}

function portOf(slice: ApiObject, portName: string): number | undefined {
  const entry = getArray(slice, 'ports').find((port) => (getString(port, 'name') ?? '') === portName);
  return getNumber(entry, 'port');
}
