import { createServer, type Server } from 'node:net';
import type { Clock } from '#base/clock.ts';
import { messageOf } from '#base/errors.ts';
import { getArray, getNumber, getString } from '#base/json.ts';
import type { Logger } from '#base/log.ts';
import type { Outcome } from '#base/outcome.ts';
import type { ApiObject, ApiServer } from '../api/port.ts';
import type { EventRecorder } from '../controllers/event-recorder.ts';
import { keyOf, splitKey } from '../controllers/key.ts';
import { startLoop } from '../controllers/loop.ts';
import type { AddressTable } from './address-table.ts';
import type { EndpointDirectory } from './endpoint-directory.ts';
import { type Backends, backendId, type ConnectionLimits, ProxyConnection } from './proxy-connection.ts';
import { affinitySeconds, SessionAffinity } from './session-affinity.ts';

export interface ServiceProxyDeps {
  api: ApiServer;
  clock: Clock;
  logger: Logger;
  events: EventRecorder;
  addresses: AddressTable;
  endpoints: EndpointDirectory;
}

export interface ServiceListener {
  kind: 'node' | 'cluster';
  /** Of the service. */
  port: number;
  portName: string;
  /** The loopback port to listen on; undefined: any free one. */
  fixed: number | undefined;
}

interface Open {
  server: Server;
  port: number;
  connections: Set<ProxyConnection>;
}

const limits: ConnectionLimits = { connectMs: 1000, retryDelayMs: 25, replayBytes: 64 * 1024 };
const connectionLimit = 1024;
const takenRetryMs = 1000;
const takenRetryMaxMs = 30_000;
const drainPollMs = 5;

/** The listeners a service needs: one per TCP port, and one more per node port. */
export function planListeners(service: ApiObject): ServiceListener[] {
  const clusterIp = getString(service, 'spec', 'clusterIP');
  const type = getString(service, 'spec', 'type') ?? 'ClusterIP';
  if (type === 'ExternalName' || service.metadata.deletionTimestamp !== undefined) return [];
  const found: ServiceListener[] = [];
  for (const entry of getArray(service, 'spec', 'ports')) {
    if ((getString(entry, 'protocol') ?? 'TCP') !== 'TCP') continue;
    const port = getNumber(entry, 'port') ?? 0;
    const portName = getString(entry, 'name') ?? '';
    if (clusterIp !== 'None') found.push({ kind: 'cluster', port, portName, fixed: undefined });
    const nodePort = getNumber(entry, 'nodePort');
    if (nodePort && type !== 'ClusterIP') found.push({ kind: 'node', port, portName, fixed: nodePort });
  }
  return found;
}

/**
 * Makes services reachable on 127.0.0.1: each node port by its number, each cluster port by a free one that
 * `proxyAddress` tells. Connections go round robin to ready endpoints; when there are none they are reset.
 */
export class ServiceProxy {
  readonly #deps: ServiceProxyDeps;
  readonly #open = new Map<string, Open>();
  readonly #affinity = new SessionAffinity();
  readonly #failures = new Map<string, number>();
  #loop: AsyncDisposable | undefined;

  constructor(deps: ServiceProxyDeps) {
    this.#deps = deps;
  }

