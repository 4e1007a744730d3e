import type { Cluster } from '#apps/clusters.ts';
import { type ObservationDeps, targetOf } from '#apps/observation.ts';
import { isInProgress } from '#apps/operation-state.ts';
import type { Application } from '#model/argocd/application.ts';
import { annotations } from '#model/argocd/names.ts';
import { objectKeyText } from '#sync/identity.ts';
import type { Runtime } from './runtime.ts';

/** How freshly an application is looked at. */
export interface Refresh {
  /** Whether its repositories are read first; `if-possible` goes on with what is known of them. */
  fetch: 'no' | 'if-possible' | 'yes';
  /** Names the newest commits in the status, though they may change nothing: somebody asked for them. */
  newest: boolean;
  /** Nothing that was rendered or compared before counts. */
  anew: boolean;
  /** When renders may not come from the caches any more. */
  anewInMs: number | undefined;
}

/** A sync that was requested, and not begun. */
function isRequested({ operation, status }: Application): boolean {
  return operation !== undefined && !operation.initiatedBy?.automated && !isInProgress(status?.operationState);
}

/** What the annotation, a requested sync and `timeout.hard.reconciliation` ask for. */
export function planRefresh(
  application: Application,
  runtime: Runtime,
  at: { hardReconcileMs: number; now: number },
): Refresh {
  const { hardReconcileMs, now } = at;
  runtime.anewAt ??= now;
  const level = application.metadata.annotations?.[annotations.refresh];
  const dueInMs = hardReconcileMs === 0 ? undefined : runtime.anewAt + hardReconcileMs - now;
  const isDue = dueInMs !== undefined && dueInMs <= 0;
  const requested = isRequested(application);
  return {
    fetch: level !== undefined ? 'yes' : requested ? 'if-possible' : 'no',
    newest: level !== undefined || requested,
    anew: level === 'hard' || isDue,
    anewInMs: isDue ? hardReconcileMs : dueInMs,
  };
}

/** When it has to be: renders without the caches, and forgets what was compared. */
export async function renderAnew(
  input: { deps: ObservationDeps; application: Application; runtime: Runtime; cluster: Cluster; now: number },
  { newest, anew }: Refresh,
  signal: AbortSignal,
): Promise<void> {
  if (!anew) return;
  const { deps, application, runtime, cluster, now } = input;
  const { resources } = await targetOf(deps, application, { memory: runtime.memory, newest, anew: true }, signal);
  runtime.anewAt = now;
  for (const { object } of resources) cluster.comparer.forget(objectKeyText(object));
}
