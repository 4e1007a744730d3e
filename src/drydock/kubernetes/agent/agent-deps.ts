import type { Clock, Entropy } from '#base/clock.ts';
import type { Logger } from '#base/log.ts';
import type { ApiServer } from '../api/port.ts';
import type { EventRecorder } from '../controllers/event-recorder.ts';
import type { AddressTable } from './address-table.ts';
import type { BackoffLimits } from './container-state.ts';
import type { PullImage } from './image.ts';
import type { LogStore } from './log-store.ts';

/** What the parts of the node agent share. */
export interface AgentDeps {
  api: ApiServer;
  clock: Clock;
  entropy: Entropy;
  logger: Logger;
  events: EventRecorder;
  addresses: AddressTable;
  logs: LogStore;
  node: NodeSettings;
  /** Resolves when no request to the pod is in flight any more, at the latest after `timeoutMs`. */
  drain(podIp: string, timeoutMs: number): Promise<void>;
  /** Where a service port is reached on loopback. */
  serviceAddress(namespace: string, name: string, port: number): { host: string; port: number } | undefined;
}

export interface NodeSettings {
  name: string;
  hostIp: string;
  podsDir: string;
  /** PATH and what else processes get from this machine. */
  hostEnv: Record<string, string>;
  pullImage: PullImage;
  timing: AgentTiming;
}

export interface AgentTiming {
  restart: BackoffLimits;
  pull: BackoffLimits;
  /** A run this long makes the restart back-off start over. */
  stableRunMs: number;
  /** The first extra try of a readiness probe; see `startProber`. */
  earlyProbeMs: number;
  /** The most that requests in flight hold back a pod's SIGTERM. */
  drainMs: number;
  /** Grace for processes when the agent itself stops, and for those it finds left over. */
  shutdownGraceMs: number;
  heartbeatMs: number;
}

export const defaultTiming: AgentTiming = {
  restart: { firstMs: 10_000, maxMs: 300_000 },
  pull: { firstMs: 10_000, maxMs: 300_000 },
  stableRunMs: 600_000,
  earlyProbeMs: 50,
  drainMs: 1_000,
  shutdownGraceMs: 2_000,
  heartbeatMs: 10_000,
};

export const component = 'kubelet';
