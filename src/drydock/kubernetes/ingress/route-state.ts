import type { ApiServer } from '../api/port.ts';
import { isServed } from './ingress-class.ts';
import { type HostCertificate, type IngressPlan, planIngresses } from './ingress-plan.ts';
import { RouteTable } from './route-table.ts';

export interface Routes {
  table: RouteTable;
  certificates: HostCertificate[];
  ingress: IngressPlan;
}

const sources = ['ingresses.networking.k8s.io', 'ingressclasses.networking.k8s.io', 'services'];

/** The routes as the objects say now; made anew when one changed and somebody asks. */
export class RouteState implements Disposable {
  readonly #api: ApiServer;
  readonly #stops: (() => void)[];
  #routes: Routes | undefined;

  constructor(api: ApiServer) {
    this.#api = api;
    this.#stops = sources.map((resource) =>
      api.onChange(resource, () => {
        this.#routes = undefined;
      }),
    );
  }

  get current(): Routes {
    this.#routes ??= this.#make();
    return this.#routes;
  }

  [Symbol.dispose](): void {
    for (const stop of this.#stops) stop();
  }

  #make(): Routes {
    const api = this.#api;
    const served = api
      .list('ingresses.networking.k8s.io')
      .filter((one) => one.metadata.deletionTimestamp === undefined && isServed(api, one));
    const ingress = planIngresses(
      served.sort((a, b) => (ageOf(a) < ageOf(b) ? -1 : 1)),
      { service: (namespace, name) => api.get('services', namespace, name) },
    );
    return { table: new RouteTable(ingress.routes), certificates: ingress.certificates, ingress };
  }
}

function ageOf({ metadata }: { metadata: { creationTimestamp?: string; namespace?: string; name: string } }): string {
  return `${metadata.creationTimestamp ?? ''}/${metadata.namespace ?? ''}/${metadata.name}`;
}
