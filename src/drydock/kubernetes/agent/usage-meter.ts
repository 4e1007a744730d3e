import type { Clock } from '#base/clock.ts';
import type { NodeUsage, UsageReport } from '../api/port.ts';
import { groupUsage, type ProcessUsage } from './process-usage.ts';

/** A running container as the meter sees it. */
export interface MeteredContainer {
  namespace: string;
  pod: string;
  labels: Record<string, string>;
  container: string;
  processGroup: number;
}

export interface UsageMeterDeps {
  clock: Clock;
  node(): { name: string; labels: Record<string, string> };
  running(): MeteredContainer[];
  /** The machine's processors together, and its memory in use. */
  machine(): ProcessUsage;
  /** By default that of the processes of this machine. */
  usageOf?: (groups: ReadonlySet<number>) => Promise<Map<number, ProcessUsage>>;
}

interface Sample {
  at: number;
  containers: MeteredContainer[];
  usage: Map<number, ProcessUsage>;
  machine: ProcessUsage;
}

/** Rates over less than this are more rounding than measurement: processor time comes in steps of 10 ms. */
const shortestWindowMs = 1_000;
/** A sample older than this says what was, not what is. */
const longestWindowMs = 60_000;

/**
 * What the containers of a node use, measured when somebody asks: the rate between the last two samples. The first
 * answer after a quiet minute takes a second. What has not been there for both samples is not told.
 */
export class UsageMeter implements NodeUsage {
  readonly #deps: UsageMeterDeps;
  #last: Sample | undefined;
  #report: UsageReport | undefined;
  #reading: Promise<UsageReport> | undefined;

  constructor(deps: UsageMeterDeps) {
    this.#deps = deps;
  }

  read(): Promise<UsageReport> {
    this.#reading ??= this.#measure().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #measure(): Promise<UsageReport> {
    const { clock } = this.#deps;
    const age = this.#last === undefined ? Number.POSITIVE_INFINITY : clock.now() - this.#last.at;
    if (age < shortestWindowMs && this.#report) return this.#report;
    const first = this.#last !== undefined && age <= longestWindowMs ? this.#last : await this.#sample();
    const wait = shortestWindowMs - (clock.now() - first.at);
    if (wait > 0) await clock.sleep(wait);
    const second = await this.#sample();
    this.#last = second;
    this.#report = reportOf(this.#deps.node(), first, second);
    return this.#report;
  }

  async #sample(): Promise<Sample> {
    const { clock, running, machine, usageOf = groupUsage } = this.#deps;
    const containers = running();
    const usage = await usageOf(new Set(containers.map((container) => container.processGroup)));
    return { at: clock.now(), containers, usage, machine: machine() };
  }
}

function reportOf(node: ReturnType<UsageMeterDeps['node']>, first: Sample, second: Sample): UsageReport {
  const windowMs = second.at - first.at;
  const pods = new Map<string, UsageReport['pods'][number]>();
  for (const { namespace, pod, labels, container, processGroup } of second.containers) {
    const [before, now] = [first.usage.get(processGroup), second.usage.get(processGroup)];
    if (!before || !now) continue;
    const key = `${namespace}/${pod}`;
    const entry = pods.get(key) ?? { namespace, name: pod, labels, containers: [] };
    entry.containers.push({ name: container, ...rate(before, now, windowMs) });
    pods.set(key, entry);
  }
  return {
    at: second.at,
    windowMs,
    nodes: [{ ...node, ...rate(first.machine, second.machine, windowMs) }],
    pods: [...pods.values()],
  };
}

function rate(
  before: ProcessUsage,
  now: ProcessUsage,
  windowMs: number,
): { cpuNanoCores: number; memoryBytes: number } {
  const cores = Math.max(0, now.cpuMs - before.cpuMs) / Math.max(1, windowMs);
  return { cpuNanoCores: Math.round(cores * 1e9), memoryBytes: now.memoryBytes };
}
