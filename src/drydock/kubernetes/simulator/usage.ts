import type { Clock } from '#base/clock.ts';
import { getArray, getObject, getPath, getString } from '#base/json.ts';
import { readContainer } from '../agent/pod-spec.ts';
import type { ApiObject, ApiServer, NodeUsage, UsageReport } from '../api/port.ts';
import { readAmounts } from '../controllers/pod-resources.ts';
import { type ImageFault, readKnobs } from './knobs.ts';
import { moodOf } from './node.ts';

type ContainerUsage = UsageReport['pods'][number]['containers'][number];

const windowMs = 10_000;

/** What running simulated containers are said to use: what their knobs say now, else what they request. */
export class SimulatedUsage implements NodeUsage {
  readonly #deps: { api: ApiServer; clock: Clock; imageFaults: readonly ImageFault[] };

  constructor(deps: { api: ApiServer; clock: Clock; imageFaults: readonly ImageFault[] }) {
    this.#deps = deps;
  }

  async read(): Promise<UsageReport> {
    const { api, clock } = this.#deps;
    const nodes = new Map(
      api
        .list('nodes')
        .filter((node) => moodOf(node) !== undefined)
        .map(({ metadata: { name, labels = {} } }) => [name, { name, labels, cpuNanoCores: 0, memoryBytes: 0 }]),
    );
    const pods: UsageReport['pods'] = [];
    for (const pod of api.list('pods')) {
      const node = nodes.get(getString(pod, 'spec', 'nodeName') ?? '');
      const containers = node ? this.#containers(pod) : [];
      if (!node || containers.length === 0) continue;
      const { namespace = '', name, labels = {} } = pod.metadata;
      pods.push({ namespace, name, labels, containers });
      for (const { cpuNanoCores, memoryBytes } of containers) {
        node.cpuNanoCores += cpuNanoCores;
        node.memoryBytes += memoryBytes;
      }
    }
    return { at: clock.now(), windowMs, nodes: [...nodes.values()], pods };
  }

  #containers(pod: ApiObject): ContainerUsage[] {
    const statuses = [
      ...getArray(pod, 'status', 'containerStatuses'),
      ...getArray(pod, 'status', 'initContainerStatuses'),
    ];
    const running = new Set(
      statuses
        .filter((status) => getPath(status, 'state', 'running') !== undefined)
        .map((status) => getString(status, 'name')),
    );
    const specs = [...getArray(pod, 'spec', 'containers'), ...getArray(pod, 'spec', 'initContainers')];
    return specs
      .filter((spec) => running.has(getString(spec, 'name')))
      .map((spec) => {
        const container = readContainer(spec);
        const { knobs } = readKnobs(container, pod.metadata.annotations ?? {}, this.#deps.imageFaults);
        const asked = readAmounts(getObject(spec, 'resources', 'requests'));
        return {
          name: container.name,
          cpuNanoCores: knobs.cpuNanoCores ?? (asked.get('cpu') ?? 0) * 1e6,
          memoryBytes: knobs.memoryBytes ?? asked.get('memory') ?? 0,
        };
      });
  }
}
