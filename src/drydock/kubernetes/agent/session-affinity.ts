import { getNumber, getString } from '#base/json.ts';
import type { ApiObject } from '../api/port.ts';

interface Stuck {
  /** As `backendId` names it. */
  backend: string;
  until: number;
}

/** Kubernetes' default of `sessionAffinityConfig.clientIP.timeoutSeconds`. */
const usualSeconds = 10_800;
const limit = 10_000;

/** How long a client stays with its pod after its last connection; undefined when the service spreads every connection. */
export function affinitySeconds(service: ApiObject | undefined): number | undefined {
  if (getString(service, 'spec', 'sessionAffinity') !== 'ClientIP') return undefined;
  return getNumber(service, 'spec', 'sessionAffinityConfig', 'clientIP', 'timeoutSeconds') ?? usualSeconds;
}

/** Remembers which pod a client address of a service was sent to; the oldest are forgotten beyond 10,000. */
export class SessionAffinity {
  readonly #stuck = new Map<string, Stuck>();

  /** The pod for the client; undefined when it is new, or was silent for longer than the service says. */
  backendOf(key: string, now: number): string | undefined {
    const stuck = this.#stuck.get(key);
    if (!stuck) return undefined;
    if (stuck.until > now) return stuck.backend;
    this.#stuck.delete(key);
    return undefined;
  }

  remember(key: string, backend: string, until: number): void {
    this.#stuck.delete(key);
    this.#stuck.set(key, { backend, until });
    if (this.#stuck.size > limit) this.#stuck.delete(this.#stuck.keys().next().value ?? '');
  }
}
