import { timestamp } from '#base/clock.ts';
import { jsonEqual } from '#base/json.ts';
import { objectKey } from '../api/served.ts';
import { createObject, updateObject, type WriteDeps } from '../api/write/write.ts';

const namespace = 'kube-system';
const options = { manager: 'kube-apiserver', dryRun: false };

/**
 * Publishes, as ConfigMaps, whose client certificates count, for other servers that take the users of this one; and since
 * when old tokens of service accounts are watched, for the controller that clears them away.
 */
export async function ensureAuthenticationConfig(deps: WriteDeps, caCertificate: string): Promise<void> {
  const today = timestamp(deps.clock.now()).slice(0, 10);
  await Promise.all([
    ensure(deps, 'extension-apiserver-authentication', { 'client-ca-file': caCertificate }),
    ensure(deps, 'kube-apiserver-legacy-service-account-token-tracking', { since: today }, { keep: true }),
  ]);
}

async function ensure(
  deps: WriteDeps,
  name: string,
  data: Record<string, string>,
  { keep = false }: { keep?: boolean } = {},
): Promise<void> {
  const resource = deps.served.find('', 'v1', 'configmaps');
  if (!resource) return;
  const live = deps.store.get(resource.storage, objectKey(resource, namespace, name))?.object;
  if (!live) {
    const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace }, data };
    await createObject(deps, { resource, namespace, object, options });
  } else if (!keep && !jsonEqual(live['data'], data)) {
    const produce = () => ({ object: { ...live, data }, managed: false });
    await updateObject(deps, { resource, namespace, name, options, produce });
  }
}
