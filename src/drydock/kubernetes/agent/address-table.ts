import { createServer } from 'node:net';
import type { Entropy } from '#base/clock.ts';
import { AppError } from '#base/errors.ts';

/** Below the ranges from which systems take ports for outgoing connections (32768 and up on Linux). */
const firstPort = 20_000;
const lastPort = 29_999;
const tries = 200;

interface PodAddress {
  ip: string;
  /** containerPort to loopback port. */
  ports: Map<number, number>;
  /** Of the first container that declares no port: what reaches it whatever port a service names. */
  fallback: number | undefined;
}

/**
 * Where pods really listen. A pod's IP is a name only: nothing routes it. Its containers listen on loopback ports that
 * are allotted here, one per container, and (pod IP, container port) is looked up to reach them.
 */
export class AddressTable {
  readonly #entropy: Entropy;
  readonly #byPod = new Map<string, PodAddress>();
  readonly #byIp = new Map<string, PodAddress>();
  readonly #taken = new Set<number>();
  #next = 1;

  constructor(entropy: Entropy) {
    this.#entropy = entropy;
  }

  /** The pod's address; `before` is kept when it is free, e.g. after a restart. */
  podIp(uid: string, before?: string): string {
    const known = this.#byPod.get(uid);
    if (known) return known.ip;
    const usable = before !== undefined && /^10\.244\.\d+\.\d+$/.test(before) && !this.#byIp.has(before);
    const address: PodAddress = { ip: usable ? before : this.#freeIp(), ports: new Map(), fallback: undefined };
    this.#byPod.set(uid, address);
    this.#byIp.set(address.ip, address);
    return address.ip;
  }

  /** Binds a container port of the pod to a loopback port; undefined stands for a container that declares none. */
  bind(uid: string, containerPort: number | undefined, port: number): void {
    const address = this.#byPod.get(uid);
    if (!address) return;
    if (containerPort === undefined) address.fallback ??= port;
    else address.ports.set(containerPort, port);
  }

  /** Where (pod IP, port) is served. Addresses that are not of a pod here, and undeclared ports, stand for themselves. */
  resolve(ip: string, port: number): { host: string; port: number } {
    const address = this.#byIp.get(ip);
    if (!address) return { host: ip.startsWith('10.244.') ? '127.0.0.1' : ip, port };
    return { host: '127.0.0.1', port: address.ports.get(port) ?? address.fallback ?? port };
  }

  release(uid: string): void {
    const address = this.#byPod.get(uid);
    if (!address) return;
    this.#byPod.delete(uid);
    this.#byIp.delete(address.ip);
  }

  /** A loopback port that nothing listens on and that is not handed out again until `freePort`. */
  async takePort(): Promise<number> {
    const start = Math.floor(this.#entropy.fraction() * (lastPort - firstPort));
    for (let step = 0; step < tries; step += 1) {
      const port = firstPort + ((start + step) % (lastPort - firstPort));
      if (this.#taken.has(port)) continue;
      this.#taken.add(port);
      if (await isFree(port)) return port;
      this.#taken.delete(port);
    }
    throw new AppError('port-taken', `no free port was found between ${firstPort} and ${lastPort} on 127.0.0.1`, {
      hint: 'Stop programs that listen there.',
    });
  }

  freePort(port: number): void {
    this.#taken.delete(port);
  }

  #freeIp(): string {
    for (;;) {
      this.#next = (this.#next % 65_000) + 1;
      const ip = `10.244.${this.#next >> 8}.${this.#next & 255}`;
      if (!this.#byIp.has(ip) && (this.#next & 255) !== 0 && (this.#next & 255) !== 255) return ip;
    }
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}
