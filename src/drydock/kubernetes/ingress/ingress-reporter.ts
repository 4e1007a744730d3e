import { getArray, getObject, jsonEqual } from '#base/json.ts';
import type { Outcome } from '#base/outcome.ts';
import type { ApiObject, ApiServer } from '../api/port.ts';
import type { EventRecorder } from '../controllers/event-recorder.ts';
import { keyOf, splitKey } from '../controllers/key.ts';
import type { Controller } from '../controllers/loop.ts';
import { readTlsSecret } from './certificate-store.ts';
import { isServed } from './ingress-class.ts';
import type { RouteState } from './route-state.ts';

const resource = 'ingresses.networking.k8s.io';
const component = 'drydock-ingress';
const address = '127.0.0.1';

/**
 * Tells each Ingress where it is reached (status) and, by an event when it changes, what of it cannot be done. An
 * Ingress of somebody else's class is left alone.
 */
export function ingressReporter(
  { api, events }: { api: ApiServer; events: EventRecorder },
  { routes, ports }: { routes: RouteState; ports: { http: number; https: number } },
): Controller {
  const told = new Map<string, string>();
  const inNamespace = (object: ApiObject): string[] =>
    api.list(resource, { namespace: object.metadata.namespace ?? '' }).map(keyOf);
  return {
    name: 'ingress',
    watches: [
      // A canary is judged by the other Ingresses, a backend by its Service, a certificate by its Secret.
      { resource, names: (ingress) => [keyOf(ingress), ...inNamespace(ingress)] },
      { resource: 'services', names: inNamespace },
      { resource: 'secrets', names: (secret) => (secret['type'] === 'kubernetes.io/tls' ? inNamespace(secret) : []) },
      { resource: 'ingressclasses.networking.k8s.io', names: () => api.list(resource).map(keyOf) },
    ],
    tick: async (key): Promise<Outcome> => {
      const at = splitKey(key);
      const ingress = api.get(resource, at.namespace, at.name);
      if (!ingress || ingress.metadata.deletionTimestamp !== undefined || !isServed(api, ingress)) {
        told.delete(key);
        return { kind: 'done' };
      }
      const problems = [...(routes.current.ingress.problems.get(key) ?? []), ...certificateProblems(api, routes, key)];
      const text = problems.join('; ');
      if (text !== (told.get(key) ?? '')) {
        told.set(key, text);
        const message = text === '' ? 'All of it is served now.' : text;
        events.record(component, ingress, {
          type: text ? 'Warning' : 'Normal',
          reason: text ? 'NotServed' : 'Served',
          message,
        });
      }
      await writeStatus(api, ingress, ports);
      return { kind: 'done' };
    },
  };
}

function certificateProblems(api: ApiServer, routes: RouteState, key: string): string[] {
  const found = new Set<string>();
  for (const { namespace, secret, owner } of routes.current.certificates) {
    if (owner !== key) continue;
    const read = readTlsSecret(api.get('secrets', namespace, secret));
    if (typeof read === 'string')
      found.add(`the Secret ${namespace}/${secret} ${read}: the cluster's own certificate is used`);
  }
  return [...found];
}

async function writeStatus(api: ApiServer, ingress: ApiObject, ports: { http: number; https: number }): Promise<void> {
  const secure = getArray(ingress, 'spec', 'tls').length > 0;
  const reached = [ports.http, ...(secure ? [ports.https] : [])].map((port) => ({ port, protocol: 'TCP' }));
  const status = {
    ...getObject(ingress, 'status'),
    loadBalancer: { ingress: [{ ip: address, ports: reached }] },
  };
  if (!jsonEqual(getObject(ingress, 'status'), status)) await api.updateStatus({ ...ingress, status }, component);
}
