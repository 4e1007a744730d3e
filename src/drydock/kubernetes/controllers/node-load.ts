import { getString } from '#base/json.ts';
import type { ApiObject, ApiServer } from '../api/port.ts';
import { splitKey } from './key.ts';
import { type Amounts, hostPorts, podRequests, sum } from './pod-resources.ts';
import { podPhase } from './pod-state.ts';
import { keepsOthersAway, type PlacedPod } from './scheduler-peers.ts';

/** What the pods of a node take of it. */
export interface NodeLoad {
  amounts: Amounts;
  pods: number;
  hostPorts: { has(port: string): boolean };
}

export const emptyLoad: NodeLoad = { amounts: new Map(), pods: 0, hostPorts: new Set() };

interface Share extends PlacedPod {
  amounts: Amounts;
  ports: readonly string[];
}

/**
 * The load of every node, kept as pods come and go: `touch` a pod when it may have changed; it is looked at when a load is
 * read. `assume` counts a pod before its binding is stored, so that two decisions never give the same place away.
 */
export class NodeLoads {
  readonly #api: ApiServer;
  readonly #shares = new Map<string, Share>();
  readonly #guarded = new Map<string, Share>();
  readonly #loads = new Map<string, { amounts: Amounts; pods: number; hostPorts: Map<string, number> }>();
  readonly #touched = new Set<string>();

  constructor(api: ApiServer) {
    this.#api = api;
  }

  touch(key: string): void {
    this.#touched.add(key);
  }

  assume(key: string, pod: ApiObject, node: string): void {
    this.#remove(key);
    this.#add(key, pod, node);
  }

  of(node: string): NodeLoad {
    this.#settle();
    return this.#loads.get(node) ?? emptyLoad;
  }

  placed(): Iterable<PlacedPod> {
    this.#settle();
    return this.#shares.values();
  }

  /** Those with anti-affinity of their own. */
  guarded(): Iterable<PlacedPod> {
    this.#settle();
    return this.#guarded.values();
  }

  #settle(): void {
    for (const key of this.#touched) this.#look(key);
    this.#touched.clear();
  }

  #look(key: string): void {
    const { namespace, name } = splitKey(key);
    const pod = this.#api.get('pods', namespace, name);
    const node = getString(pod, 'spec', 'nodeName');
    const counts = pod && node !== undefined && podPhase(pod) !== 'Succeeded' && podPhase(pod) !== 'Failed';
    const share = this.#shares.get(key);
    if (counts && share?.node === node && share.pod.metadata.uid === pod.metadata.uid) {
      share.pod = pod;
      return;
    }
    this.#remove(key);
    if (counts) this.#add(key, pod, node);
  }

  #add(key: string, pod: ApiObject, node: string): void {
    const share = { node, pod, amounts: podRequests(pod), ports: hostPorts(pod) };
    const load = this.#loads.get(node) ?? { amounts: new Map(), pods: 0, hostPorts: new Map<string, number>() };
    this.#shares.set(key, share);
    if (keepsOthersAway(pod)) this.#guarded.set(key, share);
    load.amounts = sum(load.amounts, share.amounts);
    load.pods += 1;
    for (const port of share.ports) load.hostPorts.set(port, (load.hostPorts.get(port) ?? 0) + 1);
    this.#loads.set(node, load);
  }

  #remove(key: string): void {
    const share = this.#shares.get(key);
    const load = share && this.#loads.get(share.node);
    if (!share || !load) return;
    this.#shares.delete(key);
    this.#guarded.delete(key);
    load.amounts = sum(load.amounts, share.amounts, -1);
    load.pods -= 1;
    for (const port of share.ports) {
      const left = (load.hostPorts.get(port) ?? 1) - 1;
      if (left > 0) load.hostPorts.set(port, left);
      else load.hostPorts.delete(port);
    }
    if (load.pods === 0) this.#loads.delete(share.node);
  }
}
