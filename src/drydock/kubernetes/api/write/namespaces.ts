import { getString } from '#base/json.ts';
import { forbidden, notFound } from '../protocol/status-error.ts';
import type { ServedResource } from '../served.ts';
import type { Store } from '../store/store.ts';

const namespaceNames = { group: '', plural: 'namespaces', groupResource: 'namespaces' };

/** Namespaces that exist from the start and cannot be deleted, but for `kube-node-lease`, which can. */
export const builtinNamespaces = ['default', 'kube-system', 'kube-public', 'kube-node-lease'];
export const undeletableNamespaces = new Set(['default', 'kube-system', 'kube-public']);

/** Throws 404 when the namespace does not exist and 403 when it is being deleted. Cluster-wide kinds always pass. */
export function requireOpenNamespace(
  store: Store,
  resource: ServedResource,
  namespace: string | undefined,
  name: string,
): void {
  if (!resource.namespaced || namespace === undefined) return;
  const found = store.get('namespaces', namespace)?.object;
  if (!found) throw notFound(namespaceNames, namespace);
  const terminating =
    found.metadata.deletionTimestamp !== undefined || getString(found, 'status', 'phase') === 'Terminating';
  if (!terminating) return;
  throw forbidden(
    resource,
    name,
    `unable to create new content in namespace ${namespace} because it is being terminated`,
    [
      {
        reason: 'NamespaceTerminating',
        message: `namespace ${namespace} is being terminated`,
        field: 'metadata.namespace',
      },
    ],
  );
}
