import { getArray, getNumber, getString, isObject, type JsonObject } from '#base/json.ts';
import { ApiError, type ApiObject, type FieldError } from '../port.ts';
import { invalid } from '../protocol/status-error.ts';
import type { Store } from '../store/store.ts';
import type { ServiceNetwork } from './service-network.ts';
import { dropFieldsOfOldType } from './service-type.ts';

export interface ServiceAddressesDeps {
  store: Store;
  /** Whether a node port can be listened on by the node agent now. */
  isPortFree: (port: number) => Promise<boolean>;
  network: ServiceNetwork;
}

const serviceType = { group: '', kind: 'Service' };

/** Hands out cluster IPs and node ports to Services, each to one at a time. */
export class ServiceAddresses {
  readonly #deps: ServiceAddressesDeps;
  readonly #reservedIps = new Set<string>();
  readonly #reservedPorts = new Set<number>();
  #nextIp: number;

  constructor(deps: ServiceAddressesDeps) {
    this.#deps = deps;
    this.#nextIp = deps.network.firstDynamic;
  }

  /** Of the Service `kubernetes`. */
  get apiServerIp(): string {
    return this.#deps.network.apiServerIp;
  }

  /** Fills what `service` needs in place; call the result after the write, whatever came of it. */
  async assign(
    service: ApiObject,
    { old, dryRun }: { old: ApiObject | undefined; dryRun: boolean },
  ): Promise<() => void> {
    if (!isObject(service['spec'])) return () => {};
    const spec = service['spec'];
    const ips: string[] = [];
    const ports: number[] = [];
    const release = (): void => {
      for (const ip of ips) this.#reservedIps.delete(ip);
      for (const port of ports) this.#reservedPorts.delete(port);
    };
    if (old) dropFieldsOfOldType(spec, old);
    try {
      this.#assignIp(service, spec, { old, dryRun, taken: ips });
      if (old) keepNodePorts(spec, old);
      await this.#assignNodePorts(service, spec, { old, dryRun, taken: ports });
    } catch (error) {
      release();
      throw error;
    }
    return release;
  }

