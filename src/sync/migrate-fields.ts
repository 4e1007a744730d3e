import { isAppError } from '#base/errors.ts';
import { type KubeClient, type KubeObject, kindOf } from '#kube/port.ts';
import { fieldManager } from '#model/argocd/names.ts';
import { uniteFields } from './fields-v1.ts';

const clientSideManager = 'kubectl-client-side-apply';
const maxTries = 5;

/**
 * Hands the fields that client-side apply owns (kubectl's, or those of `manager`) to this field manager, so that a later
 * server-side apply can remove those that are no longer desired. Does nothing where there are none.
 */
export async function migrateFields(
  kube: Pick<KubeClient, 'get' | 'patch' | 'discovery'>,
  from: { live: KubeObject; manager?: string | undefined },
  signal: AbortSignal,
): Promise<void> {
  const { live, manager = clientSideManager } = from;
  const resource = await kube.discovery.find(kindOf(live), signal);
  if (!resource) return;
  const isOld = (entry: Record<string, unknown>) =>
    entry['manager'] === manager && entry['operation'] === 'Update' && !entry['subresource'];
  for (let tries = 1; ; tries += 1) {
    const current = await kube.get(resource, live.metadata, signal);
    const entries = current?.metadata.managedFields ?? [];
    const old = entries.filter(isOld);
    const [first] = old;
    if (!current || !first) return;
    const own = entries.find((entry) => entry['manager'] === fieldManager && entry['operation'] === 'Apply');
    let fieldsV1 = uniteFields(own?.['fieldsV1'], {});
    for (const entry of old) fieldsV1 = uniteFields(fieldsV1, entry['fieldsV1']);
    const merged = { ...first, manager: fieldManager, operation: 'Apply', fieldsV1 };
    const body = [
      { op: 'test', path: '/metadata/resourceVersion', value: current.metadata.resourceVersion },
      {
        op: 'replace',
        path: '/metadata/managedFields',
        value: [...entries.filter((entry) => !isOld(entry) && entry !== own), merged],
      },
    ];
    try {
      await kube.patch(resource, live.metadata, { type: 'json', body }, { fieldManager }, signal);
      return;
    } catch (error) {
      // Somebody changed the object between the two requests: the test of its version failed.
      const changed = isAppError(error, 'conflict') || isAppError(error, 'bad-input');
      if (!changed || tries >= maxTries) throw error;
    }
  }
}
