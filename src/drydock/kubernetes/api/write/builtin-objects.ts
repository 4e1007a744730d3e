import { getObject } from '#base/json.ts';
import type { ApiObject } from '../port.ts';
import { cloneJson } from './metadata.ts';
import { builtinNamespaces } from './namespaces.ts';
import { createObject, updateObject, type WriteDeps } from './write.ts';

const options = { manager: 'kube-apiserver', dryRun: false };

/** Creates what every cluster has from the start and is missing: the four namespaces and the Service `kubernetes`. */
export async function ensureBuiltinObjects(deps: WriteDeps, apiPort: number): Promise<void> {
  const namespaces = deps.served.find('', 'v1', 'namespaces');
  for (const name of namespaces ? builtinNamespaces : []) {
    if (!namespaces || deps.store.get('namespaces', name)) continue;
    const object = { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
    await createObject(deps, { resource: namespaces, namespace: undefined, object, options });
  }
  await ensureKubernetesService(deps, apiPort);
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
