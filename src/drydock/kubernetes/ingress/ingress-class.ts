import { getString } from '#base/json.ts';
import type { ApiObject, ApiServer } from '../api/port.ts';

/** The controllers whose Ingresses are served here: our own, and those whose annotations are understood. */
export const ownController = 'drydock.slipway.dev/ingress';
const servedControllers = [ownController, 'k8s.io/ingress-nginx', 'ingress.k8s.aws/alb'];

const legacyClass = 'kubernetes.io/ingress.class';

/** The class an Ingress asks for; undefined when it asks for none. */
export function classOf(ingress: ApiObject): string | undefined {
  return getString(ingress, 'spec', 'ingressClassName') ?? ingress.metadata.annotations?.[legacyClass];
}

/** Whether this cluster's router serves it: by its class, or because it names none. */
export function isServed(api: ApiServer, ingress: ApiObject): boolean {
  const name = classOf(ingress);
  if (name === undefined) return true;
  const found = api.get('ingressclasses.networking.k8s.io', undefined, name);
  return servedControllers.includes(getString(found, 'spec', 'controller') ?? '');
}

/** The classes that exist from the start: `drydock`, the default one, `nginx` and `alb`. */
export function ownClasses(): ApiObject[] {
  return [
    ingressClass('drydock', ownController, { 'ingressclass.kubernetes.io/is-default-class': 'true' }),
    ingressClass('nginx', 'k8s.io/ingress-nginx', {}),
    ingressClass('alb', 'ingress.k8s.aws/alb', {}),
  ];
}

function ingressClass(name: string, controller: string, annotations: Record<string, string>): ApiObject {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'IngressClass',
    metadata: { name, annotations },
    spec: { controller },
  };
}