  #assignIp(
    service: ApiObject,
    spec: JsonObject,
    { old, dryRun, taken }: { old: ApiObject | undefined; dryRun: boolean; taken: string[] },
  ): void {
    if (spec['type'] === 'ExternalName') return;
    const before = old && getString(old, 'spec', 'type') !== 'ExternalName' ? getString(old, 'spec', 'clusterIP') : '';
    if (!spec['clusterIP'] && before) spec['clusterIP'] = before;
    const asked = typeof spec['clusterIP'] === 'string' ? spec['clusterIP'] : '';
    if (asked === '') spec['clusterIP'] = dryRun ? this.#deps.network.ipAt(0) : this.#freeIp(service, taken);
    else if (asked !== 'None' && asked !== before) this.#claimIp(service, asked, taken);
    if (getArray(spec, 'clusterIPs').length === 0) spec['clusterIPs'] = [spec['clusterIP']];
    if (getArray(spec, 'ipFamilies').length === 0) spec['ipFamilies'] = ['IPv4'];
    spec['ipFamilyPolicy'] ??= 'SingleStack';
  }

  #usedIps(): Set<string> {
    const used = this.#deps.store.scan('services').map(({ object }) => getString(object, 'spec', 'clusterIP') ?? '');
    return new Set([...used, ...this.#reservedIps]);
  }

  #freeIp(service: ApiObject, taken: string[]): string {
    const used = this.#usedIps();
    const { network } = this.#deps;
    for (let tries = 0; tries < network.size; tries += 1) {
      const ip = network.ipAt(this.#nextIp);
      this.#nextIp = this.#nextIp >= network.size - 1 ? 2 : this.#nextIp + 1;
      const last = ip.slice(ip.lastIndexOf('.') + 1);
      if (used.has(ip) || last === '0' || last === '255') continue;
      this.#reservedIps.add(ip);
      taken.push(ip);
      return ip;
    }
    throw new ApiError(
      500,
      'InternalError',
      `failed to allocate a cluster IP for Service "${service.metadata.name}": range is full`,
    );
  }

  #claimIp(service: ApiObject, ip: string, taken: string[]): void {
    const refuse = (why: string): ApiError =>
      invalid(serviceType, service.metadata.name, [
        {
          field: 'spec.clusterIPs',
          reason: 'FieldValueInvalid',
          message: `Invalid value: ["${ip}"]: failed to allocate IP ${ip}: ${why}`,
        },
      ]);
    if (!this.#deps.network.contains(ip)) throw refuse('the provided network does not match the current range');
    if (this.#usedIps().has(ip)) throw refuse('provided IP is already allocated');
    this.#reservedIps.add(ip);
    taken.push(ip);
  }

  async #assignNodePorts(
    service: ApiObject,
    spec: JsonObject,
    { old, dryRun, taken }: { old: ApiObject | undefined; dryRun: boolean; taken: number[] },
  ): Promise<void> {
    if (!needsNodePorts(spec)) return;
    const own = new Set<number>();
    // What the Service has may still be reserved by the write that gave it.
    const had = new Set(getArray(old, 'spec', 'ports').map((port) => getNumber(port, 'nodePort')));
    for (const [index, port] of getArray(spec, 'ports').entries()) {
      if (!isObject(port)) continue;
      const asked = getNumber(port, 'nodePort') ?? 0;
      if (asked !== 0 && had.has(asked)) continue;
      if (asked !== 0) this.#checkAsked(service, { asked, index });
      else if (!dryRun) port['nodePort'] = await this.#freePort(own);
      const number = getNumber(port, 'nodePort') ?? 0;
      if (number === 0) continue;
      own.add(number);
      this.#reservedPorts.add(number);
      taken.push(number);
    }
  }

  #usedPorts(except?: ApiObject): Set<number> {
    const used = new Set<number>(this.#reservedPorts);
    for (const { object } of this.#deps.store.scan('services')) {
      if (except && sameObject(object, except)) continue;
      for (const port of getArray(object, 'spec', 'ports')) used.add(getNumber(port, 'nodePort') ?? 0);
    }
    return used;
  }

  async #freePort(own: Set<number>): Promise<number> {
    const used = this.#usedPorts();
    const { first, last } = this.#deps.network.nodePorts;
    for (let port = first; port <= last; port += 1) {
      if (used.has(port) || own.has(port) || this.#reservedPorts.has(port)) continue;
      this.#reservedPorts.add(port);
      if (await this.#deps.isPortFree(port)) return port;
      this.#reservedPorts.delete(port);
    }
    throw new ApiError(500, 'InternalError', 'failed to allocate a nodePort: range is full');
  }

  #checkAsked(service: ApiObject, { asked, index }: { asked: number; index: number }): void {
    const refuse = (why: string): ApiError => {
      const error: FieldError = {
        field: `spec.ports[${index}].nodePort`,
        reason: 'FieldValueInvalid',
        message: `Invalid value: ${asked}: ${why}`,
      };
      return invalid(serviceType, service.metadata.name, [error]);
    };
    const { first, last } = this.#deps.network.nodePorts;
    if (asked < first || asked > last)
      throw refuse(`provided port is not in the valid range. The range of valid ports is ${first}-${last}`);
    if (this.#usedPorts(service).has(asked)) throw refuse('provided port is already allocated');
  }
}

function needsNodePorts(spec: JsonObject): boolean {
  if (spec['type'] === 'NodePort') return true;
  return spec['type'] === 'LoadBalancer' && spec['allocateLoadBalancerNodePorts'] !== false;
}

function keepNodePorts(spec: JsonObject, old: ApiObject): void {
  if (!needsNodePorts(spec)) return;
  for (const port of getArray(spec, 'ports')) {
    if (!isObject(port) || (getNumber(port, 'nodePort') ?? 0) !== 0) continue;
    const before = getArray(old, 'spec', 'ports').find(
      (candidate) =>
        isObject(candidate) && candidate['port'] === port['port'] && candidate['protocol'] === port['protocol'],
    );
    const number = getNumber(before, 'nodePort');
    if (number !== undefined && number !== 0) port['nodePort'] = number;
  }
}

function sameObject(a: ApiObject, b: ApiObject): boolean {
  return a.metadata.name === b.metadata.name && a.metadata.namespace === b.metadata.namespace;
}