  start(): void {
    this.#loop = startLoop(this.#deps, {
      name: 'service-proxy',
      watches: [{ resource: 'services', names: (service) => [keyOf(service)] }],
      tick: (key) => this.#tick(key),
    });
  }

  /** Where a service port is offered on loopback; undefined when the service or the port is not there (yet). */
  proxyAddress(namespace: string, name: string, port: number): { host: string; port: number } | undefined {
    const open = this.#open.get(`${namespace}/${name}|cluster|${port}`);
    return open && { host: '127.0.0.1', port: open.port };
  }

  /** Sends nothing new to the pod; resolves when it owes no answer any more, at the latest after `timeoutMs`. */
  async drain(podIp: string, timeoutMs: number): Promise<void> {
    this.#deps.endpoints.drain(podIp);
    const until = this.#deps.clock.now() + timeoutMs;
    for (;;) {
      const all = [...this.#open.values()].flatMap((open) => [...open.connections]);
      for (const connection of all) connection.leave(podIp);
      if (!all.some((connection) => connection.inFlight(podIp)) || this.#deps.clock.now() >= until) return;
      await this.#deps.clock.sleep(drainPollMs);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#loop?.[Symbol.asyncDispose]();
    await Promise.all([...this.#open.keys()].map((id) => this.#close(id)));
  }

  async #tick(key: string): Promise<Outcome> {
    const { namespace, name } = splitKey(key);
    const service = this.#deps.api.get('services', namespace, name);
    if (!service) {
      this.#failures.delete(key);
      if (namespace !== undefined) this.#deps.endpoints.forgetService(namespace, name);
    } else this.#tellUnoffered(service);
    const wanted = new Map((service ? planListeners(service) : []).map((plan) => [listenerId(key, plan), plan]));
    for (const [id, open] of this.#open) {
      const plan = wanted.get(id);
      const stays = plan && (plan.fixed === undefined || plan.fixed === open.port);
      if (id.startsWith(`${key}|`) && !stays) await this.#close(id);
    }
    let taken = false;
    for (const [id, plan] of wanted) {
      if (this.#open.has(id)) continue;
      try {
        await this.#listen(id, key, plan);
      } catch (error) {
        taken = true;
        const message = `Cannot listen on 127.0.0.1:${plan.fixed ?? 'any'} for port ${plan.port}: ${messageOf(error)}. Stop what uses it or choose another nodePort.`;
        if (service)
          this.#deps.events.record('service-proxy', service, { type: 'Warning', reason: 'PortNotAvailable', message });
      }
    }
    if (!taken) {
      this.#failures.delete(key);
      return { kind: 'done' };
    }
    const failures = this.#failures.get(key) ?? 0;
    this.#failures.set(key, failures + 1);
    const retryAfterMs = Math.min(takenRetryMaxMs, takenRetryMs * 2 ** failures);
    return { kind: 'waiting', reason: 'PortNotAvailable', message: '', retryAfterMs };
  }

  async #listen(id: string, key: string, plan: ServiceListener): Promise<void> {
    const port = plan.fixed ?? (await this.#deps.addresses.takePort());
    const connections = new Set<ProxyConnection>();
    const server = createServer({ allowHalfOpen: true }, (client) => {
      const connection = new ProxyConnection(client, {
        backends: this.#backendsOf(key, plan.portName, client.remoteAddress ?? ''),
        limits,
        onClosed: () => connections.delete(connection),
      });
      connections.add(connection);
    });
    server.maxConnections = connectionLimit;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', () => {
        server.off('error', reject);
        resolve();
      });
    });
    server.on('error', (error) => this.#deps.logger.warn({ service: key, port }, messageOf(error)));
    this.#open.set(id, { server, port, connections });
  }

  #close(id: string): Promise<void> {
    const open = this.#open.get(id);
    if (!open) return Promise.resolve();
    this.#open.delete(id);
    this.#deps.addresses.freePort(open.port);
    return new Promise((resolve) => {
      open.server.close(() => resolve());
      for (const connection of open.connections) connection.destroy();
    });
  }

  #backendsOf(key: string, portName: string, client: string): Backends {
    const { endpoints, api, clock } = this.#deps;
    const { namespace = '', name } = splitKey(key);
    const port = { namespace, name, portName };
    const session = `${key}|${portName}|${client}`;
    return {
      pick: (tried) => {
        const seconds = affinitySeconds(api.get('services', namespace, name));
        if (seconds === undefined) return endpoints.pick(port, tried);
        const kept = this.#affinity.backendOf(session, clock.now());
        const known = endpoints.ready(port).find((one) => backendId(one) === kept && !endpoints.isDraining(one));
        const backend = known && !tried.has(backendId(known)) ? known : endpoints.pick(port, tried);
        if (backend) this.#affinity.remember(session, backendId(backend), clock.now() + seconds * 1000);
        return backend;
      },
      isDraining: (backend) => endpoints.isDraining(backend),
    };
  }

  /** What a cluster offers and this one does not is said where the service's owner looks. */
  #tellUnoffered(service: ApiObject): void {
    const others = getArray(service, 'spec', 'ports').filter(
      (entry) => (getString(entry, 'protocol') ?? 'TCP') !== 'TCP',
    );
    if (others.length === 0) return;
    const names = others.map((entry) => `${getNumber(entry, 'port') ?? 0}/${getString(entry, 'protocol') ?? ''}`);
    const message = `Not offered: ${names.join(', ')}. Services of this cluster are reachable over TCP only.`;
    this.#deps.events.record('service-proxy', service, { type: 'Warning', reason: 'ProtocolNotOffered', message });
  }
}

function listenerId(key: string, plan: ServiceListener): string {
  return `${key}|${plan.kind}|${plan.port}`;
}
