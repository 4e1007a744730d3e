import type { ApiResource, KubeClient, KubeObject } from '#kube/port.ts';
import { fieldManager } from '#model/argocd/names.ts';
import { uniteFields } from './fields-v1.ts';

const clientSideManager = 'kubectl-client-side-apply';

/**
 * Hands the fields that kubectl's client-side apply owns to this field manager, so that a later server-side apply can
 * remove those that are no longer desired. Does nothing where there are none.
 */
export async function migrateFields(
  kube: Pick<KubeClient, 'get' | 'patch'>,
  resource: ApiResource,
  live: KubeObject,
  signal: AbortSignal,
): Promise<void> {
  const current = await kube.get(resource, live.metadata, signal);
  const entries = current?.metadata.managedFields ?? [];
  const isOld = (entry: Record<string, unknown>) =>
    entry['manager'] === clientSideManager && entry['operation'] === 'Update' && !entry['subresource'];
  const old = entries.find(isOld);
  if (!current || !old) return;
  const own = entries.find((entry) => entry['manager'] === fieldManager && entry['operation'] === 'Apply');
  const merged = {
    ...old,
    manager: fieldManager,
    operation: 'Apply',
    fieldsV1: uniteFields(own?.['fieldsV1'], old['fieldsV1']),
  };
  const managedFields = [...entries.filter((entry) => entry !== old && entry !== own), merged];
  const body = [
    { op: 'test', path: '/metadata/resourceVersion', value: current.metadata.resourceVersion },
    { op: 'replace', path: '/metadata/managedFields', value: managedFields },
  ];
  await kube.patch(resource, live.metadata, { type: 'json', body }, { fieldManager }, signal);
}
