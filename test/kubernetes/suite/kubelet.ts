import { getObject, getString } from '#base/json.ts';
import { type Cluster, itemsOf, nameOf } from './cluster.ts';

const started = '2026-01-01T00:00:00Z';

/** Plays the kubelet for pods that no node has: what a node would report, the case reports. */
export class Kubelet {
  readonly #cluster: Cluster;
  #address = 1;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  /** The pods of a label selector, oldest first by name within the same second. */
  async pods(selector: string): Promise<{ name: string; ready: boolean; image: string }[]> {
    const { body } = await this.#cluster.get(
      `${this.#cluster.at('pods')}?labelSelector=${encodeURIComponent(selector)}`,
    );
    return itemsOf(body).map((pod) => ({
      name: nameOf(pod),
      ready: JSON.stringify(getObject(pod, 'status')['conditions'] ?? []).includes('"type":"Ready","status":"True"'),
      image: getString(pod, 'spec', 'containers', 0, 'image') ?? '',
    }));
  }

  async ready(name: string): Promise<void> {
    const condition = (type: string) => ({ type, status: 'True', lastTransitionTime: started });
    const address = `10.99.0.${this.#address++ % 250}`;
    await this.#report(name, {
      phase: 'Running',
      conditions: ['Initialized', 'Ready', 'ContainersReady', 'PodScheduled'].map(condition),
      podIP: address,
      podIPs: [{ ip: address }],
      startTime: started,
      containerStatuses: [this.#container({ running: { startedAt: started } }, true)],
    });
  }

  async finished(name: string, exitCode: number): Promise<void> {
    const terminated = {
      exitCode,
      reason: exitCode === 0 ? 'Completed' : 'Error',
      startedAt: started,
      finishedAt: started,
    };
    await this.#report(name, {
      phase: exitCode === 0 ? 'Succeeded' : 'Failed',
      startTime: started,
      containerStatuses: [this.#container({ terminated }, false)],
    });
  }

  #container(state: object, ready: boolean): object {
    return { name: 'main', image: 'x', imageID: 'x', ready, started: ready, restartCount: 0, state };
  }

  async #report(name: string, status: object): Promise<void> {
    const answer = await this.#cluster.patch(this.#cluster.at('pods', name, 'status'), { status });
    if (answer.code !== 200) throw new Error(`the status of ${name} is refused: ${answer.text}`);
  }
}
