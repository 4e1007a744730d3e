import { jsonEqual } from '#base/json.ts';
import { objectKey } from '../api/served.ts';
import { createObject, updateObject, type WriteDeps } from '../api/write.ts';

const name = 'extension-apiserver-authentication';
const namespace = 'kube-system';
const options = { manager: 'kube-apiserver', dryRun: false };

/** Publishes whose client certificates count, for other servers that take the users of this one. */
export async function ensureAuthenticationConfig(deps: WriteDeps, caCertificate: string): Promise<void> {
  const resource = deps.served.find('', 'v1', 'configmaps');
  if (!resource) return;
  const data = { 'client-ca-file': caCertificate };
  const live = deps.store.get(resource.storage, objectKey(resource, namespace, name))?.object;
  if (!live) {
    const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace }, data };
    await createObject(deps, { resource, namespace, object, options });
  } else if (!jsonEqual(live['data'], data)) {
    const produce = () => ({ object: { ...live, data }, managed: false });
    await updateObject(deps, { resource, namespace, name, options, produce });
  }
}
