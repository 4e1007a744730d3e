import type { Application, OperationState } from '#model/argocd/application.ts';
import { keyText, resourceKeyOf } from '#sync/identity.ts';
import type { SyncTask } from '#sync/task.ts';
import type { Target } from './target.ts';

/** How long an object has the time to become healthy before a newer commit may take its place. */
export const givesWayAfterMs = 30_000;

export interface GivingWayInput {
  application: Application;
  state: OperationState;
  /** What the operation waits for. */
  waitingFor: readonly SyncTask[];
  /** What Git wants now, at the target revision. */
  newest: Pick<Target, 'resources' | 'revisions'>;
  now: number;
}

function isAutomatic(application: Application, state: OperationState): boolean {
  const automated = application.spec.syncPolicy?.automated;
  return (
    automated !== undefined &&
    automated.enabled !== false &&
    state.operation.initiatedBy?.automated === true &&
    state.phase === 'Running'
  );
}

function isNewer(newest: Pick<Target, 'revisions'>, state: OperationState): boolean {
  const { revision, revisions } = state.syncResult ?? {};
  const synced = revisions && revisions.length > 0 ? revisions : [revision ?? ''];
  return !newest.revisions.every((commit, at) => commit === synced[at]);
}

/**
 * Whether an automatic sync that failed, and waits for its next try, makes room for a newer commit: trying the old one
 * again would only hold the new one back. With `retry.refresh` the next try takes the new commit by itself.
 */
export function retryGivesWay(input: Pick<GivingWayInput, 'application' | 'state' | 'newest'>): boolean {
  const { application, state, newest } = input;
  const waits = state.finishedAt !== undefined && state.operation.retry?.refresh !== true;
  return waits && isAutomatic(application, state) && isNewer(newest, state);
}

/**
 * The object for whose sake a running automatic sync ends before it is through: it waits for the object to become
 * healthy, and a newer commit changes or removes that very object, so that waiting on can only delay the cure. Hooks are
 * never left alone, and syncs that a person asked for never give way.
 */
export function givesWayTo(input: GivingWayInput): SyncTask | undefined {
  const { application, state, waitingFor, newest, now } = input;
  if (!isAutomatic(application, state) || now - Date.parse(state.startedAt) < givesWayAfterMs) return undefined;
  if (waitingFor.length === 0 || waitingFor.some((task) => task.hook) || !isNewer(newest, state)) return undefined;
  const wanted = new Map(newest.resources.map(({ object, digest }) => [keyText(resourceKeyOf(object)), digest]));
  return waitingFor.find((task) => task.digest !== undefined && wanted.get(keyText(task.key)) !== task.digest);
}
