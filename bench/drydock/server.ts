/** The server under load, a process of its own: says where it listens, and answers `mark` and `measure`. */
import { randomBytes, randomUUID } from 'node:crypto';
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import type { Clock, Entropy } from '#base/clock.ts';
import { silentLogger } from '#base/log.ts';
import { startApiServer } from '#drydock/kubernetes/api/server.ts';
import { createTypeRegistry } from '#drydock/kubernetes/types/registry.ts';

export interface Started {
  url: string;
  token: string;
  ca: string;
  startMs: number;
}

export interface Measured {
  /** Of all threads, and of the one that serves. */
  cpuMs: number;
  loopCpuMs: number;
  /** Longest time that one turn of the loop took: on the clock, and of the processor alone. */
  longestStepMs: number;
  longestStepCpuMs: number;
  /** After a full collection. */
  heapBytes: number;
  externalBytes: number;
  rssBytes: number;
}

const clock: Clock = { now: () => Date.now(), sleep: (ms, signal) => delay(ms, undefined, signal ? { signal } : {}) };
const entropy: Entropy = { bytes: randomBytes, uuid: randomUUID, fraction: Math.random };

/** A tick per millisecond sees how much processor time the turn between two ticks took, whoever else uses the machine. */
class StepProbe {
  readonly #delay = monitorEventLoopDelay({ resolution: 1 });
  #cpuAt = process.threadCpuUsage();
  #longestCpuMs = 0;

  constructor() {
    this.#delay.enable();
    setInterval(() => {
      const now = process.threadCpuUsage();
      const used = (now.user - this.#cpuAt.user + now.system - this.#cpuAt.system) / 1000;
      this.#longestCpuMs = Math.max(this.#longestCpuMs, used);
      this.#cpuAt = now;
    }, 1).unref();
  }

  reset(): void {
    this.#delay.reset();
    this.#cpuAt = process.threadCpuUsage();
    this.#longestCpuMs = 0;
  }

  get longest(): { wall: number; cpu: number } {
    return { wall: this.#delay.max / 1e6, cpu: this.#longestCpuMs };
  }
}

const began = performance.now();
const dataDir = process.argv[2] === '' ? undefined : process.argv[2];
const server = await startApiServer({
  clock,
  entropy,
  logger: silentLogger,
  types: createTypeRegistry(),
  dataDir,
  isPortFree: async () => true,
});
const started: Started = {
  url: server.listening.url,
  token: server.adminToken,
  ca: server.caPem,
  startMs: performance.now() - began,
};
const probe = new StepProbe();
let cpu = process.cpuUsage();
let loopCpu = process.threadCpuUsage();

process.on('message', (message) => {
  if (message === 'mark') {
    cpu = process.cpuUsage();
    loopCpu = process.threadCpuUsage();
    probe.reset();
    process.send?.({ marked: true });
    return;
  }
  const used = process.cpuUsage(cpu);
  const loopUsed = process.threadCpuUsage(loopCpu);
  const { wall, cpu: stepCpu } = probe.longest;
  globalThis.gc?.();
  globalThis.gc?.();
  const memory = process.memoryUsage();
  const measured: Measured = {
    cpuMs: (used.user + used.system) / 1000,
    loopCpuMs: (loopUsed.user + loopUsed.system) / 1000,
    longestStepMs: wall,
    longestStepCpuMs: stepCpu,
    heapBytes: memory.heapUsed,
    externalBytes: memory.external,
    rssBytes: memory.rss,
  };
  process.send?.(measured);
});
process.on('disconnect', () => process.exit(0));
process.send?.(started);
