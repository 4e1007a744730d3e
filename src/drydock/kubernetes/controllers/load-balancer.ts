import { getArray, getObject, getString, jsonEqual } from '#base/json.ts';
import type { Outcome } from '#base/outcome.ts';
import type { ApiObject } from '../api/port.ts';
import { isServed } from '../ingress/ingress-class.ts';
import { keyOf, splitKey } from './key.ts';
import type { Controller, ControllerDeps } from './loop.ts';

const manager = 'load-balancer-controller';
const address = '127.0.0.1';

/**
 * Tells Services of type LoadBalancer the one address this cluster has, and Ingresses too as long as no router has told
 * them more.
 */
export function loadBalancerController(deps: ControllerDeps): Controller {
  return {
    name: 'load-balancer',
    watches: [
      { resource: 'services', names: (service) => [`services|${keyOf(service)}`] },
      {
        resource: 'ingresses.networking.k8s.io',
        names: (ingress) => [`ingresses.networking.k8s.io|${keyOf(ingress)}`],
      },
    ],
    tick: async (name): Promise<Outcome> => {
      const bar = name.indexOf('|');
      const resource = name.slice(0, bar);
      const at = splitKey(name.slice(bar + 1));
      const object = deps.api.get(resource, at.namespace, at.name);
      if (!object || object.metadata.deletionTimestamp !== undefined) return { kind: 'done' };
      if (object.kind === 'Ingress' && (!isServed(deps.api, object) || hasAddress(object))) return { kind: 'done' };
      const status = { ...getObject(object, 'status'), loadBalancer: loadBalancerOf(object) };
      if (!jsonEqual(getObject(object, 'status'), status)) await deps.api.updateStatus({ ...object, status }, manager);
      return { kind: 'done' };
    },
  };
}

function hasAddress(ingress: ApiObject): boolean {
  return getArray(ingress, 'status', 'loadBalancer', 'ingress').length > 0;
}

function loadBalancerOf(object: ApiObject): object {
  if (object.kind === 'Ingress') return { ingress: [{ ip: address }] };
  return getString(object, 'spec', 'type') === 'LoadBalancer' ? { ingress: [{ ip: address, ipMode: 'VIP' }] } : {};
}
