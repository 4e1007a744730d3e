import type { Clock, Entropy } from '#base/clock.ts';
import { AppError } from '#base/errors.ts';
import { getPath, getString } from '#base/json.ts';
import type { Logger } from '#base/log.ts';
import type { Outcome } from '#base/outcome.ts';
import { WorkQueue } from '#base/work-queue.ts';
import { AddressTable } from '../agent/address-table.ts';
import type { ApiObject, ApiServer, NodeLogs, NodeUsage } from '../api/port.ts';
import { ApiEventRecorder } from '../controllers/event-recorder.ts';
import { keyOf, splitKey } from '../controllers/key.ts';
import { isConflict, isNotFound, withinTimers } from '../controllers/loop.ts';
import { type ImageFault, readKnobs } from './knobs.ts';
import { SimulatedLogs } from './logs.ts';
import { moodOf, type NodeSize, SimulatedNodes } from './node.ts';
import { SimulatedPod, type SimulatedPodDeps } from './pod.ts';
import { type SimulatorTiming, usualTiming } from './timing.ts';
import { SimulatedUsage } from './usage.ts';

export interface SimulatorOptions {
  /** Their names, or how many there are: `sim-1`, `sim-2`. One by default; users may make more. */
  nodes?: number | readonly string[];
  nodeSize?: Partial<NodeSize>;
  /** Everything on the nodes goes that many times faster, back-off too. */
  speed?: number;
  timing?: Partial<Omit<SimulatorTiming, 'speed'>>;
  imageFaults?: readonly ImageFault[];
}

export interface Simulator extends AsyncDisposable {
  logs: NodeLogs;
  usage: NodeUsage;
}

const usualSize: NodeSize = { cpu: '32', memory: '128Gi', pods: '110' };
const mostNodes = 5_000;
/** In flight at once: more makes each turn of the loop longer. */
const concurrency = 32;

/**
 * Nodes on which pods behave and nothing runs. Resolves when the nodes are ready; users switch faults on by annotation.
 * Throws AppError bad-input for options that mean nothing. Disposing leaves all objects as they are.
 */
export async function startSimulator(
  deps: { api: ApiServer; clock: Clock; entropy: Entropy; logger: Logger },
  options: SimulatorOptions,
): Promise<Simulator> {
  const names = nodeNames(options.nodes ?? 1);
  checkOptions(options);
  await using stack = new AsyncDisposableStack();
  const events = stack.use(new ApiEventRecorder(deps));
  const timing = { ...usualTiming, ...options.timing, speed: options.speed ?? 1 };
  const size = { ...usualSize, ...options.nodeSize };
  let pods: PodSet | undefined;
  const moodChanged = (node: string): void => pods?.lookAt(node);
  const nodes = stack.use(new SimulatedNodes(deps, { size, heartbeatMs: timing.heartbeatMs, moodChanged }));
  await Promise.all(names.map((name) => nodes.add(name)));
  const { api, clock, entropy, logger } = deps;
  const shared: SimulatedPodDeps = {
    api,
    now: () => clock.now(),
    entropy,
    events,
    timing,
    imageFaults: options.imageFaults ?? [],
  };
  const set = stack.use(new PodSet(shared, { clock, logger, nodes }));
  pods = set;
  const owned = stack.move();
  return {
    logs: new SimulatedLogs({ api, textOf: (pod, container) => set.logOf(pod, container) }),
    usage: new SimulatedUsage({ api, clock, imageFaults: shared.imageFaults }),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function nodeNames(nodes: number | readonly string[]): readonly string[] {
  if (typeof nodes !== 'number') return nodes;
  if (!Number.isInteger(nodes) || nodes < 0 || nodes > mostNodes)
    throw new AppError('bad-input', `there can be 0 to ${mostNodes} simulated nodes, not ${nodes}`);
  return Array.from({ length: nodes }, (_, index) => `sim-${index + 1}`);
}

function checkOptions({ speed = 1, imageFaults = [] }: SimulatorOptions): void {
  if (!(speed > 0 && speed <= 1_000_000))
    throw new AppError('bad-input', `the simulator's speed is above 0 and at most 1000000, not ${speed}`);
  for (const { image, knobs } of imageFaults) {
    const [problem] = readKnobs({ name: '', image }, {}, [{ image, knobs }]).problems;
    if (problem !== undefined) throw new AppError('bad-input', `a fault of images means nothing: ${problem}`);
  }
}

/** All pods on simulated nodes. */
class PodSet implements AsyncDisposable {
  readonly #deps: SimulatedPodDeps;
  readonly #nodes: SimulatedNodes;
  readonly #addresses: AddressTable;
  readonly #images = new Map<string, Set<string>>();
  readonly #pods = new Map<string, SimulatedPod>();
  readonly #queue: WorkQueue;
  readonly #stop: () => void;

  constructor(deps: SimulatedPodDeps, context: { clock: Clock; logger: Logger; nodes: SimulatedNodes }) {
    this.#deps = deps;
    this.#nodes = context.nodes;
    this.#addresses = new AddressTable(deps.entropy);
    const { clock, logger } = context;
    this.#queue = new WorkQueue({ name: 'simulated-pods', clock, logger, concurrency, tick: (key) => this.#tick(key) });
    this.#stop = deps.api.onChange('pods', ({ object }) => {
      if (getString(object, 'spec', 'nodeName')) this.#queue.add(keyOf(object));
    });
    for (const pod of deps.api.list('pods')) if (getString(pod, 'spec', 'nodeName')) this.#queue.add(keyOf(pod));
  }

  lookAt(node: string): void {
    for (const pod of this.#deps.api.list('pods'))
      if (getString(pod, 'spec', 'nodeName') === node) this.#queue.add(keyOf(pod));
  }

  logOf(pod: ApiObject, container: string): string | undefined {
    return this.#pods.get(keyOf(pod))?.logOf(container);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop();
    await this.#queue[Symbol.asyncDispose]();
  }

  async #tick(key: string): Promise<Outcome> {
    const { api } = this.#deps;
    const { namespace, name } = splitKey(key);
    const object = api.get('pods', namespace, name);
    const known = this.#pods.get(key);
    if (known && known.uid !== object?.metadata.uid) {
      this.#pods.delete(key);
      this.#addresses.release(known.uid);
    }
    const node = getString(object, 'spec', 'nodeName');
    if (!object || node === undefined) return { kind: 'done' };
    // A kubelet that is not ready leaves pods as they are.
    if (moodOf(api.get('nodes', undefined, node)) !== 'ready') return { kind: 'done' };
    const pod = this.#pods.get(key) ?? this.#begin(key, object, node);
    try {
      return withinTimers(await pod.tick(object));
    } catch (error) {
      if (isConflict(error)) return { kind: 'waiting', reason: 'Conflict', message: '', retryAfterMs: 5 };
      if (isNotFound(error)) return { kind: 'done' };
      throw error;
    }
  }

  #begin(key: string, object: ApiObject, node: string): SimulatedPod {
    const hostIp = this.#nodes.hostIp(node) ?? '';
    const images = this.#images.get(node) ?? new Set<string>();
    this.#images.set(node, images);
    const own = this.#addresses.podIp(object.metadata.uid ?? '', getString(object, 'status', 'podIP'));
    const podIp = getPath(object, 'spec', 'hostNetwork') === true ? hostIp : own;
    const pod = new SimulatedPod(this.#deps, object, { podIp, hostIp, images });
    this.#pods.set(key, pod);
    return pod;
  }
}
