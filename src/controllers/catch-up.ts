import { isInProgress, operationName } from '#apps/operation-state.ts';
import type { Clock } from '#base/clock.ts';
import type { Application } from '#model/argocd/application.ts';
import type { AuditTrail } from './audit-trail.ts';
import type { Runtime } from './runtime.ts';

/** An operation that ended longer ago than this was told of, or nobody asks any more. */
const recentMs = 600_000;

/**
 * Tells of the start or end of an operation where the write that made it known was the last that a process did, or where
 * its answer was lost.
 */
export async function catchUp(
  deps: { trail: AuditTrail; clock: Clock },
  application: Application,
  runtime: Runtime,
): Promise<void> {
  const state = application.status?.operationState;
  const isFirst = !runtime.caughtUp;
  runtime.caughtUp = true;
  if (!state) return;
  const own = runtime.began?.id === operationName(state) ? runtime.began : undefined;
  if (isInProgress(state)) {
    if (own) return;
    runtime.began = { id: operationName(state), at: Date.parse(state.startedAt) };
    await deps.trail.missedStart(application, state);
    return;
  }
  const isRecent = deps.clock.now() - Date.parse(state.finishedAt ?? '') < recentMs;
  if (!own && !(isFirst && isRecent)) return;
  runtime.began = undefined;
  await deps.trail.missedEnd(application, state, own?.at ?? Date.parse(state.startedAt));
}
