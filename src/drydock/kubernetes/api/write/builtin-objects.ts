import { messageOf } from '#base/errors.ts';
import { cloneJson, getObject } from '#base/json.ts';
import type { Logger } from '#base/log.ts';
import type { ApiObject } from '../port.ts';
import { builtinNamespaces } from './namespaces.ts';
import { createObject, updateObject, type WriteDeps } from './write.ts';

const options = { manager: 'kube-apiserver', dryRun: false };

/** Creates what every cluster has from the start and is missing: the four namespaces and the Service `kubernetes`. */
export async function ensureBuiltinObjects(deps: WriteDeps, apiPort: number): Promise<void> {
  await ensureNamespaces(deps);
  await ensureKubernetesService(deps, apiPort);
}

/** Puts back what of them was deleted, as fast as a real one: the Service within 10 s, a namespace within a minute. */
export function keepBuiltinObjects(deps: WriteDeps & { logger: Logger }, apiPort: number): Disposable {
  const stop = new AbortController();
  void repeat(deps, { everyMs: 10_000, signal: stop.signal, run: () => ensureKubernetesService(deps, apiPort) });
  void repeat(deps, { everyMs: 60_000, signal: stop.signal, run: () => ensureNamespaces(deps) });
  return { [Symbol.dispose]: () => stop.abort() };
}

async function repeat(
  { clock, logger }: WriteDeps & { logger: Logger },
  { everyMs, signal, run }: { everyMs: number; signal: AbortSignal; run: () => Promise<void> },
): Promise<void> {
  while (!signal.aborted)
    try {
      await clock.sleep(everyMs, signal);
      await run();
    } catch (error) {
      if (!signal.aborted) logger.warn({}, `built-in objects could not be put back: ${messageOf(error)}`);
    }
}

async function ensureNamespaces(deps: WriteDeps): Promise<void> {
  const namespaces = deps.served.find('', 'v1', 'namespaces');
  for (const name of namespaces ? builtinNamespaces : []) {
    if (!namespaces || deps.store.get('namespaces', name)) continue;
    const object = { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
    await createObject(deps, { resource: namespaces, namespace: undefined, object, options });
  }
}

async function ensureKubernetesService(deps: WriteDeps, apiPort: number): Promise<void> {
  const services = deps.served.find('', 'v1', 'services');
  if (!services) return;
  const ports = [{ name: 'https', port: 443, protocol: 'TCP', targetPort: apiPort }];
  const object: ApiObject = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'kubernetes', namespace: 'default', labels: { component: 'apiserver', provider: 'kubernetes' } },
    spec: { type: 'ClusterIP', clusterIP: deps.addresses.apiServerIp, ports },
  };
  const target = { resource: services, namespace: 'default', options };
  if (!deps.store.get('services', 'default/kubernetes')) {
    await createObject(deps, { ...target, object });
    return;
  }
  await updateObject(deps, {
    ...target,
    name: 'kubernetes',
    produce: (live) => {
      const wanted = cloneJson(live);
      wanted['spec'] = { ...getObject(wanted, 'spec'), ports };
      return { object: wanted, managed: false };
    },
  });
}
