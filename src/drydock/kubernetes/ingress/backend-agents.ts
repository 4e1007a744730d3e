import { Agent } from 'node:http';
import type { Backend } from '../agent/proxy-connection.ts';

/** Shorter than the five seconds after which Node's own servers close a connection that nothing comes over. */
const idleMs = 4_000;
const keptPerBackend = 32;

/**
 * Kept-alive connections to backends, and how many requests each pod owes an answer for. A backend may close a kept
 * connection just when it is used again, so only requests that can be repeated go over one.
 */
export class BackendAgents implements Disposable {
  readonly #agents = new Map<string, { agent: Agent; podIp: string }>();
  readonly #inFlight = new Map<string, number>();

  of(backend: Backend): Agent {
    const id = `${backend.podIp}|${backend.host}:${backend.port}`;
    const known = this.#agents.get(id);
    if (known) return known.agent;
    const agent = new Agent({ keepAlive: true, timeout: idleMs, maxFreeSockets: keptPerBackend });
    this.#agents.set(id, { agent, podIp: backend.podIp });
    return agent;
  }

  begin(podIp: string): void {
    this.#inFlight.set(podIp, (this.#inFlight.get(podIp) ?? 0) + 1);
  }

  end(podIp: string): void {
    const left = (this.#inFlight.get(podIp) ?? 1) - 1;
    if (left > 0) this.#inFlight.set(podIp, left);
    else this.#inFlight.delete(podIp);
  }

  inFlight(podIp: string): boolean {
    return this.#inFlight.has(podIp);
  }

  /** Closes what is kept open to the pod without use. */
  closeIdle(podIp: string): void {
    for (const [id, { agent, podIp: of }] of this.#agents) {
      if (of !== podIp) continue;
      for (const sockets of Object.values(agent.freeSockets)) for (const socket of sockets ?? []) socket.destroy();
      if (Object.keys(agent.sockets).length === 0) this.#agents.delete(id);
    }
  }

  [Symbol.dispose](): void {
    for (const { agent } of this.#agents.values()) agent.destroy();
    this.#agents.clear();
  }
}
