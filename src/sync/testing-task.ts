import type { KubeObject } from '#kube/port.ts';
import { parseSyncOptions } from '#model/argocd/sync-options.ts';
import type { SyncTask } from './task.ts';

export const object = (kind: string, name: string, notes: Record<string, string> = {}): KubeObject => ({
  apiVersion: 'v1',
  kind,
  metadata: { name, namespace: 'n', annotations: notes },
});

/** For tests: a task of a ConfigMap in namespace `n`, with what is told otherwise. */
export function task(
  name: string,
  fields: Partial<SyncTask> & { kind?: string; prune?: boolean; options?: SyncTask['options'] } = {},
): SyncTask {
  const { kind = 'ConfigMap', prune = false, ...rest } = fields;
  return {
    key: { group: '', kind, namespace: 'n', name },
    version: 'v1',
    phase: 'Sync',
    wave: 0,
    hook: false,
    deletePolicies: [],
    target: prune ? undefined : object(kind, name),
    live: prune ? object(kind, name) : undefined,
    health: undefined,
    outOfSync: true,
    options: parseSyncOptions([], undefined),
    ...rest,
  };
}
