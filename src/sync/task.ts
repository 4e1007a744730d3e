import type { Health } from '#health/health.ts';
import type { KubeObject } from '#kube/port.ts';
import type { ResourceKey, ResourceResult } from '#model/argocd/application.ts';
import type { SyncOptions } from '#model/argocd/sync-options.ts';
import type { DeletePolicy, SyncPhase } from './hooks.ts';
import { keyText } from './identity.ts';

/** One object in one phase of a sync: to apply, to prune (no target), or a hook to run. */
export interface SyncTask {
  key: ResourceKey;
  version: string;
  phase: SyncPhase;
  wave: number;
  hook: boolean;
  deletePolicies: DeletePolicy[];
  target: KubeObject | undefined;
  /** Of the object as Git has it. */
  digest?: string | undefined;
  live: KubeObject | undefined;
  /** Health of `live`; undefined when its kind has no check or it is absent. */
  health: Health | undefined;
  /** Target and live differ, or live is absent. */
  outOfSync: boolean;
  options: SyncOptions;
  /** What the server said when it was asked what this apply would do; undefined when it was not asked. */
  foreseen?: { rejected: string | undefined } | undefined;
  /** The comparison knows that applying it would change nothing at all, ignored fields included. */
  agrees?: boolean;
  /** Its kind is not served yet: its definition is part of this sync, or it is wanted all the same. */
  skipDryRun?: boolean;
}

export const phaseOrder: Record<SyncPhase, number> = { PreSync: 0, Sync: 1, PostSync: 2, SyncFail: 3 };

export function isPrune(task: SyncTask): boolean {
  return task.target === undefined;
}

export function taskId(task: Pick<SyncTask, 'key' | 'phase'>): string {
  return `${task.phase} ${keyText(task.key)}`;
}

/** Results of an operation by task; what the status keeps of them is enough to go on after a restart. */
export type SyncResults = ReadonlyMap<string, ResourceResult>;

export function resultId(result: ResourceResult): string {
  const key = { group: result.group, kind: result.kind, name: result.name };
  const phase = (result.syncPhase ?? 'Sync') as SyncPhase;
  return taskId({ key: result.namespace === '' ? key : { ...key, namespace: result.namespace }, phase });
}

/** A result as a status shows it. */
export function resultOf(
  task: SyncTask,
  fields: Pick<ResourceResult, 'status' | 'message' | 'hookPhase' | 'images'>,
): ResourceResult {
  const result: ResourceResult = {
    group: task.key.group,
    version: task.version,
    kind: task.key.kind,
    namespace: task.key.namespace ?? '',
    name: task.key.name,
    syncPhase: task.phase,
    ...fields,
  };
  if (task.hook) result.hookType = task.phase;
  return result;
}
