import { performance } from 'node:perf_hooks';
import { silentLogger } from '#base/log.ts';
import { createKubeClient } from '#kube/client.ts';
import { createInformerSet } from '#kube/informer.ts';
import { loadKubeTarget } from '#kube/kubeconfig.ts';
import { type ApiResource, type InformerEvent, type KubeClient, type KubeObject, kindOf } from '#kube/port.ts';
import { testClock, testEntropy } from '../../test/clock.ts';

/** One change that a watch told of, stamped when it arrived. */
export interface Sighting {
  at: number;
  type: InformerEvent['type'];
  object: KubeObject;
}

const kinds = [
  { group: '', version: 'v1', kind: 'ServiceAccount' },
  { group: '', version: 'v1', kind: 'Service' },
  { group: '', version: 'v1', kind: 'ConfigMap' },
  { group: 'apps', version: 'v1', kind: 'Deployment' },
  { group: 'networking.k8s.io', version: 'v1', kind: 'Ingress' },
  { group: 'argoproj.io', version: 'v1alpha1', kind: 'Application' },
];

/**
 * The one who looks: an own client and own watches, one clock (milliseconds of this process) for everything. What is
 * measured never asks the peer for its times.
 */
export class Observer implements AsyncDisposable {
  readonly kube: KubeClient;
  readonly signal: AbortSignal;
  readonly #abort: AbortController;
  readonly #stack: AsyncDisposableStack;
  readonly #listeners = new Set<(sighting: Sighting) => void>();
  readonly #resources = new Map<string, ApiResource>();

  private constructor(kube: KubeClient, abort: AbortController, stack: AsyncDisposableStack) {
    this.kube = kube;
    this.#abort = abort;
    this.signal = abort.signal;
    this.#stack = stack;
  }

  static async connect(kubeconfig: string): Promise<Observer> {
    await using stack = new AsyncDisposableStack();
    const target = await loadKubeTarget({ path: kubeconfig });
    const kube = stack.use(createKubeClient({ target, clock: testClock, logger: silentLogger }));
    return new Observer(kube, new AbortController(), stack.move());
  }

  /** Begins to watch; all kinds must be served. */
  async watch(): Promise<void> {
    const deps = { client: this.kube, clock: testClock, entropy: testEntropy, logger: silentLogger };
    const informers = this.#stack.use(createInformerSet(deps));
    for (const kind of kinds) {
      const informer = informers.informer(await this.resource(kind));
      await informer.whenSynced(this.signal);
      informer.subscribe((event) => {
        const sighting: Sighting = { at: performance.now(), type: event.type, object: event.object };
        for (const listener of this.#listeners) listener(sighting);
      });
    }
  }

  async resource(kind: { group: string; version: string; kind: string }): Promise<ApiResource> {
    const name = `${kind.group}/${kind.kind}`;
    const known = this.#resources.get(name) ?? (await this.kube.discovery.find(kind, this.signal));
    if (!known) throw new Error(`the cluster does not serve ${name}`);
    this.#resources.set(name, known);
    return known;
  }

  /** Creates an object, or leaves the one there is. */
  async ensure(object: KubeObject): Promise<void> {
    await this.kube.apply(object, { fieldManager: 'bench', force: true }, this.signal);
  }

  async patch(object: KubeObject, body: unknown, subresource?: string): Promise<KubeObject> {
    const resource = await this.resource(kindOf(object));
    const options = { fieldManager: 'bench-edit', ...(subresource === undefined ? {} : { subresource }) };
    return await this.kube.patch(resource, object.metadata, { type: 'merge', body }, options, this.signal);
  }

  onSighting(listener: (sighting: Sighting) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => this.#listeners.delete(listener) };
  }

  /** When the first change came for which `accept` is true. */
  async first(accept: (sighting: Sighting) => boolean, timeoutMs: number, what: string): Promise<number> {
    return await new Promise<number>((resolve, reject) => {
      const end = (): void => {
        clearTimeout(timer);
        listening[Symbol.dispose]();
      };
      const timer = setTimeout(() => {
        end();
        reject(new Error(`${what} was not seen in ${timeoutMs} ms`));
      }, timeoutMs);
      const listening = this.onSighting((sighting) => {
        if (!accept(sighting)) return;
        end();
        resolve(sighting.at);
      });
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort();
    await this.#stack.disposeAsync();
  }
}
