import type { ApiObject, ApiServer } from '../api/port.ts';
import { keyOf } from '../controllers/key.ts';
import { readTlsSecret } from './certificate-store.ts';
import { isOwnGateway } from './gateway-class.ts';
import { type GatewaySources, type PlannedGateway, planGateway } from './gateway-plan.ts';
import { type PlannedRoute, planHttpRoute } from './http-route-plan.ts';
import { isServed } from './ingress-class.ts';
import { type HostCertificate, type IngressPlan, planIngresses } from './ingress-plan.ts';
import { RouteTable } from './route-table.ts';

export interface Routes {
  table: RouteTable;
  certificates: HostCertificate[];
  ingress: IngressPlan;
  gateways: ReadonlyMap<string, PlannedGateway>;
  httpRoutes: ReadonlyMap<string, PlannedRoute>;
}

/** Whatever decides about routes. */
export const routeSources = [
  'ingresses.networking.k8s.io',
  'ingressclasses.networking.k8s.io',
  'services',
  'secrets',
  'namespaces',
  'gatewayclasses.gateway.networking.k8s.io',
  'gateways.gateway.networking.k8s.io',
  'httproutes.gateway.networking.k8s.io',
  'referencegrants.gateway.networking.k8s.io',
];

/** The routes as the objects say now; made anew when one changed and somebody asks. */
export class RouteState implements Disposable {
  readonly #api: ApiServer;
  readonly #ports: { http: number; https: number };
  readonly #stops: (() => void)[];
  #routes: Routes | undefined;

  constructor(api: ApiServer, ports: { http: number; https: number }) {
    this.#api = api;
    this.#ports = ports;
    this.#stops = routeSources.map((resource) =>
      api.onChange(resource, ({ object }) => {
        if (resource !== 'secrets' || object['type'] === 'kubernetes.io/tls') this.#routes = undefined;
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
    const service = (namespace: string, name: string) => api.get('services', namespace, name);
    const served = living(api, 'ingresses.networking.k8s.io').filter((one) => isServed(api, one));
    const ingress = planIngresses(served, { service });
    const sources: GatewaySources = {
      service,
      certificateProblem: (namespace, name) => {
        const read = readTlsSecret(api.get('secrets', namespace, name));
        return typeof read === 'string' ? read : undefined;
      },
      namespaceLabels: (name) => api.get('namespaces', undefined, name)?.metadata.labels ?? {},
      grants: api.list('referencegrants.gateway.networking.k8s.io'),
      ports: this.#ports,
    };
    const gateways = new Map<string, PlannedGateway>();
    const certificates = [...ingress.certificates];
    for (const one of living(api, 'gateways.gateway.networking.k8s.io')) {
      if (!isOwnGateway(api, one)) continue;
      const plan = planGateway(one, sources);
      gateways.set(keyOf(one), plan.gateway);
      certificates.push(...plan.certificates);
    }
    const httpRoutes = new Map<string, PlannedRoute>();
    for (const one of living(api, 'httproutes.gateway.networking.k8s.io'))
      httpRoutes.set(keyOf(one), planHttpRoute(one, gateways, sources));
    const routes = [...ingress.routes, ...[...httpRoutes.values()].flatMap((plan) => plan.routes)];
    return { table: new RouteTable(routes), certificates, ingress, gateways, httpRoutes };
  }
}

/** Oldest first, as those win. */
function living(api: ApiServer, resource: string): ApiObject[] {
  return api
    .list(resource)
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    .sort((a, b) => (ageOf(a) < ageOf(b) ? -1 : 1));
}

function ageOf({ metadata }: ApiObject): string {
  return `${metadata.creationTimestamp ?? ''}/${metadata.namespace ?? ''}/${metadata.name}`;
}
