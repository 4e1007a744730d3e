import { type Clock, timestamp } from '#base/clock.ts';
import { getObject, isObject, type JsonObject, jsonEqual } from '#base/json.ts';
import type { Logger } from '#base/log.ts';
import type { Outcome } from '#base/outcome.ts';
import { WorkQueue } from '#base/work-queue.ts';
import { renewLease } from '../agent/node-object.ts';
import type { ApiObject, ApiServer } from '../api/port.ts';
import { parseConditions, withCondition } from '../controllers/condition.ts';
import { isAlreadyExists, isConflict } from '../controllers/loop.ts';
import { knobPrefix } from './knobs.ts';

/** On a Node: that it is simulated, and how it is. */
export const nodeKnob = `${knobPrefix}node`;

/** `silent`: its kubelet is gone; nothing is reported and no pod changes. */
export type NodeMood = 'ready' | 'not-ready' | 'silent';

export interface NodeSize {
  cpu: string;
  memory: string;
  pods: string;
}

/** How a node is, by its annotation; undefined for a node that is not simulated. */
export function moodOf(node: ApiObject | undefined): NodeMood | undefined {
  const text = node?.metadata.annotations?.[nodeKnob];
  if (text === undefined) return undefined;
  return text === 'not-ready' || text === 'silent' ? text : 'ready';
}

/** Keeps the status and the Lease of every node that has the annotation, also of those that users make. */
export class SimulatedNodes implements AsyncDisposable {
  readonly #deps: { api: ApiServer; clock: Clock; logger: Logger };
  readonly #size: NodeSize;
  readonly #heartbeatMs: number;
  readonly #queue: WorkQueue;
  readonly #stop: () => void;
  readonly #beatenAt = new Map<string, number>();
  readonly #addresses = new Map<string, string>();

  constructor(
    deps: { api: ApiServer; clock: Clock; logger: Logger },
    options: { size: NodeSize; heartbeatMs: number; moodChanged: (node: string) => void },
  ) {
    this.#deps = deps;
    this.#size = options.size;
    this.#heartbeatMs = options.heartbeatMs;
    const { api, clock, logger } = deps;
    this.#queue = new WorkQueue({ name: 'simulated-nodes', clock, logger, concurrency: 8, tick: (n) => this.#tick(n) });
    this.#stop = api.onChange('nodes', ({ object, old }) => {
      this.#queue.add(object.metadata.name);
      if (moodOf(object) !== moodOf(old)) options.moodChanged(object.metadata.name);
    });
    for (const node of api.list('nodes')) this.#queue.add(node.metadata.name);
  }

  /** Makes a node of this name unless there is one, and waits until it is ready. */
  async add(name: string): Promise<void> {
    try {
      await this.#deps.api.create(nodeObject(name), 'kubelet');
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
    }
    await this.#tick(name);
  }

  /** Undefined when there is no such simulated node. */
  hostIp(name: string): string | undefined {
    if (moodOf(this.#deps.api.get('nodes', undefined, name)) === undefined) return undefined;
    const known = this.#addresses.get(name);
    if (known !== undefined) return known;
    const number = this.#addresses.size + 2;
    const ip = `172.18.${number >> 8}.${number & 255}`;
    this.#addresses.set(name, ip);
    return ip;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop();
    await this.#queue[Symbol.asyncDispose]();
  }

  async #tick(name: string): Promise<Outcome> {
    const { api, clock } = this.#deps;
    const node = api.get('nodes', undefined, name);
    const mood = moodOf(node);
    if (!node || mood === undefined || mood === 'silent') {
      this.#beatenAt.delete(name);
      return { kind: 'done' };
    }
    const status = this.#statusOf(node, mood);
    try {
      if (!jsonEqual(getObject(node, 'status'), status)) await api.updateStatus({ ...node, status }, 'kubelet');
      const dueAt = (this.#beatenAt.get(name) ?? Number.NEGATIVE_INFINITY) + this.#heartbeatMs;
      if (clock.now() >= dueAt) {
        this.#beatenAt.set(name, clock.now());
        await renewLease(this.#deps, name);
      }
    } catch (error) {
      if (isConflict(error)) return { kind: 'waiting', reason: 'Conflict', message: '', retryAfterMs: 5 };
      throw error;
    }
    const beatenAt = this.#beatenAt.get(name) ?? clock.now();
    return { kind: 'done', recheckAfterMs: Math.max(1, beatenAt + this.#heartbeatMs - clock.now()) };
  }

  #statusOf(node: ApiObject, mood: 'ready' | 'not-ready'): JsonObject {
    const before = getObject(node, 'status');
    const { name } = node.metadata;
    const amounts = { ...this.#size, 'ephemeral-storage': '100Gi' };
    let conditions = parseConditions(before);
    const now = this.#deps.clock.now();
    for (const next of goodConditions(mood)) {
      const fresh = !conditions.some(({ type }) => type === next.type);
      conditions = withCondition(conditions, next, { now });
      if (fresh)
        conditions = conditions.map((item) =>
          item.type === next.type ? { ...item, lastHeartbeatTime: timestamp(now) } : item,
        );
    }
    const order = conditionOrder;
    conditions.sort((a, b) => order.indexOf(a.type) - order.indexOf(b.type));
    return {
      ...before,
      capacity: filled(before['capacity'], amounts),
      allocatable: filled(before['allocatable'], filled(before['capacity'], amounts)),
      addresses: [
        { type: 'InternalIP', address: this.hostIp(name) },
        { type: 'Hostname', address: name },
      ],
      conditions,
      nodeInfo: { ...nodeInfo, machineID: name, systemUUID: name, bootID: name },
      daemonEndpoints: { kubeletEndpoint: { Port: 0 } },
    };
  }
}

const conditionOrder = ['MemoryPressure', 'DiskPressure', 'PIDPressure', 'Ready'];

const nodeInfo = {
  kernelVersion: 'simulated',
  osImage: 'simulated node; nothing runs',
  containerRuntimeVersion: 'simulated://1.0.0',
  kubeletVersion: 'v1.33.0',
  kubeProxyVersion: '',
  operatingSystem: 'linux',
  architecture: 'amd64',
};

function goodConditions(mood: 'ready' | 'not-ready') {
  const good = (type: string, reason: string, message: string) => ({ type, status: 'False', reason, message }) as const;
  return [
    good('MemoryPressure', 'KubeletHasSufficientMemory', 'kubelet has sufficient memory available'),
    good('DiskPressure', 'KubeletHasNoDiskPressure', 'kubelet has no disk pressure'),
    good('PIDPressure', 'KubeletHasSufficientPID', 'kubelet has sufficient PID available'),
    mood === 'ready'
      ? ({
          type: 'Ready',
          status: 'True',
          reason: 'KubeletReady',
          message: 'kubelet is posting ready status',
        } as const)
      : good('Ready', 'KubeletNotReady', `the node is not ready, as its annotation ${nodeKnob} says`),
  ];
}

function filled(given: unknown, usual: JsonObject): JsonObject {
  return isObject(given) && Object.keys(given).length > 0 ? given : usual;
}

function nodeObject(name: string): ApiObject {
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name,
      annotations: { [nodeKnob]: 'ready' },
      labels: { 'kubernetes.io/hostname': name, 'kubernetes.io/arch': 'amd64', 'kubernetes.io/os': 'linux' },
    },
    spec: {},
  };
}
